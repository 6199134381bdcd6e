"""What an operator asks of the store: how things stand, and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.assess.notices.deciding import OpenNotice
from bot.assess.tag_family import sibling_of
from bot.domain.bases.change import Change
from bot.domain.bases.notice import Topic
from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.moves import PlatformChanges
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Problem, Usage
from bot.domain.rollouts.rebuild import ENDED, Action, Rebuild, State
from bot.domain.rollouts.rollout import Occasion, Rollout
from bot.domain.rollouts.steps import StepRun
from bot.domain.rollouts.timing.waves import in_order
from bot.plan.advance import Gate, RolloutOptions, Standing, gate_at
from bot.plan.waiting import Waits, wave_holds
from bot.report.rollout_message import headline
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.notices import open_notices
from bot.store.rows.bases.observations import latest_observations, loaded
from bot.store.rows.bases.own_bases import IS_CONCERNED
from bot.store.rows.bases.packages import package_changes_of
from bot.store.rows.repositories.ages import ages_of, builds_of
from bot.store.rows.repositories.issues import issues, sections_of
from bot.store.rows.rollouts.rebuilds import read_rebuilds
from bot.store.rows.rollouts.rollouts import open_pauses, rollout_of
from bot.store.rows.rollouts.steps import read_steps
from bot.store.rows.tables import (
    bases,
    changes,
    documents,
    incidents,
    quarantines,
    rebuilds,
    repositories,
    rollouts,
    transitions,
    usages,
)
from bot.store.stages.plan.advance import standings
from bot.store.stages.plan.waits import read_waits
from bot.views.fleet.status import BaseStatus, IncidentStatus, NoticeStatus, Status
from bot.views.repositories.explanation import Explanation, IssueSaid, Transition
from bot.views.rollouts.durations import OwnDurations
from bot.views.rollouts.rollout import QuarantineStatus, RolloutProgress, WaveProgress

_MOST_OBSERVATIONS = 500
"""Of one base: years of a tag that moves often."""


_MOST_DURATIONS = 1000


class ViewsStore(Store):
    """Reads only."""

    async def status(self) -> Status:
        listed = repositories.c.listed.is_(True)
        newest = select(func.max(rebuilds.c.rollout_id)).scalar_subquery()
        async with self._database.reading() as connection:
            total = await connection.execute(select(func.count()).select_from(repositories).where(listed))
            unreadable = await connection.execute(
                select(repositories.c.name, repositories.c.error).where(listed, repositories.c.error.is_not(None))
            )
            troubles = await connection.execute(
                select(incidents).where(incidents.c.cleared_at.is_(None)).order_by(incidents.c.opened_at)
            )
            feeds = await connection.execute(
                select(documents.c.url, documents.c.error).where(documents.c.error.is_not(None))
            )
            standing = await open_notices(connection)
            ages = await ages_of(connection, self._clock.now())
            return Status(
                repositories=int(total.scalar_one()),
                unreadable=tuple((row.name, row.error) for row in unreadable),
                bases=await _bases(connection, standing),
                rebuilds=tuple(
                    await read_rebuilds(
                        connection, rebuilds.c.state.not_in(ENDED) | (rebuilds.c.rollout_id == newest)
                    )
                ),
                incidents=tuple(
                    readable(
                        troubles,
                        lambda row: IncidentStatus(row.subject, row.opened_at, row.detail),
                        lambda row: f"incident {row.id}",
                    )
                ),
                notices=tuple(
                    NoticeStatus(notice.topic, notice.base, notice.since, notice.text, notice.toward)
                    for notice in standing
                    if notice.topic is not Topic.RELEASE_LAG
                ),
                feed_errors=tuple((row.url, row.error) for row in feeds),
                ages=ages,
                pauses=tuple(await open_pauses(connection)),
            )

    async def references_without_base(self) -> list[Reference]:
        """The images of the fleet that follow no base, one for each usage; what global.json asks for is none."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(usages.c.id, usages.c.usage).where(usages.c.base_id.is_(None)))
            found = readable(rows, lambda row: load(row.usage, Usage), lambda row: f"usage {row.id}")
        return [usage.reference for usage in found if usage.sdk_pin is None]

    async def durations(self) -> OwnDurations:
        """How long the latest rebuilds took that were built, by what they were."""
        query = (
            select(rebuilds.c.id, rebuilds.c.action, rebuilds.c.attempted_at, rebuilds.c.ended_at)
            .where(
                rebuilds.c.state.in_((State.SUCCEEDED.value, State.BUILT.value)),
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

    async def workflows(self) -> frozenset[str]:
        """The file names of all workflows that can be dispatched somewhere in the fleet."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(repositories.c.workflows).where(repositories.c.listed.is_(True)).distinct()
            )
            found = [load(row, tuple[Workflow, ...]) for row in rows.scalars()]
        return frozenset(workflow.file for several in found for workflow in several)

    async def explain(self, repository: str) -> Explanation:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(repositories).where(repositories.c.name == repository))).first()
            if row is None:
                raise Failure(
                    Trouble.MISSING,
                    f"no repository {repository!r} is known",
                    advice="write owner/name; see github.repositories in the settings",
                )
            named = await connection.execute(
                select(
                    usages.c.id, usages.c.usage, bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest
                )
                .outerjoin(bases, bases.c.id == usages.c.base_id)
                .where(usages.c.repository_id == row.id, IS_CONCERNED)
                .order_by(usages.c.id)
            )
            mine = await read_rebuilds(connection, rebuilds.c.repository_id == row.id)
            moves = await connection.execute(
                select(transitions)
                .where(transitions.c.rebuild_id.in_([rebuild.id for rebuild in mine]))
                .order_by(transitions.c.id)
            )
            return Explanation(
                repository,
                row.read_at,
                row.error,
                load(row.problems, tuple[Problem, ...]),
                load(row.config, RepositoryConfig),
                tuple(readable(named, _usage, lambda item: f"usage {item.id}")),
                tuple(mine),
                tuple(
                    readable(
                        moves,
                        lambda move: Transition(move.rebuild_id, move.at, move.before, move.after, move.reason),
                        lambda move: f"transition {move.id}",
                    )
                ),
                builds=await builds_of(connection, row.id),
                issue=await _issue(connection, row.id),
                steps=await read_steps(connection, mine),
            )

    async def waits(self, gate: Gate) -> Waits:
        """What has not begun, how its rollouts stand, and what is paused."""
        async with self._database.reading() as connection:
            return await read_waits(connection, gate)

    async def progress(
        self,
        options: RolloutOptions,
        now: datetime,
        *,
        limit: int = 1,
        offset: int = 0,
        number: int | None = None,
        is_open: bool = False,
    ) -> list[RolloutProgress]:
        """The latest rollouts but for the first `offset`, or the one with this number, in counts; with `is_open`
        those alone that have not ended."""
        wanted = select(rollouts).order_by(rollouts.c.id.desc()).limit(limit).offset(offset)
        if number is not None:
            wanted = wanted.where(rollouts.c.id == number)
        if is_open:
            wanted = wanted.where(rollouts.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            rows = readable(await connection.execute(wanted), lambda row: row, lambda row: f"rollout {row.id}")
            ids = [row.id for row in rows]
            counted = await connection.execute(
                select(rebuilds.c.rollout_id, rebuilds.c.state, func.count().label("number"))
                .where(rebuilds.c.rollout_id.in_(ids), rebuilds.c.retried_as.is_(None))
                .group_by(rebuilds.c.rollout_id, rebuilds.c.state)
            )
            states: dict[int, dict[str, int]] = {}
            for item in counted:
                states.setdefault(item.rollout_id, {})[item.state] = item.number
            moved = await connection.execute(
                select(changes.c.id, changes.c.rollout_id, changes.c.change)
                .where(changes.c.rollout_id.in_(ids))
                .order_by(changes.c.id)
            )
            titles: dict[int, list[Change]] = {}
            for home, each in readable(
                moved, lambda row: (row.rollout_id, load(row.change, Change)), lambda row: f"change {row.id}"
            ):
                titles.setdefault(home, []).append(each)
            stopped = await open_pauses(connection)
            found = await standings(connection, gate_at(now, options), rollouts.c.id.in_(ids))
        standing: dict[int, list[Standing]] = {}
        for one in found:
            standing.setdefault(one.rollout, []).append(one)
        return [
            RolloutProgress(
                row.id,
                headline(titles.get(row.id, []), Occasion(row.occasion)),
                row.opened_at,
                row.ended_at,
                next((pause for pause in stopped if pause.rollout in (None, row.id)), None),
                {state.value: states.get(row.id, {})[state] for state in State if state in states.get(row.id, {})},
                tuple(wave for each in standing.get(row.id, ()) for wave in _waves(each, options, now)),
            )
            for row in rows
        ]

    async def open_quarantines(self) -> list[QuarantineStatus]:
        """Those that hold now, oldest first."""
        waiting = select(func.count()).where(rebuilds.c.quarantine_id == quarantines.c.id).scalar_subquery()
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(quarantines, waiting.label("waiting"), bases.c.registry, bases.c.repository, bases.c.tag)
                .join(bases, bases.c.id == quarantines.c.base_id)
                .where(quarantines.c.until.is_(None))
                .order_by(quarantines.c.id)
            )
            return readable(
                rows,
                lambda row: QuarantineStatus(
                    Base(row.registry, row.repository, row.tag),
                    *(row.digest, row.since, row.who, row.reason, row.waiting),
                ),
                lambda row: f"quarantine {row.id}",
            )

    async def rollouts(self, limit: int) -> list[Rollout]:
        """The latest rollouts, newest first."""
        newest = select(rollouts.c.id).order_by(rollouts.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            ids = list((await connection.execute(newest)).scalars())
            return [await rollout_of(connection, number) for number in ids]

    async def rebuilds_of(self, rollout: int) -> list[Rebuild]:
        """All of one rollout, but for those that were tried again."""
        async with self._database.reading() as connection:
            return await read_rebuilds(
                connection, rebuilds.c.rollout_id == rollout, rebuilds.c.retried_as.is_(None)
            )

    async def steps_of(self, some: Sequence[Rebuild]) -> dict[int, tuple[StepRun, ...]]:
        """The steps of those rebuilds that have some, by the rebuilds' ids."""
        async with self._database.reading() as connection:
            return await read_steps(connection, some)

    async def changes_of(self, base: str) -> list[tuple[Change, tuple[PlatformChanges, ...]]]:
        """All changes of the bases whose full or short name is `base`, oldest first, each with its packages."""
        async with self._database.reading() as connection:
            known = await _known_bases(connection)
            ids = [id_ for found, id_ in known.items() if base in (str(found), found.short)]
            query = select(changes.c.id, changes.c.change).where(changes.c.base_id.in_(ids))
            rows = (await connection.execute(query.order_by(changes.c.at, changes.c.id))).all()
            packages = await package_changes_of(connection, [row.id for row in rows])
        return readable(
            rows,
            lambda row: (load(row.change, Change), packages.get(row.id, ())),
            lambda row: f"change {row.id}",
        )

    async def observations_of(self, base: str) -> dict[Base, list[Observation]]:
        """The latest observations, oldest first, of the bases whose full or short name is `base`, and of the bases
        that these are cut from. Raises `Failure` where there is no such base."""
        async with self._database.reading() as connection:
            known = await _known_bases(connection)
            wanted = {found for found in known if base in (str(found), found.short)}
            if not wanted:
                raise Failure(
                    Trouble.MISSING,
                    f"no base {base!r} is known",
                    advice="write it as `freshness-bot status` shows it, such as aspnet:10.0",
                )
            above = {sibling for found in wanted if (sibling := sibling_of(found)) in known}
            ids = {known[found]: found for found in wanted | above}
            rows_of = await latest_observations(connection, sorted(ids), _MOST_OBSERVATIONS)
        return loaded(ids, rows_of)


async def _known_bases(connection: AsyncConnection) -> dict[Base, int]:
    rows = await connection.execute(select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag))
    return {Base(row.registry, row.repository, row.tag): row.id for row in rows}


async def _issue(connection: AsyncConnection, repository: int) -> IssueSaid | None:
    said = await sections_of(connection, repository)
    if not said:
        return None
    found = await connection.execute(
        select(issues.c.url, issues.c.refused, issues.c.is_open).where(issues.c.repository_id == repository)
    )
    # What opens no issue by itself is said where none was ever opened.
    row = found.one_or_none()
    return IssueSaid(said) if row is None else IssueSaid(said, row.url if row.is_open else None, row.refused)


def _usage(row: Any) -> tuple[Usage, Base | None, str | None]:
    base = Base(row.registry, row.repository, row.tag) if row.tag else None
    return load(row.usage, Usage), base, row.digest


def _waves(standing: Standing, options: RolloutOptions, now: datetime) -> tuple[WaveProgress, ...]:
    """In their order, those that have rebuilds at one distance."""
    held = wave_holds(standing, options, now)
    return tuple(
        WaveProgress(wave.name, standing.tallies[wave.name], held.get(wave.name), standing.distance)
        for wave in in_order(options.waves, standing.tallies)
        if wave.name in standing.tallies and standing.tallies[wave.name].total
    )


async def _bases(connection: AsyncConnection, standing: Sequence[OpenNotice]) -> tuple[BaseStatus, ...]:
    """Those in use, each with how late its last release came."""
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
    found = await connection.execute(
        select(bases, used_by.c.repositories)
        .join(used_by, used_by.c.base_id == bases.c.id)
        .order_by(bases.c.registry, bases.c.repository, bases.c.tag)
    )

    def shown(row: Any) -> BaseStatus:
        base = Base(row.registry, row.repository, row.tag)
        return BaseStatus(base, row.digest, row.version, row.moved_at, row.repositories, row.error, lags.get(base))

    return tuple(readable(found, shown, lambda row: f"base {row.id}"))
