"""A tar archive read as it comes: names and kinds of its entries, and the content of those that are wanted.

Nothing is unpacked. The forms are those of POSIX ustar and pax and of GNU tar (long names, large numbers).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.images.packages.reading import malformed

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_LARGEST_EXTRA = 1024 * 1024
_MOST_EXTRAS = 8
_LONGEST_NAME = 4096
_LARGEST_SIZE = 64 * 1024**3
_PAX = re.compile(rb"([0-9]{1,9}) ([^=]{1,1024})=")


class TarEntryKind(StrEnum):
    """What an entry of a layer's archive is."""

    FILE = "file"
    HARD_LINK = "hard link"
    SYMLINK = "symbolic link"
    FOLDER = "folder"
    OTHER = "device"


_KINDS = {
    b"0": TarEntryKind.FILE,
    b"\0": TarEntryKind.FILE,
    b"7": TarEntryKind.FILE,
    b"S": TarEntryKind.FILE,
    b"1": TarEntryKind.HARD_LINK,
    b"2": TarEntryKind.SYMLINK,
    b"5": TarEntryKind.FOLDER,
}


@dataclass(frozen=True, slots=True)
class TarEntry:
    """`name` and `target` are as written, absolute and with `..` where somebody wrote them so."""

    name: str
    kind: TarEntryKind
    size: int
    target: str = ""
    is_sparse: bool = False


class TarReader:
    """Calls `on_entry` for each entry; where that answers True, `on_content` follows with the file's content."""

    def __init__(
        self, place: str, on_entry: Callable[[TarEntry], bool], on_content: Callable[[TarEntry, bytes], None]
    ) -> None:
        self._place = place
        self._on_entry = on_entry
        self._on_content = on_content
        self._buffer = bytearray()
        self._needed = _BLOCK
        self._skipped = 0
        self._next: Callable[[bytes], None] = self._header
        self._extra: dict[str, bytes] = {}
        self._extras = 0
        self._zero_blocks = 0
        self.has_ended = False

    def feed(self, data: bytes) -> None:
        """Takes in a piece of the archive. Raises `Failure` for what is no archive."""
        start, end = 0, len(data)
        while start < end and not self.has_ended:
            if self._skipped:
                step = min(self._skipped, end - start)
                self._skipped -= step
                start += step
                continue
            if not self._buffer and end - start >= self._needed:
                block = data[start : start + self._needed]
                start += self._needed
            else:
                step = min(self._needed - len(self._buffer), end - start)
                self._buffer += data[start : start + step]
                start += step
                if len(self._buffer) < self._needed:
                    continue
                block = bytes(self._buffer)
                self._buffer = bytearray()
            self._next(block)

    def finish(self) -> None:
        """Raises `Failure` where the archive stops within an entry."""
        if not self.has_ended and (self._buffer or self._skipped or self._next != self._header or self._extra):
            raise malformed("is an archive that is cut short", self._place)

    def _expect(self, needed: int, then: Callable[[bytes], None]) -> None:
        self._needed = needed
        self._next = then

    def _header(self, block: bytes) -> None:
        if block == _ZEROS:
            self._zero_blocks += 1
            self.has_ended = self._zero_blocks == 2
            return
        if self._zero_blocks:
            raise malformed("is an archive with something behind its end", self._place)
        total = sum(block) - sum(block[148:156]) + 8 * 32
        if _number(block[148:156], self._place) != total:
            raise malformed("is no tar archive, or a damaged one", self._place)
        size = _number(block[124:136], self._place)
        form = block[156:157]
        if form in b"xgLK":
            self._expect_extra(form, size)
            return
        self._begin(block, form, size)

    def _expect_extra(self, form: bytes, size: int) -> None:
        """A pax header (`x` for the next entry, `g` for all), or GNU's long name (`L`) or link target (`K`)."""
        self._extras += 1
        if size > _LARGEST_EXTRA or (form != b"g" and self._extras > _MOST_EXTRAS):
            raise malformed(f"is an archive with a header of {size} bytes before an entry", self._place)

        def take(block: bytes) -> None:
            content = block[:size]
            if form == b"x":
                records = self._extra | _pax(content, self._place)
                self._extra = {key: value for key, value in records.items() if value}
            elif form in b"LK":
                self._extra["path" if form == b"L" else "linkpath"] = content.rstrip(b"\0")
            self._expect(_BLOCK, self._header)

        if size:
            self._expect(_padded(size), take)
        else:
            take(b"")

    def _begin(self, block: bytes, form: bytes, size: int) -> None:
        extra, self._extra, self._extras = self._extra, {}, 0
        kind = _KINDS.get(form, TarEntryKind.OTHER)
        if "size" in extra:
            size = _decimal(extra["size"], self._place)
        if form in b"123456":
            size = 0
        if size > _LARGEST_SIZE:
            raise malformed(f"is an archive with an entry of {size} bytes", self._place)
        name = _text(extra.get("GNU.sparse.name", extra.get("path", _name(block))), self._place)
        if kind is TarEntryKind.FILE and name.endswith("/"):
            kind = TarEntryKind.FOLDER
        entry = TarEntry(
            name,
            kind,
            size,
            _text(extra.get("linkpath", _until_zero(block[157:257])), self._place) if size == 0 else "",
            form == b"S" or (bool(extra) and any(key.startswith("GNU.sparse") for key in extra)),
        )
        if form == b"S" and block[482]:
            self._expect(_BLOCK, lambda more: self._sparse_map(more, entry))
            return
        self._body(entry)

    def _sparse_map(self, block: bytes, entry: TarEntry) -> None:
        """GNU's old sparse files list their holes in further blocks as long as byte 504 says so."""
        if not block[504]:
            self._body(entry)

    def _body(self, entry: TarEntry) -> None:
        self._expect(_BLOCK, self._header)
        is_wanted = self._on_entry(entry)
        if not is_wanted:
            self._skipped = _padded(entry.size)
        elif not entry.size:
            self._on_content(entry, b"")
        else:
            self._expect(_padded(entry.size), lambda content: self._content(entry, content))

    def _content(self, entry: TarEntry, content: bytes) -> None:
        self._expect(_BLOCK, self._header)
        self._on_content(entry, content[: entry.size])


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _number(field: bytes, place: str) -> int:
    """Octal digits, or GNU's large numbers: the rest of the field where its highest bit is set."""
    if field[0] & 0x80:
        if field[0] != 0x80:
            raise malformed("is an archive with a negative number", place)
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        raise malformed("is no tar archive, or a damaged one", place)
    return int(digits, 8)


def _decimal(digits: bytes, place: str) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise malformed("is an archive with a size that is no number", place)
    return int(digits)


def _pax(content: bytes, place: str) -> dict[str, bytes]:
    """Records of `length key=value` and a line end, the length counting all of it; an empty value is none."""
    records: dict[str, bytes] = {}
    start = 0
    while start < len(content):
        match = _PAX.match(content, start)
        end = start + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(content) or content[end - 1] != 0x0A:
            raise malformed("is an archive with a damaged pax header", place)
        records[match[2].decode("utf-8", "replace")] = content[match.end() : end - 1]
        start = end
    return records


def _name(block: bytes) -> bytes:
    name = _until_zero(block[:100])
    prefix = _until_zero(block[345:500]) if block[257:263] == b"ustar\0" else b""
    return b"/".join((prefix, name)) if prefix else name


def _until_zero(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _text(name: bytes, place: str) -> str:
    if len(name) > _LONGEST_NAME or b"\0" in name:
        raise malformed(f"is an archive with a name of {len(name)} bytes", place)
    return name.decode("utf-8", "replace")
