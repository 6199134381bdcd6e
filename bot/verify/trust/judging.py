"""Found signatures → whether one of them is by somebody whom the operator trusts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from bot.domain.evidence import Strength
from bot.domain.images.trust import Trust
from bot.verify.signatures.cosign.policy import SignerPolicy
from bot.verify.signatures.cosign.trusted_root import TrustedRoot
from bot.verify.signatures.cosign.verifying import Asked, verify_keyless, verify_with_key
from bot.verify.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.verify.signatures.remembered import Remembered
from bot.verify.signatures.verdict import REVOCATION, Verdict
from bot.verify.trust.collecting import Found


@dataclass(frozen=True)
class Trusted:
    """Whose signatures count: `name` tells one such set from another. What is None is not looked for."""

    name: str
    notation: NotationPolicy | None = None
    keyless: tuple[TrustedRoot, SignerPolicy] | None = None
    key: PublicKeyTypes | None = None


def judge(
    signatures: Sequence[Found], trusted: Trusted, digest: str, at: datetime, remembered: Remembered
) -> Trust:
    """Proved where one signature holds; else why the first does not. Cannot tell is not valid."""
    verdicts = [verdict for found in signatures for verdict in _verdicts(found, trusted, digest, at, remembered)]
    held = next((verdict for verdict in verdicts if verdict.is_valid), None)
    if held is not None:
        notes = "".join(f"; {note}" for note in held.notes)
        return Trust(Strength.PROVED, f"signed by {held.signer} ({held.kind}; revocation {REVOCATION}{notes})")
    if not verdicts:
        return Trust(Strength.UNKNOWN, "no signature of a kind that is trusted is there", is_there=False)
    first = verdicts[0]
    return Trust(Strength.CONTRADICTED, f"its {first.kind} signature is {first}")


def _verdicts(found: Found, trusted: Trusted, digest: str, at: datetime, remembered: Remembered) -> list[Verdict]:
    under = (trusted.name, digest, found.kind)
    asked = Asked(found.payload, digest)
    made: list[Verdict] = []
    if found.kind == "notation" and trusted.notation is not None:
        policy = trusted.notation
        made.append(
            remembered.verdict(
                found.encoded,
                under,
                at,
                lambda: verify_notation(found.encoded, found.media_type, policy, at, digests=[digest]),
            )
        )
    if found.kind != "notation" and trusted.keyless is not None:
        root, signer = trusted.keyless
        key = (*under, found.payload)
        made.append(
            remembered.verdict(found.encoded, key, at, lambda: verify_keyless(found.encoded, root, signer, asked))
        )
    if found.kind != "notation" and trusted.key is not None:
        public = trusted.key
        by_key = (*under, found.payload, "key")
        made.append(
            remembered.verdict(found.encoded, by_key, at, lambda: verify_with_key(found.encoded, public, asked))
        )
    return made
