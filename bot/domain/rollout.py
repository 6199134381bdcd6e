"""All rebuilds set off by changes that belong together."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.change import Change
from bot.domain.rebuild import Rebuild, State


@dataclass(frozen=True, slots=True)
class Rollout:
    """One publication upstream and what the fleet does about it; `ended_at` is None while anything is open."""

    id: int
    opened_at: datetime
    changes: tuple[Change, ...]
    rebuilds: tuple[Rebuild, ...]
    ended_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        return all(rebuild.state.has_ended for rebuild in self.rebuilds)


def tally(rebuilds: Iterable[Rebuild]) -> dict[State, int]:
    """How many rebuilds are in each state, in the order of the states' definition."""
    counts = Counter(rebuild.state for rebuild in rebuilds)
    return {state: counts[state] for state in State if counts[state]}
