"""What PostgreSQL does by itself within a minute or so, and a bench waits for."""

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.engine.database import Database


async def maintain(database: Database) -> None:
    """Frees what was deleted, and tells the planner what the tables hold."""
    async with outside_transactions(database).connect() as connection:
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("ROLLBACK")
            await connection.exec_driver_sql("ANALYZE")
        else:
            await connection.exec_driver_sql("VACUUM ANALYZE")


def outside_transactions(database: Database) -> AsyncEngine:
    return database.engine.execution_options(isolation_level="AUTOCOMMIT")
