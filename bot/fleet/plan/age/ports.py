"""What planning by age reads of the builds that are known, and what it has stored of its judgements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.domain.reference import Base
from bot.domain.repositories.builds import BranchBuilds
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.rollout import PlannedRebuild, Revisions
from bot.domain.rollouts.timing.age import BaseInFile, Judgement


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest run of a workflow that the bot planned: `is_weekly` where that was for its age, `is_by_person`
    where somebody has called it off."""

    rebuild: int
    state: RebuildState
    reason: str
    planned_at: datetime
    ended_at: datetime | None
    is_weekly: bool
    has_begun: bool
    is_by_person: bool = False


@dataclass(frozen=True, slots=True)
class KnownBuilds:
    """One workflow whose builds were looked at since they were judged, or whose turn has come."""

    id: int
    member: FleetRepository
    workflow: str
    is_there: bool
    builds: BranchBuilds
    places: tuple[BaseInFile, ...]
    read_at: datetime
    changed_at: datetime | None = None
    told_at: datetime | None = None
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class FollowedUsage:
    """A usage with the base that it follows and what that shows now."""

    usage: Usage
    base: Base
    digest: str | None


@dataclass(frozen=True, slots=True)
class JudgedAge:
    """What is stored of a judgement; `look_again` where its builds have to be read first."""

    judgement: Judgement
    plan_at: datetime | None
    is_told: bool = False
    look_again: bool = False


@dataclass(frozen=True, slots=True)
class AgePlan:
    """What follows for some workflows, by their ids; rebuilds join a rollout for ages opened at or after `since`.

    `withdrawn` are planned rebuilds that are not needed any more, `hurried` waiting ones that are to wait for no
    wave from then on; both by rebuild.
    """

    judged: Mapping[int, JudgedAge]
    since: datetime
    revisions: Revisions
    rebuilds: tuple[PlannedRebuild, ...] = ()
    withdrawn: Mapping[int, str] = field(default_factory=dict)
    hurried: Mapping[int, datetime] = field(default_factory=dict)


class AgeStore(Protocol):
    """What planning by age asks of the store; each method is one transaction."""

    async def revisions(self) -> Revisions: ...

    async def unjudged(self) -> Sequence[KnownBuilds]:
        """Some of those that were looked at since they were judged, or whose turn has come."""
        ...

    async def standings_of(self, repositories: Sequence[int]) -> Mapping[int, Sequence[FollowedUsage]]: ...

    async def save_ages(self, plan: AgePlan) -> None:
        """Stores judgements and plans in one transaction; raises `LeaseLost` where a plan was saved since its
        revisions were read."""
        ...
