"""`rpmdb.sqlite`, with the write-ahead log in which the last changes may still stand.

SQLite needs files to fold the log in, so both are copied into a folder of their own that is gone afterwards. The
database is untrusted: it is opened read-only, nothing of its schema is run (no triggers, views or functions), work
and lengths are bounded, and the headers are read by `rpm_header`.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bot.domain.failure import Failure
from bot.domain.packages.package import Inventory
from bot.images.packages.databases.rpm import header as rpm_header
from bot.images.packages.databases.rpm import packages as rpm
from bot.images.packages.databases.rpm.sqlite_file import check_schema, page_size
from bot.images.packages.reading import MOST_PACKAGES, Collection, malformed

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
        tags = rpm_header.read_header(blob, place)
    except Failure as failure:
        collection.refuse(failure.what)
        return
    name, version, release = (tags.get(tag) for tag in (rpm_header.NAME, rpm_header.VERSION, rpm_header.RELEASE))
    epoch, architecture, source = (
        tags.get(tag) for tag in (rpm_header.EPOCH, rpm_header.ARCHITECTURE, rpm_header.SOURCE)
    )
    if not (isinstance(name, str) and isinstance(version, str) and isinstance(release, str)):
        collection.refuse("a header lacks a name, version or release")
        return
    rpm.add(
        collection,
        name,
        f"{version}-{release}",
        epoch if isinstance(epoch, int) else 0,
        architecture if isinstance(architecture, str) else None,
        source if isinstance(source, str) else None,
    )
