"""Who made a bundle of feeds: signing one, and accepting only those that a key has signed."""

import base64
from collections.abc import Callable
from pathlib import Path

from bot.domain.failure import Failure, Trouble
from bot.settings import secret
from bot.upstream.bundle.reading import DigestCheck

_LARGEST_KEY = 64 * 1024


def signer(path: Path) -> Callable[[bytes], bytes]:
    """What signs with the private key in that file, the same bytes alike each time. Raises `Failure`."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from bot.fleet.verify.attesting.summary import NoSigningKey, signing_key

    try:
        key = signing_key(secret(path, "--key"))
    except NoSigningKey as error:
        raise Failure(Trouble.MALFORMED, str(error), where=f"--key {path}") from None
    always_the_same = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    return lambda signed: base64.b64encode(key.sign(signed, always_the_same)) + b"\n"


def checker(path: Path | None, place: str, notes: list[str]) -> DigestCheck:
    """Makes a check that accepts a signature, and adds to `notes` what it is worth."""
    from bot.images.signatures.cosign.keys import Content, check_signature, read_public_key
    from bot.images.signatures.verdict import Refused

    key = None
    if path is not None:
        try:
            key = read_public_key(path.read_bytes()[: _LARGEST_KEY + 1], where=f"feeds.bundle_key {path}")
        except OSError as error:
            fault = f"cannot be read: {error.strerror}"
            raise Failure(Trouble.DENIED, fault, where=f"feeds.bundle_key {path}") from error

    def check(signed: bytes, signature: bytes | None) -> None:
        if key is None:
            fingerprint = "not checked, no feeds.bundle_key is set" if signature is not None else "not signed"
            notes.append(fingerprint)
            return
        advice = "nothing of it was imported"
        if signature is None:
            fault = f"is not signed, as {path} demands"
            raise Failure(Trouble.DENIED, fault, where=place, advice=advice)
        try:
            check_signature(key, base64.b64decode(signature, validate=False), Content.of(signed))
        except (Refused, ValueError) as error:
            fault = f"is not signed by {path}"
            raise Failure(Trouble.DENIED, fault, where=place, advice=advice) from error
        notes.append(f"signed by {path}")

    return check
