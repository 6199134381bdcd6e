"""What settings name beside secrets is read before it is needed: keys, roots of trust, documents."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.commands.files.named_files import check_files
from bot.settings import BadSettings, Settings


def lines_of(**values: Any) -> list[str]:
    try:
        check_files(Settings.model_validate(values), Path("freshness.yaml"))
    except BadSettings as error:
        return error.lines
    return []


def trusting(**values: Any) -> dict[str, Any]:
    return {"rules": [{"match": ["mcr.microsoft.com/*"], **values}]}


@pytest.fixture
def garbage(tmp_path: Path) -> Path:
    path = tmp_path / "garbage"
    path.write_text("garbage")
    return path


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_a_key_that_is_not_there_is_named_with_its_setting() -> None:
    assert lines_of(trust=trusting(key="/nope")) == [
        "freshness.yaml: trust.rules.0.key: /nope: cannot be read: No such file or directory; mount it there"
    ]


def test_each_that_is_not_there_is_named() -> None:
    keyless = {"trusted_root": "/nope", "issuer": "i", "identities": ["a"]}
    notation = {"trust_dir": "/nope", "stores": ["ca:acme"], "identities": ["*"]}
    lines = lines_of(
        trust={"rules": [{"match": ["a.io/*"], "keyless": keyless}, {"match": ["b.io/*"], "notation": notation}]},
        gate={"rules": [{"match": ["*"]}], "vex": ["/nope"]},
        feeds={"bundle_key": "/nope"},
        images={"attest": {"key_file": "/nope", "verifier": "https://contoso.example/bot"}},
        vulnerabilities={"debian": {"file": "/nope"}},
    )
    places = ["trust.rules.0.keyless", "trust.rules.1.notation", "gate.vex.0", "feeds.bundle_key"]
    places += ["images.attest.key_file", "vulnerabilities.debian.file"]
    assert [line.split(": ")[1] for line in lines] == places
    assert all("/nope" in line and "\n" not in line for line in lines)


def test_each_that_is_something_else_is_named(garbage: Path) -> None:
    keyless = {"trusted_root": garbage, "issuer": "i", "identities": ["a"]}
    lines = lines_of(
        trust={"rules": [{"match": ["a.io/*"], "keyless": keyless}, {"match": ["b.io/*"], "key": garbage}]},
        gate={"rules": [{"match": ["*"]}], "vex": [garbage]},
        feeds={"bundle_key": garbage},
        images={"attest": {"key_file": garbage, "verifier": "https://contoso.example/bot"}},
    )
    assert len(lines) == 5, lines


def test_what_is_off_is_not_read() -> None:
    assert lines_of(trust=trusting(key="/nope", mode="off")) == []


def test_keys_that_fit_are_fine(tmp_path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    private, public = tmp_path / "private", tmp_path / "public"
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    attest = {"key_file": private, "verifier": "https://contoso.example/bot"}
    assert lines_of(trust=trusting(key=public), feeds={"bundle_key": public}, images={"attest": attest}) == []
