"""RFC 3161 timestamp tokens: what moment a trusted authority attests for some bytes.

Sources: RFC 3161 with RFC 5816, CMS in RFC 5652, and what the Notary Project asks for beyond ("Validate Authentic
Timestamp"): the attribute signing-certificate-v2 must be there and name the certificate that signed.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bot.images.signatures.certificates import (
    check_timestamping_chain,
    find_path,
    is_valid_at,
    public_key,
    read_certificate,
)
from bot.images.signatures.der import (
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    DerElement,
    Parts,
    integer,
    object_identifier,
    read_der,
)
from bot.images.signatures.verdict import Refused

_LARGEST = 256 * 1024
_MOST_CERTIFICATES = 32
_CONTEXT_0 = 0xA0
_CONTEXT_1 = 0xA1
_MILLIS, _MICROS = 0x80, 0x81

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_BASELINE_POLICY = "0.4.0.2023.1.1"
"""ETSI's baseline time-stamp policy promises one second where a token names no accuracy (RFC 3628, 5.2)."""

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_RSA = {
    "1.2.840.113549.1.1.1": "",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_RSA_PSS = "1.2.840.113549.1.1.10"
_ECDSA = {"1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384", "1.2.840.10045.4.3.4": "sha512"}

_WRITTEN_TIME = re.compile(r"(\d{14})(?:\.(\d{1,9}))?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment as attested, with how far it may be off, and who attests it."""

    at: datetime
    accuracy: timedelta
    chain: tuple[x509.Certificate, ...]

    @property
    def earliest(self) -> datetime:
        return self.at - self.accuracy

    @property
    def latest(self) -> datetime:
        return self.at + self.accuracy


@dataclass(frozen=True, slots=True)
class _Token:
    """The parts of CMS SignedData that matter here."""

    info: bytes
    certificates: tuple[x509.Certificate, ...]
    signers: tuple[DerElement, ...]


@dataclass(frozen=True, slots=True)
class _Info:
    """The parts of TSTInfo that matter here."""

    hash: hashes.HashAlgorithm
    imprint: bytes
    at: datetime
    accuracy: timedelta


def verify_timestamp(token: bytes, content: bytes, roots: Sequence[x509.Certificate]) -> Timestamp:
    """The moment that the token attests for the content; refuses one that is not signed under a trusted root.

    The token is a bare TimeStampToken in DER, not a TimeStampResp. Chains are judged at the moment that is
    attested, so that a token outlives the certificates behind it. Revocation is not checked.
    """
    parsed = _read_token(token)
    info = _read_info(parsed.info)
    if _digest(info.hash, content) != info.imprint:
        raise Refused("the timestamp was made for another signature")
    if not roots:
        raise Refused("no root is trusted for timestamps", advice="add a store of the type tsa")
    last = Refused("the timestamp has no signer")
    for signer in parsed.signers:
        try:
            chain = _verify_signer(signer, parsed, roots, info.at)
            check_timestamping_chain(chain)
        except Refused as refused:
            last = refused
        else:
            return Timestamp(info.at, info.accuracy, chain)
    raise last


def _read_token(token: bytes) -> _Token:
    if len(token) > _LARGEST:
        raise Refused(f"the timestamp is larger than {_LARGEST} bytes")
    outer = read_der(token, SEQUENCE, "the timestamp").parts()
    if object_identifier(outer.take(OBJECT_IDENTIFIER, "the timestamp's kind")) != _SIGNED_DATA:
        raise Refused("the timestamp is not CMS signed data")
    wrapped = outer.take(_CONTEXT_0, "the timestamp's content")
    outer.end("the timestamp")
    signed = read_der(wrapped.content, SEQUENCE, "the timestamp's signed data").parts()
    if integer(signed.take(INTEGER, "the version of the signed data")) != 3:
        raise Refused("the timestamp's signed data is not of version 3")
    signed.take(SET, "the list of digest algorithms")
    content = signed.take(SEQUENCE, "the timestamp's content").parts()
    if object_identifier(content.take(OBJECT_IDENTIFIER, "the kind of content")) != _TST_INFO:
        raise Refused("the timestamp's content is not TSTInfo")
    info = read_der(content.take(_CONTEXT_0, "TSTInfo").content, OCTET_STRING, "TSTInfo").content
    content.end("the timestamp's content")
    certificate_set = signed.take_if(_CONTEXT_0)
    signed.take_if(_CONTEXT_1)
    signers = tuple(signed.take(SET, "the timestamp's signers").parts().rest())
    signed.end("the timestamp's signed data")
    encoded = [one.encoded for one in certificate_set.parts().rest()] if certificate_set is not None else []
    if len(encoded) > _MOST_CERTIFICATES or len(signers) > _MOST_CERTIFICATES:
        raise Refused(f"the timestamp carries more than {_MOST_CERTIFICATES} certificates or signers")
    certificates = tuple(read_certificate(one, "a certificate of the timestamp") for one in encoded)
    return _Token(info, certificates, signers)


def _read_info(encoded: bytes) -> _Info:
    parts = read_der(encoded, SEQUENCE, "TSTInfo").parts()
    if integer(parts.take(INTEGER, "TSTInfo's version")) != 1:
        raise Refused("TSTInfo is not of version 1")
    policy = object_identifier(parts.take(OBJECT_IDENTIFIER, "TSTInfo's policy"))
    imprint = parts.take(SEQUENCE, "TSTInfo's imprint").parts()
    hashed_with = _hash(imprint.take(SEQUENCE, "the imprint's algorithm"))
    hashed = imprint.take(OCTET_STRING, "the imprint").content
    imprint.end("TSTInfo's imprint")
    parts.take(INTEGER, "TSTInfo's serial number")
    stamped_at = _read_time(parts.take(GENERALIZED_TIME, "TSTInfo's time"))
    accuracy_element = parts.take_if(SEQUENCE)
    accuracy = _read_accuracy(accuracy_element.parts()) if accuracy_element is not None else timedelta()
    if not accuracy and policy == _BASELINE_POLICY:
        accuracy = timedelta(seconds=1)
    for _ in parts.rest():  # ordering, nonce, name and extensions decide nothing here
        pass
    return _Info(hashed_with, hashed, stamped_at, accuracy)


def _read_accuracy(parts: Parts) -> timedelta:
    seconds, millis, micros = parts.take_if(INTEGER), parts.take_if(_MILLIS), parts.take_if(_MICROS)
    parts.end("TSTInfo's accuracy")
    parts_of_second = [integer(one) if one is not None else 0 for one in (seconds, millis, micros)]
    if not all(0 <= value < 10**9 for value in parts_of_second):
        raise Refused("TSTInfo's accuracy is out of all bounds")
    return timedelta(seconds=parts_of_second[0], milliseconds=parts_of_second[1], microseconds=parts_of_second[2])


def _read_time(element: DerElement) -> datetime:
    match = _WRITTEN_TIME.fullmatch(element.content.decode("ascii", "replace"))
    try:
        if match is None:
            raise ValueError
        moment = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return moment.replace(microsecond=int((match[2] or "").ljust(6, "0")[:6]))
    except ValueError:
        raise Refused("TSTInfo's time cannot be read") from None


def _verify_signer(
    signer: DerElement, token: _Token, roots: Sequence[x509.Certificate], moment: datetime
) -> tuple[x509.Certificate, ...]:
    if signer.tag != SEQUENCE:
        raise Refused("a signer of the timestamp cannot be read")
    parts = signer.parts()
    if integer(parts.take(INTEGER, "the signer's version")) != 1:
        raise Refused("the timestamp's signer is not named by issuer and serial number")
    name_parts = parts.take(SEQUENCE, "the signer's name").parts()
    issuer, serial = (
        name_parts.take(SEQUENCE, "the signer's issuer"),
        name_parts.take(INTEGER, "the signer's serial number"),
    )
    digest = _hash(parts.take(SEQUENCE, "the signer's digest algorithm"))
    attributes = parts.take(_CONTEXT_0, "the list of signed attributes")
    algorithm = parts.take(SEQUENCE, "the signer's algorithm")
    signature = parts.take(OCTET_STRING, "the timestamp's signature").content
    signed_attributes = _read_attributes(attributes)
    if object_identifier(_attribute(signed_attributes, _CONTENT_TYPE, OBJECT_IDENTIFIER)) != _TST_INFO:
        raise Refused("the timestamp's signer signed another kind of content")
    if _attribute(signed_attributes, _MESSAGE_DIGEST, OCTET_STRING).content != _digest(digest, token.info):
        raise Refused("the timestamp's content was altered after it was signed")
    leaf = _signing_certificate(
        _attribute(signed_attributes, _SIGNING_CERTIFICATE_V2, SEQUENCE), token.certificates
    )
    if issuer.encoded != leaf.issuer.public_bytes() or integer(serial) != leaf.serial_number:
        raise Refused("the timestamp names another signer than its signed attributes do")
    # what was signed is the same list under the tag of a set (RFC 5652, 5.4)
    _check_signature(leaf, algorithm, digest, signature, bytes([SET]) + attributes.encoded[1:])
    chain = find_path(leaf, token.certificates, roots, moment)
    if not all(is_valid_at(one, moment) for one in chain):
        raise Refused("a certificate of the timestamp was not valid when it was made")
    return chain


def _read_attributes(attribute_set: DerElement) -> dict[str, DerElement]:
    attributes: dict[str, DerElement] = {}
    for element in attribute_set.parts().rest():
        parts = element.parts()
        kind = object_identifier(parts.take(OBJECT_IDENTIFIER, "the kind of a signed attribute"))
        values = list(parts.take(SET, "the value of a signed attribute").parts().rest())
        if kind in attributes or len(values) != 1:
            raise Refused("a signed attribute of the timestamp is there more than once")
        attributes[kind] = values[0]
    return attributes


def _attribute(attributes: dict[str, DerElement], kind: str, tag: int) -> DerElement:
    element = attributes.get(kind)
    if element is None or element.tag != tag:
        raise Refused(f"the timestamp lacks the signed attribute {kind}")
    return element


def _signing_certificate(attribute: DerElement, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate whose hash the attribute signing-certificate-v2 names first (RFC 5035)."""
    certificate_list = attribute.parts().take(SEQUENCE, "the list of signing certificates")
    first = certificate_list.parts().take(SEQUENCE, "the first signing certificate").parts()
    algorithm = first.take_if(SEQUENCE)
    digest = _hash(algorithm) if algorithm is not None else hashes.SHA256()
    expected = first.take(OCTET_STRING, "the hash of the signing certificate").content
    for certificate in certificates:
        if certificate.fingerprint(digest) == expected:
            return certificate
    raise Refused("the timestamp does not carry the certificate that signed it")


def _check_signature(
    leaf: x509.Certificate, algorithm: DerElement, digest: hashes.HashAlgorithm, signature: bytes, content: bytes
) -> None:
    kind = object_identifier(algorithm.parts().take(OBJECT_IDENTIFIER, "the signer's algorithm"))
    key = public_key(leaf)
    try:
        if isinstance(key, rsa.RSAPublicKey) and _RSA.get(kind) in ("", digest.name):
            key.verify(signature, content, padding.PKCS1v15(), digest)
        elif isinstance(key, rsa.RSAPublicKey) and kind == _RSA_PSS:
            key.verify(signature, content, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and _ECDSA.get(kind) == digest.name:
            key.verify(signature, content, ec.ECDSA(digest))
        else:
            raise Refused("the timestamp is signed by an algorithm that is not allowed")
    except (InvalidSignature, ValueError):
        raise Refused("the timestamp's signature does not fit its certificate") from None


def _hash(algorithm: DerElement) -> hashes.HashAlgorithm:
    kind = object_identifier(algorithm.parts().take(OBJECT_IDENTIFIER, "a digest algorithm"))
    if kind not in _HASHES:
        raise Refused(
            "the timestamp uses a digest algorithm that is not allowed", advice="SHA-256, SHA-384 or SHA-512"
        )
    return _HASHES[kind]


def _digest(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    return hashlib.new(algorithm.name, content).digest()
