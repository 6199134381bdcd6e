"""Rollouts as rows: what they hold and are about, and what keeps their rebuilds from beginning."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change
from bot.domain.rollouts.rebuild import AWAITING, FOLLOWED, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Occasion, Pause, Rollout
from bot.domain.wording.moves import headline
from bot.store.engine.codec import load, readable
from bot.store.rows.bases.tables import changes
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import LATER, is_current, is_gone_on_with, read_rebuilds
from bot.store.rows.rollouts.tables import pauses, rebuilds, rollout_waves, rollouts
from bot.store.rows.schema import DueTable, falls_due

IS_KEPT = or_(rebuilds.c.held_because.is_not(None), rebuilds.c.quarantine_id.is_not(None))
"""A person keeps it, or one of its bases is quarantined: no wave waits for it."""

ALL_PAUSED = exists(select(pauses.c.id).where(pauses.c.until.is_(None), pauses.c.rollout_id.is_(None)))
"""The bot is paused as a whole."""
_ROLLOUT_PAUSED = exists(
    select(pauses.c.id).where(pauses.c.until.is_(None), pauses.c.rollout_id == rebuilds.c.rollout_id)
)

IS_KEPT_LATER = is_gone_on_with(
    or_(
        *(LATER.c.held_because.is_not(None), LATER.c.quarantine_id.is_not(None), ALL_PAUSED),
        LATER.c.rollout_id.in_(select(pauses.c.rollout_id).where(pauses.c.until.is_(None))),
        LATER.c.repository_id.in_(select(repositories.c.id).where(repositories.c.listed.is_(False))),
    )
)
"""A word keeps the rebuild that is to go on with its pull request; a window or a wave that is to come is none."""

IS_RELEASED = and_(rebuilds.c.released_at.is_not(None), rebuilds.c.gave_way_at.is_(None))
"""Its wave has come, and it has a place there: what a fault has held up, and has given way since, has none."""
MAY_BEGIN = and_(IS_RELEASED, ~IS_KEPT, or_(rebuilds.c.at_request.is_(True), ~_ROLLOUT_PAUSED))
"""Its wave has come and nobody keeps it or its rollout; what was asked for by itself begins in a paused one too."""

OPEN = [state.value for state in RebuildState if not state.has_ended]
"""Named one by one, so that their index is used."""

falls_due(
    rebuilds,
    DueTable(
        "rebuilds",
        (rebuilds.c.state.in_(OPEN), or_(rebuilds.c.state.not_in(AWAITING), MAY_BEGIN)),
        is_regular=True,
        early=(rebuilds.c.state.in_((*FOLLOWED, RebuildState.PROVING)),),
        dated_by_people=(rebuilds.c.state == RebuildState.PLANNED.value,),
    ),
)
"""What waits for its wave or its window keeps its time; once it was tried, it rests as everything else does."""

IS_LEFT_TO_THE_BOT = and_(rebuilds.c.call_off.is_(None), ~ALL_PAUSED)
"""Nobody has called it off, and the bot is not paused as a whole."""


def is_paused() -> ColumnElement[bool]:
    """Whether a rollout of the `rollouts` table is paused, alone or with all others."""
    return exists(
        select(pauses.c.id).where(
            pauses.c.until.is_(None), or_(pauses.c.rollout_id.is_(None), pauses.c.rollout_id == rollouts.c.id)
        )
    )


async def paused_rollouts(connection: AsyncConnection) -> set[int | None]:
    """The rollouts that are paused; None among them where the bot is as a whole."""
    return set(await connection.scalars(select(pauses.c.rollout_id).where(pauses.c.until.is_(None))))


async def open_pauses(connection: AsyncConnection) -> list[Pause]:
    """Those that hold now, oldest first."""
    rows = await connection.execute(select(pauses).where(pauses.c.until.is_(None)).order_by(pauses.c.id))
    return readable(
        rows,
        lambda row: Pause(row.id, row.rollout_id, row.since, row.who, row.reason),
        lambda row: f"pause {row.id}",
    )


async def latest_rollouts(connection: AsyncConnection, limit: int) -> list[Rollout]:
    """Rollouts with all of their changes and rebuilds, but for those that were tried again, the newest first."""
    newest = await connection.execute(select(rollouts).order_by(rollouts.c.id.desc()).limit(limit))
    rows = newest.mappings().all()
    numbers = [row["id"] for row in rows]
    changes_by_number, numbers_aside = (
        await changes_by_rollout(connection, numbers),
        await set_aside(connection, numbers),
    )
    standing = await open_pauses(connection)
    rebuilds_by_rollout: dict[int, list[Rebuild]] = {number: [] for number in numbers}
    for rebuild in await read_rebuilds(connection, rebuilds.c.rollout_id.in_(numbers), is_current()):
        rebuilds_by_rollout[rebuild.rollout].append(rebuild)
    return [
        Rollout(
            number,
            row["opened_at"],
            changes_by_number.get(number, ()),
            tuple(rebuilds_by_rollout[number]),
            row["ended_at"],
            next((pause for pause in standing if pause.rollout in (None, number)), None),
            numbers_aside.get(number, {}),
            Occasion(row["occasion"]),
        )
        for number, row in zip(numbers, rows, strict=True)
    ]


async def changes_of(connection: AsyncConnection, number: int) -> tuple[Change, ...]:
    """The changes that set off a rollout, oldest first."""
    return (await changes_by_rollout(connection, [number])).get(number, ())


async def changes_by_rollout(
    connection: AsyncConnection, numbers: Collection[int]
) -> dict[int, tuple[Change, ...]]:
    """The same for several rollouts, by their ids; those that no change set off are left out."""
    rows = await connection.execute(
        select(changes.c.rollout_id, changes.c.id, changes.c.change)
        .where(changes.c.rollout_id.in_(numbers))
        .order_by(changes.c.id)
    )
    pairs = readable(rows, lambda row: (row.rollout_id, load(row.change, Change)), lambda row: f"change {row.id}")
    changes_of_rollout: dict[int, tuple[Change, ...]] = {}
    for number, change in pairs:
        changes_of_rollout[number] = (*changes_of_rollout.get(number, ()), change)
    return changes_of_rollout


async def moves_of(connection: AsyncConnection, number: int) -> dict[int, list[int]]:
    """The same by their ids, for each base."""
    ids_by_base: dict[int, list[int]] = {}
    query = select(changes.c.base_id, changes.c.id).where(changes.c.rollout_id == number).order_by(changes.c.id)
    for row in await connection.execute(query):
        ids_by_base.setdefault(row.base_id, []).append(row.id)
    return ids_by_base


async def set_aside(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, dict[str, int]]:
    """By rollout, how many unmerged pull requests of each wave the next ones no longer wait for."""
    left_out = await connection.execute(
        select(
            rollout_waves.c.rollout_id, rollout_waves.c.name, func.sum(rollout_waves.c.set_aside).label("number")
        )
        .where(rollout_waves.c.rollout_id.in_(numbers), rollout_waves.c.set_aside > 0)
        .group_by(rollout_waves.c.rollout_id, rollout_waves.c.name)
    )
    numbers_by_wave: dict[int, dict[str, int]] = {}
    for rollout, name, number in left_out:
        numbers_by_wave.setdefault(rollout, {})[name] = int(number)
    return numbers_by_wave


IS_WAITING = and_(rebuilds.c.state.in_(AWAITING), ~IS_RELEASED, ~IS_KEPT)
"""It has not begun and waits for its wave, or for a place there."""


async def title_of(connection: AsyncConnection, rollout: int) -> str:
    """From the changes that set it off; where none did, from what it is for."""
    return (await titles_of(connection, [rollout]))[rollout]


async def titles_of(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, str]:
    """The titles of rollouts by their ids, in as many statements as that of one."""
    occasions = await connection.execute(
        select(rollouts.c.id, rollouts.c.occasion).where(rollouts.c.id.in_(numbers))
    )
    changes_by_number = await changes_by_rollout(connection, numbers)
    return {row.id: headline(changes_by_number.get(row.id, ()), Occasion(row.occasion)) for row in occasions}
