"""Images are found by how they stand: at each tick those whose witnesses contradict each other."""

from alembic import op

revision = "0067"
down_revision = "0061"


def upgrade() -> None:
    op.create_index(op.f("ix_images_state"), "images", ["state"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_images_state"), table_name="images")
