"""The header that rpm keeps of each package: an index of tags, then the data that it points into.

The form is that of rpm's `hdrblob` without the lead-in of a file: the number of index entries and the length of the
data (32 bits each, big-endian), then 16 bytes for each entry (tag, type, offset, count).
"""

import struct
from collections.abc import Mapping

from bot.images.packages.reading import malformed

NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE, SOURCE = 1000, 1001, 1002, 1003, 1022, 1044
_WANTED = frozenset({NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE, SOURCE})
_MOST_ENTRIES = 65_535
_ENTRY = struct.Struct(">IIiI")
_SIZES = struct.Struct(">II")
_INT32, _STRING = 4, 6
_LONGEST = 256


def read_header(blob: bytes, place: str) -> Mapping[int, str | int]:
    """The wanted tags of the header. Raises `Failure` where it says what is not so."""
    if len(blob) < _SIZES.size:
        raise malformed("a header is cut short", place)
    count, length = _SIZES.unpack_from(blob)
    data = _SIZES.size + count * _ENTRY.size
    if count > _MOST_ENTRIES or data + length > len(blob):
        raise malformed("a header claims to be longer than it is", place)
    tags: dict[int, str | int] = {}
    for tag, kind, offset, number in _ENTRY.iter_unpack(memoryview(blob)[_SIZES.size : data]):
        if tag not in _WANTED or tag in tags:
            continue
        if not 0 <= offset < length or number < 1:
            raise malformed(f"tag {tag} of a header points out of it", place)
        tags[tag] = _value(blob, kind, data + offset, data + length, place)
    return tags


def _value(blob: bytes, kind: int, start: int, end: int, place: str) -> str | int:
    if kind == _INT32 and start + 4 <= end:
        return int.from_bytes(blob[start : start + 4], "big")
    stop = blob.find(b"\0", start, min(end, start + _LONGEST)) if kind == _STRING else -1
    if stop < 0:
        raise malformed("a value of a header has no end, or is of another type", place)
    return blob[start:stop].decode("utf-8", "replace")
