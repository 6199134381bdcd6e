"""Which entries of a dump say what they said when it was read last, told by the archive's own list.

The list has name, length and CRC-32 of each entry, so that what is unchanged is neither unpacked nor parsed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zipfile import ZipInfo


@dataclass(frozen=True, slots=True)
class LastReading:
    """What an earlier reading for the same packages leaves to the next one.

    `settled` are the fingerprints of entries that say the same as long as they are the same. Of releases that are
    `untold` no record was; `newest_at` is when any record was changed last.
    """

    settled: frozenset[int] = frozenset()
    untold: frozenset[str] = frozenset()
    newest_at: datetime | None = None


def fingerprint(entry: ZipInfo) -> int:
    """Name, length and checksum of an entry in 63 bits."""
    text = f"{entry.filename}\0{entry.file_size}\0{entry.CRC}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) >> 1


@dataclass(slots=True)
class SettledEntries:
    """Collects what need not be read again while it stays as it is.

    Read each time are entries that had problems or a time that is still to come, the first of each release, and
    the one that was changed last: what is told of the whole dump hangs on these.
    """

    settled: set[int] = field(default_factory=set)
    _newest: tuple[datetime, int] | None = None

    def add(self, entry: int, newest_at: datetime | None, *, is_first_of_release: bool) -> None:
        """Takes in an entry that was read without a problem; `newest_at` is the newest time of all so far."""
        is_newest = newest_at is not None and (self._newest is None or newest_at > self._newest[0])
        if newest_at is not None and is_newest:
            if self._newest is not None:
                self.settled.add(self._newest[1])
            self._newest = (newest_at, entry)
        elif not is_first_of_release:
            self.settled.add(entry)


def leaves_nothing_out(
    unread: int, entries: int, untold: Iterable[str], newest_at: datetime | None, last: LastReading
) -> bool:
    """Whether a reading that left `unread` of so many entries as they were tells what a whole one would.

    It does not where most entries differ, so that it may be another dump, where the first of a release is gone, or
    where the newest is, or became older.
    """
    is_as_new = last.newest_at is None or (newest_at is not None and newest_at >= last.newest_at)
    return 2 * unread >= entries and last.untold.issuperset(untold) and is_as_new
