"""Nothing is built on a base that is not signed as the settings ask."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding

from bot.domain.rollouts.rebuild import State
from bot.service.commands.images.verify import judge_image
from bot.verify.trust.collecting import NOTATION
from sandbox.fleet import ASPNET
from sandbox.images import Pushed
from sandbox.world import World
from tests.e2e.conftest import Stage, settled
from tests.unit.verify.signatures.making import Draft, Holder, chain_of_three, cose


@pytest.fixture(scope="module")
def signer() -> Holder:
    return chain_of_three()


@pytest_asyncio.fixture
async def guarded(world: World, tmp_path: Path, signer: Holder) -> AsyncIterator[Stage]:
    """The sample fleet, where the bases of aspnet must be signed."""
    folder = tmp_path / "x509" / "ca" / "contoso"
    folder.mkdir(parents=True)
    (folder / "root.pem").write_bytes(signer.chain[-1].public_bytes(Encoding.PEM))
    notation = {"trust_dir": str(tmp_path), "stores": ["ca:contoso"], "identities": ["*"]}
    rule = {"match": ["*/dotnet/aspnet", "*/contoso/*"], "mode": "require", "notation": notation}
    async with AsyncExitStack() as exits:
        store = f"sqlite:///{tmp_path}/freshness.db"
        yield await settled(world, tmp_path, store, exits, trust={"rules": [rule]})


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
    assert rebuild.state is State.WAITING
    assert "is not trusted: no signature of a kind that is trusted is there; waited for up to 1 h" in rebuild.reason
    assert guarded.world.github.runs("catalog-web") == []
    assert (await guarded.bot.stores.fleet_views.status()).incidents == ()
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
    [incident] = (await guarded.bot.stores.fleet_views.status()).incidents
    assert "not mirrored, perhaps: verify at mcr.microsoft.com by the same digest" in incident.detail
    assert guarded.world.github.runs("catalog-web") == []


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
