"""Found signatures → whether one of them is by somebody whom the operator trusts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from bot.domain.evidence import Strength
from bot.domain.images.trust import Trust
from bot.verify.signatures.cosign.policy import SignerPolicy
from bot.verify.signatures.cosign.trusted_root import TrustedRoot
from bot.verify.signatures.cosign.verifying import SignedSubject, verify_keyless, verify_with_key
from bot.verify.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.verify.signatures.remembered import Remembered
from bot.verify.signatures.verdict import REVOCATION, CheckState, SignatureCheck, SignatureVerdict
from bot.verify.trust.collecting import AttachedDocument


@dataclass(frozen=True)
class Trusted:
    """Whose signatures count: `name` tells one such set from another. What is None is not looked for."""

    name: str
    notation: NotationPolicy | None = None
    keyless: tuple[TrustedRoot, SignerPolicy] | None = None
    key: PublicKeyTypes | None = None


def judge_trust(
    signatures: Sequence[AttachedDocument], trusted: Trusted, digest: str, at: datetime, remembered: Remembered
) -> Trust:
    """Proved where one signature holds; else why the first does not. Cannot tell is not valid."""
    made = verdicts(signatures, trusted, digest, at, remembered)
    held = next((verdict for verdict in made if verdict.is_valid), None)
    if held is not None:
        notes = "".join(f"; {note}" for note in held.notes)
        return Trust(Strength.PROVED, f"signed by {held.signer} ({held.kind}; revocation {REVOCATION}{notes})")
    if not made:
        return Trust(Strength.UNKNOWN, "no signature of a kind that is trusted is there", is_there=False)
    first = made[0]
    return Trust(Strength.CONTRADICTED, f"its {first.kind} signature is {first}".replace("  ", " "))


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
            remembered.verdict(found.encoded, under, at, lambda: verify_keyless(found.encoded, root, signer, asked))
        )
    if is_keyed and (key := trusted.key) is not None:
        by_key = (*under, "key")
        made.append(
            remembered.verdict(found.encoded, by_key, at, lambda: verify_with_key(found.encoded, key, asked))
        )
    return made
