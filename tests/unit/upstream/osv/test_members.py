"""What is unchanged in a dump is not read again, and what is told of it is what a whole reading tells."""

import io
import json
import random
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.upstream.osv import dump as dump_module
from bot.upstream.osv.dump import DumpReading, read_dump
from bot.upstream.osv.members import LastReading
from bot.upstream.osv.record import WantedPackages
from tests.unit.upstream.osv.records import affected, record

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NAMES = ("openssl", "curl", "zlib")
RELEASES = ("Ubuntu:22.04:LTS", "Ubuntu:24.04:LTS", "Ubuntu:25.10")
WANTED = WantedPackages(frozenset({"Ubuntu:24.04", "Ubuntu:25.10"}), frozenset({"openssl", "curl"}))
Records = dict[str, bytes]


def packed(records: Records) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in records.items():
            archive.writestr(f"{name}.json", data)
    file.seek(0)
    return file


def told(name: str, *packages: dict[str, Any], **values: Any) -> bytes:
    return json.dumps(record(name, *packages, **values)).encode()


def read(records: Records, last: LastReading | None = None, now: datetime = NOW) -> DumpReading:
    return read_dump(packed(records), WANTED, Ecosystem.UBUNTU, "all.zip", now, last)


def left_by(reading: DumpReading) -> LastReading:
    return LastReading(reading.settled, reading.untold, reading.newest_at)


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of entries that were unpacked, in their order."""
    names: list[str] = []
    original = dump_module._read

    def noted(archive: zipfile.ZipFile, info: zipfile.ZipInfo, *others: Any) -> bytes:
        names.append(info.filename)
        return original(archive, info, *others)

    monkeypatch.setattr(dump_module, "_read", noted)
    return names


def several(count: int = 20) -> Records:
    return {f"UBUNTU-CVE-2026-{1000 + each}": told(f"UBUNTU-CVE-2026-{1000 + each}") for each in range(count)}


def test_only_what_changed_is_unpacked_besides_the_first_and_the_newest(unpacked: list[str]) -> None:
    records = several()
    first = read(records)
    unpacked.clear()
    records["UBUNTU-CVE-2026-1007"] = told("UBUNTU-CVE-2026-1007", affected(fixed="3.0.13-0ubuntu3.9"))
    second = read(records, left_by(first))
    assert unpacked == ["UBUNTU-CVE-2026-1000.json", "UBUNTU-CVE-2026-1007.json"]
    assert len(second.unchanged) == 18
    assert [each.id for each in second.vulnerabilities] == ["UBUNTU-CVE-2026-1000", "UBUNTU-CVE-2026-1007"]


def test_a_record_that_cannot_be_read_is_told_each_time() -> None:
    records = several() | {"USN-1-1": b"no JSON"}
    first = read(records)
    second = read(records, left_by(first))
    assert (second.problems, second.unread) == (first.problems, first.unread)
    assert second.problems


def test_an_entry_that_is_called_otherwise_than_its_record_is_read_each_time() -> None:
    records = several() | {"0": told("USN-1-1")}
    second = read(records, left_by(read(records)))
    assert "USN-1-1" in {each.id for each in second.vulnerabilities}


def test_where_most_entries_differ_all_are_read_and_whose_they_are_is_asked_again() -> None:
    first = read(several())
    debians = {name: data.replace(b"Ubuntu:24.04:LTS", b"Debian:13") for name, data in several().items()}
    with pytest.raises(Exception, match="none of its 20 records is of Ubuntu"):
        read(debians, left_by(first))


def test_a_time_that_was_still_to_come_counts_once_it_is_there() -> None:
    ahead = NOW + timedelta(days=1)
    records = several() | {"USN-1-1": told("USN-1-1", modified=ahead.isoformat())}
    first = read(records)
    second = read(records, left_by(first), now=ahead)
    assert (first.newest_at, second.newest_at) == (datetime(2026, 3, 5, tzinfo=UTC), ahead)


@pytest.mark.parametrize("seed", range(40))
def test_days_of_changes_leave_what_a_whole_reading_tells(seed: int) -> None:
    """Records come, change, break, and go; what is kept is what the last dump says when it is read whole."""
    chance = random.Random(seed)
    records = {f"USN-{each}-1": _any_record(chance, f"USN-{each}-1") for each in range(chance.randint(3, 25))}
    now, last = NOW, None
    kept: dict[str, Any] = {}
    for _ in range(12):
        if not any(b'"Ubuntu:' in each for each in records.values()):
            records["USN-999-1"] = told("USN-999-1")
        reading = read(records, last, now)
        whole = read(records, None, now)
        kept = {name: each for name, each in kept.items() if name in reading.unchanged}
        kept |= {each.id: each for each in reading.vulnerabilities}
        assert kept == {each.id: each for each in whole.vulnerabilities}
        assert (reading.untold, reading.unread, reading.newest_at) == (whole.untold, whole.unread, whole.newest_at)
        assert (reading.entries, reading.problems) == (whole.entries, whole.problems)
        last = left_by(reading)
        now += timedelta(hours=chance.choice((6, 24, 72)))
        for _ in range(chance.randint(0, 4)):
            name = f"USN-{chance.randint(0, 30)}-1"
            if chance.random() < 0.3 and len(records) > 2:
                records.pop(name, None)
            else:
                records[name] = _any_record(chance, name)


def _any_record(chance: random.Random, name: str) -> bytes:
    if chance.random() < 0.1:
        return chance.choice((b"no JSON", b"[1]", told(name, affected(ranges="none")), told("USN-7777-1")))
    modified = NOW + timedelta(days=chance.randint(-20, 10))
    values = {"withdrawn": modified.isoformat()} if chance.random() < 0.1 else {}
    package = affected(chance.choice(NAMES), f"1.{chance.randint(1, 9)}", ecosystem=chance.choice(RELEASES))
    return told(name, package, modified=modified.isoformat(), **values)
