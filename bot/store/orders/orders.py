"""What a person tells the bot to do with rollouts, rebuilds and bases: one transaction each, kept in the journal.

Nothing is written to a forge here: what a person calls off is carried out by `act`, from its rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import AHEAD
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.journal import Entry, Word
from bot.domain.rollouts.rebuild import AWAITING, Rebuild, RebuildState
from bot.store.engine.counters import RELEASES, raise_counter
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks
from bot.store.orders.named import ask_for_open_rollout, base_named, digests_of, not_ended, rebuilds_named
from bot.store.orders.putting_back import put_back
from bot.store.orders.retrying import failed_last, retried
from bot.store.rows.rollouts.quarantines import let_go, open_quarantine
from bot.store.rows.rollouts.rebuild_store import open_pause
from bot.store.rows.rollouts.rebuilds import (
    after_transitions,
    keep_transitions,
    merging_by_themselves,
    outcome_of,
    outdate,
    transition_row,
)
from bot.store.rows.rollouts.steps import end_steps
from bot.store.rows.rollouts.tables import pauses, rebuilds
from bot.store.rows.tables import announce, journal, latest_entries

_MOST_ENTRIES = 1000


class OrdersStore(Store):
    """Carries out what a person orders: pause, resume, cancel, retry and the like."""

    async def pause(self, rollout: int | None, word: Word) -> bool:
        """Lets nothing more begin, of one rollout or (None) of all; whether that is new."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            if rollout is not None:
                await ask_for_open_rollout(connection, rollout)
            is_new = await open_pause(connection, rollout, word.who, word.reason, now)
            await _note_order(connection, now, word, "pause", _subject(rollout))
        return is_new

    async def resume(self, rollout: int | None, word: Word) -> bool:
        """Lets a rollout go on, or (None) all that are not paused alone; whether there was a pause, or a failure
        that may have held it. What people had said before the store was lost is put back with the pause of that."""
        now = self._clock.now()
        which = pauses.c.rollout_id.is_(None) if rollout is None else pauses.c.rollout_id == rollout
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            open_ones = select(pauses.c.id).where(which, pauses.c.until.is_(None))
            pause_ids = sorted(await connection.scalars(open_ones))
            outcomes = await put_back(connection, pause_ids, now)
            conditions = [] if rollout is None else [rebuilds.c.rollout_id == rollout]
            await outdate(
                connection, await merging_by_themselves(connection, *conditions) if pause_ids else [], now
            )
            if rollout is not None:
                await _end_at_last(connection, rollout, now)
            await connection.execute(update(pauses).where(pauses.c.id.in_(pause_ids)).values(until=now))
            has_failed = rollout is not None and not pause_ids and await _let_go_on(connection, rollout, word, now)
            for pause in pause_ids:
                await announce(connection, f"pause:{pause}", now)
            if rollout is not None and pause_ids:
                await announce(connection, f"rollout:{rollout}", now)
            await _note_order(connection, now, word, "resume", _subject(rollout))
            for said, failure in outcomes:
                answer = replace(word, reason=said.told if failure is None else f"{said.told}; {failure}")
                what = "put back" if failure is None else "not put back"
                await _note_order(connection, now, answer, what, said.subject)
        return bool(pause_ids) or has_failed

    async def cancel(self, rollout: int, word: Word, *, keep: bool) -> int:
        """Ends what has not ended of a rollout, and returns how many rebuilds that concerns.

        With `keep` its open pull requests stay as they are, and are followed no more.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            await ask_for_open_rollout(connection, rollout)
            unfinished_rebuilds = await not_ended(connection, rebuilds.c.rollout_id == rollout)
            await _call_off(
                connection,
                unfinished_rebuilds,
                RebuildState.CANCELLED,
                f"cancelled by {word.who}: {word.reason}",
                now,
                keep,
            )
            await _note_order(connection, now, word, "cancel", _subject(rollout))
        return len(unfinished_rebuilds)

    async def retire(self, word: Word) -> int:
        """Ends whatever has not ended, without a word to the forge, and lets nothing begin any more; how many
        rebuilds that concerns."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            unfinished_rebuilds = await not_ended(connection)
            reason = f"the bot retires, says {word.who}: {word.reason}"
            await _call_off(connection, unfinished_rebuilds, RebuildState.CANCELLED, reason, now, True)
            await open_pause(connection, None, word.who, f"the bot retires: {word.reason}", now)
            await _note_order(connection, now, word, "retire", "everything")
        return len(unfinished_rebuilds)

    async def skip(self, repository: str, word: Word) -> int:
        """Ends what has not ended in a repository (or one rebuild, by its id)."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            unfinished_rebuilds = await not_ended(connection, await rebuilds_named(connection, repository))
            await _call_off(
                connection,
                unfinished_rebuilds,
                RebuildState.SKIPPED,
                f"skipped by {word.who}: {word.reason}",
                now,
                False,
            )
            await _note_order(connection, now, word, "skip", repository)
        return len(unfinished_rebuilds)

    async def hold(self, repository: str, word: Word) -> int:
        """Keeps what has not begun in a repository (or one rebuild) from beginning until `retry`.

        What supersedes it is kept too.
        """
        async with self._database.transaction() as connection:
            return await hold_within(connection, repository, word, self._clock.now())

    async def retry(self, repository: str, word: Word) -> int:
        """Lets what waits in a repository (or one rebuild) begin now, and tries again what has failed last.

        How many rebuilds that concerns.
        """
        async with self._database.transaction() as connection:
            return await retry_within(connection, repository, word, self._clock.now())

    async def quarantine(self, base: str, word: Word) -> str:
        """Has nothing built on what a base shows now, nor on mirrors' copies of it, until they show something else;
        the digest. The base may be told with it, a mirror's also with upstream's."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            name, _, stated_digest = base.partition("@")
            base_id, shown_digest = await base_named(connection, name)
            if shown_digest is None:
                raise Failure(Trouble.MISSING, f"{name} was never seen", advice="wait for the first look at it")
            if stated_digest and stated_digest not in await digests_of(connection, base_id):
                raise Failure(
                    Trouble.CONFLICT,
                    f"{name} shows {shown_digest} now, not {stated_digest}",
                    advice="name it without a digest",
                )
            await open_quarantine(connection, base_id, shown_digest, word.who, word.reason, now)
            await _note_order(connection, now, word, "quarantine add", f"{name}@{shown_digest}")
        return shown_digest

    async def lift(self, base: str, word: Word) -> int:
        """Ends the quarantines of a base and of its copies; how many there were."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            base_id, _ = await base_named(connection, base)
            number_lifted = await let_go(connection, base_id, f"lifted by {word.who}: {word.reason}", now)
            await _note_order(connection, now, word, "quarantine lift", base)
        return number_lifted

    async def entries(self, limit: int) -> list[Entry]:
        """The latest of the journal, newest first."""
        async with self._database.reading() as connection:
            return await latest_entries(connection, min(limit, _MOST_ENTRIES))


async def _end_at_last(connection: AsyncConnection, rollout: int, now: datetime) -> None:
    """What a clock that was ahead has ended counts as ended now: who lets the rollout go on has seen it."""
    await connection.execute(
        update(rebuilds)
        .where(rebuilds.c.rollout_id == rollout, rebuilds.c.ended_at > now + AHEAD)
        .values(ended_at=now)
    )


async def _let_go_on(connection: AsyncConnection, rollout: int, word: Word, now: datetime) -> bool:
    """Notes that a person has seen what ended so far in a rollout that is not paused; whether that may have held
    it."""
    in_vain = (RebuildState.FAILED, RebuildState.CANCELLED)
    query = select(rebuilds.c.id).where(rebuilds.c.rollout_id == rollout, rebuilds.c.state.in_(in_vain)).limit(1)
    if (await connection.execute(query)).first() is None:
        return False
    pause_row = {"rollout_id": rollout, "since": now, "who": word.who, "reason": word.reason, "until": now}
    await connection.execute(insert(pauses).values(**pause_row))
    await announce(connection, f"rollout:{rollout}", now)
    return True


async def hold_within(connection: AsyncConnection, repository: str, word: Word, now: datetime) -> int:
    """`OrdersStore.hold`, within the caller's transaction."""
    await raise_counter(connection, RELEASES)
    waiting_rebuilds = await not_ended(
        connection, await rebuilds_named(connection, repository), rebuilds.c.state.in_(AWAITING)
    )
    hold_reason = f"held by {word.who}: {word.reason}"
    # Taking the lease away stops a worker that is just beginning with one.
    await connection.execute(
        update(rebuilds)
        .where(rebuilds.c.id.in_([rebuild.id for rebuild in waiting_rebuilds]))
        .values(held_because=hold_reason, lease_owner=None, lease_until=None)
    )
    await _note_order(connection, now, word, "hold", repository)
    return len(waiting_rebuilds)


async def retry_within(connection: AsyncConnection, repository: str, word: Word, now: datetime) -> int:
    """`OrdersStore.retry`, within the caller's transaction."""
    await raise_counter(connection, RELEASES)
    of_repository = await rebuilds_named(connection, repository)
    waiting = await not_ended(connection, of_repository, rebuilds.c.state.in_(AWAITING))
    is_waiting = rebuilds.c.id.in_([rebuild.id for rebuild in waiting])
    await connection.execute(
        update(rebuilds)
        .where(is_waiting)
        .values(held_because=None, released_at=now, gave_way_at=None, at_request=True)
    )
    await connection.execute(
        update(rebuilds).where(is_waiting, rebuilds.c.lease_owner.is_(None)).values(due_at=now)
    )
    reason = f"tried again, asked by {word.who}: {word.reason}"
    new_rebuilds = [
        await retried(connection, failed, reason, now) for failed in await failed_last(connection, of_repository)
    ]
    await after_transitions(connection, {rebuild.rollout for rebuild in new_rebuilds}, now)
    await _note_order(connection, now, word, "retry", repository)
    return len(waiting) + len(new_rebuilds)


async def _call_off(
    connection: AsyncConnection,
    unfinished_rebuilds: Sequence[Rebuild],
    end: RebuildState,
    reason: str,
    now: datetime,
    keep: bool,
) -> None:
    """What has not begun, and what stays as it is, ends here; the rest is left to `act`, which closes it."""
    at_once = [
        rebuild
        for rebuild in unfinished_rebuilds
        if keep or (rebuild.state.awaits_action and rebuild.attempted_at is None and rebuild.pull_request is None)
    ]
    rebuilds_to_close = [rebuild for rebuild in unfinished_rebuilds if rebuild not in at_once]
    for rebuild in at_once:
        state = end if rebuild.state.awaits_action else RebuildState.CANCELLED
        ended_rebuild = rebuild.moved(state, reason, at=now)
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id == rebuild.id)
            .values(**outcome_of(ended_rebuild), call_off=reason, lease_owner=None, lease_until=None)
        )
        await keep_transitions(connection, [transition_row(rebuild.id, now, rebuild.state, state, reason)])
    await end_steps(connection, [rebuild.id for rebuild in at_once if rebuild.steps], reason, now)
    for ids in chunks([rebuild.id for rebuild in rebuilds_to_close]):
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_(ids))
            .values(call_off=reason, due_at=now, attempts=0, refusals=0, lease_owner=None, lease_until=None)
        )
    await after_transitions(connection, {rebuild.rollout for rebuild in at_once}, now)


async def _note_order(connection: AsyncConnection, now: datetime, word: Word, command: str, subject: str) -> None:
    values: dict[str, Any] = {"at": now, "who": word.who, "is_claimed": word.is_claimed, "reason": word.reason}
    await connection.execute(insert(journal).values(**values, what=command, subject=subject))


def _subject(rollout: int | None) -> str:
    return "everything" if rollout is None else f"rollout {rollout}"
