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
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks, lock
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


async def open_rebuilds(connection: AsyncConnection, homes: Collection[int]) -> list[Any]:
    """Reads all rebuilds that have not ended of these repositories, and all that are held."""
    rows = await connection.execute(_open_ones())
    return [row for row in rows if row.repository_id in homes or row.waits_for is not None]


def progress_of(
    rows: Sequence[Any], failed_images: Collection[Image], parts: Mapping[int, RepositoryImages]
) -> tuple[dict[Image, RebuildProgress], dict[int, Due]]:
    """How far each image's rebuild is, and the rebuilds that are due."""
    progress = dict.fromkeys(failed_images, RebuildProgress.FAILED)
    dues: dict[int, Due] = {}
    for row in rows:
        if row.action == Action.NOTIFY.value:
            continue
        home, state = row.repository_id, RebuildState(row.state)
        rebuild_images = images_for(row, parts)
        if state in AWAITING and row.released_at is None:
            severe = row.severity is not None and Severity(row.severity) in SEVERE
            since = row.waits_since or row.planned_at
            dues[row.id] = Due(home, rebuild_images, since, severe, row.earlier_ones > 0)
            progress |= dict.fromkeys(rebuild_images, RebuildProgress.DUE)
        elif state in (*AWAITING, *_IS_BUILDING):
            is_due = {image for image in rebuild_images if progress.get(image) is RebuildProgress.DUE}
            progress |= dict.fromkeys(rebuild_images - is_due, RebuildProgress.UNDER_WAY)
    return progress, dues


def beginnings_of(
    rows: Sequence[Any], parts: Mapping[int, RepositoryImages], now: datetime
) -> dict[Image, datetime]:
    """When the rebuild of each image was let go; of one that was not yet, when it may be at the earliest.

    One that is due and waits for its wave begins within the hour at the earliest, which is said anew by the hour.
    That is not so of what a person or a quarantine keeps, nor where that wave may wait for who waits here.
    """
    beginnings: dict[Image, datetime] = {}
    least_distances: dict[int, int] = {}
    for row in rows:
        if row.waits_for is not None:
            least_distances[row.rollout_id] = min(least_distances.get(row.rollout_id, row.distance), row.distance)
    for row in rows:
        if row.action == Action.NOTIFY.value:
            continue
        begins = row.released_at or row.due_at
        is_waiting = row.released_at is None and RebuildState(row.state) in AWAITING and not row.is_kept
        if is_waiting and least_distances.get(row.rollout_id, row.distance + 1) > row.distance:
            begins += max(-((begins - now) // _TOLD_ANEW_AFTER), 0) * _TOLD_ANEW_AFTER
        for image in images_for(row, parts):
            beginnings[image] = max(beginnings.get(image, begins), begins)
    return beginnings


def images_for(row: Any, parts: Mapping[int, RepositoryImages]) -> frozenset[Image]:
    """The images that a rebuild is for; all of its repository where its targets cannot be read."""
    repository_images = parts.get(row.repository_id)
    return (
        frozenset({Image(row.repository_id)})
        if repository_images is None
        else repository_images.upon(bases_named(row))
    )


def bases_named(row: Any) -> frozenset[Base]:
    """Reads the bases that a rebuild is for; none where its targets cannot be read."""
    [*target_bases] = readable(
        [row],
        lambda row: frozenset(target.base for target in load(row.targets, tuple[Target, ...])),
        lambda row: f"rebuild {row.id}",
    )
    return target_bases[0] if target_bases else frozenset()


async def gated_among(connection: AsyncConnection, parents: Collection[Image]) -> frozenset[Image]:
    """Those of these images that the gate holds back, as it was last asked."""
    names = {(each.repository, each.name) for each in parents}
    rows = await connection.execute(
        select(images.c.repository_id, images.c.registry, images.c.repository)
        .join(gates, gates.c.image_id == images.c.id)
        .where(gates.c.outcome == GateOutcome.BLOCKED.value, gates.c.mode == GateMode.BLOCK.value)
    )
    gated: set[Image] = set()
    for row in rows:
        full_name = (row.repository_id, f"{row.registry}/{row.repository}")
        # An empty name stands for all that a repository builds and that nothing tells apart.
        gated |= {Image(*each) for each in (full_name, (row.repository_id, "")) if each in names}
    return frozenset(gated)


async def bases_of_producers(
    connection: AsyncConnection, parents: Collection[Image], parts: Mapping[int, RepositoryImages]
) -> tuple[dict[Image, frozenset[Base]], dict[Base, str | None], dict[Base, datetime | None]]:
    """The bases that parents follow, and of all bases what they show and since when."""
    if not parents:
        return {}, {}, {}
    rows = (await connection.execute(select(bases).where(bases.c.used.is_(True)))).all()
    bases_by_id = {row.id: base_of(row) for row in rows}
    usage_rows = await connection.execute(
        select(usages.c.repository_id, usages.c.base_id)
        .where(usages.c.base_id.is_not(None), usages.c.repository_id.in_({image.repository for image in parents}))
        .distinct()
    )
    of: dict[int, set[Base]] = {}
    for row in usage_rows:
        if row.base_id in bases_by_id:
            of.setdefault(row.repository_id, set()).add(bases_by_id[row.base_id])
    bases_by_image = {
        image: parts[image.repository].bases.get(image, frozenset())
        if image.repository in parts
        else frozenset(of.get(image.repository, ()))
        for image in parents
    }
    return (
        bases_by_image,
        {bases_by_id[row.id]: row.digest for row in rows},
        {bases_by_id[row.id]: row.moved_at for row in rows},
    )


async def mended_among(
    connection: AsyncConnection,
    failed_at_by_image: Mapping[Image, datetime | None],
    bases_of: Mapping[Image, frozenset[Base]],
    moved: Mapping[Base, datetime | None],
) -> frozenset[Image]:
    """Those of the images whose rebuild failed that somebody has built since."""
    sights: dict[Image, list[ImageSight]] = {}
    for homes in chunks(sorted({image.repository for image in failed_at_by_image})):
        rows = await connection.execute(select(images).where(images.c.repository_id.in_(homes)))
        for image, sight in readable(rows, _sight, lambda row: f"image {row.id}"):
            # An empty name stands for all that a repository builds and that nothing tells apart.
            for seen_as in (image, Image(image.repository)):
                sights.setdefault(seen_as, []).append(sight)
    mended_images = set[Image]()
    for image, failed_at in failed_at_by_image.items():
        since = [when for base in bases_of.get(image, ()) if (when := moved.get(base)) is not None]
        if failed_at is not None and is_mended(failed_at, since, sights.get(image, ())):
            mended_images.add(image)
    return frozenset(mended_images)


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
    image_rows: list[Any] = []
    for homes in chunks(
        sorted({dues[number].repository for number, rebuild_bases in targets.items() if rebuild_bases})
    ):
        image_rows += await connection.execute(select(images).where(images.c.repository_id.in_(homes)))
    made_names: dict[int, set[str]] = {}
    for row in image_rows:
        made_names.setdefault(row.repository_id, set()).add(f"{row.registry}/{row.repository}")
    numbers = {
        number
        for number, rebuild_bases in targets.items()
        if rebuild_bases and {base.name for base in rebuild_bases} <= made_names.get(dues[number].repository, set())
    }
    if not numbers:
        return dict(dues)
    sights: dict[Image, list[ImageSight]] = {}
    for image, sight in readable(image_rows, _sight, lambda row: f"image {row.id}"):
        sights.setdefault(image, []).append(sight)
    new_dues = dict(dues)
    for number in numbers:
        due = dues[number]
        built_at = (build.built_at for image, build in builds.items() if image.repository == due.repository)
        since = [
            moment for moment in (*(moved.get(base) for base in targets[number]), *built_at) if moment is not None
        ]
        rebuild_sights = [sight for image in sorted(due.images) for sight in sights.get(image, [None])]
        made_at = max(since, default=None)
        together = made_together(targets[number], made_at, rebuild_sights)
        new_dues[number] = replace(due, together=together, made_at=made_at)
    return new_dues


def _sight(row: Any) -> tuple[Image, ImageSight]:
    image = Image(row.repository_id, f"{row.registry}/{row.repository}")
    return image, ImageSight(row.looked_at, standings_of(row))


async def look_soon(connection: AsyncConnection, dues: Collection[Due], now: datetime) -> None:
    """Has the images that these rebuilds are for looked at now."""
    places = {(image.repository, *image.name.split("/", 1)) for due in dues for image in due.images if image.name}
    if not places:
        return
    place = tuple_(images.c.repository_id, images.c.registry, images.c.repository)
    is_later = (place.in_(sorted(places)), images.c.lease_owner.is_(None), images.c.due_at > now)
    ids = list((await connection.execute(select(images.c.id).where(*is_later))).scalars())
    await lock(connection, images, ids)
    for part in chunks(ids):
        await connection.execute(update(images).where(images.c.id.in_(part)).values(due_at=now))


async def everything_is_planned(connection: AsyncConnection, now: datetime) -> bool:
    """Whether everything that was observed has been planned, but for what cannot be."""
    since = now - _UNPLANNED_FOR
    unassessed = select(observations.c.id).where(observations.c.assessed.is_(False), observations.c.at >= since)
    unplanned = select(changes.c.id).where(changes.c.planned.is_(False), changes.c.at >= since)
    for query in (unassessed, unplanned):
        if await connection.scalar(query.limit(1)) is not None:
            return False
    return True
