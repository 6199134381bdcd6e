"""Several images of one repository that stand on each other, and a way over another repository and back."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import pytest

from bot.domain.evidence import ImageVerdict
from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.views.images import ImageViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.github.actions.runs import Run
from sandbox.images import Image
from sandbox.world import World
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite

PLATFORM, MIDDLE = "platform", "middle"
OUT_AND_BACK = {
    "golden": (PLATFORM, f"{ASPNET}:{RUNTIME_TAG}"),
    "tools": (PLATFORM, "golden"),
    "middle": (MIDDLE, "golden"),
    "service": (PLATFORM, "middle"),
}
"""Images with the repository that builds each, and what it is built upon: two of the platform stand on each other,
and one stands on an image of another repository, which stands on the platform's."""
EACH_OTHER = {name: OUT_AND_BACK[name] for name in ("golden", "tools")}


class FleetOfParts(SampleFleet):
    """Repositories that build several images, each with the same layers whenever it stands on the same ones. Where
    `in_one_go`, a run builds each upon what it has made before; else all at once, from what the registry showed."""

    def __init__(self, world: World, images: Mapping[str, tuple[str, str]], *, in_one_go: bool) -> None:
        super().__init__(world)
        self.made_by = {name: repository for name, (repository, _) in images.items()}
        self.in_one_go = in_one_go
        owner = world.github.name
        self.built_on = {
            name: below if ":" in below else f"{owner}/{below}:latest" for name, (_, below) in images.items()
        }

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for name, repository in self.made_by.items():
            files = found.setdefault(repository, {})
            files[f"{name}/Dockerfile"] = f"FROM {self.registry}/{self.built_on[name]}\nCOPY . /app\n"
        head, _, _ = WEEKLY_REBUILD.rpartition("      - run:")
        for repository, files in found.items():
            mine = [name for name, home in self.made_by.items() if home == repository]
            steps = "".join(f"      - run: {self._build(name)}\n" for name in mine)
            files[".github/workflows/weekly-rebuild.yml"] = head + steps
        return found

    def _build(self, name: str) -> str:
        image = f"{self.registry}/{self.world.github.name}/{name}:latest"
        return f"docker build --pull --no-cache -f {name}/Dockerfile -t {image} --push ."

    def _built(self, run: Run) -> None:
        home = run.workflow.repository.rpartition("/")[2]
        shown: dict[str, Image] = dict(self.images)
        for name in [name for name, repository in self.made_by.items() if repository == home]:
            known = self.images
            if not self.in_one_go:
                self.images = dict(shown)
            below = self.images[self.built_on[name]]
            self.push_image(name, sha256(repr(below.layers).encode()).hexdigest())
            place = f"{self.world.github.name}/{name}:latest"
            self.images = known | {place: self.images[place]}


async def led_to_its_end(stage: Stage) -> list[str]:
    """A patch of the runtime until nothing begins any more; whose workflows were started, in that order."""
    await stage.fleet.publish_runtime("10.0.1")
    quiet = 0
    while quiet < 3:
        await stage.run_pass()
        going = [run for run in stage.world.github.runs() if run.status != "completed"]
        quiet = 0 if going else quiet + 1
        for run in going:
            stage.world.github.finish_run(run.id)
    return [run.workflow.repository.partition("/")[2] for run in stage.world.github.runs()]


async def images_of(stage: Stage) -> dict[str, tuple[ImageState, str]]:
    """How each image stands, and on what."""
    found = await stage.bot.stores[ImageViewsStore].views()
    return {
        view.image.claim.repository.rpartition("/")[2]: (
            view.image.state,
            " and ".join(
                {each.publications[0].base.repository.rpartition("/")[2] for each in view.image.standings}
            ),
        )
        for view in found
    }


CURRENT = {
    "golden": (ImageState.CURRENT, "aspnet"),
    "tools": (ImageState.CURRENT, "golden"),
    "middle": (ImageState.CURRENT, "golden"),
    "service": (ImageState.CURRENT, "middle"),
}


@pytest.mark.long
async def test_a_way_over_another_repository_and_back_is_rebuilt_in_order_and_proved(
    world: World, tmp_path: Path
) -> None:
    """The tools are made with the golden image in one go, so that no run is for them alone."""
    async with AsyncExitStack() as exits:
        fleet = FleetOfParts(world, OUT_AND_BACK, in_one_go=True)
        stage = await settled(world, tmp_path, new_sqlite(tmp_path / "freshness.db"), exits, fleet=fleet)
        await stage.run_pass()
        assert await led_to_its_end(stage) == [PLATFORM, MIDDLE, PLATFORM]
        assert await images_of(stage) == CURRENT
        rollouts = await stage.bot.stores[RolloutViewsStore].rollouts(5)
        ended = [rebuild for rollout in rollouts for rebuild in rollout.rebuilds]
        assert {rebuild.state for rebuild in ended} == {RebuildState.SUCCEEDED}
        assert len(rollouts) == 1


@pytest.mark.long
@pytest.mark.parametrize(("in_one_go", "runs"), [(True, 1), (False, 2)])
async def test_images_of_one_repository_on_each_other_take_as_many_runs_as_their_build_needs(
    world: World, tmp_path: Path, in_one_go: bool, runs: int
) -> None:
    async with AsyncExitStack() as exits:
        fleet = FleetOfParts(world, EACH_OTHER, in_one_go=in_one_go)
        stage = await settled(world, tmp_path, new_sqlite(tmp_path / "freshness.db"), exits, fleet=fleet)
        await stage.run_pass()
        assert await led_to_its_end(stage) == [PLATFORM] * runs
        assert await images_of(stage) == {name: CURRENT[name] for name in EACH_OTHER}
        proofs = {rebuild.proof for rebuild in (await stage.rebuilds()).values()}
        assert proofs <= {ImageVerdict.PROVED, None}
