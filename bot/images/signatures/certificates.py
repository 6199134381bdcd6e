"""X.509 certificates: read from DER and PEM, and chains of them as the Notary Project and RFC 3161 require.

Source: "Certificate Requirements" of the Notary Project's signature specification. Only basic constraints, key
usage and extended key usage are honoured, as it says.
"""

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.images.signatures.der import BIT_STRING, SEQUENCE, read_der
from bot.images.signatures.verdict import Refused

_LARGEST = 64 * 1024
_LARGEST_PEM = 1024 * 1024
_LONGEST_CHAIN = 32
_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END ")
_GOOD_HASHES = frozenset({"sha256", "sha384", "sha512"})
_RSA_ALGORITHMS = {2048: "PS256", 3072: "PS384", 4096: "PS512"}
_EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


def read_certificate(encoded: bytes, label: str = "the certificate") -> x509.Certificate:
    """One certificate in DER. Only the one encoding of its signature is taken, with no bit left unused."""
    if len(encoded) > _LARGEST:
        raise Refused(f"{label} is larger than {_LARGEST} bytes")
    parts = read_der(encoded, SEQUENCE, label).parts()
    parts.take(SEQUENCE, label)
    parts.take(SEQUENCE, label)
    if not parts.take(BIT_STRING, label).content.startswith(b"\0"):
        raise Refused(f"{label} is not in its distinguished encoding")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser warns of what others accept in silence
        try:
            certificate = x509.load_der_x509_certificate(encoded)
            # read at once: a certificate whose parts cannot be read must not fail later
            _ = certificate.subject, certificate.issuer, certificate.extensions
        except Exception:  # ValueError, and whatever the parsers of its many parts raise
            raise Refused(f"{label} cannot be read") from None
    return certificate


def read_pem(text: bytes, label: str = "the certificates") -> tuple[x509.Certificate, ...]:
    """The certificates in a text of PEM blocks; text around the blocks is passed over."""
    if len(text) > _LARGEST_PEM:
        raise Refused(f"{label} are larger than {_LARGEST_PEM} bytes")
    certificates = []
    for match in _PEM.finditer(text):
        try:
            certificates.append(
                read_certificate(base64.b64decode(match[1].translate(None, b" \r\n\t"), validate=True), label)
            )
        except binascii.Error:
            raise Refused(f"{label} cannot be read") from None
    if not certificates:
        raise Refused(f"{label} cannot be read")
    return tuple(certificates)


def read_chain(encoded: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """A chain of certificates in DER, the leaf first."""
    if not encoded:
        raise Refused("the signature carries no certificate chain")
    if len(encoded) > _LONGEST_CHAIN:
        raise Refused(f"the certificate chain is longer than {_LONGEST_CHAIN}")
    return tuple(read_certificate(one, f"certificate {place} of the chain") for place, one in enumerate(encoded))


def fingerprint(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def name_of(certificate: x509.Certificate) -> str:
    """Writes the subject for a person, most specific part first."""
    return _write_name(certificate.subject)


def issuer_of(certificate: x509.Certificate) -> str:
    return _write_name(certificate.issuer)


def signing_algorithm(certificate: x509.Certificate) -> str:
    """The one algorithm that the specification allows for the certificate's key, by its JOSE name."""
    key = public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_ALGORITHMS:
        return _RSA_ALGORITHMS[key.key_size]
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _EC_ALGORITHMS:
        return _EC_ALGORITHMS[key.curve.name]
    raise Refused(
        f"the key of {name_of(certificate)} is of a kind or size that is not allowed",
        advice="RSA of 2048, 3072 or 4096 bits, or the curves P-256, P-384 and P-521",
    )


def public_key(certificate: x509.Certificate) -> PublicKeyTypes:
    try:
        return certificate.public_key()
    except Exception:  # ValueError, UnsupportedAlgorithm, and what OpenSSL raises of its own
        raise Refused(f"the key of {name_of(certificate)} cannot be read") from None


def is_signature(certificate: x509.Certificate, algorithm: str, signature: bytes, content: bytes) -> bool:
    """Whether the certificate's key made a JOSE or COSE signature: RSASSA-PSS, or ECDSA as two plain numbers."""
    key = public_key(certificate)
    digest = _HASHES[algorithm[2:]]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            salted = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
            key.verify(signature, content, salted, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_as_der(signature, key.key_size), content, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key made the certificate, by an algorithm that still counts."""
    try:
        digest = certificate.signature_hash_algorithm
    except Exception:  # UnsupportedAlgorithm
        return False
    if digest is not None and digest.name not in _GOOD_HASHES:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm: in any case not issued
        return False
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    return is_issued_by(certificate, certificate)


def is_valid_at(certificate: x509.Certificate, moment: datetime) -> bool:
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def _as_der(signature: bytes, key_size: int) -> bytes:
    width = (key_size + 7) // 8
    if len(signature) != 2 * width:
        raise ValueError("not two numbers of the key's size")
    return encode_dss_signature(int.from_bytes(signature[:width]), int.from_bytes(signature[width:]))


def _write_name(name: x509.Name) -> str:
    return name.rfc4514_string()


E = TypeVar("E", bound=x509.ExtensionType)

_LONGEST_PATH = 10
_NOT_FOR_CODE_SIGNING = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any purpose",
    ExtendedKeyUsageOID.SERVER_AUTH: "server authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH: "client authentication",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "email protection",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP signing",
}
_FOR_TIMESTAMPS = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def check_signing_chain(chain: Sequence[x509.Certificate]) -> None:
    """Refuses a chain that may not sign code. Time and trust are checked elsewhere."""
    _check_issuance(chain)
    _check_code_signing_leaf(chain[0])
    for below, certificate in enumerate(chain[1:]):
        check_authority(certificate, below, needs_critical_usage=True)


def check_timestamping_chain(chain: Sequence[x509.Certificate]) -> None:
    """Refuses a chain that may not sign timestamps. Time and trust are checked elsewhere."""
    _check_issuance(chain)
    leaf = chain[0]
    _check_leaf(leaf, needs_critical_usage=False)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not purposes.critical:
        raise Refused(f"{name_of(leaf)} may not sign timestamps: its one purpose must be that, and critical")
    for below, certificate in enumerate(chain[1:]):
        check_authority(certificate, below, needs_critical_usage=False)
        allowed = _extension(certificate, x509.ExtendedKeyUsage)
        if allowed is not None and not _FOR_TIMESTAMPS & set(allowed.value):
            raise Refused(f"{name_of(certificate)} may not stand above a signer of timestamps")


def check_authority(certificate: x509.Certificate, below: int, *, needs_critical_usage: bool) -> None:
    """Refuses a certificate that may not issue others, with `below` authorities between it and the leaf."""
    name = name_of(certificate)
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.critical or not constraints.value.ca:
        raise Refused(f"{name} is not marked as a certificate authority")
    if constraints.value.path_length is not None and constraints.value.path_length < below:
        raise Refused(f"{name} allows a chain of {constraints.value.path_length} authorities below it, not {below}")
    if not _usage(certificate, needs_critical=needs_critical_usage).key_cert_sign:
        raise Refused(f"{name} may not sign certificates")


def find_path(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
) -> tuple[x509.Certificate, ...]:
    """The shortest path from the leaf to a trusted root on which every certificate is valid at one moment.

    Refuses where there is none. Cross-signed authorities give several paths; looked at are those of at most ten
    certificates.
    """
    trusted = {fingerprint(root) for root in roots}
    authorities = {fingerprint(one): one for one in (*roots, *others)}
    paths: list[tuple[x509.Certificate, ...]] = [(leaf,)] if is_valid_at(leaf, moment) else []
    if not paths:
        raise Refused(f"{name_of(leaf)} was not valid at {moment:%Y-%m-%dT%H:%M:%SZ}")
    for _ in range(_LONGEST_PATH):
        for path in paths:
            if fingerprint(path[-1]) in trusted:
                return path
        paths = [
            (*path, authority)
            for path in paths[:_LONGEST_PATH]
            for authority in authorities.values()
            if authority.subject == path[-1].issuer
            and authority not in path
            and is_valid_at(authority, moment)
            and is_issued_by(path[-1], authority)
        ]
    raise Refused(f"{name_of(leaf)} does not lead to a trusted root")


def _check_issuance(chain: Sequence[x509.Certificate]) -> None:
    if not chain:
        raise Refused("the certificate chain is empty")
    for certificate, issuer in pairwise(chain):
        if is_self_signed(certificate):
            raise Refused(f"{name_of(certificate)} is self-signed, and yet certificates follow it in the chain")
        if not is_issued_by(certificate, issuer):
            raise Refused(
                f"{name_of(certificate)} is not issued by {name_of(issuer)}, which follows it in the chain"
            )
    if not is_self_signed(chain[-1]):
        raise Refused(f"the chain must end with a self-signed root, and {name_of(chain[-1])} is none")


def _check_code_signing_leaf(leaf: x509.Certificate) -> None:
    _check_leaf(leaf, needs_critical_usage=True)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    for purpose in purposes.value if purposes is not None else ():
        if purpose in _NOT_FOR_CODE_SIGNING:
            raise Refused(f"{name_of(leaf)} is meant for {_NOT_FOR_CODE_SIGNING[purpose]}, not for signing code")


def _check_leaf(leaf: x509.Certificate, *, needs_critical_usage: bool) -> None:
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        raise Refused(f"{name_of(leaf)} is a certificate authority and may not sign itself")
    usage = _usage(leaf, needs_critical=needs_critical_usage)
    others = (
        usage.key_encipherment,
        usage.data_encipherment,
        usage.key_agreement,
        usage.key_cert_sign,
        usage.crl_sign,
        usage.key_agreement and usage.encipher_only,
        usage.key_agreement and usage.decipher_only,
    )
    if not usage.digital_signature or any(others):
        raise Refused(f"the key usage of {name_of(leaf)} must be digital signatures and nothing else")
    signing_algorithm(leaf)


def _usage(certificate: x509.Certificate, *, needs_critical: bool) -> x509.KeyUsage:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or (needs_critical and not usage.critical):
        raise Refused(f"{name_of(certificate)} does not say what its key may be used for, as a critical extension")
    return usage.value


def _extension(certificate: x509.Certificate, kind: type[E]) -> x509.Extension[E] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
