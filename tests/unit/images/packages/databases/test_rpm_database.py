import contextlib
import sqlite3
import struct
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.images.packages import reading
from bot.images.packages.databases.places import packages_in
from bot.images.packages.databases.rpm import read_database, read_header


def header(**values: str | int) -> bytes:
    tags = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "arch": 1022, "source": 1044}
    index, data = b"", b""
    for key, value in values.items():
        if isinstance(value, int):
            data += bytes(-len(data) % 4)
            index += struct.pack(">IIiI", tags[key], 4, len(data), 1)
            data += value.to_bytes(4, "big")
        else:
            index += struct.pack(">IIiI", tags[key], 6, len(data), 1)
            data += value.encode() + b"\0"
    return struct.pack(">II", len(values), len(data)) + index + data


VIM = header(name="vim", version="9.0", release="1.azl3", epoch=2, arch="x86_64", source="vim-9.0-1.azl3.src.rpm")
TABLE = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"


def database(path: Path, *statements: str, headers: Iterable[object] = (), page_size: int = 4096) -> bytes:
    made = sqlite3.connect(path)
    made.execute(f"PRAGMA page_size = {page_size}")
    made.execute("PRAGMA synchronous = OFF")
    for statement in statements or (TABLE,):
        made.execute(statement)
    if rows := [(each,) for each in headers]:
        made.executemany("INSERT INTO Packages (blob) VALUES (?)", rows)
    made.commit()
    made.close()
    return path.read_bytes()


def test_a_header_becomes_a_package(tmp_path: Path) -> None:
    (package,) = read_database(database(tmp_path / "db", headers=[VIM]), None, "rpmdb").packages
    assert (package.name, package.version, package.architecture) == ("vim", "2:9.0-1.azl3", "x86_64")
    assert (package.source, package.source_version) == ("vim", "9.0-1.azl3")


def test_what_stands_only_in_the_log_counts(tmp_path: Path) -> None:
    path = tmp_path / "db"
    database(path, headers=[VIM])
    writing = sqlite3.connect(path)
    writing.execute("PRAGMA journal_mode = WAL")
    writing.execute("PRAGMA wal_autocheckpoint = 0")
    glibc = header(name="glibc", version="2.38", release="8.azl3")
    writing.execute("INSERT INTO Packages (blob) VALUES (?)", (glibc,))
    writing.commit()
    data, log = path.read_bytes(), path.with_name("db-wal").read_bytes()
    writing.close()
    assert [each.name for each in read_database(data, log, "rpmdb").packages] == ["vim", "glibc"]
    assert [each.name for each in read_database(data, None, "rpmdb").packages] == ["vim"]


OLD, LATE, OSTREE = "var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"
MACROS = "usr/lib/rpm/macros"


@pytest.fixture
def several(tmp_path: Path) -> dict[str, bytes]:
    """A database in each place, which has the package named after it."""
    return {
        f"{folder}/rpmdb.sqlite": database(
            tmp_path / folder.replace("/", "-"), headers=[header(name=folder, version="1", release="1")]
        )
        for folder in (OLD, LATE, OSTREE)
    }


@pytest.mark.parametrize(
    ("macros", "opened"),
    [
        ({MACROS: "%_usr /usr\n%_dbpath\t\t%{_var}/lib/rpm\n"}, OLD),
        ({MACROS: "%_dbpath %{_usr}/lib/sysimage/rpm\r\n%_dbpath_rebuild %{_dbpath}\n"}, LATE),
        (
            {
                MACROS: "%_dbpath /var/lib/rpm\n",
                "usr/lib/rpm/macros.d/macros.rpm-ostree": "%_dbpath /usr/share/rpm",
            },
            OSTREE,
        ),
        ({"etc/rpm/macros.dist": "%_dbpath /usr/share/rpm\n", "etc/rpm/macros": "%_dbpath /var/lib/rpm/\n"}, OLD),
        ({MACROS: "%_dbpath /var/lib/rpm\n", "usr/lib/rpm/redhat/macros": " %_dbpath\t/usr/share/rpm "}, OSTREE),
        ({MACROS: "%_dbpath /var/lib/rpm\n", "usr/lib/rpm/macros.old": "%_dbpath /usr/share/rpm\n"}, OLD),
        ({"etc/rpm/macros.dist": "%_dbpath /usr/share/rpm\n", MACROS: "%_dbpath /var/lib/rpm\n"}, OSTREE),
    ],
)
def test_of_several_databases_the_one_counts_that_rpm_opens(
    macros: dict[str, str], opened: str, several: dict[str, bytes]
) -> None:
    found = packages_in(several | {path: text.encode() for path, text in macros.items()})
    assert ([each.name for each in found.packages], found.problems) == ([opened], ())


@pytest.mark.parametrize(
    "macros",
    [
        "",
        "%_dbpath /srv/rpm\n",
        "# %_dbpath /var/lib/rpm\n",
        "%_dbpath /var/lib/rpm # here\n",
        "%_dbpath /var/lib/rpm\n%_dbpath %(echo /usr/share/rpm)\n",
    ],
)
def test_where_nothing_says_which_database_rpm_opens_all_count_and_that_is_told(
    macros: str, several: dict[str, bytes]
) -> None:
    found = packages_in(several | {MACROS: macros.encode()})
    assert {each.name for each in found.packages} == {OLD, LATE, OSTREE}
    assert "each holds an rpm database" in " ".join(found.problems)


def test_a_hostile_line_of_macros_takes_no_time(several: dict[str, bytes]) -> None:
    began = time.process_time()
    packages_in(several | {MACROS: b"%_dbpath a" + b" " * 100_000 + b"b"})
    assert time.process_time() - began < 2


def test_copies_of_one_database_are_one(tmp_path: Path) -> None:
    data = database(tmp_path / "db", headers=[VIM])
    found = packages_in({f"{folder}/rpmdb.sqlite": data for folder in (OLD, LATE, OSTREE)})
    assert ([each.name for each in found.packages], found.problems) == (["vim"], ())


def test_a_database_where_rpm_would_not_look_is_read_where_it_is_the_only_one(tmp_path: Path) -> None:
    data = database(tmp_path / "db", headers=[VIM])
    found = packages_in({f"{LATE}/rpmdb.sqlite": data, MACROS: b"%_dbpath /var/lib/rpm\n"})
    assert ([each.name for each in found.packages], found.problems) == (["vim"], ())


def test_a_database_that_was_being_written_is_told_by_its_journal(tmp_path: Path) -> None:
    """SQLite would go back to what the journal holds; one whose start it has cleared is done with."""
    place = "var/lib/rpm/rpmdb.sqlite"
    data = database(tmp_path / "db", headers=[VIM])
    writing = sqlite3.connect(tmp_path / "db", isolation_level=None)
    writing.execute("PRAGMA journal_mode = PERSIST")
    writing.execute("PRAGMA cache_size = 1")
    writing.execute("BEGIN")
    writing.execute("DELETE FROM Packages")
    writing.executemany("INSERT INTO Packages (blob) VALUES (?)", [(bytes(5000),)] * 20)  # more than it keeps back
    journal = tmp_path / "db-journal"
    begun = journal.read_bytes()
    writing.execute("COMMIT")
    writing.close()
    [problem] = packages_in({place: data, f"{place}-journal": begun}).problems
    assert problem.startswith(f"{place}-journal: the rpm database was being written")
    assert packages_in({place: data, f"{place}-journal": journal.read_bytes()}).problems == ()
    assert packages_in({place: data, f"{place}-journal": b""}).problems == ()
    assert packages_in({f"{place}-journal": begun}).problems == ()


def test_a_damaged_log_is_ignored_as_sqlite_does(tmp_path: Path) -> None:
    data = database(tmp_path / "db", "PRAGMA journal_mode = WAL", TABLE, headers=[VIM])
    assert len(read_database(data, b"\x37\x7f\x06\x82" + b"\xff" * 5000, "rpmdb").packages) == 1


def test_the_keys_that_rpm_trusts_are_no_packages(tmp_path: Path) -> None:
    key = header(name="gpg-pubkey", version="3135ce90", release="5e6fda74")
    assert [
        each.name for each in read_database(database(tmp_path / "db", headers=[key, VIM]), None, "d").packages
    ] == ["vim"]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0" * 7,
        struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF),
        struct.pack(">II", 1, 0x7FFFFFFF) + b"\0" * 16,
        struct.pack(">II", 1, 4) + struct.pack(">IIiI", 1000, 6, -1, 1) + b"vim\0",
        struct.pack(">II", 1, 4) + struct.pack(">IIiI", 1000, 6, 99, 1) + b"vim\0",
        struct.pack(">II", 1, 4) + struct.pack(">IIiI", 1000, 6, 0, 0) + b"vim\0",
        struct.pack(">II", 1, 4) + struct.pack(">IIiI", 1000, 6, 0, 1) + b"vimx",
        struct.pack(">II", 1, 4) + struct.pack(">IIiI", 1000, 4, 2, 1) + b"vim\0",
        struct.pack(">II", 1, 4) + struct.pack(">IIiI", 1000, 8, 0, 1) + b"vim\0",
        "text",
        7,
        VIM[:-60],
        header(name="vim", version="1"),
    ],
)
def test_a_header_that_lies_is_named_and_the_others_are_read(tmp_path: Path, blob: object) -> None:
    found = read_database(database(tmp_path / "db", headers=[blob, VIM]), None, "rpmdb")
    assert [each.name for each in found.packages] == ["vim"]
    assert len(found.problems) == 1


@given(st.binary(max_size=200))
def test_any_header_is_read_or_refused(blob: bytes) -> None:
    with contextlib.suppress(Failure):
        read_header(blob, "here")


def test_a_view_in_place_of_the_table_is_never_run(tmp_path: Path) -> None:
    endless = (
        "CREATE VIEW Packages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT x AS hnum, x AS blob FROM n"
    )
    with pytest.raises(Failure, match="no table of packages"):
        read_database(database(tmp_path / "db", endless), None, "rpmdb")


def test_a_generated_column_ends_with_its_share_of_work(tmp_path: Path) -> None:
    table = (
        "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, filler BLOB,"
        " blob BLOB GENERATED ALWAYS AS (length(hex(zeroblob(20000000))) ) VIRTUAL)"
    )
    data = database(tmp_path / "db", table, "INSERT INTO Packages (filler) VALUES (1)")
    with pytest.raises(Failure, match="cannot be read as a database"):
        read_database(data, None, "rpmdb")


def test_triggers_are_not_run(tmp_path: Path) -> None:
    trigger = "CREATE TRIGGER boom AFTER INSERT ON Packages BEGIN SELECT RAISE(FAIL, 'ran'); END"
    path = tmp_path / "db"
    database(path, headers=[VIM])
    made = sqlite3.connect(path)
    made.execute(trigger)
    made.commit()
    made.close()
    assert len(read_database(path.read_bytes(), None, "rpmdb").packages) == 1


@pytest.mark.parametrize("size", [512, 65_536])
def test_pages_of_any_size_are_read(tmp_path: Path, size: int) -> None:
    data = database(tmp_path / "db", headers=[VIM], page_size=size)
    assert len(read_database(data, None, "rpmdb").packages) == 1


def test_a_database_cut_short_is_refused(tmp_path: Path) -> None:
    many = (header(name=f"p{number}", version="1", release="1") for number in range(2000))
    data = database(tmp_path / "db", headers=many)
    with pytest.raises(Failure, match="cannot be read as a database"):
        read_database(data[: len(data) // 2], None, "rpmdb")


def test_more_packages_than_any_system_has_are_refused_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_PACKAGES", 5_000)
    many = (header(name=f"p{number}", version="1", release="1") for number in range(6_000))
    data = database(tmp_path / "db", headers=many)
    begun = time.thread_time()
    with pytest.raises(Failure, match="more than 5000 packages"):
        read_database(data, None, "rpmdb")
    assert time.thread_time() - begun < 0.5


@given(position=st.integers(0, 8191), value=st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    data = bytearray(database(tmp_path_factory.mktemp("db") / "db", headers=[VIM]))
    data[position % len(data)] = value
    with contextlib.suppress(Failure):
        read_database(bytes(data), None, "here")


def test_a_schema_larger_than_that_of_rpm_is_refused_before_sqlite_reads_it(tmp_path: Path) -> None:
    tables = ["BEGIN", *(f"CREATE VIEW v{number} AS SELECT 1" for number in range(600))]
    with pytest.raises(Failure, match="a schema larger than rpm's"):
        read_database(database(tmp_path / "db", TABLE, *tables), None, "rpmdb")


def test_a_large_schema_in_the_log_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "db"
    database(path, headers=[VIM])
    writing = sqlite3.connect(path)
    writing.execute("PRAGMA journal_mode = WAL")
    writing.execute("PRAGMA wal_autocheckpoint = 0")
    writing.execute("BEGIN")
    for number in range(600):
        writing.execute(f"CREATE VIEW v{number} AS SELECT 1")
    writing.commit()
    data, log = path.read_bytes(), path.with_name("db-wal").read_bytes()
    writing.close()
    assert len(read_database(data, None, "rpmdb").packages) == 1
    with pytest.raises(Failure, match="a schema larger than rpm's"):
        read_database(data, log, "rpmdb")


def with_checksum(data: bytes, first: int = 0, second: int = 0) -> tuple[int, int]:
    """SQLite's checksum of a write-ahead log, over 32-bit words of little-endian order."""
    words = struct.unpack(f"<{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def test_a_log_that_claims_a_huge_database_is_refused_early(tmp_path: Path) -> None:
    data = database(tmp_path / "db", "PRAGMA journal_mode = WAL", TABLE, headers=[VIM])
    head = struct.pack(">6I", 0x377F0682, 3007000, 4096, 0, 1, 2)
    sums = with_checksum(head)
    log = head + struct.pack(">2I", *sums)
    frame = struct.pack(">2I", 1, 2**30)
    page = data[:28] + frame[4:] + data[32:4096]
    sums = with_checksum(frame + page, *sums)
    log += frame + struct.pack(">4I", 1, 2, *sums) + page
    begun = time.thread_time()
    with pytest.raises(Failure, match="grows to more than"):
        read_database(data, log, "rpmdb")
    assert time.thread_time() - begun < 0.5


def test_headers_that_share_their_pages_are_refused(tmp_path: Path) -> None:
    """Three rows of 4 MB, two of them turned to the pages of the first, and the file cut behind these."""
    size = 4 * 1024 * 1024
    data = bytearray(database(tmp_path / "db", headers=[VIM + bytes(size)] * 3))
    leaf = next(at for at in range(4096, len(data), 4096) if data[at] == 13 and data[at + 3 : at + 5] == b"\0\3")
    chains = []
    for cell in range(3):
        start = leaf + int.from_bytes(data[leaf + 8 + 2 * cell : leaf + 10 + 2 * cell], "big")
        payload = 0
        for used in range(1, 10):
            payload = payload << 7 | data[start + used - 1] & 0x7F
            if data[start + used - 1] < 0x80:
                break
        local = 489 + (payload - 489) % 4092
        local = local if local <= 4096 - 35 else 489
        chains.append(start + used + 1 + local)
    first = bytes(data[chains[0] : chains[0] + 4])
    data[chains[1] : chains[1] + 4] = data[chains[2] : chains[2] + 4] = first
    pages = int.from_bytes(first, "big") + size // 4092 + 2
    data[28:32] = pages.to_bytes(4, "big")
    with pytest.raises(Failure, match="more in it than its size allows"):
        read_database(bytes(data[: pages * 4096]), None, "rpmdb")


@pytest.mark.parametrize("size", [b"\0\0", b"\0\7", b"\1\1", b"\xff\xff"])
def test_pages_of_an_impossible_size_are_refused(tmp_path: Path, size: bytes) -> None:
    data = database(tmp_path / "db", headers=[VIM])
    with pytest.raises(Failure, match="impossible size"):
        read_database(data[:16] + size + data[18:], None, "rpmdb")
