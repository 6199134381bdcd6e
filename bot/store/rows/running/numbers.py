"""How ascending numbers, and digests, are kept in few bytes, and others in an order of bytes."""

import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

_SHA256 = "sha256:"


def packed_numbers(numbers: Iterable[int]) -> bytes:
    """Packs ascending numbers: by how much each is larger than the one before it, seven bits to a byte."""
    body, before = bytearray(), 0
    for number in numbers:
        rest = number - before
        if rest < 0:
            raise ValueError(f"{number} comes after {before}")
        while rest > 0x7F:
            body.append(rest & 0x7F | 0x80)
            rest >>= 7
        body.append(rest)
        before = number
    return zlib.compress(bytes(body), 9)


def numbers_in(packed: bytes) -> Iterator[int]:
    """The numbers that were packed."""
    number = rest = shift = 0
    for byte in zlib.decompress(packed):
        rest |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            number += rest
            yield number
            rest = shift = 0


def in_order(numbers: "array[int]", order: Literal["little", "big"]) -> "array[int]":
    """Turns numbers of this machine, in place, into ones whose bytes are in that order, or such ones back."""
    if sys.byteorder != order:
        numbers.byteswap()
    return numbers


def packed_digests(digests: Sequence[str]) -> bytes:
    """Packs digests: of SHA-256 their 32 bytes, of all others the text."""
    packed = bytearray()
    for digest in digests:
        value = digest.removeprefix(_SHA256)
        is_short = digest.startswith(_SHA256) and len(value) == 64 and not set(value) - set("0123456789abcdef")
        body = bytes.fromhex(value) if is_short else digest.encode()
        packed += bytes((0 if is_short else len(body),)) + body
    return bytes(packed)


def digests_in(packed: bytes) -> tuple[str, ...]:
    """The digests that were packed."""
    digests, at = list[str](), 0
    while at < len(packed):
        length = packed[at] or 32
        body = packed[at + 1 : at + 1 + length]
        digests.append(body.decode() if packed[at] else f"{_SHA256}{body.hex()}")
        at += 1 + length
    return tuple(digests)
