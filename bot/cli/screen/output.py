"""Tables for people, JSON for scripts.

On a terminal a row takes as many lines as it needs: sentences wrap between words, names are never folded or cut.
Elsewhere each row is one line, so that `grep` finds whole names.
"""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli.options import Format
from bot.domain.wording.escaping import terminal
from bot.domain.wording.words import counted, first_few

if TYPE_CHECKING:
    from bot.settings import Settings


_GAP = "  "
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """A cell that leads somewhere: `text` on a terminal, the address where there is no terminal."""

    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out on a terminal.

    `group` says that the first column is a heading over the rows that share it; `below` are columns of sentences,
    which go below their row where the line would be too long.
    """

    group: bool = False
    below: tuple[str, ...] = ()


def print_json(data: Any, *, for_people: bool = True) -> None:
    """Writes one document to standard output; times are written by ISO 8601, other values become their text.

    A large one that only programs read is written on one line, in a fifth of the time.
    """
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(data, indent=2 if for_people else None, default=_as_text, ensure_ascii=not is_unicode)
    sys.stdout.write(f"{text}\n")


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def print_line(text: str) -> None:
    """Writes one line, whatever the text holds."""
    sys.stdout.write(f"{terminal(text)}\n")


def print_aside(text: str) -> None:
    """Writes one line to standard error, whatever the text holds, without what looks like a credential."""
    from bot.service.logs import clean

    print(terminal(clean(text)), file=sys.stderr)


def print_sentence(text: str, *, below: bool = False) -> None:
    """Writes a sentence, wrapped between words where the terminal is narrower; `below` indents it."""
    width, first = _width(), _INDENT if below else ""
    for line in [first + terminal(text)] if width is None else _wrapped(terminal(text), width, first, _INDENT):
        sys.stdout.write(f"{line}\n")


def first_that_fit(names: Sequence[str], *, before: str = "", lines: int = 3) -> str:
    """Words a list by as many of its first items as fit below a line of 80 columns, at least one, and counts the
    rest: `api, shop and 180 more`. `before` stands in front of them."""
    text = before + first_few(names, 1)
    for most in range(2, len(names) + 1):
        longer = before + first_few(names, most)
        if len(_wrapped(longer, 80, _INDENT, _INDENT)) > lines:
            break
        text = longer
    return text


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], layout: Layout | None = None) -> None:
    """Writes a table as wide as the terminal, or one line for each row where standard output is none.

    A terminal that knows no escapes could not show what a link leads to: it gets rows as a file does.
    """
    cells = [[_make_cell(cell) for cell in row] for row in rows]
    width = _width()
    layout = layout or Layout()
    if width is None or not knows_escapes():
        lines = _plain(columns, cells)
    elif layout.group:
        lines = _grouped(columns, cells, layout, width)
    else:
        lines = _fitted(columns, cells, layout, width)
    for line in lines:
        sys.stdout.write(f"{line}\n")


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    url: str | None = None

    def __len__(self) -> int:
        return len(self.text)

    @property
    def linked(self) -> str:
        """The text as a terminal hyperlink (OSC 8), where there is an address."""
        if self.url is None:
            return self.text
        return f"\x1b]8;;{self.url}\x1b\\{self.text}\x1b]8;;\x1b\\"


def _make_cell(cell: object) -> _Cell:
    if isinstance(cell, Hyperlink):
        url = terminal(cell.url) if cell.url else None
        return _Cell(terminal(cell.text), url)
    return _Cell("" if cell is None else terminal(str(cell)))


def _width() -> int | None:
    """Gives the terminal's columns; None where standard output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def knows_escapes() -> bool:
    """Whether the terminal heeds escape sequences; one in an editor may show them as they are."""
    return os.environ.get("TERM") != "dumb"


def _plain(columns: Sequence[str], rows: Sequence[Sequence[_Cell]]) -> Iterator[str]:
    texts = [[cell.url or cell.text for cell in row] for row in rows]
    return _aligned([list(columns), *texts])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _grouped(columns: Sequence[str], rows: Sequence[Sequence[_Cell]], layout: Layout, width: int) -> Iterator[str]:
    for heading, group in groupby(rows, key=lambda row: row[0]):
        yield f"\x1b[1m{heading.linked}\x1b[0m"
        inner = [row[1:] for row in group]
        for line in _fitted(columns[1:], inner, layout, width - len(_GAP), headed=False):
            yield f"{_GAP}{line}"
        yield ""


def _fitted(
    columns: Sequence[str],
    rows: Sequence[Sequence[_Cell]],
    layout: Layout,
    width: int,
    *,
    headed: bool = True,
) -> Iterator[str]:
    """Aligns where all fits; else sentences go below, then long names stand alone above the rest of their row.

    A row that is still too long breaks between cells.
    """
    heads = [_Cell(name) for name in columns]
    if _total([heads, *rows] if headed else rows) <= width:
        below: list[int] = []
    else:
        below = [column for column, name in enumerate(columns) if name in layout.below]
    beside = [column for column in range(len(columns)) if column not in below]
    beside_rows = [[row[column] for column in beside] for row in rows]
    if headed:
        beside_rows.insert(0, [heads[column] for column in beside])
    set_out = _set_out(beside_rows, width)
    for number, row in enumerate(beside_rows):
        is_head = headed and number == 0
        lines = list(set_out(row))
        yield from (f"\x1b[2m{line}\x1b[0m" for line in lines) if is_head else lines
        if not is_head:
            source = rows[number - 1 if headed else number]
            for column in below:
                yield from _wrapped(source[column].text, width, _INDENT, _INDENT)


def _set_out(rows: Sequence[Sequence[_Cell]], width: int) -> Callable[[Sequence[_Cell]], Iterable[str]]:
    """How the rows become lines: columns that stand below each other where they can."""
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(len(rows[0]) if rows else 0)]
    if sum(widths) + len(_GAP) * max(len(widths) - 1, 0) <= width:
        return lambda row: [_row(row, widths)]
    other_width = sum(widths[1:]) + len(_GAP) * (len(widths) - 1)
    if len(widths) < 2 or len(_INDENT) - len(_GAP) + other_width > width:
        return lambda row: _broken(row, width)
    short = [len(row[0]) for row in rows if len(row[0]) <= width - other_width]
    first = max(short) if 2 * len(short) > len(rows) else len(_INDENT) - len(_GAP)
    return lambda row: _below_its_name(row, [first, *widths[1:]])


def _below_its_name(row: Sequence[_Cell], widths: Sequence[int]) -> Iterator[str]:
    """Yields the lines of a row; it stands below its name where that is too long for its column."""
    name, *others = row
    if len(name) > widths[0]:
        yield name.linked
        name = _Cell("")
    yield _row([name, *others], widths)


def _total(rows: Sequence[Sequence[_Cell]]) -> int:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    return sum(widths) + len(_GAP) * max(len(widths) - 1, 0)


def _row(row: Sequence[_Cell], widths: Sequence[int]) -> str:
    padded = [cell.linked + " " * (width - len(cell)) for cell, width in zip(row, widths, strict=True)]
    return _GAP.join(padded).rstrip()


def _broken(row: Sequence[_Cell], width: int) -> Iterator[str]:
    line, taken = "", 0
    for cell in row:
        if not cell.text:
            continue
        if taken > len(_INDENT) and taken + len(_GAP) + len(cell) > width:
            yield line
            line, taken = f"{_INDENT}{cell.linked}", len(_INDENT) + len(cell)
        else:
            line += (_GAP if taken else "") + cell.linked
            taken += (len(_GAP) if taken else 0) + len(cell)
    yield line


def _wrapped(text: str, width: int, first: str, next_indent: str) -> Sequence[str]:
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=first,
        subsequent_indent=next_indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_page(settings: "Settings", path: str, output: Format) -> None:
    """Writes the address below a table, where `web.url` says where people reach the page; JSON stays as it is."""
    from bot.domain.wording.pages import page_address

    page = page_address(settings.web.url, path)
    if page is not None and output is not Format.JSON:
        print_line(f"On the page: {page}")


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
