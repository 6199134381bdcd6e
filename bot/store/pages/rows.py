"""Rebuilds, changes and notices as the rows of lists."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change
from bot.domain.packages.changes import PlatformChanges
from bot.domain.reference import Base
from bot.domain.repositories.addresses import file_url
from bot.domain.rollouts.rebuild import ENDED, RebuildState
from bot.domain.rollouts.terms import Step
from bot.store.engine.codec import load, readable
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.mirrors import statuses
from bot.store.rows.bases.support import ends_of_support
from bot.store.rows.bases.tables import base_of, bases, changes, notices, shows_two_in
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.quarantined import KEPT_BY, keepers, kept_because
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.views.bases import read_changes
from bot.views.bases.base import BaseRow
from bot.views.bases.support import support_row
from bot.views.paging import Cut, Page, page_of
from bot.views.rollouts.rebuilds import addresses, what
from bot.views.rows import ChangeRow, NoticeRow, RebuildRow, StepRow

_LOOK_FIRST = (
    *(
        RebuildState.FAILED,
        RebuildState.OPEN,
        RebuildState.STEPPING,
        RebuildState.PROVING,
        RebuildState.BUILDING,
        RebuildState.RUNNING,
        RebuildState.DISPATCHED,
    ),
    *(RebuildState.WAITING, RebuildState.PLANNED),
)
_RANK = case({state.value: rank for rank, state in enumerate(_LOOK_FIRST)}, value=rebuilds.c.state, else_=99)

MOST_CHANGES = 40
"""Changes on one page."""
MOST_ROWS = 60
"""Rows of any other list on one page that is not cut into further pages."""


async def rebuild_page(
    connection: AsyncConnection, cut: Cut, total: int, *conditions: ColumnElement[bool]
) -> Page[RebuildRow]:
    """One page of the `total` rebuilds where these conditions hold: what failed first, then what is under way."""
    rows = await connection.execute(
        _rebuilds(*conditions)
        .order_by(_RANK, rebuilds.c.ended_at.desc(), rebuilds.c.id)
        .limit(cut.per_page)
        .offset(cut.offset)
    )
    return page_of(await _with_steps(connection, rows.all()), total, cut)


async def latest_rebuilds(
    connection: AsyncConnection, most: int, *conditions: ColumnElement[bool]
) -> tuple[RebuildRow, ...]:
    """Reads the newest rebuilds that fit, the newest first."""
    rows = await connection.execute(_rebuilds(*conditions).order_by(rebuilds.c.id.desc()).limit(most))
    return await _with_steps(connection, rows.all())


async def states(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> dict[str, int]:
    """Counts how many rebuilds are in which state, in the states' own order."""
    rows = await connection.execute(
        select(rebuilds.c.state, func.count()).where(*conditions).group_by(rebuilds.c.state)
    )
    numbers = {row[0]: row[1] for row in rows}
    return {state.value: numbers[state.value] for state in RebuildState if state.value in numbers}


async def latest_changes(
    connection: AsyncConnection, most: int, *conditions: ColumnElement[bool], cves: CvesOfMoves | None = None
) -> tuple[ChangeRow, ...]:
    """The newest first; with `cves` each tells those that it fixed, and those that are still open."""
    query = select(changes.c.id, changes.c.change, changes.c.rollout_id).where(*conditions)
    latest = query.order_by(changes.c.at.desc(), changes.c.id.desc()).limit(most)
    read = await read_changes(connection, latest, cves)
    return tuple(_change(row.rollout_id, change, packages) for row, change, packages in read)


def _rebuilds(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            rebuilds.c.id,
            rebuilds.c.rollout_id,
            rebuilds.c.wave,
            rebuilds.c.action,
            rebuilds.c.state,
            rebuilds.c.reason,
            rebuilds.c.url,
            rebuilds.c.pull_request,
            rebuilds.c.run,
            rebuilds.c.workflow,
            rebuilds.c.planned_at,
            rebuilds.c.attempted_at,
            rebuilds.c.ended_at,
            rebuilds.c.held_because,
            rebuilds.c.steps,
            *KEPT_BY,
            repositories.c.name,
        )
        .select_from(keepers(rebuilds.join(repositories, repositories.c.id == rebuilds.c.repository_id)))
        .where(*conditions)
    )


async def _with_steps(connection: AsyncConnection, rows: Sequence[Any]) -> tuple[RebuildRow, ...]:
    stepping = [row.id for row in rows if row.steps]
    steps_by_rebuild: dict[int, list[StepRow]] = {}
    if stepping:
        step_rows = await connection.execute(
            select(steps).where(steps.c.rebuild_id.in_(stepping)).order_by(steps.c.rebuild_id, steps.c.place)
        )
        for home, step in readable(
            step_rows, lambda row: (row.rebuild_id, _step(row)), lambda row: f"step {row.id}"
        ):
            steps_by_rebuild.setdefault(home, []).append(step)
    return tuple(_rebuild(row, tuple(steps_by_rebuild.get(row.id, ()))) for row in rows)


def _step(row: Any) -> StepRow:
    return StepRow(load(row.step, Step).name, row.state, row.reason, row.url, row.began_at, row.ended_at)


def _rebuild(row: Any, of_it: tuple[StepRow, ...]) -> RebuildRow:
    url, run_url = addresses(row.pull_request, row.url)
    return RebuildRow(
        row.id,
        row.rollout_id,
        row.name,
        row.wave,
        what(row),
        row.state,
        row.state in ENDED,
        row.reason,
        url,
        row.planned_at,
        row.attempted_at,
        row.ended_at,
        row.held_because or kept_because(row),
        of_it,
        run_url,
    )


def line_url(web: str, repository: str, branch: str, path: str, line: int) -> str:
    """Where the forge shows a line of a file; `web` is where it shows repositories to people."""
    return file_url(web, repository, branch, path, line)


def _change(rollout: int | None, change: Change, packages: tuple[PlatformChanges, ...]) -> ChangeRow:
    return ChangeRow(
        str(change.base),
        change.at,
        change.cause.value,
        change.severity.value if change.severity else None,
        change.cves,
        change.from_version,
        change.to_version,
        change.to_digest,
        change.detail,
        rollout,
        packages,
    )


async def notice_rows(
    connection: AsyncConnection, most: int, order: Sequence[Any], *conditions: ColumnElement[bool]
) -> tuple[NoticeRow, ...]:
    rows = await connection.execute(
        select(notices, bases.c.registry, bases.c.repository, bases.c.tag)
        .join(bases, bases.c.id == notices.c.base_id)
        .where(*conditions)
        .order_by(*order)
        .limit(most)
    )
    return tuple(readable(rows, _notice, lambda row: f"notice {row.id}"))


def _notice(row: Any) -> NoticeRow:
    return NoticeRow(
        row.topic,
        str(base_of(row)),
        row.since,
        row.until,
        row.text,
        tuple(map(str, load(row.toward, tuple[Base, ...]))),
    )


async def base_rows(connection: AsyncConnection, rows: Sequence[Any], today: date) -> tuple[BaseRow, ...]:
    """Makes a row of each of these bases, read with their numbers of `repositories`."""
    is_one = bases.c.id.in_([row.id for row in rows])
    copies = await statuses(connection, is_one)
    ends = await ends_of_support(connection, today, is_one)
    return tuple(
        BaseRow(
            str(base_of(row)),
            *(row.version, row.digest, row.moved_at, row.error, row.repositories),
            copies.get(row.id),
            shows_two_in(row),
            support_row(ends.get(row.id), today),
        )
        for row in rows
    )
