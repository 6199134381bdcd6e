"""The planner that runs live, `plan.decide`, behind the replay's port."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush

from bot.backtest.fleet import ReplayedFleet
from bot.backtest.planner import Deed, Key, key_of
from bot.domain.bases.change import Cause, Change, Move
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.repositories.repository import WORKFLOWS, Affected, FleetRepository, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import OpenRollout, PlannedRebuild
from bot.fleet.plan.deciding import decide
from bot.fleet.plan.due import reconsidered
from bot.fleet.plan.grouping import Group, group


@dataclass(slots=True)
class Deciding:
    """Plans what is offered at one moment together, as one tick would, and carries a rebuild out when it is due.

    Every rebuild is taken to succeed at once, so none is open when the next move comes. `unrated` is how severe a
    security fix counts that nobody has rated (None: not at all).
    """

    fleet: ReplayedFleet
    policy: Policy
    unrated: Severity | None = Severity.HIGH
    _affected: dict[Base, tuple[Affected, ...]] = field(default_factory=dict)
    _batch: list[Move] = field(default_factory=list)
    _batched_at: datetime | None = None
    _changes: dict[int, Change] = field(default_factory=dict)
    _numbers: dict[Key, int] = field(default_factory=dict)
    _waiting: dict[int, tuple[Rebuild, frozenset[int]]] = field(default_factory=dict)
    _queue: list[tuple[datetime, str, int]] = field(default_factory=list)
    _notices: list[Deed] = field(default_factory=list)
    _rollouts: dict[int, OpenRollout] = field(default_factory=dict)
    _opened: int = 0
    _planned: int = 0

    def __post_init__(self) -> None:
        members = {
            repository.name: FleetRepository(
                number,
                repository.name,
                tuple(Workflow(f"{WORKFLOWS}{file}") for file in sorted(repository.workflows)),
                RepositoryConfig(),
            )
            for number, repository in enumerate(self.fleet.repositories, 1)
        }
        self._affected = {
            base: tuple(Affected(members[use.repository.name], use.usage) for use in uses)
            for base, uses in self.fleet.uses.items()
        }

    def offer(self, change: Change, now: datetime) -> None:
        """Takes up a change at the moment when the replay sees it; a change that was offered before is considered
        again."""
        if change.base not in self._affected:
            return
        key = key_of(change)
        again = key in self._numbers
        number = self._numbers.setdefault(key, len(self._numbers))
        rated = self._rated(change)
        self._changes[number] = rated
        if again:
            self._reconsider(number, now)
            return
        if change.cause in (Cause.WITHDRAWN, Cause.RETURNED):
            self._notify(change, now)
        else:
            self._batch.append(Move(number, rated))
            self._batched_at = now

    def due(self, now: datetime) -> Iterator[Deed]:
        if self._batched_at is not None and self._batched_at <= now:
            self._plan(self._batched_at)
        yield from self._notices
        self._notices.clear()
        while self._queue and self._queue[0][0] <= now:
            at, repository, number = heappop(self._queue)
            batch = self._waiting.pop(number, None)
            if batch is None:
                continue
            rebuild, moves = batch
            changes = tuple(self._changes[move] for move in sorted(moves))
            yield Deed(at, repository, rebuild.action, changes, rebuild.reason)

    def _plan(self, now: datetime) -> None:
        self._batched_at = None
        moves = [Move(move.id, self._changes[move.id]) for move in self._batch]
        self._batch.clear()
        going_on = {rebuild.rollout for rebuild, _ in self._waiting.values()}
        self._rollouts = {number: self._rollouts[number] for number in going_on}
        for part in group(moves, tuple(self._rollouts.values()), now):
            affected = {move.id: self._affected[move.change.base] for move in part.moves}
            waiting = [rebuild for rebuild, _ in self._waiting.values()]
            rollout = self._rollout_of(part, now)
            for planned in decide(part.moves, affected, self.policy, waiting, now, part.joins, self._changes):
                self._take_up(planned, rollout, now)

    def _rollout_of(self, part: Group, now: datetime) -> int:
        """The rollout that the group joins, or a new one, with its changes."""
        if part.joins is None:
            self._opened += 1
            rollout = OpenRollout(self._opened, now, (), ())
        else:
            rollout = self._rollouts[part.joins]
        self._rollouts[rollout.id] = replace(
            rollout,
            causes=(*rollout.causes, *(move.change.cause for move in part.moves)),
            bases=(*rollout.bases, *(move.change.base for move in part.moves)),
        )
        return rollout.id

    def _take_up(self, planned: PlannedRebuild, rollout: int, now: datetime) -> None:
        if planned.state is not RebuildState.PLANNED:
            for superseded in planned.supersedes:
                self._waiting.pop(superseded, None)
            return
        self._planned += 1
        moves = frozenset(change for target in planned.targets for change in target.changes)
        for superseded in planned.supersedes:
            moves |= self._waiting.pop(superseded)[1]
        rebuild = Rebuild(
            id=self._planned,
            rollout=rollout,
            repository=planned.repository,
            action=planned.action,
            state=planned.state,
            reason=planned.reason,
            targets=planned.targets,
            replacements=planned.replacements,
            wave=planned.wave,
            due_at=planned.due_at,
            planned_at=now,
            workflow=planned.workflow,
            branch=planned.branch,
        )
        self._waiting[rebuild.id] = (rebuild, moves)
        heappush(self._queue, (rebuild.due_at, rebuild.repository, rebuild.id))

    def _reconsider(self, change: int, now: datetime) -> None:
        """What turns out to be a severe fix waits no longer, as in the tick that runs live."""
        for number, (rebuild, moves) in list(self._waiting.items()):
            if change not in moves:
                continue
            due_at = reconsidered(rebuild, [self._changes[move] for move in moves], self.policy, now).due_at
            if due_at < rebuild.due_at:
                self._waiting[number] = (replace(rebuild, due_at=due_at), moves)
                heappush(self._queue, (due_at, rebuild.repository, number))

    def _notify(self, change: Change, now: datetime) -> None:
        reason = f"{change.base.short} {change.detail}"
        for item in self._affected[change.base]:
            self._notices.append(Deed(now, item.member.name, Action.NOTIFY, (change,), reason))

    def _rated(self, change: Change) -> Change:
        if change.severity is None and change.cause is Cause.DOTNET_SECURITY:
            return replace(change, severity=self.unrated)
        return change
