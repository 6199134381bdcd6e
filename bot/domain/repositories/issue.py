"""The one issue of a repository: sections of the bot between hidden lines, the rest of it belongs to people."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

TITLE = "Freshness of this repository's images"
MARK = "<!-- freshness-bot issue -->"
"""By which the bot knows an issue as its own, whoever has edited it."""
_SECTION = re.compile(r"\n*<!-- freshness-bot section (\S+) -->\n.*?<!-- freshness-bot end \1 -->\n*", re.S)
_CLOSING = "Nothing is left to say; the bot has closed this by itself."
_CLOSED = f"<!-- freshness-bot section closed -->\n{_CLOSING}\n<!-- freshness-bot end closed -->"
MOST_TEXT = 60_000
"""Bytes of a body; GitHub takes 65,536 characters."""


@dataclass(frozen=True, slots=True)
class IssueSection:
    """What one part of the bot has to say there: `name` is a word without spaces, `text` is Markdown, made harmless
    by whoever wrote it, `told` the same in one plain line for where there is no issue.

    One that `opens` no issue stands in it beside others, and goes with the last of these.
    """

    name: str
    title: str
    text: str
    told: str
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Issue:
    """The bot's issue in a repository, as the forge shows it."""

    number: int
    body: str
    is_open: bool
    url: str = ""


def worth_an_issue(sections: Sequence[IssueSection]) -> tuple[IssueSection, ...]:
    """Returns all sections where one is reason enough for an issue, else none."""
    return tuple(sections) if any(section.opens for section in sections) else ()


def new_body(sections: Sequence[IssueSection]) -> str:
    """The body of an issue that is not there yet."""
    return with_sections(
        f"{MARK}\nThe freshness bot keeps what it has to say here up to date, and closes this issue by itself. "
        "What you write outside of its sections stays.",
        sections,
    )


def with_sections(body: str, sections: Sequence[IssueSection]) -> str:
    """The body with exactly these sections, in their order, behind what people wrote; without any, it says that
    nothing is left."""
    own = _SECTION.sub("\n\n", body).strip("\n")
    if MARK not in own:
        own = f"{MARK}\n{own}"
    room = MOST_TEXT - len(own.encode())
    parts = [own]
    for section in sections:
        text = _marked(section)
        if len(text.encode()) > room:
            text = _marked(replace(section, text="There is more to say than fits in here."))
        room -= len(text.encode())
        parts.append(text)
    return "\n\n".join([*parts, *([] if sections else [_CLOSED])])


def _marked(section: IssueSection) -> str:
    inside = section.text.replace("<!-- freshness-bot", "<!-- ")
    return (
        f"<!-- freshness-bot section {section.name} -->\n### {section.title}\n\n{inside}\n"
        f"<!-- freshness-bot end {section.name} -->"
    )
