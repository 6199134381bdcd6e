"""The boxes of the fleet issue: how they are written, and which of them somebody has ticked.

What a box asks for stands in a hidden comment at the end of its line. Whoever may edit the issue may write any
comment there, so a box that was never offered may be found ticked: it is heeded like the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_NUMBER = re.compile(r"<!-- freshness-bot fleet issue (\d{1,9}) -->")
_BOX = re.compile(
    r"^\s*[-*] \[[xX]\] .*<!-- (retry|rebuild|hold) ([A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}) -->\s*$"
)
_MOST = 100
MARK = "<!-- freshness-bot fleet issue "
"""By which the bot knows the issue as its own, whoever has edited it."""


class BoxRequest(StrEnum):
    """What a box asks for."""

    RETRY = "retry"
    REBUILD = "rebuild"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A request for one repository, which a person makes by ticking its box."""

    request: BoxRequest
    repository: str

    def __str__(self) -> str:
        return f"{self.request} {self.repository}"


def opening(number: int) -> str:
    """The first line of the issue's `number`th wording: a box of another wording was ticked before."""
    return f"{MARK}{number} -->"


def box(choice: Box, text: str) -> str:
    """A line with an empty box; `text` is Markdown on one line."""
    return f"- [ ] {text} <!-- {choice} -->"


def wording_of(body: str) -> int:
    """The number of the wording that a body has; 0 where somebody has taken it out."""
    match = _NUMBER.search(body)
    return int(match[1]) if match else 0


def ticked(body: str) -> tuple[Box, ...]:
    """What is ticked in a body, each once, in the order of its lines."""
    return tuple(dict.fromkeys(_find_ticked(body)))[:_MOST]


def _find_ticked(body: str) -> Iterator[Box]:
    for line in body.splitlines():
        match = _BOX.match(line)
        if match is not None:
            yield Box(BoxRequest(match[1]), match[2])
