"""The bot at work: its queues, what is in trouble, what is stopped, and what people asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.rollouts.journal import Entry
from bot.domain.rollouts.rollout import Pause
from bot.views.fleet.figures import QueueFigures
from bot.views.fleet.status import IncidentRow
from bot.views.rollouts.rollout import QuarantineStatus


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What was written for one account within the last minute and hour; there is room for content from `room_at`
    on, and nothing is written before `stopped_until`."""

    account: str
    minute: int
    hour: int
    room_at: datetime | None
    stopped_until: datetime | None
    stopped_because: str | None


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage of this process; `ended_at` is the end of its latest tick."""

    name: str
    every: timedelta
    began_at: datetime
    ended_at: datetime | None
    is_running: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class Operations:
    """The incidents are the latest, those that are open first; the journal begins with the newest entry."""

    queues: Mapping[str, QueueFigures]
    budgets: tuple[BudgetRow, ...]
    incidents: tuple[IncidentRow, ...]
    pauses: tuple[Pause, ...]
    quarantines: tuple[QuarantineStatus, ...]
    journal: tuple[Entry, ...]
