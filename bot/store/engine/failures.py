"""What a database says of its troubles, as one line with what to do."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as ConnectionsTaken

from bot.domain.failure import Failure, Trouble

_BROKEN_OFF = frozenset({"40P01", "40001"})
"""Deadlock, serialization failure."""
_IDLE_TOO_LONG = "25P03"
_NO_ROOM = "53100"
_LEAST_FREE = 1 << 20
"""Bytes: with less on the disk of SQLite's file the next larger write is refused."""
_RESTORE = "restore a copy, see docs/operate/backup.md"


class StoreFailure(Failure):
    """The store is in trouble, and whoever is asked meanwhile is not."""

    @property
    def is_stores(self) -> bool:
        return True


class BrokenOff(StoreFailure):
    """A transaction of which nothing was kept, since it and another waited for each other: made again, it works."""


class NoRoom(StoreFailure):
    """Nothing can be written for want of room on a disk: what was kept can be read, and with room the next attempt
    works."""


@contextmanager
def failures_of(url: URL) -> Iterator[None]:
    """Turns what the database at this URL says while it is used into a `Failure`: away, taken, full, or damaged."""
    try:
        yield
    except ConnectionsTaken as error:
        raise StoreFailure(
            Trouble.UNREACHABLE,
            "no connection was free for half a minute",
            where=url_told(url),
            advice="the next pass tries again",
        ) from error
    except (OperationalError, InterfaceError, InternalError) as error:
        if isinstance(error, InternalError) and getattr(error.orig, "sqlstate", None) != _IDLE_TOO_LONG:
            raise
        if _has_no_room(url, error):
            raise no_room(url, _reason_of(error)) from error
        kind = BrokenOff if getattr(error.orig, "sqlstate", None) in _BROKEN_OFF else StoreFailure
        raise kind(
            Trouble.UNREACHABLE,
            f"the database does not answer: {_reason_of(error)}",
            where=url_told(url),
            advice=_advice_of_sqlite(url, error) or "the next pass tries again",
        ) from error
    except StatementError as error:
        if isinstance(error.orig, Failure):
            raise error.orig from None
        if type(error) is not DatabaseError:
            raise
        raise StoreFailure(
            Trouble.MALFORMED,
            f"the database is damaged: {_reason_of(error)}",
            where=url_told(url),
            advice=_RESTORE,
        ) from error


def no_room(url: URL, reason: str) -> NoRoom:
    """The failure that is told where the database at this URL has no room, by whatever shows that."""
    return NoRoom(
        Trouble.UNREACHABLE,
        f"the database has no room left: {reason}",
        where=url_told(url),
        advice=f"{_advice_on_room(url)}; it is read meanwhile, and then work goes on",
    )


def no_room_on_disk(url: URL) -> NoRoom | None:
    """What there is to be told where less than a megabyte is free on the disk of SQLite's file; None where that
    cannot be seen."""
    try:
        free = shutil.disk_usage(Path(url.database or "").resolve().parent).free
    except OSError:
        return None
    return no_room(url, f"{free // 1024:,} KiB are free on its disk") if free < _LEAST_FREE else None


def cannot_be_opened(url: URL, error: Exception) -> Failure:
    """The failure that is told where a database cannot be opened, with what to do."""
    return Failure(
        Trouble.UNREACHABLE,
        f"the database cannot be opened: {_reason_of(error)}",
        where=url_told(url),
        advice=_advice(url, error),
    )


def url_told(url: URL) -> str:
    """The URL as `store.url` has it: without our driver, its password hidden."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def _advice(url: URL, error: Exception) -> str:
    if advice := _advice_of_sqlite(url, error):
        return advice
    if _has_no_room(url, error):
        return _advice_on_room(url)
    more = "that its folder can be written" if url.get_backend_name() == "sqlite" else "store.password_file"
    return f"check store.url and {more}"


def _advice_of_sqlite(url: URL, error: Exception) -> str | None:
    """What helps against what SQLite says of its file; None of all else."""
    match _primary_code(error):
        case sqlite3.SQLITE_BUSY:
            return f"let it finish or end it, `fuser -v {url.database}` names it; then try again"
        case sqlite3.SQLITE_CANTOPEN if (folder := _absent_folder(url)) is not None:
            return f"there is no folder {folder}; make it, or change store.url"
        case sqlite3.SQLITE_READONLY:
            return "see that the file and its folder can be written"
        case sqlite3.SQLITE_CORRUPT:
            return _RESTORE
        case sqlite3.SQLITE_NOTADB:
            return f"name another file in store.url; if it was the store, {_RESTORE}"
        case _:
            return None


def _absent_folder(url: URL) -> Path | None:
    folder = Path(url.database or "").parent
    return None if folder.is_dir() else folder


def _reason_of(error: Exception) -> str:
    """That another process holds SQLite's file, or the first line of what the driver says, which may be nothing."""
    if _is_locked(error):
        return "another process holds it locked"
    cause = _cause_of(error)
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)


def _has_no_room(url: URL, error: Exception) -> bool:
    """SQLite tells of the files that it keeps beside its own only that they could not be written."""
    match _primary_code(error):
        case sqlite3.SQLITE_FULL:
            return True
        case sqlite3.SQLITE_IOERR:
            return no_room_on_disk(url) is not None
        case _:
            return getattr(_cause_of(error), "sqlstate", None) == _NO_ROOM


def _advice_on_room(url: URL) -> str:
    return f"make room where {url.database} lies" if url.get_backend_name() == "sqlite" else "make room on its disk"


def _is_locked(error: Exception) -> bool:
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: Exception) -> int | None:
    code = getattr(_cause_of(error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _cause_of(error: Exception) -> BaseException:
    return getattr(error, "orig", None) or error
