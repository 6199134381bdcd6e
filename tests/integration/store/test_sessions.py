"""Sessions that were ended: known to all replicas, and forgotten once they are worth nothing by themselves."""

from datetime import timedelta

from sqlalchemy import select

from bot.store.engine.queue.claiming import Worker
from bot.store.rows.tables import ended_sessions
from bot.store.sessions import SessionsStore
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import HOUR, Stores


@ON_BOTH
async def test_a_session_that_was_ended_is_so_for_every_replica(stores: Stores) -> None:
    one, other = [SessionsStore(stores.database, Worker(name), stores.clock) for name in ("a", "b")]
    until = stores.clock.now() + HOUR
    await one.end("a" * 64, until)
    await other.end("a" * 64, until)
    assert await other.has_ended("a" * 64)
    assert not await other.has_ended("b" * 64)


async def test_sessions_that_would_be_over_are_forgotten(stores: Stores) -> None:
    sessions = SessionsStore(stores.database, Worker("a"), stores.clock)
    for letter in "abc":
        await sessions.end(letter * 64, stores.clock.now() + HOUR)
        stores.clock.advance(HOUR + timedelta(seconds=1))
    async with stores.database.reading() as connection:
        kept = list((await connection.execute(select(ended_sessions.c.session))).scalars())
    assert kept == ["c" * 64]
