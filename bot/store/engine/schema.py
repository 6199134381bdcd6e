"""The schema: which one this version knows, and bringing a database to it by one process at a time."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def is_current(connection: Connection) -> bool:
    """Whether the database has the schema that this version knows; nothing is written or locked for that."""
    return MigrationContext.configure(connection).get_current_heads() == (newest_revision(),)


def migrate_alone(connection: Connection) -> None:
    """Replicas start together: the second waits here until the first has migrated, however long that takes.

    Where nothing is to be done, the migrations are not even loaded.
    """
    if connection.dialect.name == "postgresql":
        for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(3117)")
    if is_current(connection):
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@cache
def newest_revision() -> str | None:
    """The revision of the schema that this version brings a database to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return config
