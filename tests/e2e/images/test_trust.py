"""Nothing is built on a base that is not signed as the settings ask."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding

from bot.commands.images.verify import judge_image
from bot.domain.evidence import ImageVerdict, Strength
from bot.domain.images.claims import Source
from bot.domain.images.stated import BUNDLE, NOTATION
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.wiring.grants import forge_host
from bot.store.views.fleet import FleetViewsStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from sandbox.images import Image, Pushed
from sandbox.world import World
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite
from tests.unit.images.signatures.making import Draft, Holder, chain_of_three, cose
from tests.unit.images.signatures.private_sigstore import IDENTITY, ISSUER, PrivateSigstore, dsse_bundle

V3 = f"{BUNDLE}.v0.3+json"


@cache
def the_signer() -> Holder:
    return chain_of_three()


@pytest.fixture
def signer() -> Holder:
    return the_signer()


def only_signed_bases(_: World, folder: Path) -> dict[str, object]:
    roots = folder / "x509" / "ca" / "contoso"
    roots.mkdir(parents=True)
    (roots / "root.pem").write_bytes(the_signer().chain[-1].public_bytes(Encoding.PEM))
    notation = {"trust_dir": str(folder), "stores": ["ca:contoso"], "identities": ["*"]}
    rule = {"match": ["*/dotnet/aspnet", "*/contoso/*"], "mode": "require", "notation": notation}
    return {"trust": {"rules": [rule]}}


guarded = SETTLED.under(only_signed_bases).fixture()
"""The sample fleet, where the bases of aspnet must be signed."""


async def signed(stage: Stage, pushed: Pushed, signer: Holder, repository: str = ASPNET) -> None:
    """The index and each image in it get a signature."""
    for digest in (pushed.digest, *pushed.platforms.values()):
        envelope = cose(Draft(signer, digest=digest))
        await stage.world.registry.attach(repository, digest, NOTATION, {}, ("application/cose", envelope))


async def test_an_unsigned_base_is_waited_for_and_built_on_once_it_is_signed(
    guarded: Stage, signer: Holder
) -> None:
    pushed = await guarded.fleet.publish_runtime("10.0.1")
    await guarded.run_pass()
    rebuild = (await guarded.rebuilds())["catalog-web"]
    assert rebuild.state is RebuildState.WAITING
    assert "is not trusted: no signature of a kind that is trusted is there; waited for up to 1 h" in rebuild.reason
    assert guarded.world.github.runs("catalog-web") == []
    assert (await guarded.bot.stores[FleetViewsStore].status()).incidents == ()
    await signed(guarded, pushed, signer)
    guarded.clock.ahead += timedelta(minutes=10)
    await guarded.run_pass()
    assert len(guarded.world.github.runs("catalog-web")) == 1


async def test_after_the_grace_it_is_an_incident_and_still_nothing_begins(guarded: Stage) -> None:
    await guarded.fleet.publish_runtime("10.0.1")
    guarded.clock.ahead += timedelta(minutes=1)
    await guarded.run_pass()
    guarded.clock.ahead += timedelta(hours=2)
    await guarded.run_pass()
    [incident] = (await guarded.bot.stores[FleetViewsStore].status()).incidents
    assert "not mirrored, perhaps: verify at mcr.microsoft.com by the same digest" in incident.detail
    assert guarded.world.github.runs("catalog-web") == []


async def test_a_rebuild_whose_image_nobody_signs_in_time_fails_and_says_what_to_do(
    guarded: Stage, signer: Holder
) -> None:
    await signed(guarded, await guarded.fleet.publish_runtime("10.0.1"), signer)
    await guarded.run_pass()
    [run] = guarded.world.github.runs("catalog-web")
    guarded.world.github.finish_run(run.id)
    await guarded.run_pass()
    assert (await guarded.rebuilds())["catalog-web"].state is RebuildState.PROVING
    guarded.clock.ahead += timedelta(hours=1, minutes=10)
    await guarded.run_pass()
    rebuild = (await guarded.rebuilds())["catalog-web"]
    assert (rebuild.state, rebuild.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)
    assert "lacks the signature that trust.rules require: no signature of a kind" in rebuild.reason
    assert "have its build sign what it pushes" in rebuild.reason


async def test_one_exit_code_for_a_deploy_job(guarded: Stage, signer: Holder) -> None:
    settings, image = guarded.bot.settings, f"{guarded.fleet.registry}/contoso/catalog-web:latest"
    unsigned = await judge_image(settings, image, guarded.clock)
    assert (unsigned.exit_code, unsigned.trust is not None and unsigned.trust.holds) == (1, False)
    pushed = guarded.fleet.push_image("catalog-web", "again")
    await signed(guarded, pushed, signer, "contoso/catalog-web")
    assert (await judge_image(settings, image, guarded.clock)).exit_code == 0
    await signed(guarded, await guarded.fleet.publish_runtime("10.0.1"), signer)
    await guarded.run_pass()
    behind = await judge_image(settings, image, guarded.clock)
    assert (behind.exit_code, behind.lines()[0].partition(":")[0]) == (1, "does not hold")


@pytest_asyncio.fixture
async def squashed(world: World, tmp_path: Path) -> AsyncIterator[tuple[Stage, PrivateSigstore]]:
    """The sample fleet, whose images a workflow attests, in a Sigstore of its own."""
    sigstore = PrivateSigstore.open()
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    keyless = {"trusted_root": str(tmp_path / "root.json"), "issuer": ISSUER, "identities": [IDENTITY]}
    rule = {"match": ["*/contoso/*"], "mode": "warn", "keyless": keyless}
    async with AsyncExitStack() as exits:
        store = new_sqlite(tmp_path / "freshness.db")
        yield await settled(world, tmp_path, store, exits, trust={"rules": [rule]}), sigstore


@pytest.mark.long
@pytest.mark.parametrize("attested", [("10.0.1", ImageVerdict.PROVED), ("10.0.0", ImageVerdict.NO_OP)])
async def test_what_squashed_layers_cannot_tell_signed_provenance_proves(
    attested: tuple[str, ImageVerdict], squashed: tuple[Stage, PrivateSigstore], tmp_path: Path
) -> None:
    stage, sigstore = squashed
    version, verdict = attested
    name, base = "contoso/catalog-web", f"{stage.fleet.registry}/{ASPNET}"
    shown = {"10.0.0": stage.fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"]}
    shown["10.0.1"] = (await stage.fleet.publish_runtime("10.0.1")).digest
    await stage.run_pass()
    stage.world.github.actions.on_finished = None
    [run] = stage.world.github.runs("catalog-web")
    stage.world.github.finish_run(run.id)
    flat = await stage.world.registry.push(name, "latest", Image((b"all in one",)))
    material: dict[str, Any] = {"uri": f"pkg:docker/{base}@{RUNTIME_TAG}"}
    material["digest"] = {"sha256": shown[version].removeprefix("sha256:")}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": flat.digest.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": {"resolvedDependencies": [material]}, "runDetails": {}},
    }
    source = {12: f"https://{forge_host(stage.bot.settings.github.api_url)}/{name}"}
    bundle = json.dumps(dsse_bundle(sigstore, sigstore.certificate(facts=source), statement)).encode()
    await stage.world.registry.attach(name, flat.digest, V3, {}, (V3, bundle))
    await stage.run_pass()
    rebuild = (await stage.rebuilds())["catalog-web"]
    assert rebuild.proof is verdict, rebuild.reason
    [image] = await stage.bot.stores[ImagesStore].images_of("contoso/catalog-web")
    assert "by its verified provenance" in rebuild.reason
    assert (image.source, image.builder and image.builder.repository) == (Source.PROVENANCE, name)
    place = f"{stage.fleet.registry}/{name}:latest"
    assert await answers(stage, place) == {
        "signature": False,
        "provenance": True,
        "freshness": verdict is ImageVerdict.PROVED,
        "gate": None,
    }
    (tmp_path / "root.json").write_bytes(PrivateSigstore.open().trusted_root())
    await stage.run_pass()
    [image] = await stage.bot.stores[ImagesStore].images_of("contoso/catalog-web")
    assert (image.builder, image.strength) == (None, Strength.CLAIMED), "nobody vouches for it any more"
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    await stage.run_pass()
    [image] = await stage.bot.stores[ImagesStore].images_of("contoso/catalog-web")
    assert (image.builder and image.builder.repository, image.strength) == (name, Strength.PROVED)
    stranger = sigstore.certificate(facts={12: "https://github.com/contoso/till"})
    flat = await stage.world.registry.push(name, "latest", Image((b"all in one, again",)))
    statement["subject"] = [{"name": name, "digest": {"sha256": flat.digest.removeprefix("sha256:")}}]
    bundle = json.dumps(dsse_bundle(sigstore, stranger, statement)).encode()
    await stage.world.registry.attach(name, flat.digest, V3, {}, (V3, bundle))
    assert (await answers(stage, place))["provenance"] is False


async def answers(stage: Stage, image: str) -> dict[str, bool | None]:
    """What a deploy job is told of an image whose rule warns. Its platforms have no signature of their own."""
    judged = await judge_image(stage.bot.settings, image, stage.clock)
    assert [each.counts for each in judged.answers] == [False, False, True, False]
    return {each.question.value: each.holds for each in judged.answers}
