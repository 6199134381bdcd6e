"""Quarantines as rows, and what they keep from beginning."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import AWAITING, Action, State, Target
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks
from bot.store.engine.locking import lock
from bot.store.engine.readable import readable
from bot.store.rows.outbox import announce
from bot.store.rows.rollouts.rebuilds import outdate
from bot.store.rows.rollouts.rollouts import quarantined_bases
from bot.store.rows.tables import bases, quarantines, rebuilds
from bot.views.rollouts.rollout import QuarantineStatus


async def open_quarantine(
    connection: AsyncConnection, base: int, digest: str, who: str, reason: str, now: datetime
) -> bool:
    """Keeps whatever has not begun on the base from beginning; whether that is new. One message says why."""
    known = select(quarantines.c.id).where(
        quarantines.c.base_id == base, quarantines.c.digest == digest, quarantines.c.until.is_(None)
    )
    if (await connection.execute(known)).first() is not None:
        return False
    values = {"base_id": base, "digest": digest, "since": now, "who": who, "reason": reason}
    added = await connection.execute(insert(quarantines).values(**values).returning(quarantines.c.id))
    number = added.scalar_one()
    await _keep(connection)
    await _mark(connection, base, digest, now)
    await quarantine_copies(connection, now)
    await announce(connection, f"quarantine:{number}", now)
    return True


async def quarantine_copies(connection: AsyncConnection, now: datetime) -> int:
    """Quarantines the mirrors' copies of quarantined digests, also those that came to a mirror since; how many.

    Each stands for itself from then on: a mirror may show its copy when upstream has long published the next. They
    are told with upstream's, in no message of their own.
    """
    known = quarantines.alias()
    rows = await connection.execute(
        select(quarantines, bases.c.id.label("copy"), bases.c.digest.label("shown"))
        .join(bases, bases.c.upstream_id == quarantines.c.base_id)
        .where(
            *(quarantines.c.until.is_(None), bases.c.used.is_(True), bases.c.digest.is_not(None)),
            *(bases.c.behind_since.is_(None), bases.c.likeness.is_not(None)),
            bases.c.upstream_digest == quarantines.c.digest,
            ~exists(
                select(known.c.id).where(
                    known.c.base_id == bases.c.id,
                    known.c.digest == bases.c.digest,
                    or_(known.c.until.is_(None), known.c.since >= quarantines.c.since),
                )
            ),
        )
        .order_by(quarantines.c.id, bases.c.id)
    )
    news = rows.all()
    if not news:
        return 0
    upstream = {row.base_id for row in news}
    named = await connection.execute(select(bases).where(bases.c.id.in_(upstream)))
    names = {row.id: Base(row.registry, row.repository, row.tag) for row in named}
    for row in news:
        reason = f"a copy of {names[row.base_id]}@{row.digest}: {row.reason}"
        values = {"base_id": row.copy, "digest": row.shown, "since": now, "who": row.who, "reason": reason}
        await connection.execute(insert(quarantines).values(**values, copy_of_id=row.id))
    await _keep(connection)
    for row in news:
        await _mark(connection, row.copy, row.shown, now)
    return len(news)


async def with_copies(connection: AsyncConnection, numbers: Collection[int]) -> list[int]:
    """These quarantines with those of mirrors' copies that hold because of them."""
    rows = await connection.execute(
        select(quarantines.c.id).where(quarantines.c.copy_of_id.in_(numbers), quarantines.c.until.is_(None))
    )
    return sorted({*numbers, *rows.scalars()})


async def lift_quarantine(connection: AsyncConnection, number: int, outcome: str, now: datetime) -> None:
    """Lets begin what no other quarantine keeps."""
    ended = update(quarantines).where(quarantines.c.id == number, quarantines.c.until.is_(None))
    await connection.execute(ended.values(until=now, outcome=outcome))
    freed = select(rebuilds.c.id).where(rebuilds.c.quarantine_id == number)
    ids = list((await connection.execute(freed)).scalars())
    await lock(connection, rebuilds, ids)
    for some in chunks(ids):
        await connection.execute(update(rebuilds).where(rebuilds.c.id.in_(some)).values(quarantine_id=None))
    await _keep(connection)
    about = select(quarantines).where(quarantines.c.id == number)
    row = (await connection.execute(about)).one()
    await _mark(connection, row.base_id, row.digest, now)
    if row.copy_of_id is None:
        await announce(connection, f"quarantine:{number}", now)


async def _mark(connection: AsyncConnection, base: int, digest: str, now: datetime) -> None:
    """Has open pull requests for the digest say at once that it is quarantined, or that it is no more."""
    named = select(bases.c.registry, bases.c.repository, bases.c.tag).where(bases.c.id == base)
    wanted = Base(*(await connection.execute(named)).one())
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(
            rebuilds.c.state == State.OPEN.value, rebuilds.c.action == Action.PULL_REQUEST.value
        )
    )
    concerned = [
        row.id
        for row in rows
        if any(
            (target.base, target.to_digest) == (wanted, digest) for target in load(row.targets, tuple[Target, ...])
        )
    ]
    await outdate(connection, concerned, now)


async def _keep(connection: AsyncConnection) -> None:
    """Taking the lease away stops a worker that is just beginning with one."""
    kept_for = await quarantined_bases(connection)
    if not kept_for:
        return
    waiting = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(
            rebuilds.c.state.in_(AWAITING), rebuilds.c.quarantine_id.is_(None)
        )
    )
    found: dict[int, list[int]] = {}
    for row in waiting:
        named = (kept_for.get(target.base) for target in load(row.targets, tuple[Target, ...]))
        if (number := next((each for each in named if each is not None), None)) is not None:
            found.setdefault(number, []).append(row.id)
    await lock(connection, rebuilds, [id_ for ids in found.values() for id_ in ids])
    for number, ids in sorted(found.items()):
        for some in chunks(ids):
            await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id.in_(some), rebuilds.c.state.in_(AWAITING))
                .values(quarantine_id=number, lease_owner=None, lease_until=None)
            )


async def lift_published(connection: AsyncConnection, now: datetime) -> int:
    """Ends the quarantines of digests that their base shows no more; how many there were."""
    rows = await connection.execute(
        select(quarantines.c.id, bases.c.digest)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.until.is_(None), bases.c.digest.is_not(None), bases.c.digest != quarantines.c.digest)
        .order_by(quarantines.c.id)
    )
    over = rows.all()
    for row in over:
        await lift_quarantine(connection, row.id, f"the next publication came: {row.digest}", now)
    return len(over)


async def open_quarantines(
    connection: AsyncConnection, *where: ColumnElement[bool]
) -> tuple[QuarantineStatus, ...]:
    """Those that hold now, oldest first, each with how many rebuilds wait for it to be lifted."""
    waiting = select(func.count()).where(rebuilds.c.quarantine_id == quarantines.c.id).scalar_subquery()
    rows = await connection.execute(
        select(quarantines, waiting.label("waiting"), bases.c.registry, bases.c.repository, bases.c.tag)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.until.is_(None), *where)
        .order_by(quarantines.c.id)
    )

    def status(row: Any) -> QuarantineStatus:
        base = Base(row.registry, row.repository, row.tag)
        return QuarantineStatus(base, row.digest, row.since, row.who, row.reason, row.waiting)

    return tuple(readable(rows, status, lambda row: f"quarantine {row.id}"))
