"""How each image among own bases stands: what it waits for, what is built or has been."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Select,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import SEVERE, Severity
from bot.domain.packages.gate import GateMode, GateOutcome
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import AWAITING, ENDED, Action, RebuildState, Target
from bot.fleet.plan.cascade.decisions import Due, RebuildProgress
from bot.fleet.plan.cascade.graph import Image
from bot.fleet.plan.cascade.parts import RepositoryImages
from bot.fleet.plan.cascade.shown import ImageSight, LastBuild, is_mended, made_together
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks
from bot.store.engine.locking import lock
from bot.store.engine.readable import readable
from bot.store.rows.bases.tables import base_of, bases, changes, observations
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import images, standings_of
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.rollouts import IS_KEPT
from bot.store.rows.rollouts.tables import rebuilds

_UNPLANNED_FOR = timedelta(minutes=5)
"""Whatever cannot be planned for so long is waited for no longer."""
_TOLD_ANEW_AFTER = timedelta(hours=1)
_IS_BUILDING = (
    RebuildState.OPEN,
    RebuildState.DISPATCHED,
    RebuildState.RUNNING,
    RebuildState.BUILDING,
    RebuildState.PROVING,
)


@cache
def _open_ones() -> Select[Any]:
    """All rebuilds that have not ended, with how many of their repository went ahead in their rollout."""
    columns = (
        *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.rollout_id, rebuilds.c.state, rebuilds.c.action),
        *(rebuilds.c.released_at, rebuilds.c.waits_for, rebuilds.c.waits_since, rebuilds.c.planned_at),
        *(rebuilds.c.severity, rebuilds.c.went_ahead, rebuilds.c.targets, rebuilds.c.due_at),
        *(rebuilds.c.distance, IS_KEPT.label("is_kept")),
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
    return select(*columns, went_ahead.label("earlier_ones")).where(rebuilds.c.state.not_in(ENDED))


async def open_rebuilds(connection: AsyncConnection, concerned: Collection[int]) -> list[Any]:
    """Reads all rebuilds that have not ended of these repositories, and all that are held."""
    rows = await connection.execute(_open_ones())
    return [row for row in rows if row.repository_id in concerned or row.waits_for is not None]


def progress_of(
    rows: Sequence[Any], failed: Collection[Image], parts: Mapping[int, RepositoryImages]
) -> tuple[dict[Image, RebuildProgress], dict[int, Due]]:
    """How far each image's rebuild is, and the rebuilds that are due."""
    progress = dict.fromkeys(failed, RebuildProgress.FAILED)
    dues: dict[int, Due] = {}
    for row in rows:
        if row.action == Action.NOTIFY.value:
            continue
        home, state = row.repository_id, RebuildState(row.state)
        mine = images_for(row, parts)
        if state in AWAITING and row.released_at is None:
            severe = row.severity is not None and Severity(row.severity) in SEVERE
            since = row.waits_since or row.planned_at
            dues[row.id] = Due(home, mine, since, severe, row.earlier_ones > 0)
            progress |= dict.fromkeys(mine, RebuildProgress.DUE)
        elif state in (*AWAITING, *_IS_BUILDING):
            is_due = {image for image in mine if progress.get(image) is RebuildProgress.DUE}
            progress |= dict.fromkeys(mine - is_due, RebuildProgress.UNDER_WAY)
    return progress, dues


def beginnings_of(
    rows: Sequence[Any], parts: Mapping[int, RepositoryImages], now: datetime
) -> dict[Image, datetime]:
    """When the rebuild of each image was let go; of one that was not yet, when it may be at the earliest.

    One that is due and waits for its wave begins within the hour at the earliest, which is said anew by the hour.
    That is not so of what a person or a quarantine keeps, nor where that wave may wait for who waits here.
    """
    found: dict[Image, datetime] = {}
    held: dict[int, int] = {}
    for row in rows:
        if row.waits_for is not None:
            held[row.rollout_id] = min(held.get(row.rollout_id, row.distance), row.distance)
    for row in rows:
        if row.action == Action.NOTIFY.value:
            continue
        begins = row.released_at or row.due_at
        is_waiting = row.released_at is None and RebuildState(row.state) in AWAITING and not row.is_kept
        if is_waiting and held.get(row.rollout_id, row.distance + 1) > row.distance:
            begins += max(-((begins - now) // _TOLD_ANEW_AFTER), 0) * _TOLD_ANEW_AFTER
        for image in images_for(row, parts):
            found[image] = max(found.get(image, begins), begins)
    return found


def images_for(row: Any, parts: Mapping[int, RepositoryImages]) -> frozenset[Image]:
    """The images that a rebuild is for; all of its repository where its targets cannot be read."""
    known = parts.get(row.repository_id)
    return frozenset({Image(row.repository_id)}) if known is None else known.upon(bases_named(row))


def bases_named(row: Any) -> frozenset[Base]:
    """The bases that a rebuild is for."""
    [*found] = readable(
        [row],
        lambda row: frozenset(target.base for target in load(row.targets, tuple[Target, ...])),
        lambda row: f"rebuild {row.id}",
    )
    return found[0] if found else frozenset()


async def gated_among(connection: AsyncConnection, parents: Collection[Image]) -> frozenset[Image]:
    """Those of these images that the gate holds back, as it was last asked."""
    names = {(each.repository, each.name) for each in parents}
    rows = await connection.execute(
        select(images.c.repository_id, images.c.registry, images.c.repository)
        .join(gates, gates.c.image_id == images.c.id)
        .where(gates.c.outcome == GateOutcome.BLOCKED.value, gates.c.mode == GateMode.BLOCK.value)
    )
    found: set[Image] = set()
    for row in rows:
        named = (row.repository_id, f"{row.registry}/{row.repository}")
        # An empty name stands for all that a repository builds and that nothing tells apart.
        found |= {Image(*each) for each in (named, (row.repository_id, "")) if each in names}
    return frozenset(found)


async def bases_of_producers(
    connection: AsyncConnection, parents: Collection[Image], parts: Mapping[int, RepositoryImages]
) -> tuple[dict[Image, frozenset[Base]], dict[Base, str | None], dict[Base, datetime | None]]:
    """The bases that parents follow, and of all bases what they show and since when."""
    if not parents:
        return {}, {}, {}
    rows = (await connection.execute(select(bases).where(bases.c.used.is_(True)))).all()
    named = {row.id: base_of(row) for row in rows}
    followed = await connection.execute(
        select(usages.c.repository_id, usages.c.base_id)
        .where(usages.c.base_id.is_not(None), usages.c.repository_id.in_({image.repository for image in parents}))
        .distinct()
    )
    of: dict[int, set[Base]] = {}
    for row in followed:
        if row.base_id in named:
            of.setdefault(row.repository_id, set()).add(named[row.base_id])
    mine = {
        image: parts[image.repository].bases.get(image, frozenset())
        if image.repository in parts
        else frozenset(of.get(image.repository, ()))
        for image in parents
    }
    return mine, {named[row.id]: row.digest for row in rows}, {named[row.id]: row.moved_at for row in rows}


async def mended_among(
    connection: AsyncConnection,
    failed: Mapping[Image, datetime | None],
    bases_of: Mapping[Image, frozenset[Base]],
    moved: Mapping[Base, datetime | None],
) -> frozenset[Image]:
    """Those of the images whose rebuild failed that somebody has built since."""
    sights: dict[Image, list[ImageSight]] = {}
    for homes in chunks(sorted({image.repository for image in failed})):
        rows = await connection.execute(select(images).where(images.c.repository_id.in_(homes)))
        for image, sight in readable(rows, _sight, lambda row: f"image {row.id}"):
            # An empty name stands for all that a repository builds and that nothing tells apart.
            for each in (image, Image(image.repository)):
                sights.setdefault(each, []).append(sight)
    found = set[Image]()
    for image, at in failed.items():
        since = [when for base in bases_of.get(image, ()) if (when := moved.get(base)) is not None]
        if at is not None and is_mended(at, since, sights.get(image, ())):
            found.add(image)
    return frozenset(found)


async def with_together(
    connection: AsyncConnection,
    dues: Mapping[int, Due],
    rows: Sequence[Any],
    parts: Mapping[int, RepositoryImages],
    moved: Mapping[Base, datetime | None],
    builds: Mapping[Image, LastBuild],
) -> dict[int, Due]:
    """Tells of the rebuilds that are for images of their own repository alone whether an earlier build has made
    what they are for."""
    targets = {row.id: bases_named(row) for row in rows if row.id in dues and row.repository_id in parts}
    found: list[Any] = []
    for homes in chunks(sorted({dues[number].repository for number, mine in targets.items() if mine})):
        found += await connection.execute(select(images).where(images.c.repository_id.in_(homes)))
    made: dict[int, set[str]] = {}
    for row in found:
        made.setdefault(row.repository_id, set()).add(f"{row.registry}/{row.repository}")
    some = {
        number
        for number, mine in targets.items()
        if mine and {base.name for base in mine} <= made.get(dues[number].repository, set())
    }
    if not some:
        return dict(dues)
    seen: dict[Image, list[ImageSight]] = {}
    for image, sight in readable(found, _sight, lambda row: f"image {row.id}"):
        seen.setdefault(image, []).append(sight)
    told = dict(dues)
    for number in some:
        due = dues[number]
        built = (build.built_at for image, build in builds.items() if image.repository == due.repository)
        since = [at for at in (*(moved.get(base) for base in targets[number]), *built) if at is not None]
        mine = [sight for image in sorted(due.images) for sight in seen.get(image, [None])]
        made_at = max(since, default=None)
        together = made_together(targets[number], made_at, mine)
        told[number] = replace(due, together=together, made_at=made_at)
    return told


def _sight(row: Any) -> tuple[Image, ImageSight]:
    image = Image(row.repository_id, f"{row.registry}/{row.repository}")
    return image, ImageSight(row.looked_at, standings_of(row))


async def look_soon(connection: AsyncConnection, dues: Collection[Due], now: datetime) -> None:
    """Has the images that these rebuilds are for looked at now."""
    wanted = {(image.repository, *image.name.split("/", 1)) for due in dues for image in due.images if image.name}
    if not wanted:
        return
    place = tuple_(images.c.repository_id, images.c.registry, images.c.repository)
    late = (place.in_(sorted(wanted)), images.c.lease_owner.is_(None), images.c.due_at > now)
    ids = list((await connection.execute(select(images.c.id).where(*late))).scalars())
    await lock(connection, images, ids)
    for some in chunks(ids):
        await connection.execute(update(images).where(images.c.id.in_(some)).values(due_at=now))


async def everything_is_planned(connection: AsyncConnection, now: datetime) -> bool:
    """Whether everything that was observed has been planned, but for what cannot be."""
    since = now - _UNPLANNED_FOR
    unassessed = select(observations.c.id).where(observations.c.assessed.is_(False), observations.c.at >= since)
    unplanned = select(changes.c.id).where(changes.c.planned.is_(False), changes.c.at >= since)
    for query in (unassessed, unplanned):
        if await connection.scalar(query.limit(1)) is not None:
            return False
    return True
