"""Due rebuilds with all that is needed to act on them: what `act` reads and writes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.act.ports import Job, Successor
from bot.domain.bases.change import Change
from bot.domain.bases.version_line import base_among
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.images.proof import may_stand_on
from bot.domain.packages.moves import PlatformChanges, composed
from bot.domain.reference import Base
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import AWAITING, Action, Rebuild, State, Target
from bot.domain.rollouts.steps import images_of_build
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load
from bot.store.engine.counters import FREEZES, POLICY, counter, set_counter
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.queue.due_rows import DueRows
from bot.store.engine.readable import readable
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.images.images import contested_images, image_of, images
from bot.store.rows.inventories.packages import package_changes_of
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.budgets import may_be_written
from bot.store.rows.rollouts.rebuilds import (
    MEMBER,
    columns_of,
    fleet_repository_of,
    outdate,
    read_rebuilds,
    rebuild_of,
)
from bot.store.rows.rollouts.rollouts import IS_LEFT_TO_THE_BOT, MAY_BEGIN
from bot.store.rows.rollouts.tables import quarantines, rebuilds
from bot.store.stages.rebuilds import IS_OUTDATED, RebuildStore

_WITHOUT_EFFECT = (State.SUPERSEDED, State.SKIPPED, State.CANCELLED, State.FAILED)


class ActStore(RebuildStore):
    """`waves` are their names in the order in which they begin; `cves` tells what moves did about CVEs."""

    def __init__(
        self, database: Database, worker: Worker, clock: Clock, cves: CvesOfMoves, waves: Sequence[str] = ()
    ) -> None:
        super().__init__(database, worker, clock)
        self._cves = cves
        self._waves = waves
        self._noticed: int | None = None

    @property
    def jobs(self) -> DueRows[Job]:
        """Those that await their action and may begin, and open ones whose text is outdated, as far as their
        account has a turn to give; by severity, wave and age."""
        begins = and_(rebuilds.c.state.in_(AWAITING), MAY_BEGIN)
        has_turn = may_be_written(self._clock.now())
        return self._due(and_(or_(begins, IS_OUTDATED), IS_LEFT_TO_THE_BOT, has_turn), self._job, self._order())

    def _order(self) -> list[ColumnElement[Any]]:
        severities = {severity.value: -severity.rank for severity in Severity}
        waves = {name: place for place, name in enumerate(self._waves)}
        by_wave = [case(waves, value=rebuilds.c.wave, else_=len(waves))] if waves else []
        age = func.coalesce(rebuilds.c.waits_since, rebuilds.c.planned_at)
        return [case(severities, value=rebuilds.c.severity, else_=1), *by_wave, age]

    async def _job(self, claimed: Claimed) -> Job:
        """Reads a claimed rebuild with its repository, changes and files."""
        async with self._database.reading() as connection:
            return await _job(connection, claimed.row, self._cves)

    async def merge_repeated_by(self, rebuild: Rebuild) -> Rebuild | None:
        """The failed rebuild of a merged pull request whose build this one is to repeat, maybe after others."""
        number = rebuild.id
        mine = repositories.c.name == rebuild.repository
        async with self._database.reading() as connection:
            while found := await read_rebuilds(connection, mine, rebuilds.c.retried_as == number):
                if found[0].merge is not None:
                    return found[0]
                number = found[0].id
        return None

    async def open_pull_requests(self, repository: str) -> int:
        """How many pull requests of the bot are open in a repository."""
        query = (
            select(func.count(func.distinct(rebuilds.c.branch)))
            .join(repositories, repositories.c.id == rebuilds.c.repository_id)
            .where(repositories.c.name == repository, rebuilds.c.state == State.OPEN.value)
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def save_progress(self, rebuild: Rebuild) -> None:
        """Stores what an attempt intends or has reached, while the lease goes on; else raises `LeaseLost`."""
        async with self._database.transaction() as connection:
            stored = await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == rebuild.id, rebuilds.c.lease_owner == self._worker.name)
                .values(**columns_of(rebuild))
            )
        if stored.rowcount != 1:
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

    async def due_for_dispatch(self, limit: int) -> list[Identity]:
        """Repositories whose dispatches are due, those that are due longest first."""
        query = (
            select(repositories.c.name, repositories.c.node_id)
            .join(rebuilds, rebuilds.c.repository_id == repositories.c.id)
            .where(
                rebuilds.c.action == Action.DISPATCH.value,
                rebuilds.c.state.in_(AWAITING),
                rebuilds.c.due_at <= self._clock.now(),
                MAY_BEGIN,
                IS_LEFT_TO_THE_BOT,
            )
            .order_by(rebuilds.c.due_at, rebuilds.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [Identity(row.name, row.node_id) for row in await connection.execute(query)]

    async def notice_policy(self, policy: int) -> None:
        """Makes open pull requests due for new text where the policy is another than before."""
        if policy == self._noticed:
            return
        async with self._database.transaction() as connection:
            known = await counter(connection, POLICY)
            if known != policy:
                await set_counter(connection, POLICY, policy)
            if known not in (0, policy):
                open_ones = select(rebuilds.c.id).where(
                    rebuilds.c.state == State.OPEN.value, rebuilds.c.action == Action.PULL_REQUEST.value
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
            concerned = select(rebuilds.c.id).where(
                *(rebuilds.c.state == State.OPEN.value, rebuilds.c.action == Action.PULL_REQUEST.value),
                rebuilds.c.merging.is_not(None),
            )
            await outdate(connection, list(await connection.scalars(concerned)), self._clock.now())
            await set_counter(connection, FREEZES, freezes)

    async def outdate_pull_requests(self, rebuild: Rebuild) -> None:
        """Makes due what is open in the repository for bases of `rebuild` alone, for `act` to end it."""
        bases = {target.base for target in rebuild.targets}
        async with self._database.transaction() as connection:
            home = select(rebuilds.c.repository_id).where(rebuilds.c.id == rebuild.id).scalar_subquery()
            rows = await connection.execute(
                select(rebuilds.c.id, rebuilds.c.targets).where(
                    rebuilds.c.repository_id == home,
                    rebuilds.c.state == State.OPEN.value,
                    rebuilds.c.action == Action.PULL_REQUEST.value,
                )
            )
            ids = [
                row.id for row in rows if bases >= {target.base for target in load(row.targets, tuple[Target, ...])}
            ]
            await outdate(connection, ids, self._clock.now())


async def _job(connection: AsyncConnection, row: Mapping[str, Any], cves: CvesOfMoves) -> Job:
    where = select(*MEMBER, repositories.c.default_branch, repositories.c.listed).where(
        repositories.c.id == row["repository_id"]
    )
    home = (await connection.execute(where)).mappings().one()
    rebuild = rebuild_of(row, Identity(home["name"], home["node_id"]))
    steps = [change for target in rebuild.targets for change in target.changes]
    moved = await connection.execute(
        select(changes.c.change).where(changes.c.id.in_(steps)).order_by(changes.c.to_observation)
    )
    named = await connection.execute(select(usages.c.usage).where(usages.c.repository_id == home["id"]))
    found = [load(item, Usage) for item in named.scalars()]
    targets = {target.base for target in rebuild.targets}
    concerned = (usage for usage in found if usage.sdk_pin or base_among(usage.reference, targets))
    paths = {path for usage in concerned for path in usage.paths}
    places: dict[Base, set[str]] = {}
    for usage in found:
        base = base_among(usage.reference, targets)
        if usage.sdk_pin is None and base is not None:
            places.setdefault(base, set()).add(usage.path)
    shown_since = await _shown_since(connection, rebuild)
    return Job(
        rebuild,
        fleet_repository_of(home, {}),
        home["default_branch"],
        tuple(load(change, Change) for change in moved.scalars()),
        tuple(sorted(paths)),
        bool(home["listed"]),
        {base: tuple(sorted(named)) for base, named in places.items()},
        await _replaced_by(connection, rebuild, home["id"]),
        quarantined=await _quarantined(connection, rebuild),
        at_request=bool(row["at_request"]),
        condemned=await _condemned(connection, rebuild),
        shown_since=shown_since,
        is_provable=bool(shown_since) and await _is_provable(connection, rebuild, home["id"]),
        packages=await _packages(connection, rebuild, cves),
    )


async def _packages(
    connection: AsyncConnection, rebuild: Rebuild, cves: CvesOfMoves
) -> dict[Base, tuple[PlatformChanges, ...]]:
    """How the packages of each base change with it, and what that does about CVEs."""
    brought = {target.base: target.changes for target in rebuild.targets}
    moves = await package_changes_of(connection, [change for several in brought.values() for change in several])
    moved = await cves.over(connection, brought)
    return {
        base: tuple(
            replace(each, cves=moved[base].get(each.platform))
            for each in composed([told for change, told in moves.items() if change in several])
        )
        for base, several in brought.items()
    }


async def _quarantined(connection: AsyncConnection, rebuild: Rebuild) -> dict[Base, str]:
    """Those of its bases whose new digest is quarantined, each with why."""
    rows = await connection.execute(
        select(
            *(bases.c.registry, bases.c.repository, bases.c.tag),
            *(quarantines.c.digest, quarantines.c.who, quarantines.c.reason),
        )
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(
            quarantines.c.until.is_(None),
            quarantines.c.digest.in_([target.to_digest for target in rebuild.targets]),
        )
        .order_by(quarantines.c.id)
    )
    brought = {(target.base, target.to_digest) for target in rebuild.targets}
    found = ((Base(row.registry, row.repository, row.tag), row) for row in rows)
    return {base: f"{row.reason} ({row.who})" for base, row in found if (base, row.digest) in brought}


async def _condemned(connection: AsyncConnection, rebuild: Rebuild) -> str | None:
    """A digest that a merged pull request has pinned and that was quarantined since, where this is to repeat its
    build: the next publication has ended that, and a run would still build on it. Not where a person has let it go.
    """
    pinned = {item.new.digest for item in rebuild.replacements if item.new.digest is not None and not item.marker}
    if rebuild.action is not Action.DISPATCH or not pinned:
        return None
    held = await connection.execute(
        select(bases.c.registry, bases.c.repository, bases.c.tag, quarantines.c.digest)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.digest.in_(pinned), quarantines.c.lifted.is_(False))
        .order_by(quarantines.c.id)
    )
    brought = {(target.base, target.to_digest) for target in rebuild.targets}
    mine = (row.digest for row in held if (Base(row.registry, row.repository, row.tag), row.digest) in brought)
    return next(mine, None)


async def _shown_since(connection: AsyncConnection, rebuild: Rebuild) -> dict[Base, datetime]:
    """From when on each base that is to be dispatched for shows the digest that is wanted."""
    if rebuild.action is not Action.DISPATCH or not rebuild.state.awaits_action:
        return {}
    wanted = {(target.base, target.to_digest) for target in rebuild.targets}
    rows = await connection.execute(
        select(bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest, bases.c.moved_at).where(
            bases.c.digest.in_({digest for _, digest in wanted}), bases.c.moved_at.is_not(None)
        )
    )
    found = ((Base(row.registry, row.repository, row.tag), row) for row in rows)
    return {base: row.moved_at for base, row in found if (base, row.digest) in wanted}


async def _is_provable(connection: AsyncConnection, rebuild: Rebuild, repository: int) -> bool:
    """Whether an image of the repository is known in which a build shows what it stands on."""
    rows = (await connection.execute(select(images).where(images.c.repository_id == repository))).all()
    lost = await contested_images(connection) if rows else ()
    known = readable(rows, lambda row: image_of(row, rebuild.repository, lost), lambda row: f"image {row.id}")
    wanted = {target.base for target in rebuild.targets}
    return any(may_stand_on(image, wanted) for image in images_of_build(known, rebuild))


async def _replaced_by(connection: AsyncConnection, rebuild: Rebuild, repository: int) -> Successor | None:
    """What a later rebuild of the repository does about the same bases, where that is another action."""
    if rebuild.state is not State.OPEN:
        return None
    later = await connection.execute(
        select(rebuilds.c.action, rebuilds.c.targets, rebuilds.c.url)
        .where(
            rebuilds.c.repository_id == repository,
            rebuilds.c.id > rebuild.id,
            rebuilds.c.action != rebuild.action.value,
            rebuilds.c.state.not_in(_WITHOUT_EFFECT),
            or_(rebuilds.c.attempted_at.is_not(None), rebuilds.c.state == State.SUCCEEDED.value),
        )
        .order_by(rebuilds.c.id.desc())
    )
    bases = {target.base for target in rebuild.targets}
    for row in later:
        if bases <= {target.base for target in load(row.targets, tuple[Target, ...])}:
            return Successor(Action(row.action), row.url)
    return None
