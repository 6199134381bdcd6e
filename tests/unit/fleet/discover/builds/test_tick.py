"""The runs of many owners' workflows: who cannot be asked at present keeps no other from being looked at."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.domain.builder.port import Builder
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.host import Host
from bot.domain.repositories.builds import BranchBuilds, LatestRuns
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.policy import Policy
from bot.fleet.discover.builds.tick import BuildsStore, BuildsTally, DueBuilds, Seen, tick
from bot.reconcile.loop import Loop
from tests.builders import NOON
from tests.fakes.queue import FakeQueue


class Store:
    """Workflows of these repositories, all of them known and due."""

    def __init__(self, *names: str) -> None:
        self.builds: FakeQueue[DueBuilds] = FakeQueue()
        self.seen: list[str] = []
        for number, name in enumerate(names, 1):
            due = DueBuilds(number, Identity(name), "main", "weekly.yml", f"W_{number}", BranchBuilds())
            self.builds.add(due, NOON, name, number)

    async def claim_wanted(self, mark: str) -> None:
        """The workflows that count are known."""

    async def save_seen(self, seen: Sequence[tuple[DueBuilds, Seen]]) -> None:
        for item, found in seen:
            self.builds.settle(item.id, found.due_at)
            self.seen.append(item.identity.name)


class OneInTrouble:
    """A forge of several owners, one of whom cannot be asked at present."""

    def __init__(self, owner: str, failure: Failure) -> None:
        self.owner = owner
        self.failure = failure
        self.asked = 0

    async def serving(self, one: Identity) -> Any:
        is_in_trouble = one.name.startswith(f"{self.owner}/")

        async def latest_runs(known: Sequence[str]) -> Mapping[str, LatestRuns]:
            self.asked += 1
            if is_in_trouble:
                raise self.failure
            return dict.fromkeys(known, LatestRuns("active", (), are_all=True))

        return SimpleNamespace(latest_runs=latest_runs)


async def looked(store: Store, forge: OneInTrouble) -> BuildsTally:
    loop = Loop(ManualClock(NOON))
    given = cast(BuildsStore, store), cast(Builder, forge), Policy(), "mark", Host(), loop
    return await tick(*given)


async def test_an_owner_without_an_answer_keeps_no_other_from_being_looked_at() -> None:
    store = Store(*(f"contoso/r{number}" for number in range(9)), "fabrikam/cart")
    forge = OneInTrouble("contoso", Failure(Trouble.UNREACHABLE, "HTTP 502", status=502))
    await looked(store, forge)
    assert (store.seen, forge.asked) == (["fabrikam/cart"], 2)
    assert all(store.builds.rows[number].due_at > NOON for number in range(1, 10))


@pytest.mark.parametrize("order", [1, -1])
async def test_a_pause_that_is_asked_for_is_kept_for_all(order: int) -> None:
    store = Store(*["contoso/shop", "fabrikam/cart"][::order])
    busy = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(minutes=20))
    await looked(store, OneInTrouble("contoso", busy))
    at_contoso = next(row for row in store.builds.rows.values() if row.name == "contoso/shop")
    assert at_contoso.due_at == NOON + timedelta(minutes=20)
