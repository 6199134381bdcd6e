"""What an image without layers of a base stands on, by provenance in a real registry, signed and unsigned."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.clock import ManualClock
from bot.domain.evidence import Strength
from bot.domain.images.image import SeenImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Basis
from bot.domain.images.stated import BUNDLE
from bot.domain.packages.package import ImagePlace, SbomOrigin
from bot.domain.reference import Base
from bot.fleet.wiring.registries.beside import SbomsBeside, VexBeside
from bot.fleet.wiring.registries.images import RegistryImages
from bot.images.trust.collecting import LookedOnce
from bot.settings.sections.trust import TrustSettings
from sandbox.images import dotnet_image
from sandbox.registry import Registry as Played
from tests.builders import ASPNET
from tests.integration.verify.conftest import Kept, NothingKept
from tests.unit.images.signatures.evidence import EVIDENCE, needs_evidence
from tests.unit.images.signatures.private_sigstore import AT, IDENTITY, ISSUER, PrivateSigstore, dsse_bundle

V3 = f"{BUNDLE}.v0.3+json"
BELOW = "sha256:" + "a" * 64
SIGSTORE = PrivateSigstore.open()
CLOCK, KNOWN = ManualClock(AT), cast(Any, NothingKept())
CYCLONEDX = {"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "libssl3", "version": "3.0.13"}]}


@dataclass
class Shop:
    """An image of two platforms in a registry, and a rule that trusts a workflow."""

    played: Played
    repository: str
    digest: str
    platforms: Mapping[str, str]
    trust: TrustSettings

    async def read(self) -> SeenImage:
        async with self.asked() as registry:
            return await self.look(registry, LookedOnce(registry, CLOCK))

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[Registry]:
        accesses = [RegistryAccess(self.played.host, insecure=True)]
        async with Http(CLOCK, host_rules(accesses)) as http:
            yield Registry(http, accesses, CLOCK)

    async def look(self, registry: Registry, beside: LookedOnce) -> SeenImage:
        images = RegistryImages(registry, beside, KNOWN, KNOWN, CLOCK, self.trust)
        return await images.read(
            Base(self.played.host, self.repository, "1"), self.digest, NamedBases((ASPNET,), (ASPNET,))
        )

    async def sboms(self, beside: LookedOnce, about: str) -> list[tuple[SbomOrigin, Strength]]:
        """Those of one platform's image, as the stage of SBOMs asks for them."""
        place = ImagePlace(self.played.host, self.repository, about, self.digest)
        found = await SbomsBeside(beside, self.trust, CLOCK).sboms(place)
        return [(each.origin, each.strength) for each in found]

    async def vex(self) -> list[tuple[Strength, bool]]:
        """The VEX documents beside it, and whether each is heeded."""
        place, digests = Base(self.played.host, self.repository, "1"), (self.digest, *self.platforms.values())
        async with self.asked() as registry:
            found = await VexBeside(LookedOnce(registry, CLOCK), self.trust, CLOCK).documents(place, digests)
        return sorted((each.strength, each.is_heeded) for each in found)

    def requests(self) -> list[str]:
        """All that the registry was asked for of this image so far."""
        assert self.played.edge is not None
        made = self.played.edge.surroundings.traffic.requests("registry", path=f"^/v2/{self.repository}/")
        return [f"{each.method} {each.path.rpartition(self.repository)[2]}" for each in made]

    async def attest(self, about: str, workflow: str = IDENTITY, said: Any = None) -> bytes:
        bundle = json.dumps(
            dsse_bundle(SIGSTORE, SIGSTORE.certificate(workflow), said or statement(about))
        ).encode()
        await self.played.attach(self.repository, about, V3, {}, (V3, bundle))
        return bundle

    async def bases(self) -> dict[str, list[tuple[Basis, frozenset[str]]]]:
        declared = (await self.read()).declared
        return {
            platform: [(each.basis, each.digests) for each in said if not each.is_stage]
            for platform, said in declared.items()
        }


def statement(about: str) -> dict[str, Any]:
    uri = f"pkg:docker/{ASPNET.name}@{ASPNET.tag}"
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": about.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {"resolvedDependencies": [{"uri": uri, "digest": {"sha256": "a" * 64}}]},
            "runDetails": {},
        },
    }


@pytest.fixture
async def shop(kept: Kept, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    (tmp_path / "root.json").write_bytes(SIGSTORE.trusted_root())
    keyless = {"trusted_root": str(tmp_path / "root.json"), "issuer": ISSUER, "identities": [IDENTITY]}
    trust = TrustSettings.model_validate(
        {"rules": [{"match": ["*/contoso/*"], "mode": "warn", "keyless": keyless}]}
    )
    repository = f"contoso/{sha256(request.node.nodeid.encode()).hexdigest()[:12]}"
    pushed = await kept.registry.push(repository, "1", dotnet_image("aspnet", "10.0.1"))
    return Shop(kept.registry, repository, pushed.digest, pushed.platforms, trust)


VERIFIED = (Basis.VERIFIED_PROVENANCE, frozenset({BELOW}))


async def test_provenance_of_the_index_that_a_trusted_workflow_signed_tells_the_base_of_each_platform(
    shop: Shop,
) -> None:
    assert set(map(tuple, (await shop.bases()).values())) == {()}
    await shop.attest(shop.digest)
    assert await shop.bases() == {platform: [VERIFIED] for platform in shop.platforms}
    builder = (await shop.read()).builder
    assert builder is not None
    assert (builder.repository, builder.level, builder.strength) == ("contoso/app", 2, Strength.PROVED)


async def test_provenance_of_one_platform_tells_of_that_one_and_not_who_built_the_whole(shop: Shop) -> None:
    one, other = sorted(shop.platforms)
    await shop.attest(shop.platforms[one])
    assert await shop.bases() == {one: [VERIFIED], other: []}
    assert (await shop.read()).builder is None


async def test_one_bit_of_the_stored_provenance_flipped_and_it_says_nothing(shop: Shop) -> None:
    bundle = await shop.attest(shop.digest)
    middle = len(bundle) // 2
    flipped = bundle[:middle] + bytes([bundle[middle] ^ 1]) + bundle[middle + 1 :]
    shop.played.stored(f"sha256:{sha256(bundle).hexdigest()}").write_bytes(flipped)
    assert set(map(tuple, (await shop.bases()).values())) == {()}


async def test_provenance_by_a_workflow_that_is_not_trusted_or_about_another_image_says_nothing(shop: Shop) -> None:
    await shop.attest(shop.digest, workflow=IDENTITY.replace("contoso", "mallory"))
    await shop.attest(shop.digest, said=statement(BELOW))
    assert set(map(tuple, (await shop.bases()).values())) == {()}
    assert (await shop.read()).builder is None


async def test_without_a_rule_of_trust_nobody_is_asked_for_signed_provenance(shop: Shop) -> None:
    await shop.attest(shop.digest)
    shop.trust = TrustSettings()
    assert set(map(tuple, (await shop.bases()).values())) == {()}


async def test_a_vex_document_is_heeded_until_one_bit_of_it_is_flipped_and_never_where_nobody_signed(
    shop: Shop,
) -> None:
    stated = {"vulnerability": {"name": "CVE-2026-1"}, "products": ["pkg:nuget/Json@12.0.0"], "status": "fixed"}
    vex = {"@context": "https://openvex.dev/ns/v0.2.0", "statements": [stated]}
    said = {**statement(shop.digest), "predicateType": "https://openvex.dev/ns/v0.2.0", "predicate": vex}
    bundle = await shop.attest(shop.digest, said=said)
    plain = json.dumps({**vex, "author": "anybody"}).encode()
    kind = "application/vex+json"
    await shop.played.attach(shop.repository, shop.digest, kind, {}, (kind, plain))

    assert await shop.vex() == [(Strength.CLAIMED, False), (Strength.PROVED, True)]
    middle = len(bundle) // 2
    flipped = bundle[:middle] + bytes([bundle[middle] ^ 1]) + bundle[middle + 1 :]
    shop.played.stored(f"sha256:{sha256(bundle).hexdigest()}").write_bytes(flipped)
    assert not any(is_heeded for _, is_heeded in await shop.vex())


async def test_one_look_tells_what_an_image_stands_on_and_which_sboms_it_has(shop: Shop) -> None:
    text = json.dumps(CYCLONEDX | {"specVersion": "1.6"}).encode()
    signed = {**statement(shop.digest), "predicateType": "https://cyclonedx.org/bom", "predicate": CYCLONEDX}
    await shop.attest(shop.digest)
    await shop.attest(shop.digest, said=signed)
    await shop.played.put_beside(shop.repository, shop.digest, "sbom", ("application/vnd.cyclonedx+json", text, {}))
    both = [(SbomOrigin.ATTESTATION, Strength.PROVED), (SbomOrigin.TAG, Strength.CLAIMED)]

    async with shop.asked() as registry:
        alone = [LookedOnce(registry, CLOCK) for _ in range(3)]
        await shop.look(registry, alone[0])
        for beside, about in zip(alone[1:], shop.platforms.values(), strict=True):
            assert await shop.sboms(beside, about) == both
        before = shop.requests()
        shared = LookedOnce(registry, CLOCK)
        assert (await shop.look(registry, shared)).builder is not None
        for about in shop.platforms.values():
            assert await shop.sboms(shared, about) == both
        after = shop.requests()[len(before) :]

    assert (len(before), len(after)) == (50, 22)
    assert sorted(set(after)) == sorted(after), "nothing is asked for twice"


@pytest.mark.long
async def test_provenance_that_may_lie_behind_more_than_is_looked_at_is_told(shop: Shop) -> None:
    assert (await shop.read()).unseen == ""
    for number in range(51):
        await shop.played.attach(
            shop.repository, shop.digest, "application/report", {}, ("application/report", b"%d" % number)
        )
    seen = await shop.read()
    assert seen.builder is None
    assert seen.unseen == "51 artifacts refer to it, of which 50 were looked at"


@needs_evidence
@pytest.mark.parametrize("name", ["buildkit-provenance-v1-min.json", "buildkit-provenance-v0.2-max.json"])
@pytest.mark.parametrize("workflow", [IDENTITY, IDENTITY.replace("contoso", "mallory")])
async def test_recorded_provenance_that_is_signed_tells_the_base_that_was_recorded(
    name: str, workflow: str, shop: Shop
) -> None:
    recorded = json.loads((EVIDENCE / "intoto" / name).read_text())
    [base] = json.loads((EVIDENCE / "intoto" / "expected.json").read_text())[name]["dependencies"]
    recorded["subject"] = statement(shop.digest)["subject"]
    if "builder" in (run := recorded["predicate"].get("runDetails", recorded["predicate"])):
        run["builder"] = {"id": ""}
    await shop.attest(shop.digest, workflow, recorded)
    named = (Basis.VERIFIED_PROVENANCE, frozenset({f"sha256:{base['digest']['sha256']}"}))
    expected = [named] if workflow == IDENTITY else []
    assert set(map(tuple, (await shop.bases()).values())) == {tuple(expected)}
