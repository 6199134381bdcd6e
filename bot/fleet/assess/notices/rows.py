"""Notices about bases: what the notices stage, `status` and the messages read and write."""

import asyncio
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.bases.notice import Notice, Topic
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.feeds.document import FeedKind
from bot.domain.reference import Base
from bot.fleet.assess.notices.deciding import (
    Cleared,
    NoticeDifference,
    Opened,
    Picture,
    RefreshedNotice,
)
from bot.fleet.assess.notices.published import Listed, Published
from bot.fleet.assess.notices.tick import FleetLook
from bot.store.engine.codec import dump
from bot.store.engine.counters import FEEDS, counter
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker, claim, is_due, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.mirrors import behind
from bot.store.rows.bases.notices import open_notices
from bot.store.rows.bases.observations import latest_observations, loaded
from bot.store.rows.bases.tables import base_of, bases, documents, notices
from bot.store.rows.news import load_doubts
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.tables import announce, tasks
from bot.upstream.dotnet.tag_family import sibling_of
from bot.upstream.feeds import image_info

_TASK = "look at upstream"
_INVENTORY = "published image inventory"
"""The subject of the incident that it is stale."""
_LATEST = 12
"""How many observations of a base are looked at: a third of a year of a tag that moves often."""
_ABANDONED = timedelta(hours=1)
"""A document that has been due for longer is of a feed that is switched off."""


class NoticesStore(Store):
    """`bot.fleet.assess.notices.tick.NoticesStore` on the database."""

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        super().__init__(database, worker, clock)
        self._inventory: tuple[object, Published | None] = (None, None)

    async def claim_look(self) -> FleetLook | None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            mark = await _mark(connection)
            rests = not_(is_due(connection, tasks, self._worker, now)).label("rests")
            row = (await connection.execute(select(tasks.c.mark, rests).where(tasks.c.name == _TASK))).first()
            if row is None and not await _is_settled(connection, now):
                return None
            if row is not None and row.mark == mark and row.rests:
                return None
            await connection.execute(insert_missing(connection, tasks, name=_TASK, due_at=now))
            await connection.execute(
                update(tasks).where(tasks.c.name == _TASK, tasks.c.due_at > now).values(due_at=now)
            )
            rows = await claim(connection, tasks, self._worker, now, limit=1, where=[tasks.c.name == _TASK])
            if not rows:
                return None
            used, copies = await _read_used_bases(connection)
            names = await _with_siblings(connection, used)
            rows_of = await latest_observations(connection, sorted(names), _LATEST)
            opened = await open_notices(connection)
            bases_behind = await behind(connection)
            version, document = await self._newer_inventory(connection)
        if document is not None:
            self._inventory = (version, await asyncio.to_thread(_load_published, *document))
        histories = await asyncio.to_thread(loaded, names, rows_of)
        is_first = rows[0]["mark"] is None
        picture = Picture(used, histories, self._inventory[1], opened, is_first, bases_behind, copies)
        return FleetLook(rows[0]["id"], mark, picture)

    async def save_look(self, look: FleetLook, difference: NoticeDifference) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(
                connection,
                tasks,
                self._worker,
                look.id,
                due_at=difference.look_again_at,
                values={"mark": look.mark},
            )
            told_ids = [await _add(connection, item, now) for item in difference.opened if item.tell]
            for item in difference.opened:
                if not item.tell:
                    await _add(connection, item, now)
            messages = await _refresh(connection, difference.refreshed)
            messages |= await _clear(connection, difference.cleared, now)
            told_ids += [item.id for item in difference.refreshed if item.tell]
            if told_ids:
                # What is found at once is told at once, in one message that goes by its first notice.
                first = min(told_ids)
                await connection.execute(update(notices).where(notices.c.id.in_(told_ids)).values(told_with=first))
                messages.add(first)
            stale = difference.stale
            opened = [Incident(_INVENTORY, stale.since, stale.text)] if stale else []
            await tell_incidents(connection, opened, () if stale else {_INVENTORY}, now)
            for message in sorted(messages):
                await announce(connection, f"notice:{message}", now)

    async def _newer_inventory(self, connection: AsyncConnection) -> tuple[object, tuple[bytes, Any] | None]:
        """The inventory, with what of its losses is doubted, where it is not the one that was read before; it is
        large and seldom changes."""
        newest = (
            select(documents.c.url, documents.c.fetched_at, documents.c.doubts)
            .where(documents.c.kind == FeedKind.IMAGE_INFO.value, documents.c.body.is_not(None))
            .order_by(documents.c.checked_at.desc())
            .limit(1)
        )
        row = (await connection.execute(newest)).first()
        version = None if row is None else (row.url, row.fetched_at, row.doubts)
        if row is None or version == self._inventory[0]:
            return version, None
        body = await connection.execute(select(documents.c.body).where(documents.c.url == row.url))
        return version, (bytes(body.scalar_one()), row.doubts)


async def _mark(connection: AsyncConnection) -> str:
    """Stands for everything that notices are made of: it differs when any of that does.

    Sums rather than the newest, since transactions do not commit in the order of what they write.
    """
    columns = (func.count(), func.sum(bases.c.id), func.sum(bases.c.observation_id), func.sum(bases.c.upstream_id))
    used, id_sum, observation_sum, upstream_sum = (
        await connection.execute(select(*columns).where(bases.c.used.is_(True)))
    ).one()
    fetched_at = await connection.scalar(
        select(func.max(documents.c.fetched_at)).where(documents.c.kind == FeedKind.IMAGE_INFO.value)
    )
    inventory = fetched_at.isoformat() if isinstance(fetched_at, datetime) else "-"
    sums = " ".join(str(int(each or 0)) for each in (id_sum, observation_sum, upstream_sum))
    return f"{await counter(connection, FEEDS)} {inventory} {used} {sums}"


async def _is_settled(connection: AsyncConnection, now: datetime) -> bool:
    """Whether the fleet, its bases and the feeds have been read once, or failed to be: until then the first look
    waits, so that what has long been so is told in one message."""
    unread = and_(repositories.c.listed.is_(True), repositories.c.read_at.is_(None), repositories.c.error.is_(None))
    unseen = and_(bases.c.used.is_(True), bases.c.observation_id.is_(None), bases.c.error.is_(None))
    is_awaited = and_(
        documents.c.fetched_at.is_(None), documents.c.error.is_(None), documents.c.due_at > now - _ABANDONED
    )
    row = await connection.execute(
        select(
            exists(select(bases.c.id).where(bases.c.used.is_(True))),
            or_(
                exists(select(repositories.c.id).where(unread)),
                exists(select(bases.c.id).where(unseen)),
                exists(select(documents.c.id).where(is_awaited)),
            ),
        )
    )
    has_bases, waits = row.one()
    return bool(has_bases) and not waits


async def _read_used_bases(connection: AsyncConnection) -> tuple[dict[Base, int], frozenset[Base]]:
    """The bases in use with their ids, and which of them are copies in a mirror."""
    rows = (await connection.execute(select(bases).where(bases.c.used.is_(True)))).all()
    rows_by_base = {base_of(row): row for row in rows}
    copies = frozenset(base for base, row in rows_by_base.items() if row.upstream_id is not None)
    return {base: row.id for base, row in rows_by_base.items()}, copies


async def _with_siblings(connection: AsyncConnection, used: Iterable[Base]) -> dict[int, Base]:
    rows = await connection.execute(select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag))
    wanted_bases = {*used, *(sibling_of(base) for base in used)}
    names = {row.id: base_of(row) for row in rows}
    return {number: base for number, base in names.items() if base in wanted_bases}


def _load_published(document: bytes, doubts: Any) -> Published | None:
    try:
        inventory, _ = image_info.read(zlib.decompress(document))
        doubted = frozenset(key for each in load_doubts(doubts) for key in each.keys)
    except Failure:
        return None
    return Published(
        inventory.repositories - inventory.incomplete,
        {
            key: Listed(
                entry.index_digest or next((image.digest for image in entry.platforms), None),
                frozenset(image.platform.partition("/")[0] for image in entry.platforms),
            )
            for key, entry in inventory.tags.items()
        },
        doubted,
    )


async def _add(connection: AsyncConnection, opened: Opened, now: datetime) -> int:
    result = await connection.execute(
        insert(notices)
        .values(topic=opened.notice.topic.value, base_id=opened.base_id, opened_at=now, **_columns(opened.notice))
        .returning(notices.c.id)
    )
    return int(result.scalar_one())


async def _refresh(connection: AsyncConnection, refreshed: Sequence[RefreshedNotice]) -> set[int]:
    """The messages that must change."""
    messages: set[int] = set()
    for item in refreshed:
        row = await connection.execute(
            update(notices)
            .where(notices.c.id == item.id)
            .values(**_columns(item.notice))
            .returning(notices.c.told_with)
        )
        if item.reword and (message := row.scalar_one()) is not None:
            messages.add(message)
    return messages


async def _clear(connection: AsyncConnection, cleared: Sequence[Cleared], now: datetime) -> set[int]:
    """The messages that told what is over. An event just fades: its message stays as it is."""
    messages: set[int] = set()
    for item in cleared:
        row = (
            await connection.execute(
                update(notices)
                .where(notices.c.id == item.id)
                .values(cleared_at=now, outcome=item.outcome)
                .returning(notices.c.told_with, notices.c.topic)
            )
        ).one()
        if row.told_with is not None and row.topic != Topic.MOVED_UNDERNEATH.value:
            messages.add(row.told_with)
    return messages


def _columns(notice: Notice) -> dict[str, Any]:
    return {
        "since": notice.since,
        "until": notice.until,
        "text": notice.text,
        "toward": dump(notice.toward, tuple[Base, ...]),
    }
