"""The database of rpm, `rpmdb.sqlite` with its log: looked at before SQLite reads it, and the header of each
package.

SQLite reads a whole schema before anything else, however large somebody made it.

The form is that of rpm's `hdrblob` without the lead-in of a file: the number of index entries and the length of the
data (32 bits each, big-endian), then 16 bytes for each entry (tag, type, offset, count).

Its columns, parted by tabs: NAME, VERSION-RELEASE, INSTALLTIME, BUILDTIME, VENDOR, EPOCH, SIZE, ARCH, EPOCHNUM,
SOURCERPM.

SQLite needs files to fold the log in, so both are copied into a folder of their own that is gone afterwards. The
database is untrusted: it is opened read-only, nothing of its schema is run (no triggers, views or functions), work
and lengths are bounded, and the headers are read by `rpm_header`.
"""

import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from bot.domain.failure import Failure
from bot.domain.packages.package import Inventory, Package, PackageType
from bot.images.packages.reading import MOST_PACKAGES, Collection, lines, malformed

_HEADER = 100
_LEAF, _INTERIOR = 13, 5
_MOST_PAGES = 50
_MOST_SCHEMA_ENTRIES = 500
"""rpm's own schema has some fifty entries, tables and indexes together."""


def page_size(data: bytes, place: str) -> int:
    """Reads the size of the database's pages. Raises `Failure` for a size that is none."""
    size = int.from_bytes(data[16:18], "big")
    size = 65_536 if size == 1 else size
    if size < 512 or size & (size - 1):
        raise malformed("is a SQLite database with pages of an impossible size", place)
    return size


def check_schema(data: bytes, place: str) -> None:
    """Raises `Failure` where the schema, the tree of page 1, is damaged or larger than a package database's."""
    size = page_size(data, place)
    waiting, pages, entries = [1], 0, 0
    while waiting:
        number = waiting.pop()
        pages += 1
        start = (number - 1) * size
        page = data[start : start + size]
        head = _HEADER if number == 1 else 0
        if number < 1 or len(page) < size:
            raise malformed("is a SQLite database that is cut short, or has a damaged schema", place)
        kind, cells = page[head], int.from_bytes(page[head + 3 : head + 5], "big")
        if kind == _LEAF:
            entries += cells
        elif kind == _INTERIOR:
            waiting += _children(page, head, cells)
        else:
            raise malformed("is a SQLite database with a damaged schema", place)
        if entries > _MOST_SCHEMA_ENTRIES or pages + len(waiting) > _MOST_PAGES:
            raise malformed("is a SQLite database with a schema larger than rpm's", place)


def _children(page: bytes, head: int, cells: int) -> list[int]:
    """The page numbers below an interior page: one in each cell, and the last in its header."""
    if cells > _MOST_PAGES:
        cells = _MOST_PAGES
    pointers = (
        int.from_bytes(page[offset : offset + 2], "big") for offset in range(head + 12, head + 12 + 2 * cells, 2)
    )
    left = [int.from_bytes(page[pointer : pointer + 4], "big") for pointer in pointers]
    return [*left, int.from_bytes(page[head + 8 : head + 12], "big")]


NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE, SOURCE = 1000, 1001, 1002, 1003, 1022, 1044
_WANTED = frozenset({NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE, SOURCE})
_MOST_ENTRIES = 65_535
_ENTRY = struct.Struct(">IIiI")
_SIZES = struct.Struct(">II")
_INT32, _STRING = 4, 6
_LONGEST = 256


def read_header(blob: bytes, place: str) -> Mapping[int, str | int]:
    """The wanted tags of the header. Raises `Failure` where it says what is not so."""
    if len(blob) < _SIZES.size:
        raise malformed("a header is cut short", place)
    count, length = _SIZES.unpack_from(blob)
    data = _SIZES.size + count * _ENTRY.size
    if count > _MOST_ENTRIES or data + length > len(blob):
        raise malformed("a header claims to be longer than it is", place)
    tags: dict[int, str | int] = {}
    for tag, kind, offset, number in _ENTRY.iter_unpack(memoryview(blob)[_SIZES.size : data]):
        if tag not in _WANTED or tag in tags:
            continue
        if not 0 <= offset < length or number < 1:
            raise malformed(f"tag {tag} of a header points out of it", place)
        tags[tag] = _value(blob, kind, data + offset, data + length, place)
    return tags


def _value(blob: bytes, kind: int, start: int, end: int, place: str) -> str | int:
    if kind == _INT32 and start + 4 <= end:
        return int.from_bytes(blob[start : start + 4], "big")
    stop = blob.find(b"\0", start, min(end, start + _LONGEST)) if kind == _STRING else -1
    if stop < 0:
        raise malformed("a value of a header has no end, or is of another type", place)
    return blob[start:stop].decode("utf-8", "replace")


_COLUMNS = 10
_NONE = "(none)"


def read_manifest(data: bytes, place: str) -> Inventory:
    """Reads the packages that the manifest lists. Raises `Failure` where no line can be read."""
    collection = Collection(place)
    for number, line in enumerate(lines(data), 1):
        if not line.strip():
            continue
        columns = line.rstrip("\r").split("\t")
        if len(columns) < _COLUMNS or "-" not in columns[1]:
            collection.refuse(f"line {number} is not of the {_COLUMNS} columns of a container manifest")
            continue
        name, version, *_, epoch, _size, architecture, _number, source = columns[:_COLUMNS]
        if epoch != _NONE and not epoch.isascii():
            collection.refuse(f"line {number} has an epoch that is no number")
        elif epoch == _NONE or epoch.isdigit():
            add(collection, name, version, 0 if epoch == _NONE else int(epoch[:10]), architecture, source)
        else:
            collection.refuse(f"line {number} has an epoch that is no number")
    return collection.inventory()


def add(
    collection: Collection, name: str, version: str, epoch: int, architecture: str | None, source: str | None
) -> None:
    """Takes in a package of `version-release`; an epoch of 0 and none are one, and not written.

    `source` is the file name of the source package, `openssl-3.3.0-3.azl3.src.rpm`.
    """
    source_name, source_version = _source(source or _NONE)
    collection.add(
        Package(
            PackageType.RPM,
            name,
            f"{epoch}:{version}" if epoch else version,
            None if architecture in (None, "", _NONE) else architecture,
            source_name,
            source_version,
        )
    )


def _source(file_name: str) -> tuple[str | None, str | None]:
    stem = file_name.removesuffix(".rpm").removesuffix(".src").removesuffix(".nosrc")
    parts = stem.rsplit("-", 2)
    if stem == file_name or len(parts) < 3:
        return None, None
    return parts[0], f"{parts[1]}-{parts[2]}"


_MAGIC = b"SQLite format 3\0"
_LARGEST = 192 * 1024 * 1024
_SCHEMA = "SELECT type, substr(sql, 1, 40) FROM sqlite_schema WHERE name = 'Packages'"
_LARGEST_HEADER = 16 * 1024 * 1024
_MOST_STEPS = 20_000
"""Thousands of instructions of SQLite's machine: some seconds of work, fifty times what a full database takes."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: _LARGEST_HEADER,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 10_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 20,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 2,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}


def read_database(data: bytes, log: bytes | None, place: str) -> Inventory:
    """The installed packages, keys not counted. Raises `Failure` where it is no database that can be read."""
    if not data.startswith(_MAGIC):
        raise malformed("is no SQLite database", place)
    with tempfile.TemporaryDirectory(prefix="rpmdb-") as folder:
        path = Path(folder) / "rpmdb.sqlite"
        path.write_bytes(data)
        try:
            if log:
                path.with_name("rpmdb.sqlite-wal").write_bytes(log)
                path = _folded(path, page_size(data, place), place)
                data = path.read_bytes()
            check_schema(data, place)
            return _read(path, len(data), place)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise malformed(f"cannot be read as a database: {str(error)[:100]}", place) from error


def _folded(path: Path, size_of_page: int, place: str) -> Path:
    """A copy with the log folded in, made page by page: SQLite looks at no schema for that."""

    def check(_status: int, _remaining: int, total: int) -> None:
        if total * size_of_page > _LARGEST:
            raise malformed(f"grows to more than {_LARGEST} bytes by its log", place)

    folded = path.with_name("folded.sqlite")
    with closing(_connected(path)) as source, closing(sqlite3.connect(folded)) as target:
        source.backup(target, pages=256, progress=check)
    return folded


def _read(path: Path, size: int, place: str) -> Inventory:
    """`size` bounds what all headers have together: a damaged database can let many share their pages."""
    collection = Collection(place)
    with closing(_opened(path)) as database:
        kinds = database.execute(_SCHEMA).fetchmany(2)
        if len(kinds) != 1 or kinds[0][0] != "table" or "virtual" in str(kinds[0][1]).lower():
            raise malformed("has no table of packages", place)
        for blob in _headers(database):
            if not isinstance(blob, bytes):
                collection.refuse("an entry is no header")
                continue
            size -= len(blob)
            if size < 0:
                raise malformed("has more in it than its size allows", place)
            _add(blob, collection, place)
    return collection.inventory()


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, cached_statements=0)


def _opened(path: Path) -> sqlite3.Connection:
    database = _connected(path)
    for limit, value in _LIMITS.items():
        database.setlimit(limit, value)
    steps = iter(range(_MOST_STEPS))
    database.set_progress_handler(lambda: next(steps, None) is None, 1000)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("PRAGMA cache_size = -8000")
    return database


def _headers(database: sqlite3.Connection) -> Iterator[object]:
    """Yields the headers of packages, one more than are accepted, so that too many are noticed."""
    query = "SELECT blob FROM main.Packages NOT INDEXED LIMIT ?"
    for (blob,) in database.execute(query, (MOST_PACKAGES + 1,)):
        yield blob


def _add(blob: bytes, collection: Collection, place: str) -> None:
    try:
        tags = read_header(blob, place)
    except Failure as failure:
        collection.refuse(failure.what)
        return
    name, version, release = (tags.get(tag) for tag in (NAME, VERSION, RELEASE))
    epoch, architecture, source = (tags.get(tag) for tag in (EPOCH, ARCHITECTURE, SOURCE))
    if not (isinstance(name, str) and isinstance(version, str) and isinstance(release, str)):
        collection.refuse("a header lacks a name, version or release")
        return
    add(
        collection,
        name,
        f"{version}-{release}",
        epoch if isinstance(epoch, int) else 0,
        architecture if isinstance(architecture, str) else None,
        source if isinstance(source, str) else None,
    )
