"""The list of entries of a zip archive, measured before it is read."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from bot.domain.failure import Failure, Trouble

DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError)
"""What the ways to pack an entry raise where it is damaged, or packed in a way that is not known here."""
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LONGEST_COMMENT = 2**16
_FULL = 2**32 - 1


def check_list(file: IO[bytes], place: str, most: int, *, advice: str) -> None:
    """Raises `Failure` where the list of entries, which is read as a whole, takes more than `most` bytes.

    PKWARE's APPNOTE 4.3.14 to 4.3.16: the end of an archive says how large its list is, or where a 64-bit end is
    that does. `zipfile` takes the one right before, in other versions the one that is pointed to.
    """
    size = file.seek(0, 2)
    begin = max(size - _LONGEST_COMMENT - _END.size - _LOCATOR.size, 0)
    file.seek(begin)
    tail = file.read()
    file.seek(0)
    for length in _list_lengths(file, tail):
        if length > most:
            message = f"lists its entries in {length:,} bytes, more than {most:,}"
            raise Failure(Trouble.MALFORMED, message, where=place, advice=advice)


def _list_lengths(file: IO[bytes], tail: bytes) -> Iterator[int]:
    end_position = len(tail) - _END.size
    if end_position < 0 or tail[end_position : end_position + 4] != b"PK\x05\x06" or tail[-2:] != b"\x00\x00":
        end_position = tail.rfind(b"PK\x05\x06")
    if end_position < 0 or len(tail) - end_position < _END.size:
        return
    length = _END.unpack_from(tail, end_position)[5]
    if length != _FULL:
        yield length
    before = end_position - _LOCATOR.size
    if before >= 0 and tail[before : before + 4] == b"PK\x06\x07":
        last = file.seek(0, 2) - (len(tail) - before) - _END64.size
        for begin in (last, _LOCATOR.unpack_from(tail, before)[2]):
            if 0 <= begin <= last:
                file.seek(begin)
                end = _END64.unpack(file.read(_END64.size))
                if end[0] == b"PK\x06\x06":
                    yield end[8]
        file.seek(0)
