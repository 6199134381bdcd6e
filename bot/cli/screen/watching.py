"""`--watch`: a view is shown again and again until somebody interrupts it, or until it has come to its end."""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from typing import Annotated, TypeVar

import typer

from bot.cli.screen.output import knows_escapes

T = TypeVar("T")

EVERY = 5.0
"""Seconds between two looks at the store."""
_CLEARED = "\x1b[H\x1b[2J"

Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show it again every few seconds, until Ctrl-C.")]


async def watch(
    read: Callable[[], Awaitable[T]],
    show: Callable[[T], None],
    *,
    ended: Callable[[T], bool] = lambda _: False,
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Shows what `read` finds until it has `ended`, on a terminal in place, elsewhere again where it changed."""
    before = None
    while True:
        value = await read()
        text = _render(show, value)
        if sys.stdout.isatty() and knows_escapes():
            sys.stdout.write(_CLEARED + text)
        elif text != before:
            sys.stdout.write(text)
        sys.stdout.flush()
        before = text
        if ended(value):
            return
        await rest(EVERY)


def _render(show: Callable[[T], None], value: T) -> str:
    """Makes the whole text first, so that a terminal does not flicker."""
    page = _Page(is_terminal=sys.stdout.isatty())
    with redirect_stdout(page):
        show(value)
    return page.getvalue()


class _Page(io.StringIO):
    """Text that is laid out for where it will be shown."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return sys.__stdout__.encoding if sys.__stdout__ else "utf-8"

    def isatty(self) -> bool:
        return self._is_terminal
