"""Certificates of a Sigstore authority (Fulcio): for a few minutes, for an identity, and entered into a log.

Sources: Fulcio's certificate specification and table of extensions, RFC 6962 for the signed certificate timestamp.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.certificate_transparency import LogEntryType, SignedCertificateTimestamp
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.images.signatures.certificates import check_authority, find_path, public_key
from bot.images.signatures.cosign.keys import Content, check_signature
from bot.images.signatures.cosign.trusted_root import LogKey, TrustedRoot
from bot.images.signatures.der import UTF8_STRING, read_der
from bot.images.signatures.verdict import Refused

_ARC = "1.3.6.1.4.1.57264.1"
_ISSUER_PLAIN, _ISSUER, _OTHER_NAME = f"{_ARC}.1", f"{_ARC}.8", f"{_ARC}.7"
_LONGEST_IDENTITY = 2048

_EXTENSIONS = {
    f"{_ARC}.9": "build_signer_uri",
    f"{_ARC}.10": "build_signer_digest",
    f"{_ARC}.11": "runner_environment",
    f"{_ARC}.12": "source_repository",
    f"{_ARC}.13": "source_digest",
    f"{_ARC}.14": "source_ref",
    f"{_ARC}.15": "source_repository_id",
    f"{_ARC}.16": "source_owner",
    f"{_ARC}.17": "source_owner_id",
    f"{_ARC}.18": "build_config_uri",
    f"{_ARC}.19": "build_config_digest",
    f"{_ARC}.20": "build_trigger",
    f"{_ARC}.21": "run",
    f"{_ARC}.22": "source_visibility",
}
"""What a certificate may tell of a build, by the object identifier of its extension."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Whom a certificate names, and who vouched for it."""

    identities: tuple[str, ...]
    issuer: str
    extensions: Mapping[str, str]
    """By the names in `_EXTENSIONS`."""

    def __str__(self) -> str:
        return ", ".join(self.identities)


def check_certificate(
    leaf: x509.Certificate, others: tuple[x509.Certificate, ...], root: TrustedRoot, moment: datetime
) -> None:
    """Refuses a certificate that no trusted authority issued for signing at this moment, or that no log shows."""
    believed = [authority for authority in root.authorities if moment in authority.period]
    roots = [authority.chain[-1] for authority in believed]
    chain_certificates = [one for authority in believed for one in authority.chain]
    path = find_path(leaf, (*chain_certificates, *others), roots, moment)
    for below, authority in enumerate(path[1:]):
        check_authority(authority, below, needs_critical_usage=False)
    if len(path) < 2:
        raise Refused("the certificate is itself a root")
    _check_purpose(leaf)
    _check_logged(leaf, path[1], root.certificate_logs)


def signer_of(certificate: x509.Certificate) -> Signer:
    """Reads whom the certificate names, proved only once the certificate is."""
    unknown: dict[str, bytes] = {}
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.UnrecognizedExtension):
            unknown[extension.oid.dotted_string] = extension.value.value
    claims = {name: _text(unknown[oid]) for oid, name in _EXTENSIONS.items() if oid in unknown}
    issuers = {_plain(unknown[_ISSUER_PLAIN])} if _ISSUER_PLAIN in unknown else set()
    if _ISSUER in unknown:
        issuers.add(_text(unknown[_ISSUER]))
    if len(issuers) > 1:
        raise Refused("the certificate names two issuers of the identity")
    return Signer(_identities(certificate), next(iter(issuers), ""), claims)


def _identities(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise Refused("the certificate names no identity") from None
    identities = [
        *names.get_values_for_type(x509.RFC822Name),
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *(
            _text(other.value)
            for other in names.get_values_for_type(x509.OtherName)
            if other.type_id.dotted_string == _OTHER_NAME
        ),
    ]
    for name in identities:
        if len(name) > _LONGEST_IDENTITY or not name.isprintable():
            raise Refused("an identity in the certificate is too long, or holds control characters")
    return tuple(identities)


def _check_purpose(leaf: x509.Certificate) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise Refused("the certificate does not say what it is for") from None
    if not usage.digital_signature or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise Refused("the certificate is not one for signing code")


def _check_logged(leaf: x509.Certificate, issuer: x509.Certificate, logs: Mapping[bytes, LogKey]) -> None:
    """Refuses a certificate of which no believed certificate log has signed that it took it."""
    try:
        stamps = list(leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value)
    except x509.ExtensionNotFound:
        raise Refused("the certificate was not entered into a log (it carries no SCT)") from None
    if not any(_is_logged(stamp, leaf, issuer, logs) for stamp in stamps[:8]):
        raise Refused("no certificate log of the trusted root shows the certificate (its SCT does not hold)")


def _is_logged(
    stamp: SignedCertificateTimestamp,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    logs: Mapping[bytes, LogKey],
) -> bool:
    log = logs.get(stamp.log_id)
    logged_at = stamp.timestamp.replace(tzinfo=UTC)
    if log is None or stamp.entry_type is not LogEntryType.PRE_CERTIFICATE or logged_at not in log.period:
        return False
    try:
        issuer_key = public_key(issuer).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        certificate = leaf.tbs_precertificate_bytes
        extensions = stamp.extension_bytes
        milliseconds = round(logged_at.timestamp() * 1000)
        signed = b"".join(
            (
                struct.pack("!BBQH", 0, 0, milliseconds, 1),
                sha256(issuer_key).digest(),
                len(certificate).to_bytes(3),
                certificate,
                struct.pack("!H", len(extensions)),
                extensions,
            )
        )
        check_signature(log.key, stamp.signature, Content.of(signed))
    except (Refused, ValueError, OverflowError, struct.error):
        return False
    return True


def _text(encoded: bytes) -> str:
    return _plain(read_der(encoded, UTF8_STRING, "an extension of the certificate").content)


def _plain(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refused("an extension of the certificate is not UTF-8") from None
