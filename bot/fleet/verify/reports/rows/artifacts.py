"""Ended runs whose artifacts are looked through for reports of scanners."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.steps import StepState
from bot.fleet.verify.images.rows.other_runs import LOOKED_BACK, READ_REBUILDS, READ_STEPS, EndedRun, other_runs
from bot.fleet.verify.reports.rows.scan_reports import keep_report
from bot.fleet.verify.reports.tick import EndedRuns, Gathered
from bot.images.scan_reports import ScanReport
from bot.reconcile.work import Claimed
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_into, lock
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.images.scan_reports import artifact_reads
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, rollouts

_LONGEST_REFUSAL = 200
_FAILED_AGAIN = timedelta(hours=1)
_REFUSALS_COUNT = timedelta(days=1)
"""How long an owner's refusal for one repository keeps the trouble open that another's answer would end."""


class ArtifactsStore(Store):
    """`bot.fleet.verify.reports.tick.ArtifactStore` on the database."""

    @property
    def ended(self) -> DueRows[EndedRuns]:
        return DueRows(
            *(self._database, self._worker, artifact_reads, self._read_ended_runs),
            _name,
            where=[artifact_reads.c.read_at.is_(None)],
        )

    async def _read_ended_runs(self, claimed: Claimed) -> EndedRuns:
        query = (
            select(
                *(repositories.c.id, *IDENTITY),
                *(artifact_reads.c.run, rebuilds.c.built_by, steps.c.run.label("of_step"), steps.c.elsewhere),
                *(artifact_reads.c.step_id, artifact_reads.c.ended_at, rebuilds.c.workflow),
            )
            .select_from(artifact_reads)
            .join(repositories, repositories.c.id == artifact_reads.c.repository_id)
            .outerjoin(rebuilds, rebuilds.c.id == artifact_reads.c.rebuild_id)
            .outerjoin(steps, steps.c.id == artifact_reads.c.step_id)
            .where(artifact_reads.c.id == claimed.id)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one()
        home = identity_of(row) if row.elsewhere is None else Identity(row.elsewhere, forge=row.forge)
        alone = (run for run in (row.run, row.of_step) if run is not None)
        runs = (*(int(run) for run in row.built_by or ()), *alone)
        read_before = row.ended_at if row.step_id is not None else None
        return EndedRuns(claimed.id, home.for_builds(row.workflow), row.id, runs, read_before)

    async def make_due(self) -> None:
        now = self._clock.now()
        missing_builds, missing_steps = _of_rebuilds(now), _of_steps(now)
        async with self._database.reading() as connection:
            first = [(await connection.execute(each.limit(1))).first() for each in (missing_builds, missing_steps)]
            runs = await other_runs(connection, now)
            failed_steps = list((await connection.execute(_of_failed_steps(now))).scalars())
        if first == [None, None] and not runs and not failed_steps:
            return
        async with self._database.transaction() as connection:
            for of, query in (("rebuild_id", missing_builds), ("step_id", missing_steps)):
                rows = insert_into(connection, artifact_reads).from_select(
                    [of, "repository_id", "due_at"], query.order_by(text("1"))
                )
                await connection.execute(rows.on_conflict_do_nothing())
            for part in chunks(runs):
                await connection.execute(_ended_again(connection, part, now))
            await lock(connection, artifact_reads, failed_steps)
            for ids in chunks(failed_steps):
                is_done = artifact_reads.c.id.in_(ids), artifact_reads.c.read_at.is_not(None)
                read_before = func.coalesce(artifact_reads.c.ended_at, artifact_reads.c.read_at)
                values = {"ended_at": read_before, "read_at": None, "due_at": now, "attempts": 0}
                await connection.execute(update(artifact_reads).where(*is_done).values(**values))

    async def keep(self, scan: ScanReport) -> None:
        async with self._database.transaction() as connection:
            await keep_report(connection, scan, self._clock.now())

    async def settle_artifacts(self, item: EndedRuns, gathered: Gathered) -> None:
        now = self._clock.now()
        values: dict[str, Any] = {"read_at": now, "refused": None, "error": None}
        if gathered.is_news:
            values["problems"] = "\n".join(gathered.problems) or None
            if item.read_before is not None:
                values["ended_at"] = None
        async with self._database.transaction() as connection:
            await settle(connection, artifact_reads, self._worker, item.id, due_at=now, values=values)
            if not await _is_refused(connection, item, now - _REFUSALS_COUNT):
                await tell_incidents(connection, [], [_subject(item)], now)

    async def refuse_artifacts(self, item: EndedRuns, reason: str, now: datetime) -> None:
        values = {"read_at": now, "refused": reason[:_LONGEST_REFUSAL]}
        text = (
            f"reports in artifacts cannot be read at {_owner(item)} ({reason}); the App needs actions: read there, "
            "or leave reports.artifacts empty"
        )
        async with self._database.transaction() as connection:
            await settle(
                connection, artifact_reads, self._worker, item.id, due_at=now, succeeded=False, values=values
            )
            await tell_incidents(connection, [Incident(_subject(item), now, text)], [], now)


def _name(row: Mapping[str, Any]) -> str:
    of = next(column for column in ("rebuild_id", "step_id", "run") if row[column] is not None)
    return f"artifacts of {of.removesuffix('_id')} {row[of]}"


def _ended_lately(now: datetime) -> ColumnElement[bool]:
    """No rebuild ends after its rollout, and of all rollouts few are so new."""
    since = now - LOOKED_BACK
    recent_rollouts = select(rollouts.c.id).where(or_(rollouts.c.ended_at.is_(None), rollouts.c.ended_at > since))
    return rebuilds.c.rollout_id.in_(recent_rollouts)


def _of_rebuilds(now: datetime) -> Select[Any]:
    """Rebuilds that were built lately, and are not to be read yet."""
    return select(rebuilds.c.id, rebuilds.c.repository_id, literal(now, artifact_reads.c.due_at.type)).where(
        _ended_lately(now),
        rebuilds.c.built_by.is_not(None),
        rebuilds.c.state.in_([state.value for state in READ_REBUILDS]),
        or_(rebuilds.c.ended_at.is_(None), rebuilds.c.ended_at > now - LOOKED_BACK),
        ~select(artifact_reads.c.id).where(artifact_reads.c.rebuild_id == rebuilds.c.id).exists(),
    )


def _of_steps(now: datetime) -> Select[Any]:
    """Steps of which nothing was read yet that ended lately, or whose rebuild goes on: the gate waits for those."""
    return (
        select(steps.c.id, rebuilds.c.repository_id, literal(now, artifact_reads.c.due_at.type))
        .join(rebuilds, rebuilds.c.id == steps.c.rebuild_id)
        .where(
            _ended_lately(now),
            steps.c.run.is_not(None),
            steps.c.state.in_([state.value for state in READ_STEPS]),
            or_(rebuilds.c.ended_at.is_(None), steps.c.ended_at > now - LOOKED_BACK),
            ~select(artifact_reads.c.id).where(artifact_reads.c.step_id == steps.c.id).exists(),
        )
    )


def _of_failed_steps(now: datetime) -> Select[Any]:
    """Steps that failed lately, whose runs were looked through an hour ago: people run those once more."""
    return (
        select(artifact_reads.c.id)
        .join(steps, steps.c.id == artifact_reads.c.step_id)
        .join(rebuilds, rebuilds.c.id == steps.c.rebuild_id)
        .where(
            _ended_lately(now),
            steps.c.state == StepState.FAILED.value,
            steps.c.ended_at > now - LOOKED_BACK,
            artifact_reads.c.read_at < now - _FAILED_AGAIN,
            artifact_reads.c.refused.is_(None),
        )
        .order_by(artifact_reads.c.id)
    )


def _ended_again(connection: AsyncConnection, runs: Sequence[EndedRun], now: datetime) -> Any:
    """Makes runs due; one that is read at this moment is left until it was."""
    rows = [
        {
            "repository_id": run.repository,
            "run": run.run,
            "ended_at": run.ended_at,
            "read_at": run.read_at,
            "due_at": now,
            "attempts": 0,
        }
        for run in runs
    ]
    statement = insert_into(connection, artifact_reads).values(rows)
    new_values = {name: statement.excluded[name] for name in ("ended_at", "read_at", "due_at", "attempts")}
    return statement.on_conflict_do_update(
        index_elements=["repository_id", "run"], set_=new_values, where=artifact_reads.c.lease_owner.is_(None)
    )


async def _is_refused(connection: AsyncConnection, item: EndedRuns, since: datetime) -> bool:
    """Whether another repository of this owner showed nothing lately: a token may see one and not the other."""
    query = (
        select(artifact_reads.c.id)
        .join(repositories, repositories.c.id == artifact_reads.c.repository_id)
        .where(
            artifact_reads.c.refused.is_not(None),
            artifact_reads.c.read_at > since,
            repositories.c.id != item.repository_id,
            func.lower(repositories.c.name).startswith(f"{_owner(item).lower()}/", autoescape=True),
        )
        .limit(1)
    )
    return await connection.scalar(query) is not None


def _subject(item: EndedRuns) -> str:
    """Names one incident for each owner, as rights are given."""
    return f"artifacts:{_owner(item).lower()}"


def _owner(item: EndedRuns) -> str:
    return item.repository.name.partition("/")[0]
