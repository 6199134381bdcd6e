"""A rollout with its changes, and its rebuilds a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.views.paging import Page
from bot.views.rollouts.rollout import RolloutProgress
from bot.views.rows import ChangeRow, RebuildRow


@dataclass(frozen=True, slots=True)
class RolloutPage:
    """`changes` are the latest of it, `change_count` how many there are in all."""

    progress: RolloutProgress
    changes: tuple[ChangeRow, ...]
    change_count: int
    rebuilds: Page[RebuildRow]


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """A rollout in one line."""

    id: int
    title: str
    standing: str
    opened_at: datetime
    ended_at: datetime | None
    total: int
    ended: int
    failed: int


def rollout_summary(progress: RolloutProgress, ended: Sequence[str]) -> RolloutSummary:
    """`ended` are the states that end a rebuild."""
    return RolloutSummary(
        progress.id,
        progress.title,
        progress.standing,
        progress.opened_at,
        progress.ended_at,
        sum(progress.states.values()),
        sum(number for state, number in progress.states.items() if state in ended),
        progress.states.get("failed", 0),
    )
