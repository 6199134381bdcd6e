"""Which changes belong together: one publication upstream makes one rollout."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.change import Cause, Move
from bot.domain.reference import Base
from bot.domain.rollout import OpenRollout

PUBLICATION = timedelta(hours=2)
"""Microsoft publishes the image families of one release within two hours of each other."""

_DOTNET = frozenset({Cause.DOTNET_SECURITY, Cause.DOTNET_RELEASE, Cause.DOTNET_UNKNOWN, Cause.CHANNEL_MOVE})


@dataclass(frozen=True, slots=True)
class Group:
    joins: int | None
    moves: tuple[Move, ...]


def group(moves: Sequence[Move], rollouts: Sequence[OpenRollout], now: datetime) -> tuple[Group, ...]:
    """Changes of one kind (.NET or not) that came within one publication, no base twice."""
    groups: list[tuple[int | None, bool, set[Base], list[Move]]] = [
        (rollout.id, _is_dotnet(rollout.causes), set(rollout.bases), [])
        for rollout in sorted(rollouts, key=lambda rollout: rollout.opened_at, reverse=True)
        if now - rollout.opened_at < PUBLICATION
    ]
    for move in sorted(moves, key=lambda move: (move.change.at, move.change.base)):
        dotnet = move.change.cause in _DOTNET
        home = next((entry for entry in groups if entry[1] == dotnet and move.change.base not in entry[2]), None)
        if home is None:
            home = (None, dotnet, set(), [])
            groups.append(home)
        home[2].add(move.change.base)
        home[3].append(move)
    return tuple(Group(joins, tuple(members)) for joins, _, _, members in groups if members)


def _is_dotnet(causes: Sequence[Cause]) -> bool:
    return any(cause in _DOTNET for cause in causes)
