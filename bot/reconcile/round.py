"""One round: the claimed items of one host, tried with bounded concurrency, each settled or put off."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.log import log
from bot.reconcile.work import Breaker, Claimed, Hooks, Lease, RowOutcome, Work


@dataclass(slots=True)
class Tally:
    """What a run did; `problems` has a line for each failure that people are to know of."""

    claimed: int = 0
    done: int = 0
    failed: int = 0
    untried: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class HeldRow:
    """A claimed row on its way: `has_ended` once it is settled, put off, or somebody else's."""

    claimed: Claimed
    lease: Lease
    item: Any = None
    has_ended: bool = False
    is_lost: bool = False
    attempt: "asyncio.Future[Any] | None" = None

    def lose(self) -> None:
        """Cuts the attempt off: the lease is somebody else's."""
        self.is_lost = self.has_ended = True
        if self.attempt is not None:
            self.attempt.cancel()


@dataclass(slots=True)
class Round:
    """The claimed rows of one host: all are tried, and then settled, put off, or left to whoever took their lease.

    `small` waits to be settled together, `untried` was left out as the host was in trouble. What is met at other
    hosts counts against these, in `elsewhere`.
    """

    work: Work[Any, Any]
    host: str
    rows: Sequence[HeldRow]
    breaker: Breaker
    elsewhere: dict[str, Breaker]
    clock: Clock
    hooks: Hooks
    tally: Tally
    small: list[tuple[HeldRow, Any]] = field(default_factory=list)
    untried: list[HeldRow] = field(default_factory=list)
    passing: list[tuple[HeldRow, Failure]] = field(default_factory=list)
    """Those without an answer: whether that is their own or their host's trouble, the round's end tells."""
    went_through: bool = False
    """Whether an attempt has succeeded."""
    locks: dict[object, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def run(self) -> None:
        """Tries the rows; where the host is suspect, the first ones one by one."""
        if self.breaker.tripped is None and not await self._is_prepared():
            return
        suspect = self.work.is_suspect(self.host)
        carefully = (self.work.strikes or 0) if suspect else 0
        await bounded_gather(1, self.rows[:carefully], self._try)
        await bounded_gather(self.work.at_once, self.rows[carefully:], self._try)
        self.breaker.asked_everybody(is_suspect=suspect)

    async def finish(self, until: datetime) -> None:
        """Settles what waited for the end; a host in trouble is to blame for its items without an answer."""
        await self._settle_small()
        tripped = self.breaker.tripped
        if tripped is None:
            for row, failure in self.passing:
                await self._fail(row, failure, RowOutcome.FAILED)
        else:
            await self._blame(tripped, [row for row, _ in self.passing], until, attempted=True)
            await self._blame(tripped, self.untried, until, attempted=False)
        try:
            await self.work.finish(self.host, tripped, self.clock.now())
        except Exception as error:
            self.tally.problems.append(str(self._failure_of(error, self.host)))

    async def _is_prepared(self) -> bool:
        try:
            await self.work.prepare(self.host, [row.item for row in self.rows])
            return True
        except Exception as error:
            failure = self._failure_of(error, self.host)
            self._count(failure)
            for row in self.rows:
                await self._met(row, failure, RowOutcome.FAILED)
            return False

    async def _try(self, row: HeldRow) -> None:
        key = self.work.key(row.item)
        if key is None:
            await self._try_now(row)
        else:
            async with self.locks[key]:
                await self._try_now(row)

    async def _try_now(self, row: HeldRow) -> None:
        if row.is_lost:
            self._end(row, RowOutcome.LOST)
        elif self.breaker.tripped is not None:
            self.untried.append(row)
        else:
            await self._attempt(row)

    async def _attempt(self, row: HeldRow) -> None:
        began = self.clock.now()
        try:
            result = await self._result(row)
        except LeaseLost:
            self._end(row, RowOutcome.LOST, began)
            return
        except Exception as error:
            failure = self._failure_of(error, row.claimed.name)
            self._count(failure)
            await self._met(row, failure, RowOutcome.FAILED if error is failure else RowOutcome.DEFECT)
            return
        self.breaker.answered()
        self.went_through = True
        if self.work.is_small(result):
            self.small.append((row, result))
        else:
            await self._settle(row, result, began)

    async def _result(self, row: HeldRow) -> Any:
        """The result of the attempt, which a lost lease cuts off."""
        row.attempt = asyncio.ensure_future(self.work.attempt(row.item, row.lease))
        try:
            return await row.attempt
        except asyncio.CancelledError:
            if row.is_lost:
                raise LeaseLost(f"{row.claimed.name} was taken over") from None
            raise

    async def _settle(self, row: HeldRow, result: Any, began: datetime | None = None) -> None:
        try:
            await self.work.settle(row.item, result)
        except LeaseLost:
            self._end(row, RowOutcome.LOST, began)
        except Exception as error:
            failure = self._failure_of(error, row.claimed.name)
            await self._fail(row, failure, RowOutcome.FAILED if error is failure else RowOutcome.DEFECT)
        else:
            self.tally.done += 1
            self._end(row, RowOutcome.DONE, began)

    async def _settle_small(self) -> None:
        """All in one transaction; where that fails, one by one, so that each fails alone."""
        try:
            await self.work.settle_together([(row.item, result) for row, result in self.small])
        except Exception:
            for row, result in self.small:
                await self._settle(row, result)
            return
        for row, _ in self.small:
            self.tally.done += 1
            self._end(row, RowOutcome.DONE)

    def _count(self, failure: Failure) -> None:
        """Holds it against the host where it was met, which the bot's own store is no matter of."""
        if failure.is_stores:
            return
        breaker = self.breaker
        if failure.host is not None and failure.host != self.host:
            breaker = self.elsewhere.setdefault(failure.host, Breaker(self.work.strikes))
        breaker.failed(failure, is_hosts=self.work.is_hosts(failure))

    async def _met(self, row: HeldRow, failure: Failure, outcome: RowOutcome) -> None:
        if failure.trouble.is_passing or self.work.is_hosts(failure):
            self.passing.append((row, failure))
        else:
            await self._fail(row, failure, outcome)

    async def _fail(self, row: HeldRow, failure: Failure, outcome: RowOutcome) -> None:
        """What cannot even be put off is left to the end of the batch, and then to the next run."""
        self.tally.failed += 1
        try:
            problem = await self.work.failed(row.item, row.claimed, failure, self.clock.now())
        except LeaseLost:
            self._end(row, RowOutcome.LOST)
            return
        except Exception as error:
            self.tally.problems.append(f"{row.claimed.name}: {failure}")
            self._failure_of(error, row.claimed.name)
            return
        if problem is not None and failure.is_news:
            self.tally.problems.append(problem)
        self._end(row, outcome)

    async def _blame(self, host: Failure, rows: Sequence[HeldRow], until: datetime, *, attempted: bool) -> None:
        if not rows:
            return
        self.tally.untried += len(rows)
        excuse = self.work.excuse(self.host, host)
        try:
            claims = [row.claimed for row in rows]
            await self.work.queue.put_off(claims, until, error=excuse, attempted=attempted)
        except Failure as failure:
            self.tally.problems.append(str(failure))
            return
        for row in rows:
            self._end(row, RowOutcome.UNTRIED)

    def _failure_of(self, error: Exception, row: str) -> Failure:
        """The failure itself; a defect of ours becomes one, logged with the row, or the host, that it met."""
        if isinstance(error, Failure):
            return error
        log.error("defect", stage=self.work.stage, row=row, exc_info=error)
        return Failure(Trouble.MALFORMED, f"a defect of the bot: {error!r}"[:500])

    def _end(self, row: HeldRow, outcome: RowOutcome, began: datetime | None = None) -> None:
        row.has_ended = True
        took = self.clock.now() - began if began is not None else timedelta()
        self.hooks.ended(self.work.stage, self.host, outcome, took)
