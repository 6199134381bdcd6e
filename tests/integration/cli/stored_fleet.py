"""A store with a fleet of forty repositories, and settings of a bot that has it."""

from pathlib import Path

from bot.store.engine.database import open_database
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.serving import NOW


def settings_of(folder: Path) -> Path:
    path = folder / "freshness.yaml"
    path.write_text(f"store: {{url: 'sqlite:///{folder}/fleet.db'}}\n")
    return path


async def write_fleet(url: str) -> None:
    database = await open_database(url)
    await StoredFleet(database, NOW, 40, 4).write()
    await database.close()
