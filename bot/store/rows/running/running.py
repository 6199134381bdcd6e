"""What runs: sources, places, builds and runs, with the times that are covered: their tables."""

from datetime import timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, Table, UniqueConstraint, and_, text

from bot.domain.running.snapshot import RunningPlace
from bot.store.rows.inventories.inventories import inventories, undone_columns
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

running_sources = leased(
    "running_sources",
    Column("name", ShortText(64), nullable=False, unique=True),
    Column("environment", ShortText(255), nullable=False, server_default=""),
    Column("stale_after", Integer, nullable=False),
    Column("is_listed", Boolean, nullable=False, server_default="1"),
    Column("is_asked", Boolean, nullable=False, server_default="0"),
    Column("told_at", Noted),
    Column("not_read", JSON),
    Column("error", LongText),
)
"""`stale_after` is in seconds; `is_listed` while settings name it, `is_asked` where the bot begins. It told
last at `told_at`, and `not_read` says what was missing then."""
falls_due(running_sources, DueTable(is_regular=True, furthest=timedelta(days=1)))
"""Those that tell by themselves are never worked on: no figure tells of them."""
running_looks = Table(
    "running_looks",
    metadata,
    key_column(),
    Column("source_id", ForeignKey("running_sources.id", ondelete="CASCADE"), nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False, index=True),
    UniqueConstraint("source_id", "since"),
)
"""The times through which a source was read as a whole; what lies between them is a hole."""
running_places = Table(
    "running_places",
    metadata,
    key_column(),
    Column("source_id", ForeignKey("running_sources.id", ondelete="CASCADE"), nullable=False),
    Column("namespace", ShortText(255), nullable=False),
    Column("kind", ShortText(64), nullable=False),
    Column("workload", ShortText(255), nullable=False),
    Column("container", ShortText(255), nullable=False),
    Column("pulls_since", Moment),
    UniqueConstraint("source_id", "namespace", "kind", "workload", "container"),
)
"""Since `pulls_since` a container there waits for its image."""
place_columns = tuple(running_places.c[name] for name in ("namespace", "kind", "workload", "container"))
locked_after(running_places, "running_looks")
running_builds = Table(
    "running_builds",
    metadata,
    key_column(),
    Column("digest", ShortText(160), nullable=False, unique=True),
    Column("seen_at", Moment, nullable=False),
)
"""Each digest once, as nodes tell it: of an index, a platform's manifest or a config."""
locked_after(running_builds, "running_places", inventories.name)
running_contents = Table(
    "running_contents",
    metadata,
    Column("build_id", ForeignKey("running_builds.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column(
        "inventory_id",
        ForeignKey("inventories.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column("kind", ShortText(16), nullable=False),
)
"""What is inside a build, a row for each platform that it may be; `kind` is what its digest names."""
locked_after(running_contents, "past_contents")
running_reads = Table(
    "running_reads",
    metadata,
    key_column(),
    Column("build_id", ForeignKey("running_builds.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("read_at", Moment),
    Column("error", LongText),
    *undone_columns("running_reads", "read_at"),
)
"""Builds of which no image of the fleet told what is inside when they were first seen: each is asked for under the
name by which it runs, until it was read once."""
falls_due(running_reads, DueTable())
"""What has stopped is not asked for: no figure tells of it."""
locked_after(running_reads, "running_contents", "later_indexes")
runs = Table(
    "runs",
    metadata,
    key_column(),
    Column("place_id", ForeignKey("running_places.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("build_id", ForeignKey("running_builds.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("image", ShortText(1024), nullable=False),
    Column("since", Moment, nullable=False),
    Column("is_older", Boolean, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("until", Moment),
    Column("pods", Integer, nullable=False),
    Column("is_past", Boolean, nullable=False, server_default="0"),
    Index(
        "ix_runs_ended",
        "until",
        sqlite_where=text("until IS NOT NULL AND is_past = 0"),
        postgresql_where=text("until IS NOT NULL AND NOT is_past"),
    ),
    Index(
        "ix_runs_open",
        "place_id",
        "build_id",
        unique=True,
        sqlite_where=text("until IS NULL"),
        postgresql_where=text("until IS NULL"),
    ),
)
"""`until` is null as long as nothing has ended it. What is of the past is told by `past_runs` as well."""
HAS_ENDED = and_(runs.c.until.is_not(None), ~runs.c.is_past)
"""What has ended and is not packed yet: an index holds these alone."""
locked_after(runs, "running_reads")


def place_in(row: Any) -> RunningPlace:
    """The place in a row with the columns of one."""
    return RunningPlace(row.namespace, row.kind, row.workload, row.container)
