"""What digests hold that repositories pin is read once, and kept."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import MOMENT, index, leased, number

revision = "0080"
down_revision = "0073"


def upgrade() -> None:
    """Digests that repositories pin, and what their images say of themselves."""
    op.create_table(
        "pinned_digests",
        number(),
        sa.Column("registry", sa.String(length=255), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("observation", sa.JSON()),
        sa.Column("read_at", MOMENT),
        sa.Column("error", sa.Text()),
        *leased(),
        sa.UniqueConstraint(
            "digest", "registry", "repository", name=op.f("uq_pinned_digests_digest_registry_repository")
        ),
    )
    index("pinned_digests", "due_at")
