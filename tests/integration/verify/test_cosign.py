"""What the real cosign signs holds here, and what our own Sigstore issues holds there."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.clients.http.client import Http
from bot.clients.registry import Registry as RegistryClient
from bot.clients.registry import RegistryAccess, host_rules
from bot.domain.clock import ManualClock
from bot.domain.evidence import Strength
from bot.domain.packages.package import ImagePlace, SbomOrigin
from bot.domain.reference import Base
from bot.images.sbom.collecting import judged_by, sboms_of
from bot.images.signatures.cosign.keys import read_public_key
from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless, verify_with_key
from bot.images.signatures.verdict import Remembered, Validity
from sandbox.edges.edge import Surroundings
from sandbox.programs import parts
from sandbox.registry import Registry
from tests.builders import NOON
from tests.unit.images.signatures.private_sigstore import (
    ARTIFACT,
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    dsse_bundle,
    message_bundle,
    older_bundle,
)

pytestmark = pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is missing: apt-get install cosign")

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
CONTENT = b"what was built\n"
KEYED = ("--yes", "--tlog-upload=false", "--key", "cosign.key")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a pair of keys."""
    (tmp_path / "file").write_bytes(CONTENT)
    run(tmp_path, "cosign", "generate-key-pair")
    return tmp_path


def run(folder: Path, *command: str, succeeds: bool = True, **more: str) -> str:
    environment = {**os.environ, "COSIGN_PASSWORD": "", **more}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode == 0) is succeeds, done.stderr
    return done.stdout


def key_in(folder: Path) -> Any:
    return read_public_key((folder / "cosign.pub").read_bytes())


@pytest.mark.parametrize(
    "options",
    [
        ("--output-signature", "out"),
        ("--bundle", "out"),
        ("--new-bundle-format", "--bundle", "out"),
    ],
    ids=["bare", "older bundle", "bundle"],
)
def test_a_file_that_cosign_signed_with_a_key_holds(folder: Path, options: tuple[str, ...]) -> None:
    run(folder, "cosign", "sign-blob", *KEYED, *options, "file")
    encoded = (folder / "out").read_bytes()

    assert verify_with_key(encoded, key_in(folder), SignedSubject(CONTENT)).is_valid
    assert verify_with_key(encoded, key_in(folder), SignedSubject(b"another")).outcome is Validity.INVALID
    (folder / "other").mkdir()
    run(folder / "other", "cosign", "generate-key-pair")
    assert verify_with_key(encoded, key_in(folder / "other"), SignedSubject(CONTENT)).outcome is Validity.INVALID


def test_a_statement_that_cosign_attested_with_a_key_holds(folder: Path) -> None:
    (folder / "predicate").write_text("{}")
    attest = (
        "cosign",
        "attest-blob",
        *KEYED,
        "--predicate",
        "predicate",
        "--type",
        "https://contoso.example/looked-at",
    )
    run(folder, *attest, "--output-signature", "out", "file")

    assert verify_with_key((folder / "out").read_bytes(), key_in(folder), SignedSubject(CONTENT)).is_valid
    assert not verify_with_key((folder / "out").read_bytes(), key_in(folder), SignedSubject(b"another")).is_valid


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    for part in ("docker-registry", "oras"):
        if not parts.is_there(part):
            pytest.skip(f"{part} is missing: {parts.HOW_TO_GET[part]}")
    found = Registry(tmp_path, Surroundings())
    await found.start()
    yield found
    found.stop()


async def in_thread(*arguments: Any, **more: Any) -> str:
    return await asyncio.to_thread(run, *arguments, **more)


async def test_an_image_that_cosign_signed_and_attested_holds(folder: Path, registry: Registry) -> None:
    """The `.sig` and `.att` layouts on a real registry."""
    name = f"{registry.host}/contoso/app"
    await in_thread(folder, "oras", "push", "--plain-http", f"{name}:1", "file")
    digest = json.loads(
        await in_thread(folder, "oras", "manifest", "fetch", "--plain-http", "--descriptor", f"{name}:1")
    )["digest"]
    (folder / "predicate").write_text("{}")
    plain = ("--allow-http-registry", "--yes", "--tlog-upload=false", "--key", "cosign.key")
    await in_thread(folder, "cosign", "sign", *plain, f"{name}@{digest}")
    attest = ("cosign", "attest", *plain, "--predicate", "predicate", "--type", "https://contoso.example/looked-at")
    await in_thread(folder, *attest, f"{name}@{digest}")

    fallback = f"{name}:{digest.replace(':', '-')}"
    for suffix in ("sig", "att"):
        fetch = ("oras", "manifest", "fetch", "--plain-http", "--output", suffix, f"{fallback}.{suffix}")
        await in_thread(folder, *fetch)
        layer = json.loads((folder / suffix).read_bytes())["layers"][0]
        blob = ("oras", "blob", "fetch", "--plain-http", "--output", f"{suffix}.blob", f"{name}@{layer['digest']}")
        await in_thread(folder, *blob)

    key = key_in(folder)
    signature, payload = (folder / "sig").read_bytes(), (folder / "sig.blob").read_bytes()
    assert verify_with_key(signature, key, SignedSubject(payload, digest)).is_valid
    other = "sha256:" + "0" * 64
    assert verify_with_key(signature, key, SignedSubject(payload, other)).outcome is Validity.INVALID
    attestation = (folder / "att.blob").read_bytes()
    assert verify_with_key(attestation, key, SignedSubject(digest=digest)).is_valid
    assert verify_with_key(attestation, key, SignedSubject(digest=other)).outcome is Validity.INVALID


async def test_an_sbom_that_cosign_attached_is_found(folder: Path, registry: Registry) -> None:
    name = f"{registry.host}/contoso/app"
    document = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "libssl3", "versionInfo": "3.0.13"}]}
    (folder / "sbom").write_text(json.dumps(document))
    await in_thread(folder, "oras", "push", "--plain-http", f"{name}:1", "file")
    attach = ("cosign", "attach", "sbom", "--allow-http-registry", "--sbom", "sbom", "--input-format", "json")
    await in_thread(folder, *attach, f"{name}:1")

    clock, accesses = ManualClock(NOON), [RegistryAccess(registry.host, insecure=True)]
    async with Http(clock, host_rules(accesses)) as http:
        client = RegistryClient(http, accesses, clock)
        digest = (await client.head(Base(registry.host, "contoso/app", "1"))).digest
        place = ImagePlace(registry.host, "contoso/app", digest, digest)
        [sbom] = await sboms_of(client, place, judged_by(None, NOON, Remembered()))
    assert (sbom.origin, sbom.strength) == (SbomOrigin.TAG, Strength.CLAIMED)
    assert [each.name for each in sbom.inventory.packages] == ["libssl3"]


@pytest.fixture
def private(tmp_path: Path) -> PrivateSigstore:
    """A Sigstore of our own with its root in files, as cosign wants them."""
    sigstore = PrivateSigstore.open()
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    (tmp_path / "file").write_bytes(ARTIFACT)
    (tmp_path / "root.pem").write_bytes(_pem(sigstore.root.certificate))
    (tmp_path / "authority.pem").write_bytes(_pem(sigstore.authority.certificate))
    for name, key in (("log", sigstore.log), ("ct", sigstore.certificate_log)):
        encoded = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pub").write_bytes(encoded)
    return sigstore


IDENTIFIED = ("--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER)


@pytest.mark.parametrize("workflow", [IDENTITY, IDENTITY.replace("main", "other")])
def test_cosign_and_we_agree_on_a_private_sigstore(tmp_path: Path, private: PrivateSigstore, workflow: str) -> None:
    signer = private.certificate(workflow)
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "file", "digest": {"sha256": SignedSubject(ARTIFACT).wanted.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    newer = ("--new-bundle-format", "--trusted-root", "root.json", *IDENTIFIED, "--bundle")
    older = ("--offline", "--ca-roots", "root.pem", "--ca-intermediates", "authority.pem", *IDENTIFIED, "--bundle")
    made = {
        "bundle": (message_bundle(private, signer), ("verify-blob", *newer)),
        "attestation": (
            dsse_bundle(private, signer, statement),
            ("verify-blob-attestation", "--type", "slsaprovenance1", *newer),
        ),
        "older": (older_bundle(private, signer), ("verify-blob", *older)),
    }
    keys = {"SIGSTORE_REKOR_PUBLIC_KEY": "log.pub", "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": "ct.pub"}
    root = read_trusted_root(private.trusted_root())
    for name, (document, command) in made.items():
        (tmp_path / name).write_text(json.dumps(document))
        run(
            tmp_path,
            *("cosign", *command, name, "file"),
            succeeds=workflow == IDENTITY,
            **(keys if name == "older" else {}),
        )

        verdict = verify_keyless(
            (tmp_path / name).read_bytes(), root, accepting([IDENTITY], [], ISSUER), SignedSubject(ARTIFACT)
        )

        assert verdict.is_valid is (workflow == IDENTITY), (name, verdict)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
