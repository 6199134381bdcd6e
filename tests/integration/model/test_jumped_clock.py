"""A clock that is a year ahead for one pass, as after a bad battery or a bad time server: all goes on once it is
right, and no later than ever."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.bases.change import Cause
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.schema import due_of
from bot.store.rows.tables import tasks
from tests.integration.model.fleet import AT_ONCE, IN_WAVES, SOAK, WAIT_AT_MOST, Fleet, everything_ends
from tests.integration.store.filling import ASPNET
from tests.migrated import new_sqlite

YEAR = timedelta(days=365)
APART = timedelta(hours=2)
"""Between two passes: what is planned has settled by then."""
ENOUGH = (SOAK + WAIT_AT_MOST) // APART + 4
"""Passes in which every wave is reached, and all that was begun comes to its end."""


WORKED_ON = (tasks, repositories, workflow_builds, rebuilds, steps)
"""The tables whose rows this fleet's stages claim."""


async def passes(fleet: Fleet, number: int) -> None:
    for _ in range(number):
        await fleet.everything(0)
        everything_ends(fleet)
        fleet.clock.advance(APART)


async def ends_of_the_newest(fleet: Fleet) -> set[RebuildState]:
    async with fleet.database.reading() as connection:
        newest = select(rebuilds.c.rollout_id).order_by(rebuilds.c.rollout_id.desc()).limit(1).scalar_subquery()
        states = await connection.scalars(select(rebuilds.c.state).where(rebuilds.c.rollout_id == newest))
        return {RebuildState(state) for state in states}


async def asleep(fleet: Fleet) -> list[str]:
    """The tables of which a row that somebody works on lies further ahead than anything in this fleet does."""
    found = []
    async with fleet.database.reading() as connection:
        for table in WORKED_ON:
            is_far = table.c.due_at > fleet.clock.now() + YEAR / 2
            far = await connection.scalar(select(table.c.id).where(is_far, *due_of(table).where).limit(1))
            found += [table.name] if far is not None else []
    return found


@pytest.mark.long
@pytest.mark.parametrize(
    ("policy", "before"),
    [(AT_ONCE, 0), (AT_ONCE, 1), (AT_ONCE, 2), (IN_WAVES, 1), (IN_WAVES, 2)],
    ids=["planned", "begun", "at its end", "in the first wave", "in the second wave"],
)
async def test_all_goes_on_after_a_pass_a_year_ahead_wherever_that_comes(
    tmp_path: Path, policy: Policy, before: int
) -> None:
    fleet = await Fleet.begin(new_sqlite(tmp_path / "walk.db"), policy)
    await fleet.publish(ASPNET, Cause.OS_UPDATE)
    await passes(fleet, before)
    await fleet.with_a_wrong_clock(0, YEAR)
    await passes(fleet, ENOUGH)
    before_the_next = await ends_of_the_newest(fleet)
    await fleet.publish(ASPNET, Cause.OS_UPDATE)
    await passes(fleet, ENOUGH)
    after_the_next = await ends_of_the_newest(fleet)
    sleeping = await asleep(fleet)
    await fleet.database.close()
    assert [state for state in (*before_the_next, *after_the_next) if not state.has_ended] == []
    assert (fleet.forge.broken, sleeping) == ([], [])
