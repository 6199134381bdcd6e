"""A store on SQLite as two files: what it alone knows, and what feeds and registries hand out again.

Apart lie manifests of bases and what was read of layers, which a digest names, and the copies of feeds. Manifests
of the fleet's own images stay: they are evidence, and nobody asks for them until the image moves. So do copies of
which a loss is in doubt, and that of the inventory: what it lists no longer shows only beside what it listed.
Of releases it shows beside the rows, and of advisories nothing is taken back without the copy that had them.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = frozenset({"manifests", "images", "layer_contents", "documents", "layers"})
_TAKE_APART = """
CREATE TABLE apart.manifests AS SELECT * FROM main.manifests
    WHERE NOT EXISTS (SELECT 1 FROM main.images WHERE instr(platforms, manifests.digest) > 0) ORDER BY digest;
CREATE TABLE apart.layer_contents AS SELECT * FROM main.layer_contents ORDER BY layer_id;
CREATE TABLE apart.documents AS SELECT id, etag, last_modified, body FROM main.documents
    WHERE body IS NOT NULL AND doubts IS NULL AND kind <> 'image-info' ORDER BY id;
DELETE FROM main.manifests WHERE digest IN (SELECT digest FROM apart.manifests);
DELETE FROM main.layer_contents;
UPDATE main.documents SET etag = NULL, last_modified = NULL, body = NULL
    WHERE id IN (SELECT id FROM apart.documents);
"""
_ANY_SCHEMA = "PRAGMA main.schema_version = 1"
"""Each copy counts its schema on, so that two of the same rows would differ."""
_PUT_TOGETHER = """
INSERT OR IGNORE INTO main.manifests SELECT * FROM apart.manifests;
INSERT OR IGNORE INTO main.layer_contents SELECT * FROM apart.layer_contents;
UPDATE main.documents SET (etag, last_modified, body) =
    (SELECT etag, last_modified, body FROM apart.documents AS copy WHERE copy.id = main.documents.id)
    WHERE id IN (SELECT id FROM apart.documents);
"""
_UNREAD = """
UPDATE layers SET read_at = NULL
    WHERE read_at IS NOT NULL AND problem IS NULL AND id NOT IN (SELECT layer_id FROM layer_contents);
"""


@dataclass(frozen=True, slots=True)
class TakenApart:
    """The bytes of a database without what can be fetched again, and of one with nothing else."""

    own: bytes
    refetchable: bytes

    @property
    def mark(self) -> str:
        """By which the second is known as what belongs to the first."""
        return mark_of(self.refetchable)


def mark_of(refetchable: bytes) -> str:
    """What a file with what can be fetched again is known by: its SHA-256."""
    return hashlib.sha256(refetchable).hexdigest()


def take_apart(store: Path) -> TakenApart:
    """Copies a database, journal and free pages left out, into two; the original is only read."""
    with _beside(store, "whole") as whole, _beside(store, "apart") as apart:
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("VACUUM INTO ?", (str(whole),))
        with _attached(whole, apart) as connection, _beside(store, "own") as own, _beside(store, "again") as again:
            if _has_tables(connection):
                connection.executescript(_TAKE_APART)
            connection.execute(_ANY_SCHEMA)
            connection.execute("VACUUM main INTO ?", (str(own),))
            connection.execute("VACUUM apart INTO ?", (str(again),))
            return TakenApart(own.read_bytes(), again.read_bytes())


def put_together(store: Path, own: bytes, refetchable: bytes | None) -> None:
    """Writes a database that was taken apart. Without its other part feeds are read anew, and a layer once an image
    has it that is still to be read."""
    store.write_bytes(own)
    with _beside(store, "again") as again:
        again.write_bytes(refetchable or b"")
        with _attached(store, again) as connection:
            if not _has_tables(connection):
                return
            if refetchable is not None:
                connection.executescript(_PUT_TOGETHER)
            connection.executescript(_UNREAD)


def _has_tables(connection: sqlite3.Connection) -> bool:
    """Whether whoever made the database has come to making its tables."""
    names = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
    return {name for (name,) in names} >= _TABLES


@contextmanager
def _beside(store: Path, name: str) -> Iterator[Path]:
    """A file that is needed only meanwhile."""
    path = store.with_suffix(f".{name}")
    path.unlink(missing_ok=True)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _attached(main: Path, apart: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(main)) as connection:
        connection.execute("ATTACH DATABASE ? AS apart", (str(apart),))
        yield connection
