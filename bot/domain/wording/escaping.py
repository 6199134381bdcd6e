"""Text from outside, made harmless for where it lands."""

import re
from html import escape

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
_LINKING = re.compile(r"([@#]|\bGH-)(?=\w)", re.IGNORECASE)
_CALLING = re.compile(r"([@<](?=\S)|\](?=\())")
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ZERO_WIDTH = "\u200b"


def markdown(text: str) -> str:
    """Markdown's own signs are escaped; a mention or an issue link is broken by an invisible space.

    GitHub finds mentions and issues in the text as rendered, where an escape no longer stands in their way.
    """
    line = " ".join(text.split())
    return _LINKING.sub(rf"\1{_ZERO_WIDTH}", _MARKDOWN.sub(r"\\\1", line))


def html(text: str) -> str:
    """For HTML within Markdown, where no escape of Markdown's counts; mentions are broken as there."""
    return _LINKING.sub(rf"\1{_ZERO_WIDTH}", escape(" ".join(text.split())))


def code(text: str) -> str:
    """Makes inline code: Markdown knows no escape there, so backticks, line ends and cell ends are taken out."""
    line = " ".join(text.replace("`", "'").replace("|", "¦").split())
    return f"`{line or ' '}`"


def plain_text(text: str) -> str:
    """One line for a chat that may read signs of its own in it: mentions and links are broken as in Markdown."""
    return _CALLING.sub(rf"\1{_ZERO_WIDTH}", " ".join(text.split()))


def terminal(text: str) -> str:
    """One line for a terminal: what could steer it, or end the line, becomes the replacement character."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def slack(text: str) -> str:
    """Slack's three control characters (api.slack.com, "Escaping text")."""
    return "".join(_SLACK.get(sign, sign) for sign in text)
