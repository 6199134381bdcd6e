"""Tables of no one room: tasks, counters, what people asked for, messages, events that came in, and ended
sessions."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    case,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import GITHUB
from bot.domain.rollouts.journal import Entry, Word
from bot.store.engine.codec import readable
from bot.store.engine.writing import insert_into
from bot.store.rows.schema import (
    DueTable,
    LongText,
    Moment,
    Noted,
    ShortText,
    falls_due,
    key_column,
    leased,
    locked_after,
    metadata,
)

tasks = leased("tasks", Column("name", ShortText(64), nullable=False, unique=True), Column("mark", ShortText(255)))
falls_due(tasks, DueTable("tasks", is_regular=True))
locked_after(tasks, "deliveries")

counters = Table(
    "counters",
    metadata,
    Column("name", ShortText(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    key_column(),
    Column("at", Moment, nullable=False),
    Column("who", ShortText(255), nullable=False),
    Column("is_claimed", Boolean, nullable=False),
    Column("what", ShortText(32), nullable=False),
    Column("subject", ShortText(512), nullable=False),
    Column("reason", LongText, nullable=False),
)

outbox = leased(
    "outbox",
    Column("key", ShortText(128), nullable=False),
    Column("destination", ShortText(80), nullable=False, server_default=""),
    Column("created_at", Noted, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("sent", ShortText(64)),
    Column("remote", JSON),
    Column("rests_until", Moment),
    Column("error", LongText),
    UniqueConstraint("key", "destination"),
)
falls_due(outbox, DueTable("messages", (outbox.c.wanted > outbox.c.told,)))
locked_after(outbox, "incidents", "pauses", "rollout_waves", "summaries")


LISTING = "list repositories"
LISTING_AT = f"{LISTING} at "
"""Before the name of a forge other than GitHub."""
LISTED = "listed"
"""The mark of the task of a forge that was listed at least once."""


def listing_of(forge: str) -> str:
    """The name of the task of listing a forge."""
    return LISTING if forge == GITHUB else f"{LISTING_AT}{forge}"


async def latest_entries(connection: AsyncConnection, most: int) -> list[Entry]:
    """Reads the latest of the journal, newest first."""
    rows = await connection.execute(select(journal).order_by(journal.c.id.desc()).limit(most))
    return readable(
        rows,
        lambda row: Entry(row.at, Word(row.who, row.reason, row.is_claimed), row.what, row.subject),
        lambda row: f"journal {row.id}",
    )


KNOWN_BEFORE = "known before"
"""What stands in place of a sent text where people may have been told by the bot before its store was lost."""


async def mark_known_before(connection: AsyncConnection, key: str) -> None:
    """Marks an announced message as one that channels may have already: it is looked for, and not sent anew."""
    await connection.execute(
        update(outbox).where(outbox.c.key == key, outbox.c.sent.is_(None)).values(sent=KNOWN_BEFORE)
    )


async def announce(connection: AsyncConnection, key: str, now: datetime, destination: str = "") -> None:
    """Marks the message for `key` as due, within the caller's transaction; without a destination, for whom it
    concerns.

    Only the key is stored: the text is made when it is sent, so a late message tells the present state. One that
    rests, since a failed attempt or since it was sent a moment ago, goes on resting.
    """
    statement = insert_into(connection, outbox).values(
        key=key, destination=destination, wanted=1, told=0, due_at=now, created_at=now
    )
    due_at = case(
        (outbox.c.attempts > 0, outbox.c.due_at), (outbox.c.rests_until > now, outbox.c.rests_until), else_=now
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key", "destination"], set_={"wanted": outbox.c.wanted + 1, "due_at": due_at}
        )
    )


deliveries = Table(
    "deliveries",
    metadata,
    Column("source", ShortText(16), primary_key=True),
    Column("delivery", ShortText(128), primary_key=True),
    Column("at", Moment, nullable=False),
    Index(None, "at"),
)


ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("session", ShortText(64), primary_key=True),
    Column("until", Moment, nullable=False, index=True),
)


fleet_issues = leased(
    "fleet_issues",
    Column("repository", ShortText(255), nullable=False, unique=True),
    Column("number", Integer),
    Column("url", LongText),
    Column("wording", Integer, nullable=False, server_default="0"),
    Column("heeded", JSON, nullable=False),
    Column("error", LongText),
)
"""`wording` is the number of the latest wording that was written; `heeded` names for wordings, by their number, the
boxes that were heeded in them."""
falls_due(fleet_issues, DueTable(is_regular=True))
"""Only the repository that settings name is worked on, one row: no figure tells of it."""
locked_after(fleet_issues, "gates")
