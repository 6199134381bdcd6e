"""Pictures of few colours take a third of the room: a screenshot's PNG becomes one with a palette."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = 256
_PALETTE = 3


def shrink(picture: Path) -> None:
    """Rewrites a screenshot of 24 bits a pixel in its most frequent colours; others become the nearest of them."""
    chunks = dict(_chunks(picture.read_bytes()))
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = list(_rows(zlib.decompress(chunks[b"IDAT"]), width, height))
    pixels = [[row[at : at + 3] for at in range(0, len(row), 3)] for row in rows]
    palette = [colour for colour, _ in Counter(each for row in pixels for each in row).most_common(_COLOURS)]
    place = {colour: number for number, colour in enumerate(palette)}
    for colour in {each for row in pixels for each in row} - place.keys():
        place[colour] = min(range(len(palette)), key=lambda number: _distance(palette[number], colour))
    body = b"".join(b"\0" + bytes(place[each] for each in row) for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)
    made = ((b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(body, 9)), (b"IEND", b""))
    picture.write_bytes(_SIGNATURE + b"".join(_chunk(*each) for each in made))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All chunks, those of the image itself as one."""
    at, image = len(_SIGNATURE), b""
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size
        if name == b"IDAT":
            image += body
        else:
            yield name, body
    yield b"IDAT", image


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _rows(data: bytes, width: int, height: int) -> Iterator[bytes]:
    """The rows as they were before PNG's filters."""
    size = width * 3
    above = bytearray(size)
    for number in range(height):
        start = number * (size + 1)
        row = _unfiltered(data[start], bytearray(data[start + 1 : start + 1 + size]), above)
        yield bytes(row)
        above = row


def _unfiltered(kind: int, row: bytearray, above: bytearray) -> bytearray:
    if kind == 0:
        return row
    for at in range(len(row)):
        left = row[at - 3] if at >= 3 else 0
        corner = above[at - 3] if at >= 3 else 0
        match kind:
            case 1:
                guess = left
            case 2:
                guess = above[at]
            case 3:
                guess = (left + above[at]) // 2
            case _:
                guess = _paeth(left, above[at], corner)
        row[at] = (row[at] + guess) & 0xFF
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    sum_ = left + above - corner
    distances = abs(sum_ - left), abs(sum_ - above), abs(sum_ - corner)
    return (left, above, corner)[distances.index(min(distances))]


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
