"""A key, and files that are signed with it."""

import base64
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONTENT = b"what was built"
DIGEST = f"sha256:{sha256(CONTENT).hexdigest()}"
KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(key: Any, content: bytes, digest: Any = None) -> bytes:
    match key:
        case rsa.RSAPrivateKey():
            return key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        case ed25519.Ed25519PrivateKey():
            return key.sign(content)
        case _:
            return key.sign(content, ec.ECDSA(digest or hashes.SHA256()))


def bare(signature: bytes) -> bytes:
    return base64.b64encode(signature) + b"\n"


WHOLE = bare(sign(KEY, CONTENT))
