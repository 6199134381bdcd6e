"""A repository is who its forge and that forge's own id of it say: a text, as not every forge gives numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0083"


def upgrade() -> None:
    """Numbers become texts in a column beside them, which then takes their place.

    SQLite changes no column as it is: it would make the table anew, and all that refers to its rows would go with
    the old one.
    """
    op.add_column("repositories", sa.Column("forge", sa.String(length=32), server_default="github", nullable=False))
    op.drop_index(op.f("ix_repositories_forge_id"), "repositories")
    op.alter_column("repositories", "forge_id", new_column_name="forge_number")
    op.add_column("repositories", sa.Column("forge_id", sa.String(length=64)))
    op.execute("UPDATE repositories SET forge_id = CAST(forge_number AS TEXT)")
    op.drop_column("repositories", "forge_number")
    op.create_index(op.f("ix_repositories_forge_forge_id"), "repositories", ["forge", "forge_id"], unique=True)
