"""A base that moves every day puts nobody to the end of the queue again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, select

from bot.domain.bases.change import Cause
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.timing.waves import Wave
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.model.fleet import NAMES, NOON, Fleet, everything_ends
from tests.integration.store.filling import ASPNET
from tests.migrated import new_sqlite

SETTLE = timedelta(minutes=20)
TICK = timedelta(hours=2)
DAYS = 6
WAVES = (
    Wave("canary", soak=timedelta(hours=4), wait_at_most=timedelta(hours=12)),
    Wave("early", soak=timedelta(hours=6), wait_at_most=timedelta(days=1)),
    Wave("rest"),
)
REACHED_WITHIN = {
    "canary": timedelta(),
    "early": timedelta(hours=4) + timedelta(hours=12),
    "rest": timedelta(hours=4 + 6) + timedelta(days=1),
}
"""The soaks of the waves before, and the longest that one of them is waited for."""
POLICY = Policy(
    (
        PolicyRule(Match(repositories=(NAMES[1],)), wave="canary"),
        PolicyRule(Match(repositories=(NAMES[2],)), wave="early"),
        PolicyRule(settle=SETTLE),
    ),
    WAVES,
)


@pytest.mark.long
@pytest.mark.parametrize("stalls", ["nobody", "everybody"])
async def test_each_wave_is_reached_within_the_soaks_and_one_longest_wait(tmp_path: Path, stalls: str) -> None:
    fleet = await Fleet.begin(new_sqlite(tmp_path / "walk.db"), POLICY)
    while fleet.clock.now() < NOON + timedelta(days=DAYS):
        if (fleet.clock.now() - NOON) // timedelta(days=1) >= fleet.numbers - 1:
            await fleet.publish(ASPNET, Cause.OS_UPDATE)
        await fleet.everything(0)
        if stalls == "nobody":
            everything_ends(fleet)
        fleet.clock.advance(TICK)

    async with fleet.database.reading() as connection:
        rows = (await connection.execute(select(rebuilds).order_by(rebuilds.c.id))).mappings().all()
    await fleet.database.close()
    assert [(wave, waited) for wave, waited in waits(rows, fleet.clock.now()) if too_long(wave, waited)] == []
    assert {row["wave"] for row in rows if row["released_at"] is not None} == {"canary", "early", "rest"}


def waits(rows: Sequence[RowMapping], now: datetime) -> list[tuple[str, timedelta]]:
    """For each rebuild that began or waits on, its wave and how long it had waited, with those that it took the
    place of before they had begun."""
    found = []
    since: dict[int, datetime] = {}
    for row in rows:
        begun_to_wait = since.pop(row["repository_id"], row["planned_at"])
        if row["released_at"] is None and row["state"] == RebuildState.SUPERSEDED.value:
            since[row["repository_id"]] = begun_to_wait
        else:
            found.append((row["wave"], (row["released_at"] or now) - begun_to_wait))
    return found


def too_long(wave: str, waited: timedelta) -> bool:
    return waited > REACHED_WITHIN[wave] + SETTLE + TICK
