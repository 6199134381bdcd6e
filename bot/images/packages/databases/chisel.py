"""Ubuntu's chisel manifest: a zstd frame with one JSON object a line (jsonwall 1.0), the first of which says so.

It names packages, but not the source packages that they were built from.
"""

from typing import Any

from bot.domain.packages.package import Inventory, Package, PackageType
from bot.domain.strict_json import read_strict_json
from bot.images.packages.layers.inflate import Inflater, is_zstd
from bot.images.packages.reading import Collection, malformed, text

_LARGEST = 32 * 1024 * 1024
_LONGEST_LINE = 64 * 1024
_CHUNK = 64 * 1024
_PACKAGE = b'"package"'


def read_manifest(data: bytes, place: str) -> Inventory:
    """The packages whose slices were installed. Raises `Failure` for another schema and for a frame cut short."""
    if not is_zstd(data):
        raise malformed("is no chisel manifest: it is not packed with zstd", place)
    lines = _Lines(place)
    inflater = Inflater(place, _LARGEST)
    for start in range(0, len(data), _CHUNK):
        for piece in inflater.feed(data[start : start + _CHUNK]):
            lines.feed(piece)
    for piece in inflater.finish():
        lines.feed(piece)
    return lines.inventory()


class _Lines:
    """Takes the text as it comes and keeps no more of it than a line."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._collection = Collection(place)
        self._unfinished_line = b""
        self._has_header = False
        self._has_others = self._has_package = self._is_full = False

    def feed(self, piece: bytes) -> None:
        """A list of the lines of a large piece would be many times as large as the piece: it is cut up."""
        for start in range(0, len(piece), _CHUNK):
            *lines, self._unfinished_line = (self._unfinished_line + piece[start : start + _CHUNK]).split(b"\n")
            if len(self._unfinished_line) > _LONGEST_LINE:
                raise malformed(f"has a line of more than {_LONGEST_LINE} bytes", self._place)
            for line in filter(bytes.strip, lines):
                self._line(line)

    def inventory(self) -> Inventory:
        if self._unfinished_line.strip():
            self._line(self._unfinished_line)
        if not self._has_header:
            raise malformed("is no chisel manifest", self._place)
        if self._has_others and not self._has_package:
            raise malformed("lists no package, but what lies in some", self._place)
        if self._is_full and not self._has_others:
            raise malformed("lists nothing, and says that it has more lines than its first", self._place)
        return self._collection.inventory()

    def _line(self, line: bytes) -> None:
        if not self._has_header:
            self._check_header(self._object(line))
            return
        self._has_others = True
        if _PACKAGE in line or b"\\u" in line:
            entry = self._object(line)
            if entry.get("kind") == "package":
                self._has_package = True
                self._add(entry)

    def _check_header(self, header: dict[str, Any]) -> None:
        if header.get("jsonwall") != "1.0":
            raise malformed("is no chisel manifest", self._place)
        schema = header.get("schema")
        if schema != "1.0":
            raise malformed(f"is a chisel manifest of the unknown schema {str(schema)[:20]!r}", self._place)
        count = header.get("count")
        self._is_full = isinstance(count, int) and count > 1
        self._has_header = True

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            entry = read_strict_json(line)
        except (ValueError, RecursionError) as error:
            raise malformed("has a line that is not JSON", self._place) from error
        if not isinstance(entry, dict):
            raise malformed("has a line that is no JSON object", self._place)
        return entry

    def _add(self, entry: dict[str, Any]) -> None:
        name, version = text(entry.get("name")), text(entry.get("version"))
        if not name or not version:
            self._collection.refuse(f"a package has no {'name' if not name else 'version'}: {name or version}")
            return
        self._collection.add(Package(PackageType.DEB, name, version, text(entry.get("arch")) or None))
