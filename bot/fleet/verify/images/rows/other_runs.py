"""Runs that no rebuild and no step has started, or that have ended once more since: of pushes, of people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import StepState
from bot.store.engine.writing import chunks
from bot.store.rows.images.scan_reports import artifact_reads
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds

LOOKED_BACK = timedelta(days=2)
"""What ended before that when the look for artifacts is switched on is left alone."""
READ_REBUILDS = (
    RebuildState.PROVING,
    RebuildState.STEPPING,
    RebuildState.SUCCEEDED,
    RebuildState.BUILT,
    RebuildState.FAILED,
)
READ_STEPS = (StepState.SUCCEEDED, StepState.FAILED)


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run of a repository's workflow that ended; `read_at` is when its artifacts were read since, with a rebuild
    or a step."""

    repository: int
    run: int
    ended_at: datetime
    read_at: datetime | None = None


async def other_runs(connection: AsyncConnection, now: datetime) -> list[EndedRun]:
    """The last runs of workflows that ended lately and were not looked through since.

    One that a rebuild or a step knows is left to it until its artifacts were read there.
    """
    was_read = (
        select(artifact_reads.c.id)
        .where(
            artifact_reads.c.repository_id == workflow_builds.c.repository_id,
            artifact_reads.c.run == workflow_builds.c.ended_run,
            artifact_reads.c.ended_at >= workflow_builds.c.ended_at,
        )
        .exists()
    )
    rows = await connection.execute(
        select(workflow_builds.c.repository_id, workflow_builds.c.ended_run, workflow_builds.c.ended_at)
        .where(workflow_builds.c.ended_run.is_not(None), workflow_builds.c.ended_at > now - LOOKED_BACK, ~was_read)
        .order_by(workflow_builds.c.repository_id, workflow_builds.c.ended_run)
    )
    ended_at_by_run = {(row.repository_id, row.ended_run): row.ended_at for row in rows}
    reads_by_run = await _read_times(connection, {repository for repository, _ in ended_at_by_run}, now)
    unread_runs = []
    for (repository, run), ended_at in ended_at_by_run.items():
        reads = reads_by_run.get((repository, run), [])
        if None not in reads:
            last = max((read_at for read_at in reads if read_at is not None), default=None)
            unread_runs.append(
                EndedRun(repository, run, ended_at, last if last is not None and last >= ended_at else None)
            )
    return unread_runs


async def _read_times(
    connection: AsyncConnection, homes: set[int], now: datetime
) -> dict[tuple[int, int], list[datetime | None]]:
    """When the artifacts of runs that rebuilds and steps know were read; None for those that are still to be."""
    reads_by_run: dict[tuple[int, int], list[datetime | None]] = {}
    counts = [state.value for state in RebuildState if state in READ_REBUILDS or not state.has_ended]
    stepping = [state.value for state in StepState if state in READ_STEPS or not state.has_ended]
    lately = or_(rebuilds.c.ended_at.is_(None), rebuilds.c.ended_at > now - LOOKED_BACK)
    for ids in chunks(sorted(homes)):
        is_of_homes = rebuilds.c.repository_id.in_(ids), lately
        build_rows = await connection.execute(
            select(rebuilds.c.repository_id, rebuilds.c.run, rebuilds.c.built_by, artifact_reads.c.read_at)
            .outerjoin(artifact_reads, artifact_reads.c.rebuild_id == rebuilds.c.id)
            .where(*is_of_homes, rebuilds.c.state.in_(counts))
        )
        stepped = await connection.execute(
            select(rebuilds.c.repository_id, steps.c.run, artifact_reads.c.read_at)
            .join(steps, steps.c.rebuild_id == rebuilds.c.id)
            .outerjoin(artifact_reads, artifact_reads.c.step_id == steps.c.id)
            .where(*is_of_homes, steps.c.run.is_not(None), steps.c.elsewhere.is_(None), steps.c.state.in_(stepping))
        )
        run_groups: list[Any] = [
            (row.repository_id, {row.run, *(row.built_by or ())}, row.read_at) for row in build_rows
        ]
        run_groups += [(row.repository_id, {row.run}, row.read_at) for row in stepped]
        for repository, runs, read_at in run_groups:
            for run in runs - {None}:
                reads_by_run.setdefault((repository, int(run)), []).append(read_at)
    return reads_by_run
