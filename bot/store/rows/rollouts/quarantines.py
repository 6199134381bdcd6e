"""Quarantines as rows, and what they keep from beginning.

Whoever writes them has raised the counter of releases before: of two transactions that find the same digest, the
later one sees what the first has written.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import AWAITING, Action, RebuildState
from bot.domain.wording.words import duration
from bot.store.engine.codec import readable
from bot.store.engine.counters import RELEASES, hold_counter, raise_counter
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.repositories import read_within_a_day
from bot.store.rows.rollouts.quarantined import SHOWN, still_carried, to_be_marked
from bot.store.rows.rollouts.rebuilds import (
    MERGES_STILL,
    after_transitions,
    keep_transitions,
    outcome_of,
    outdate,
    read_rebuilds,
    read_targets,
    transition_row,
)
from bot.store.rows.rollouts.tables import quarantines, rebuilds
from bot.store.rows.tables import announce
from bot.views.rollouts.rollout import QuarantineStatus

_OTHER = quarantines.alias()
_RETURNED = (
    select(quarantines)
    .join(bases, and_(bases.c.id == quarantines.c.base_id, bases.c.digest == quarantines.c.digest))
    .where(
        *(bases.c.used.is_(True), quarantines.c.until.is_not(None), quarantines.c.lifted.is_(False)),
        ~exists(
            select(_OTHER.c.id).where(
                _OTHER.c.base_id == quarantines.c.base_id,
                _OTHER.c.digest == quarantines.c.digest,
                _OTHER.c.id > quarantines.c.id,
            )
        ),
    )
    .order_by(quarantines.c.id)
)
"""The quarantines that ended since another digest came, where the base shows the quarantined one again."""
_COPIES = (
    select(quarantines, bases.c.id.label("copy"), bases.c.digest.label("shown"))
    .join(bases, bases.c.upstream_id == quarantines.c.base_id)
    .where(
        *(quarantines.c.until.is_(None), bases.c.used.is_(True), bases.c.digest.is_not(None)),
        *(bases.c.behind_since.is_(None), bases.c.likeness.is_not(None)),
        bases.c.upstream_digest == quarantines.c.digest,
        ~exists(
            select(_OTHER.c.id).where(
                _OTHER.c.base_id == bases.c.id,
                _OTHER.c.digest == bases.c.digest,
                or_(_OTHER.c.until.is_(None), _OTHER.c.lifted.is_(True)),
            )
        ),
    )
    .order_by(quarantines.c.id, bases.c.id)
)
"""The quarantines that hold, each with the `copy`, a mirror's base, that shows the same and is not held yet."""
_TAKEN_UP_WITHIN = timedelta(days=7)
_OVERTAKEN = (
    select(rebuilds.c.id, rebuilds.c.repository_id, bases.c.registry, bases.c.repository, bases.c.tag)
    .join(quarantines, quarantines.c.id == rebuilds.c.quarantine_id)
    .join(bases, and_(bases.c.id == quarantines.c.base_id, bases.c.digest != quarantines.c.digest))
    .where(rebuilds.c.state.in_(AWAITING), rebuilds.c.attempted_at.is_(None))
)
"""What a quarantine keeps although its base shows another digest by now: the plan of that takes up what is still
needed."""
_PUT_OFF = (rebuilds.c.state == RebuildState.WAITING.value, rebuilds.c.lease_owner.is_(None))
"""It was tried before it was held, so that no window or settling dates it."""
_ANY_RETURNED, _ANY_COPY = _RETURNED.limit(1), _COPIES.limit(1)


async def open_quarantine(
    connection: AsyncConnection, base: int, digest: str, who: str, reason: str, now: datetime
) -> bool:
    """Keeps whatever has not begun on the base from beginning; whether that is new. One message says why."""
    opened = await _opened(connection, (base, digest, who, reason), now)
    if opened is None:
        return False
    await _carry_out(connection, [opened], now)
    return True


async def open_each(
    connection: AsyncConnection,
    wanted: Sequence[tuple[int, str, str, str]],
    now: datetime,
    to_be_locked: Collection[int] = (),
) -> None:
    """Opens quarantines, each by its base, digest, who says it and why. The rebuilds `to_be_locked`, which are
    written afterwards, are locked with those that this concerns."""
    opened = [row for each in wanted if (row := await _opened(connection, each, now)) is not None]
    if opened:
        await _carry_out(connection, opened, now, to_be_locked)
    else:
        await lock(connection, rebuilds, to_be_locked)


async def _opened(connection: AsyncConnection, wanted: tuple[int, str, str, str], now: datetime) -> Any | None:
    """The row of a new quarantine; None where the digest is quarantined there."""
    base, digest, who, reason = wanted
    query = select(quarantines.c.id).where(
        quarantines.c.base_id == base, quarantines.c.digest == digest, quarantines.c.until.is_(None)
    )
    if (await connection.execute(query)).first() is not None:
        return None
    values = {"base_id": base, "digest": digest, "since": now, "who": who, "reason": reason}
    opened = (await connection.execute(insert(quarantines).values(**values).returning(quarantines))).one()
    await _set_lifted(connection, base, {digest}, is_lifted=False)
    return opened


async def something_came(connection: AsyncConnection) -> bool:
    """Whether `hold_what_came` has anything to do."""
    for query in (_ANY_RETURNED, _ANY_COPY):
        if (await connection.execute(query)).first() is not None:
            return True
    return False


async def is_more_to_hold(connection: AsyncConnection) -> bool:
    """Whether `hold_what_came` has anything to do before the rebuilds that this transaction plans.

    The counter of releases, which comes before all rows, is held, and raised where there is something to do:
    whoever quarantines a base in this moment has written so before these rebuilds are marked, or waits and marks
    them too.
    """
    await hold_counter(connection, RELEASES)
    is_more = await something_came(connection)
    if is_more:
        await raise_counter(connection, RELEASES)
    return is_more


async def hold_what_came(connection: AsyncConnection, now: datetime, planned_ids: Collection[int] = ()) -> None:
    """Quarantines what bases show by now: digests to which they came back, and mirrors' copies of what is
    quarantined. The rebuilds of `planned_ids`, which are written afterwards, are locked with those that this
    concerns."""
    await _carry_out(connection, [], now, planned_ids)


async def _hold_returned(connection: AsyncConnection) -> list[Any]:
    """Lets those quarantines hold again that nobody has let go; their rows.

    A base that comes and goes has one quarantine and one message, which count how often it came back.
    """
    rows: list[Any] = []
    for row in (await connection.execute(_RETURNED)).all():
        statement = update(quarantines).where(quarantines.c.id == row.id).returning(quarantines)
        values = {"until": None, "outcome": None, "returns": quarantines.c.returns + 1}
        rows.append((await connection.execute(statement.values(**values))).one())
    return rows


async def _hold_copies(connection: AsyncConnection, now: datetime) -> list[Any]:
    """Quarantines the mirrors' copies of quarantined digests, also those that came to a mirror since; the new rows.

    Each stands for itself from then on: a mirror may show its copy when upstream has long published the next. They
    are told with upstream's, in no message of their own.
    """
    news = (await connection.execute(_COPIES)).all()
    if not news:
        return []
    upstream = {row.base_id for row in news}
    base_rows = await connection.execute(select(bases).where(bases.c.id.in_(upstream)))
    names = {row.id: base_of(row) for row in base_rows}
    rows: list[Any] = []
    for row in news:
        reason = f"a copy of {names[row.base_id]}@{row.digest}: {row.reason}"
        values = {"base_id": row.copy, "digest": row.shown, "since": now, "who": row.who, "reason": reason}
        statement = insert(quarantines).values(**values, copy_of_id=row.id).returning(quarantines)
        rows.append((await connection.execute(statement)).one())
    return rows


async def let_go(connection: AsyncConnection, base: int, outcome: str, now: datetime) -> int:
    """Ends the quarantines of a base and of mirrors' copies of what was quarantined there, as a person says; how
    many held.

    A copy may be held when upstream's is over. Neither is held again when it comes back, until somebody says so.
    """
    own_ids = select(quarantines.c.id).where(quarantines.c.base_id == base)
    is_of_it = or_(quarantines.c.base_id == base, quarantines.c.copy_of_id.in_(own_ids))
    rows = (
        await connection.execute(
            select(quarantines.c.id, quarantines.c.base_id, quarantines.c.copy_of_id)
            .where(is_of_it, quarantines.c.until.is_(None))
            .order_by(quarantines.c.id)
        )
    ).all()
    origins = {row.id if row.base_id == base else row.copy_of_id for row in rows}
    digests = await connection.execute(select(quarantines.c.digest).where(quarantines.c.id.in_(origins)))
    await _set_lifted(connection, base, set(digests.scalars()), is_lifted=True)
    await _carry_out(connection, await _end(connection, {row.id: outcome for row in rows}, now), now)
    return len(rows)


async def _set_lifted(connection: AsyncConnection, base: int, digests: Collection[str], *, is_lifted: bool) -> None:
    """Notes a person's word on these digests of a base, and on mirrors' copies of them."""
    conditions = (quarantines.c.base_id == base, quarantines.c.digest.in_(digests))
    ids = select(quarantines.c.id).where(*conditions).scalar_subquery()
    is_concerned = or_(quarantines.c.id.in_(ids), quarantines.c.copy_of_id.in_(ids))
    await connection.execute(update(quarantines).where(is_concerned).values(lifted=is_lifted))


async def _end(connection: AsyncConnection, outcomes: Mapping[int, str], now: datetime) -> list[Any]:
    """Ends these quarantines, each with its outcome; their rows."""
    ended_rows: list[Any] = []
    for number, outcome in sorted(outcomes.items()):
        statement = update(quarantines).where(quarantines.c.id == number, quarantines.c.until.is_(None))
        rows = await connection.execute(statement.values(until=now, outcome=outcome).returning(quarantines))
        ended_rows += rows.all()
    return ended_rows


async def lift_published(connection: AsyncConnection, now: datetime) -> int:
    """Ends the quarantines of digests that their base shows no more and that nothing carries any more, and holds
    what came; how many have ended. What a quarantine keeps that nothing has taken up for long ends as well."""
    overtaken = await _find_overtaken(connection, now)
    for home in sorted({row.repository_id for row in overtaken}):
        await read_within_a_day(connection, home, now)
    outcomes = {row.id: f"the next publication came: {row.digest}" for row in await _find_over(connection)}
    ended_rows = await _end(connection, outcomes, now)
    await _carry_out(connection, ended_rows, now, [row.id for row in overtaken])
    await _end_overtaken(connection, {row.id: base_of(row) for row in overtaken}, now)
    return len(outcomes)


async def is_any_to_lift(connection: AsyncConnection, now: datetime) -> bool:
    """Whether `lift_published` has anything to write."""
    if await _find_overtaken(connection, now) or await _find_over(connection) or await something_came(connection):
        return True
    freed_ids, ids_to_keep = await to_be_marked(connection)
    return bool(freed_ids or ids_to_keep)


async def _find_overtaken(connection: AsyncConnection, now: datetime) -> Sequence[Any]:
    """What a quarantine keeps that nothing has taken up for long."""
    rows = await connection.execute(_OVERTAKEN.where(bases.c.moved_at <= now - _TAKEN_UP_WITHIN))
    return rows.all()


async def _find_over(connection: AsyncConnection) -> list[Any]:
    """The quarantines of digests that their base shows no more and that nothing carries any more, each with the
    digest that the base shows."""
    rows = await connection.execute(
        select(quarantines.c.id, quarantines.c.digest.label("held"), *SHOWN)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.until.is_(None), bases.c.digest.is_not(None), bases.c.digest != quarantines.c.digest)
        .order_by(quarantines.c.id)
    )
    rows_left = rows.all()
    carried = await still_carried(connection, {row.held for row in rows_left})
    return [row for row in rows_left if (base_of(row), row.held) not in carried]


async def _end_overtaken(connection: AsyncConnection, overtaken: Mapping[int, Base], now: datetime) -> None:
    """Ends these rebuilds; their repositories are read soon, by which what they still need is planned anew."""
    await lock(connection, rebuilds, list(overtaken))
    waiting = await read_rebuilds(connection, rebuilds.c.id.in_(list(overtaken)), rebuilds.c.state.in_(AWAITING))
    for rebuild in waiting:
        lack = f"{overtaken[rebuild.id].short} has not shown the quarantined digest that this was for"
        reason = f"{lack}, for {duration(_TAKEN_UP_WITHIN)}, and nothing has taken it up"
        ended_rebuild = rebuild.moved(RebuildState.SKIPPED, reason, at=now)
        statement = update(rebuilds).where(rebuilds.c.id == rebuild.id)
        await connection.execute(statement.values(**outcome_of(ended_rebuild), quarantine_id=None))
        await keep_transitions(
            connection, [transition_row(rebuild.id, now, rebuild.state, ended_rebuild.state, reason)]
        )
    await after_transitions(connection, {rebuild.rollout for rebuild in waiting}, now)


async def _carry_out(
    connection: AsyncConnection, changed: Sequence[Any], now: datetime, planned_ids: Collection[int] = ()
) -> None:
    """Holds what came besides the quarantines that have `changed`, and brings rebuilds and messages to what holds
    now. All rebuilds are locked at once, in their one order, those of `planned_ids` among them."""
    rows = [*changed, *await _hold_returned(connection), *await _hold_copies(connection, now)]
    freed_ids, ids_to_keep = await to_be_marked(connection)
    if not rows and not freed_ids and not ids_to_keep:
        return
    outdated = await _find_concerned(connection, {(row.base_id, row.digest) for row in rows})
    await lock(
        connection,
        rebuilds,
        {*planned_ids, *freed_ids, *outdated, *(id_ for ids in ids_to_keep.values() for id_ in ids)},
    )
    for chunk in chunks(sorted(freed_ids)):
        statement = update(rebuilds).where(rebuilds.c.id.in_(chunk))
        await connection.execute(statement.values(quarantine_id=None))
        await connection.execute(statement.where(*_PUT_OFF, rebuilds.c.due_at > now).values(due_at=now))
    for number, ids in sorted(ids_to_keep.items()):
        for chunk in chunks(ids):
            # Taking the lease away stops a worker that is just beginning with one.
            await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id.in_(chunk), rebuilds.c.state.in_(AWAITING))
                .values(quarantine_id=number, lease_owner=None, lease_until=None)
            )
    await outdate(connection, outdated, now)
    for number in sorted({int(row.id) for row in rows if row.copy_of_id is None}):
        await announce(connection, f"quarantine:{number}", now)


async def _find_concerned(connection: AsyncConnection, about: Collection[tuple[int, str]]) -> list[int]:
    """The open pull requests for these digests of bases, which say that they are quarantined, or are no more."""
    names: dict[int, Base] = {}
    for chunk in chunks(sorted({base for base, _ in about})):
        query = select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(bases.c.id.in_(chunk))
        names |= {row.id: base_of(row) for row in await connection.execute(query)}
    named_digests = {(names[base], digest) for base, digest in about}
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(
            or_(rebuilds.c.state == RebuildState.OPEN.value, MERGES_STILL),
            rebuilds.c.action == Action.PULL_REQUEST.value,
        )
    )
    return [
        number
        for number, targets in read_targets(rows).items()
        if any((target.base, target.to_digest) in named_digests for target in targets)
    ]


async def open_quarantines(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> tuple[QuarantineStatus, ...]:
    """Those that hold now, oldest first, each with how many rebuilds wait for it to be lifted."""
    waiting = select(func.count()).where(rebuilds.c.quarantine_id == quarantines.c.id).scalar_subquery()
    rows = await connection.execute(
        select(quarantines, waiting.label("waiting"), bases.c.registry, bases.c.repository, bases.c.tag)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.until.is_(None), *conditions)
        .order_by(quarantines.c.id)
    )

    def status(row: Any) -> QuarantineStatus:
        base = base_of(row)
        return QuarantineStatus(base, row.digest, row.since, row.who, row.reason, row.waiting, row.returns)

    return tuple(readable(rows, status, lambda row: f"quarantine {row.id}"))
