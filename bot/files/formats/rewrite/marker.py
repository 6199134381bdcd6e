"""The marker: a comment line above an unpinned reference that records which digest it stood on.

`# base-digest: sha256:…` makes a rebuild visible in a pull request where the reference itself needs no edit. It is
looked for in the comment lines directly above the instruction, and put on the line next to it.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from bot.domain.repositories.usage import Role, Span, Usage
from bot.files.formats.source.text import Lines
from bot.files.formats.table import format_of

NAME = "base-digest"
MOST_COMMENT_LINES = 20
_MARKER = re.compile(
    rf"[ \t]*(?:#|//|<!--)[ \t]*{NAME}:[ \t]*([a-z0-9+._-]+:[0-9a-f]{{32,128}})[ \t]*(?:-->)?[ \t]*\r?\n?"
)
_COMMENT = re.compile(r"[ \t]*(?:#|//|<!--)")
_INDENT = re.compile(r"[ \t]*")


class FoundMarker(NamedTuple):
    """A marker in the file: its digest, where that stands, and the whole line with its ending."""

    digest: str
    span: Span
    line: Span


def attached(usages: Iterable[Usage], text: str) -> tuple[Usage, ...]:
    """The usages, each with the digest that the marker above it records."""
    if NAME not in text:
        return tuple(usages)
    lines = Lines(text)
    return tuple(
        replace(usage, marker=marker.digest) if (marker := find(usage, lines)) else usage for usage in usages
    )


def find(usage: Usage, lines: Lines) -> FoundMarker | None:
    """The marker in the comment lines above the usage's instruction."""
    below = statement_of(usage)
    for line in range(below - 1, max(0, below - 1 - MOST_COMMENT_LINES), -1):
        text = lines.of(line)
        start = lines.start(line)
        if match := _MARKER.fullmatch(text):
            span = Span(start + match.start(1), start + match.end(1))
            return FoundMarker(match.group(1), span, Span(start, lines.end(line)))
        if not _COMMENT.match(text):
            return None
    return None


def new_line(usage: Usage, digest: str, lines: Lines) -> tuple[int, str] | None:
    """Returns where a marker goes and what it says, indented and ended like the instruction's line.

    None where the file or the place takes no comment.
    """
    signs = format_of(usage.kind).comment_in(usage.path)
    if signs is None or usage.role is Role.SYNTAX:
        return None
    number = statement_of(usage)
    line = lines.of(number)
    indent = _INDENT.match(line)
    ended = line if line.endswith("\n") or number == 1 else lines.of(number - 1)
    ending = "\r\n" if ended.endswith("\r\n") else "\n"
    begin, end = signs
    text = f"{indent.group() if indent else ''}{begin} {NAME}: {digest}{end}{ending}"
    return lines.start(number), text


def statement_of(usage: Usage) -> int:
    """The line that a marker stands above."""
    return usage.statement or usage.line
