"""Due rebuilds: what `act` reads and writes."""

from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import AWAITING, Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.timing.pace import Pace
from bot.fleet.act.ports import Job
from bot.fleet.act.rows.jobs import read_job
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load
from bot.store.engine.counters import FREEZES, POLICY, counter, set_counter
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import DueRows, Worker, is_due
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.told_ways import KeptFeeds
from bot.store.rows.repositories.repositories import IDENTITY, identity_of, read_within_a_day
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.budgets import may_be_written
from bot.store.rows.rollouts.delays import delay_news
from bot.store.rows.rollouts.rebuild_store import IS_OUTDATED, RebuildStore
from bot.store.rows.rollouts.rebuilds import (
    MAY_MERGE,
    MERGES_STILL,
    columns_of,
    merging_by_themselves,
    outdate,
    read_rebuilds,
)
from bot.store.rows.rollouts.rollouts import IS_KEPT_LATER, IS_LEFT_TO_THE_BOT, MAY_BEGIN
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.stores import Stores


class ActStore(RebuildStore):
    """`waves` are their names in the order in which they begin; `cves` tells what moves did about CVEs,
    `feeds` what releases tell of pins; `pace` tells where what is written takes its turns."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        pace = stores.options.pace
        waves = [wave.name for wave in pace.options.waves]
        return cls(*stores.given, stores[CvesOfMoves], waves, stores[KeptFeeds], pace)

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        cves: CvesOfMoves,
        waves: Sequence[str] = (),
        feeds: KeptFeeds | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(database, worker, clock)
        self._cves = cves
        self._feeds = feeds or KeptFeeds()
        self._waves = waves
        self._pace = pace or Pace()
        self._noticed: int | None = None

    @property
    def jobs(self) -> DueRows[Job]:
        """Those that await their action and may begin, and open ones whose text is outdated, as far as their
        account has a turn to give; by severity, wave and age. While the bot is paused as a whole, only open ones
        that were set to merge by themselves, until they do so no more.

        Those that a superseded rebuild has set to merge are looked at where a word keeps the next from going on
        with them, or once more is known; when that begins stays its own matter."""
        begins = and_(rebuilds.c.state.in_(AWAITING), MAY_BEGIN)
        has_turn = may_be_written(self._clock.now(), self._pace)
        is_to_be_stopped = and_(IS_OUTDATED, MAY_MERGE, rebuilds.c.call_off.is_(None))
        is_news = rebuilds.c.facts_version > rebuilds.c.text_version
        is_to_be_taken_back = and_(MERGES_STILL, or_(is_news, IS_KEPT_LATER))
        mine = or_(and_(or_(begins, IS_OUTDATED), IS_LEFT_TO_THE_BOT), is_to_be_stopped, is_to_be_taken_back)
        rests = or_(rebuilds.c.state.in_(AWAITING), IS_OUTDATED, is_to_be_taken_back)
        return self._due(and_(mine, has_turn), self._job, self._order(), rests)

    def _order(self) -> list[ColumnElement[Any]]:
        severities = {severity.value: -severity.rank for severity in Severity}
        waves = {name: place for place, name in enumerate(self._waves)}
        by_wave = [case(waves, value=rebuilds.c.wave, else_=len(waves))] if waves else []
        age = func.coalesce(rebuilds.c.waits_since, rebuilds.c.planned_at)
        return [case(severities, value=rebuilds.c.severity, else_=1), *by_wave, age]

    async def _job(self, claimed: Claimed) -> Job:
        async with self._database.reading() as connection:
            return await read_job(connection, claimed.row, self._cves, self._feeds, self._clock.now())

    async def merge_repeated_by(self, rebuild: Rebuild) -> Rebuild | None:
        """The failed rebuild of a merged pull request whose build this one is to repeat, maybe after others."""
        number = rebuild.id
        is_of_repository = repositories.c.name == rebuild.repository
        async with self._database.reading() as connection:
            while earlier := await read_rebuilds(connection, is_of_repository, rebuilds.c.retried_as == number):
                if earlier[0].merge is not None:
                    return earlier[0]
                number = earlier[0].id
        return None

    async def open_pull_requests(self, repository: str) -> int:
        """Counts the open pull requests of the bot in a repository."""
        query = (
            select(func.count(func.distinct(rebuilds.c.branch)))
            .join(repositories, repositories.c.id == rebuilds.c.repository_id)
            .where(repositories.c.name == repository, rebuilds.c.state == RebuildState.OPEN.value)
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def save_progress(self, rebuild: Rebuild) -> None:
        """Stores what an attempt intends or has reached, while the lease goes on; else raises `LeaseLost`."""
        async with self._database.transaction() as connection:
            result = await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == rebuild.id, rebuilds.c.lease_owner == self._worker.name)
                .values(**columns_of(rebuild))
            )
        if result.rowcount != 1:
            raise LeaseLost(f"rebuild {rebuild.id} is no longer leased to {self._worker.name}")

    async def read_again(self, repository: int) -> None:
        """Has the files of a repository read anew; who is reading it may have begun too early for what is new."""
        values = {"tree": None, "due_at": self._clock.now(), "lease_owner": None, "lease_until": None}
        async with self._database.transaction() as connection:
            await connection.execute(update(repositories).where(repositories.c.id == repository).values(**values))

    async def read_once_listed(self, repository: int) -> None:
        """As if no listing had shown its last push: the next one that shows it has news."""
        values = {"tree": None, "pushed_at": None}
        async with self._database.transaction() as connection:
            await connection.execute(update(repositories).where(repositories.c.id == repository).values(**values))

    async def read_within_a_day(self, repository: int) -> None:
        async with self._database.transaction() as connection:
            await read_within_a_day(connection, repository, self._clock.now())

    async def notice_delays(self) -> None:
        """Tells of owners whose rebuilds fail again and again, and once it is over."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            new_incidents, ended_subjects = await delay_news(connection, now)
        if new_incidents or ended_subjects:
            async with self._database.transaction() as connection:
                await tell_incidents(connection, new_incidents, ended_subjects, now)

    async def due_for_dispatch(self, limit: int) -> list[Identity]:
        """Repositories whose dispatches are due, those that are due longest first."""
        query = (
            select(*IDENTITY)
            .join(rebuilds, rebuilds.c.repository_id == repositories.c.id)
            .where(
                rebuilds.c.action == Action.DISPATCH.value,
                rebuilds.c.state.in_(AWAITING),
                MAY_BEGIN,
                IS_LEFT_TO_THE_BOT,
            )
            .order_by(rebuilds.c.due_at, rebuilds.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            due = is_due(connection, rebuilds, self._worker, self._clock.now())
            return [identity_of(row) for row in await connection.execute(query.where(due))]

    async def notice_policy(self, policy: int) -> None:
        """Makes open pull requests due for new text where the policy is another than before."""
        if policy == self._noticed:
            return
        async with self._database.transaction() as connection:
            stored_policy = await counter(connection, POLICY)
            if stored_policy != policy:
                await set_counter(connection, POLICY, policy)
            if stored_policy not in (0, policy):
                open_ones = select(rebuilds.c.id).where(
                    or_(rebuilds.c.state == RebuildState.OPEN.value, MERGES_STILL),
                    rebuilds.c.action == Action.PULL_REQUEST.value,
                )
                ids = list((await connection.execute(open_ones)).scalars())
                await outdate(connection, ids, self._clock.now())
        self._noticed = policy

    async def notice_freezes(self, freezes: int) -> None:
        """Makes open pull requests that merge by themselves, or may once a freeze is over, due for a look where
        other freezes hold than before; zero stands for none."""
        async with self._database.reading() as connection:
            if await counter(connection, FREEZES) == freezes:
                return
        async with self._database.transaction() as connection:
            await outdate(connection, await merging_by_themselves(connection), self._clock.now())
            await set_counter(connection, FREEZES, freezes)

    async def outdate_pull_requests(self, rebuild: Rebuild) -> None:
        """Makes due what is open in the repository for bases of `rebuild` alone, for `act` to end it."""
        bases = {target.base for target in rebuild.targets}
        async with self._database.transaction() as connection:
            home = select(rebuilds.c.repository_id).where(rebuilds.c.id == rebuild.id).scalar_subquery()
            rows = await connection.execute(
                select(rebuilds.c.id, rebuilds.c.targets).where(
                    rebuilds.c.repository_id == home,
                    rebuilds.c.state == RebuildState.OPEN.value,
                    rebuilds.c.action == Action.PULL_REQUEST.value,
                )
            )
            ids = [
                row.id for row in rows if bases >= {target.base for target in load(row.targets, tuple[Target, ...])}
            ]
            await outdate(connection, ids, self._clock.now())
