"""Tables of no one room: tasks, counters, what people asked for, and messages that are due."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.store.rows.moment import Moment
from bot.store.rows.schema import key_column, leased, metadata

tasks = leased("tasks", Column("name", String(64), nullable=False, unique=True), Column("mark", String(255)))

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    key_column(),
    Column("at", Moment, nullable=False),
    Column("who", String(255), nullable=False),
    Column("is_claimed", Boolean, nullable=False),
    Column("what", String(32), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("reason", Text, nullable=False),
)

outbox = leased(
    "outbox",
    Column("key", String(128), nullable=False),
    Column("destination", String(80), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("sent", String(64)),
    Column("remote", JSON),
    Column("rests_until", Moment),
    Column("error", Text),
    UniqueConstraint("key", "destination"),
)
