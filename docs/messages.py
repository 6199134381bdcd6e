"""The index of messages: what is told, and the page that says what to do; it comes from these pages themselves."""

import re
from collections.abc import Iterator
from pathlib import Path

_SEEN = re.compile(r"\*\*What you see[^*]*\*\*(.*?)(?:\n\n|\Z)", re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_REASON = re.compile(r"^(?:- |\| )\*([a-z…][^*]+)\*", re.MULTILINE)
"""What begins with a capital is a heading, or a name that others gave."""
_COMMANDS = ("freshness-bot", "feeds bundle", "kubectl", "docker", "kill")
_FEWEST_WORDS = 3
"""Of a reason: shorter ones are words of a table, and no message."""


def messages_of(page: str) -> Iterator[str]:
    """Gives the messages that a page quotes where it says what one sees, and the reasons that it lists."""
    for paragraph in _SEEN.findall(page):
        for span in _SPAN.findall(" ".join(paragraph.split())):
            if " " in span and not span.startswith(_COMMANDS):
                yield span
    yield from (reason for reason in _REASON.findall(page) if len(reason.split()) >= _FEWEST_WORDS)


def messages_page(folder: Path, note: str) -> str:
    """Writes the page of the index of all pages in `folder`."""
    rows = sorted(
        {
            (message, path.name, path.stem)
            for path in folder.glob("*.md")
            for text in (path.read_text(encoding="utf-8"),)
            for message in messages_of(text)
        },
        key=lambda row: (row[0].lower(), row[1]),
    )
    lines = [
        "# Messages, and where they are explained",
        "",
        "What the log, `status`, `explain` and the pages say, in the order of the alphabet; `…` stands for a name",
        "or a number. What is not here says itself what to do.",
        "",
        note,
        "| message | page |",
        "|---|---|",
        *(f"| {message.replace('|', '/')} | [{title}]({name}) |" for message, name, title in rows),
    ]
    return "\n".join(lines) + "\n"
