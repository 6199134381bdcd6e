"""What the fleet builds, as the registry shows it."""

from bot.domain.evidence import Strength
from bot.domain.images.image import ProducedImage
from bot.domain.images.produced import Source
from tests.e2e.conftest import Stage


async def image(stage: Stage, repository: str = "contoso/catalog-web") -> ProducedImage:
    [found] = await stage.bot.stores.images.images_of(repository)
    return found


async def test_an_image_is_known_by_the_workflow_that_pushes_it_and_told_by_its_layers(stage: Stage) -> None:
    found = await image(stage)
    assert (found.claim.name, found.claim.source) == (f"{stage.fleet.registry}/contoso/catalog-web", Source.BUILD)
    assert found.claim.path == ".github/workflows/weekly-rebuild.yml"
    assert (found.strength, found.behind_since) == (Strength.PROVED, None)
    told = {standing.told(stage.clock.now()).partition(" of ")[0] for standing in found.standings}
    assert told == {"aspnet:10.0-noble-chiseled"}


async def test_an_image_that_did_not_move_costs_one_head(stage: Stage) -> None:
    await stage.run_pass()
    asked = stage.world.traffic.requests(service="registry", path="/contoso/")
    assert [request.method for request in asked] == ["HEAD"]


async def test_an_image_falls_behind_when_its_base_moves_without_being_asked_for(stage: Stage) -> None:
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    found = await image(stage)
    assert found.behind_since is not None
    assert found.strength is Strength.PROVED
