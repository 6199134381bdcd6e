"""Tags of one image name have rows of their own where each has a build of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"

_ABOUT_IMAGES = ("gates", "let_through", "attestations", "image_inventories")


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite makes the table anew, and what is known of its rows would go with the old one.
    for table in _ABOUT_IMAGES if is_sqlite else ():
        kept = f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}"  # noqa: S608 - names of ours  # nosec B608
        op.execute(sa.text(kept))
    with op.batch_alter_table("images") as images:
        images.drop_constraint(op.f("uq_images_repository_id_registry_repository"), type_="unique")
        images.create_unique_constraint(
            op.f("uq_images_repository_id_registry_repository_tag"),
            ["repository_id", "registry", "repository", "tag"],
        )
    for table in _ABOUT_IMAGES if is_sqlite else ():
        back = f"INSERT INTO {table} SELECT * FROM kept_{table}"  # noqa: S608 - names of ours  # nosec B608
        op.execute(sa.text(back))
        op.execute(sa.text(f"DROP TABLE kept_{table}"))
