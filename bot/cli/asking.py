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
    from bot.domain.clock import SystemClock
    from bot.settings import load

    return waited_for(ask(load(config), SystemClock()))


def waited_for(work: "Coroutine[Any, Any, T]", label: str = "looking") -> T:
    """Returns what `work` does, with a bar on the terminal where that takes longer than a second."""
    import asyncio

    from bot.cli.screen.progress import progress_of

    with progress_of(label):
        return asyncio.run(work)
