"""What runs, and what ran: sources, places, builds and runs, with the times that are covered."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, MOMENT, index, leased, number, part_of

revision = "0085"
down_revision = "0084"


def upgrade() -> None:
    """A row for each source, time that is covered, place, build, what is inside it, and run."""
    op.create_table(
        "running_sources",
        number(),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(length=255), server_default="", nullable=False),
        sa.Column("stale_after", sa.Integer(), nullable=False),
        sa.Column("is_listed", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("is_asked", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("told_at", MOMENT),
        sa.Column("not_read", sa.JSON()),
        sa.Column("error", sa.Text()),
        *leased(),
        sa.UniqueConstraint("name", name=op.f("uq_running_sources_name")),
    )
    index("running_sources", "due_at")
    op.create_table(
        "running_looks",
        number(),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        part_of("running_looks", "source_id", "running_sources"),
        sa.UniqueConstraint("source_id", "since", name=op.f("uq_running_looks_source_id_since")),
    )
    index("running_looks", "until")
    _create_places()
    op.create_table(
        "running_builds",
        number(),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.UniqueConstraint("digest", name=op.f("uq_running_builds_digest")),
    )
    op.create_table(
        "running_contents",
        sa.Column("build_id", ID, nullable=False),
        sa.Column("inventory_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        part_of("running_contents", "build_id", "running_builds"),
        part_of("running_contents", "inventory_id", "inventories"),
        sa.PrimaryKeyConstraint("build_id", "inventory_id", name=op.f("pk_running_contents")),
    )
    index("running_contents", "inventory_id")
    _create_runs()
    index("sbom_looks", "index_digest")


def _create_places() -> None:
    parts = ("source_id", "namespace", "kind", "workload", "container")
    op.create_table(
        "running_places",
        number(),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("namespace", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("workload", sa.String(length=255), nullable=False),
        sa.Column("container", sa.String(length=255), nullable=False),
        sa.Column("pulls_since", MOMENT),
        part_of("running_places", "source_id", "running_sources"),
        sa.UniqueConstraint(*parts, name=op.f("_".join(("uq_running_places", *parts)))),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        number(),
        sa.Column("place_id", ID, nullable=False),
        sa.Column("build_id", ID, nullable=False),
        sa.Column("image", sa.String(length=1024), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("is_older", sa.Boolean(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT),
        sa.Column("pods", sa.Integer(), nullable=False),
        part_of("runs", "place_id", "running_places"),
        part_of("runs", "build_id", "running_builds"),
    )
    for column in ("place_id", "build_id", "until"):
        index("runs", column)
    is_open = sa.text("until IS NULL")
    columns = ["place_id", "build_id"]
    op.create_index("ix_runs_open", "runs", columns, unique=True, sqlite_where=is_open, postgresql_where=is_open)
