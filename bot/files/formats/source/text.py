"""A file's bytes as text and back, byte for byte."""

from bisect import bisect_right

BOM = "\ufeff"


def decode(data: bytes) -> str:
    """UTF-8 text in which every byte survives: invalid ones as lone surrogates, a byte order mark as `BOM`."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of `decode`."""
    return text.encode("utf-8", "surrogateescape")


class Lines:
    """The lines of a text, counted from 1 and ended by line feeds, as editors show them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [1 if text.startswith(BOM) else 0]
        line_end = text.find("\n")
        while line_end >= 0:
            self._starts.append(line_end + 1)
            line_end = text.find("\n", line_end + 1)

    def __len__(self) -> int:
        return len(self._starts)

    def at(self, offset: int) -> int:
        """The line that the character at `offset` stands on."""
        return max(1, bisect_right(self._starts, offset))

    def start(self, line: int) -> int:
        """The offset of the line's first character, behind a byte order mark."""
        return self._starts[line - 1]

    def end(self, line: int) -> int:
        """The offset behind the line's ending."""
        return self._starts[line] if line < len(self._starts) else len(self._text)

    def of(self, line: int) -> str:
        """The line with its ending."""
        return self._text[self.start(line) : self.end(line)]
