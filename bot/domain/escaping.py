"""Text from outside, made harmless for where it lands."""

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ZERO_WIDTH = "\u200b"


def markdown(text: str) -> str:
    """Markdown's own signs are escaped; a mention or an issue link is broken by an invisible space."""
    line = " ".join(text.split())
    return _MARKDOWN.sub(r"\\\1", line).replace("@", f"@{_ZERO_WIDTH}")


def code(text: str) -> str:
    """For inline code: Markdown knows no escape there, so backticks and line ends are taken out."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def slack(text: str) -> str:
    """Slack's three control characters (api.slack.com, "Escaping text")."""
    return "".join(_SLACK.get(sign, sign) for sign in text)
