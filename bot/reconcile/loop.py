"""Claims what is due, tries it item by item, settles it: for every stage that works on rows.

As in controller-runtime's `reconcile`, an item's result says when to come again, and whatever is cut off is
finished by the next run: nothing is known here that the rows do not hold, but which hosts rest at present.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.backoff import backoff, rests_for_long_after, soon
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock, is_yet_to_come
from bot.domain.failure import Failure, Trouble
from bot.domain.log import log
from bot.reconcile.guarded import Budget, Covers, covers_all
from bot.reconcile.round import HeldRow, Round, Tally
from bot.reconcile.work import (
    LONGEST_PAUSE,
    Breaker,
    Claimed,
    Hooks,
    Lease,
    RowOutcome,
    Work,
    pause,
    put_off_by_backoff,
)

RENEW_EVERY = timedelta(minutes=2)
"""Several times within the shortest lease, so that one renewal may fail."""

HASTEN_EVERY = timedelta(hours=1)
_MOST_HASTENED = 500
"""At a time: what rests beyond these comes an hour later."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A host in trouble `since` then, which is left alone from `began_at` on."""

    since: datetime
    began_at: datetime
    failure: Failure

    def until(self, longest: timedelta) -> datetime:
        """For whom it is `longest` until the host must be tried again."""
        return self.began_at + pause(self.since, self.began_at, self.failure, longest)


@dataclass(slots=True)
class Loop:
    """One for a process: what one stage learns of a host keeps the others from asking it too.

    `budget` gives the turns for writes; None where nothing bounds them. `builder_budget` gives those for builds
    that are started elsewhere than at the forge; None where they take the forge's turns. `covers` tells of a
    repository whether the operator includes it.
    """

    clock: Clock
    hooks: Hooks = field(default_factory=Hooks)
    budget: Budget | None = None
    builder_budget: Budget | None = field(default=None, kw_only=True)
    covers: Covers = covers_all
    renew_every: timedelta = RENEW_EVERY
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _resting: dict[str, _Rest] = field(default_factory=dict)
    _hastened: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _owed: dict[str, list[Claimed]] = field(default_factory=dict)
    """Rows, by stage, that the store could not take back."""

    async def run(self, work: Work[Any, Any]) -> Tally:
        """Works until nothing is due, or the host that everything needs pauses. Raises `Failure` only where the
        store cannot be asked what is due."""
        tally = Tally()
        await self._give_back_owed(work)
        breakers: dict[str, Breaker] = {}
        earlier_ids: set[int] = set()
        while tally.claimed < work.most and not (work.home and self._rest(work.home, LONGEST_PAUSE)):
            limit = min(work.batch, work.most - tally.claimed)
            claims = await work.queue.claim(self.clock.now(), limit)
            if not claims:
                break
            tally.claimed += len(claims)
            await self._batch(work, claims, breakers, tally)
            ids = {claimed.id for claimed in claims}
            if ids <= earlier_ids:  # due again at once, for ever: the next run goes on
                break
            earlier_ids |= ids
        return tally

    async def _batch(
        self, work: Work[Any, Any], claims: Sequence[Claimed], breakers: dict[str, Breaker], tally: Tally
    ) -> None:
        rows = [HeldRow(claimed, Lease(claimed, work.queue, self.clock)) for claimed in claims]
        try:
            async with self._keep_leases(work, rows):
                by_host: dict[str, list[HeldRow]] = defaultdict(list)
                for each in rows:
                    if await self._is_read(work, each, tally):
                        by_host[self._awaited(work, each.item)].append(each)
                await bounded_gather(
                    len(by_host), by_host.items(), lambda entry: self._host(work, *entry, breakers, tally)
                )
        finally:
            self._owed[work.stage] = [each.claimed for each in rows if not each.has_ended]
        await self._give_back_owed(work)

    def _awaited(self, work: Work[Any, Any], item: Any) -> str:
        """The item's host, or another that it needs, where that one rests."""
        own_host = work.host(item)
        return next((each for each in work.needs(item) if self._rest(each, LONGEST_PAUSE) is not None), own_host)

    async def _is_read(self, work: Work[Any, Any], row: HeldRow, tally: Tally) -> bool:
        """Decodes one row; one that cannot be read is put off alone, with the reason."""
        try:
            row.item = await work.queue.read(row.claimed)
            return True
        except Failure as failure:
            trouble = failure
        except Exception as defect:
            log.exception("row cannot be read", stage=work.stage, row=row.claimed.name)
            trouble = Failure(Trouble.MALFORMED, f"cannot be read: {type(defect).__name__}: {defect}"[:500])
        tally.failed += 1
        tally.problems.append(f"{row.claimed.name}: {trouble}")
        self.hooks.ended(work.stage, work.home or "", RowOutcome.UNREADABLE, timedelta())
        with contextlib.suppress(Failure):
            await put_off_by_backoff(work.queue, row.claimed, trouble, self.clock.now())
            row.has_ended = True
        return False

    async def _host(
        self,
        work: Work[Any, Any],
        host: str,
        rows: Sequence[HeldRow],
        breakers: dict[str, Breaker],
        tally: Tally,
    ) -> None:
        """One round: the items of one host, until it is done with or asks to be left alone."""
        breaker = breakers.pop(host, None) or Breaker(work.strikes)
        items = [each.item for each in rows]
        rest = self._rest(host, work.longest_pause(items, self.clock.now()))
        if rest is not None:
            breaker.tripped = rest.failure
        resting = self._resting.get(host)
        this = Round(work, host, rows, breaker, breakers, self.clock, self.hooks, tally)
        await this.run()
        now = self.clock.now()
        self._pause_others(work, breakers, tally, now)
        if breaker.tripped is None:
            breakers[host] = breaker
            if breaker.has_answered and self._resting.get(host) is resting:
                self._resting.pop(host, None)
        elif rest is None:
            rest = self._pause(work, host, breaker.tripped, tally, now)
        await this.finish(rest.until(work.longest_pause(items, now)) if rest is not None else now)
        if this.went_through and breaker.tripped is None and work.rests_by_backoff:
            await self._hasten(work, host, now)

    async def _hasten(self, work: Work[Any, Any], host: str, now: datetime) -> None:
        """What rests at the host for longer than the usual back-off is due again soon, at most once an hour: what
        kept it may be over, or its own."""
        last = self._hastened.get((work.stage, host))
        if last is not None and timedelta(0) <= now - last < HASTEN_EVERY:
            return
        with contextlib.suppress(Failure):
            resting = await work.queue.resting(rests_for_long_after(now), _MOST_HASTENED)
            mine = [claimed.id for claimed in resting if await _is_at(work, claimed, host)]
            await work.queue.hasten(dict(zip(mine, soon(now, len(mine)), strict=True)))
            self._hastened[work.stage, host] = now

    def _rest(self, host: str, longest: timedelta) -> _Rest | None:
        """None also where it began at a time that is yet to come: a clock that was ahead has told it."""
        rest, now = self._resting.get(host), self.clock.now()
        if rest is None or is_yet_to_come(rest.began_at, now):
            return None
        return rest if rest.until(longest) > now else None

    def _pause_others(
        self, work: Work[Any, Any], breakers: dict[str, Breaker], tally: Tally, now: datetime
    ) -> None:
        """Leaves other hosts alone that a round has met in trouble."""
        for host in [host for host, breaker in breakers.items() if breaker.tripped is not None]:
            tripped = breakers.pop(host).tripped
            if tripped is not None and self._rest(host, LONGEST_PAUSE) is None:
                self._pause(work, host, tripped, tally, now)

    def _pause(self, work: Work[Any, Any], host: str, failure: Failure, tally: Tally, now: datetime) -> _Rest:
        before = self._resting.get(host)
        since = work.paused_since(host) or (before.since if before is not None else now)
        rest = self._resting[host] = _Rest(since, now, failure)
        problem = work.told(host, failure)
        tally.problems += [problem] if problem is not None and problem not in tally.problems else []
        return rest

    @contextlib.asynccontextmanager
    async def _keep_leases(self, work: Work[Any, Any], rows: Sequence[HeldRow]) -> AsyncIterator[None]:
        """Keeps the leases while the body goes on; what another has taken over is cut off."""

        async def keep() -> None:
            while True:
                await self.sleep(self.renew_every.total_seconds())
                mine = [each for each in rows if not each.has_ended]
                with contextlib.suppress(Failure):
                    kept_ids = await work.queue.renew([each.claimed for each in mine], self.clock.now())
                    for each in mine:
                        if each.claimed.id not in kept_ids:
                            each.lose()

        keeping = asyncio.ensure_future(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _give_back_owed(self, work: Work[Any, Any]) -> None:
        """Frees what could be neither settled nor put off; where the store still cannot, the next run tries."""
        if owed := self._owed.pop(work.stage, []):
            try:
                rest = backoff(max(claimed.attempts for claimed in owed))
                await work.queue.put_off(owed, self.clock.now() + rest)
            except Failure:
                self._owed[work.stage] = owed
                raise


async def _is_at(work: Work[Any, Any], claimed: Claimed, host: str) -> bool:
    """A row that cannot be read is at no host."""
    try:
        return work.host(await work.queue.read(claimed)) == host
    except Exception:
        return False
