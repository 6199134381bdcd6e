"""Tables whose rows fall due: each is in every list that it belongs to, however it came into the process."""

import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import Table

from bot.domain.failure import LONGEST_PAUSE
from bot.fleet.act.code_scanning import tick as code_scanning
from bot.fleet.act.onboarding import deciding
from bot.fleet.assess.notices import deciding as notices
from bot.fleet.audit import tick as auditing
from bot.fleet.discover import tick as reading
from bot.fleet.discover.builds import tick as builds
from bot.fleet.verify.attesting import tick as attesting
from bot.fleet.watch.vulnerabilities import tick as osv
from bot.store.engine.queue.leases import leased_tables
from bot.store.engine.writing import lock_order
from bot.store.pages.fleet.figures import queues_of_tables
from bot.store.rows.schema import due_of, every_table

LEASED = {
    *("tasks", "repositories", "workflow_builds", "bases", "documents", "dumps", "images", "rebuilds", "steps"),
    *("layers", "inventories", "package_changes", "sbom_looks", "artifact_reads", "gates", "attestations"),
    *("audits", "code_scans", "issues", "fleet_issues", "onboardings", "outbox", "pinned_digests"),
    *("running_sources", "running_reads", "running_backfills", "recorded_sources"),
}
REGULAR = {
    *("tasks", "workflow_builds", "bases", "documents", "dumps", "images", "gates", "artifact_reads"),
    *("rebuilds", "steps", "fleet_issues", "onboardings", "running_sources"),
    "recorded_sources",
}
QUEUES = {
    *("tasks", "repositories", "bases", "documents", "dumps", "rebuilds", "steps", "workflow-builds", "images"),
    *("artifacts", "gates", "issues", "audits", "code-scans", "onboardings", "messages", "package-changes"),
    *("pinned-digests", "deployment-records"),
}
ALONE = "from bot.store.rows.schema import every_table; print(*(table.name for table in every_table()))"


def test_twenty_seven_tables_are_leased() -> None:
    assert {table.name for table in leased_tables()} == LEASED
    assert len(LEASED) == 27


def test_every_table_that_can_be_leased_says_how_its_rows_fall_due() -> None:
    can_be = {table.name for table in every_table() if "lease_owner" in table.c}
    assert {name for name in can_be if "due" not in tables()[name].info} == set()
    assert can_be == LEASED


def test_leases_are_given_back_in_the_order_of_the_locks() -> None:
    order = lock_order()
    places = [order.index(table.name) for table in leased_tables()]
    assert places == sorted(places)


def test_a_single_pass_brings_fourteen_tables_forward() -> None:
    assert {table.name for table in leased_tables() if due_of(table).is_regular} == REGULAR
    assert len(REGULAR) == 14


def test_queues_of_metrics_are_those_whose_rows_tell_what_somebody_works_on() -> None:
    assert {name for name, _, _ in queues_of_tables()} == QUEUES


def test_no_table_is_forgotten_because_its_module_was_not_loaded() -> None:
    told = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True).stdout
    assert set(told.split()) == tables().keys()


def tables() -> dict[str, Table]:
    return {table.name: table for table in every_table()}


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("repositories", reading._UNTIL_REREAD),
        ("workflow_builds", builds._MISSING_AGAIN),
        ("audits", auditing._UNTIL_REREAD),
        ("code_scans", code_scanning._UNTIL_LOOKED_AGAIN),
        ("code_scans", code_scanning._ASKED_AGAIN_AFTER),
        ("attestations", attesting.RENEWED_EVERY),
        ("onboardings", deciding.SELDOM),
        ("tasks", notices.LOOK_AGAIN),
        ("dumps", osv.EVERY),
        *((table.name, LONGEST_PAUSE) for table in leased_tables()),
    ],
)
def test_no_stage_puts_a_row_off_further_than_its_table_says(name: str, rest: timedelta) -> None:
    """A row that lies further ahead would be due at once, and so again and again."""
    assert rest <= due_of(tables()[name]).furthest
