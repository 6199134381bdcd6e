"""How things stand in figures for metrics, and how the bot at work fares by these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.bases.change import Cause
from bot.domain.bases.notice import PromiseRow, Topic
from bot.domain.images.standing import ImageState
from bot.domain.packages.gate import GateOutcome
from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.onboarding import OnboardingState
from bot.domain.rollouts.journal import Entry
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.rollout import Pause
from bot.views.bases.mirrors import Took
from bot.views.fleet.status import IncidentRow
from bot.views.rollouts.rollout import QuarantineStatus


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The rows of one queue: due now, leased, and for how long the oldest due one has been due."""

    due: int
    leased: int
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class FeedFigures:
    """The documents of one feed: since when the one asked longest ago is unchanged, and how many failed last."""

    age: timedelta | None
    errors: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counted by the database at one moment, over the whole fleet."""

    standings: Mapping[str, int]
    behind: Mapping[str, int]
    over_max_age: int
    open_rebuilds: Mapping[RebuildState, int]
    open_rollouts: int
    paused_rollouts: int
    bases: int
    failing_bases: int
    incidents: int
    notices: Mapping[Topic, int]
    quarantines: int
    queues: Mapping[str, QueueFigures]
    feeds: Mapping[str, FeedFigures]
    practices: Mapping[tuple[str, Outcome], int] = field(default_factory=dict)
    """How many repositories have which outcome of which check."""
    images: Mapping[ImageState, int] = field(default_factory=dict)
    gated: Mapping[GateOutcome, int] = field(default_factory=dict)
    """Of how many images the gate says what."""
    onboardings: Mapping[OnboardingState, int] = field(default_factory=dict)
    mirrors: Mapping[str, timedelta] = field(default_factory=dict)
    """By mirror, for how long the base that is behind longest is."""
    mirrors_took: Mapping[str, Took] = field(default_factory=dict)
    """By mirror, how long it took in the last year."""
    promises: Mapping[tuple[Topic, str], PromiseRow] = field(default_factory=dict)
    """By promise and family of images, how upstream kept it in the last year."""


@dataclass(frozen=True, slots=True)
class EndedRebuild:
    """One rebuild that ended, by the transition that ended it."""

    transition: int
    action: Action
    outcome: RebuildState
    took: timedelta


@dataclass(frozen=True, slots=True)
class SeenChange:
    """One change as it was first assessed."""

    id: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class SeenLag:
    """How late upstream was once."""

    notice: int
    topic: Topic
    lag: timedelta


@dataclass(frozen=True, slots=True)
class Marks:
    """Up to which rows counters have counted."""

    transition: int = 0
    change: int = 0
    notice: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """The rows that came since the last look, which counters are raised by."""

    ended: tuple[EndedRebuild, ...] = field(default=())
    changes: tuple[SeenChange, ...] = ()
    lags: tuple[SeenLag, ...] = ()


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
