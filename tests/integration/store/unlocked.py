"""The store without what makes its transactions wait in one order: tests of that order have to notice."""

import sys
from collections.abc import Collection
from inspect import unwrap
from types import ModuleType

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import writing

_LOCK = writing.lock


async def lock_nothing(connection: AsyncConnection, table: Table, ids: Collection[int]) -> None:
    """Does nothing in the place of `writing.lock`."""


def who_lock() -> list[ModuleType]:
    """The modules of the store and of stages that lock rows by their ids, as far as they are loaded."""
    loaded = [module for name, module in sys.modules.items() if name.startswith(("bot.store.", "bot.fleet."))]
    return [module for module in loaded if unwrap(getattr(module, "lock", None)) is _LOCK]  # type: ignore[arg-type]
