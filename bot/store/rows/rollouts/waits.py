"""What has not begun: the rows of it, without what they are about."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.rebuild import AWAITING, Action
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.timing.pace import Pace, opened_by
from bot.domain.rollouts.timing.waiting import ReleaseRules, Waiting, Waits, release_rules_at
from bot.domain.rollouts.timing.waves import Hold
from bot.store.engine.readable import readable
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.budgets import read_spendings
from bot.store.rows.rollouts.quarantined import KEPT_BY, keepers, kept_because
from bot.store.rows.rollouts.rollouts import open_pauses
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.rollouts.wave_counts import standings


async def read_waits(connection: AsyncConnection, rules: ReleaseRules) -> Waits:
    """What has not begun, how its rollouts stand, and what is paused."""
    columns = (
        "id", "rollout_id", "wave", "action", "severity", "due_at", "waits_since", "planned_at", "released_at",
        "gave_way_at", "at_request", "held_because", "distance", "waits_for", "waits_until",
    )  # fmt: skip
    at_home = rebuilds.join(repositories, repositories.c.id == rebuilds.c.repository_id).join(
        rollouts, rollouts.c.id == rebuilds.c.rollout_id
    )
    rows = await connection.execute(
        select(
            *(rebuilds.c[name] for name in columns),
            *(*KEPT_BY, repositories.c.name, rollouts.c.occasion),
        )
        .select_from(keepers(at_home))
        .where(rebuilds.c.state.in_(AWAITING))
    )
    waiting = tuple(readable(rows, _load_waiting, lambda row: f"rebuild {row.id}"))
    return Waits(waiting, await standings(connection, rules), tuple(await open_pauses(connection)))


def _load_waiting(row: Any) -> Waiting:
    return Waiting(
        row.id,
        row.rollout_id,
        row.wave,
        Severity(row.severity) if row.severity else None,
        row.due_at,
        row.waits_since or row.planned_at,
        row.released_at is not None and row.gave_way_at is None,
        row.at_request,
        row.held_because or kept_because(row),
        row.name,
        row.action == Action.PULL_REQUEST.value,
        row.occasion == Occasion.CATCH_UP.value,
        row.distance,
        Hold(row.waits_for, row.waits_until) if row.waits_for and row.released_at is None else None,
    )


async def read_through(connection: AsyncConnection, pace: Pace, now: datetime) -> dict[int, datetime]:
    """For each rollout, where that can be told, when the last of what waits will have begun."""
    waits = await read_waits(connection, release_rules_at(now, pace.options))
    return opened_by(waits, await read_spendings(connection, pace.limits), pace, now)
