"""Found signatures → whether one of them is by somebody whom the operator trusts, and until when that holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from bot.domain.evidence import Strength
from bot.domain.images.stated import Stated
from bot.domain.images.trust import Trust
from bot.images.signatures.verdict import (
    REVOCATION,
    CheckState,
    Remembered,
    SignatureCheck,
    SignatureVerdict,
    as_of,
)
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.stating import may_state, told_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from bot.images.signatures.cosign.policy import SignerPolicy
    from bot.images.signatures.cosign.trusted_root import TrustedRoot
    from bot.images.signatures.notation.verifying import NotationPolicy

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_MOST_TOLD = 5


@dataclass(frozen=True)
class Trusted:
    """Whose signatures count. What is None is not looked for.

    `name` tells one such set from another: it must differ where a key or a root does.
    """

    name: str
    notation: "NotationPolicy | None" = None
    keyless: "tuple[TrustedRoot, SignerPolicy] | None" = None
    key: "PublicKeyTypes | None" = None


class Worth(NamedTuple):
    """What a signed statement is worth, and why. Where it is proved: the mark of who is trusted, and until when."""

    strength: Strength
    told: str
    judged_by: str | None = None
    judged_until: datetime | None = None


Judge = Callable[[AttachedDocument, str], Worth]
"""What a signed statement about a digest is worth."""


def judge_trust(
    signatures: Sequence[AttachedDocument], trusted: Trusted, digest: str, moment: datetime, remembered: Remembered
) -> Trust:
    """Proved where one signature holds, as long as one does; else why the first does not. Cannot tell is not valid.

    What somebody states of an image (its provenance, an SBOM, what a scanner found, that it was verified) is signed
    itself and does not sign the image, whoever states it and wherever it is kept.
    """
    is_signature = [may_state(document, {Stated.SIGNATURE}) for document in signatures]
    signing = [document for document, signs in zip(signatures, is_signature, strict=True) if signs]
    made = verdicts(signing, trusted, digest, moment, remembered)
    verdict = longest_held(made)
    if verdict is not None:
        notes = "".join(f"; {note}" for note in verdict.notes)
        reason = f"signed by {verdict.signer} ({verdict.kind}; revocation {REVOCATION}{notes})"
        return Trust(Strength.PROVED, reason, until=verdict.holds_until)
    if not made:
        others = dict.fromkeys(told_of(document) for document in signatures if document not in signing)
        stated = f"; what is there states {', '.join([*others][:_MOST_TOLD])}" if others else ""
        return Trust(Strength.UNKNOWN, f"no signature of a kind that is trusted is there{stated}", is_there=False)
    first = made[0]
    return Trust(Strength.CONTRADICTED, f"its {first.kind} signature is {first}".replace("  ", " "))


def longest_held(made: Sequence[SignatureVerdict]) -> SignatureVerdict | None:
    """Of the verdicts that hold the one that does so for longest, the first of several; None where none does."""
    valid_verdicts = [verdict for verdict in made if verdict.is_valid]
    return max(valid_verdicts, key=lambda verdict: verdict.holds_until or _ALWAYS, default=None)


def verdicts(
    signatures: Sequence[AttachedDocument], trusted: Trusted, digest: str, moment: datetime, remembered: Remembered
) -> list[SignatureVerdict]:
    """The verdicts of all signatures of the kinds that are trusted, in the order in which they were found."""
    return [
        verdict for document in signatures for verdict in _of_one(document, trusted, digest, moment, remembered)
    ]


def _of_one(
    document: AttachedDocument, trusted: Trusted, digest: str, moment: datetime, remembered: Remembered
) -> list[SignatureVerdict]:
    is_notation = document.kind in ("notation", "") and trusted.notation is not None
    is_keyless = document.kind != "notation" and trusted.keyless is not None
    is_keyed = document.kind != "notation" and trusted.key is not None
    if document.unreadable:
        is_wanted = is_notation or is_keyless or is_keyed
        check = SignatureCheck("stored", CheckState.FAILED, document.unreadable)
        return [SignatureVerdict(document.kind, (check,), digest=digest)] if is_wanted else []
    from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless, verify_with_key
    from bot.images.signatures.notation.verifying import verify_notation

    under = (trusted.name, digest, document.kind, document.media_type, document.payload)
    subject = SignedSubject(document.payload, digest)
    made: list[SignatureVerdict] = []
    if is_notation and (policy := trusted.notation) is not None:
        made.append(
            remembered.verdict(
                document.encoded,
                under,
                moment,
                lambda: verify_notation(document.encoded, document.media_type, policy, moment, digests=[digest]),
            )
        )
    if is_keyless and trusted.keyless is not None:
        root, signer = trusted.keyless
        made.append(
            remembered.verdict(
                document.encoded,
                under,
                moment,
                lambda: as_of(verify_keyless(document.encoded, root, signer, subject), moment),
            )
        )
    if is_keyed and (key := trusted.key) is not None:
        by_key = (*under, "key")
        made.append(
            remembered.verdict(
                document.encoded, by_key, moment, lambda: verify_with_key(document.encoded, key, subject)
            )
        )
    return made
