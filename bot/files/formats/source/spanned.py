"""Text that remembers where in the file each of its characters stands.

A reference is seldom written in one piece: it stands in quotes, in a block scalar, in a variable's default, in
three keys of a mapping. Whatever a reader puts together from such pieces keeps the place of every character, so
that the tag can be replaced where it was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.repositories.usage import Piece, Span


@dataclass(frozen=True, slots=True)
class Spanned:
    """`places[i]` is the offset in the file of `text[i]`.

    A negative place `~offset` stands for a character that the file has only near `offset`, in another form (an
    escape) or not at all (a joining colon): it has a line, but it cannot be replaced.
    """

    text: str
    places: Sequence[int]

    @classmethod
    def from_elsewhere(cls, text: str) -> "Spanned":
        """A text of which nothing stands in the file, such as the value of a variable that another file sets."""
        return cls(text, (~0,) * len(text))

    def __len__(self) -> int:
        return len(self.text)

    def __add__(self, other: "Spanned") -> "Spanned":
        if not self.text or not other.text:
            return self if self.text else other
        return Spanned(self.text + other.text, (*self.places, *other.places))

    def part(self, start: int, end: int) -> "Spanned":
        return Spanned(self.text[start:end], self.places[start:end])

    def strip(self) -> "Spanned":
        start = len(self.text) - len(self.text.lstrip())
        return self.part(start, max(start, len(self.text.rstrip())))

    def without_prefix(self, prefix: str) -> "Spanned | None":
        return self.part(len(prefix), len(self)) if self.text.startswith(prefix) else None

    def place(self, index: int) -> int:
        """The offset at or near which a character stands."""
        place = self.places[index]
        return place if place >= 0 else ~place

    def span(self, start: int, end: int) -> Span | None:
        """Returns where `text[start:end]` stands, or None where it does not stand in one piece, as itself."""
        places = self.places[start:end]
        if not places or places[0] < 0:
            return None
        first = places[0]
        end = first + len(places)
        in_one_piece = isinstance(places, range) or list(places) == list(range(first, end))
        return Span(first, end) if in_one_piece else None

    def pieces(self, start: int, end: int) -> list[Piece]:
        """The parts of `text[start:end]` that stand in the file as themselves, each in one piece."""
        places = self.places
        pieces: list[Piece] = []
        begin = start
        for position in range(start + 1, end + 1):
            if position == end or places[position] < 0 or places[position] != places[position - 1] + 1:
                if places[begin] >= 0:
                    pieces.append(Piece(begin, Span(places[begin], places[position - 1] + 1)))
                begin = position
        return pieces

    def within(self, around: "Spanned") -> "Spanned":
        """The same text where its places are those in the text of `around`, which stands in the file itself."""
        last = len(around) - 1
        places = (around.places[place] if place >= 0 else ~around.place(min(~place, last)) for place in self.places)
        return Spanned(self.text, tuple(places))

    def joined(self, text: str) -> "Spanned":
        """Appends characters that the file does not have."""
        near = self.place(len(self) - 1) if self.text else 0
        return self + Spanned(text, (~near,) * len(text))


def joined(parts: Sequence[Spanned]) -> Spanned:
    if len(parts) == 1:
        return parts[0]
    return Spanned("".join(part.text for part in parts), tuple(place for part in parts for place in part.places))
