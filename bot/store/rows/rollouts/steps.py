"""Steps as rows: planned with their rebuild, worked on once its build is green."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    Table,
    and_,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import Identity, named_at_its_forge
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.steps import StepRun, StepState, held_up
from bot.domain.rollouts.terms import Start, Step
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.writing import chunks
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.schema import (
    DueTable,
    LongText,
    Moment,
    NoMoment,
    Noted,
    ShortText,
    falls_due,
    key_column,
    lease_columns,
    metadata,
)

steps = Table(
    "steps",
    metadata,
    key_column(),
    Column("rebuild_id", ForeignKey("rebuilds.id"), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("step", JSON, nullable=False),
    Column("start", ShortText(16), nullable=False),
    Column("elsewhere", ShortText(255)),
    Column("state", ShortText(24), nullable=False),
    Column("reason", LongText, nullable=False),
    Column("began_at", Noted),
    Column("since", Noted),
    Column("deadline", Moment),
    Column("waits_since", Noted),
    Column("attempted_at", Noted),
    Column("correlation", ShortText(64), unique=True),
    Column("dispatches", Integer, nullable=False, server_default="0"),
    Column("looks_in_vain", Integer, nullable=False, server_default="0"),
    Column("refused", Boolean, nullable=False, server_default="0"),
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("run", BigInteger),
    Column("node_id", ShortText(128)),
    Column("url", LongText),
    Column("ended_at", Noted),
    *lease_columns(),
    Index(None, "due_at"),
)
"""`elsewhere` is the repository that the workflow is in, where that is not the rebuilt one."""

IS_OF_ONE_STEPPING = (
    select(rebuilds.c.id)
    .where(rebuilds.c.id == steps.c.rebuild_id, rebuilds.c.state == RebuildState.STEPPING.value)
    .where(rebuilds.c.call_off.is_(None))
)
IS_UNDER_WAY = or_(
    steps.c.state.in_([StepState.STARTED.value, StepState.RUNNING.value, StepState.APPROVAL.value]),
    and_(steps.c.state == StepState.DUE.value, steps.c.start != Start.DISPATCH.value),
)
IS_OF_RUNS = steps.c.start != Start.RUNNING.value
"""It is followed by a run of its workflow, and not by what runs of the image."""
IS_TO_START = and_(steps.c.state == StepState.DUE.value, steps.c.start == Start.DISPATCH.value)
falls_due(steps, DueTable("steps", (or_(IS_TO_START, IS_UNDER_WAY), IS_OF_ONE_STEPPING.exists()), is_regular=True))

WAS_REFUSED = and_(
    steps.c.state == StepState.FAILED.value,
    *(steps.c.refused.is_(True), steps.c.run.is_(None), steps.c.attempted_at.is_(None)),
)
"""It failed by a refusal, before a run of it was seen or asked for."""

_HAS_ENDED = [state.value for state in StepState if state.has_ended]


async def add_steps(
    connection: AsyncConnection, planned_steps: Iterable[tuple[int, Sequence[Step]]], now: datetime
) -> None:
    """The steps of new rebuilds, by the rebuilds' ids, none of which begins yet."""
    rows = [
        _row(rebuild, place, step, now)
        for rebuild, its_steps in planned_steps
        for place, step in enumerate(its_steps)
    ]
    for part in chunks(rows):
        await connection.execute(insert(steps), list(part))


def _row(rebuild: int, place: int, step: Step, now: datetime) -> dict[str, Any]:
    return {
        "rebuild_id": rebuild,
        "place": place,
        "step": dump(step, Step),
        "start": step.start.value,
        "elsewhere": step.repository,
        "state": StepState.PLANNED.value,
        "reason": "waits for its turn",
        "due_at": now,
    }


async def begin_step(
    connection: AsyncConnection, rebuild: int, place: int, since: datetime | None, now: datetime
) -> None:
    """The turn of one step has come."""
    await connection.execute(
        update(steps)
        .where(steps.c.rebuild_id == rebuild, steps.c.place == place, steps.c.state == StepState.PLANNED.value)
        .values(state=StepState.DUE.value, reason="its turn has come", due_at=now, began_at=now, since=since)
    )


async def begin_steps(connection: AsyncConnection, rebuild: Rebuild, now: datetime) -> None:
    """Gives the first step its turn after a green build; one that starts by itself may have begun with it."""
    began = rebuild.merge.at if rebuild.merge is not None else rebuild.attempted_at
    await begin_step(connection, rebuild.id, 0, began or now, now)


async def end_steps(connection: AsyncConnection, rebuild_ids: Iterable[int], reason: str, now: datetime) -> None:
    """The step under way in each of these rebuilds ends with it; a run of it that goes on is left alone."""
    for ids in chunks(sorted(rebuild_ids)):
        await connection.execute(
            update(steps)
            .where(
                steps.c.rebuild_id.in_(ids),
                steps.c.state.not_in([*_HAS_ENDED, StepState.PLANNED.value]),
            )
            .values(
                state=StepState.CANCELLED.value, reason=reason, ended_at=now, lease_owner=None, lease_until=None
            )
        )


async def repeat_steps(connection: AsyncConnection, before: int, again: Rebuild, now: datetime) -> None:
    """The steps of a rebuild once more: where it was built, those that succeeded stand, and the next begins."""
    rows = await connection.execute(select(steps).where(steps.c.rebuild_id == before).order_by(steps.c.place))
    stands, since = again.state is RebuildState.STEPPING, None
    for row in rows.mappings().all():
        step = load(row["step"], Step)
        if stands and row["state"] == StepState.SUCCEEDED.value:
            columns = ("place", "step", "start", "elsewhere", "state", "reason", "began_at", "url", "ended_at")
            values = {name: row[name] for name in columns}
            await connection.execute(insert(steps).values(**values, rebuild_id=again.id, due_at=now))
            since = row["began_at"]
            continue
        await connection.execute(insert(steps).values(**_row(again.id, row["place"], step, now)))
        if stands:
            await begin_step(connection, again.id, row["place"], since or now, now)
            stands = False


async def read_steps(connection: AsyncConnection, of: Sequence[Rebuild]) -> dict[int, tuple[StepRun, ...]]:
    """The steps of these rebuilds in their order, by the rebuilds' ids."""
    homes = {rebuild.id: rebuild.identity for rebuild in of if rebuild.steps}
    runs_by_rebuild: dict[int, list[StepRun]] = {}
    for ids in chunks(sorted(homes)):
        rows = await connection.execute(
            select(steps).where(steps.c.rebuild_id.in_(ids)).order_by(steps.c.rebuild_id, steps.c.place)
        )
        for step in readable(
            rows.mappings(), lambda row: step_of(row, homes[row["rebuild_id"]]), lambda row: f"step {row['id']}"
        ):
            runs_by_rebuild.setdefault(step.rebuild, []).append(step)
    return {rebuild: tuple(runs) for rebuild, runs in runs_by_rebuild.items()}


def step_of(row: RowMapping | Mapping[str, Any], own: Identity, elsewhere: Identity | None = None) -> StepRun:
    """`own` is the rebuilt repository; `elsewhere` what is known of the one that the workflow is in."""
    away = None if row["elsewhere"] is None else elsewhere or named_at_its_forge(row["elsewhere"])
    return StepRun(
        id=row["id"],
        rebuild=row["rebuild_id"],
        place=row["place"],
        step=load(row["step"], Step),
        home=away or own,
        state=StepState(row["state"]),
        reason=row["reason"],
        due_at=row["due_at"],
        attempts=row["attempts"],
        began_at=row["began_at"],
        since=row["since"],
        deadline=row["deadline"],
        waits_since=row["waits_since"],
        attempted_at=row["attempted_at"],
        correlation=row["correlation"],
        dispatches=row["dispatches"],
        run=row["run"],
        node_id=row["node_id"],
        url=row["url"],
        ended_at=row["ended_at"],
        looks_in_vain=row["looks_in_vain"],
        refused=row["refused"],
        refusals=row["refusals"],
    )


def step_columns(step: StepRun) -> dict[str, Any]:
    """What may change in the life of a step."""
    return {
        **step_outcome(step),
        "attempted_at": step.attempted_at,
        "correlation": step.correlation,
        "dispatches": step.dispatches,
        "run": step.run,
        "node_id": step.node_id,
        "url": step.url,
    }


def step_outcome(step: StepRun) -> dict[str, Any]:
    return {
        "state": step.state.value,
        "reason": step.reason,
        "deadline": step.deadline,
        "waits_since": step.waits_since,
        "ended_at": step.ended_at,
        "refused": step.refused,
    }


def kept_time(row: Mapping[str, Any], until: datetime) -> dict[str, Any]:
    """What changes in a step that is put off until then before it came to anything; a row that cannot be read keeps
    what it has."""
    moments = row["deadline"], row["waits_since"], row["due_at"]
    if any(isinstance(each, NoMoment) for each in moments):
        return {}
    return {"deadline": held_up(*moments, until)}


def workflow_in(step: Any) -> str | None:
    """The workflow of a step as it is stored; None of one that cannot be read."""
    return step.get("workflow") if isinstance(step, Mapping) else None


async def runs_taken(connection: AsyncConnection, home: Identity) -> set[int]:
    """The runs of a repository's workflows that already belong to a rebuild or to a step, of those that are shown
    where `home` is asked: another builder counts its runs by itself."""
    columns = rebuilds.c.id, rebuilds.c.run, rebuilds.c.workflow
    own = select(*columns).join(repositories, repositories.c.id == rebuilds.c.repository_id)
    own_rebuilds = own.where(repositories.c.name == home.name).subquery()
    built = select(own_rebuilds.c.run, own_rebuilds.c.workflow).where(own_rebuilds.c.run.is_not(None))
    step_runs = select(steps.c.run, steps.c.step).where(
        steps.c.run.is_not(None),
        (steps.c.elsewhere == home.name)
        | (steps.c.elsewhere.is_(None) & steps.c.rebuild_id.in_(select(own_rebuilds.c.id))),
    )
    found = [(row.run, row.workflow) for row in await connection.execute(built)]
    found += [(row.run, workflow_in(row.step)) for row in await connection.execute(step_runs)]
    return {run for run, workflow in found if home.for_builds(workflow).owner == home.owner}
