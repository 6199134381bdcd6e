"""Killed at every write about rebuilds while own bases are rebuilt in order, the bot ends in the same state.

A golden image is built on a patch, and then two services on the golden image, of which one is built in a golden SDK
as well. Which of the two services goes first is open: where a dispatch may have been sent, its run is looked for
before it is sent again, and the other service does not wait for that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sandbox.fleets.fleet import SampleFleet
from sandbox.fleets.golden import GOLDEN, GoldenFleet
from sandbox.world import World
from tests.e2e.kill_points import SHARES, Choice, Point, is_about_rebuilds, spread
from tests.e2e.killed_walks import Act, Pass, Scenario, check, finishing, in_sqlite, patching
from tests.e2e.outcome import Outcome

PATH = ".github/workflows/weekly-rebuild.yml"
SERVICES = ("service-00", "service-01")


@dataclass(frozen=True)
class InOrder(Scenario):
    """A golden image is rebuilt, and then both services on it."""

    settings: Mapping[str, object] = field(default_factory=dict)
    counted: int | None = None
    least: int = 60

    def fleet(self, world: World) -> SampleFleet:
        return GoldenFleet(world, services=len(SERVICES))

    def way(self) -> Iterator[Act | Pass]:
        yield Pass.WHOLE
        yield patching(1)
        yield Pass.MAY_BE_KILLED
        yield finishing(GOLDEN)
        for _ in ("its image is seen", "who stands on it goes"):
            yield Pass.MAY_BE_KILLED
        for name in SERVICES:
            yield finishing(name)
        yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        """Each was built once, the services after the golden image was there, and all were proved."""
        all_of_them = [f"contoso/{name}" for name in (GOLDEN, *SERVICES)]
        assert sorted(outcome.runs) == [(name, PATH, "success") for name in all_of_them]
        assert sorted(outcome.rebuilds) == [(name, "succeeded") for name in all_of_them]
        assert outcome.runs[0][0] == f"contoso/{GOLDEN}"
        (_, there), *services = outcome.times
        assert all(began > there for began, _ in services)

    def check_killed(self, outcome: Outcome, wanted: Outcome) -> None:
        self.check(outcome)
        assert replace(outcome, runs=tuple(sorted(outcome.runs))) == replace(
            wanted, runs=tuple(sorted(wanted.runs))
        )


def between_writes(share: int) -> Choice:
    """A share of the kills before each write about rebuilds and after the last of each pass: what is kept of others
    in between is kept alike on every way, so that one kill stands for all from one such write to the next."""

    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        about = [point for point in points if is_about_rebuilds(point.name)]
        last = {point.in_pass: point for point in about}.values()
        return [point for point in about if point.name.startswith("before") or point in last][share::SHARES]

    return chosen


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_own_bases_are_rebuilt_in_order_whichever_write_about_them_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(InOrder(), tmp_path, in_sqlite(tmp_path), subtests, between_writes(share))


@pytest.mark.kill
@pytest.mark.long
def test_own_bases_are_rebuilt_in_order_wherever_that_was_killed_on_postgresql(
    tmp_path: Path,
    postgres_databases: Callable[[str | None], str],
    postgres_template: str,
    subtests: pytest.Subtests,
) -> None:
    check(
        InOrder(),
        tmp_path,
        lambda _, source: postgres_databases(source or postgres_template),
        subtests,
        spread(4),
    )
