"""JSON with comments and trailing commas → nodes with places.

The dialect is the one that Visual Studio Code reads (https://jsonc.org): JSON, `//` and `/* */` comments, a comma
after the last item, and tabs within strings. The standard library decodes the strings; it keeps no places.
"""

import re
from json import JSONDecodeError, JSONDecoder

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, ScalarStyle, Sequence
from bot.files.formats.source.text import BOM, Lines
from bot.files.formats.source.yaml import DEEPEST_NESTING, LARGEST_TEXT

_STRINGS = JSONDecoder(strict=False)
_SPACE = re.compile(r"(?:[ \t\r\n]++|//[^\n]*+|/\*(?s:.*?)\*/)*+")
_LITERAL = re.compile(r"true|false|null|-?\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+")


def read(source: str) -> Node:
    """The value that the text is. Raises `Unreadable`."""
    if len(source) > LARGEST_TEXT:
        raise Unreadable(1, f"the file has more than {LARGEST_TEXT:,} characters and is not read")
    reader = _Reader(source)
    node = reader.value(0)
    if reader.peek():
        raise reader.wrong("something follows the closing brace")
    return node


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self._position = len(BOM) if source.startswith(BOM) else 0

    def wrong(self, why: str) -> Unreadable:
        return Unreadable(Lines(self.source).at(self._position), f"the file is not valid JSON: {why}")

    def peek(self) -> str:
        """The next character that counts, empty at the end."""
        space = _SPACE.match(self.source, self._position)
        self._position = space.end() if space else self._position
        return self.source[self._position : self._position + 1]

    def value(self, depth: int) -> Node:
        if depth > DEEPEST_NESTING:
            raise self.wrong(f"it nests deeper than {DEEPEST_NESTING} levels")
        match self.peek():
            case "{":
                return self._mapping(depth)
            case "[":
                return self._sequence(depth)
            case '"':
                return self._string()
            case _:
                return self._literal()

    def _mapping(self, depth: int) -> Mapping:
        mapping = Mapping(self._position)
        self._position += 1
        while self.peek() != "}":
            if self.peek() != '"':
                raise self.wrong("a key in double quotes is missing")
            key = self._string()
            if self.peek() != ":":
                raise self.wrong("a colon is missing after a key")
            self._position += 1
            mapping.own[key.value] = (key, self.value(depth + 1))
            self._comma_or("}")
        self._position += 1
        return mapping

    def _sequence(self, depth: int) -> Sequence:
        sequence = Sequence(self._position)
        self._position += 1
        while self.peek() != "]":
            sequence.items.append(self.value(depth + 1))
            self._comma_or("]")
        self._position += 1
        return sequence

    def _comma_or(self, closing: str) -> None:
        match self.peek():
            case ",":
                self._position += 1
            case character if character != closing:
                raise self.wrong(f"a comma or {closing} is missing")

    def _string(self) -> Scalar:
        start = self._position
        try:
            value, self._position = _STRINGS.raw_decode(self.source, start)
        except JSONDecodeError as error:
            raise self.wrong("a string is not closed or has an unknown escape") from error
        if "\n" in value and "\n" in self.source[start : self._position]:
            self._position = start
            raise self.wrong("a string is not closed in its line")
        return Scalar(self.source, start, self._position, value, ScalarStyle.DOUBLE_QUOTED)

    def _literal(self) -> Scalar:
        literal = _LITERAL.match(self.source, self._position)
        if literal is None:
            raise self.wrong("a value is missing")
        start, self._position = literal.span()
        return Scalar(self.source, start, self._position, literal.group())
