"""Stores that earlier versions have left, with rows in each of their tables, are opened by the bot of today.

`dumps/` has one of each revision named here for each database, written by the version that was the newest then:
`sqlite3 STORE .dump`, or `pg_dump --inserts` without its comments and settings.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, inspect, select, text
from sqlalchemy.exc import DBAPIError

from bot.store.engine.database import migrations, newest_revision
from bot.store.migrations.steps import FIRST, steps_from, take
from tests.integration.store.engine.older_stores import connected, opened, restore
from tests.migrated import migrate, new_sqlite

NEW = f"sha256:{'b' * 64}"
REVISIONS = ["0020", "0045", "0066"]
WRITTEN_ANEW = {
    ("images", "found"),
    ("images", "due_at"),
    ("images", "state"),
    ("vulnerabilities", "content"),
}
"""What steps write anew in rows that are there: images are looked at again, and advisories read again."""
Rows = dict[str, list[dict[str, Any]]]
Tables = dict[str, list[str]]


@pytest.fixture(scope="session")
def new_sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return tables_of(new_sqlite(tmp_path_factory.mktemp("new") / "new.db"))


@pytest.fixture(scope="session")
def new_postgresql_tables(postgres_template: str) -> Tables:
    return tables_of(postgres_template)


@pytest.fixture
def new_tables(empty_url: str, request: pytest.FixtureRequest) -> Tables:
    """Those of a new store, in another database of the same kind."""
    found: Tables = request.getfixturevalue(f"new_{empty_url.partition(':')[0]}_tables")
    return found


def tables_of(url: str) -> Tables:
    """By table, all that the database tells of it, in no order of columns."""
    engine = connected(url)
    found = inspect(engine)
    tables = {}
    for name in found.get_table_names():
        told: list[Any] = [found.get_pk_constraint(name), found.get_table_options(name)]
        for column in found.get_columns(name):
            default = (column["default"] or "").removeprefix("(").removesuffix(")")
            told.append({**column, "type": str(column["type"]), "default": default})
        told += found.get_foreign_keys(name)
        told += found.get_unique_constraints(name)
        told += found.get_check_constraints(name)
        told += found.get_indexes(name)
        tables[name] = sorted(json.dumps(each, sort_keys=True, default=str) for each in told)
    engine.dispose()
    return tables


def rows_of(url: str) -> Rows:
    """By table, all rows but the revision."""
    engine = connected(url)
    tables = MetaData()
    tables.reflect(engine)
    rows: Rows = {}
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                rows[table.name] = [dict(row) for row in connection.execute(select(table)).mappings()]
    engine.dispose()
    return rows


def is_among(rows: list[dict[str, Any]], row: dict[str, Any], table: str) -> bool:
    """Whether one of the rows has all that this one has, as far as no step writes it anew."""
    kept = {name: value for name, value in row.items() if (table, name) not in WRITTEN_ANEW}
    return any({name: each[name] for name in kept} == kept for each in rows)


@pytest.mark.parametrize("revision", [FIRST, *REVISIONS])
async def test_an_older_store_ends_with_the_tables_of_a_new_one(
    empty_url: str, new_tables: Tables, revision: str
) -> None:
    restore(revision, empty_url)
    await migrate(empty_url)
    assert tables_of(empty_url) == new_tables


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_older_store_keeps_its_rows(empty_url: str, revision: str) -> None:
    restore(revision, empty_url)
    before = rows_of(empty_url)
    assert all(before.values())
    await migrate(empty_url)
    after = rows_of(empty_url)
    lost = [
        (table, row) for table, rows in before.items() for row in rows if not is_among(after[table], row, table)
    ]
    assert lost == []


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_older_store_is_of_the_newest_revision_once_it_was_opened(empty_url: str, revision: str) -> None:
    restore(revision, empty_url)
    await migrate(empty_url)
    engine = connected(empty_url)
    with engine.begin() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [newest_revision()]
    engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_what_an_older_store_knows_is_shown(empty_url: str, revision: str) -> None:
    restore(revision, empty_url)
    async with opened(empty_url) as stores:
        status = await stores.fleet_views.status()
        assert [item.base.tag for item in status.bases] == ["10.0"]
        [image] = await stores.images.images_of("contoso/shop")
        assert image.digest == NEW
        assert [advisory.cve for advisory in await stores.feeds.advisories()] == ["CVE-2026-1"]


async def test_what_bases_showed_before_packages_were_read_is_to_be_read(empty_url: str) -> None:
    restore("0020", empty_url)
    await migrate(empty_url)
    rows = rows_of(empty_url)
    [inventory], [layer] = rows["inventories"], rows["layers"]
    assert (inventory["digest"], layer["digest"]) == (NEW, f"sha256:{'c' * 64}")
    [placed] = rows["inventory_layers"]
    assert (placed["inventory_id"], placed["layer_id"]) == (inventory["id"], layer["id"])


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_number_that_github_gave_a_repository_becomes_its_id_as_text(empty_url: str, revision: str) -> None:
    restore(revision, empty_url)
    engine = connected(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE repositories SET forge_id = 4294967296 + id WHERE id = 1"))
    engine.dispose()
    before = rows_of(empty_url)
    assert before["usages"]
    await migrate(empty_url)
    after = rows_of(empty_url)
    named = [(row["id"], row["forge"], row["forge_id"]) for row in after["repositories"]]
    assert named == [
        (row["id"], "github", "4294967297" if row["id"] == 1 else None) for row in before["repositories"]
    ]
    assert [row["repository_id"] for row in after["usages"]] == [row["repository_id"] for row in before["usages"]]


def _go_back(engine: Engine) -> None:
    """Says what `upgrade.md` has people say, in one transaction."""
    told = Path("docs/operate/upgrade.md").read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0]
    with engine.begin() as connection:
        for statement in told.split(";"):
            if statement.strip() not in ("", "BEGIN", "COMMIT"):
                connection.execute(text(statement))


def test_the_way_back_to_numbers_leaves_the_store_as_it_was(empty_url: str) -> None:
    restore("0066", empty_url)
    steps = steps_from("0066", migrations())
    assert steps is not None
    engine = connected(empty_url)
    with engine.begin() as connection:
        take([step for step in steps if step[0] < "0084"], connection)
        connection.execute(text("UPDATE repositories SET forge_id = 4294967296 + id WHERE id = 1"))
    before = tables_of(empty_url), rows_of(empty_url)
    with engine.begin() as connection:
        take([step for step in steps if step[0] > "0083"], connection)
        assert connection.scalars(text("SELECT forge_id FROM repositories WHERE id = 1")).one() == "4294967297"
    _go_back(engine)
    with engine.begin() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == ["0083"]
    engine.dispose()
    assert (tables_of(empty_url), rows_of(empty_url)) == before


@pytest.mark.parametrize("revision", ["0055", "0000", "9999", "of-tomorrow"])
def test_no_step_leads_from_a_revision_that_never_was(revision: str) -> None:
    assert steps_from(revision, migrations()) is None


def test_a_store_of_the_newest_revision_lacks_no_step() -> None:
    assert steps_from(newest_revision(), migrations()) == []


def test_the_way_back_to_numbers_is_refused_while_another_forge_has_repositories(empty_url: str) -> None:
    restore("0066", empty_url)
    steps = steps_from("0066", migrations())
    assert steps is not None
    engine = connected(empty_url)
    with engine.begin() as connection:
        take(steps, connection)
        connection.execute(text("UPDATE repositories SET forge = 'azure-devops', forge_id = '7' WHERE id = 1"))
    before = tables_of(empty_url), rows_of(empty_url)
    with pytest.raises(DBAPIError):
        _go_back(engine)
    engine.dispose()
    assert (tables_of(empty_url), rows_of(empty_url)) == before
