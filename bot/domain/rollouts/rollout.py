"""All rebuilds set off by changes that belong together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.bases.change import Cause, Change
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.terms import PathWorkflow, Step


class Occasion(StrEnum):
    """What sets a rollout off: bases that moved, builds that grow too old, or what had been left behind before."""

    CHANGE = "change"
    AGE = "age"
    CATCH_UP = "catch_up"


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing more of a rollout begins since then; `rollout` is None where that holds for all of them."""

    id: int
    rollout: int | None
    since: datetime
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rollout:
    """One publication upstream and what the fleet does about it; `ended_at` is None while anything is open.

    `set_aside` tells for each wave how many unmerged pull requests the next ones no longer wait for.
    """

    id: int
    opened_at: datetime
    changes: tuple[Change, ...]
    rebuilds: tuple[Rebuild, ...]
    ended_at: datetime | None = None
    pause: Pause | None = None
    set_aside: Mapping[str, int] = field(default_factory=dict)
    occasion: Occasion = Occasion.CHANGE


@dataclass(frozen=True, slots=True)
class PlannedRebuild:
    """A rebuild before it is stored. It takes over branch and pull request from those that it supersedes.

    `severity` is the worst that it fixes. From `overdue_at` on it waits for no wave. `soak` is how long its wave
    has to stand after it, None where no wave says.
    """

    repository_id: int
    repository: str
    action: Action
    state: RebuildState
    reason: str
    targets: tuple[Target, ...]
    replacements: tuple[Replacement, ...]
    wave: str
    due_at: datetime
    workflow: str | None = None
    branch: str | None = None
    pull_request: int | None = None
    supersedes: tuple[int, ...] = ()
    soak: timedelta | None = None
    severity: Severity | None = None
    overdue_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    parts: tuple[PathWorkflow, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconsidered:
    """When a waiting rebuild may begin, and the worst that it fixes, now that its changes are known better.

    The wave, the soak and the time from which it is overdue only count where they are earlier than before; and the
    severity where it is worse, unless `is_whole`: some of the changes could not be read.
    """

    due_at: datetime
    severity: Severity | None
    wave: str | None = None
    soak: timedelta | None = None
    overdue_at: datetime | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Revisions:
    """What was known when a plan was made: how often changes had been assessed again, and plans been saved.

    Read before anything that a plan rests on, so that what comes in between is newer than the plan.
    """

    assessments: int
    plans: int


@dataclass(frozen=True, slots=True)
class PlannedRollout:
    """Changes that belong together and what follows from them; `joins` is the open rollout that takes them."""

    joins: int | None
    changes: tuple[int, ...]
    rebuilds: tuple[PlannedRebuild, ...]
    revisions: Revisions


@dataclass(frozen=True, slots=True)
class OpenRollout:
    """A rollout that may still take in changes."""

    id: int
    opened_at: datetime
    causes: tuple[Cause, ...]
    bases: tuple[Base, ...]
