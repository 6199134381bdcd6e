"""What both kinds of envelope hold, and the rules that are the same for both.

Sources: the Notary Project's "Signature Specification" and "Signing Scheme".
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from bot.images.signatures.certificates import check_signing_chain, is_signature, signing_algorithm
from bot.images.signatures.strictly import member, read_object
from bot.images.signatures.verdict import Refused

LARGEST = 4 * 1024 * 1024
PAYLOAD_TYPE = "application/vnd.cncf.notary.payload.v1+json"

SCHEME = "io.cncf.notary.signingScheme"
SIGNING_TIME = "io.cncf.notary.signingTime"
AUTHENTIC_SIGNING_TIME = "io.cncf.notary.authenticSigningTime"
EXPIRY = "io.cncf.notary.expiry"
TIMESTAMP = "io.cncf.notary.timestampSignature"
SIGNING_AGENT = "io.cncf.notary.signingAgent"
PLUGIN = "io.cncf.notary.verificationPlugin"
UNDERSTOOD = frozenset({SCHEME, SIGNING_TIME, AUTHENTIC_SIGNING_TIME, EXPIRY})

_LARGEST_PAYLOAD = 1024 * 1024


class Scheme(StrEnum):
    """Who answers for the time of signing: a timestamp authority beside, or the signing authority itself."""

    X509 = "notary.x509"
    SIGNING_AUTHORITY = "notary.x509.signingAuthority"


@dataclass(frozen=True, slots=True)
class TargetArtifact:
    """The artifact that a signature binds, as the payload's descriptor names it."""

    digest: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signature as read from its envelope, whatever the encoding. Nothing in it is proved yet."""

    algorithm: str
    """By its JOSE name, such as `PS384`."""
    content_type: str
    payload: bytes
    scheme: Scheme
    signing_time: datetime
    """When the signer claims to have signed; under a signing authority that authority answers for it."""
    expiry: datetime | None
    unknown_critical: tuple[str, ...]
    """Headers that must be understood and are not."""
    asks_for_plugin: bool
    """Whether it names a verification plugin, critical or not."""
    chain: tuple[x509.Certificate, ...]
    signature: bytes
    signed: bytes
    """The bytes that the signature was made over."""
    timestamp: bytes | None
    """An RFC 3161 token over the signature; anybody may have put it there."""

    @property
    def leaf(self) -> x509.Certificate:
        return self.chain[0]


def signed_times(
    scheme: str,
    headers: dict[str, object],
    critical: tuple[object, ...],
    read_time: Callable[[object, str], datetime],
) -> tuple[Scheme, datetime, datetime | None]:
    """The scheme, the time of signing and the expiry; refuses headers that the scheme forbids or lacks."""
    if scheme not in list(Scheme):
        raise Refused(f"the signing scheme {scheme[:80]!r} is not known")
    is_authority = scheme == Scheme.SIGNING_AUTHORITY
    needed, forbidden = (
        (AUTHENTIC_SIGNING_TIME, SIGNING_TIME) if is_authority else (SIGNING_TIME, AUTHENTIC_SIGNING_TIME)
    )
    if headers.get(needed) is None:
        raise Refused(f"the signature does not say when it was made ({needed})")
    if headers.get(forbidden) is not None:
        raise Refused(f"the header {forbidden} must not be there under {scheme}")
    signing_time = read_time(headers[needed], needed)
    expiry = read_time(headers[EXPIRY], EXPIRY) if EXPIRY in headers else None
    must_be_critical = [SCHEME, *([AUTHENTIC_SIGNING_TIME] if is_authority else []), *([EXPIRY] if expiry else [])]
    for name in must_be_critical:
        if name not in critical:
            raise Refused(f"the header {name} must be marked as critical and is not")
    if expiry is not None and expiry <= signing_time:
        raise Refused("the signature expires before it was made")
    return Scheme(scheme), signing_time, expiry


def check_headers(protected: Collection[object], unprotected: Collection[object], critical: object) -> None:
    """Refuses a header that is there both signed and unsigned, and a list of critical ones that nobody signed.

    Sources: RFC 7515, 4 and 4.1.11; RFC 9052, 3 and 3.1.
    """
    twice = next((name for name in unprotected if name in protected or name == critical), None)
    if twice is not None:
        raise Refused(
            f"the header {str(twice)[:80]!r} must be signed only, and stands among those that nobody signed"
        )


def check_integrity(envelope: Envelope) -> TargetArtifact:
    """What the signature binds; refuses an envelope whose signature, chain or payload is not as it must be."""
    expected = signing_algorithm(envelope.leaf)
    if envelope.algorithm != expected:
        raise Refused(f"the signature is by {envelope.algorithm[:20]}, and the certificate's key needs {expected}")
    if not is_signature(envelope.leaf, envelope.algorithm, envelope.signature, envelope.signed):
        raise Refused(
            "the signature does not fit what it is said to sign",
            advice="the envelope was altered, or the certificate in it is not the signer's",
        )
    if envelope.content_type != PAYLOAD_TYPE:
        raise Refused(f"the payload is of the type {envelope.content_type[:80]!r}, not {PAYLOAD_TYPE}")
    check_signing_chain(envelope.chain)
    return _read_target(envelope.payload)


def _read_target(payload: bytes) -> TargetArtifact:
    document = read_object(payload, "the signed payload", limit=_LARGEST_PAYLOAD)
    descriptor = member(document, "targetArtifact", dict, "the signed payload")
    digest = member(descriptor, "digest", str, "the payload's descriptor")
    media_type = member(descriptor, "mediaType", str, "the payload's descriptor")
    size = member(descriptor, "size", int, "the payload's descriptor")
    if not 0 <= size < 2**63:
        raise Refused("the size in the payload's descriptor is out of all bounds")
    annotations, addresses = descriptor.get("annotations") or {}, descriptor.get("urls") or []
    if not isinstance(annotations, dict) or not all(isinstance(value, str) for value in annotations.values()):
        raise Refused("the annotations in the payload's descriptor are not all texts")
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise Refused("the urls in the payload's descriptor are not a list of texts")
    return TargetArtifact(digest, media_type, size)
