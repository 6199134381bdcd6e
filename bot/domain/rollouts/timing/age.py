"""How old the builds of a fleet are, and what the guarantee makes of one workflow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class AgeStanding(StrEnum):
    """How a workflow's last successful build stands to its `max_age`; some need a person."""

    REPORTED = "reported"
    """Nothing is guaranteed for it."""
    FRESH = "fresh"
    OWN_SCHEDULE = "own schedule"
    """Its own schedule will rebuild it in time."""
    DUE = "due"
    LEFT_ALONE = "left alone"
    NO_WORKFLOW = "no workflow"
    NO_DISPATCH = "no dispatch"
    DISABLED = "disabled"
    SILENT = "silent"
    """Its own schedule has stopped firing, so the bot rebuilds it."""
    FAILING = "failing"
    CALLED_OFF = "called off"
    """It is too old, and its rebuild was cancelled or called off: until the next weekly one the bot starts none."""
    UNFINISHED = "unfinished"
    """It is too old, and its rebuild is planned or under way: it waits for an approval, or for something else."""
    UNREADABLE = "unreadable"
    """The forge does not show its runs."""

    @property
    def needs_person(self) -> bool:
        return self in _FOR_PEOPLE

    @property
    def cannot_be_rebuilt(self) -> bool:
        """The bot starts nothing until somebody has done something."""
        return self in _STUCK


_STUCK = frozenset(
    {
        AgeStanding.LEFT_ALONE,
        AgeStanding.NO_WORKFLOW,
        AgeStanding.NO_DISPATCH,
        AgeStanding.DISABLED,
        AgeStanding.FAILING,
        AgeStanding.CALLED_OFF,
        AgeStanding.UNREADABLE,
    }
)
_FOR_PEOPLE = (_STUCK | {AgeStanding.SILENT, AgeStanding.UNFINISHED}) - {AgeStanding.LEFT_ALONE}


@dataclass(frozen=True, slots=True)
class ScheduleTrouble:
    """Why a repository is not rebuilt by its own workflow as it should be, with the way out."""

    repository: str
    workflow: str
    standing: AgeStanding
    text: str


BOUNDS = (7, 14, 30, 90)
"""Days at which ages are counted apart."""


@dataclass(frozen=True, slots=True)
class Ages:
    """How many workflows there are by the age of their last success; `guaranteed` are those with a `max_age`.

    `never` has been built by none that is known, `unread` was not looked at yet. `overdue` are older than their
    `max_age`.
    """

    by_days: Mapping[int | None, int] = field(default_factory=dict)
    """By the bound in days that they are not older than; None where they are older than all."""
    never: int = 0
    unread: int = 0
    guaranteed: int = 0
    overdue: int = 0
    troubles: tuple[ScheduleTrouble, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.by_days.values()) + self.never + self.unread


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows for one workflow. A rebuild is to be planned at `plan_at` and to begin at `begins_at`.

    Where none can be, both say when that is told. `text` is for people, with the way out.
    """

    standing: AgeStanding
    text: str
    plan_at: datetime | None = None
    begins_at: datetime | None = None
    overdue_at: datetime | None = None
