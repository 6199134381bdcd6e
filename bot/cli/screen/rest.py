"""Tables of a large fleet: a screen of rows, then how many more there are and the option that shows them."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

import typer

from bot.cli.screen.output import print_sentence
from bot.domain.wording.words import counted

T = TypeVar("T")

MOST_ROWS = 8
"""So many rows are shown where not all are asked for; each may take five lines of a terminal."""

EveryRow = Annotated[bool, typer.Option("--all", help="In the table, every row.")]


def first_rows(rows: Sequence[T], *, show_all: bool) -> Sequence[T]:
    """Gives the rows that are shown."""
    return rows if show_all else rows[:MOST_ROWS]


def last_rows(rows: Sequence[T], *, show_all: bool) -> Sequence[T]:
    """Gives the rows that are shown where the newest stand last."""
    return rows if show_all else rows[-MOST_ROWS:]


def count_rest(number: int, *, show_all: bool, what: str = "more row") -> None:
    """Writes how many of the rows are not shown, where some are not."""
    more = number - MOST_ROWS
    if more > 0 and not show_all:
        print_sentence(f"and {counted(more, what)}; with --all there is every one")
