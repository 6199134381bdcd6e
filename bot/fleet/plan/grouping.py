"""Which changes belong together: one publication upstream makes one rollout."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.bases.change import TOLD_BY_FEEDS, Cause, Change, Move
from bot.domain.clock import is_yet_to_come
from bot.domain.reference import Base
from bot.domain.rollouts.rollout import OpenRollout

PUBLICATION = timedelta(hours=2)
"""Microsoft publishes the image families of one release within two hours of each other."""

_DOTNET = TOLD_BY_FEEDS | {Cause.CHANNEL_MOVE}


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that are planned together; `joins` is the rollout that they belong to where there is one already."""

    joins: int | None
    moves: tuple[Move, ...]


@dataclass(slots=True)
class _OpenGroup:
    """A group that still takes changes in: of its kind, within one publication of its beginning, no base twice."""

    joins: int | None
    dotnet: bool
    since: datetime
    bases: set[Base]
    moves: list[Move]

    def takes(self, change: Change) -> bool:
        return (
            self.dotnet == (change.cause in _DOTNET)
            and change.base not in self.bases
            and change.at - self.since < PUBLICATION
        )


def group(moves: Sequence[Move], rollouts: Sequence[OpenRollout], now: datetime) -> tuple[Group, ...]:
    """Changes of one kind (.NET or not) that came within one publication, no base twice.

    A change that is planned once more, for repositories that came later, stays with its rollout.
    """
    moves_by_rollout: dict[int, list[Move]] = {}
    for move in moves:
        if move.rollout is not None:
            moves_by_rollout.setdefault(move.rollout, []).append(move)
    groups = [
        _OpenGroup(rollout.id, _is_dotnet(rollout.causes), rollout.opened_at, set(rollout.bases), [])
        for rollout in sorted(rollouts, key=lambda rollout: rollout.opened_at, reverse=True)
        if now - rollout.opened_at < PUBLICATION and not is_yet_to_come(rollout.opened_at, now)
    ]
    fresh = [move for move in moves if move.rollout is None]
    for move in sorted(fresh, key=lambda move: (move.change.at, move.change.base)):
        change = move.change
        home = next((entry for entry in groups if entry.takes(change)), None)
        if home is None:
            home = _OpenGroup(None, change.cause in _DOTNET, change.at, set(), [])
            groups.append(home)
        home.bases.add(change.base)
        home.moves.append(move)
    return (
        *(Group(rollout, tuple(group_moves)) for rollout, group_moves in sorted(moves_by_rollout.items())),
        *(Group(entry.joins, tuple(entry.moves)) for entry in groups if entry.moves),
    )


def _is_dotnet(causes: Sequence[Cause]) -> bool:
    return any(cause in _DOTNET for cause in causes)
