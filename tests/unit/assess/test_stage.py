"""The stage between the store's observations and its changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.assess.stage import Pair, tick
from bot.domain.advisory import Advisory, Release
from bot.domain.change import Cause, Change, Move
from bot.domain.clock import ManualClock
from tests.unit.assess.world import DAY, seen


@dataclass
class Store:
    """Holds pairs until their changes are saved; no change is old enough to be looked at again."""

    pairs: list[Pair]
    changes: list[Change] = field(default_factory=list)

    async def unassessed(self, limit: int) -> Sequence[Pair]:
        return self.pairs[:limit]

    async def feeds_revision(self) -> int:
        return 0

    async def save_changes(self, found: Sequence[tuple[Pair, Change]], revision: int) -> None:
        self.changes += [change for _, change in found]
        self.pairs = self.pairs[len(found) :]

    async def reassessable(self, revision: int) -> Sequence[Move]:
        return ()

    async def save_reassessed(self, looked_at: Sequence[int], news: Sequence[Move], revision: int) -> None:
        raise AssertionError("there was nothing to look at again")

    async def known_releases(self) -> Mapping[str, Release]:
        return {}

    async def known_advisories(self) -> Mapping[str, Advisory]:
        return {}


async def test_an_inventory_fetched_before_a_registry_was_asked_and_read_after_it_stops_nothing() -> None:
    fetched, asked = DAY, DAY + timedelta(seconds=2)
    withdrawn = Pair(2, 1, 1, seen("1", at=asked), seen(None, at=fetched))
    other = Pair(4, 3, 2, seen("1", of="sdk:8.0", at=fetched), seen("2", of="sdk:8.0", at=asked))
    store = Store([withdrawn, other])
    tally = await tick(store, store, ManualClock(asked))
    assert [(change.cause, change.at) for change in tally.changes] == [
        (Cause.WITHDRAWN, fetched),
        (Cause.LAYERS_ONLY, asked),
    ]
    assert store.pairs == []
