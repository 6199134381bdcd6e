"""How each repository stands is counted from indexes and kept: what a usage pins is written beside it.

Events that came in are remembered, so that one that is sent twice counts once.
"""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TOGETHER = 1000
_PATCH = re.compile(r"(\d+\.\d+\.\d+)(?:-\d+)?(?:-[a-z].*)?", re.ASCII)


def upgrade() -> None:
    """What usages pin is filled in from what was read."""
    op.add_column("usages", sa.Column("digest", sa.String(length=160), nullable=True))
    op.add_column("usages", sa.Column("version", sa.String(length=64), nullable=True))
    _fill()
    op.drop_index(op.f("ix_usages_base_id"), "usages")
    op.create_index(op.f("ix_usages_base_id_repository_id"), "usages", ["base_id", "repository_id"], unique=False)
    op.create_index(
        op.f("ix_usages_repository_id_base_id_digest_version"),
        "usages",
        ["repository_id", "base_id", "digest", "version"],
        unique=False,
    )
    op.create_index(
        op.f("ix_rebuilds_repository_id_state_ended_at"),
        "rebuilds",
        ["repository_id", "state", "ended_at"],
        unique=False,
    )
    op.create_index(op.f("ix_changes_base_id"), "changes", ["base_id"], unique=False)
    op.create_table(
        "standings",
        sa.Column("repository_id", _ID, autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest_rebuild", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_standings_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repository_id", name=op.f("pk_standings")),
    )
    op.create_index(op.f("ix_standings_standing"), "standings", ["standing"], unique=False)
    op.create_table(
        "standing_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("repositories", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "standing", name=op.f("pk_standing_days")),
    )
    op.create_table(
        "deliveries",
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("delivery", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "delivery", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_at"), "deliveries", ["at"], unique=False)


def _fill() -> None:
    connection = op.get_bind()
    usages = sa.table("usages", sa.column("id"), sa.column("base_id"), sa.column("usage", sa.Text))
    changed = sa.text("UPDATE usages SET digest = :digest, version = :version WHERE id = :row")
    last = 0
    while True:
        rows = connection.execute(
            sa.select(usages.c.id, sa.cast(usages.c.usage, sa.Text).label("usage"))
            .where(usages.c.id > last, usages.c.base_id.is_not(None))
            .order_by(usages.c.id)
            .limit(_TOGETHER)
        ).all()
        if not rows:
            return
        pinned = [{"row": row.id, **pins} for row in rows if (pins := _pins(row.usage))]
        if pinned:
            connection.execute(changed, pinned)
        last = rows[-1].id


def _pins(usage: str) -> dict[str, str | None]:
    """As the store writes them from this version on; what cannot be read pins nothing that is known."""
    try:
        reference = json.loads(usage)["reference"]
        digest, tag, name = reference["digest"], reference["tag"] or "", reference["name"]
    except (ValueError, KeyError, TypeError):
        return {}
    found = _PATCH.fullmatch(tag) if re.search(r"(?:^|/)dotnet/(?!framework/)", name) else None
    version = found[1] if found and digest is None else None
    return {"digest": digest, "version": version} if digest or version else {}
