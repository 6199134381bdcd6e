"""Public keys, and whether one made a signature as cosign makes them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from bot.domain.failure import Failure, Trouble
from bot.images.signatures.verdict import Refused, Undecided

_LARGEST = 64 * 1024
_SMALLEST_RSA = 2048
_OF_CURVE: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_ALGORITHMS = ("sha256", "sha384", "sha512")
_TAKEN = "RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519"


@dataclass(frozen=True, slots=True)
class Content:
    """What is signed: its bytes, or only the SHA-256 of a file that is not at hand."""

    sha256: bytes
    whole: bytes | None = None

    @classmethod
    def of(cls, content: bytes) -> "Content":
        return cls(sha256(content).digest(), content)

    @property
    def digest(self) -> str:
        return f"sha256:{self.sha256.hex()}"

    def hashed(self, algorithm: str) -> bytes | None:
        """The digest by an algorithm, such as `sha384`; None where it is not known or needs the bytes."""
        if algorithm == "sha256":
            return self.sha256
        if self.whole is None or algorithm not in _ALGORITHMS:
            return None
        return hashlib.new(algorithm, self.whole).digest()


def read_public_key(encoded: bytes, *, where: str = "") -> PublicKeyTypes:
    """A public key in PEM or DER. Raises `Failure` where it is none, or of a kind that nobody should trust."""
    encoded = encoded[:_LARGEST]
    if b"PRIVATE KEY" in encoded:
        raise _bad("this is a private key", where, "give the public key, as in cosign.pub")
    try:
        key = load_pem_public_key(encoded) if b"-----BEGIN " in encoded else load_der_public_key(encoded)
    except Exception:  # ValueError, UnsupportedAlgorithm, and what OpenSSL raises of its own
        raise _bad("the public key cannot be read", where, "it must be PEM or DER, as in cosign.pub") from None
    if not is_usable(key):
        raise _bad("a key of this kind or size is not taken", where, _TAKEN)
    return key


def read_key_der(encoded: bytes) -> PublicKeyTypes:
    try:
        key = load_der_public_key(encoded)
    except Exception:  # ValueError, UnsupportedAlgorithm, and what OpenSSL raises of its own
        raise Refused("a public key cannot be read") from None
    if not is_usable(key):
        raise Refused("a public key is of a kind or size that is not taken")
    return key


def is_usable(key: PublicKeyTypes) -> bool:
    match key:
        case rsa.RSAPublicKey():
            return key.key_size >= _SMALLEST_RSA
        case ec.EllipticCurvePublicKey():
            return key.curve.name in _OF_CURVE
        case _:
            return isinstance(key, ed25519.Ed25519PublicKey)


def key_id(key: PublicKeyTypes) -> bytes:
    """Gives the name of a key in logs: the SHA-256 of its SubjectPublicKeyInfo."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def check_signature(key: PublicKeyTypes, signature: bytes, content: Content) -> None:
    """Refuses a signature that this key did not make over the content.

    Taken is what Sigstore's registry of algorithms and cosign take: cosign hashes with SHA-256 whatever the curve,
    newer clients with the hash that goes with it. Ed25519 signs the content itself, or with a log its SHA-512
    (Ed25519ph). RSA is PKCS #1 v1.5.
    """
    if not is_usable(key):
        raise Refused("the signer's key is of a kind or size that is not taken", advice=_TAKEN)
    if any(_holds(attempt) for attempt in _attempts(key, signature, content)):
        return
    if content.whole is None and not _signs_sha256(key):
        raise Undecided(
            "a signature by such a key needs the file itself, not only its digest", advice="use --artifact"
        )
    if isinstance(key, rsa.RSAPublicKey) and _holds(lambda: _check_pss(key, signature, content)):
        raise Refused("the signature is RSASSA-PSS, which cosign does not take", advice="sign with PKCS #1 v1.5")
    raise Refused(
        "the signature does not fit the key and what it is said to sign",
        advice="another key signed it, or the signature or the file was altered",
    )


def _signs_sha256(key: PublicKeyTypes) -> bool:
    """Whether a signature by this key can be over the SHA-256 of the content only."""
    return isinstance(key, rsa.RSAPublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and _OF_CURVE[key.curve.name].name == "sha256"
    )


def _attempts(key: PublicKeyTypes, signature: bytes, content: Content) -> list[Callable[[], object]]:
    hashed = utils.Prehashed(hashes.SHA256())
    match key:
        case rsa.RSAPublicKey():
            return [lambda: key.verify(signature, content.sha256, padding.PKCS1v15(), hashed)]
        case ec.EllipticCurvePublicKey():
            attempts: list[Callable[[], object]] = [lambda: key.verify(signature, content.sha256, ec.ECDSA(hashed))]
            natural = _OF_CURVE[key.curve.name]
            digest = content.hashed(natural.name)
            if digest is not None and natural.name != "sha256":
                attempts.append(lambda: key.verify(signature, digest, ec.ECDSA(utils.Prehashed(natural))))
            return attempts
        case ed25519.Ed25519PublicKey() if content.whole is not None:
            whole = content.whole
            return [lambda: key.verify(signature, whole), lambda: _check_prehashed(key, signature, whole)]
        case _:
            return []


def _check_prehashed(key: ed25519.Ed25519PublicKey, signature: bytes, whole: bytes) -> None:
    """Raises where this is no signature by Ed25519ph (RFC 8032), which `cryptography` does not know."""
    from nacl.bindings import (
        crypto_sign_ed25519ph_final_verify,
        crypto_sign_ed25519ph_state,
        crypto_sign_ed25519ph_update,
    )
    from nacl.exceptions import CryptoError

    state = crypto_sign_ed25519ph_state()
    crypto_sign_ed25519ph_update(state, whole)
    try:
        crypto_sign_ed25519ph_final_verify(state, signature, key.public_bytes_raw())
    except (CryptoError, TypeError) as error:  # TypeError: not of the length of a signature
        raise InvalidSignature from error


def _check_pss(key: rsa.RSAPublicKey, signature: bytes, content: Content) -> None:
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    key.verify(signature, content.sha256, salted, utils.Prehashed(hashes.SHA256()))


def _holds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (InvalidSignature, ValueError):
        return False
    return True


def _bad(fault: str, place: str, advice: str) -> Failure:
    return Failure(Trouble.MALFORMED, fault, where=place, advice=advice)
