"""Bringing the tables of an older store up to date, by the steps that it lacks, in order.

A step changes tables, and fills in what the rows in them must have from then on. No step is taken on a new store,
which gets its tables as they are written: what it must have cannot be made by a step alone.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, text

from bot.store.rows.schema import every_table, metadata

_REVISIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def make_tables(connection: Connection, revision: str) -> None:
    """Makes those of a store that has none, which is then of that revision; raises SQLAlchemy's error where one of
    that name is there."""
    every_table()  # what no module has imported yet is a table too
    metadata.create_all(connection, checkfirst=False)
    _REVISIONS.metadata.create_all(connection)
    connection.execute(insert(_REVISIONS).values(version_num=revision))


FIRST = "0001"
"""The revision of the oldest stores, to which no step leads."""
_REACHED = text("UPDATE alembic_version SET version_num = :revision")
Step = tuple[str, Callable[[], None]]
"""The revision that it leads to, and what it does."""


def steps_from(revision: str, files: Sequence[Path]) -> list[Step] | None:
    """Those that a store of that revision lacks, or None where this version does not know the revision; `files` are
    in order."""
    steps = [step for path in files for step in _steps_in(path)]
    known = [FIRST, *(reached for reached, _ in steps)]
    return steps[known.index(revision) :] if revision in known else None


def take(steps: Sequence[Step], connection: Connection) -> None:
    """Takes them on the store of that connection, in its transaction."""
    with Operations.context(MigrationContext.configure(connection, opts={"target_metadata": metadata})):
        for revision, step in steps:
            step()
            connection.execute(_REACHED, {"revision": revision})


def _steps_in(path: Path) -> Iterator[Step]:
    """Those that the file lists as `STEPS`, or its `upgrade` alone."""
    spec = spec_from_file_location(f"migration_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    steps: dict[str, Callable[[], None]] = vars(module).get("STEPS") or {module.revision: module.upgrade}
    yield from steps.items()
