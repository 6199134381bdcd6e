"""Own bases and who stands on them: what `plan.cascade` reads and writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.advisory import Severity
from bot.domain.bases.change import Change, Move
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.images.verdict import Verdict
from bot.domain.reference import Base
from bot.domain.repositories.usage import BUILT_UPON
from bot.domain.rollouts.rebuild import AWAITING, ENDED, Action, State, Target
from bot.plan.advance import SEVERE
from bot.plan.cascade.frontier import Member, Passed, Progress, Wait
from bot.plan.cascade.graph import Cycle, Link
from bot.plan.cascade.shown import LastBuild
from bot.plan.cascade.stage import Decided, Fleet
from bot.store.engine.codec import load
from bot.store.engine.counters import RELEASES, counter, raise_counter
from bot.store.engine.database import Database
from bot.store.engine.inserting import chunks, upsert
from bot.store.engine.locking import lock
from bot.store.engine.queue import Worker
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.observations import latest_observations, loaded
from bot.store.rows.bases.own_bases import own_links
from bot.store.rows.repositories.images import contested_images, images
from bot.store.rows.rollouts.rebuilds import after_transitions
from bot.store.rows.tables import (
    bases,
    changes,
    incidents,
    observations,
    rebuilds,
    repositories,
    transitions,
    usages,
)
from bot.watch.registry.incident import Incident

_CONCERNS_FOR = timedelta(days=120)
_UNPLANNED_FOR = timedelta(minutes=5)
"""Whatever cannot be planned for so long is waited for no longer."""
BLOCKS = "blocks:"
CYCLE = "cycle:"
"""What the subjects of incidents begin with."""
_IS_BUILDING = (State.OPEN, State.DISPATCHED, State.RUNNING, State.BUILDING, State.PROVING)
_IS_HELD = and_(rebuilds.c.state.in_(AWAITING), rebuilds.c.released_at.is_(None), rebuilds.c.waits_for.is_not(None))


class CascadeStore(Store):
    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        super().__init__(database, worker, clock)
        self._mark: tuple[Any, ...] | None = None

    async def own_among(self, some: Collection[Base]) -> frozenset[Base]:
        """Those of these bases that repositories of the fleet produce."""
        found: set[tuple[str, str]] = set()
        async with self._database.reading() as connection:
            for part in chunks(sorted({(base.registry, base.repository) for base in some})):
                rows = await connection.execute(
                    select(images.c.registry, images.c.repository).where(
                        tuple_(images.c.registry, images.c.repository).in_(part)
                    )
                )
                found |= {(row.registry, row.repository) for row in rows}
        return frozenset(base for base in some if (base.registry, base.repository) in found)

    async def changes_below(self, base: Base) -> dict[Base, list[Move]]:
        """The changes, oldest first, of the bases that the producers of an own base follow, but for itself."""
        producers = select(images.c.repository_id).where(
            images.c.registry == base.registry, images.c.repository == base.repository
        )
        below = select(usages.c.base_id).where(usages.c.repository_id.in_(producers))
        query = (
            select(changes.c.id, changes.c.change)
            .where(changes.c.base_id.in_(below), changes.c.at > self._clock.now() - _CONCERNS_FOR)
            .order_by(changes.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found: dict[Base, list[Move]] = {}
        for move in readable(
            rows, lambda row: Move(row.id, load(row.change, Change)), lambda row: f"change {row.id}"
        ):
            if move.change.base.name != base.name:
                found.setdefault(move.change.base, []).append(move)
        return found

    async def shown_by(self, some: Collection[Base]) -> dict[Base, Observation]:
        """The last observation of each of these bases, as far as there is one."""
        async with self._database.reading() as connection:
            ids: dict[int, Base] = {}
            for part in chunks(sorted(some)):
                named = [(base.registry, base.repository, base.tag) for base in part]
                rows = await connection.execute(
                    select(bases).where(tuple_(bases.c.registry, bases.c.repository, bases.c.tag).in_(named))
                )
                ids |= {row.id: Base(row.registry, row.repository, row.tag) for row in rows}
            latest = await latest_observations(connection, sorted(ids), 1)
        return {base: history[-1] for base, history in loaded(ids, latest).items()}

    async def fleet(self) -> Fleet | None:
        async with self._database.reading() as connection:
            mark = await _mark_of(connection)
            held = await connection.scalar(select(rebuilds.c.id).where(_IS_HELD).limit(1))
            if held is None and mark == self._mark:
                return None
            known = await counter(connection, RELEASES)
            links, names = await _links(connection)
            concerned = {number for link in links for number in (link.child, link.parent)}
            parents = {link.parent for link in links}
            rows = await _open_rebuilds(connection, concerned)
            builds, failed = await _ended(connection, parents)
            bases_of, digests, moved = await _bases(connection, parents)
            is_settled = await _is_settled(connection, self._clock.now())
        members, held_ones = _members(rows, failed)
        # What is held and has no parent any more, since a file or a claim changed, is let go like the others.
        self._mark = mark
        return Fleet(known, links, names, members, held_ones, builds, bases_of, digests, moved, is_settled)

    async def save(self, decided: Decided) -> int:
        now, found = self._clock.now(), decided.cascade
        far = decided.graph.distances()
        async with self._database.transaction() as connection:
            rows = (
                await connection.execute(
                    select(
                        *(rebuilds.c.id, rebuilds.c.rollout_id, rebuilds.c.repository_id, rebuilds.c.reason),
                        *(rebuilds.c.waits_for, rebuilds.c.waits_until, rebuilds.c.distance),
                    ).where(_IS_HELD)
                )
            ).all()
            asked = (_news(row, found.frontier, found.waits, far, decided.fleet) for row in rows)
            news = [each for each in asked if each is not None]
            told = await _incidents(connection, decided, now)
            if news and await raise_counter(connection, RELEASES) != decided.fleet.known + 1:
                raise LeaseLost("another worker has let rebuilds begin meanwhile")
            await _keep_links(connection, decided)
            await lock(connection, rebuilds, [number for number, _ in news])
            for number, values in news:
                await connection.execute(update(rebuilds).where(rebuilds.c.id == number, _IS_HELD).values(**values))
            rollouts_of = {row.id: row.rollout_id for row in rows}
            gone = [number for number, values in news if values["waits_for"] is None]
            if gone:
                await after_transitions(connection, {rollouts_of[number] for number in gone}, now)
            if told is not None:
                await tell_incidents(connection, *told, now)
        return len(gone)


def _news(
    row: Any, frontier: Mapping[int, Passed], waits: Mapping[int, Wait], far: Mapping[int, int], fleet: Fleet
) -> tuple[int, dict[str, Any]] | None:
    """What changes in a held rebuild; None where nothing does."""
    distance = far.get(row.repository_id, 0)
    wait = waits.get(row.repository_id)
    if wait is not None:
        if (row.waits_for, row.waits_until, row.distance) == (wait.reason, wait.until, distance):
            return None
        return row.id, {"waits_for": wait.reason, "waits_until": wait.until, "distance": distance}
    passed = frontier.get(row.repository_id)
    if passed is None or not fleet.is_settled:
        return None
    told = f"{row.reason}; {passed.told}" if passed.told else row.reason
    return row.id, {
        "waits_for": None,
        "waits_until": None,
        "distance": distance,
        "went_ahead": passed.is_ahead,
        "reason": told,
    }


async def _mark_of(connection: AsyncConnection) -> tuple[Any, ...]:
    """Changes with whatever a decision hangs on while nobody waits: links, and rebuilds that fail or are mended."""
    columns = (transitions.c.id, usages.c.id, images.c.id, observations.c.id)
    return tuple([await connection.scalar(select(func.max(column))) for column in columns])


async def _links(connection: AsyncConnection) -> tuple[tuple[Link, ...], dict[int, str]]:
    """The links, and the names of the repositories in them. What is contested has no producer."""
    role = usages.c.usage["role"].as_string()
    query = (
        select(
            func.min(usages.c.id).label("first"),
            func.min(own_links.c.id).label("number"),
            usages.c.repository_id.label("child"),
            images.c.repository_id.label("parent"),
            *(bases.c.registry, bases.c.repository, bases.c.tag),
        )
        .join(bases, bases.c.id == usages.c.base_id)
        .join(images, and_(images.c.registry == bases.c.registry, images.c.repository == bases.c.repository))
        .outerjoin(
            own_links,
            and_(own_links.c.repository_id == usages.c.repository_id, own_links.c.base_id == bases.c.id),
        )
        .where(role.in_(sorted(role.value for role in BUILT_UPON)))
        .group_by(usages.c.repository_id, images.c.repository_id, bases.c.registry, bases.c.repository, bases.c.tag)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return (), {}
    lost = await contested_images(connection)
    newest = max((row.number for row in rows if row.number is not None), default=0)
    links = tuple(
        Link(
            row.number if row.number is not None else newest + row.first,
            row.child,
            row.parent,
            Base(row.registry, row.repository, row.tag),
        )
        for row in rows
        if (row.parent, f"{row.registry}/{row.repository}") not in lost
    )
    numbers = sorted({number for link in links for number in (link.child, link.parent)})
    names: dict[int, str] = {}
    for some in chunks(numbers):
        named = select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(some))
        names |= {row.id: row.name for row in await connection.execute(named)}
    return links, names


async def _keep_links(connection: AsyncConnection, decided: Decided) -> None:
    """Adds the links that were not seen before, the oldest first, and forgets those that are gone."""
    links, cut = decided.fleet.links, decided.graph.cut
    known = {
        (row.repository_id, row.base_id): row.cut
        for row in await connection.execute(select(own_links.c.repository_id, own_links.c.base_id, own_links.c.cut))
    }
    named = {link.base for link in links}
    rows = await connection.execute(
        select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(
            bases.c.tag.in_({base.tag for base in named})
        )
    )
    ids = {Base(row.registry, row.repository, row.tag): row.id for row in rows}
    wanted = {
        (link.child, ids[link.base]): (link.child, link.base) in cut for link in sorted(links) if link.base in ids
    }
    for pair, is_cut in wanted.items():
        if known.get(pair) != is_cut:
            home, base = pair
            row = upsert(
                connection, own_links, ["repository_id", "base_id"], repository_id=home, base_id=base, cut=is_cut
            )
            await connection.execute(row)
    for home, base in sorted(known.keys() - wanted.keys()):
        gone = and_(own_links.c.repository_id == home, own_links.c.base_id == base)
        await connection.execute(delete(own_links).where(gone))


async def _open_rebuilds(connection: AsyncConnection, concerned: Collection[int]) -> list[Any]:
    """All that have not ended of these repositories, and all that are held."""
    columns = (
        *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.rollout_id, rebuilds.c.state, rebuilds.c.action),
        *(rebuilds.c.released_at, rebuilds.c.waits_for, rebuilds.c.waits_since, rebuilds.c.planned_at),
        *(rebuilds.c.severity, rebuilds.c.went_ahead),
    )
    before = rebuilds.alias()
    went_ahead = (
        select(func.count())
        .where(
            before.c.repository_id == rebuilds.c.repository_id,
            before.c.rollout_id == rebuilds.c.rollout_id,
            before.c.went_ahead.is_(True),
        )
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(*columns, went_ahead.label("earlier_ones")).where(rebuilds.c.state.not_in(ENDED))
    )
    return [row for row in rows if row.repository_id in concerned or row.waits_for is not None]


def _members(rows: Sequence[Any], failed: Collection[int]) -> tuple[dict[int, Member], frozenset[int]]:
    """How each repository stands, and those that are held."""
    members = {number: Member(Progress.FAILED) for number in failed}
    held: set[int] = set()
    for row in rows:
        number, state = row.repository_id, State(row.state)
        if state in AWAITING and row.released_at is None and row.action != Action.NOTIFY.value:
            since = row.waits_since or row.planned_at
            severe = row.severity is not None and Severity(row.severity) in SEVERE
            due = Member(Progress.DUE, since, severe, row.earlier_ones > 0)
            before = members.get(number)
            if before is not None and before.progress is Progress.DUE and before.since is not None:
                due = replace(due, since=min(since, before.since), is_severe=severe or before.is_severe)
            members[number] = due
            if row.waits_for is not None:
                held.add(number)
        elif state in (*AWAITING, *_IS_BUILDING) and row.action != Action.NOTIFY.value:
            members.setdefault(number, Member(Progress.UNDER_WAY))
            if members[number].progress is Progress.FAILED:
                members[number] = Member(Progress.UNDER_WAY)
    return members, frozenset(held)


async def _ended(
    connection: AsyncConnection, parents: Collection[int]
) -> tuple[dict[int, LastBuild], frozenset[int]]:
    """The last build of each producer, and the producers of which the last rebuild failed before it was built."""
    is_no_notice = rebuilds.c.action != Action.NOTIFY.value
    was_built = and_(
        rebuilds.c.built_at.is_not(None),
        or_(rebuilds.c.proof.is_(None), rebuilds.c.proof.in_([Verdict.PROVED.value, Verdict.UNKNOWN.value])),
    )
    has_failed = and_(rebuilds.c.state == State.FAILED.value, ~was_built, rebuilds.c.retried_as.is_(None))
    newest = (
        select(func.max(rebuilds.c.id))
        .where(
            is_no_notice,
            rebuilds.c.repository_id.in_(sorted(parents)),
            or_(was_built, has_failed, rebuilds.c.state == State.MERGED.value),
        )
        .group_by(rebuilds.c.repository_id)
    )
    rows = await connection.execute(
        select(
            *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.state, rebuilds.c.targets, rebuilds.c.built_at),
            *(rebuilds.c.attempted_at, rebuilds.c.merged_at, rebuilds.c.proof),
        ).where(rebuilds.c.id.in_(newest))
    )
    mine = rows.all()
    failed = frozenset(
        row.repository_id
        for row in mine
        if row.state == State.FAILED.value
        and (row.built_at is None or (row.proof is not None and Verdict(row.proof).fails))
    )
    builds = readable(
        [row for row in mine if row.repository_id not in failed],
        lambda row: (
            row.repository_id,
            LastBuild(row.merged_at or row.attempted_at, load(row.targets, tuple[Target, ...])),
        ),
        lambda row: f"rebuild {row.id}",
    )
    return dict(builds), failed


async def _bases(
    connection: AsyncConnection, parents: Collection[int]
) -> tuple[dict[int, frozenset[Base]], dict[Base, str | None], dict[Base, datetime | None]]:
    """The bases that producers follow, and of all bases what they show and since when."""
    if not parents:
        return {}, {}, {}
    rows = (await connection.execute(select(bases).where(bases.c.used.is_(True)))).all()
    named = {row.id: Base(row.registry, row.repository, row.tag) for row in rows}
    followed = await connection.execute(
        select(usages.c.repository_id, usages.c.base_id)
        .where(usages.c.base_id.is_not(None), usages.c.repository_id.in_(parents))
        .distinct()
    )
    of: dict[int, set[Base]] = {}
    for row in followed:
        if row.base_id in named:
            of.setdefault(row.repository_id, set()).add(named[row.base_id])
    return (
        {number: frozenset(some) for number, some in of.items()},
        {named[row.id]: row.digest for row in rows},
        {named[row.id]: row.moved_at for row in rows},
    )


async def _is_settled(connection: AsyncConnection, now: datetime) -> bool:
    """Whether everything that was observed has been planned, but for what cannot be."""
    since = now - _UNPLANNED_FOR
    unassessed = select(observations.c.id).where(observations.c.assessed.is_(False), observations.c.at >= since)
    unplanned = select(changes.c.id).where(changes.c.planned.is_(False), changes.c.at >= since)
    for query in (unassessed, unplanned):
        if await connection.scalar(query.limit(1)) is not None:
            return False
    return True


async def _incidents(
    connection: AsyncConnection, decided: Decided, now: datetime
) -> tuple[list[Incident], set[str]] | None:
    """Those that begin and the subjects of those that are over; None where nothing changes."""
    names = decided.fleet.names
    wanted = {
        each.subject: each
        for each in (
            *(_blocked(names.get(number, "?"), count, now) for number, count in decided.cascade.blocks.items()),
            *(_cycle(cycle, names, now) for cycle in decided.graph.cycles),
        )
    }
    rows = await connection.execute(
        select(incidents.c.subject).where(
            incidents.c.cleared_at.is_(None),
            or_(incidents.c.subject.startswith(BLOCKS), incidents.c.subject.startswith(CYCLE)),
        )
    )
    before = set(rows.scalars())
    opened = [each for subject, each in sorted(wanted.items()) if subject not in before]
    over = before - wanted.keys()
    return (opened, over) if opened or over else None


def _blocked(name: str, count: int, now: datetime) -> Incident:
    told = "1 repository" if count == 1 else f"{count:,} repositories"
    advice = f"mend its build; `freshness-bot explain {name}` shows what failed"
    return Incident(
        f"{BLOCKS}{name}"[:255], now, f"its rebuild failed, which blocks {told} that stand on it; {advice}"
    )


def _cycle(cycle: Cycle, names: Mapping[int, str], now: datetime) -> Incident:
    child = names.get(cycle.cut.child, "?")
    path = " → ".join(names.get(number, "?") for number in cycle.path)
    advice = (
        f"what {child} takes from {cycle.cut.base.short} sets off no rebuild; let one of them build on another base"
    )
    return Incident(f"{CYCLE}{child} {cycle.cut.base}"[:255], now, f"images stand on each other: {path}; {advice}")
