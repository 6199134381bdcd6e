"""Slack's Block Kit within its limits, and the small words that all messages share."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from slack_sdk.models.blocks import ContextBlock, HeaderBlock, MarkdownTextObject, PlainTextObject, SectionBlock

from bot.domain.escaping import slack

_LONGEST_SECTION = 2900
"""Slack takes 3,000 characters to a section."""
_LONGEST_HEADER = 150
_LONGEST_REASON = 120
LONGEST_DETAIL = 400
"""Even if each of its characters must be escaped, it fits into a section with a title."""
_MOST_LISTED = 30
_OF_URLS = "/:?=&#%"


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is what notifications and screen readers show, escaped; `blocks` are Block Kit as JSON."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]

    @property
    def fingerprint(self) -> str:
        """The same words have the same fingerprint, so that nothing is sent twice."""
        canonical = json.dumps([self.text, self.blocks], sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def header(text: str) -> dict[str, Any]:
    return HeaderBlock(text=PlainTextObject(text=text[:_LONGEST_HEADER])).to_dict()


def section(text: str) -> dict[str, Any]:
    return SectionBlock(text=MarkdownTextObject(text=text or " ")).to_dict()


def context(text: str) -> dict[str, Any]:
    return ContextBlock(elements=[MarkdownTextObject(text=text)]).to_dict()


def chunked(lines: Iterable[str]) -> list[str]:
    """The texts of sections for a list of any length: lines after the thirtieth are only counted."""
    listed = list(lines)
    shown = listed[:_MOST_LISTED]
    if len(listed) > _MOST_LISTED:
        shown.append(f"• and {len(listed) - _MOST_LISTED} more; `freshness-bot status` lists them all")
    return packed(shown)


def packed(lines: Iterable[str]) -> list[str]:
    """As few sections as their length allows."""
    chunks: list[str] = []
    for line in lines:
        if chunks and len(chunks[-1]) + len(line) + 1 <= _LONGEST_SECTION:
            chunks[-1] += f"\n{line}"
        else:
            chunks.append(line[:_LONGEST_SECTION])
    return chunks


def short(text: str, longest: int = _LONGEST_REASON) -> str:
    """Cut before it is escaped, so that no escape is torn."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def link(address: str, text: str) -> str:
    """Both are escaped here."""
    return f"<{slack(quote(address, safe=_OF_URLS))}|{slack(text)}>"


def shown_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
