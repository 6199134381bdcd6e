"""X.509 certificates: read from DER and PEM, and what one of them says and has signed."""

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

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
