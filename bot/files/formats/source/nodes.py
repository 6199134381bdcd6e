"""What YAML and JSON texts are made of, each scalar with its place in the file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from bot.files.formats.source.spanned import Spanned

MOST_MERGES = 64
"""How many merged mappings one look-up follows; more is an attack, not a configuration."""


class ScalarStyle(StrEnum):
    """How a scalar is written."""

    PLAIN = ""
    SINGLE_QUOTED = "'"
    DOUBLE_QUOTED = '"'
    LITERAL = "|"
    FOLDED = ">"


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """`source[start:end]` is what was written, with quotes or block header; `value` is what it means.

    Numbers, booleans and dates stay the text that was written: a tag `1.10` is not the number 1.1.
    """

    source: str = field(repr=False)
    start: int
    end: int
    value: str
    style: ScalarStyle = ScalarStyle.PLAIN

    @property
    def is_null(self) -> bool:
        return self.style is ScalarStyle.PLAIN and self.value in {"", "~", "null", "Null", "NULL"}

    @property
    def spanned(self) -> Spanned:
        """The value with the place of each character."""
        start, end = self.start, self.end
        if self.style in {ScalarStyle.SINGLE_QUOTED, ScalarStyle.DOUBLE_QUOTED}:
            start, end = start + 1, end - 1
        elif self.style in {ScalarStyle.LITERAL, ScalarStyle.FOLDED}:
            start = self.source.find("\n", start, end) + 1 or end
        if self.source[start:end] == self.value:
            return Spanned(self.value, range(start, end))
        return Spanned(self.value, tuple(self._align_characters(start, end)))

    def _align_characters(self, place: int, end: int) -> Iterator[int]:
        """Folding, indentation and escapes put only white space and escapes between the value's characters."""
        source = self.source
        for character in self.value:
            if self.style is ScalarStyle.DOUBLE_QUOTED:
                while source.startswith(("\\\n", "\\\r\n"), place):
                    place = _after_white_space(source, place + 1, end)
                if source.startswith("\\", place):
                    yield ~place
                    place += _escape_length(source, place, character)
                    continue
            if self.style is ScalarStyle.SINGLE_QUOTED and source.startswith("''", place):
                yield ~place
                place += 2
                continue
            position = place
            while position < end and source[position] != character and source[position].isspace():
                position += 1
            if position < end and source[position] == character:
                yield position
                place = position + 1
            else:
                yield ~min(place, end)


@dataclass(slots=True, eq=False)
class Sequence:
    """A list; equal to itself alone, so that a node that aliases share is visited once."""

    start: int
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping with scalar keys; where a key is written twice the last one counts, as in Go and JavaScript."""

    start: int
    own: dict[str, tuple[Scalar, "Node"]] = field(default_factory=dict)
    merged: list["Node"] = field(default_factory=list)
    """What stands under YAML's merge key `<<`."""
    repeated: Scalar | None = None
    """The first key that was written before in the same mapping: strict parsers refuse it."""

    def get(self, key: str) -> "Node | None":
        if not self.merged:
            entry = self.own.get(key)
            return entry[1] if entry is not None else None
        for mapping in self._with_merged():
            if key in mapping.own:
                return mapping.own[key][1]
        return None

    def mapping(self, key: str) -> "Mapping":
        """The mapping under a key, an empty one where there is none."""
        node = self.get(key)
        return node if isinstance(node, Mapping) else Mapping(self.start)

    def scalar(self, key: str) -> Scalar | None:
        """The scalar under a key, None where there is none or it is null."""
        node = self.get(key)
        return node if isinstance(node, Scalar) and not node.is_null else None

    def sequence(self, key: str) -> list["Node"]:
        node = self.get(key)
        return node.items if isinstance(node, Sequence) else []

    def entries(self) -> Iterator[tuple[Scalar, "Node"]]:
        """Own entries, then merged ones that they do not override."""
        if not self.merged:
            yield from self.own.values()
            return
        keys: set[str] = set()
        for mapping in self._with_merged():
            for key, entry in mapping.own.items():
                if key not in keys:
                    keys.add(key)
                    yield entry

    def _with_merged(self) -> Iterator["Mapping"]:
        waiting: list[Node] = [self]
        node_ids: set[int] = set()
        while waiting and len(node_ids) < MOST_MERGES:
            node = waiting.pop(0)
            if id(node) in node_ids:
                continue
            node_ids.add(id(node))
            if isinstance(node, Mapping):
                yield node
                waiting[:0] = node.merged
            elif isinstance(node, Sequence):
                waiting[:0] = node.items[:MOST_MERGES]


Node = Scalar | Sequence | Mapping


def mappings_under(node: Node | None) -> Iterator[tuple[str, Mapping]]:
    """Every mapping at or under a node, once each in the order of the text, with the key that it stands under.

    The items of a list stand under the list's key.
    """
    waiting: list[tuple[str, Node | None]] = [("", node)]
    node_ids: set[int] = set()
    while waiting:
        key, here = waiting.pop()
        if here is None or isinstance(here, Scalar) or id(here) in node_ids:
            continue
        node_ids.add(id(here))
        if isinstance(here, Mapping):
            yield key, here
            waiting.extend((key, merged) for merged in reversed(here.merged))
            waiting.extend((name, value) for name, (_, value) in reversed(here.own.items()))
        else:
            waiting.extend((key, item) for item in reversed(here.items))


def texts_under(node: Node | None) -> Iterator[str]:
    """The texts of all scalars at or under a node, those of keys left out, in order."""
    return (scalar.value for scalar in scalars_under(node))


def scalars_under(node: Node | None) -> Iterator[Scalar]:
    """All scalars at or under a node, in order; what several aliases stand for is read once."""
    waiting: list[Node | None] = [node]
    node_ids: set[int] = set()
    while waiting:
        here = waiting.pop()
        if isinstance(here, Scalar):
            yield here
        elif here is not None and id(here) not in node_ids:
            node_ids.add(id(here))
            values = here.items if isinstance(here, Sequence) else [value for _, value in here.entries()]
            waiting.extend(reversed(values))


def _after_white_space(source: str, place: int, end: int) -> int:
    while place < end and source[place].isspace():
        place += 1
    return place


def _escape_length(source: str, place: int, character: str) -> int:
    kind = source[place + 1 : place + 2]
    if kind == "u" and ord(character) > 0xFFFF:
        return 12  # JSON writes it as a surrogate pair
    return {"x": 4, "u": 6, "U": 10}.get(kind, 2)
