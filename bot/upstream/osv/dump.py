"""A dump of an ecosystem: a zip archive with a file of JSON for each record, read one after the other.

An entry at a time is in memory, besides the archive's own list of entries, which is bounded.
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES
from bot.domain.packages.cves.vulnerability import Ecosystem, Vulnerability
from bot.files.formats.zip_list import DAMAGES, check_list
from bot.upstream.feeds.reading import FeedProblem, one_line
from bot.upstream.osv.members import LastReading, SettledEntries, fingerprint, leaves_nothing_out
from bot.upstream.osv.record import UNNAMED, RecordNotes, WantedPackages, parse

MOST_BYTES = 2 * 1024**3
"""Of an archive as it is sent; the largest real one has some 400 MB."""
_MOST_UNPACKED = 32 * 1024**3
LARGEST_LIST = 24 * 1024**2
"""Of the list of entries: some 250,000, three times what the largest real archive has."""
_ECOSYSTEM = re.compile(rb'"ecosystem"\s*:\s*"([^":\\]{1,64})')
_LONGEST_NAME = 60
_READ_BEFORE = "what was read before stays in use"


@dataclass(frozen=True, slots=True)
class DumpReading:
    """What a dump says of the packages that are wanted. `entries` counts all that it holds.

    `unchanged` are records that stay as they are kept. `modified` is when others were changed last, by their ids,
    as far as the publisher says. Of wanted releases that are `untold` no record is. Of the packages that `unread`
    names there are records that cannot be read, as `WantedPackages` has them. `newest_at` is when any record was
    changed last, wanted or not; None where nobody says so. `settled` are entries of the dump that the next reading
    may leave out while they stay as they are.
    """

    vulnerabilities: tuple[Vulnerability, ...]
    problems: tuple[FeedProblem, ...] = ()
    entries: int = 0
    unchanged: frozenset[str] = frozenset()
    modified: Mapping[str, str] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    unread: frozenset[tuple[str, str]] = frozenset()
    newest_at: datetime | None = None
    settled: frozenset[int] = frozenset()


def read_dump(
    file: IO[bytes],
    packages: WantedPackages,
    ecosystem: Ecosystem,
    place: str,
    now: datetime,
    last: LastReading | None = None,
) -> DumpReading:
    """Reads the entries of a dump that are not as the last reading for these packages found them, else all.

    Those that cannot be read are noted, a line each. What is told to have changed after `now` tells nothing of when
    it did. Raises `Failure` where it is no such archive, where nothing in it can be read, where it has no record
    of the ecosystem, and where it is another's dump: all packages would be free of everything.
    """
    if last is not None and last.settled:
        reading = _read_entries(file, packages, ecosystem, place, now, last.settled)
        if leaves_nothing_out(len(reading.unchanged), reading.entries, reading.untold, reading.newest_at, last):
            return reading
        file.seek(0)
    return _read_entries(file, packages, ecosystem, place, now, frozenset())


def _read_entries(
    file: IO[bytes],
    packages: WantedPackages,
    ecosystem: Ecosystem,
    place: str,
    now: datetime,
    left_out: frozenset[int],
) -> DumpReading:
    """Reads all entries but those that are left out, by their fingerprints: they stay as they are kept."""
    publishers = _Publishers(ecosystem)
    untold = {each: _spell_release(each) for each in packages.releases if each.startswith(f"{ecosystem}:")}
    notes = RecordNotes(place, latest=now)
    records: dict[str, Vulnerability] = {}
    settled = SettledEntries()
    unchanged: set[str] = set()
    entries = unread = unpacked = 0
    try:
        check_list(file, place, LARGEST_LIST, advice=_READ_BEFORE)
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".json"):
                    continue
                entries += 1
                unpacked += info.file_size
                if unpacked > _MOST_UNPACKED:
                    raise _dump_failure(f"unpacks to more than {_MOST_UNPACKED:,} bytes", place)
                entry, name = fingerprint(info), _name_of_record(info)
                if entry in left_out:
                    settled.settled.add(entry)
                    unchanged.add(name)
                    continue
                doubts = notes.count, notes.ahead
                try:
                    data = _read(archive, info, notes)
                    publishers.note(data)
                    first_of_releases = [
                        release for release, spellings in untold.items() if any(one in data for one in spellings)
                    ]
                    for release in first_of_releases:
                        del untold[release]
                    record = parse(data, packages, notes, info.filename[:100])
                except Failure as failure:
                    if failure.trouble is not Trouble.MALFORMED:
                        raise
                    unread += 1
                    notes.add(failure.where or info.filename[:100], f"{failure.what}; the record is skipped")
                    continue
                if record is not None:
                    records[record.id] = record
                if doubts == (notes.count, notes.ahead) and (record is None or record.id == name):
                    settled.add(entry, notes.newest_at, is_first_of_release=bool(first_of_releases))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _dump_failure(f"is no zip archive that can be read: {error}", place) from error
    if entries and unread == entries:
        raise _dump_failure(f"none of its {entries} records can be read, first {notes.problems[0]}", place)
    if not entries:
        raise _dump_failure("holds no record", place)
    if not unchanged:
        publishers.check(entries, place)
    return DumpReading(
        tuple(records.values()),
        notes.problems,
        entries,
        frozenset(unchanged),
        untold=frozenset(untold),
        unread=frozenset(notes.unread),
        newest_at=notes.newest_at,
        settled=frozenset(settled.settled),
    )


def _name_of_record(info: zipfile.ZipInfo) -> str:
    """Which record an entry is by its name, as OSV calls them: `USN-1-1.json`."""
    return info.filename.removesuffix(".json")


class _Publishers:
    """Whose packages the records of a dump are about: one may name packages of several, and all name its own."""

    def __init__(self, ecosystem: Ecosystem) -> None:
        self._ecosystem = ecosystem
        self._quoted_name = f'"{ecosystem}'.encode()
        self._of_it = self._read = 0
        self._others: set[str] | None = None
        """Those besides that all records have named so far; a right dump has none after the first few."""

    def note(self, record: bytes) -> None:
        if self._others == set() and self._of_it:
            return
        self._of_it += self._quoted_name in record
        ecosystems = {each.decode(errors="replace") for each in _ECOSYSTEM.findall(record)}
        if ecosystems:
            self._read += 1
            others = ecosystems - {self._ecosystem.value}
            self._others = others if self._others is None else self._others & others

    def check(self, entries: int, place: str) -> None:
        """Raises `Failure` where no record is of the ecosystem, or all are of another and only some of it."""
        if not self._of_it:
            raise _dump_failure(f"none of its {entries} records is of {self._ecosystem}", place)
        if self._others and self._of_it < self._read:
            other = one_line(min(self._others))[:_LONGEST_NAME]
            raise _dump_failure(
                f"is a dump of {other}, and not of {self._ecosystem}: all its records are of that", place
            )


def _spell_release(release: str) -> tuple[bytes, bytes]:
    """How records name a release, such as `Ubuntu:24.04:LTS` for `Ubuntu:24.04`."""
    return f'"{release}"'.encode(), f'"{release}:'.encode()


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, notes: RecordNotes) -> bytes:
    name = info.filename[:100]
    try:
        with archive.open(info) as entry:
            data = entry.read(MAX_DOCUMENT_BYTES + 1)
    except DAMAGES as error:
        notes.unread.add(UNNAMED)
        raise Failure(Trouble.MALFORMED, f"cannot be unpacked: {error}", where=name) from error
    if len(data) > MAX_DOCUMENT_BYTES:
        notes.unread.add(UNNAMED)
        raise Failure(Trouble.MALFORMED, f"has more than {MAX_DOCUMENT_BYTES:,} bytes", where=name)
    return data


def _dump_failure(message: str, place: str) -> Failure:
    return Failure(Trouble.MALFORMED, message, where=place, advice=_READ_BEFORE)
