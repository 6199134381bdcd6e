"""Tables of repositories: what is known of each, its files, and the images that they name."""

from datetime import timedelta

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
)

from bot.domain.repositories.repository import GITHUB
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

repositories = leased(
    "repositories",
    Column("name", ShortText(255), nullable=False, unique=True),
    Column("forge", ShortText(32), nullable=False, server_default=GITHUB),
    Column("forge_id", ShortText(64)),
    Column("node_id", ShortText(128)),
    Column("default_branch", ShortText(255), nullable=False),
    Column("pushed_at", Moment),
    Column("tree", ShortText(64)),
    Column("reader", ShortText(64)),
    Column("listed", Boolean, nullable=False),
    Column("config", JSON, nullable=False),
    Column("workflows", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("error", LongText),
    Column("read_at", Noted),
    Index(None, "forge", "forge_id", unique=True),
)
"""Who a repository is, is its forge and that forge's own id of it. Names alone are unique too, although forges give
them apart: GitHub's have two parts, those of others that may be listed beside it have three."""
falls_due(repositories, DueTable("repositories", (repositories.c.listed.is_(True),), furthest=timedelta(days=7)))
locked_after(repositories, "counters (of plans, of releases)", "grants", "tasks")

blobs = Table(
    "blobs",
    metadata,
    Column("sha", ShortText(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Moment),
)
locked_after(blobs, "tasks")

repository_blobs = Table(
    "repository_blobs",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("sha", ShortText(64), primary_key=True, index=True),
)
locked_after(repository_blobs, "usages")

usages = Table(
    "usages",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("base_id", ForeignKey("bases.id")),
    Column("usage", JSON, nullable=False),
    Column("image", ShortText(511), index=True),
    Column("digest", ShortText(160)),
    Column("version", ShortText(64)),
    Index(None, "base_id", "repository_id"),
    Index(None, "repository_id", "base_id", "digest", "version"),
)
