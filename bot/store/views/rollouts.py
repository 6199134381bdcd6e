"""How rollouts and their rebuilds go, what waits, and what is kept back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Occasion, Rollout
from bot.domain.rollouts.steps import StepRun
from bot.domain.rollouts.timing.pace import Pace
from bot.domain.rollouts.timing.waiting import (
    ReleaseRules,
    RolloutOptions,
    RolloutStanding,
    Waits,
    release_rules_at,
    wave_holds,
)
from bot.domain.rollouts.timing.waves import waves_in_order
from bot.domain.wording.moves import headline
from bot.store.engine.codec import readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.rows.rollouts.quarantines import open_quarantines
from bot.store.rows.rollouts.rebuilds import is_current, read_rebuilds
from bot.store.rows.rollouts.rollouts import changes_by_rollout, latest_rollouts, open_pauses
from bot.store.rows.rollouts.steps import read_steps
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.rollouts.wave_counts import read_through, read_waits, standings
from bot.store.stores import Stores
from bot.views.rollouts.rollout import OwnDurations, QuarantineStatus, RolloutProgress, WaveProgress

_MOST_DURATIONS = 1000


class RolloutViewsStore(Store):
    """Reads what commands show of rollouts, and writes nothing; `pace` is what bounds these."""

    def __init__(self, database: Database, worker: Worker, clock: Clock, pace: Pace = Pace()) -> None:  # noqa: B008
        super().__init__(database, worker, clock)
        self._pace = pace

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores.options.pace)

    async def durations(self) -> OwnDurations:
        """Reads how long the latest rebuilds took that were built, by what they were."""
        query = (
            select(rebuilds.c.id, rebuilds.c.action, rebuilds.c.attempted_at, rebuilds.c.ended_at)
            .where(
                rebuilds.c.state.in_((RebuildState.SUCCEEDED.value, RebuildState.BUILT.value)),
                rebuilds.c.attempted_at.is_not(None),
            )
            .order_by(rebuilds.c.id.desc())
            .limit(_MOST_DURATIONS)
        )
        took: dict[str, list[timedelta]] = {}
        async with self._database.reading() as connection:
            whole = readable(
                await connection.execute(query),
                lambda row: (row.action, row.ended_at - row.attempted_at),
                lambda row: f"rebuild {row.id}",
            )
        for action, lasted in whole:
            took.setdefault(action, []).append(lasted)
        return OwnDurations(tuple(took.get(Action.DISPATCH, ())), tuple(took.get(Action.PULL_REQUEST, ())))

    async def opened_by(self, rollout: int) -> datetime | None:
        """Tells when the last of what waits of a rollout will probably have begun."""
        async with self._database.reading() as connection:
            return (await read_through(connection, self._pace, self._clock.now())).get(rollout)

    async def waits(self, rules: ReleaseRules) -> Waits:
        """Reads what has not begun, how its rollouts stand, and what is paused."""
        async with self._database.reading() as connection:
            return await read_waits(connection, rules)

    async def progress(
        self,
        options: RolloutOptions,
        now: datetime,
        *,
        limit: int = 1,
        offset: int = 0,
        number: int | None = None,
        is_open: bool = False,
        has_waves: bool = True,
    ) -> list[RolloutProgress]:
        """The latest rollouts but for the first `offset`, or the one with this number, in counts; with `is_open`
        those alone that have not ended. Counting by waves takes most of the time, and is left out without
        `has_waves`."""
        query = select(rollouts).order_by(rollouts.c.id.desc()).limit(limit).offset(offset)
        if number is not None:
            query = query.where(rollouts.c.id == number)
        if is_open:
            query = query.where(rollouts.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            rows = readable(await connection.execute(query), lambda row: row, lambda row: f"rollout {row.id}")
            ids = [row.id for row in rows]
            states = await _states_of(connection, ids)
            moved = await changes_by_rollout(connection, ids)
            stopped = await open_pauses(connection)
            rules = release_rules_at(now, options)
            wave_standings = await standings(connection, rules, rollouts.c.id.in_(ids)) if has_waves else ()
        standing: dict[int, list[RolloutStanding]] = {}
        for one in wave_standings:
            standing.setdefault(one.rollout, []).append(one)
        return [
            RolloutProgress(
                row.id,
                headline(moved.get(row.id, ()), Occasion(row.occasion)),
                row.opened_at,
                row.ended_at,
                next((pause for pause in stopped if pause.rollout in (None, row.id)), None),
                {
                    state.value: states.get(row.id, {})[state]
                    for state in RebuildState
                    if state in states.get(row.id, {})
                },
                tuple(wave for each in standing.get(row.id, ()) for wave in _waves(each, options, now)),
            )
            for row in rows
        ]

    async def open_quarantines(self) -> list[QuarantineStatus]:
        """Reads the quarantines that hold now, oldest first."""
        async with self._database.reading() as connection:
            return list(await open_quarantines(connection))

    async def rollouts(self, limit: int) -> list[Rollout]:
        """Reads the latest rollouts, newest first."""
        async with self._database.reading() as connection:
            return await latest_rollouts(connection, limit)

    async def ended_since(self, moment: datetime) -> list[Rebuild]:
        """Reads the rebuilds that have ended from `moment` on, but for those whose part another has taken over."""
        ended = (rebuilds.c.ended_at >= moment, rebuilds.c.state != RebuildState.SUPERSEDED.value)
        async with self._database.reading() as connection:
            return await read_rebuilds(connection, *ended)

    async def rebuilds_of(self, rollout: int) -> list[Rebuild]:
        """Reads all rebuilds of one rollout, but for those that were tried again."""
        async with self._database.reading() as connection:
            return await read_rebuilds(connection, rebuilds.c.rollout_id == rollout, is_current())

    async def steps_of(self, stepping_rebuilds: Sequence[Rebuild]) -> dict[int, tuple[StepRun, ...]]:
        """Reads the steps of those rebuilds that have some, by the rebuilds' ids."""
        async with self._database.reading() as connection:
            return await read_steps(connection, stepping_rebuilds)


async def _states_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many rebuilds of each rollout are in each state, but for those that were tried again."""
    counted = await connection.execute(
        select(rebuilds.c.rollout_id, rebuilds.c.state, func.count().label("number"))
        .where(rebuilds.c.rollout_id.in_(ids), is_current())
        .group_by(rebuilds.c.rollout_id, rebuilds.c.state)
    )
    numbers: dict[int, dict[str, int]] = {}
    for row in counted:
        numbers.setdefault(row.rollout_id, {})[row.state] = row.number
    return numbers


def _waves(standing: RolloutStanding, options: RolloutOptions, now: datetime) -> tuple[WaveProgress, ...]:
    """Gives the waves that have rebuilds at one distance, in their order."""
    holds = wave_holds(standing, options, now)
    return tuple(
        WaveProgress(wave.name, standing.tallies[wave.name], holds.get(wave.name), standing.distance)
        for wave in waves_in_order(options.waves, standing.tallies)
        if wave.name in standing.tallies and standing.tallies[wave.name].total
    )
