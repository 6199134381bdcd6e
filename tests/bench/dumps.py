"""Dumps of vulnerabilities of a given number of records and size, made quickly.

Each record has a head of its own, about a package of its own, and one of a few tails, which are packed once: the
blocks of a deflated stream may stand behind each other where the first ends at a byte (RFC 1951).
"""

import json
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_DEFLATED, _DAY_ONE = 8, 33
_TAILS = 20
PACKAGES = 3_000
"""Records are about packages of so many names, one after the other."""


@dataclass(frozen=True, slots=True)
class DumpSize:
    """What a dump is like: its records are of `release`, called `prefix` and a number, and `packed` bytes each."""

    ecosystem: str
    release: str
    prefix: str
    records: int
    packed: int


@dataclass(frozen=True, slots=True)
class _Tail:
    text: bytes
    packed: bytes


def write_dump(path: Path, size: DumpSize, changed: frozenset[int] = frozenset()) -> None:
    """Writes an archive whose records of these numbers say something else than otherwise."""
    tails = [_tail(size, random.Random(number)) for number in range(_TAILS)]
    listed: list[bytes] = []
    with path.open("wb") as file:
        for number in range(size.records):
            name = f"{size.prefix}{number}.json".encode()
            tail, head = tails[number % _TAILS], _head(size, number, is_changed=number in changed)
            packer = zlib.compressobj(1, zlib.DEFLATED, -9, 1)
            packed = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH) + tail.packed
            sizes = zlib.crc32(tail.text, zlib.crc32(head)), len(packed), len(head) + len(tail.text)
            ways = 20, 0, _DEFLATED, 0, _DAY_ONE
            listed.append(_CENTRAL.pack(b"PK\1\2", 20, *ways, *sizes, len(name), 0, 0, 0, 0, 0, file.tell()) + name)
            file.write(_LOCAL.pack(b"PK\3\4", *ways, *sizes, len(name), 0) + name + packed)
        begin = file.tell()
        file.writelines(listed)
        end = file.tell()
        file.write(_END.pack(b"PK\5\6", 0, 0, size.records, size.records, end - begin, begin, 0))


def _head(size: DumpSize, number: int, *, is_changed: bool) -> bytes:
    own = {
        "package": {"ecosystem": size.release, "name": f"package{number % PACKAGES}"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": f"2.{int(is_changed)}-1"}]}],
        "versions": [f"1.{each}-1" for each in range(20)],
    }
    record: dict[str, Any] = {
        "id": f"{size.prefix}{number}",
        "published": "2026-03-04T05:06:07Z",
        "modified": f"2026-03-{10 + is_changed}T00:00:{number % 60:02}Z",
        "upstream": [f"CVE-2026-{10_000 + number}"],
        "affected": [own],
    }
    return json.dumps(record)[:-2].encode()


def _tail(size: DumpSize, chance: random.Random) -> _Tail:
    """What else is affected: packages of another release, as many as fill what a record has."""
    text, packed = b"", b""
    others: list[str] = []
    for other in _others(size.ecosystem, chance):
        others.append(json.dumps(other))
        text = "".join(f", {each}" for each in others).encode() + b"]}"
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(text) + packer.flush()
        if len(packed) + 300 >= size.packed:
            break
    return _Tail(text, packed)


def _others(ecosystem: str, chance: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        yield {
            "package": {"ecosystem": f"{ecosystem}:0.1", "name": f"other{chance.randrange(1_000)}"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            "versions": [f"5.{chance.randrange(20)}.0-{chance.randrange(2_000)}.{each}" for each in range(40)],
        }
