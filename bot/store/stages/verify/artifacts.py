"""Ended runs whose artifacts are looked through for reports of scanners."""

from datetime import datetime, timedelta

from sqlalchemy import func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import State
from bot.reconcile.work import Claimed
from bot.store.engine.inserting import insert_into
from bot.store.engine.queue.claiming import settle
from bot.store.engine.queue.due_rows import DueRows
from bot.store.engine.store import Store
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.images.artifact_reads import artifact_reads
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.stages.verify.scan_reports import keep_report
from bot.verify.artifacts.ports import EndedRuns, Gathered
from bot.verify.scan_reports import ScanReport
from bot.watch.registry.incident import Incident

_LOOKED_BACK = timedelta(days=2)
"""What ended before that when the look for artifacts is switched on is left alone."""
_BUILT = (State.PROVING, State.STEPPING, State.SUCCEEDED, State.BUILT, State.FAILED)
_LONGEST_REFUSAL = 200
_REFUSALS_COUNT = timedelta(days=1)
"""How long an owner's refusal for one repository keeps the trouble open that another's answer would end."""


class ArtifactsStore(Store):
    """`bot.verify.artifacts.ports.ArtifactStore` on the database."""

    @property
    def ended(self) -> DueRows[EndedRuns]:
        return DueRows(
            *(self._database, self._worker, artifact_reads, self._read),
            lambda row: f"artifacts of rebuild {row['rebuild_id']}",
            where=[artifact_reads.c.read_at.is_(None)],
        )

    async def _read(self, claimed: Claimed) -> EndedRuns:
        query = (
            select(repositories.c.id, repositories.c.name, repositories.c.node_id, rebuilds.c.built_by)
            .join(rebuilds, rebuilds.c.repository_id == repositories.c.id)
            .where(rebuilds.c.id == claimed.row["rebuild_id"])
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one()
        runs = tuple(int(run) for run in row.built_by or ())
        return EndedRuns(claimed.id, Identity(row.name, row.node_id), row.id, runs)

    async def make_due(self) -> None:
        now = self._clock.now()
        since = now - _LOOKED_BACK
        # No rebuild ends after its rollout, and of all rollouts few are so new.
        late = select(rollouts.c.id).where(or_(rollouts.c.ended_at.is_(None), rollouts.c.ended_at > since))
        missing = select(rebuilds.c.id, literal(now, artifact_reads.c.due_at.type)).where(
            rebuilds.c.rollout_id.in_(late),
            rebuilds.c.built_by.is_not(None),
            rebuilds.c.state.in_([state.value for state in _BUILT]),
            or_(rebuilds.c.ended_at.is_(None), rebuilds.c.ended_at > since),
            ~select(artifact_reads.c.id).where(artifact_reads.c.rebuild_id == rebuilds.c.id).exists(),
        )
        async with self._database.reading() as connection:
            if (await connection.execute(missing.limit(1))).first() is None:
                return
        async with self._database.transaction() as connection:
            rows = insert_into(connection, artifact_reads).from_select(
                ["rebuild_id", "due_at"], missing.order_by(rebuilds.c.id)
            )
            await connection.execute(rows.on_conflict_do_nothing())

    async def keep(self, scan: ScanReport) -> None:
        async with self._database.transaction() as connection:
            await keep_report(connection, scan, self._clock.now())

    async def settle_artifacts(self, item: EndedRuns, gathered: Gathered) -> None:
        now = self._clock.now()
        values = {
            "read_at": now,
            "problems": "\n".join(gathered.problems) or None,
            "refused": None,
            "error": None,
        }
        async with self._database.transaction() as connection:
            await settle(connection, artifact_reads, self._worker, item.id, due_at=now, values=values)
            if not await _is_refused(connection, item, now - _REFUSALS_COUNT):
                await tell_incidents(connection, [], [_subject(item)], now)

    async def refuse_artifacts(self, item: EndedRuns, why: str, now: datetime) -> None:
        values = {"read_at": now, "refused": why[:_LONGEST_REFUSAL]}
        text = (
            f"reports in artifacts cannot be read at {_owner(item)} ({why}); the App needs actions: read there, "
            "or leave reports.artifacts empty"
        )
        async with self._database.transaction() as connection:
            await settle(
                connection, artifact_reads, self._worker, item.id, due_at=now, succeeded=False, values=values
            )
            await tell_incidents(connection, [Incident(_subject(item), now, text)], [], now)


async def _is_refused(connection: AsyncConnection, item: EndedRuns, since: datetime) -> bool:
    """Whether another repository of this owner showed nothing lately: a token may see one and not the other."""
    query = (
        select(artifact_reads.c.id)
        .join(rebuilds, rebuilds.c.id == artifact_reads.c.rebuild_id)
        .join(repositories, repositories.c.id == rebuilds.c.repository_id)
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
