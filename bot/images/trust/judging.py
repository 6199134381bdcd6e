"""Found signatures → whether one of them is by somebody whom the operator trusts, and until when that holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from bot.domain.evidence import Strength
from bot.domain.images.stated import Stated
from bot.domain.images.trust import Trust
from bot.images.signatures.cosign.policy import SignerPolicy
from bot.images.signatures.cosign.trusted_root import TrustedRoot
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless, verify_with_key
from bot.images.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.images.signatures.remembered import Remembered
from bot.images.signatures.verdict import REVOCATION, CheckState, SignatureCheck, SignatureVerdict, as_of
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.stating import may_state, told_of

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_MOST_TOLD = 5


@dataclass(frozen=True)
class Trusted:
    """Whose signatures count. What is None is not looked for.

    `name` tells one such set from another: it must differ where a key or a root does.
    """

    name: str
    notation: NotationPolicy | None = None
    keyless: tuple[TrustedRoot, SignerPolicy] | None = None
    key: PublicKeyTypes | None = None


class Worth(NamedTuple):
    """What a signed statement is worth, and why. Where it is proved: the mark of who is trusted, and until when."""

    strength: Strength
    told: str
    judged_by: str | None = None
    judged_until: datetime | None = None


Judge = Callable[[AttachedDocument, str], Worth]
"""What a signed statement about a digest is worth."""


def judge_trust(
    signatures: Sequence[AttachedDocument], trusted: Trusted, digest: str, at: datetime, remembered: Remembered
) -> Trust:
    """Proved where one signature holds, as long as one does; else why the first does not. Cannot tell is not valid.

    What somebody states of an image (its provenance, an SBOM, what a scanner found, that it was verified) is signed
    itself and does not sign the image, whoever states it and wherever it is kept.
    """
    is_signature = [may_state(found, {Stated.SIGNATURE}) for found in signatures]
    signing = [found for found, signs in zip(signatures, is_signature, strict=True) if signs]
    made = verdicts(signing, trusted, digest, at, remembered)
    held = longest_held(made)
    if held is not None:
        notes = "".join(f"; {note}" for note in held.notes)
        told = f"signed by {held.signer} ({held.kind}; revocation {REVOCATION}{notes})"
        return Trust(Strength.PROVED, told, until=held.holds_until)
    if not made:
        others = dict.fromkeys(told_of(found) for found in signatures if found not in signing)
        stated = f"; what is there states {', '.join([*others][:_MOST_TOLD])}" if others else ""
        return Trust(Strength.UNKNOWN, f"no signature of a kind that is trusted is there{stated}", is_there=False)
    first = made[0]
    return Trust(Strength.CONTRADICTED, f"its {first.kind} signature is {first}".replace("  ", " "))


def longest_held(made: Sequence[SignatureVerdict]) -> SignatureVerdict | None:
    """Of the verdicts that hold the one that does so for longest, the first of several; None where none does."""
    held = [verdict for verdict in made if verdict.is_valid]
    return max(held, key=lambda verdict: verdict.holds_until or _ALWAYS, default=None)


def verdicts(
    signatures: Sequence[AttachedDocument], trusted: Trusted, digest: str, at: datetime, remembered: Remembered
) -> list[SignatureVerdict]:
    """The verdicts of all signatures of the kinds that are trusted, in the order in which they were found."""
    return [verdict for found in signatures for verdict in _of_one(found, trusted, digest, at, remembered)]


def _of_one(
    found: AttachedDocument, trusted: Trusted, digest: str, at: datetime, remembered: Remembered
) -> list[SignatureVerdict]:
    is_notation = found.kind in ("notation", "") and trusted.notation is not None
    is_keyless = found.kind != "notation" and trusted.keyless is not None
    is_keyed = found.kind != "notation" and trusted.key is not None
    if found.unreadable:
        is_wanted = is_notation or is_keyless or is_keyed
        check = SignatureCheck("stored", CheckState.FAILED, found.unreadable)
        return [SignatureVerdict(found.kind, (check,), digest=digest)] if is_wanted else []
    under = (trusted.name, digest, found.kind, found.media_type, found.payload)
    asked = SignedSubject(found.payload, digest)
    made: list[SignatureVerdict] = []
    if is_notation and (policy := trusted.notation) is not None:
        made.append(
            remembered.verdict(
                found.encoded,
                under,
                at,
                lambda: verify_notation(found.encoded, found.media_type, policy, at, digests=[digest]),
            )
        )
    if is_keyless and trusted.keyless is not None:
        root, signer = trusted.keyless
        made.append(
            remembered.verdict(
                found.encoded,
                under,
                at,
                lambda: as_of(verify_keyless(found.encoded, root, signer, asked), at),
            )
        )
    if is_keyed and (key := trusted.key) is not None:
        by_key = (*under, "key")
        made.append(
            remembered.verdict(found.encoded, by_key, at, lambda: verify_with_key(found.encoded, key, asked))
        )
    return made
