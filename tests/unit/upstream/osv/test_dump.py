"""A dump is read record by record, and what cannot be read stops no other."""

import io
import struct
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failure import Failure
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.upstream.osv.dump import read_dump
from bot.upstream.osv.record import UNNAMED, WantedPackages
from tests.builders import NOON
from tests.unit.upstream.osv.records import affected, dump, record

WANTED = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))


def refused(file: io.BytesIO) -> str:
    with pytest.raises(Failure) as caught:
        read_dump(file, WANTED, Ecosystem.UBUNTU, "all.zip", NOON)
    return str(caught.value)


def test_what_touches_wanted_packages_is_read_and_all_is_counted() -> None:
    found = read_dump(
        dump(record(), record("USN-1-1", affected("curl"))), WANTED, Ecosystem.UBUNTU, "all.zip", NOON
    )
    assert ([each.id for each in found.vulnerabilities], found.entries, found.problems) == (
        ["UBUNTU-CVE-2026-1001"],
        2,
        (),
    )


def test_records_that_cannot_be_read_are_a_line_each() -> None:
    found = read_dump(dump(b"no JSON", record(), b"[1]"), WANTED, Ecosystem.UBUNTU, "all.zip", NOON)
    assert [each.id for each in found.vulnerabilities] == ["UBUNTU-CVE-2026-1001"]
    assert [str(problem).partition(": is no")[0].partition(": should")[0] for problem in found.problems] == [
        "all.zip: 0.json",
        "all.zip: 2.json",
    ]


def test_what_records_are_about_that_cannot_be_read_is_told() -> None:
    odd = record("USN-1-1", affected(ranges="none"))
    found = read_dump(dump(record(), odd), WANTED, Ecosystem.UBUNTU, "all.zip", NOON)
    assert found.unread == {("Ubuntu:24.04", "openssl")}
    assert read_dump(dump(record(), b"no JSON"), WANTED, Ecosystem.UBUNTU, "all.zip", NOON).unread == {UNNAMED}


def test_a_dump_of_which_nothing_can_be_read_is_refused_as_a_whole() -> None:
    assert "none of its 2 records can be read" in refused(dump(b"no JSON", b"[]"))


def test_a_dump_without_a_record_of_its_ecosystem_is_refused_as_a_whole() -> None:
    """All packages would be free of everything."""
    debians = record("DEBIAN-CVE-2026-1001", affected(ecosystem="Debian:13"))
    assert "none of its 1 records is of Ubuntu" in refused(dump(debians))
    assert "holds no record" in refused(dump())
    assert read_dump(dump(debians, record()), WANTED, Ecosystem.UBUNTU, "all.zip", NOON).entries == 2


def test_a_dump_of_another_ecosystem_that_names_this_one_here_and_there_is_refused() -> None:
    """npm's has records that name NuGet too, of what both publish."""
    npm, nuget = affected("jquery", ecosystem="npm"), affected("jQuery", ecosystem="NuGet")
    wanted = WantedPackages(frozenset({""}), frozenset({"jquery"}))

    def read(*records: object) -> int:
        return read_dump(dump(*records), wanted, Ecosystem.NUGET, "all.zip", NOON).entries

    both, other = record("GHSA-1-1-1", npm, nuget), record("GHSA-2-2-2", npm)
    for wrong in ((both, other), (other, both, other)):
        with pytest.raises(
            Failure, match=r"all\.zip: is a dump of npm, and not of NuGet: all its records are of that"
        ):
            read(*wrong)
    assert read(both) == 1
    assert read(both, record("GHSA-3-3-3", nuget)) == 2
    in_text = record(details='it says "NuGet" there')
    with pytest.raises(Failure, match="is a dump of Ubuntu, and not of NuGet"):
        read(in_text, record("USN-1-1"))
    assert read(other, record("GHSA-3-3-3", nuget)) == 2, "a dump that somebody has made of several"


def test_releases_that_no_record_is_of_are_told() -> None:
    """A publisher may not know a release yet, or have left it: that nothing is found says nothing there."""
    wanted = WantedPackages(frozenset({f"Ubuntu:{each}" for each in ("24.04", "25.10", "2")} | {"Debian:13"}))
    found = read_dump(dump(record()), wanted, Ecosystem.UBUNTU, "all.zip", NOON)
    assert found.untold == {"Ubuntu:25.10", "Ubuntu:2"}


@pytest.mark.parametrize("damage", [b"", b"PK\x05\x06", b"no zip at all", dump(record()).getvalue()[:-30]])
def test_what_is_no_archive_is_refused_in_a_line(damage: bytes) -> None:
    assert refused(io.BytesIO(damage)).startswith("all.zip: is no zip archive that can be read")


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_entry_that_is_damaged_stops_no_other(packing: int) -> None:
    packed = dump(record(), record("UBUNTU-CVE-2026-1002"), packing=packing)
    data = bytearray(packed.getvalue())
    with zipfile.ZipFile(packed) as archive:
        begin = archive.infolist()[1].header_offset + 60
    data[begin : begin + 20] = b"\xff" * 20
    found = read_dump(io.BytesIO(bytes(data)), WANTED, Ecosystem.UBUNTU, "all.zip", NOON)
    assert [each.id for each in found.vulnerabilities] == ["UBUNTU-CVE-2026-1001"]
    assert len(found.problems) == 1


def test_an_entry_that_unpacks_to_too_much_is_passed_over() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", b" " * (21 * 1024 * 1024))
        archive.writestr("other.txt", b"no record")
    assert "has more than" in refused(bomb)


def test_a_list_of_entries_that_is_too_long_is_not_read() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 64 * 1024**2, 0, 0)
    assert "lists its entries in 67,108,864 bytes" in refused(io.BytesIO(end))
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, 10**9, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert "lists its entries in 1,000,000,000 bytes" in refused(io.BytesIO(end64 + locator + end))
    elsewhere = struct.pack("<4sLQL", b"PK\x06\x07", 0, 10**6, 1)
    assert "lists its entries in 1,000,000,000 bytes" in refused(io.BytesIO(end64 + elsewhere + end))
    nowhere = struct.pack("<4sLQL", b"PK\x06\x07", 0, 2**64 - 1, 1)
    assert "is no zip archive" in refused(io.BytesIO(nowhere + end))


def test_the_end_of_the_archive_is_found_where_it_is_read() -> None:
    """What looks like the beginning of another end within it leads nowhere else."""
    end = struct.pack("<4s4s2H2LH", b"PK\x05\x06", b"PK\x05\x06", 9, 9, 64 * 1024**2, 0, 0)
    assert "lists its entries in 67,108,864 bytes" in refused(io.BytesIO(end))


def test_one_record_at_a_time_is_in_memory() -> None:
    large = record(details="so many words " * 10_000)
    packed = dump(*({**large, "id": f"UBUNTU-CVE-2026-{number}"} for number in range(2000, 2060)))
    tracemalloc.start()
    try:
        found = read_dump(packed, WANTED, Ecosystem.UBUNTU, "all.zip", NOON)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.vulnerabilities) == 60
    assert most < 2_000_000, "8 MB are unpacked"


@pytest.mark.parametrize(
    ("modified", "newest"),
    [
        (["2026-03-05T00:00:00Z", "2026-03-01T00:00:00Z"], datetime(2026, 3, 5, tzinfo=UTC)),
        (["2026-03-05T00:00:00.5Z", "2026-03-05T00:00:00Z"], datetime(2026, 3, 5, 0, 0, 0, 500_000, tzinfo=UTC)),
        (["2026-03-05T00:00:00Z", "2099-01-01T00:00:00Z"], datetime(2026, 3, 5, tzinfo=UTC)),
        (["2026-03-05T00:00:00", "soon", 5, None], None),
    ],
)
def test_a_dump_is_as_old_as_the_last_change_of_any_of_its_records(
    modified: list[object], newest: datetime | None
) -> None:
    """Also of one that no image here is concerned by; none is believed to have changed in times to come."""
    records = [record(f"USN-{number}-1", affected("curl"), modified=at) for number, at in enumerate(modified)]
    found = read_dump(dump(*records), WANTED, Ecosystem.UBUNTU, "all.zip", NOON)
    assert found.newest_at == newest
    assert read_dump(dump(*records), WANTED, Ecosystem.UBUNTU, "x", NOON - timedelta(days=99)).newest_at is None
