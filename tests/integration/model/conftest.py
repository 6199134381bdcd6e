import asyncio
from pathlib import Path

import pytest

from bot.store.engine.database import open_database


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables and nothing in them."""
    path = tmp_path_factory.mktemp("model") / "template.db"

    async def migrate() -> None:
        await (await open_database(f"sqlite:///{path}")).close()

    asyncio.run(migrate())
    return path
