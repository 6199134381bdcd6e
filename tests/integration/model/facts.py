"""What in the world may end a rebuild: runs that were red, and what people did; never a fault."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import RowMapping

from bot.domain.rollouts.rebuild import RebuildState
from tests.fakes.repository import FakeRepository
from tests.integration.model.fleet import MAX_AGE, STEP_FILES, WORKFLOW_FILE, WatchfulForge

_GREEN = (None, "success", "neutral")


def ended_without_a_fact(
    rows: Iterable[RowMapping], ended: set[int], forge: WatchfulForge
) -> list[Mapping[str, Any]]:
    """Those that have failed or were cancelled, and are not in `ended`, to which they are added, although nothing
    in their repository says so."""
    found: list[Mapping[str, Any]] = []
    homes = {home.id: home for home in forge.homes}
    for row in rows:
        if row["ended_at"] is None or row["id"] in ended:
            continue
        ended.add(row["id"])
        home = homes[row["forge_id"]]
        has_said_no = home.id in forge.said.last_no and forge.said.last_no[home.id] >= row["planned_at"]
        kept_at = forge.said.last_kept.get(home.id)
        was_kept = bool(row["steps"]) and kept_at is not None and kept_at >= row["planned_at"]
        is_without = row["state"] == RebuildState.FAILED and not (was_kept or _was_red(row, home))
        is_cancelled = row["state"] == RebuildState.CANCELLED and not has_said_no
        if is_without or (is_cancelled and not _was_cancelled(row, home)):
            found.append(dict(row))
    return found


def _was_red(row: RowMapping, home: FakeRepository) -> bool:
    """Whether its own run did not come to a good end, or one of its steps, or that to any within its time."""
    steps = [run for number, run in home.runs.items() if row["steps"] and home.started.get(number) in STEP_FILES]
    own = home.runs.get(row["run"] or 0)
    is_red = own is not None and own.conclusion not in _GREEN
    return is_red or any(not run.has_concluded or run.conclusion not in _GREEN for run in steps)


def _was_cancelled(row: RowMapping, home: FakeRepository) -> bool:
    """Whether its run was cancelled, its pull request closed, as an earlier one from its branch was, or merged into
    another branch than the default one, what it was to bring was there when it was planned, or its workflow has
    built so lately that its age asks for nothing."""
    own = home.requests.get(row["pull_request"] or 0)
    is_elsewhere = (
        own is not None and own.is_merged and own.merge_commit not in home.line_of(home.branches[home.trunk])
    )
    is_closed = any(
        (number in home.opened_again or not (request.is_open or request.is_merged))
        and row["branch"] in (None, request.branch)
        for number, request in home.requests.items()
    )
    is_said = row["reason"].startswith("it was built meanwhile")
    is_young = is_said and any(
        run.conclusion == "success" and run.at >= row["ended_at"] - MAX_AGE
        for file in (WORKFLOW_FILE, *home.pipelines)
        for run in home.runs_of(file)
    )
    return is_closed or is_elsewhere or is_young or row["planned_at"] == row["ended_at"] or _was_red(row, home)
