"""Sections of the job summary: lines and tables of which the first are shown, and the others folded away."""

from collections.abc import Sequence

from bot.domain.wording.escaping import markdown

_MOST = 100
"""Folded away; of what is beyond only the number is told."""


def section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"### {title}", "\n".join(lines)] if lines else []


def items(lines: Sequence[str], shown: int) -> list[str]:
    """Each line as one of a list."""
    points = [f"- {line}" for line in lines]
    return [*points[:shown], *_folded(points[shown:], [])]


def table(heads: Sequence[str], rows: Sequence[str], shown: int, in_all: int | None = None) -> list[str]:
    """A table of `rows`, of which there are `in_all`."""
    head = [cells(*heads), cells(*("---" for _ in heads))]
    visible = [*head, *rows[:shown]] if rows[:shown] else []
    return [*visible, *_folded(rows[shown:], head, in_all and in_all - shown)]


def _folded(lines: Sequence[str], head: Sequence[str], in_all: int | None = None) -> list[str]:
    """GitHub shows Markdown within HTML where an empty line stands before it."""
    if not lines:
        return []
    number = max(in_all or 0, len(lines))
    more = [f"\nand {number - _MOST:,} more"] if number > _MOST else []
    begins = ["", f"<details><summary>{number:,} more</summary>", ""]
    return [*begins, *head, *lines[:_MOST], *more, "", "</details>"]


def cells(*texts: str) -> str:
    """A row of a table; each text is Markdown already."""
    return f"| {' | '.join(texts)} |"


def linked(text: str, url: str | None) -> str:
    """Text from outside, as a link where it leads somewhere."""
    return markdown(text) if url is None else f"[{markdown(text)}]({''.join(_in_address(sign) for sign in url)})"


def _in_address(sign: str) -> str:
    return f"%{ord(sign):02X}" if sign in "()<>| \n\r\t" else sign
