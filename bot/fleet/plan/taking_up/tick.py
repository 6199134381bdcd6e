"""One tick: once an empty store has read the fleet, the bot's open pull requests are taken up again.

Their markers tell which digests a base had shown before. Registry and feeds then say what changed, as for any other
change: of what a marker says no more is believed than that the bot's own commit names the digest.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost
from bot.domain.forge.looks import MOST_STANDINGS
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected, FleetRepository, Identity
from bot.domain.rollouts.pinning import FleetBehind
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import PlannedRebuild, Revisions
from bot.fleet.plan.deciding import decide
from bot.fleet.plan.grouping import group
from bot.fleet.plan.taking_up.requests import (
    MarkedRequest,
    MarkedWay,
    after_merge,
    key_of,
    marked_requests,
    marked_ways,
    to_be_followed,
)

ReadDigest = Callable[[Base, str, datetime], Awaitable[Observation]]
"""Reads what a digest stands for, as an observation of that base at that time; raises `Failure`."""
Assess = Callable[[Observation, Observation], Change]
"""Says what changed between two observations, and why."""


@dataclass(frozen=True, slots=True)
class RestoredLog:
    """What a base has shown before its log began, oldest first, each with the change that led to it but the first;
    `joint` is the change to the first observation that there is, None where the last of `earlier` shows the same.
    `shown_at` is when that came, None where nothing tells.
    """

    base: Base
    earlier: tuple[Observation, ...]
    changes: tuple[Change, ...]
    joint: Change
    shown_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Changes that belong together with the rebuilds that they ask for, those with a pull request already begun;
    `opened_at` is when the first of them was seen. Those whose request was `merged` are open until that is seen."""

    changes: tuple[int, ...]
    rebuilds: tuple[PlannedRebuild, ...]
    opened_at: datetime
    revisions: Revisions
    merged: tuple[MarkedRequest, ...] = ()


class TakingUpStore(Protocol):
    """What taking up asks of the store; each method is one transaction."""

    async def is_over(self) -> bool:
        """Whether this was done, or the store is older than that."""
        ...

    async def is_fleet_read(self) -> bool: ...

    async def revisions(self) -> Revisions: ...

    async def members(self) -> Sequence[FleetRepository]:
        """Those that follow a watched base."""
        ...

    async def logs(self, bases: Collection[Base]) -> Mapping[Base, Sequence[Observation]]:
        """What bases that are in use have shown, oldest first."""
        ...

    async def restore(self, log: RestoredLog) -> None: ...

    async def restored_moves(self, bases: Collection[Base]) -> Sequence[Move]:
        """The changes of these bases that no rollout has taken up, and that no plan will."""
        ...

    async def affected(self, changes: Sequence[int]) -> Mapping[int, Sequence[Affected]]: ...

    async def behind(self) -> FleetBehind: ...

    async def open_rebuilds(self) -> Sequence[Rebuild]: ...

    async def last_builds(self) -> Mapping[int, datetime]:
        """When repositories were last built, by their ids, as far as any workflow of theirs tells."""
        ...

    async def take_up(self, part: TakenUp) -> None:
        """One transaction; raises `LeaseLost` where another plan was saved since its revisions were read."""
        ...

    async def end(self, *, is_any: bool) -> None:
        """Keeps that this is over, and whether there was anything."""
        ...


@dataclass(frozen=True, slots=True)
class TakingUpTally:
    """How many pull requests were taken up, and what hindered that, one line each."""

    requests: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a lost past is looked up: `read` asks registries, `assess` knows what feeds have shown."""

    forge: Forge
    read: ReadDigest
    assess: Assess


async def tick(store: TakingUpStore, sources: Sources, policy: Policy, clock: Clock) -> TakingUpTally:
    """Does so once in the life of a store. What the world hinders is tried again, and nothing is ended before."""
    if await store.is_over() or not await store.is_fleet_read():
        return TakingUpTally()
    work = _TakingUp(store, sources, policy, clock)
    try:
        requests = await work.find_requests()
        verified = await work.restore(marked_ways(requests))
    except Failure as failure:
        if not failure.trouble.is_passing:
            raise
        return TakingUpTally(problems=(str(failure),))
    taken = [each for each in requests if all((t.base, t.to_digest) in verified for t in each.targets)]
    try:
        await work.plan(taken)
    except LeaseLost:
        return TakingUpTally(problems=tuple(work.problems))
    await store.end(is_any=bool(taken))
    return TakingUpTally(len(taken), tuple(work.problems))


@dataclass(slots=True)
class _TakingUp:
    store: TakingUpStore
    sources: Sources
    policy: Policy
    clock: Clock
    problems: list[str] = field(default_factory=list)

    async def find_requests(self) -> list[MarkedRequest]:
        """Asks owner by owner. What is refused for one of them is told, and keeps the others from nothing."""
        by_owner: dict[tuple[str, str], list[FleetRepository]] = {}
        for member in await self.store.members():
            by_owner.setdefault(member.identity.owner, []).append(member)
        requests: list[MarkedRequest] = []
        for members in by_owner.values():
            for start in range(0, len(members), MOST_STANDINGS):
                part = members[start : start + MOST_STANDINGS]
                shown = await self._own_requests([member.identity for member in part])
                requests += [
                    marked for member in part for marked in marked_requests(member, shown.get(member.identity, ()))
                ]
        logs = await self.store.logs({base for each in requests if each.request.is_merged for base in each.bases})
        shown_now = {base: log[-1].digest for base, log in logs.items() if log}
        return to_be_followed(requests, shown_now, self.clock.now())

    async def _own_requests(self, homes: Sequence[Identity]) -> Mapping[Identity, Sequence[OwnRequest]]:
        try:
            return await (await self.sources.forge.serving(homes[0])).own_requests(homes)
        except Failure as failure:
            if failure.trouble.is_passing:
                raise
            self.problems.append(str(failure))
            return {}

    async def restore(self, ways: Mapping[Base, MarkedWay]) -> set[tuple[Base, str]]:
        """Puts before the logs of bases what they are told to have shown; the digests that they are known to have
        shown then."""
        verified: set[tuple[Base, str]] = set()
        for base, log in (await self.store.logs(ways.keys())).items():
            shown = [observation.digest for observation in log if observation.digest is not None]
            if not shown:
                continue
            verified |= {(base, digest) for digest in shown}
            told_digests = {digest for digest, _ in ways[base].shown}
            if told_digests <= set(shown) and set(ways[base].before) & set(shown):
                continue  # an attempt before this one has come so far
            restored = await self._restored_log(base, ways[base], log)
            if restored is not None:
                await self.store.restore(restored)
                verified |= {(base, each.digest) for each in restored.earlier if each.digest is not None}
        return verified

    async def _restored_log(self, base: Base, way: MarkedWay, log: Sequence[Observation]) -> RestoredLog | None:
        first = next(observation for observation in log if observation.digest is not None)
        times = {digest: min(at, first.at) for digest, at in way.shown}  # clocks differ
        began = min(times.values())
        origins = [each for digest in way.before if (each := await self._read(base, digest, began))]
        before = [_before(each, began) for each in origins if each.digest != first.digest]
        known = {seen.digest for seen in log}
        after = [
            each
            for digest, at in times.items()
            if digest not in known and (each := await self._read(base, digest, at))
        ]
        earlier = [*sorted(before, key=lambda each: each.at)[-1:], *after]
        if not earlier:
            return None
        shown_at = times.get(first.digest or "")
        if shown_at is not None and any(each.at >= shown_at for each in earlier):
            shown_at = None  # it came back to that since
        last = first if shown_at is None else replace(first, at=shown_at)
        steps = [self.sources.assess(one, next_) for one, next_ in pairwise(earlier)]
        return RestoredLog(base, tuple(earlier), tuple(steps), self.sources.assess(earlier[-1], last), shown_at)

    async def _read(self, base: Base, digest: str, at: datetime) -> Observation | None:
        """None where the registry has it no more, or shows none for it."""
        try:
            return await self.sources.read(base, digest, at)
        except Failure as failure:
            if failure.trouble.is_passing:
                raise
            return None

    async def plan(self, requests: Sequence[MarkedRequest]) -> None:
        """Makes rollouts of the changes, with all whom they concern and who does not have them yet."""
        if not requests:
            return
        bases = {base for each in requests for base in each.bases}
        logs = await self.store.logs(bases)
        moves = [
            replace(each, rollout=None)
            for each in await self.store.restored_moves(bases)
            if each.change.cause.needs_rebuild
        ]
        unexplained = _unexplained(bases - {move.change.base for move in moves}, logs, requests)
        for part in group([*moves, *unexplained], (), self.clock.now()):
            await self._take_up(part.moves, requests)

    async def _take_up(self, moves: Sequence[Move], requests: Sequence[MarkedRequest]) -> None:
        revisions = await self.store.revisions()
        stored = [move.id for move in moves if move.steps is None]
        affected = {**await self.store.affected(stored), **await self._behind(moves, requests)}
        builds, moved_at = await self.store.last_builds(), max(move.change.at for move in moves)
        open_ones = [each.as_rebuild(number) for number, each in enumerate(requests, start=1)]
        known = [*await self.store.open_rebuilds(), *open_ones]
        rebuilds = decide(moves, affected, self.policy, known, self.clock.now())
        merged = {each.key: each for each in requests if each.request.is_merged}
        rebuilds = tuple(after_merge(each, merged) for each in rebuilds)
        stored_rebuilds = tuple(_as_stored(each, builds.get(each.repository_id), moved_at) for each in rebuilds)
        opened_at = min(move.change.at for move in moves)
        going_on = {key_of(each) for each in stored_rebuilds}
        followed = tuple(each for key, each in merged.items() if key in going_on)
        await self.store.take_up(TakenUp(tuple(stored), stored_rebuilds, opened_at, revisions, followed))

    async def _behind(
        self, moves: Sequence[Move], requests: Sequence[MarkedRequest]
    ) -> Mapping[int, Sequence[Affected]]:
        """Whom a change concerns of which nothing is stored: those who have it open."""
        unexplained = {move.change.base: move.id for move in moves if move.steps is not None}
        if not unexplained:
            return {}
        homes = {(each.member.id, base) for each in requests for base in each.bases}
        affected: dict[int, list[Affected]] = {}
        for each in (await self.store.behind()).usages:
            if each.base in unexplained and (each.member.id, each.base) in homes:
                affected.setdefault(unexplained[each.base], []).append(Affected(each.member, each.usage))
        return affected


def _before(observation: Observation, began: datetime) -> Observation:
    """An observation of what a base showed before `began`: since its image was made, as far as that is told."""
    try:
        created = datetime.fromisoformat(observation.created or "")
    except ValueError:
        created = began
    if created.tzinfo is None or created >= began:
        created = began - timedelta(seconds=1)
    return replace(observation, at=created)


def _unexplained(
    bases: Collection[Base], logs: Mapping[Base, Sequence[Observation]], requests: Sequence[MarkedRequest]
) -> list[Move]:
    """A move for each base whose way the registry tells no more: to what it shows now, for a cause that nobody
    knows. Its id is one that no stored change has."""
    moves: list[Move] = []
    for base in sorted(bases):
        shown = logs[base][-1]
        at = min(each.seen_at(target) for each in requests for target in each.targets if target.base == base)
        change = Change(base, at, None, shown.digest, Cause.AGE, Cause.AGE, None, shown.version)
        moves.append(Move(-1 - len(moves), change, steps=()))
    return moves


def _as_stored(plan: PlannedRebuild, built_at: datetime | None, moved_at: datetime) -> PlannedRebuild:
    """What goes on with a pull request supersedes nothing that is stored; what a run has built since its bases
    moved is built, by whatever started that."""
    plan = replace(plan, supersedes=tuple(old for old in plan.supersedes if old > 0))
    if plan.action is not Action.DISPATCH or built_at is None or built_at < moved_at:
        return plan
    bases = ", ".join(target.base.short for target in plan.targets)
    reason = f"it was built since {bases} moved, before the bot began with this store"
    return replace(plan, state=RebuildState.BUILT, reason=reason, steps=())
