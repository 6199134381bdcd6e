"""A bundle is signed by a key and accepted from that key alone."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.commands.service.bundle import checker, signer
from bot.domain.failure import Failure


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    """The files of a private key and of its public one."""
    made = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    public.write_bytes(made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_what_a_key_has_signed_is_accepted_and_told(tmp_path: Path) -> None:
    private, public = keys(tmp_path, "key")
    signature = signer(private)(b"signed")
    assert signature == signer(private)(b"signed"), "the same bytes alike each time"
    assert base64.b64encode(base64.b64decode(signature)) + b"\n" == signature
    told: list[str] = []
    checker(public, "feeds.bundle", told)(b"signed", signature)
    assert told == [f"signed by {public}"]


def test_what_another_key_has_signed_or_nobody_is_refused_and_nothing_is_told(tmp_path: Path) -> None:
    private, public = keys(tmp_path, "key")
    other, _ = keys(tmp_path, "other")
    told: list[str] = []
    check = checker(public, "feeds.bundle", told)
    for signed, signature in (
        (b"signed", signer(other)(b"signed")),
        (b"another", signer(private)(b"signed")),
        (b"signed", base64.b64encode(b"no signature")),
        (b"signed", b"a"),
        (b"signed", b""),
    ):
        with pytest.raises(Failure, match="is not signed by"):
            check(signed, signature)
    with pytest.raises(Failure, match="is not signed, as"):
        check(b"signed", None)
    assert told == []


def test_without_a_key_it_is_told_whether_there_is_a_signature(tmp_path: Path) -> None:
    told: list[str] = []
    check = checker(None, "feeds.bundle", told)
    check(b"signed", b"anything")
    check(b"signed", None)
    assert told == ["not checked, no feeds.bundle_key is set", "not signed"]


def test_a_key_that_is_none_or_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"feeds\.bundle_key .*: cannot be read"):
        checker(tmp_path / "none.pub", "feeds.bundle", [])
    private = tmp_path / "none.pem"
    private.write_text("no key")
    private.chmod(0o600)
    with pytest.raises(Failure, match="--key"):
        signer(private)
