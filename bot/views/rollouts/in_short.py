"""Rollouts in short: how many of their rebuilds are in each state, and the few that need somebody."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.rollouts.rebuild import NEED_A_PERSON, Rebuild, RebuildState

MOST_NAMED = 5
"""So many rebuilds are named of each state in which they need a person, the longest in it first."""
MOST_UNDER_WAY = 2
"""So many are named of those under way, the ones that are so the longest."""
MOST_WAITING = 2
"""So many are named of those that were tried and wait: their reasons tell what keeps the others from beginning."""


@dataclass(frozen=True, slots=True)
class RolloutInShort:
    """`is_whole` says whether what has ended is counted too. `named` are rebuilds that failed, then those that wait
    for a person, then the longest under way, then the longest of those that cannot begin."""

    id: int
    is_whole: bool
    states: Mapping[RebuildState, int]
    named: tuple[Rebuild, ...]

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def more(self) -> int:
        """How many rebuilds are counted and not named."""
        return self.total - len(self.named)


def in_short(
    rebuilds: Iterable[Rebuild], now: datetime, tried_again: Collection[int] = ()
) -> tuple[RolloutInShort, ...]:
    """Sums up each rollout, of what `status` has: all rebuilds of the newest, of the others what has not ended.

    Those `tried_again`, by their ids, count no more: what took their place does.
    """
    by_rollout: dict[int, list[Rebuild]] = {}
    for rebuild in rebuilds:
        if rebuild.id not in tried_again:
            by_rollout.setdefault(rebuild.rollout, []).append(rebuild)
    newest = max(by_rollout, default=0)
    return tuple(
        RolloutInShort(
            id_,
            id_ == newest,
            {state: number for state in RebuildState if (number := states[state])},
            tuple(_list_needy(of_rollout, now)),
        )
        for id_, of_rollout in sorted(by_rollout.items())
        for states in (Counter(each.state for each in of_rollout),)
    )


def by_need(rebuilds: Iterable[Rebuild]) -> Sequence[Rebuild]:
    """Those first that need a person, then what is under way, what waits, and what is over; else as they come."""

    def rank(rebuild: Rebuild) -> tuple[bool, ...]:
        state = rebuild.state
        return (state not in NEED_A_PERSON, state is not RebuildState.FAILED, state.has_ended, state.awaits_action)

    return sorted(rebuilds, key=rank)


def stands_for(rebuild: Rebuild, now: datetime) -> timedelta:
    """How long ago a rebuild has ended, or, while it has not, its effect was first intended."""
    return rebuild.age(now) if rebuild.ended_at is None else now - rebuild.ended_at


def _list_needy(of_rollout: Sequence[Rebuild], now: datetime) -> Iterator[Rebuild]:
    longest_first = sorted(of_rollout, key=lambda each: stands_for(each, now), reverse=True)
    for state in NEED_A_PERSON:
        yield from [each for each in longest_first if each.state is state][:MOST_NAMED]
    yield from [each for each in longest_first if _is_under_way(each.state)][:MOST_UNDER_WAY]
    yield from [each for each in longest_first if each.state is RebuildState.WAITING][:MOST_WAITING]


def _is_under_way(state: RebuildState) -> bool:
    return not (state.has_ended or state.awaits_action or state in NEED_A_PERSON)
