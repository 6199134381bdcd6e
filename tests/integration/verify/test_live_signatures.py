"""Signatures as a registry shows them, found by the fallback tag or made by cosign itself."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.clock import ManualClock
from bot.domain.evidence import Strength
from bot.domain.images.stated import NOTATION
from bot.domain.images.trust import Trust
from bot.images.signatures.cosign.keys import read_public_key
from bot.images.signatures.notation.names import TrustedIdentity
from bot.images.signatures.notation.trust_store import TrustStore
from bot.images.signatures.notation.verifying import NotationPolicy
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import signatures_of
from bot.images.trust.judging import Trusted, judge_trust
from sandbox.edges.edge import Surroundings
from sandbox.images import dotnet_image
from sandbox.programs import parts
from sandbox.registry import Registry as Played
from tests.unit.images.signatures.making import NOW, Draft, chain_of_three, cose

REPOSITORY = "dotnet/aspnet"
COSE = "application/cose"


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Played]:
    for part in ("docker-registry", "oras"):
        if not parts.is_there(part):
            pytest.skip(f"{part} is missing: {parts.HOW_TO_GET[part]}")
    found = Played(tmp_path, Surroundings())
    await found.start()
    yield found
    found.stop()


async def shown(played: Played, digest: str, trusted: Trusted) -> Trust:
    clock = ManualClock(NOW)
    accesses = [RegistryAccess(played.host, insecure=True)]
    async with Http(clock, host_rules(accesses)) as http:
        registry = Registry(http, accesses, clock)
        found = await signatures_of(registry, played.host, REPOSITORY, digest)
        return judge_trust(found, trusted, digest, NOW, Remembered())


async def pushed(played: Played) -> str:
    return (await played.push(REPOSITORY, "10.0", dotnet_image("aspnet", "10.0.1"))).digest


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def notation() -> tuple[Any, Trusted]:
    signer = chain_of_three()
    store = TrustStore(ca=(signer.chain[-1],))
    return signer, Trusted("notation", notation=NotationPolicy(store, (TrustedIdentity(),)))


async def test_a_notation_signature_is_found_by_the_fallback_tag_and_holds_until_a_bit_flips(
    played: Played,
) -> None:
    digest = await pushed(played)
    signer, trusted = notation()
    assert (await shown(played, digest, trusted)).is_there is False
    envelope = cose(Draft(signer, digest=digest))
    await played.attach(REPOSITORY, digest, NOTATION, {}, (COSE, envelope))
    assert (await shown(played, digest, trusted)).strength is Strength.PROVED
    stored = played.stored(f"sha256:{sha256(envelope).hexdigest()}")
    stored.write_bytes(flipped(envelope))
    assert (await shown(played, digest, trusted)).strength is Strength.CONTRADICTED


async def test_an_artifact_of_another_type_is_no_signature(played: Played) -> None:
    digest = await pushed(played)
    signer, trusted = notation()
    await played.attach(REPOSITORY, digest, "application/other", {}, (COSE, cose(Draft(signer, digest=digest))))
    assert (await shown(played, digest, trusted)).is_there is False


@pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is missing: apt-get install cosign")
async def test_a_tag_of_cosign_with_a_key_holds_until_a_bit_flips(played: Played, tmp_path: Path) -> None:
    digest = await pushed(played)
    environment = {**os.environ, "COSIGN_PASSWORD": ""}

    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)

    run("cosign", "generate-key-pair")
    name = f"{played.host}/{REPOSITORY}@{digest}"
    plain = ("--allow-http-registry", "--yes", "--tlog-upload=false", "--key", "cosign.key")
    run("cosign", "sign", *plain, name)
    trusted = Trusted("key", key=read_public_key((tmp_path / "cosign.pub").read_bytes()))
    assert (await shown(played, digest, trusted)).strength is Strength.PROVED
    run("cosign", "generate-key-pair", "--output-key-prefix", "other")
    other = Trusted("other", key=read_public_key((tmp_path / "other.pub").read_bytes()))
    assert (await shown(played, digest, other)).strength is Strength.CONTRADICTED
    clock, accesses = ManualClock(NOW), [RegistryAccess(played.host, insecure=True)]
    async with Http(clock, host_rules(accesses)) as http:
        tag = f"{digest.replace(':', '-')}.sig"
        manifest = await Registry(http, accesses, clock).tagged(played.host, REPOSITORY, tag)
    assert manifest is not None
    layer = json.loads(manifest)["layers"][0]["digest"]
    played.stored(layer).write_bytes(flipped(played.stored(layer).read_bytes()))
    assert (await shown(played, digest, trusted)).strength is Strength.CONTRADICTED


@pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is missing: apt-get install cosign")
@pytest.mark.parametrize("layout", [(), ("--new-bundle-format",)], ids=["tag", "bundle"])
async def test_what_cosign_attests_signs_no_image_wherever_it_lies(
    layout: tuple[str, ...], played: Played, tmp_path: Path
) -> None:
    """The same key signs a summary that failed, and later the image itself."""
    digest = await pushed(played)
    environment = {**os.environ, "COSIGN_PASSWORD": ""}

    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)

    run("cosign", "generate-key-pair")
    (tmp_path / "summary").write_text(json.dumps({"verificationResult": "FAILED"}))
    name = f"{played.host}/{REPOSITORY}@{digest}"
    plain = ("--allow-http-registry", "--yes", "--tlog-upload=false", "--key", "cosign.key")
    summary = ("--type", "https://slsa.dev/verification_summary/v1", "--predicate", "summary")
    await asyncio.to_thread(run, "cosign", "attest", *plain, *layout, *summary, name)
    trusted = Trusted("key", key=read_public_key((tmp_path / "cosign.pub").read_bytes()))
    if not layout:  # as somebody may copy it
        await copied(played, digest, "att", "sig")
    found = await shown(played, digest, trusted)
    assert (found.strength, found.is_there) == (Strength.UNKNOWN, False)
    assert found.text.endswith("what is there states a verification summary")
    if layout:
        await asyncio.to_thread(run, "cosign", "sign", *plain, name)
        assert (await shown(played, digest, trusted)).strength is Strength.PROVED


async def copied(played: Played, digest: str, kept: str, to: str) -> None:
    """Puts what lies under one tag of cosign's under another."""
    name, tag = f"{played.host}/{REPOSITORY}", digest.replace(":", "-")
    copy = ("oras", "cp", "--from-plain-http", "--to-plain-http", f"{name}:{tag}.{kept}", f"{name}:{tag}.{to}")
    await asyncio.to_thread(subprocess.run, copy, check=True, capture_output=True, timeout=60)
