"""Whom the options of `verify` trust, as what judges signatures; what cannot be meant is bad input."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.images.signatures.notation.verifying import NotationPolicy
    from bot.images.trust.judging import Trusted

_LARGEST = 16 * 1024 * 1024


class SignatureKind(StrEnum):
    """What made the signature."""

    NOTATION = "notation"
    SIGSTORE = "sigstore"
    COSIGN_KEY = "cosign-key"


class Timestamping(StrEnum):
    """When a countersignature is asked for."""

    ALWAYS = "always"
    AFTER_CERT_EXPIRY = "afterCertExpiry"


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """The options as they were given, each with its empty value where it was not."""

    kind: SignatureKind
    media_type: str
    trust_dir: Path | None
    trust_stores: tuple[str, ...]
    timestamp: Timestamping
    trusted_root: Path | None
    identities: tuple[str, ...]
    identity_regexps: tuple[str, ...]
    issuer: str
    key: Path | None

    def trusted(self) -> "Trusted":
        """Reads the files that they name. Raises `Failure` where one is missing or cannot be read."""
        from bot.images.signatures.cosign.keys import read_public_key
        from bot.images.signatures.cosign.policy import accepting
        from bot.images.signatures.cosign.trusted_root import read_trusted_root
        from bot.images.trust.judging import Trusted

        match self.kind:
            case SignatureKind.NOTATION:
                return Trusted(self.kind, notation=self._notation())
            case SignatureKind.SIGSTORE:
                path = self.trusted_root
                if path is None:
                    raise bad("--trusted-root must be given", "it says which authorities and logs are believed")
                policy = accepting(self.identities, self.identity_regexps, self.issuer or None)
                return Trusted(self.kind, keyless=(read_trusted_root(read(path), where=str(path)), policy))
            case SignatureKind.COSIGN_KEY:
                path = self.key
                if path is None:
                    raise bad("--key must be given", "the public key, as in cosign.pub")
                return Trusted(self.kind, key=read_public_key(read(path), where=str(path)))

    def _notation(self) -> "NotationPolicy":
        from bot.images.signatures.notation.names import read_identities
        from bot.images.signatures.notation.trust_store import load_stores
        from bot.images.signatures.notation.verifying import NotationPolicy, WhenTimestamped
        from bot.images.signatures.verdict import Refused

        if self.trust_dir is None or not self.trust_stores:
            raise bad("--trust-dir and --trust-store must be given", "they hold the roots that are trusted")
        try:
            identities = read_identities(self.identities or ["*"])
        except Refused as refused:
            raise bad(refused.what, refused.advice) from None
        return NotationPolicy(
            load_stores(self.trust_dir, self.trust_stores), identities, WhenTimestamped(self.timestamp)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What they leave open, beyond what a verdict says by itself."""
        is_open = self.kind is SignatureKind.NOTATION and "*" in (self.identities or ("*",))
        note = "any identity under the trusted roots is accepted; name one with --identity"
        return (note,) if is_open else ()


def read(path: Path, limit: int = _LARGEST) -> bytes:
    """Reads a file. Raises `Failure` where it is larger than `limit` bytes or cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise bad(f"{path} cannot be read: {error.strerror or error}", "check the path and its rights") from None
    if len(content) > limit:
        raise bad(f"{path} is larger than {limit} bytes", "give --digest instead of a large artifact")
    return content


def bad(fault: str, advice: str) -> Exception:
    """Makes the `Failure` of an option that cannot be meant as it was given."""
    from bot.domain.failure import Failure, Trouble

    return Failure(Trouble.MALFORMED, fault, advice=advice)
