"""Documents and dumps keep the newest time in them, and what is said of packages of Azure Linux is read anew.

How versions of rpm are compared with what publishers name has changed, and which packages are exposed was written
by the rule before: a record whose content is not known any more is written again when its dump is read next.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

_TABLES = ("documents", "dumps")
_DUMPS = sa.table("dumps", sa.column("id"), sa.column("ecosystem"))
_VULNERABILITIES = sa.table("vulnerabilities", sa.column("dump_id"), sa.column("content"))


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("newest_at", sa.DateTime(timezone=True), nullable=True))
    of_rpm = sa.select(_DUMPS.c.id).where(_DUMPS.c.ecosystem == "Azure Linux")
    op.execute(_VULNERABILITIES.update().where(_VULNERABILITIES.c.dump_id.in_(of_rpm)).values(content=""))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "newest_at")
