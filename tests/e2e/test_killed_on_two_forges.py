"""Killed at every request that writes while one rollout goes over two forges and two builders, the bot ends in the
same state.

On GitHub one repository is pinned and built by a workflow, one floats and is rebuilt by a workflow, and one by a
pipeline; in Azure Repos one is pinned, and built by a pipeline.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.fleets.fleet import SampleFleet
from sandbox.fleets.pipelines import BESIDE, HOME, PINNED, THERE, MixedFleet, azure_devops_in
from sandbox.world import World
from tests.e2e.kill_points import SHARES, Point, is_request, one_share, told_apart
from tests.e2e.killed_walks import Act, Pass, Scenario, check, in_sqlite, patching
from tests.e2e.outcome import Outcome

SOME = 4


class OnTwoForges(MixedFleet):
    """The pinned and the floating one of the sample fleet, and what pipelines build."""

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        names = (PINNED, "catalog-web", BESIDE)
        return {name: files for name, files in MixedFleet.repositories(self, version).items() if name in names}


async def merge_and_finish(world: World, fleet: SampleFleet) -> None:
    """People merge what is open on both forges, and all that builds succeeds."""
    assert isinstance(fleet, OnTwoForges)
    for request in await world.github.pull_requests(PINNED):
        await world.github.merge(PINNED, request["number"])
    for number, row in list(fleet.service.requests.rows.items()):
        if row["status"] == "active":
            fleet.service.requests.complete(number)
    for run in world.github.runs():
        if run.conclusion is None:
            world.github.finish_run(run.id)
    for build in list(fleet.service.builds):
        fleet.service.finish(build)


def _rule(repository: str, pipeline: int) -> Mapping[str, object]:
    return {"match": {"repositories": [repository]}, "workflow": f"azure-pipelines: {HOME}/{pipeline}"}


@dataclass(frozen=True)
class OnBoth(Scenario):
    """One patch that all four take."""

    settings: Mapping[str, object] = field(default_factory=dict)
    counted: int | None = None
    least: int = 60

    def fleet(self, world: World) -> SampleFleet:
        return OnTwoForges(world)

    def settings_in(self, world: World, folder: Path) -> Mapping[str, object]:
        policy = [_rule(f"contoso/{BESIDE}", 21), _rule(f"{HOME}/{THERE}", 22), {"settle": "0s"}]
        return {"azure_devops": azure_devops_in(world, folder, f"{HOME}/*"), "policy": policy}

    def way(self) -> Iterator[Act | Pass]:
        yield Pass.WHOLE
        yield patching(1)
        yield Pass.MAY_BE_KILLED
        yield merge_and_finish
        yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        """Each was built once, with one pull request for each that is pinned, and all were proved."""
        names = (f"contoso/{PINNED}", "contoso/catalog-web", f"contoso/{BESIDE}", f"{HOME}/{THERE}")
        assert sorted(outcome.rebuilds) == sorted((name, "succeeded") for name in names)
        assert [(state, is_merged) for _, state, _, is_merged in outcome.pull_requests] == [("closed", True)]
        assert sorted(name for name, _, _ in outcome.runs) == ["contoso/catalog-web", f"contoso/{PINNED}"]
        azure = outcome.azure
        assert azure is not None
        assert [(status, labels) for _, status, labels in azure.pull_requests] == [("completed", ("freshness",))]
        assert sorted(number for number, _, _ in azure.builds) == [21, 22]


def _writes(points: Sequence[Point]) -> Sequence[Point]:
    return told_apart([point for point in points if is_request(point.name) and "/blobs" not in point.name])


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_the_end_on_two_forges_is_the_same_whichever_request_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    wanted = one_share(share, lambda name: is_request(name) and "/blobs" not in name)
    check(OnBoth(), tmp_path, in_sqlite(tmp_path), subtests, wanted)


@pytest.mark.kill
def test_the_end_on_two_forges_is_the_same_after_a_kill_at_some_requests(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        there = _writes(points)
        return [there[place * len(there) // SOME] for place in range(SOME)]

    check(OnBoth(), tmp_path, in_sqlite(tmp_path), subtests, chosen)
