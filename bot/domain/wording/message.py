"""Messages for people as neutral blocks: what is said, in which order, with which weight. Notifiers render them."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Style(StrEnum):
    """How a run of text is set apart."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of text in one style; `url` is where it leads. Nothing in it is escaped."""

    text: str
    style: Style = Style.PLAIN
    url: str | None = None

    @property
    def margins(self) -> tuple[str, str]:
        """The space before and behind the text, which stands outside of its style and its link."""
        lead = " " if self.text[:1].isspace() else ""
        return lead, " " if self.text[-1:].isspace() and self.text.strip() else ""


Line = tuple[TextRun, ...]
ON_THE_PAGE = "More on the page"
"""What the link to the page says."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a message is about, in a line above the rest."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; the lines are its items."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Footnote:
    """What is of less weight: moments, numbers; `page` is where the page shows more of the whole."""

    text: str
    page: str | None = None


Block = Heading | Paragraph | Items | Footnote


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is the whole in one line, for notifications and screen readers.

    `needs_person` says that nothing goes on until somebody acts: whoever is to be called, is called. `about` names
    what it tells of, by keys that are the same in every store.
    """

    text: str
    blocks: tuple[Block, ...]
    needs_person: bool = False
    about: tuple[str, ...] = ()

    def with_page(self, address: str | None) -> "Message":
        """The same message with a last footnote that leads to the page; without an address as it is."""
        if address is None:
            return self
        last = self.blocks[-1] if self.blocks else None
        if isinstance(last, Footnote):
            return replace(self, blocks=(*self.blocks[:-1], replace(last, page=address)))
        return replace(self, blocks=(*self.blocks, Footnote("", address)))

    @property
    def fingerprint(self) -> str:
        """Returns a hash of the words: a message with the same hash as the last one is not sent again."""
        canonical = json.dumps([self.text, [[type(block).__name__, asdict(block)] for block in self.blocks]])
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def plain(text: str) -> Line:
    """Makes a line of one run that nothing sets apart."""
    return (TextRun(text),)


def with_code(text: str) -> Line:
    """Makes a line of which the parts between backticks are code."""
    parts = enumerate(text.split("`"))
    return tuple(TextRun(part, Style.CODE if number % 2 else Style.PLAIN) for number, part in parts if part)


def strong(text: str) -> Line:
    """Makes a line of one run that stands out."""
    return (TextRun(text, Style.STRONG),)
