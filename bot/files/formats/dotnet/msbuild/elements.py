"""MSBuild's XML → elements with places.

expat does the reading. Nothing outside the text is ever fetched: a document type declaration, the only way to
define entities, is refused, so neither external entities nor expanding ones exist.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from xml.parsers import expat

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.spanned import Spanned, joined
from bot.files.formats.source.text import Lines
from bot.files.formats.source.yaml import DEEPEST_NESTING

LARGEST_PROJECT = 1024 * 1024
"""Characters; project files that people write have some kilobytes."""
MOST_ELEMENTS = 20_000
_ENCODING = re.compile(r"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.-]+)""", re.ASCII)


@dataclass(slots=True, eq=False)
class ProjectElement:
    """`start` is the offset of the opening `<`; `pieces` are the element's own text, without its children's."""

    name: str
    attributes: dict[str, str]
    start: int
    children: list["ProjectElement"] = field(default_factory=list)
    pieces: list[Spanned] = field(default_factory=list)

    @property
    def text(self) -> Spanned:
        """The text with the place of each character; comments inside are left out, as MSBuild does."""
        return joined(self.pieces) if self.pieces else Spanned("", ())

    @property
    def condition(self) -> str:
        return self.attributes.get("Condition", "").strip()

    def named(self, *names: str) -> Iterator["ProjectElement"]:
        return (child for child in self.children if child.name in names)


def read(source: str) -> ProjectElement:
    """The root element. Raises `Unreadable`."""
    if len(source) > LARGEST_PROJECT:
        raise Unreadable(1, f"the file has more than {LARGEST_PROJECT:,} characters and is not read")
    return _Reader(source).root()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        # The text is decoded already, so what the XML declaration says of an encoding no longer holds.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._open_element
        self._parser.EndElementHandler = self._close_element
        self._parser.CharacterDataHandler = self._add_text
        self._bytes_before: Sequence[int] = (
            range(len(source) + 1)
            if source.isascii()
            else list(accumulate((_utf8_length(character) for character in source), initial=0))
        )
        self._open: list[ProjectElement] = [ProjectElement("", {}, 0)]
        self._elements = 0

    def root(self) -> ProjectElement:
        # Where another encoding is declared, a byte that is no UTF-8 is a letter that does not matter here.
        declared = _ENCODING.match(self._source)
        lossy = declared is not None and not declared[1].lower().startswith("utf")
        try:
            self._parser.Parse(self._source.encode("utf-8", "replace" if lossy else "surrogateescape"), True)
        except expat.ExpatError as error:
            raise Unreadable(error.lineno, f"the file is not valid XML: {expat.ErrorString(error.code)}") from error
        except UnicodeEncodeError as error:
            raise Unreadable(1, "the file is not valid XML: it has characters that XML does not allow") from error
        return self._open[0].children[0]

    def _place(self) -> int:
        return bisect_left(self._bytes_before, self._parser.CurrentByteIndex)

    def _unreadable(self, why: str) -> Unreadable:
        return Unreadable(Lines(self._source).at(self._place()), why)

    def _refuse(self, *_: object) -> None:
        raise self._unreadable("the file has a document type declaration and is not read; remove it")

    def _open_element(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise self._unreadable(f"the file has more than {MOST_ELEMENTS:,} elements and is not read")
        if len(self._open) > DEEPEST_NESTING:
            raise self._unreadable(f"the file nests deeper than {DEEPEST_NESTING} levels and is not read")
        element = ProjectElement(name, attributes, self._place())
        self._open[-1].children.append(element)
        self._open.append(element)

    def _close_element(self, _: str) -> None:
        self._open.pop()

    def _add_text(self, text: str) -> None:
        start = self._place()
        verbatim = self._source.startswith(text, start)
        places = range(start, start + len(text)) if verbatim else (~start,) * len(text)
        self._open[-1].pieces.append(Spanned(text, places))


def _utf8_length(character: str) -> int:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return 1  # a byte that was no UTF-8, kept by `text.decode`
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
