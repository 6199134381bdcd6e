"""A clock that is a year ahead for one pass, as after a bad battery or a bad time server: all goes on once it is
right, and no later than ever."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.bases.change import Cause
from bot.domain.clock import ManualClock
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.queue.leases import leased_tables
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.model.fleet import AT_ONCE, IN_WAVES, SOAK, WAIT_AT_MOST, Fleet
from tests.integration.model.test_daily_moves import everything_ends
from tests.integration.store.filling import ASPNET

YEAR = timedelta(days=365)
APART = timedelta(minutes=25)
"""Between two passes: what is planned has settled by then."""


async def passes(fleet: Fleet, number: int) -> None:
    for _ in range(number):
        await fleet.everything(0)
        everything_ends(fleet)
        fleet.clock.advance(APART)


async def pass_a_year_ahead(fleet: Fleet) -> None:
    """The bot's clock alone: the forge's goes right."""
    fleet.forge.clock = ManualClock(fleet.clock.now())
    fleet.clock.at += YEAR
    await fleet.everything(0)
    fleet.clock.at -= YEAR
    fleet.forge.clock = fleet.clock


async def ends_of_the_newest(fleet: Fleet) -> set[RebuildState]:
    async with fleet.database.reading() as connection:
        newest = select(rebuilds.c.rollout_id).order_by(rebuilds.c.rollout_id.desc()).limit(1).scalar_subquery()
        states = await connection.scalars(select(rebuilds.c.state).where(rebuilds.c.rollout_id == newest))
        return {RebuildState(state) for state in states}


async def asleep(fleet: Fleet) -> list[str]:
    """The tables of which a row lies further ahead than anything in this fleet does."""
    found = []
    async with fleet.database.reading() as connection:
        for table in leased_tables():
            latest = await connection.scalar(select(table.c.due_at).order_by(table.c.due_at.desc()).limit(1))
            found += [table.name] if latest is not None and latest - fleet.clock.now() > YEAR / 2 else []
    return found


@pytest.mark.long
@pytest.mark.parametrize("policy", [AT_ONCE, IN_WAVES], ids=["at once", "in waves"])
@pytest.mark.parametrize("before", range(5))
async def test_all_goes_on_after_a_pass_a_year_ahead_wherever_that_comes(
    template: Path, tmp_path: Path, before: int, policy: Policy
) -> None:
    fleet = await Fleet.begin(template, tmp_path, policy)
    await fleet.publish(ASPNET, Cause.OS_UPDATE)
    await passes(fleet, before)
    await pass_a_year_ahead(fleet)
    await passes(fleet, (SOAK + WAIT_AT_MOST) // APART + 4)
    left = await ends_of_the_newest(fleet)
    await fleet.publish(ASPNET, Cause.OS_UPDATE)
    await passes(fleet, (SOAK + WAIT_AT_MOST) // APART + 4)
    assert {state for state in left if not state.has_ended} == set()
    assert {state for state in await ends_of_the_newest(fleet) if not state.has_ended} == set()
    assert fleet.forge.broken == []
    assert await asleep(fleet) == []
    await fleet.database.close()
