"""What has been left behind before the bot came, or while nobody acted, is brought along as one rollout."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.domain.bases.change import Change, Move
from bot.domain.clock import Clock
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind, lacking
from bot.domain.rollouts.policy import Match, Policy
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import PlannedRebuild, Revisions
from bot.fleet.plan.deciding import decide

OnTheWay = Collection[tuple[int, Base, str]]
"""Repository, base and digest of what some rebuild brings, or has brought, already."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a catch-up comes to: the fleet as it is behind, what is planned, and the repositories that get what they
    lack by a rebuild that there is already."""

    behind: FleetBehind
    rebuilds: tuple[PlannedRebuild, ...]
    on_the_way: tuple[str, ...]
    revisions: Revisions


class CatchUpStore(Protocol):
    """What catching up asks of the store."""

    async def revisions(self) -> Revisions: ...

    async def behind(self) -> FleetBehind: ...

    async def on_the_way(self, repositories: Collection[int]) -> OnTheWay: ...

    async def open_rebuilds(self) -> Sequence[Rebuild]: ...

    async def changes_on_the_way(self, rebuilds: Sequence[Rebuild]) -> Mapping[int, Change]: ...


async def planned(store: CatchUpStore, policy: Policy, clock: Clock, only: Match = Match()) -> CatchUp:  # noqa: B008
    """Decides what to do about all that is behind in the repositories that `only` accepts; writes nothing."""
    revisions = await store.revisions()
    fleet_behind = await store.behind()
    behind = _chosen(fleet_behind.usages, only, clock.now())
    served_places = await store.on_the_way({each.member.id for each in behind})
    lacking_still = [
        each for each in behind if (each.member.id, each.base, each.observation.digest) not in served_places
    ]
    open_rebuilds = await store.open_rebuilds()
    rebuilds = catch_up(
        lacking_still, policy, open_rebuilds, await store.changes_on_the_way(open_rebuilds), clock.now()
    )
    served_names = {each.member.name for each in behind} - {each.member.name for each in lacking_still}
    return CatchUp(replace(fleet_behind, usages=tuple(behind)), rebuilds, tuple(sorted(served_names)), revisions)


def _chosen(usages: Sequence[BehindUsage], only: Match, now: datetime) -> list[BehindUsage]:
    """All that is behind in the repositories of that name; where a severity is asked for, in those that lack a fix
    at least so severe anywhere, since a repository is brought along as a whole."""
    behind = [each for each in usages if only.accepts_repository(each.member.name)]
    if only.min_severity is None:
        return behind
    severe = {each.member.id for each in behind if _is_severe(lacking(each, now).severity, only.min_severity)}
    return [each for each in behind if each.member.id in severe]


def _is_severe(severity: Severity | None, at_least: Severity) -> bool:
    return severity is not None and severity.rank >= at_least.rank


def catch_up(
    behind: Sequence[BehindUsage],
    policy: Policy,
    open_rebuilds: Sequence[Rebuild],
    changes: Mapping[int, Change],
    now: datetime,
) -> tuple[PlannedRebuild, ...]:
    """The rebuilds that bring along what is behind, under the rules that hold for any change: who lacks the most
    severe fix stands first, and so comes first wherever not all may begin at once.

    Of a repository that names one base in several old ways, the one that is furthest behind tells the way.
    """
    furthest: dict[tuple[int, Base], BehindUsage] = {}
    for usage in behind:
        place = usage.member.id, usage.base
        if place not in furthest or len(usage.moves) > len(furthest[place].moves):
            furthest[place] = usage
    moves: dict[tuple[Base, str | None, tuple[int, ...]], Move] = {}
    affected_by_move: dict[int, list[Affected]] = {}
    for usage in behind:
        move = _move(furthest[usage.member.id, usage.base], moves, now)
        if usage.member.config.enabled:
            affected_by_move.setdefault(move.id, []).append(Affected(usage.member, usage.usage))
    on_the_way = {step.id: step.change for each in behind for step in each.moves}
    plans = decide(
        list(moves.values()), affected_by_move, policy, open_rebuilds, now, changes={**on_the_way, **changes}
    )
    return tuple(sorted(plans, key=lambda plan: -1 if plan.severity is None else plan.severity.rank, reverse=True))


def _move(behind: BehindUsage, moves: dict[tuple[Base, str | None, tuple[int, ...]], Move], now: datetime) -> Move:
    """One for all that are equally far behind; its id is one that no stored change has."""
    change = lacking(behind, now)
    steps = tuple(step.id for step in behind.moves)
    key = behind.base, change.from_digest, steps
    if key not in moves:
        moves[key] = Move(-1 - len(moves), change, steps=steps)
    return moves[key]
