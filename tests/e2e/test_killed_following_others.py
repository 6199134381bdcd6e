"""Killed at every write while it follows runs that others have started, the bot ends in the same state.

A base moves and settles, and meanwhile somebody pushes: that run builds what is wanted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.killed_walks import (
    SHARES,
    Outcome,
    Pass,
    Point,
    Scenario,
    check,
    finish,
    in_sqlite,
    is_about_rebuilds,
    one_share,
    told_apart,
)

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

    async def play(self, world: World, fleet: SampleFleet, one_pass: Pass, whole_pass: Pass) -> None:
        await moved_before_a_push(world, fleet, whole_pass)
        await one_pass()
        finish(world, NAME)
        for _ in ("its image is seen", "all is told"):
            await one_pass()

    def check(self, outcome: Outcome) -> None:
        assert_ended(outcome, "success")


@dataclass(frozen=True)
class ReplacedAndInVain(BringsIt):
    """The run is cancelled for the next one, which fails: one dispatch makes up for both."""

    async def play(self, world: World, fleet: SampleFleet, one_pass: Pass, whole_pass: Pass) -> None:
        await moved_before_a_push(world, fleet, whole_pass)
        await one_pass()
        await world.github.push(NAME, {"README.md": "more news\n"})
        world.github.finish_run(world.github.runs(NAME)[0].id, "cancelled")
        await one_pass()
        finish(world, NAME, "failure")
        for _ in ("it was in vain", "a dispatch takes its place"):
            await one_pass()
        finish(world, NAME)
        for _ in ("its image is seen", "all is told"):
            await one_pass()

    def check(self, outcome: Outcome) -> None:
        assert_ended(outcome, "cancelled", "failure", "success")


async def moved_before_a_push(world: World, fleet: SampleFleet, whole_pass: Pass) -> None:
    await fleet.publish_runtime("10.0.1")
    await whole_pass()
    await world.github.push(NAME, {"README.md": "news\n"})
    [run] = world.github.runs(NAME)
    run.created_at = datetime.now(UTC) + timedelta(minutes=1)


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
