"""A message as Slack's Block Kit, within its limits (docs.slack.dev, Block Kit reference).

Everything is escaped here, and only here: no text from outside becomes a mention, a link or a style.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from slack_sdk.models.blocks import ContextBlock, HeaderBlock, MarkdownTextObject, PlainTextObject, SectionBlock

from bot.domain.wording.escaping import slack
from bot.domain.wording.message import Block, Footnote, Heading, Items, Line, Message, Paragraph, Span, Style

_LONGEST_SECTION = 2900
"""Slack takes 3,000 characters to a section."""
_LONGEST_HEADER = 150
_MOST_BLOCKS = 50
_OF_URLS = "/:?=&#%"


def notification(message: Message) -> str:
    """Renders the one line that notifications show."""
    return slack(message.text)


def blocks_of(message: Message) -> list[dict[str, Any]]:
    """Renders the blocks as JSON; what is beyond the fiftieth is left out."""
    return [rendered for block in message.blocks for rendered in _rendered(block)][:_MOST_BLOCKS]


def _rendered(block: Block) -> list[dict[str, Any]]:
    match block:
        case Heading():
            return [HeaderBlock(text=PlainTextObject(text=block.text[:_LONGEST_HEADER])).to_dict()]
        case Paragraph():
            return [_section(text) for text in _packed(map(_line, block.lines))]
        case Items():
            return [_section(text) for text in _packed(f"• {_line(line)}" for line in block.lines)]
        case Footnote():
            return [ContextBlock(elements=[MarkdownTextObject(text=slack(block.text))]).to_dict()]


def _section(text: str) -> dict[str, Any]:
    return SectionBlock(text=MarkdownTextObject(text=text or " ")).to_dict()


def _packed(lines: Iterable[str]) -> list[str]:
    """As few sections as their length allows."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + len(line) + 1 <= _LONGEST_SECTION:
            packed[-1] += f"\n{line}"
        else:
            packed.append(line[:_LONGEST_SECTION])
    return packed


def _line(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: Span) -> str:
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
