"""Changes that await a plan, rollouts and rebuilds: what `plan`, `act`, `verify` and `report` share."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, case, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.act.ports import Job
from bot.domain.change import Change, Move
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.following import followed_base
from bot.domain.rebuild import Action, Rebuild, State, Target
from bot.domain.repository import Affected, Member, Workflow
from bot.domain.repository_config import RepositoryConfig
from bot.domain.rollout import OpenRollout, PlannedRebuild, PlannedRollout, Rollout
from bot.domain.usage import Replacement, Usage
from bot.store.codec import dump, load
from bot.store.database import Database
from bot.store.inserting import chunks
from bot.store.outbox import announce
from bot.store.queue import Worker, claim, settle
from bot.store.tables import changes, rebuilds, repositories, rollouts, transitions, usages

_ENDED = tuple(state.value for state in State if state.has_ended)
_IS_OUTDATED = and_(rebuilds.c.state == State.OPEN.value, rebuilds.c.explained > rebuilds.c.worded)


class RolloutStore:
    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock

    # plan

    async def unplanned(self) -> list[Move]:
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                select(changes.c.id, changes.c.change, changes.c.rollout_id)
                .where(changes.c.planned.is_(False))
                .order_by(changes.c.id)
            )
            return [Move(row.id, load(row.change, Change), row.rollout_id) for row in rows]

    async def affected(self, ids: Sequence[int]) -> dict[int, list[Affected]]:
        """For each change the usages that follow its base, in repositories that no plan for it has served yet."""
        query = (
            select(
                changes.c.id.label("change"),
                usages.c.usage,
                repositories.c.id,
                repositories.c.name,
                repositories.c.workflows,
                repositories.c.config,
            )
            .join(usages, usages.c.base_id == changes.c.base_id)
            .join(repositories, repositories.c.id == usages.c.repository_id)
            .where(changes.c.id.in_(ids), repositories.c.listed.is_(True))
            .order_by(repositories.c.name, usages.c.id)
        )
        concerned = select(rebuilds.c.repository_id, rebuilds.c.targets).where(
            rebuilds.c.rollout_id.in_(select(changes.c.rollout_id).where(changes.c.id.in_(ids))),
            rebuilds.c.state != State.SUPERSEDED.value,
        )
        found: dict[int, list[Affected]] = {}
        members: dict[int, Member] = {}
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
            pins = await _sdk_pins(connection, {row["id"] for row in rows})
            planned = {
                (row.repository_id, change)
                for row in await connection.execute(concerned)
                for target in load(row.targets, tuple[Target, ...])
                for change in target.changes
            }
            for row in rows:
                if (row["id"], row["change"]) in planned:
                    continue
                member = members.get(row["id"]) or members.setdefault(row["id"], _member(row, pins))
                found.setdefault(row["change"], []).append(Affected(member, load(row["usage"], Usage)))
        return found

    async def open_rebuilds(self) -> list[Rebuild]:
        async with self._database.transaction() as connection:
            return await read_rebuilds(connection, rebuilds.c.state.not_in(_ENDED))

    async def open_rollouts(self) -> list[OpenRollout]:
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                select(rollouts.c.id, rollouts.c.opened_at, changes.c.change)
                .join(changes, changes.c.rollout_id == rollouts.c.id)
                .where(rollouts.c.ended_at.is_(None))
                .order_by(rollouts.c.id)
            )
            grouped: dict[tuple[int, datetime], list[Change]] = {}
            for row in rows:
                grouped.setdefault((row.id, row.opened_at), []).append(load(row.change, Change))
        return [
            OpenRollout(key[0], key[1], tuple(item.cause for item in items), tuple(item.base for item in items))
            for key, items in grouped.items()
        ]

    async def save_plan(self, plan: PlannedRollout) -> None:
        """All of it or nothing; raises `LeaseLost` where another replica has planned one of the changes."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            taken = await connection.execute(
                update(changes)
                .where(changes.c.id.in_(plan.changes), changes.c.planned.is_(False))
                .values(planned=True)
                .returning(changes.c.id)
            )
            if len(taken.all()) != len(plan.changes):
                raise LeaseLost("another worker has planned these changes")
            if not plan.rebuilds:
                return
            rollout = plan.joins
            if rollout is None:
                opened = await connection.execute(insert(rollouts).values(opened_at=now).returning(rollouts.c.id))
                rollout = int(opened.scalar_one())
            await connection.execute(
                update(changes).where(changes.c.id.in_(plan.changes)).values(rollout_id=rollout)
            )
            touched = await _supersede(connection, plan.rebuilds, rollout, now)
            await _add(connection, plan.rebuilds, rollout, now)
            await _after_transitions(connection, touched | {rollout}, now)

    async def reconsiderable(self) -> list[tuple[Rebuild, tuple[Change, ...]]]:
        """Waiting rebuilds whose changes were assessed again since their due time was last decided."""
        assessed_since = (
            select(changes.c.id)
            .where(
                changes.c.rollout_id == rebuilds.c.rollout_id,
                changes.c.assessed_at > rebuilds.c.considered_at,
            )
            .exists()
        )
        waiting = rebuilds.c.state.in_([State.PLANNED.value, State.WAITING.value])
        late = rebuilds.c.due_at > self._clock.now()
        async with self._database.transaction() as connection:
            found = await read_rebuilds(connection, and_(waiting, late, assessed_since))
            ids = {change for rebuild in found for target in rebuild.targets for change in target.changes}
            rows = await connection.execute(
                select(changes.c.id, changes.c.change).where(changes.c.id.in_(ids or {0}))
            )
            known = {row.id: load(row.change, Change) for row in rows}
        return [
            (
                rebuild,
                tuple(known[change] for target in rebuild.targets for change in target.changes if change in known),
            )
            for rebuild in found
        ]

    async def save_reconsidered(self, due: Mapping[int, datetime]) -> None:
        """New due times by rebuild; only ever earlier, and only while nobody works on it."""
        at = bindparam("at", type_=rebuilds.c.due_at.type)
        statement = (
            update(rebuilds)
            .where(rebuilds.c.id == bindparam("rebuild"), rebuilds.c.lease_owner.is_(None))
            .values(
                considered_at=self._clock.now(),
                due_at=case((rebuilds.c.due_at > at, at), else_=rebuilds.c.due_at),
            )
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement, [{"rebuild": rebuild, "at": at} for rebuild, at in due.items()])

    # act, verify

    async def claim_jobs(self, states: Iterable[State], limit: int) -> list[Job]:
        """Due rebuilds with their repository, changes and files; among them open ones whose text is outdated."""
        in_state = rebuilds.c.state.in_([state.value for state in states])
        async with self._database.transaction() as connection:
            rows = await claim(
                connection,
                rebuilds,
                self._worker,
                self._clock.now(),
                limit=limit,
                where=[or_(in_state, _IS_OUTDATED)],
            )
            return [await _job(connection, row) for row in rows]

    async def open_pull_requests(self, repository: str) -> int:
        """How many pull requests of the bot are open in a repository."""
        query = (
            select(func.count(func.distinct(rebuilds.c.branch)))
            .join(repositories, repositories.c.id == rebuilds.c.repository_id)
            .where(repositories.c.name == repository, rebuilds.c.state == State.OPEN.value)
        )
        async with self._database.transaction() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def claim_rebuilds(self, states: Iterable[State], limit: int) -> list[Rebuild]:
        """Due rebuilds in one of `states`, now leased to this worker; those with outdated text are left to act."""
        wanted = [state.value for state in states]
        async with self._database.transaction() as connection:
            rows = await claim(
                connection,
                rebuilds,
                self._worker,
                self._clock.now(),
                limit=limit,
                where=[rebuilds.c.state.in_(wanted), not_(_IS_OUTDATED)],
            )
            names = await _names(connection, [row["repository_id"] for row in rows])
        return [_rebuild(row, names[row["repository_id"]]) for row in rows]

    async def save_progress(self, rebuild: Rebuild) -> None:
        """Stores what an attempt intends or has reached, while the lease goes on; else raises `LeaseLost`."""
        async with self._database.transaction() as connection:
            stored = await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == rebuild.id, rebuilds.c.lease_owner == self._worker.name)
                .values(**_columns(rebuild))
            )
        if stored.rowcount != 1:
            raise LeaseLost(f"rebuild {rebuild.id} is no longer leased to {self._worker.name}")

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        """Ends the claim: the new state, when it is due again, and, on a transition, its trace and message.

        Of a failed attempt only state and reason are taken: what it has stored of its intent stays.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(
                connection,
                rebuilds,
                self._worker,
                after.id,
                due_at=after.due_at,
                succeeded=succeeded,
                values=_columns(after) if succeeded else _outcome(after),
            )
            if after.state is not before.state:
                await _note(connection, [_step(after.id, now, before.state, after.state, after.reason)])
            if (after.state, after.reason, after.url) != (before.state, before.reason, before.url):
                await _after_transitions(connection, {after.rollout}, now)

    async def runs_taken(self, repository: str) -> set[int]:
        """Workflow runs that already belong to a rebuild of the repository."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                select(rebuilds.c.run)
                .join(repositories, repositories.c.id == rebuilds.c.repository_id)
                .where(repositories.c.name == repository, rebuilds.c.run.is_not(None))
            )
            return set(rows.scalars())

    # report

    async def rollout(self, id: int) -> Rollout:  # noqa: A002 - the word of the language
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(rollouts).where(rollouts.c.id == id))).mappings().one()
            moved = await connection.execute(
                select(changes.c.change).where(changes.c.rollout_id == id).order_by(changes.c.id)
            )
            found = await read_rebuilds(connection, rebuilds.c.rollout_id == id)
            return Rollout(
                id,
                row["opened_at"],
                tuple(load(change, Change) for change in moved.scalars()),
                tuple(found),
                row["ended_at"],
            )

    async def rollouts(self, limit: int) -> list[Rollout]:
        """The latest rollouts, newest first."""
        async with self._database.transaction() as connection:
            ids = list(
                (
                    await connection.execute(select(rollouts.c.id).order_by(rollouts.c.id.desc()).limit(limit))
                ).scalars()
            )
        return [await self.rollout(found) for found in ids]


async def read_rebuilds(connection: AsyncConnection, *where: ColumnElement[bool]) -> list[Rebuild]:
    rows = await connection.execute(
        select(rebuilds, repositories.c.name.label("repository_name"))
        .join(repositories, repositories.c.id == rebuilds.c.repository_id)
        .where(*where)
        .order_by(rebuilds.c.id)
    )
    return [_rebuild(row, row["repository_name"]) for row in rows.mappings()]


async def _job(connection: AsyncConnection, row: RowMapping) -> Job:
    home = (
        (await connection.execute(select(repositories).where(repositories.c.id == row["repository_id"])))
        .mappings()
        .one()
    )
    rebuild = _rebuild(row, home["name"])
    moved = await connection.execute(
        select(changes.c.change)
        .where(changes.c.id.in_([change for target in rebuild.targets for change in target.changes]))
        .order_by(changes.c.id)
    )
    named = await connection.execute(select(usages.c.usage).where(usages.c.repository_id == home["id"]))
    found = [load(item, Usage) for item in named.scalars()]
    targets = {target.base for target in rebuild.targets}
    paths = {usage.path for usage in found if usage.sdk_pin or followed_base(usage.reference) in targets}
    return Job(
        rebuild,
        _member(home, {}),
        home["default_branch"],
        tuple(load(change, Change) for change in moved.scalars()),
        tuple(sorted(paths)),
    )


async def _names(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    rows = await connection.execute(
        select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(ids))
    )
    return {row.id: row.name for row in rows}


def _step(rebuild: int, at: datetime, before: State | None, after: State, reason: str) -> dict[str, Any]:
    return {
        "rebuild_id": rebuild,
        "at": at,
        "before": before.value if before else None,
        "after": after.value,
        "reason": reason,
    }


async def _note(connection: AsyncConnection, steps: Sequence[dict[str, Any]]) -> None:
    await connection.execute(insert(transitions), list(steps))


async def _after_transitions(connection: AsyncConnection, touched: set[int], now: datetime) -> None:
    """A rollout ends with its last rebuild; its message is due whenever one of them moved."""
    for rollout in sorted(touched):
        open_ones = select(rebuilds.c.id).where(rebuilds.c.rollout_id == rollout, rebuilds.c.state.not_in(_ENDED))
        still_open = (await connection.execute(open_ones.limit(1))).first() is not None
        await connection.execute(
            update(rollouts).where(rollouts.c.id == rollout).values(ended_at=None if still_open else now)
        )
        await announce(connection, f"rollout:{rollout}", now)


async def _add(connection: AsyncConnection, planned: Sequence[PlannedRebuild], rollout: int, now: datetime) -> None:
    rows = [
        {
            "rollout_id": rollout,
            "repository_id": item.repository_id,
            "action": item.action.value,
            "state": item.state.value,
            "reason": item.reason,
            "targets": dump(item.targets, tuple[Target, ...]),
            "replacements": dump(item.replacements, tuple[Replacement, ...]),
            "wave": item.wave,
            "planned_at": now,
            "considered_at": now,
            "due_at": item.due_at,
            "workflow": item.workflow,
            "branch": item.branch,
            "pull_request": item.pull_request,
            "ended_at": now if item.state.has_ended else None,
        }
        for item in planned
    ]
    added = await connection.execute(
        insert(rebuilds).returning(rebuilds.c.id, rebuilds.c.state, rebuilds.c.reason), rows
    )
    await _note(connection, [_step(row.id, now, None, State(row.state), row.reason) for row in added])


async def _supersede(
    connection: AsyncConnection, planned: Sequence[PlannedRebuild], rollout: int, now: datetime
) -> set[int]:
    """Ends what the planned rebuilds replace; the rollouts that lost one by it."""
    replaced = [old for item in planned for old in item.supersedes]
    reason = f"a newer digest arrived; rollout {rollout} goes on with it"
    touched: set[int] = set()
    for ids in chunks(replaced):
        # Locked first, so that what a busy worker is just writing is seen here.
        await connection.execute(
            select(rebuilds.c.id).where(rebuilds.c.id.in_(ids)).order_by(rebuilds.c.id).with_for_update()
        )
        still_open = await read_rebuilds(connection, rebuilds.c.id.in_(ids), rebuilds.c.state.not_in(_ENDED))
        if not still_open:
            continue
        ended = [rebuild.moved(State.SUPERSEDED, reason, at=now) for rebuild in still_open]
        # Taking the lease away stops a worker that is busy with one from writing over this.
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_([rebuild.id for rebuild in ended]))
            .values(**_outcome(ended[0]), lease_owner=None, lease_until=None)
        )
        await _note(
            connection,
            [_step(old.id, now, old.state, new.state, reason) for old, new in zip(still_open, ended, strict=True)],
        )
        touched |= {rebuild.rollout for rebuild in still_open}
    return touched


def _member(row: RowMapping, pins: Mapping[int, Sequence[Usage]]) -> Member:
    return Member(
        row["id"],
        row["name"],
        load(row["workflows"], tuple[Workflow, ...]),
        load(row["config"], RepositoryConfig),
        tuple(pins.get(row["id"], ())),
    )


async def _sdk_pins(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, list[Usage]]:
    """The usages that follow no base: what global.json files ask for."""
    found: dict[int, list[Usage]] = {}
    for chunk in chunks(sorted(ids)):
        rows = await connection.execute(
            select(usages.c.repository_id, usages.c.usage)
            .where(usages.c.repository_id.in_(chunk), usages.c.base_id.is_(None))
            .order_by(usages.c.id)
        )
        for row in rows:
            found.setdefault(row.repository_id, []).append(load(row.usage, Usage))
    return found


def _rebuild(row: RowMapping, repository: str) -> Rebuild:
    return Rebuild(
        id=row["id"],
        rollout=row["rollout_id"],
        repository=repository,
        action=Action(row["action"]),
        state=State(row["state"]),
        reason=row["reason"],
        targets=load(row["targets"], tuple[Target, ...]),
        replacements=load(row["replacements"], tuple[Replacement, ...]),
        wave=row["wave"],
        due_at=row["due_at"],
        planned_at=row["planned_at"],
        branch=row["branch"],
        pull_request=row["pull_request"],
        workflow=row["workflow"],
        correlation=row["correlation"],
        attempted_at=row["attempted_at"],
        run=row["run"],
        url=row["url"],
        attempts=row["attempts"],
        explained=row["explained"],
        worded=row["worded"],
        ended_at=row["ended_at"],
    )


def _columns(rebuild: Rebuild) -> dict[str, Any]:
    """What may change in the life of a rebuild."""
    return {
        **_outcome(rebuild),
        "branch": rebuild.branch,
        "pull_request": rebuild.pull_request,
        "workflow": rebuild.workflow,
        "correlation": rebuild.correlation,
        "attempted_at": rebuild.attempted_at,
        "run": rebuild.run,
        "url": rebuild.url,
        "worded": rebuild.worded,
    }


def _outcome(rebuild: Rebuild) -> dict[str, Any]:
    return {"state": rebuild.state.value, "reason": rebuild.reason, "ended_at": rebuild.ended_at}
