"""The tables. Rows are the queue: what is worked on carries when it is due and who holds it until when."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.store.rows.moment import Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")


def key_column() -> Column[int]:
    """Makes the column that numbers the rows of a table."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def lease_columns() -> list[Column[Any]]:
    """Makes the columns that say when a row is due, and who works on it."""
    return [
        Column("due_at", Moment, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("lease_owner", String(64)),
        Column("lease_until", Moment),
    ]


def leased(name: str, *columns: Any) -> Table:
    """Makes a table whose rows fall due."""
    return Table(name, metadata, key_column(), *columns, *lease_columns(), Index(None, "due_at"))


tasks = leased("tasks", Column("name", String(64), nullable=False, unique=True), Column("mark", String(255)))

repositories = leased(
    "repositories",
    Column("name", String(255), nullable=False, unique=True),
    Column("forge_id", BigInteger, index=True, unique=True),
    Column("node_id", String(128)),
    Column("default_branch", String(255), nullable=False),
    Column("pushed_at", Moment),
    Column("tree", String(64)),
    Column("reader", String(64)),
    Column("listed", Boolean, nullable=False),
    Column("config", JSON, nullable=False),
    Column("workflows", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("error", Text),
    Column("read_at", Moment),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Moment),
)

bases = leased(
    "bases",
    Column("registry", String(255), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("digest", String(160)),
    Column("unconfirmed", String(160)),
    Column("version", String(64)),
    Column("moved_at", Moment),
    Column("observation_id", Id),
    Column("error", Text),
    Column("used", Boolean, nullable=False, server_default="1"),
    Column("upstream_id", Id, index=True),
    Column("upstream_digest", String(160)),
    Column("likeness", String(16)),
    Column("behind_since", Moment),
    UniqueConstraint("registry", "repository", "tag"),
)

repository_blobs = Table(
    "repository_blobs",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("sha", String(64), primary_key=True, index=True),
)

usages = Table(
    "usages",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("base_id", ForeignKey("bases.id")),
    Column("usage", JSON, nullable=False),
    Column("image", String(511), index=True),
    Column("digest", String(160)),
    Column("version", String(64)),
    Index(None, "base_id", "repository_id"),
    Index(None, "repository_id", "base_id", "digest", "version"),
)

observations = Table(
    "observations",
    metadata,
    key_column(),
    Column("base_id", ForeignKey("bases.id"), nullable=False),
    Column("previous_id", Id),
    Column("at", Moment, nullable=False),
    Column("digest", String(160)),
    Column("sight", String(16), nullable=False),
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
    Column("digest", String(160), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Moment, nullable=False),
)

documents = leased(
    "documents",
    Column("url", String(1024), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("reader", String(64)),
    Column("etag", String(512)),
    Column("last_modified", String(128)),
    Column("body", LargeBinary),
    Column("fetched_at", Moment),
    Column("checked_at", Moment),
    Column("error", Text),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("published_at", Moment, nullable=False),
    Column("release", JSON, nullable=False),
)

advisories = Table(
    "advisories",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("cve", String(32), primary_key=True),
    Column("advisory", JSON, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    key_column(),
    Column("base_id", ForeignKey("bases.id"), nullable=False, index=True),
    Column("from_observation", ForeignKey("observations.id"), nullable=False),
    Column("to_observation", ForeignKey("observations.id"), nullable=False, unique=True),
    Column("at", Moment, nullable=False),
    Column("change", JSON, nullable=False),
    Column("cause", String(32), nullable=False),
    Column("assessed_at", Moment, nullable=False),
    Column("feeds_revision", BigInteger, nullable=False),
    Column("assessed_revision", BigInteger, nullable=False, server_default="0"),
    Column("planned", Boolean, nullable=False, index=True),
    Column("rollout_id", ForeignKey("rollouts.id"), index=True),
)

rollouts = Table(
    "rollouts",
    metadata,
    key_column(),
    Column("opened_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("occasion", String(16), nullable=False, server_default="change"),
)

rebuilds = leased(
    "rebuilds",
    Column("rollout_id", ForeignKey("rollouts.id"), nullable=False),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, index=True),
    Column("action", String(16), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("replacements", JSON, nullable=False),
    Column("wave", String(64), nullable=False),
    Column("planned_at", Moment, nullable=False),
    Column("considered_revision", BigInteger, nullable=False, server_default="0"),
    Column("branch", String(255)),
    Column("pull_request", Integer),
    Column("workflow", String(255)),
    Column("correlation", String(64), unique=True),
    Column("attempted_at", Moment),
    Column("run", BigInteger),
    Column("node_id", String(128)),
    Column("dispatches", Integer, nullable=False, server_default="0"),
    Column("url", Text),
    Column("facts_version", Integer, nullable=False, server_default="0"),
    Column("text_version", Integer, nullable=False, server_default="0"),
    Column("ended_at", Moment),
    Column("severity", String(16)),
    Column("soak_seconds", Integer),
    Column("waits_since", Moment),
    Column("overdue_at", Moment),
    Column("released_at", Moment),
    Column("at_request", Boolean, nullable=False, server_default="0"),
    Column("held_because", Text),
    Column("quarantine_id", Id, index=True),
    Column("retried_as", Id),
    Column("call_off", Text),
    Column("merge_commit", String(64)),
    Column("merge_node", String(128)),
    Column("merged_at", Moment),
    Column("built_at", Moment),
    Column("built_commit", String(64)),
    Column("run_number", Integer),
    Column("proof", String(16)),
    Column("merging", String(16)),
    Column("steps", Integer, nullable=False, server_default="0"),
    Column("parts", JSON),
    Column("distance", Integer, nullable=False, server_default="0"),
    Column("waits_for", Text),
    Column("waits_until", Moment),
    Column("went_ahead", Boolean, nullable=False, server_default="0"),
    Index(None, "rollout_id", "state", "considered_revision"),
    Index(None, "repository_id", "state", "ended_at"),
)

transitions = Table(
    "transitions",
    metadata,
    key_column(),
    Column("rebuild_id", ForeignKey("rebuilds.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("before", String(16)),
    Column("after", String(16), nullable=False),
    Column("reason", Text, nullable=False),
)

rollout_waves = Table(
    "rollout_waves",
    metadata,
    Column("rollout_id", ForeignKey("rollouts.id"), primary_key=True),
    Column("distance", Integer, primary_key=True, server_default="0", autoincrement=False),
    Column("name", String(64), primary_key=True),
    Column("began_at", Moment),
    Column("done_since", Moment),
    Column("set_aside", Integer, nullable=False, server_default="0"),
)

pauses = Table(
    "pauses",
    metadata,
    key_column(),
    Column("rollout_id", ForeignKey("rollouts.id"), index=True),
    Column("since", Moment, nullable=False),
    Column("who", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Moment),
)

quarantines = Table(
    "quarantines",
    metadata,
    key_column(),
    Column("base_id", ForeignKey("bases.id"), nullable=False, index=True),
    Column("digest", String(160), nullable=False),
    Column("since", Moment, nullable=False),
    Column("who", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Moment),
    Column("outcome", Text),
    Column("copy_of_id", ForeignKey("quarantines.id"), index=True),
)
"""`copy_of_id` is the quarantine of upstream's digest, of which the base, a mirror's, shows a copy."""

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

_OPEN = text("cleared_at IS NULL")

incidents = Table(
    "incidents",
    metadata,
    key_column(),
    Column("subject", String(255), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    Column("detail", Text, nullable=False),
    Index("uq_incidents_open", "subject", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

notices = Table(
    "notices",
    metadata,
    key_column(),
    Column("topic", String(32), nullable=False),
    Column("base_id", ForeignKey("bases.id"), nullable=False, index=True),
    Column("since", Moment, nullable=False),
    Column("until", Moment),
    Column("text", Text, nullable=False),
    Column("toward", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    Column("outcome", Text),
    Column("told_with", ForeignKey("notices.id"), index=True),
    Index("uq_notices_open", "topic", "base_id", "since", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)
