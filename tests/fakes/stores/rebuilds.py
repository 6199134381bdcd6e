"""Rebuilds in memory, as `act` and `follow` see them: `act.ports.ActStore`, `follow.stage.FollowStore`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.clock import Clock
from bot.domain.repositories.repository import FleetRepository, Identity
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.rebuild import AWAITING, FOLLOWED, Action, Merging, Rebuild, RebuildState
from bot.domain.rollouts.reopening import LOOKED_AT_FOR, NOT_BEFORE, left_to, that_goes_on
from bot.fleet.act.ports import Job, Successor
from tests.fakes.queue import FakeQueue, Row


class FakeRebuildStore:
    """Jobs by the rebuild's id. Those in `stolen` are another's before anything of them is stored; those in
    `jobs.robbed` when the work on them begins."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rows: dict[int, Row[Job]] = {}
        self.jobs: FakeQueue[Job] = FakeQueue(self.rows, self._awaits_action, _job_of)
        self.stolen: set[int] = set()
        self.taken: set[int] = set()
        self.others_open = 0
        self.to_read_again: set[int] = set()
        self.to_read_once_listed: set[int] = set()
        self.to_read_within_a_day: set[int] = set()
        self.frozen = 0
        self.repeated: dict[int, Rebuild] = {}
        """Rebuilds of merged pull requests by the dispatch that is to repeat their build."""
        self.taken_up_again: set[int] = set()
        """Rebuilds whose closed pull request was opened again, and in whose place another is followed."""

    @property
    def followed(self) -> "_Followed":
        return _Followed(self.rows, self._is_followed, _job_of, self.jobs.robbed)

    def _is_followed(self, row: Row[Job]) -> bool:
        if not isinstance(row.item, Job):
            return False
        rebuild = row.item.rebuild
        if _may_come_back(rebuild, self._clock.now()):
            return rebuild.id not in self.taken_up_again
        return rebuild.state in FOLLOWED and not _is_outdated(rebuild)

    def _awaits_action(self, row: Row[Job]) -> bool:
        if not isinstance(row.item, Job):
            return False
        rebuild = row.item.rebuild
        is_news = rebuild.facts_version > rebuild.text_version
        if self._merges_still(rebuild):
            return is_news or row.item.is_later_kept
        return rebuild.state in AWAITING or _is_outdated(rebuild)

    def _merges_still(self, rebuild: Rebuild) -> bool:
        """As `MERGES_STILL` asks of rows; no test has two that were superseded."""
        if rebuild.state is not RebuildState.SUPERSEDED or rebuild.merging not in (Merging.SET, Merging.FROZEN):
            return False
        later = [self[number] for number in self.rows if number > rebuild.id]
        return any(each.pull_request == rebuild.pull_request and each.state in AWAITING for each in later)

    def put(self, job: Job) -> None:
        """A job that was not known, or a known one as it is by now."""
        number = job.rebuild.id
        row = self.rows.get(number) or self.jobs.add(job, job.rebuild.due_at, f"rebuild {number}", number)
        row.item, row.due_at, row.attempts, row.error = job, job.rebuild.due_at, job.rebuild.attempts, None

    def alter(self, number: int, **values: Any) -> None:
        """Something about a job is otherwise by now."""
        self.put(replace(self.jobs[number], **values))

    def __getitem__(self, id: int) -> Rebuild:  # noqa: A002
        return self.jobs[id].rebuild

    async def save_progress(self, rebuild: Rebuild) -> None:
        self._check(rebuild.id)
        kept = self[rebuild.id]
        versions = max(kept.facts_version, rebuild.facts_version), max(kept.text_version, rebuild.text_version)
        rebuild = replace(rebuild, facts_version=versions[0], text_version=versions[1])
        self.jobs[rebuild.id] = replace(self.jobs[rebuild.id], rebuild=rebuild)
        self.rows[rebuild.id].due_at = rebuild.due_at

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self._check(after.id)
        kept = self[after.id]
        if not succeeded:
            after = replace(
                kept,
                due_at=after.due_at,
                state=after.state,
                reason=after.reason,
                ended_at=after.ended_at,
                looks_in_vain=after.looks_in_vain,
                refusals=after.refusals,
                hindered_by=after.hindered_by,
            )
        else:
            learnt = after.facts_version - before.facts_version
            after = replace(
                after,
                facts_version=kept.facts_version + learnt,
                text_version=max(kept.text_version, after.text_version),
                looks_in_vain=0,
                refusals=0,
                hindered_by=None,
            )
        if kept.facts_version != before.facts_version:
            after = replace(after, due_at=self._clock.now())
        self.jobs.settle(after.id, after.due_at, replace(self.jobs[after.id], rebuild=after))
        if not succeeded:
            self.rows[after.id].attempts = kept.attempts

    async def reopen(self, closed: Rebuild, again: Rebuild) -> None:
        self._check(closed.id)
        mine = [self[number] for number in self.rows if number > closed.id]
        if (later := that_goes_on(closed, [each for each in mine if each.repository == closed.repository])) is None:
            self.taken_up_again.add(closed.id)
            number = max(self.rows) + 1
            self.put(replace(self.jobs[closed.id], rebuild=replace(again, id=number, attempts=0)))
        else:
            closed = replace(closed, reason=left_to(closed, later))
        self.jobs.settle(closed.id, closed.due_at, replace(self.jobs[closed.id], rebuild=closed))

    def _check(self, number: int) -> None:
        if number in self.stolen:
            self.jobs.steal(number)
        self.jobs.check(number)

    async def runs_taken(self, home: Identity) -> set[int]:
        return self.taken

    async def merge_repeated_by(self, rebuild: Rebuild) -> Rebuild | None:
        return self.repeated.get(rebuild.id)

    async def open_pull_requests(self, repository: str) -> int:
        return self.others_open

    async def read_again(self, repository: int) -> None:
        self.to_read_again.add(repository)

    async def read_within_a_day(self, repository: int) -> None:
        self.to_read_within_a_day.add(repository)

    async def notice_delays(self) -> None:
        """Nobody is told in the tests of acting."""

    async def read_once_listed(self, repository: int) -> None:
        self.to_read_once_listed.add(repository)

    async def due_for_dispatch(self, limit: int) -> Sequence[Identity]:
        now = self._clock.now()
        due = [
            self.jobs[number].member.identity
            for number, row in self.rows.items()
            if self[number].action is Action.DISPATCH and self[number].state.awaits_action and row.due_at <= now
        ]
        return due[:limit]

    async def notice_policy(self, policy: int) -> None:
        """The rules of a test change only by its own hand."""

    async def notice_freezes(self, freezes: int) -> None:
        if freezes == self.frozen:
            return
        self.frozen = freezes
        for number in self.rows:
            is_set = self[number].state is RebuildState.OPEN and self[number].merging is not None
            if is_set or self._merges_still(self[number]):
                self.outdate(number)

    async def outdate_pull_requests(self, rebuild: Rebuild) -> None:
        bases = {target.base for target in rebuild.targets}
        for number in self.rows:
            known = self[number]
            if known.state is RebuildState.OPEN and bases >= {target.base for target in known.targets}:
                outdated = replace(known, facts_version=known.facts_version + 1)
                self.jobs[number] = replace(
                    self.jobs[number], rebuild=outdated, replaced_by=Successor(rebuild.action, rebuild.url)
                )
                self.rows[number].due_at = self._clock.now()

    def outdate(self, number: int) -> None:
        """More is known by now of what its pull request is about."""
        known = self[number]
        self.jobs[number] = replace(
            self.jobs[number], rebuild=replace(known, facts_version=known.facts_version + 1)
        )
        self.rows[number].due_at = self._clock.now()


class _Followed(FakeQueue[Job]):
    """The same rows, read as rebuilds."""

    async def read(self, claimed):  # type: ignore[no-untyped-def]
        return (await super().read(claimed)).rebuild


def following(clock: Clock, *rebuilds: Rebuild) -> FakeRebuildStore:
    """A store with these rebuilds, of which no more is told than following them needs."""
    store = FakeRebuildStore(clock)
    for rebuild in rebuilds:
        store.put(Job(rebuild, FleetRepository(7, rebuild.repository, (), RepositoryConfig()), "main", (), ()))
    return store


def _job_of(job: Job, row: Row[Job]) -> Job:
    known = job.rebuild
    reason = row.error if row.error is not None else known.reason
    return replace(job, rebuild=replace(known, due_at=row.due_at, attempts=row.attempts, reason=reason))


def _is_outdated(known: Rebuild) -> bool:
    return known.state is RebuildState.OPEN and known.facts_version > known.text_version


def _may_come_back(rebuild: Rebuild, now: datetime) -> bool:
    """Whether it ended because its pull request was closed, lately, as `may_be_opened_again` asks of rows."""
    has_ended = rebuild.state is RebuildState.CANCELLED and rebuild.ended_at is not None
    was_closed = rebuild.pull_request is not None and rebuild.node_id is not None and rebuild.merge is None
    if rebuild.action is not Action.PULL_REQUEST or not (has_ended and was_closed):
        return False
    assert rebuild.ended_at is not None
    return now - LOOKED_AT_FOR < rebuild.ended_at <= now - NOT_BEFORE
