"""Images are found by how they stand: at each tick those whose witnesses contradict each other. Layers keep by
which edition of their reader they were read."""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"


def upgrade() -> None:
    op.create_index(op.f("ix_images_state"), "images", ["state"], unique=False)
    op.add_column("layers", sa.Column("edition", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("layers") as table:
        table.drop_column("edition")
    op.drop_index(op.f("ix_images_state"), table_name="images")
