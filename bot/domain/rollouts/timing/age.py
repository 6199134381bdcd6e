"""How old the builds of a fleet are, and the weekly rebuild that guarantees how old they may grow."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.bases.change import Cause
from bot.domain.cron import Cron
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference, Policy, Terms
from bot.domain.rollouts.terms import PathWorkflow


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


BaseInFile = tuple[Base, str]
"""A base, and the path of a file that names it."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What holds for the builds of one workflow; `terms.max_age` is None where none is guaranteed.

    `told_only` says who wants nothing started, None where nobody does. `parts` are those of a monorepo that it
    builds, none where it builds the whole.
    """

    terms: Terms
    told_only: str | None = None
    parts: tuple[PathWorkflow, ...] = ()

    @property
    def max_age(self) -> timedelta | None:
        return self.terms.max_age


def guarantees(
    repository: str, config: RepositoryConfig, places: Iterable[BaseInFile], policy: Policy
) -> Mapping[str, Guarantee]:
    """Says how old builds may grow, by the file name of each workflow that rebuilds bases named in these places.

    Of several bases that ask for different ages the shortest holds, with the terms of its rule.
    """
    terms_by_workflow: dict[str, Terms] = {}
    parts: dict[str, dict[PathWorkflow, None]] = {}
    for base, path in sorted(places):
        terms = policy.terms(repository, base, Cause.AGE, None)
        workflow = config.workflow_of(path, terms)
        if (part := config.part_of(path, terms)) is not None:
            parts.setdefault(workflow, {})[part] = None
        strictest = terms_by_workflow.get(workflow)
        if strictest is None or _is_stricter(terms.max_age, strictest.max_age):
            terms_by_workflow[workflow] = terms
    return {
        workflow: Guarantee(terms, _told_only(config, terms), tuple(parts.get(workflow, ())))
        for workflow, terms in terms_by_workflow.items()
    }


def rebuilding_workflow(repository: str, config: RepositoryConfig, place: BaseInFile, policy: Policy) -> str:
    """The file name of the workflow that rebuilds what names a base there."""
    base, path = place
    return config.workflow_of(path, policy.terms(repository, base, Cause.AGE, None))


def _is_stricter(age: timedelta | None, than: timedelta | None) -> bool:
    return age is not None and (than is None or age < than)


def _told_only(config: RepositoryConfig, terms: Terms) -> str | None:
    if config.refusal is not None:
        return config.refusal
    if config.action is ActionPreference.NOTIFY:
        return "the repository asks to be told only"
    if config.action is None and terms.action is ActionPreference.NOTIFY:
        return "the policy asks to notify only"
    return None


_MONDAY_NIGHT = Cron("0 2 * * 1")


@dataclass(frozen=True, slots=True)
class Weekly:
    """From each of the times of `cron` on, rebuilds begin spread over `over`."""

    cron: Cron = _MONDAY_NIGHT
    over: timedelta = timedelta(hours=6)

    def last(self, moment: datetime) -> datetime:
        """The latest time of the weekly rebuild that is not after `moment`."""
        return self.cron.last(moment)

    def following(self, moment: datetime) -> datetime:
        """The first time of the weekly rebuild after `moment`."""
        return self.cron.following(moment)

    def offset(self, name: str) -> timedelta:
        """How long after the beginning this one's turn comes: always the same, told by a hash of the name."""
        share = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:8]) / 2**64
        return timedelta(seconds=int(self.over.total_seconds() * share))
