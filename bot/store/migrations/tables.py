"""Making the tables of a new store: all at once, as they are written beside what works on them."""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert

from bot.store.rows.schema import every_table, metadata

_REVISIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def make_tables(connection: Connection, revision: str) -> None:
    """Makes those of a store that has none, which is then of that revision; raises SQLAlchemy's error where one of
    that name is there."""
    every_table()  # what no module has imported yet is a table too
    metadata.create_all(connection, checkfirst=False)
    _REVISIONS.metadata.create_all(connection)
    connection.execute(insert(_REVISIONS).values(version_num=revision))
