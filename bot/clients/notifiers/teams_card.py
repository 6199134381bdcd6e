"""A message as an Adaptive Card for Microsoft Teams, within its size.

Text blocks know bold, italic, lists and links of Markdown, and nothing else: code and headings are plain there.
Everything is escaped here, and only here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bot.domain.wording.message import (
    ON_THE_PAGE,
    Block,
    Footnote,
    Heading,
    Items,
    Line,
    Message,
    Paragraph,
    Style,
    TextRun,
)
from bot.domain.wording.words import counted

_LARGEST = 20_000
"""Bytes of a card: Teams takes 28 KB for a message as a whole, some have measured 21."""
_MARKDOWN = re.compile(r"([\\*_\[\]()#~`>-])")
_SPACE = re.compile(r"\s+")
_OF_URLS = "/:?=&#%"


def card_of(message: Message) -> dict[str, Any]:
    """Renders the card; rows that do not fit are dropped from the end, and counted."""
    rows = [row for block in message.blocks for row in _rows(block)]
    card = _card(rows)
    if _size(card) <= _LARGEST:
        return card
    row_count = len(rows)
    while row_count and _size(_card([*rows[:row_count], _more(len(rows) - row_count)])) > _LARGEST:
        row_count -= 1
    return _card([*rows[:row_count], _more(len(rows) - row_count)])


def _card(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": rows,
    }


def _size(card: dict[str, Any]) -> int:
    return len(json.dumps(card, ensure_ascii=False).encode())


def _more(count: int) -> dict[str, Any]:
    return _text(f"and {counted(count, 'more line')}", isSubtle=True)


def _rows(block: Block) -> Iterator[dict[str, Any]]:
    match block:
        case Heading():
            yield _text(_escaped(block.text), size="Large", weight="Bolder")
        case Paragraph():
            for line in block.lines:
                yield _text(_line(line))
        case Items():
            for line in block.lines:
                yield _text(f"- {_line(line)}", spacing="Small")
        case Footnote():
            parts = [_escaped(block.text)] if block.text else []
            parts += [_span(TextRun(ON_THE_PAGE, url=block.page))] if block.page else []
            yield _text(" · ".join(parts), size="Small", isSubtle=True)


def _text(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text or " ", "wrap": True, **look}


def _line(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: TextRun) -> str:
    text = _escaped(span.text)
    if span.url is not None:
        return f"[{text}]({quote(span.url, safe=_OF_URLS)})"
    return f"**{text}**" if span.style is Style.STRONG and text.strip() else text


def _escaped(text: str) -> str:
    """Markdown's signs, and what would become a mention or a tag."""
    line = _SPACE.sub(" ", text)
    return _MARKDOWN.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))
