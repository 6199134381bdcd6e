"""Killed at every write while it follows runs that others have started, the bot ends in the same state.

A base moves and settles, and meanwhile somebody pushes: that run builds what is wanted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.kill_points import SHARES, Point, is_about_rebuilds, one_share, told_apart
from tests.e2e.killed_walks import Act, Pass, Scenario, check, finishing, in_sqlite
from tests.e2e.outcome import Outcome

NAME = "catalog-web"
PATH = ".github/workflows/weekly-rebuild.yml"


class BuiltOnPush(SampleFleet):
    """One repository that floats, which a push builds as well as a dispatch."""

    def repositories(self, version: str) -> Any:
        files = dict(super().repositories(version)[NAME])
        files[PATH] = files[PATH].replace("on:\n", "on:\n  push:\n    branches: [main]\n", 1)
        return {NAME: files}


def about_rebuilds(points: Sequence[Point]) -> Sequence[Point]:
    return told_apart([point for point in points if is_about_rebuilds(point.name)])


@dataclass(frozen=True)
class BringsIt(Scenario):
    """The run brings what is wanted: nothing is dispatched."""

    settings: Mapping[str, object] = field(default_factory=lambda: {"policy": [{"match": {}, "settle": "5m"}]})
    counted: int | None = None
    least: int = 60
    later: timedelta = timedelta(minutes=10)

    def fleet(self, world: World) -> SampleFleet:
        return BuiltOnPush(world)

    def way(self) -> Iterator[Act | Pass]:
        yield from moved_before_a_push()
        yield Pass.MAY_BE_KILLED
        yield finishing(NAME)
        for _ in ("its image is seen", "all is told"):
            yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        assert_ended(outcome, "success")


@dataclass(frozen=True)
class ReplacedAndInVain(BringsIt):
    """The run is cancelled for the next one, which fails: one dispatch makes up for both."""

    def way(self) -> Iterator[Act | Pass]:
        yield from moved_before_a_push()
        yield Pass.MAY_BE_KILLED
        yield replace_by_another
        yield Pass.MAY_BE_KILLED
        yield finishing(NAME, "failure")
        for _ in ("it was in vain", "a dispatch takes its place"):
            yield Pass.MAY_BE_KILLED
        yield finishing(NAME)
        for _ in ("its image is seen", "all is told"):
            yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        assert_ended(outcome, "cancelled", "failure", "success")


def moved_before_a_push() -> Iterator[Act | Pass]:
    yield move
    yield Pass.WHOLE
    yield push


async def move(_: World, fleet: SampleFleet) -> None:
    await fleet.publish_runtime("10.0.1")


async def push(world: World, _: SampleFleet) -> None:
    await world.github.push(NAME, {"README.md": "news\n"})
    [run] = world.github.runs(NAME)
    run.created_at = datetime.now(UTC) + timedelta(minutes=1)


async def replace_by_another(world: World, _: SampleFleet) -> None:
    await world.github.push(NAME, {"README.md": "more news\n"})
    world.github.finish_run(world.github.runs(NAME)[0].id, "cancelled")


def assert_ended(outcome: Outcome, *conclusions: str) -> None:
    """There were these runs and no other, the last has brought it, and it was told in one message."""
    assert [conclusion for _, _, conclusion in outcome.runs] == list(conclusions)
    assert outcome.rebuilds[0] == (f"contoso/{NAME}", "succeeded")
    assert len(outcome.messages) == 1


@pytest.mark.kill
@pytest.mark.long
def test_what_a_run_of_others_brings_is_proved_wherever_its_following_was_killed(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    check(BringsIt(), tmp_path, in_sqlite(tmp_path), subtests, about_rebuilds)


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_one_dispatch_makes_up_for_runs_of_others_that_bring_nothing_wherever_that_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(
        ReplacedAndInVain(),
        tmp_path,
        in_sqlite(tmp_path),
        subtests,
        one_share(share, is_about_rebuilds),
    )
