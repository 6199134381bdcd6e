"""No write is made out of its turn, and a forge that wants fewer of them is left alone in writing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.forge.refusals import NotIncluded
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.reconcile.guarded import Budget, Guarded, NoTurn, Turn, Write, WriteBounds

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHOP = Identity("Contoso/shop", "R_1")


@dataclass(slots=True)
class Turns:
    """Gives what it was told to give, and notes what it was asked for."""

    turn: Turn
    asked: list[tuple[str, int]] = field(default_factory=list)
    stopped: list[timedelta | None] = field(default_factory=list)

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        self.asked.append((account, contents))
        return self.turn

    async def stop(self, account: str, asked: timedelta | None) -> timedelta:
        self.stopped.append(asked)
        return timedelta(minutes=3)


@dataclass(slots=True)
class Port:
    clock: ManualClock
    met: Failure | None = None
    done: list[tuple[str, datetime]] = field(default_factory=list)

    async def look(self, repository: Identity) -> str:
        return "seen"

    async def open(self, repository: Identity, titles: Sequence[str]) -> int:
        if self.met is not None:
            raise self.met
        self.done.append((repository.name, self.clock.now()))
        return len(titles)


class Held:
    """A lease that holds, unless it is lost."""

    def __init__(self) -> None:
        self.is_lost = False

    async def check(self) -> None:
        if self.is_lost:
            raise LeaseLost("taken over")


@dataclass(slots=True)
class World:
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    turns: Turns = field(default_factory=lambda: Turns(Turn(NOON)))
    lease: Held = field(default_factory=Held)
    by_owner: bool = True
    port: Port = field(init=False)

    def __post_init__(self) -> None:
        self.port = Port(self.clock)

    @property
    def guarded(self) -> Any:
        async def sleep(seconds: float) -> None:
            self.clock.advance(timedelta(seconds=seconds))

        budget = Budget(self.turns, self.clock, WriteLimits(), self.by_owner, sleep)
        writes = {"open": Write(lambda repository, titles: len(titles), lambda repository, titles: not titles)}
        return Guarded(self.port, writes, self.lease, WriteBounds(budget, lambda home: home.name != "away/shop"))


@pytest.fixture
def world() -> World:
    return World()


async def test_a_read_takes_no_turn(world: World) -> None:
    assert await world.guarded.look(SHOP) == "seen"
    assert world.turns.asked == []


async def test_a_write_takes_a_turn_for_what_it_makes(world: World) -> None:
    assert await world.guarded.open(SHOP, ["a", "b"]) == 2
    assert world.turns.asked == [("contoso/", 2)]


async def test_a_token_has_one_account_for_all_owners(world: World) -> None:
    world.by_owner = False
    await world.guarded.open(SHOP, ["a"])
    assert world.turns.asked == [("", 1)]


async def test_what_is_written_at_a_builder_elsewhere_takes_no_turn_of_the_forge(world: World) -> None:
    budget = Budget(world.turns, world.clock, host="dev.azure.com")
    guarded: Any = Guarded(world.port, {"open": Write()}, world.lease, WriteBounds(budget))
    await guarded.open(SHOP, [])
    assert world.turns.asked == [("dev.azure.com: contoso/", 0)]
    world.port.met = Failure(Trouble.THROTTLED, "slow down")
    with pytest.raises(NoTurn, match=r"dev\.azure\.com wants fewer writes"):
        await guarded.open(SHOP, [])


async def test_what_another_forge_lists_takes_turns_of_its_own(world: World) -> None:
    azure = Budget(world.turns, world.clock, host="dev.azure.com")
    budget = Budget(world.turns, world.clock, others={"azure-devops": azure})
    guarded: Any = Guarded(world.port, {"open": Write()}, world.lease, WriteBounds(budget))
    for repository in (SHOP, Identity("contoso/team/shop", forge="azure-devops")):
        await guarded.open(repository, [])
    assert world.turns.asked == [("contoso/", 0), ("dev.azure.com: contoso/", 0)]


async def test_a_write_begins_at_its_turn(world: World) -> None:
    world.turns.turn = Turn(NOON + timedelta(seconds=2))
    await world.guarded.open(SHOP, [])
    assert world.port.done == [("Contoso/shop", NOON + timedelta(seconds=2))]


async def test_without_a_turn_nothing_is_written_and_it_is_said_when_there_will_be_one(world: World) -> None:
    world.turns.turn = Turn(NOON + timedelta(minutes=9), "it waits for its turn")
    with pytest.raises(NoTurn, match="it waits for its turn") as raised:
        await world.guarded.open(SHOP, ["a"])
    assert raised.value.retry_after == timedelta(minutes=9)
    assert not raised.value.is_news
    assert world.port.done == []


async def test_a_lease_that_is_lost_while_the_turn_is_waited_for_keeps_the_write(world: World) -> None:
    world.lease.is_lost = True
    with pytest.raises(LeaseLost):
        await world.guarded.open(SHOP, ["a"])
    assert world.port.done == []


async def test_a_refusal_for_too_many_writes_stops_writing_alone(world: World) -> None:
    world.port.met = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(minutes=1))
    with pytest.raises(NoTurn) as raised:
        await world.guarded.open(SHOP, ["a"])
    assert world.turns.stopped == [timedelta(minutes=1)]
    assert raised.value.retry_after == timedelta(minutes=3)
    assert raised.value.told.startswith("the forge wants fewer writes (slow down); ")
    assert raised.value.is_news
    assert not raised.value.pauses_host
    assert await world.guarded.look(SHOP) == "seen"


async def test_any_other_refusal_is_told_as_it_is(world: World) -> None:
    world.port.met = Failure(Trouble.DENIED, "no right")
    with pytest.raises(Failure, match="no right"):
        await world.guarded.open(SHOP, ["a"])
    assert world.turns.stopped == []


async def test_under_a_name_that_is_not_included_only_what_takes_something_back_is_written(world: World) -> None:
    away = Identity("away/shop", "R_1")
    with pytest.raises(NotIncluded, match="do not include a repository of this name"):
        await world.guarded.open(away, ["a"])
    assert (world.port.done, world.turns.asked) == ([], [])
    await world.guarded.open(away, [])
    assert [name for name, _ in world.port.done] == ["away/shop"]


async def test_a_turn_that_is_given_now_is_not_waited_for(world: World) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    budget = Budget(world.turns, world.clock, sleep=sleep)
    await budget.turn("contoso/", 1)
    world.turns.turn = Turn(NOON - timedelta(seconds=3))
    await budget.turn("contoso/", 1)
    assert slept == []


async def test_who_has_no_turn_comes_again_in_a_second_at_the_earliest(world: World) -> None:
    world.turns.turn = Turn(NOON, "it waits for its turn")
    with pytest.raises(NoTurn) as raised:
        await world.guarded.open(SHOP, ["a"])
    assert raised.value.retry_after == timedelta(seconds=1)
    assert str(raised.value) == "it waits for its turn; it goes on by itself when there is room again"


async def test_where_nothing_bounds_writes_the_lease_is_checked_all_the_same(world: World) -> None:
    guarded: Any = Guarded(world.port, {"open": Write()}, world.lease)
    assert await guarded.open(SHOP, ["a"]) == 1
    world.lease.is_lost = True
    with pytest.raises(LeaseLost):
        await guarded.open(SHOP, ["a"])
    assert len(world.port.done) == 1
