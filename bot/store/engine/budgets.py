"""The turns to write, given in the store, so that all replicas together keep within what a forge allows."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.timing.pace import HOUR, WriteLimits, asked_by
from bot.domain.wording.words import counted
from bot.reconcile.guarded import Turn
from bot.reconcile.work import LONGEST_PAUSE, SHORTEST_PAUSE
from bot.store.engine.codec import check_moments
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_into
from bot.store.rows.rollouts.budgets import FARTHEST_STOP, budgets, read_spending, spendings

FARTHEST = timedelta(minutes=30)
"""Turns that are given lie no farther ahead, so a later one was written by a clock that was wrong."""


class BudgetStore(Store):
    """Clocks of several machines differ, so a time never goes back behind one that was written before.

    One that lies far ahead counts as now, and as that from then on: it would stop all writes until every clock is
    there.
    """

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        """Gives the next turn, with its contents counted; with `because` none is given, and `at` says from when one
        will be."""
        async with self._database.transaction() as connection:
            row = await _lock_account(connection, account)
            spending = await read_spending(connection, account, limits)
            own = self._clock.now()
            if any(moment - own > FARTHEST for moment in spending.spent):
                await connection.execute(update(spendings).where(_is_ahead(account, own)).values(at=own))
                spending = await read_spending(connection, account, limits)
            now = max([own, *spending.spent])
            stopped_until = _stopped_until(row, own)
            if stopped_until is not None and stopped_until > now:
                return Turn(stopped_until, row.stopped_because)
            turn_at = max(now, row.next_at) if row.next_at is not None and row.next_at - own <= FARTHEST else now
            free = spending.free_at(turn_at, contents)
            if free > turn_at:
                await _update_account(connection, account, room_at=free)
                return Turn(free, _word_wait(limits))
            spending.spend(turn_at, contents)
            room = spending.free_at(turn_at, 1)
            await _update_account(
                connection, account, next_at=turn_at + limits.apart, room_at=room if room > turn_at else None
            )
            if contents:
                await connection.execute(delete(spendings).where(_is_over(account, turn_at)))
                await connection.execute(insert(spendings).values(account=account, at=turn_at, contents=contents))
            return Turn(turn_at)

    async def stop(self, account: str, requested_pause: timedelta | None) -> timedelta:
        """As long as the forge asked, and at least as long as its refusals have lasted already: one soon after the
        end of a pause goes on with the trouble before."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            row = await _lock_account(connection, account)
            stopped_until = _stopped_until(row, now)
            goes_on = stopped_until is not None and now - stopped_until < LONGEST_PAUSE
            since = row.stopped_since if goes_on else now
            pause = max(requested_pause or SHORTEST_PAUSE, min(now - since, LONGEST_PAUSE))
            until = max(now + pause, stopped_until or now)
            because = f"{asked_by(account)} has asked for fewer writes"
            await _update_account(
                connection, account, stopped_since=since, stopped_until=until, stopped_because=because
            )
        return until - now


def _stopped_until(row: Any, now: datetime) -> datetime | None:
    """None also where that is further ahead than a forge may ask for."""
    until: datetime | None = row.stopped_until
    return None if until is not None and until - now > FARTHEST_STOP else until


async def _lock_account(connection: AsyncConnection, account: str) -> Any:
    """The account's row, made where there is none, and held to the end of the transaction."""
    insertion: Any = insert_into(connection, budgets).values(account=account)
    locking_insertion = insertion.on_conflict_do_update(index_elements=["account"], set_={"account": account})
    row = (await connection.execute(locking_insertion.returning(budgets))).one()
    check_moments(row)
    return row


async def _update_account(connection: AsyncConnection, account: str, **values: Any) -> None:
    await connection.execute(update(budgets).where(budgets.c.account == account).values(**values))


def _is_ahead(account: str, now: datetime) -> Any:
    return (spendings.c.account == account) & (spendings.c.at > now + FARTHEST)


def _is_over(account: str, now: datetime) -> Any:
    return (spendings.c.account == account) & (spendings.c.at <= now - HOUR)


def _word_wait(limits: WriteLimits) -> str:
    return (
        f"it waits for its turn: at most {counted(limits.per_minute, 'new pull request')}, review requests, issues "
        f"and comments a minute and {limits.per_hour:,} an hour are made"
    )
