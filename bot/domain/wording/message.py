"""Messages for people as neutral blocks: what is said, in which order, with which weight. Notifiers render them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Style(StrEnum):
    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `url` is where it leads. Nothing in it is escaped."""

    text: str
    style: Style = Style.PLAIN
    url: str | None = None


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; the lines are its items."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Footnote:
    """What is of less weight: moments, numbers."""

    text: str


Block = Heading | Paragraph | Items | Footnote


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is the whole in one line, for notifications and screen readers.

    `needs_person` says that nothing goes on until somebody acts: whoever is to be called, is called.
    """

    text: str
    blocks: tuple[Block, ...]
    needs_person: bool = False

    @property
    def fingerprint(self) -> str:
        """The same words have the same fingerprint, so that nothing is sent twice."""
        canonical = json.dumps([self.text, [[type(block).__name__, asdict(block)] for block in self.blocks]])
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def plain(text: str) -> Line:
    """A line in one plain run."""
    return (Span(text),)


def strong(text: str) -> Line:
    """A line in one strong run."""
    return (Span(text, Style.STRONG),)
