"""Counters whose steps are committed in their order, which times are not."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.writing import insert_into, insert_missing
from bot.store.rows.schema import locked_after
from bot.store.rows.tables import counters

FEEDS = "feeds"
"""Raised by every transaction that brings news from a feed."""
ASSESSMENTS = "assessments"
"""Raised by every transaction that assesses changes again."""
PLANS = "plans"
"""Raised by every transaction that saves a plan, before anything else."""
RELEASES = "releases"
"""Raised by every transaction that lets rebuilds begin or keeps them from it, before anything else; held by those
that plan some, which are marked with what keeps them."""

EXPOSURES = "exposures"
"""Raised by every transaction that brings packages or vulnerabilities, before it compares them with each other."""

FIRST_RUN = "first run"
"""Above zero once the first look at the whole fleet was dealt with."""
TAKEN_UP = "taken up"
"""Above zero once it was asked what the forge has open of the bot's: 1 where there was nothing, 2 where that was
taken up again."""
WITNESS = "witness"
"""Above zero once an empty store has asked whether the bot was here before: 1 where nobody tells that, else one
more than the pause that waits for a person's word since then."""
POLICY = "policy"
"""Which rules open pull requests were last brought under, as a number that stands for them."""
FREEZES = "freezes"
"""Which freezes held when pull requests were last kept from merging by themselves, as a number; zero for none."""


_OF_PLANS = "counters (of plans, of releases)"
_OF_EXPOSURES = "counters (of exposures)"
_OF_FEEDS = "counters (of feeds and assessments)"
COUNTER_LOCKS = {
    PLANS: _OF_PLANS,
    RELEASES: _OF_PLANS,
    EXPOSURES: _OF_EXPOSURES,
    FEEDS: _OF_FEEDS,
    ASSESSMENTS: _OF_FEEDS,
}
"""What the rows of counters are called in the order of locks, in which they have a turn of their own each."""
locked_after(_OF_PLANS)
locked_after(_OF_EXPOSURES, "documents", "sboms")
locked_after(_OF_FEEDS, "outbox")


async def set_counter(connection: AsyncConnection, name: str, value: int) -> None:
    statement: Any = insert_into(connection, counters).values(name=name, value=value)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


async def raise_counter(connection: AsyncConnection, name: str) -> int:
    """Raises a counter, and returns its new value.

    Holds its row to the end of the transaction: who reads a value sees all that led to it.
    """
    statement: Any = insert_into(connection, counters).values(name=name, value=1)
    raising = statement.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    return int((await connection.execute(raising.returning(counters.c.value))).scalar_one())


_VALUE = select(counters.c.value).where(counters.c.name == bindparam("name"))


async def counter(connection: AsyncConnection, name: str) -> int:
    value = await connection.scalar(_VALUE, {"name": name})
    return int(value or 0)


async def hold_counter(connection: AsyncConnection, name: str) -> None:
    """Lets nobody raise the counter to the end of the transaction, which sees all that earlier values led to.

    SQLite needs none of it: its writing transactions come one after another.
    """
    if connection.dialect.name == "sqlite":
        return
    locking_query = select(counters.c.value).where(counters.c.name == name).with_for_update(key_share=True)
    if (await connection.execute(locking_query)).first() is None:
        await connection.execute(insert_missing(connection, counters, name=name, value=0))
        await connection.execute(locking_query)
