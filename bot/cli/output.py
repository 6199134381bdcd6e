"""Tables for people, JSON for scripts."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def print_json(data: Any) -> None:
    """One document on standard output; times and other values become their text."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    json.dump(data, sys.stdout, indent=2, default=str, ensure_ascii=not is_unicode)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    Console().print(table)


def print_line(text: str) -> None:
    sys.stdout.write(f"{printable(text)}\n")


def printable(text: str) -> str:
    """Without the control characters with which a file's name could drive a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
