"""Whom the settings trust with VEX documents beside images, and how often a registry is asked."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.registries.beside import VexBeside
from bot.fleet.wiring.registries.trust import Trusting
from bot.images.trust.collecting import LookedOnce
from bot.images.vex.statements import VexStatement
from bot.settings import Settings
from tests.fakes.attachments import Attachments
from tests.unit.images.signatures.private_sigstore import AT, IDENTITY, ISSUER, PrivateSigstore, dsse_bundle

SIGSTORE = PrivateSigstore.open()
CLOCK = ManualClock(AT)
IMAGE = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "statements": [{"vulnerability": "CVE-2026-1", "status": "fixed"}],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = tmp_path / "trusted_root.json"
    root.write_bytes(SIGSTORE.trusted_root())
    keyless = {"trusted_root": str(root), "identities": [IDENTITY], "issuer": ISSUER}
    rules = [{"match": ["ghcr.io/contoso/*"], "mode": "require", "keyless": keyless}]
    return Settings.model_validate({"trust": {"rules": rules}})


@pytest.fixture
def registry() -> tuple[Attachments, str]:
    port = Attachments()
    digest = port.keep({"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []})
    statement: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://openvex.dev/ns/v0.2.0",
        "predicate": VEX,
    }
    bundle = dsse_bundle(SIGSTORE, SIGSTORE.certificate(), statement)
    port.attach(digest, "application/vnd.dev.sigstore.bundle.v0.3+json", json.dumps(bundle).encode())
    return port, digest


def statements(answer: Sequence[VexStatement] | Failure) -> Sequence[VexStatement]:
    assert not isinstance(answer, Failure)
    return answer


async def test_whom_the_rule_for_an_image_trusts_is_heeded(
    settings: Settings, registry: tuple[Attachments, str]
) -> None:
    port, digest = registry
    beside = VexBeside(LookedOnce(port, CLOCK), settings.trust, CLOCK)

    said = await beside.signed_statements([(IMAGE, [digest])])
    [statement] = statements(said[IMAGE.id])
    assert statement.vulnerabilities == {"CVE-2026-1"}


async def test_where_no_rule_trusts_anybody_no_registry_is_asked(registry: tuple[Attachments, str]) -> None:
    port, digest = registry
    beside = VexBeside(LookedOnce(port, CLOCK), Settings().trust, CLOCK)

    assert await beside.signed_statements([(IMAGE, [digest])]) == {}
    assert port.asked == []


async def test_of_a_hundred_images_each_digest_is_listed_once_and_one_that_is_silent_alone_is_not_told(
    settings: Settings, registry: tuple[Attachments, str]
) -> None:
    port, digest = registry
    others = [f"sha256:{number:064x}" for number in range(100)]
    silent = Failure(Trouble.UNREACHABLE, "does not answer", where="ghcr.io")
    port.failures[others[7]] = silent
    asked = [(replace(IMAGE, id=number), [each]) for number, each in enumerate((digest, digest, *others))]
    beside = VexBeside(LookedOnce(port, CLOCK), settings.trust, CLOCK)

    said = await beside.signed_statements(asked)

    assert sorted(port.asked) == sorted([digest, *others])
    assert [len(statements(said[number])) for number in (0, 1, 2)] == [1, 1, 0]
    assert said[9] is silent


async def test_signatures_and_documents_of_one_image_are_listed_once(
    settings: Settings, registry: tuple[Attachments, str]
) -> None:
    """As `verify IMAGE` asks for both."""
    port, digest = registry
    beside = LookedOnce(port, CLOCK)
    place = Base("ghcr.io", "contoso/shop", "latest")
    await Trusting(settings, beside, cast(WatchStore, None), CLOCK).trust(place, digest)
    await VexBeside(beside, settings.trust, CLOCK).documents(place, [digest])
    assert port.asked == [digest]
