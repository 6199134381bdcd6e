"""Images know the file that they are built from; links between own bases are those of images."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("images", sa.Column("built_from", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("own_links") as table:
        table.add_column(sa.Column("image", sa.String(length=511), nullable=False, server_default=""))
        table.add_column(sa.Column("only_brought", sa.Boolean(), nullable=False, server_default="0"))
        table.drop_constraint(op.f("uq_own_links_repository_id_base_id"), type_="unique")
        table.create_unique_constraint(
            op.f("uq_own_links_repository_id_image_base_id"), ["repository_id", "image", "base_id"]
        )
