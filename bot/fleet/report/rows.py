"""Messages that are due, and what they are about: what `report` reads and writes."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Column, ColumnElement, Row, Table, Text, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.notice import Topic
from bot.domain.clock import Clock
from bot.domain.rollouts.rebuild import AWAITING, Action, RebuildState, Target
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.timing.pace import Pace
from bot.fleet.report.destinations import About
from bot.fleet.report.messages.first_run import FirstRunNews
from bot.fleet.report.messages.news import IncidentNews, NoticeNews
from bot.fleet.report.messages.rollout import MOST_NAMED, SHOWN_FIRST, RolloutNews
from bot.fleet.report.messages.stops import FailedRebuild, PauseNews, QuarantineNews
from bot.fleet.report.messages.waves import WaveNews
from bot.fleet.report.tick import DueMessage
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load_text, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import DueRows, Worker, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.pages.fleet.summary import SummaryStore
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.behind import read_behind
from bot.store.rows.bases.notices import users_of
from bot.store.rows.bases.tables import base_of, bases, incidents, notices
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import is_current, read_rebuilds
from bot.store.rows.rollouts.rollouts import IS_WAITING, changes_of, moves_of, open_pauses, set_aside, title_of
from bot.store.rows.rollouts.tables import pauses, quarantines, rebuilds, rollout_waves, rollouts
from bot.store.rows.rollouts.wave_counts import WAS_REFUSED, read_through
from bot.store.rows.schema import Moment, key_column, metadata
from bot.store.rows.tables import KNOWN_BEFORE, announce, mark_known_before, outbox
from bot.store.stores import Stores
from bot.views.fleet.staleness import staleness_of
from bot.views.fleet.summary import Summary

_MOST_FAILURES = 20
"""In one message; who needs more asks `rollout show`."""
_PRESSING = case({state.value: place for place, state in enumerate(SHOWN_FIRST)}, value=rebuilds.c.state, else_=99)


summaries = Table(
    "summaries",
    metadata,
    key_column(),
    Column("at", Moment, nullable=False, unique=True),
)


class ReportStore(Store):
    """`pace` is what bounds rollouts; `cves` tells what moves did about CVEs, `summaries` how the fleet fared."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores.options.pace, stores[CvesOfMoves], stores[SummaryStore])

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        pace: Pace,
        cves: CvesOfMoves,
        summaries: SummaryStore,
    ) -> None:
        super().__init__(database, worker, clock)
        self._pace = pace
        self._cves = cves
        self._summaries = summaries

    @property
    def messages(self) -> DueRows[DueMessage]:
        """Those that the channel does not have in their newest words."""
        untold = [outbox.c.wanted > outbox.c.told]
        return DueRows(self._database, self._worker, outbox, _message_of, lambda row: str(row["key"]), where=untold)

    async def spread(self, message: DueMessage, destinations: Collection[str]) -> None:
        """What was announced while they were chosen stays due."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            for name in sorted(destinations):
                await announce(connection, message.key, now, name)
            if message.is_known_before:
                await mark_known_before(connection, message.key)
            values = {"told": message.wanted, "error": None}
            await settle(connection, outbox, self._worker, message.id, due_at=now, values=values)

    async def message_sent(
        self, message: DueMessage, fingerprint: str, remote: dict[str, Any] | None, rest: timedelta
    ) -> None:
        """What was announced while the message was on its way stays due, after the rest."""
        until = self._clock.now() + rest
        values = {"told": message.wanted, "sent": fingerprint, "remote": remote, "error": None}
        async with self._database.transaction() as connection:
            await settle(
                connection,
                outbox,
                self._worker,
                message.id,
                due_at=until,
                values=values | {"rests_until": until if rest else None},
            )

    async def remote_of(self, key: str, destination: str) -> dict[str, str] | None:
        place = select(outbox.c.remote).where(outbox.c.key == key, outbox.c.destination == destination)
        async with self._database.reading() as connection:
            remote = (await connection.execute(place)).scalar_one_or_none()
        return remote if remote is None else dict(remote)

    async def about(self, rollout: int) -> About:
        names = (
            select(repositories.c.name)
            .join(rebuilds, rebuilds.c.repository_id == repositories.c.id)
            .where(*told_rebuilds(rollout))
            .distinct()
            .order_by(repositories.c.name)
        )
        async with self._database.reading() as connection:
            names_concerned = tuple((await connection.execute(names)).scalars())
            return About(names_concerned, await changes_of(connection, rollout))

    async def announce_summary(self, moment: datetime) -> bool:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            latest = await connection.scalar(select(func.max(summaries.c.at)))
            summary_id = await connection.scalar(
                insert_missing(connection, summaries, at=moment).returning(summaries.c.id)
            )
            if summary_id is None or latest is None:
                return False
            await announce(connection, f"summary:{summary_id}", now)
            return True

    async def fleet(self) -> tuple[str, ...]:
        names = select(repositories.c.name).where(repositories.c.listed.is_(True)).order_by(repositories.c.name)
        async with self._database.reading() as connection:
            return tuple((await connection.execute(names)).scalars())

    async def summary(self, id: int, only: Collection[str] | None = None) -> Summary:  # noqa: A002
        """Sums up the time since the summary before; how things stand is told as of now."""
        until = select(summaries.c.at).where(summaries.c.id == id).scalar_subquery()
        times = select(summaries.c.at).where(summaries.c.at <= until).order_by(summaries.c.at.desc()).limit(2)
        async with self._database.reading() as connection:
            end, start = (await connection.execute(times)).scalars().all()
        return await self._summaries.summary(start, end, only)

    async def first_run(self, only: Collection[str] | None = None) -> FirstRunNews:
        """As things stand now, with the first rollout that catches up, if there is one."""
        first = select(func.min(rollouts.c.id)).where(rollouts.c.occasion == Occasion.CATCH_UP.value)
        now = self._clock.now()
        async with self._database.reading() as connection:
            behind = await read_behind(connection, now, only)
            rollout = await connection.scalar(first)
            brought = (
                select(repositories.c.name)
                .join(rebuilds, rebuilds.c.repository_id == repositories.c.id)
                .where(rebuilds.c.rollout_id == rollout)
            )
            names = None if rollout is None else frozenset((await connection.execute(brought)).scalars())
            return FirstRunNews(staleness_of(behind, now), now, rollout, names)

    async def wave(self, rollout: int, name: str, only: Collection[str] | None = None) -> WaveNews:
        current = told_rebuilds(rollout, only)
        conditions = [*current, rebuilds.c.wave == name]
        counted = (
            select(rebuilds.c.state, func.count().label("number")).where(*conditions).group_by(rebuilds.c.state)
        )
        times = select(
            func.min(rollout_waves.c.began_at).label("began_at"),
            case(
                (func.count() == func.count(rollout_waves.c.done_since), func.max(rollout_waves.c.done_since))
            ).label("done_since"),
        ).where(rollout_waves.c.rollout_id == rollout, rollout_waves.c.name == name)
        async with self._database.reading() as connection:
            states = {RebuildState(row.state): row.number for row in await connection.execute(counted)}
            waves = await connection.scalar(select(func.count(rebuilds.c.wave.distinct())).where(*current))
            wave_times = (await connection.execute(times)).first()
            first = await connection.scalar(
                select(rollout_waves.c.name)
                .where(rollout_waves.c.rollout_id == rollout, rollout_waves.c.began_at.is_not(None))
                .order_by(rollout_waves.c.began_at)
                .limit(1)
            )
            red = select(rebuilds.c.id).where(*conditions, rebuilds.c.state == RebuildState.FAILED, ~WAS_REFUSED)
            waits = select(rebuilds.c.id).where(
                rebuilds.c.rollout_id == rollout, IS_WAITING, rebuilds.c.wave != name
            )
            holds = [await connection.scalar(each.limit(1)) is not None for each in (red, waits)]
            return WaveNews(
                rollout,
                await title_of(connection, rollout),
                name,
                int(waves or 0),
                sum(states.values()),
                states.get(RebuildState.SUCCEEDED, 0),
                states.get(RebuildState.FAILED, 0),
                await latest_failures(connection, conditions),
                wave_times.began_at if wave_times else None,
                wave_times.done_since if wave_times else None,
                states.get(RebuildState.BUILT, 0),
                states.get(RebuildState.MERGED, 0),
                first == name and all(holds),
            )

    async def rollout(self, id: int, only: Collection[str] | None = None) -> RolloutNews:  # noqa: A002
        """Counted by the database; only the rebuilds that are named are read."""
        current = told_rebuilds(id, only)
        async with self._database.reading() as connection:
            row = (await connection.execute(select(rollouts).where(rollouts.c.id == id))).one()
            counts = await count_states(connection, current)
            named_rebuilds = await read_rebuilds(
                connection, *current, first=(_PRESSING, rebuilds.c.id), limit=MOST_NAMED
            )
            standing = [pause for pause in await open_pauses(connection) if pause.rollout in (None, id)]
            states = Counter({RebuildState(item.state): item.number for item in counts if not item.is_told})
            awaits = any(states[state] for state in AWAITING)
            through = await read_through(connection, self._pace, self._clock.now()) if awaits else {}
            return RolloutNews(
                id,
                row.opened_at,
                await changes_of(connection, id),
                await count_repositories(connection, current),
                await count_bases(connection, current),
                states,
                tuple(named_rebuilds),
                sum(item.number for item in counts if item.is_told),
                row.ended_at,
                standing[0] if standing else None,
                (await set_aside(connection, [id])).get(id, {}),
                through.get(id),
                Occasion(row.occasion),
                await self._cves.still_open(connection, await moves_of(connection, id)),
            )

    async def incident(self, id: int) -> IncidentNews:  # noqa: A002 - the word of the language
        async with self._database.reading() as connection:
            row = (await connection.execute(select(incidents).where(incidents.c.id == id))).one()
        kind, colon, place = row.subject.partition(":")
        kind, place = (kind, place) if colon else ("", row.subject)
        return IncidentNews(place, row.opened_at, row.cleared_at, row.detail, kind)

    async def pause(self, id: int) -> PauseNews:  # noqa: A002 - the word of the language
        """Reads a pause with the failures of its rollout, the latest first."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(pauses).where(pauses.c.id == id))).one()
            if row.rollout_id is None:
                return PauseNews(None, "", row.since, row.who, row.reason, row.until)
            title = await title_of(connection, row.rollout_id)
            failures = await latest_failures(connection, told_rebuilds(row.rollout_id))
        return PauseNews(row.rollout_id, title, row.since, row.who, row.reason, row.until, failures)

    async def quarantine(self, id: int) -> QuarantineNews:  # noqa: A002 - the word of the language
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(quarantines, bases.c.registry, bases.c.repository, bases.c.tag)
                    .join(bases, bases.c.id == quarantines.c.base_id)
                    .where(quarantines.c.id == id)
                )
            ).one()
            waiting = await connection.scalar(select(func.count()).where(rebuilds.c.quarantine_id == id))
        base = base_of(row)
        outcome = row.outcome or ""
        return QuarantineNews(
            *(base, row.digest, row.since, row.who, row.reason, row.until, outcome, int(waiting or 0)),
            *(row.returns, row.lifted),
        )

    async def notice(self, id: int) -> list[NoticeNews]:  # noqa: A002 - the word of the language
        """All notices that were told together under this one's id, each with the repositories that use its base."""
        async with self._database.reading() as connection:
            rows = (
                await connection.execute(
                    select(notices, bases.c.registry, bases.c.repository, bases.c.tag)
                    .join(bases, bases.c.id == notices.c.base_id)
                    .where(notices.c.told_with == id)
                    .order_by(notices.c.id)
                )
            ).all()
            users = await users_of(connection, {row.base_id for row in rows})

        def news(row: Row[Any]) -> NoticeNews:
            base = base_of(row)
            users_concerned = tuple(users.get(row.base_id, ()))
            topic = Topic(row.topic)
            return NoticeNews(topic, base, row.since, row.text, row.cleared_at, row.outcome or "", users_concerned)

        return readable(rows, news, lambda row: f"notice {row.id}")


async def _message_of(claimed: Claimed) -> DueMessage:
    row = claimed.row
    is_known_before = row["sent"] == KNOWN_BEFORE
    sent = None if is_known_before else row["sent"]
    return DueMessage(
        *(row["id"], row["key"], row["wanted"], sent, row["remote"], row["attempts"], row["created_at"]),
        row["destination"],
        is_known_before,
    )


def told_rebuilds(rollout: int, only: Collection[str] | None = None) -> list[ColumnElement[bool]]:
    """Selects the rebuilds of a rollout whose place nothing has taken, of these repositories alone or of all."""
    conditions = [
        rebuilds.c.rollout_id == rollout,
        is_current(),
        rebuilds.c.state != RebuildState.SUPERSEDED.value,
    ]
    if only is not None:
        repository_ids = select(repositories.c.id).where(repositories.c.name.in_(sorted(only)))
        conditions.append(rebuilds.c.repository_id.in_(repository_ids))
    return conditions


async def latest_failures(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]
) -> tuple[FailedRebuild, ...]:
    """Reads the rebuilds that have failed, the latest first."""
    failed = await connection.execute(
        select(repositories.c.name, rebuilds.c.url, rebuilds.c.reason)
        .join(repositories, repositories.c.id == rebuilds.c.repository_id)
        .where(*conditions, rebuilds.c.state == RebuildState.FAILED)
        .order_by(rebuilds.c.ended_at.desc(), rebuilds.c.id)
        .limit(_MOST_FAILURES)
    )
    return tuple(FailedRebuild(item.name, item.url, item.reason) for item in failed)


async def count_states(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]
) -> Sequence[Row[Any]]:
    """How many (`number`) are in each `state`, those that are only to be told of it (`is_told`) apart.

    Who opted out is told of nothing.
    """
    is_told = case(
        (and_(rebuilds.c.action == Action.NOTIFY.value, rebuilds.c.state != RebuildState.SKIPPED.value), 1), else_=0
    ).label("is_told")
    counts = select(rebuilds.c.state, is_told, func.count().label("number")).where(*conditions)
    return (await connection.execute(counts.group_by(rebuilds.c.state, is_told))).all()


async def count_repositories(connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Counts the repositories that are rebuilt."""
    return int(
        await connection.scalar(select(func.count(rebuilds.c.repository_id.distinct())).where(*conditions)) or 0
    )


async def count_bases(connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Counts the bases that these rebuilds bring up to date; many have the same targets, which are read once."""
    targets_text = cast(rebuilds.c.targets, Text).label("targets")
    rows = await connection.execute(
        select(targets_text, func.min(rebuilds.c.id).label("id")).where(*conditions).group_by(targets_text)
    )
    target_sets = readable(
        rows, lambda row: load_text(row.targets, tuple[Target, ...]), lambda row: f"rebuild {row.id}"
    )
    return len({target.base for targets in target_sets for target in targets})
