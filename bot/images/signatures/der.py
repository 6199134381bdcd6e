"""ASN.1 in its distinguished encoding, one level at a time and without recursion."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.images.signatures.verdict import Refused

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31


@dataclass(frozen=True, slots=True)
class DerElement:
    """One tag with its content, and the bytes that it was read from."""

    tag: int
    content: bytes
    encoded: bytes

    def parts(self) -> "Parts":
        return Parts(self.content)


class Parts:
    """The elements inside another, taken in their order."""

    def __init__(self, content: bytes) -> None:
        self._elements = _split(content)
        self._next = next(self._elements, None)

    @property
    def tag(self) -> int | None:
        """The tag of the element that comes next; nothing at the end."""
        return self._next.tag if self._next is not None else None

    def take(self, tag: int, label: str) -> DerElement:
        """Takes the next element, which must have this tag."""
        element = self._next
        if element is None or element.tag != tag:
            raise Refused(f"{label} is not where ASN.1 has it")
        self._next = next(self._elements, None)
        return element

    def take_if(self, tag: int) -> DerElement | None:
        """The next element where it has this tag; nothing where an optional one was left out."""
        return self.take(tag, "an element") if self.tag == tag else None

    def rest(self) -> Iterator[DerElement]:
        while self._next is not None:
            element = self._next
            self._next = next(self._elements, None)
            yield element

    def end(self, label: str) -> None:
        if self._next is not None:
            raise Refused(f"{label} has more in it than it should")


def read_der(encoded: bytes, tag: int, label: str) -> DerElement:
    """Reads the one element that the bytes are, of this tag."""
    parts = Parts(encoded)
    element = parts.take(tag, label)
    parts.end(label)
    return element


def object_identifier(element: DerElement) -> str:
    """Writes the dotted form of an object identifier."""
    if not element.content or element.content[-1] & 0x80 or len(element.content) > 64:
        raise Refused("an object identifier cannot be read")
    arcs: list[int] = []
    value = 0
    for byte in element.content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def integer(element: DerElement) -> int:
    content = element.content
    if not content or (len(content) > 1 and content[0] in (0, 0xFF) and (content[0] ^ content[1]) < 0x80):
        raise Refused("a number cannot be read")
    return int.from_bytes(content, signed=True)


def _split(content: bytes) -> Iterator[DerElement]:
    place = 0
    while place < len(content):
        start = place
        tag = content[place]
        if tag & 0x1F == 0x1F or place + 1 >= len(content):
            raise Refused("the ASN.1 cannot be read")
        length = content[place + 1]
        place += 2
        if length & 0x80:
            size = length & 0x7F
            length_bytes = content[place : place + size]
            length = int.from_bytes(length_bytes)
            # one spelling only: DER allows neither an indefinite nor a padded length
            if not 1 <= size <= 4 or len(length_bytes) < size or length_bytes[0] == 0 or length < 0x80:
                raise Refused("the ASN.1 is not in its distinguished encoding (DER)")
            place += size
        if place + length > len(content):
            raise Refused("the ASN.1 ends too early")
        yield DerElement(tag, content[place : place + length], content[start : place + length])
        place += length
