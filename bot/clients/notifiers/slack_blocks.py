"""A message as Slack's Block Kit, within its limits (docs.slack.dev, Block Kit reference).

Everything is escaped here, and only here: no text from outside becomes a mention, a link or a style.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from bot.domain.wording.escaping import slack
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

_LONGEST_SECTION = 2900
"""Slack takes 3,000 characters to a section."""
_LONGEST_HEADER = 150
_MOST_BLOCKS = 50
_LONGEST_MESSAGE = 12_500
"""Of all texts together: near 13,200 Slack refuses with `msg_blocks_too_long`, which is not documented."""
_OF_URLS = "/:?=&#%"


def notification(message: Message) -> str:
    """Renders the one line that notifications show."""
    return slack(message.text)


def blocks_of(message: Message, mention: str | None = None) -> list[dict[str, Any]]:
    """Renders the blocks as JSON; what Slack would not take any more is left out.

    `mention` is called where the message needs a person: the id of a user or group, or `here` or `channel`.
    """
    rendered = [part for block in message.blocks for part in _rendered(block)]
    if mention is not None and message.needs_person:
        rendered.insert(0, _section(_called(mention)))
    return list(_fitting(rendered[:_MOST_BLOCKS]))


def _called(mention: str) -> str:
    """A mention as Slack writes it; the id was checked when the settings were read."""
    if mention in ("here", "channel"):
        return f"<!{mention}>"
    return f"<!subteam^{mention}>" if mention.startswith("S") else f"<@{mention}>"


def _fitting(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Takes as many of the first blocks as one message may hold."""
    room = _LONGEST_MESSAGE
    for block in blocks:
        parts = [block["text"]] if "text" in block else block["elements"]
        room -= sum(len(part["text"]) for part in parts)
        if room < 0:
            return
        yield block


def _rendered(block: Block) -> list[dict[str, Any]]:
    match block:
        case Heading():
            return [{"text": {"text": block.text[:_LONGEST_HEADER], "type": "plain_text"}, "type": "header"}]
        case Paragraph():
            return [_section(text) for text in _packed(map(_line, block.lines))]
        case Items():
            return [_section(text) for text in _packed(f"• {_line(line)}" for line in block.lines)]
        case Footnote():
            return [{"elements": [_text(_footnote(block))], "type": "context"}]


def _footnote(block: Footnote) -> str:
    parts = [slack(block.text)] if block.text else []
    parts += [_span(TextRun(ON_THE_PAGE, url=block.page))] if block.page else []
    return " · ".join(parts) or " "


def _section(text: str) -> dict[str, Any]:
    return {"text": _text(text or " "), "type": "section"}


def _text(text: str) -> dict[str, Any]:
    """`verbatim` has Slack make no links or mentions of its own from addresses, channels and names in the text."""
    return {"text": text, "type": "mrkdwn", "verbatim": True}


def _packed(lines: Iterable[str]) -> list[str]:
    """Packs lines into as few sections as their length allows."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + len(line) + 1 <= _LONGEST_SECTION:
            packed[-1] += f"\n{line}"
        else:
            packed.append(line[:_LONGEST_SECTION])
    return packed


def _line(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: TextRun) -> str:
    text = slack(span.text)
    if span.url is not None:
        return f"<{slack(quote(span.url, safe=_OF_URLS))}|{text}>"
    match span.style:
        case Style.STRONG:
            return f"*{text}*"
        case Style.CODE:
            return f"`{text}`"
        case Style.PLAIN:
            return text
