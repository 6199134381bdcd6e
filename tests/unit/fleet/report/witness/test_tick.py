"""An empty store asks whether the bot was here before, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.issue import Issue
from bot.domain.rollouts.witness import Said, SaidHold, Witness, witness_line
from bot.fleet.report.fleet_issue.body import opening
from bot.fleet.report.witness.tick import UNKNOWN, WitnessTally, tick
from tests.builders import NOON
from tests.fakes.forge import FakeForge
from tests.fakes.repository import FakeRepository

HANDBOOK = "contoso/handbook"
HOLD = SaidHold("contoso/shop", "held by Cem: a release")
WITNESS = Witness(date(2026, 3, 9), ("everything paused by Ann: we migrate",), 1, (HOLD,))


@dataclass(slots=True)
class Store:
    asked: bool = False
    paused: list[str] = field(default_factory=list)
    ended: list[str | None] = field(default_factory=list)
    said: tuple[Said, ...] = ()

    async def is_asked(self) -> bool:
        return self.asked

    async def pause(self, reason: str) -> None:
        self.paused.append(reason)

    async def end(self, reason: str | None, said: Sequence[Said]) -> None:
        self.ended.append(reason)
        self.said = tuple(said)
        self.asked = True


@pytest.fixture
def forge() -> FakeForge:
    return FakeForge(ManualClock(NOON), [FakeRepository("9", HANDBOOK)])


def has_issue(forge: FakeForge, *lines: str) -> None:
    forge.homes[0].issues[1] = Issue(1, "\n".join([opening(4), *lines]), is_open=True)


async def test_where_the_bot_was_here_before_it_waits_and_says_what_was_said(forge: FakeForge) -> None:
    store = Store()
    has_issue(forge, witness_line(WITNESS))
    tally = await tick(store, forge, HANDBOOK, "freshness")
    assert tally.paused is not None
    assert "everything paused by Ann: we migrate" in tally.paused
    assert (store.ended, store.said) == ([tally.paused], (HOLD,))
    assert await tick(store, forge, HANDBOOK, "freshness") == WitnessTally()
    assert len(forge.asked) == 1


@pytest.mark.parametrize("lines", [None, ()], ids=["no issue", "an issue of an earlier version"])
async def test_where_nothing_tells_of_it_nothing_is_paused(forge: FakeForge, lines: tuple[str, ...] | None) -> None:
    store = Store()
    if lines is not None:
        has_issue(forge, *lines)
    assert await tick(store, forge, HANDBOOK, "freshness") == WitnessTally()
    assert (store.paused, store.ended) == ([], [None])


async def test_as_long_as_nobody_can_tell_nothing_begins(forge: FakeForge) -> None:
    store = Store()
    forge.failing["find_issue"] = Failure(Trouble.UNREACHABLE, "no answer")
    tally = await tick(store, forge, HANDBOOK, "freshness")
    assert (tally.problems, store.paused, store.ended) == (
        ("the fleet issue in contoso/handbook: no answer",),
        [UNKNOWN],
        [],
    )
    forge.failing.clear()
    await tick(store, forge, HANDBOOK, "freshness")
    assert store.ended == [None]
