"""Tables of no one room: tasks, counters, what people asked for, and messages that are due."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    Table,
    UniqueConstraint,
)

from bot.store.rows.moment import Moment, Noted
from bot.store.rows.schema import DueTable, falls_due, key_column, leased, locked_after, metadata
from bot.store.rows.texts import LongText, ShortText

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
