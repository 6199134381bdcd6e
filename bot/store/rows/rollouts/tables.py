"""Tables of rollouts: rebuilds and their states, waves, and what holds them back."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
)

from bot.store.rows.schema import Id, LongText, Moment, Noted, ShortText, key_column, leased, locked_after, metadata

rollouts = Table(
    "rollouts",
    metadata,
    key_column(),
    Column("opened_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("occasion", ShortText(16), nullable=False, server_default="change"),
)
locked_after(rollouts, "changes", "rebuilds", "steps")

rebuilds = leased(
    "rebuilds",
    Column("rollout_id", ForeignKey("rollouts.id"), nullable=False),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, index=True),
    Column("action", ShortText(16), nullable=False),
    Column("state", ShortText(16), nullable=False, index=True),
    Column("reason", LongText, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("replacements", JSON, nullable=False),
    Column("wave", ShortText(64), nullable=False),
    Column("planned_at", Noted, nullable=False),
    Column("considered_revision", BigInteger, nullable=False, server_default="0"),
    Column("branch", ShortText(255)),
    Column("pull_request", Integer),
    Column("workflow", ShortText(255)),
    Column("correlation", ShortText(64), unique=True),
    Column("attempted_at", Noted),
    Column("run", BigInteger),
    Column("node_id", ShortText(128)),
    Column("dispatches", Integer, nullable=False, server_default="0"),
    Column("looks_in_vain", Integer, nullable=False, server_default="0"),
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("hindered_by", LongText),
    Column("joined", ShortText(16)),
    Column("url", LongText),
    Column("facts_version", Integer, nullable=False, server_default="0"),
    Column("text_version", Integer, nullable=False, server_default="0"),
    Column("ended_at", Noted),
    Column("severity", ShortText(16)),
    Column("soak_seconds", Integer),
    Column("waits_since", Noted),
    Column("overdue_at", Moment),
    Column("released_at", Noted),
    Column("gave_way_at", Noted),
    Column("at_request", Boolean, nullable=False, server_default="0"),
    Column("held_because", LongText),
    Column("quarantine_id", Id, index=True),
    Column("retried_as", Id),
    Column("call_off", LongText),
    Column("merge_commit", ShortText(64)),
    Column("merge_node", ShortText(128)),
    Column("merged_at", Noted),
    Column("built_at", Noted),
    Column("built_commit", ShortText(64)),
    Column("run_number", Integer),
    Column("built_by", JSON(none_as_null=True)),
    Column("proof", ShortText(16)),
    Column("merging", ShortText(16)),
    Column("pointed_at", LongText),
    Column("ready_since", Noted),
    Column("steps", Integer, nullable=False, server_default="0"),
    Column("parts", JSON),
    Column("distance", Integer, nullable=False, server_default="0"),
    Column("waits_for", LongText),
    Column("waits_until", Moment),
    Column("went_ahead", Boolean, nullable=False, server_default="0"),
    Index(None, "rollout_id", "state", "considered_revision"),
    Index(None, "repository_id", "state", "ended_at"),
)
locked_after(rebuilds, "exposures", "own_links", "package_changes", "practices", "quarantines", "workflow_builds")

transitions = Table(
    "transitions",
    metadata,
    key_column(),
    Column("rebuild_id", ForeignKey("rebuilds.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("before", ShortText(16)),
    Column("after", ShortText(16), nullable=False),
    Column("reason", LongText, nullable=False),
)

rollout_waves = Table(
    "rollout_waves",
    metadata,
    Column("rollout_id", ForeignKey("rollouts.id"), primary_key=True),
    Column("distance", Integer, primary_key=True, server_default="0", autoincrement=False),
    Column("name", ShortText(64), primary_key=True),
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
    Column("who", ShortText(255), nullable=False),
    Column("reason", LongText, nullable=False),
    Column("until", Moment),
    Column("puts_back", JSON(none_as_null=True)),
)

quarantines = Table(
    "quarantines",
    metadata,
    key_column(),
    Column("base_id", ForeignKey("bases.id"), nullable=False, index=True),
    Column("digest", ShortText(160), nullable=False),
    Column("since", Moment, nullable=False),
    Column("who", ShortText(255), nullable=False),
    Column("reason", LongText, nullable=False),
    Column("until", Moment),
    Column("outcome", LongText),
    Column("copy_of_id", ForeignKey("quarantines.id"), index=True),
    Column("lifted", Boolean, nullable=False, server_default="0"),
    Column("returns", Integer, nullable=False, server_default="0"),
)
"""`copy_of_id` is the quarantine of upstream's digest, of which the base, a mirror's, shows a copy. `lifted` where
a person has let the digest go: it is not quarantined again when the base comes back to it; `returns` counts how
often it was."""
locked_after(quarantines, "changes")
