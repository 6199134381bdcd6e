"""One signature as cosign and its kin store it, whatever the shape that it was read from."""

from dataclasses import dataclass

from cryptography import x509

from bot.images.provenance.statement import DsseEnvelope
from bot.images.signatures.cosign.log import LogEntry


@dataclass(frozen=True, slots=True)
class CosignSignature:
    """One signature with what came along. Nothing of it is proved yet."""

    signature: bytes
    envelope: DsseEnvelope | None = None
    """Where the signature is over a DSSE envelope; else it is over the bytes of a file."""
    message_digest: tuple[str, bytes] | None = None
    """The digest that a bundle says was signed, with its algorithm, such as `sha256`."""
    certificate: x509.Certificate | None = None
    others: tuple[x509.Certificate, ...] = ()
    entry: LogEntry | None = None
    bundle: bytes | None = None
    """The document itself where it is a Sigstore bundle that the library can judge."""
    proved: bytes | None = None
    """A bundle that the library cannot judge as a whole, where it proves that the log has its entry."""
    timestamps: tuple[bytes, ...] = ()
    """Tokens of timestamp authorities that came with a bundle that the library cannot judge."""
