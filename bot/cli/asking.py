"""How a command has something read or done once, by the settings of a file."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from bot.domain.clock import Clock
    from bot.settings import Settings

T = TypeVar("T")


def asked(config: Path, ask: "Callable[[Settings, Clock], Coroutine[Any, Any, T]]") -> T:
    """Returns what `ask` does, given the settings and the time. Raises `Failure` where the file cannot be read.

    What it needs is imported here, since `--help` needs none of it.
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.settings import load

    return asyncio.run(ask(load(config), SystemClock()))
