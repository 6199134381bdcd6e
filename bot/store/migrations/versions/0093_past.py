"""What was inside builds that ran is kept as sets of packages."""

import sqlalchemy as sa
from alembic import op

from bot.store.migrations.writing import ID, index, number, part_of, refers

revision = "0093"
down_revision = "0092"


def upgrade() -> None:
    """Tables alone: what ran becomes sets day by day, since of two years that takes long."""
    op.create_table(
        "package_sets",
        number(),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("key", name=op.f("uq_package_sets_key")),
    )
    op.create_table(
        "package_set_blocks",
        sa.Column("package_id", ID, nullable=False, autoincrement=False),
        sa.Column("block", ID, nullable=False, autoincrement=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("package_id", "block", name=op.f("pk_package_set_blocks")),
        refers("package_set_blocks", "package_id", "packages"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "past_images",
        number(),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("distribution", sa.JSON()),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("is_complete", sa.Boolean()),
        sa.Column("error", sa.Text()),
        sa.UniqueConstraint("key", name=op.f("uq_past_images_key")),
    )
    op.create_table(
        "past_contents",
        number(),
        sa.Column("build_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("system_set_id", ID),
        sa.Column("other_set_id", ID),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        part_of("past_contents", "build_id", "running_builds"),
        refers("past_contents", "image_id", "past_images"),
        refers("past_contents", "system_set_id", "package_sets"),
        refers("past_contents", "other_set_id", "package_sets"),
    )
    for column in ("build_id", "image_id", "system_set_id", "other_set_id"):
        index("past_contents", column)
