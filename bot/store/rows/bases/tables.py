"""Tables of bases: what registries showed, what feeds say, how a base changed and what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from bot.domain.bases.observation import ShowsTwo
from bot.domain.reference import Base
from bot.store.rows.schema import (
    DueTable,
    Id,
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

bases = leased(
    "bases",
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("tag", ShortText(128), nullable=False),
    Column("digest", ShortText(160)),
    Column("unconfirmed", ShortText(160)),
    Column("other_digest", ShortText(160)),
    Column("switched_at", Moment),
    Column("version", ShortText(64)),
    Column("moved_at", Noted),
    Column("observation_id", Id),
    Column("error", LongText),
    Column("used", Boolean, nullable=False, server_default="1"),
    Column("upstream_id", Id, index=True),
    Column("upstream_digest", ShortText(160)),
    Column("likeness", ShortText(16)),
    Column("behind_since", Noted),
    UniqueConstraint("registry", "repository", "tag"),
)
falls_due(bases, DueTable("bases", (bases.c.used.is_(True),), is_regular=True))
locked_after(bases, "manifests", "who produces what")

observations = Table(
    "observations",
    metadata,
    key_column(),
    Column("base_id", ForeignKey("bases.id"), nullable=False),
    Column("previous_id", Id),
    Column("at", Moment, nullable=False),
    Column("digest", ShortText(160)),
    Column("sight", ShortText(16), nullable=False),
    Column("observation", JSON, nullable=False),
    Column("assessed", Boolean, nullable=False),
    Index(None, "base_id", "id"),
    Index(
        "ix_observations_unassessed",
        "id",
        sqlite_where=text("assessed IS 0"),
        postgresql_where=text("assessed IS false"),
    ),
)

manifests = Table(
    "manifests",
    metadata,
    Column("digest", ShortText(160), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Moment, nullable=False),
)
locked_after(manifests, "tasks")

documents = leased(
    "documents",
    Column("url", ShortText(1024), nullable=False, unique=True),
    Column("kind", ShortText(32), nullable=False),
    Column("reader", ShortText(64)),
    Column("etag", ShortText(512)),
    Column("last_modified", ShortText(128)),
    Column("body", LargeBinary),
    Column("fetched_at", Noted),
    Column("checked_at", Noted),
    Column("newest_at", Moment),
    Column("error", LongText),
    Column("doubts", JSON(none_as_null=True)),
)
"""`newest_at` is the newest time in a document."""
falls_due(documents, DueTable("documents", is_regular=True))
locked_after(documents, "images")

releases = Table(
    "releases",
    metadata,
    Column("channel", ShortText(16), primary_key=True),
    Column("version", ShortText(64), primary_key=True),
    Column("published_at", Moment, nullable=False),
    Column("release", JSON, nullable=False),
)
locked_after(releases, "documents")

advisories = Table(
    "advisories",
    metadata,
    Column("source", ShortText(64), primary_key=True),
    Column("cve", ShortText(32), primary_key=True),
    Column("advisory", JSON, nullable=False),
)
locked_after(advisories, "releases")

changes = Table(
    "changes",
    metadata,
    key_column(),
    Column("base_id", ForeignKey("bases.id"), nullable=False, index=True),
    Column("from_observation", ForeignKey("observations.id"), nullable=False),
    Column("to_observation", ForeignKey("observations.id"), nullable=False, unique=True),
    Column("at", Moment, nullable=False),
    Column("change", JSON, nullable=False),
    Column("cause", ShortText(32), nullable=False),
    Column("assessed_at", Moment, nullable=False),
    Column("feeds_revision", BigInteger, nullable=False),
    Column("assessed_revision", BigInteger, nullable=False, server_default="0"),
    Column("planned", Boolean, nullable=False, index=True),
    Column("rollout_id", ForeignKey("rollouts.id"), index=True),
)
locked_after(changes, "audits")

_OPEN = text("cleared_at IS NULL")

incidents = Table(
    "incidents",
    metadata,
    key_column(),
    Column("subject", ShortText(255), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    Column("detail", LongText, nullable=False),
    Index("uq_incidents_open", "subject", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)
locked_after(incidents, "advisories", "issues", "notices", "rollouts")

notices = Table(
    "notices",
    metadata,
    key_column(),
    Column("topic", ShortText(32), nullable=False),
    Column("base_id", ForeignKey("bases.id"), nullable=False, index=True),
    Column("since", Moment, nullable=False),
    Column("until", Moment),
    Column("text", LongText, nullable=False),
    Column("toward", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    Column("outcome", LongText),
    Column("told_with", ForeignKey("notices.id"), index=True),
    Index("uq_notices_open", "topic", "base_id", "since", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)


def base_of(row: Any) -> Base:
    """The base that a row names, or a mapping of its columns."""
    if isinstance(row, Mapping):
        return Base(row["registry"], row["repository"], row["tag"])
    return Base(row.registry, row.repository, row.tag)


def shows_two_in(row: Any) -> ShowsTwo | None:
    """What a row of `bases`, or a mapping of its columns, says of a registry that shows two digests."""
    columns = row if isinstance(row, Mapping) else row._mapping
    other, since = columns["other_digest"], columns["switched_at"]
    return ShowsTwo(other, since) if other is not None else None
