"""How the fleet stands, as `status` and what looks at the settings ask for it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.notice import OpenNotice, Topic
from bot.domain.reference import Reference
from bot.domain.repositories.repository import Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import ENDED
from bot.domain.rollouts.rollout import Pause
from bot.store.engine.codec import load, readable
from bot.store.engine.database import lack_of_room
from bot.store.engine.failures import NoRoom
from bot.store.engine.store import Store
from bot.store.pages.fleet.fleet import counts
from bot.store.pages.fleet.needs import Known, needs_in
from bot.store.rows.bases.mirrors import statuses
from bot.store.rows.bases.notices import open_notices
from bot.store.rows.bases.tables import base_of, bases, documents, incidents, shows_two_in
from bot.store.rows.inventories.vulnerabilities import dumps, vulnerabilities
from bot.store.rows.repositories.ages import ages_of
from bot.store.rows.repositories.onboardings import count_onboardings
from bot.store.rows.repositories.repositories import IS_WORD_UNREAD
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import is_current, read_rebuilds
from bot.store.rows.rollouts.rollouts import open_pauses
from bot.store.rows.rollouts.tables import rebuilds
from bot.views.fleet.needs import AwaitsPerson, NeedReason
from bot.views.fleet.status import BaseStatus, DumpStatus, IncidentRow, Status


class FleetViewsStore(Store):
    """Reads what commands show of the fleet, and writes nothing."""

    async def lack_of_room(self) -> NoRoom | None:
        """What there is to be told where the database has no room; nothing is written to find out."""
        return await lack_of_room(self._database)

    async def status(self) -> Status:
        """Reads what `status` shows."""
        is_listed = repositories.c.listed.is_(True)
        newest = select(func.max(rebuilds.c.rollout_id)).scalar_subquery()
        is_shown = rebuilds.c.state.not_in(ENDED) | (rebuilds.c.rollout_id == newest)
        async with self._database.reading() as connection:
            total = await connection.execute(select(func.count()).select_from(repositories).where(is_listed))
            unreadable = await connection.execute(
                select(repositories.c.name, repositories.c.error, repositories.c.config)
                .where(is_listed, or_(repositories.c.error.is_not(None), IS_WORD_UNREAD))
                .order_by(repositories.c.name)
            )
            troubles = await connection.execute(
                select(incidents).where(incidents.c.cleared_at.is_(None)).order_by(incidents.c.opened_at)
            )
            feeds = await connection.execute(
                select(documents.c.url, documents.c.error).where(documents.c.error.is_not(None))
            )
            standing = await open_notices(connection)
            ages = await ages_of(connection, self._clock.now())
            pauses = tuple(await open_pauses(connection))
            unread = readable(unreadable, _unread, lambda row: f"repository {row.name}")
            return Status(
                repositories=int(total.scalar_one()),
                unreadable=tuple((need.subject, unread_line) for need, unread_line in unread),
                bases=await _bases(connection, standing),
                rebuilds=tuple(await read_rebuilds(connection, is_shown)),
                tried_again=frozenset(
                    await connection.scalars(select(rebuilds.c.id).where(is_shown, ~is_current()))
                ),
                incidents=tuple(
                    readable(
                        troubles,
                        lambda row: IncidentRow(row.subject, row.opened_at, row.cleared_at, row.detail),
                        lambda row: f"incident {row.id}",
                    )
                ),
                notices=tuple(notice for notice in standing if notice.topic is not Topic.RELEASE_LAG),
                feed_errors=tuple((row.url, row.error) for row in feeds),
                ages=ages,
                dumps=await _dump_statuses(connection),
                pauses=pauses,
                onboardings=await count_onboardings(connection),
                needs=await needs_in(
                    connection, self._clock.now(), known=_needs_known(pauses, [need for need, _ in unread])
                ),
                standings=await counts(connection),
            )

    async def bases(self) -> tuple[BaseStatus, ...]:
        """Reads how the bases in use stand."""
        async with self._database.reading() as connection:
            return await _bases(connection, await open_notices(connection))

    async def references_without_base(self) -> list[Reference]:
        """The images of the fleet that follow no base, one for each usage; what global.json asks for is none."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(usages.c.id, usages.c.usage).where(usages.c.base_id.is_(None)))
            fleet_usages = readable(rows, lambda row: load(row.usage, Usage), lambda row: f"usage {row.id}")
        return [usage.reference for usage in fleet_usages if usage.sdk_pin is None]

    async def workflows(self) -> frozenset[str]:
        """The file names of all workflows that can be dispatched somewhere in the fleet."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(repositories.c.workflows).where(repositories.c.listed.is_(True)).distinct()
            )
            workflow_lists = [load(row, tuple[Workflow, ...]) for row in rows.scalars()]
        return frozenset(workflow.file for several in workflow_lists for workflow in several)


def _unread(row: Any) -> tuple[AwaitsPerson, str]:
    """A repository that cannot be read as what needs a person, and in the words of `status`."""
    if row.error:
        return AwaitsPerson(row.name, None, row.error), row.error
    config = load(row.config, RepositoryConfig)
    return AwaitsPerson(row.name, None, config.unread), config.refusal or ""


def _needs_known(pauses: Sequence[Pause], unread: Sequence[AwaitsPerson]) -> Known:
    """What needs a person of that which `status` reads whole."""
    return {
        NeedReason.PAUSED: [
            AwaitsPerson(
                "everything" if pause.rollout is None else f"rollout {pause.rollout}",
                pause.since,
                f"{pause.who}: {pause.reason}",
            )
            for pause in pauses
        ],
        NeedReason.UNREADABLE: unread,
    }


async def _dump_statuses(connection: AsyncConnection) -> tuple[DumpStatus, ...]:
    """Reads each dump of vulnerabilities with its age and how much of it is kept."""
    dump = dumps.c
    kept_count = select(func.count()).where(vulnerabilities.c.dump_id == dump.id).scalar_subquery().label("kept")
    columns = (dump.ecosystem, dump.place, dump.checked_at, dump.entries, dump.problems, dump.error)
    rows = await connection.execute(select(*columns, dump.newest_at, kept_count).order_by(dump.ecosystem))
    return tuple(readable(rows, _dump_status, lambda row: f"dump {row.ecosystem}"))


def _dump_status(row: Any) -> DumpStatus:
    unread = tuple(row.problems or ())
    facts = (row.entries, row.kept, unread, row.error, row.newest_at)
    return DumpStatus(row.ecosystem, row.place, row.checked_at, *facts)


async def _bases(connection: AsyncConnection, standing: Sequence[OpenNotice]) -> tuple[BaseStatus, ...]:
    """Reads the bases in use, each with how late its last release came."""
    lags = {
        notice.base: notice.until - notice.since
        for notice in standing
        if notice.topic is Topic.RELEASE_LAG and notice.until is not None
    }
    used_by = (
        select(usages.c.base_id, func.count(func.distinct(usages.c.repository_id)).label("repositories"))
        .group_by(usages.c.base_id)
        .subquery()
    )
    base_rows = await connection.execute(
        select(bases, used_by.c.repositories)
        .join(used_by, used_by.c.base_id == bases.c.id)
        .order_by(bases.c.registry, bases.c.repository, bases.c.tag)
    )
    copies = await statuses(connection, bases.c.used.is_(True))

    def read_status(row: Any) -> BaseStatus:
        base = base_of(row)
        facts = (row.digest, row.version, row.moved_at, row.repositories, row.error)
        return BaseStatus(base, *facts, lags.get(base), copies.get(row.id), shows_two_in(row), row.due_at)

    return tuple(readable(base_rows, read_status, lambda row: f"base {row.id}"))
