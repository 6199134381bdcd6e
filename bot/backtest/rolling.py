"""The planner that runs live, with waves, soaks, budgets, merges and the weekly guarantee played on top.

Nothing fails here: what pauses a rollout cannot be known from the history of bases.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from bot.backtest.assumptions import Assumptions
from bot.backtest.deciding import Deciding
from bot.backtest.planner import Deed
from bot.domain.bases.change import Cause, Change
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.policy import Policy, PolicyRule, Terms
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.domain.rollouts.terms import MergeMethod
from bot.domain.rollouts.timing.pace import Spending, WriteLimits
from bot.domain.rollouts.timing.waves import Wave, WaveTally, advance, latest_start

WEEK = timedelta(days=7)
WEEKLY_OVER = timedelta(hours=6)
_HOUR_OF_WEEKLY = 2


def guaranteed_ages(affected: Mapping[Base, Sequence[Affected]], policy: Policy) -> dict[str, timedelta]:
    """The repositories that have a workflow to start, and how old each may become by its strictest rule."""
    can_start = {item.member.name: item.member for items in affected.values() for item in items}
    ages: dict[str, timedelta] = {}
    for base, items in affected.items():
        for item in items:
            terms = policy.terms(item.member.name, base, Cause.LAYERS_ONLY, None)
            if terms.max_age is not None and can_start[item.member.name].workflow(terms.workflow) is not None:
                ages[item.member.name] = min(terms.max_age, ages.get(item.member.name, terms.max_age))
    return ages


def next_week(at: datetime) -> datetime:
    """The next Monday at two in the morning, UTC."""
    day = at.replace(hour=_HOUR_OF_WEEKLY, minute=0, second=0, microsecond=0)
    day += timedelta(days=-day.weekday() % 7)
    return day if day > at else day + WEEK


def spread(repository: str) -> timedelta:
    """Where in the hours of the weekly rebuilds a repository has its turn, always the same."""
    number = int.from_bytes(hashlib.sha256(repository.encode()).digest()[:4], "big")
    return WEEKLY_OVER * (number / 2**32)


@dataclass(slots=True)
class OpenRebuild:
    """One rebuild on its way; `since` is when it, or what it took over from, was first planned.

    `blocked_since` is when the budget first kept it from beginning.
    """

    rebuild: Rebuild
    moves: frozenset[int]
    since: datetime
    began_at: datetime | None = None
    blocked_since: datetime | None = None


@dataclass(slots=True)
class Course:
    """How far one rollout has come: its open rebuilds by wave, and of each wave what has ended."""

    works: dict[str, dict[int, OpenRebuild]] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    began_at: dict[str, datetime] = field(default_factory=dict)
    done_since: dict[str, datetime] = field(default_factory=dict)
    soaks: dict[str, timedelta] = field(default_factory=dict)

    def tallies(self) -> dict[str, WaveTally]:
        names = {*self.works, *self.ended}
        return {name: self._tally(name) for name in names}

    def _tally(self, name: str) -> WaveTally:
        works = self.works.get(name, {}).values()
        under_way = [work for work in works if work.began_at is not None]
        return WaveTally(
            waiting=len(works) - len(under_way),
            under_way=len(under_way),
            unmerged=sum(work.rebuild.action is Action.PULL_REQUEST for work in under_way),
            ended=self.ended[name],
            began_at=self.began_at.get(name),
            done_since=self.done_since.get(name),
        )

    def waves(self, waves: Iterable[Wave]) -> tuple[Wave, ...]:
        """The policy's waves, each with the longest soak that one of its rebuilds asks for."""
        return tuple(replace(wave, soak=self.soaks.get(wave.name, wave.soak)) for wave in waves)


def free_places(wave: Wave, course: Course) -> int:
    """How many more of a wave's rebuilds may be under way."""
    works = course.works.get(wave.name, {}).values()
    return len(works) if wave.batch is None else wave.batch - sum(work.began_at is not None for work in works)


@dataclass(slots=True)
class Rolling(Deciding):
    """Carries a rebuild out when it is due, its wave has begun and the budget allows it; `until` ends the weeks.

    `patched` says for each repository and change how long it took from the change to the end of the last build
    that brought it.
    """

    assumptions: Assumptions = field(default_factory=Assumptions)
    until: datetime | None = None
    patched: dict[tuple[str, int], timedelta] = field(default_factory=dict)
    runs: int = 0
    weekly_runs: int = 0
    rollouts: int = 0
    waited_for_budget: timedelta = timedelta()
    _budget: Spending = field(init=False)
    _courses: dict[int, Course] = field(default_factory=dict)
    _events: list[tuple[datetime, int, int]] = field(default_factory=list)
    _ends: dict[int, OpenRebuild] = field(default_factory=dict)
    _built_at: dict[str, datetime] = field(default_factory=dict)
    _guaranteed: dict[str, timedelta] = field(default_factory=dict)
    _week: datetime | None = None

    def __post_init__(self) -> None:
        # slots make a class anew, which zero-argument super() does not know of
        Deciding.__post_init__(self)
        given = self.assumptions
        self._budget = Spending(WriteLimits(given.content_per_minute, given.content_per_hour))
        self._guaranteed = guaranteed_ages(self._affected, self.policy)

    def offer(self, change: Change, now: datetime) -> None:
        if self._week is None and self._guaranteed:
            self._week = next_week(now)
            self._built_at = dict.fromkeys(self._guaranteed, now)
        Deciding.offer(self, change, now)

    def due(self, now: datetime) -> Iterator[Deed]:
        """Plays all that happens until `now` in its order, and returns what the bot would have done."""
        if self._batched_at is not None and self._batched_at <= now:
            yield from self._weeks(self._batched_at)
            self._plan(self._batched_at)
        yield from self._notices
        self._notices.clear()
        yield from self._weeks(now)
        while (at := self._next()) is not None and at <= now:
            moved: set[int] = set()
            while self._queue and self._queue[0][0] == at:
                _, _, number = heappop(self._queue)
                if (waiting := self._waiting.get(number)) is not None:
                    moved.add(waiting[0].rollout)
            while self._events and self._events[0][0] == at:
                _, rollout, number = heappop(self._events)
                moved.add(rollout)
                if number in self._ends:
                    self._end(self._ends.pop(number), at)
            for rollout in sorted(moved):
                yield from self._advance(rollout, at)

    def _next(self) -> datetime | None:
        heads = [heap[0][0] for heap in (self._queue, self._events) if heap]
        return min(heads, default=None)

    def _take_up(self, planned: PlannedRebuild, rollout: int, now: datetime) -> None:
        """Adds a planned rebuild to its rollout; one that supersedes another keeps its place in time."""
        earlier = [work for number in planned.supersedes if (work := self._leave(number)) is not None]
        if planned.state is not RebuildState.PLANNED:
            for work in earlier:
                self._waiting.pop(work.rebuild.id, None)
            return
        Deciding._take_up(self, planned, rollout, now)
        number = self._planned
        rebuild, moves = self._waiting[number]
        rebuild = replace(rebuild, pull_request=planned.pull_request)
        self._waiting[number] = (rebuild, moves)
        if rollout not in self._courses:
            self.rollouts += 1
        course = self._courses.setdefault(rollout, Course())
        since = min([now, *(work.since for work in earlier if work.began_at is None)])
        course.works.setdefault(rebuild.wave, {})[number] = OpenRebuild(rebuild, moves, since)
        if planned.soak is not None:
            course.soaks[rebuild.wave] = max(planned.soak, course.soaks.get(rebuild.wave, planned.soak))

    def _leave(self, number: int) -> OpenRebuild | None:
        """Takes a superseded rebuild out of its rollout, which may let the next wave begin."""
        waiting = self._waiting.get(number)
        if waiting is None:
            return None
        rebuild = waiting[0]
        work = self._courses[rebuild.rollout].works[rebuild.wave].pop(number)
        self._ends.pop(number, None)
        heappush(self._events, (self._batched_at or rebuild.planned_at, rebuild.rollout, 0))
        return work

    def _advance(self, rollout: int, now: datetime) -> Iterator[Deed]:
        course = self._courses[rollout]
        waves = course.waves(self.policy.waves)
        advanced = advance(waves, course.tallies(), self.policy.pause_when_failed, now)
        for name in advanced.done_waves:
            course.done_since[name] = now
        wakes = [hold.until for hold in advanced.holds.values() if hold.until is not None]
        for wave in waves:
            is_held = wave.name in advanced.holds
            room = free_places(wave, course) if is_held else advanced.release.get(wave.name, 0)
            for work in self._in_order(course.works.get(wave.name, {})):
                rebuild = self._waiting[work.rebuild.id][0]
                if rebuild.due_at > now:
                    continue
                if is_held and now < (at_last := latest_start(waves, wave.name, work.since)):
                    wakes.append(at_last)
                    continue
                if room <= 0:
                    break
                cost = self._cost(rebuild)
                if (free := self._budget.free_at(now, cost)) > now:
                    work.blocked_since = work.blocked_since or now
                    wakes.append(free)
                    continue
                self._budget.spend(now, cost)
                room -= 1
                course.began_at.setdefault(wave.name, now)
                yield from self._begin(work, rebuild, now)
        if any(course.works.values()):
            wakes += [began + wave.wait_at_most for wave in waves if (began := course.began_at.get(wave.name))]
            if (later := min((wake for wake in wakes if wake > now), default=None)) is not None:
                heappush(self._events, (later, rollout, 0))

    def _in_order(self, works: Mapping[int, OpenRebuild]) -> list[OpenRebuild]:
        """Those that have not begun, the most severe first."""
        waiting = [work for work in works.values() if work.began_at is None]
        return sorted(waiting, key=lambda work: (-self._rank(work), work.rebuild.repository, work.rebuild.id))

    def _rank(self, work: OpenRebuild) -> int:
        severities = (self._changes[move].severity for move in work.moves)
        return max((severity.rank for severity in severities if severity is not None), default=-1)

    def _cost(self, rebuild: Rebuild) -> int:
        """What counts as content: a new pull request and asking for its reviews, no dispatch and no update."""
        if rebuild.action is not Action.PULL_REQUEST or rebuild.pull_request is not None:
            return 0
        return 2 if self._terms(rebuild).reviewers else 1

    def _terms(self, rebuild: Rebuild) -> Terms:
        _, moves = self._waiting[rebuild.id]
        return self.policy.together(
            [
                self.policy.terms(rebuild.repository, change.base, change.cause, change.severity)
                for change in (self._changes[move] for move in sorted(moves))
            ]
        )

    def _begin(self, work: OpenRebuild, rebuild: Rebuild, now: datetime) -> Iterator[Deed]:
        takes = self._takes(rebuild)
        work.began_at = now
        if work.blocked_since is not None:
            self.waited_for_budget = max(self.waited_for_budget, now - work.blocked_since)
        changes = tuple(self._changes[move] for move in sorted(work.moves))
        yield Deed(now, rebuild.repository, rebuild.action, changes, rebuild.reason)
        if rebuild.action is Action.PULL_REQUEST:
            opened = replace(rebuild, state=RebuildState.OPEN, pull_request=rebuild.pull_request or rebuild.id)
            self._waiting[rebuild.id] = (opened, work.moves)
        else:  # a run cannot be called back, whatever moves next
            del self._waiting[rebuild.id]
        self._ends[rebuild.id] = work
        heappush(self._events, (now + takes, rebuild.rollout, rebuild.id))

    def _takes(self, rebuild: Rebuild) -> timedelta:
        """How long it takes from the beginning to the image: the checks or a person's merge, then the build."""
        build, merge = self.assumptions.build.value, self.assumptions.merge.value
        match rebuild.action:
            case Action.NOTIFY:
                return timedelta()
            case Action.DISPATCH:
                return build
            case Action.PULL_REQUEST:
                by_itself = self._terms(rebuild).auto_merge.method is not MergeMethod.NEVER
                return build + (build if by_itself else merge)

    def _end(self, work: OpenRebuild, now: datetime) -> None:
        rebuild = work.rebuild
        course = self._courses[rebuild.rollout]
        course.works[rebuild.wave].pop(rebuild.id, None)
        course.ended[rebuild.wave] += 1
        self._waiting.pop(rebuild.id, None)
        if rebuild.action is Action.NOTIFY:
            return
        self.runs += 1
        self._built_at[rebuild.repository] = now
        for move in work.moves:
            key = rebuild.repository, move
            took = now - self._changes[move].at
            self.patched[key] = max(took, self.patched.get(key, took))

    def _weeks(self, now: datetime) -> Iterator[Deed]:
        """The weekly rebuilds up to `now`: whoever would grow older than its `max_age` before the next ones."""
        last = now if self.until is None else min(now, self.until)
        while self._week is not None and self._week <= last:
            week = self._week
            self._week = week + WEEK
            for repository, most in sorted(self._guaranteed.items()):
                if self._built_at[repository] + most < self._week + WEEKLY_OVER:
                    at = week + spread(repository)
                    self._built_at[repository] = at + self.assumptions.build.value
                    self.runs += 1
                    self.weekly_runs += 1
                    yield Deed(at, repository, Action.DISPATCH, (), "the weekly rebuild is due")

    def security(self) -> dict[tuple[str, int], timedelta]:
        """Returns those of `patched` whose change fixed a CVE, by what is known in the end."""
        return {
            key: took for key, took in self.patched.items() if self._changes[key[1]].cause is Cause.DOTNET_SECURITY
        }


def at_once(policy: Policy) -> Policy:
    """Returns a policy of the same actions without settling, windows and waves, to compare these with."""
    rules = tuple(
        replace(rule, settle=timedelta(), windows=None, wave=None, soak=None, max_age=None) for rule in policy.rules
    )
    return Policy((*rules, PolicyRule(settle=timedelta())))
