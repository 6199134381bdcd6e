"""A dump of an ecosystem: a zip archive with a file of JSON for each record, read one after the other.

An entry at a time is in memory, besides the archive's own list of entries, which is bounded.
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES
from bot.domain.packages.vulnerability import Vulnerability
from bot.watch.feeds.reading import FeedProblem, Notes
from bot.watch.osv.record import WantedPackages, parse

MOST_BYTES = 2 * 1024**3
"""Of an archive as it is sent; the largest real one has some 400 MB."""
_MOST_UNPACKED = 32 * 1024**3
_LARGEST_LIST = 24 * 1024**2
"""Of the list of entries: some 250,000, three times what the largest real archive has."""
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LONGEST_COMMENT = 2**16
_FULL = 2**32 - 1
_READ_BEFORE = "what was read before stays in use"
DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError)
"""What the ways to pack an entry raise where it is damaged, or packed in a way that is not known here."""


@dataclass(frozen=True, slots=True)
class DumpReading:
    """What a dump says of the packages that are wanted. `entries` counts all that it holds.

    `unchanged` are records that stay as they are kept. `modified` is when others were changed last, by their ids,
    as far as the publisher says.
    """

    vulnerabilities: tuple[Vulnerability, ...]
    problems: tuple[FeedProblem, ...] = ()
    entries: int = 0
    unchanged: frozenset[str] = frozenset()
    modified: Mapping[str, str] = field(default_factory=dict)


def read_dump(file: IO[bytes], wanted: WantedPackages, where: str) -> DumpReading:
    """Reads all entries of a dump; those that cannot be read are noted, a line each.

    Raises `Failure` where it is no such archive, or where nothing in it can be read.
    """
    notes = Notes(where)
    found: dict[str, Vulnerability] = {}
    entries = unread = unpacked = 0
    try:
        check_list(file, where)
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".json"):
                    continue
                entries += 1
                unpacked += info.file_size
                if unpacked > _MOST_UNPACKED:
                    raise _malformed(f"unpacks to more than {_MOST_UNPACKED:,} bytes", where)
                try:
                    record = parse(_read(archive, info), wanted, notes, info.filename[:100])
                except Failure as failure:
                    unread += 1
                    notes.add(failure.where or info.filename[:100], f"{failure.what}; the record is skipped")
                    continue
                if record is not None:
                    found[record.id] = record
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _malformed(f"is no zip archive that can be read: {error}", where) from error
    if entries and unread == entries:
        raise _malformed(f"none of its {entries} records can be read, first {notes.problems[0]}", where)
    return DumpReading(tuple(found.values()), notes.problems, entries)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    name = info.filename[:100]
    try:
        with archive.open(info) as entry:
            data = entry.read(MAX_DOCUMENT_BYTES + 1)
    except DAMAGES as error:
        raise Failure(Trouble.MALFORMED, f"cannot be unpacked: {error}", where=name) from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Failure(Trouble.MALFORMED, f"has more than {MAX_DOCUMENT_BYTES:,} bytes", where=name)
    return data


def check_list(file: IO[bytes], where: str, advice: str = _READ_BEFORE) -> None:
    """Raises `Failure` where the list of entries, which is read as a whole, is too large.

    PKWARE's APPNOTE 4.3.14 to 4.3.16: the end of an archive says how large its list is, or where a 64-bit end is
    that does. `zipfile` takes the one right before, in other versions the one that is pointed to.
    """
    size = file.seek(0, 2)
    begin = max(size - _LONGEST_COMMENT - _END.size - _LOCATOR.size, 0)
    file.seek(begin)
    tail = file.read()
    file.seek(0)
    for length in _list_lengths(file, tail):
        if length > _LARGEST_LIST:
            what = f"lists its entries in {length:,} bytes, more than {_LARGEST_LIST:,}"
            raise _malformed(what, where, advice)


def _list_lengths(file: IO[bytes], tail: bytes) -> Iterator[int]:
    at = len(tail) - _END.size
    if at < 0 or tail[at : at + 4] != b"PK\x05\x06" or tail[-2:] != b"\x00\x00":
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return
    length = _END.unpack_from(tail, at)[5]
    if length != _FULL:
        yield length
    before = at - _LOCATOR.size
    if before >= 0 and tail[before : before + 4] == b"PK\x06\x07":
        last = file.seek(0, 2) - (len(tail) - before) - _END64.size
        for begin in (last, _LOCATOR.unpack_from(tail, before)[2]):
            if 0 <= begin <= last:
                file.seek(begin)
                end = _END64.unpack(file.read(_END64.size))
                if end[0] == b"PK\x06\x06":
                    yield end[8]
        file.seek(0)


def _malformed(what: str, where: str, advice: str = _READ_BEFORE) -> Failure:
    return Failure(Trouble.MALFORMED, what, where=where, advice=advice)
