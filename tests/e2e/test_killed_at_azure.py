"""Killed at every write to Azure DevOps and started again, the bot ends in the same state.

Of two repositories in Azure Repos one is pinned, and gets pull requests that are brought up to date and merged; the
other floats, and has its pipeline started.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.fleets.fleet import SampleFleet
from sandbox.fleets.pipelines import FLOATING, HOME, PINNED, AzureFleet, azure_devops_in
from sandbox.world import World
from tests.e2e.kill_points import Point, one_share, told_apart
from tests.e2e.killed_walks import Act, Pass, Scenario, check, in_sqlite, patching
from tests.e2e.outcome import Outcome

SOME = 6


async def push_beside(_: World, fleet: SampleFleet) -> None:
    """The default branch moves on, so that the bot's is brought onto it."""
    assert isinstance(fleet, AzureFleet)
    fleet.service.repos.push(fleet.homes[PINNED], "main", {"NEWS.md": b"news\n"})
    for number, row in list(fleet.service.builds.items()):
        if row["reason"] == "individualCI":  # of no rebuild; the numbers of others are never given twice
            del fleet.service.builds[number]


async def merge_and_finish(_: World, fleet: SampleFleet) -> None:
    assert isinstance(fleet, AzureFleet)
    for number, row in list(fleet.service.requests.rows.items()):
        if row["status"] == "active":
            fleet.service.requests.complete(number)
    for build in list(fleet.service.builds):
        fleet.service.finish(build)


def _rule(name: str, number: int) -> Mapping[str, object]:
    pipeline = f"azure-pipelines: {HOME}/{number}"
    return {"match": {"repositories": [f"{HOME}/{name}"]}, "workflow": pipeline, "settle": "0s"}


@dataclass(frozen=True)
class InAzureRepos(Scenario):
    """Two patches: the second brings the open pull request up to date."""

    settings: Mapping[str, object] = field(default_factory=dict)
    counted: int | None = None
    least: int = 40

    def fleet(self, world: World) -> SampleFleet:
        return AzureFleet(world)

    def settings_in(self, world: World, folder: Path) -> Mapping[str, object]:
        policy = [_rule(FLOATING, 12), _rule(PINNED, 13)]
        return {"azure_devops": azure_devops_in(world, folder, f"{HOME}/*"), "policy": policy}

    def way(self) -> Iterator[Act | Pass]:
        yield patching(1)
        yield Pass.MAY_BE_KILLED
        yield push_beside
        yield patching(2)
        yield Pass.MAY_BE_KILLED
        yield merge_and_finish
        yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        azure = outcome.azure
        assert azure is not None
        assert [(status, labels) for _, status, labels in azure.pull_requests] == [("completed", ("freshness",))]
        assert dict(azure.branches)[PINNED] == ("freshness/dotnet-aspnet-10.0-noble-chiseled", "main")
        assert {number for number, _, _ in azure.builds} == {12, 13}


def is_at_azure(point: Point) -> bool:
    return "_apis" in point.name and "/blobs" not in point.name


@pytest.mark.kill
def test_the_end_is_the_same_after_a_kill_at_some_writes_there(tmp_path: Path, subtests: pytest.Subtests) -> None:
    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        there = told_apart([point for point in points if is_at_azure(point)])
        return [there[place * len(there) // SOME] for place in range(SOME)]

    check(InAzureRepos(), tmp_path, in_sqlite(tmp_path), subtests, chosen)


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(4))
def test_the_end_is_the_same_wherever_it_was_killed_there(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    wanted = one_share(share, lambda name: "_apis" in name and "/blobs" not in name)
    check(InAzureRepos(), tmp_path, in_sqlite(tmp_path), subtests, wanted)
