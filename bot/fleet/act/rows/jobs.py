"""A claimed rebuild with all that is needed to act on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change, ToldWay
from bot.domain.bases.dotnet import goes_back
from bot.domain.bases.followed_base import base_among
from bot.domain.bases.observation import Observation
from bot.domain.images.proof import may_stand_on
from bot.domain.packages.changes import PlatformChanges, composed
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.pinning import named_version
from bot.domain.rollouts.rebuild import WITHOUT_EFFECT, Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.steps import images_of_build
from bot.fleet.act.ports import Job, Successor
from bot.store.engine.codec import load, readable
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.rows.bases.pinned_digests import Place, place_of, read_pinned
from bot.store.rows.bases.tables import base_of, bases, changes, observations
from bot.store.rows.bases.told_ways import KeptFeeds
from bot.store.rows.images.images import contested_images, image_of, images
from bot.store.rows.inventories.packages import package_changes_of
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import MEMBER, fleet_repository_of, rebuild_of
from bot.store.rows.rollouts.rollouts import IS_KEPT_LATER, paused_rollouts
from bot.store.rows.rollouts.tables import quarantines, rebuilds


async def told_ways_of(
    connection: AsyncConnection, rebuild: Rebuild, steps: Sequence[Change], feeds: KeptFeeds, now: datetime
) -> Mapping[Base, ToldWay]:
    """The ways of the bases whose pins are older than the first of the `steps` that were seen, or of which none was
    seen."""
    olds = [item.old for item in rebuild.replacements if not item.marker]
    pins = {target: [old for old in olds if base_among(old, [target.base])] for target in rebuild.targets}
    digests = {old.digest for several in pins.values() for old in several if old.digest is not None}
    images = await read_pinned(connection, digests) if digests else {}
    ways: dict[Base, ToldWay] = {}
    for target, references in pins.items():
        stood_on = _oldest(target.base, references, images)
        if stood_on is None or not _is_before(stood_on, target, steps):
            continue
        shown = await _observation_of(connection, target)
        by_feeds = await feeds.told(connection) if shown is not None else None
        way = by_feeds.way(stood_on, shown, now) if by_feeds is not None and shown is not None else None
        if way is not None:
            ways[target.base] = way
    return ways


def _oldest(
    base: Base, references: Sequence[Reference], images: Mapping[Place, Observation]
) -> Observation | str | None:
    """What the files pin; of several the oldest."""
    oldest: Observation | str | None = None
    for reference in references:
        image = images.get(place_of(base, reference.digest)) if reference.digest is not None else None
        stood_on = image or named_version(reference, base)
        if stood_on is not None and (oldest is None or goes_back(_version(oldest), _version(stood_on))):
            oldest = stood_on
    return oldest


def _is_before(stood_on: Observation | str, target: Target, steps: Sequence[Change]) -> bool:
    first = next((step for step in steps if step.base == target.base), None)
    return first is None or goes_back(first.from_version, _version(stood_on))


def _version(stood_on: Observation | str) -> str | None:
    return stood_on if isinstance(stood_on, str) else stood_on.version


async def _observation_of(connection: AsyncConnection, target: Target) -> Observation | None:
    """The base as it was seen with the digest that it is to be brought to."""
    base = target.base
    query = (
        select(observations.c.observation)
        .join(bases, bases.c.id == observations.c.base_id)
        .where(bases.c.registry == base.registry, bases.c.repository == base.repository, bases.c.tag == base.tag)
        .where(observations.c.digest == target.to_digest)
        .order_by(observations.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else load(row.observation, Observation)


async def read_job(
    connection: AsyncConnection, row: Mapping[str, Any], cves: CvesOfMoves, feeds: KeptFeeds, now: datetime
) -> Job:
    """Reads the rebuild of a claimed row with its repository, changes and files."""
    home_query = select(*MEMBER, repositories.c.default_branch, repositories.c.listed).where(
        repositories.c.id == row["repository_id"]
    )
    home = (await connection.execute(home_query)).mappings().one()
    rebuild = rebuild_of(row, Identity(home["name"], home["node_id"], home["forge"]))
    steps = [change for target in rebuild.targets for change in target.changes]
    change_rows = await connection.execute(
        select(changes.c.change).where(changes.c.id.in_(steps)).order_by(changes.c.to_observation)
    )
    seen_steps = tuple(load(change, Change) for change in change_rows.scalars())
    told_ways = await told_ways_of(connection, rebuild, seen_steps, feeds, now)
    usage_rows = await connection.execute(select(usages.c.usage).where(usages.c.repository_id == home["id"]))
    repository_usages = [load(item, Usage) for item in usage_rows.scalars()]
    targets = {target.base for target in rebuild.targets}
    concerned_usages = (
        usage for usage in repository_usages if usage.sdk_pin or base_among(usage.reference, targets)
    )
    paths = {path for usage in concerned_usages for path in usage.paths}
    places: dict[Base, set[str]] = {}
    for usage in repository_usages:
        base = base_among(usage.reference, targets)
        if usage.sdk_pin is None and base is not None:
            places.setdefault(base, set()).add(usage.path)
    shown_since = await _shown_since(connection, rebuild)
    return Job(
        rebuild,
        fleet_repository_of(home, {}),
        home["default_branch"],
        (*(way.change for way in told_ways.values()), *seen_steps),
        tuple(sorted(paths)),
        bool(home["listed"]),
        {base: tuple(sorted(base_paths)) for base, base_paths in places.items()},
        await _replaced_by(connection, rebuild, home["id"]),
        quarantined=await _quarantined_bases(connection, rebuild),
        at_request=bool(row["at_request"]),
        condemned=await _condemned_digest(connection, rebuild),
        shown_since=shown_since,
        is_provable=bool(shown_since) and await _is_provable(connection, rebuild, home["id"]),
        packages=await _packages(connection, rebuild, cves),
        is_paused=bool({None, rebuild.rollout} & (paused_rollout_ids := await paused_rollouts(connection))),
        is_all_paused=None in paused_rollout_ids,
        told_ways=told_ways,
        is_later_kept=await _is_later_kept(connection, rebuild),
    )


async def _is_later_kept(connection: AsyncConnection, rebuild: Rebuild) -> bool:
    """Whether a word keeps the rebuild that has superseded this one."""
    if rebuild.state is not RebuildState.SUPERSEDED:
        return False
    query = select(rebuilds.c.id).where(rebuilds.c.id == rebuild.id, IS_KEPT_LATER)
    return (await connection.execute(query)).first() is not None


async def _packages(
    connection: AsyncConnection, rebuild: Rebuild, cves: CvesOfMoves
) -> dict[Base, tuple[PlatformChanges, ...]]:
    """How the packages of each base change with it, and what that does about CVEs."""
    changes_by_base = {target.base: target.changes for target in rebuild.targets}
    moves = await package_changes_of(
        connection, [change for several in changes_by_base.values() for change in several]
    )
    cves_by_base = await cves.over(connection, changes_by_base)
    return {
        base: tuple(
            replace(platform, cves=cves_by_base[base].get(platform.platform))
            for platform in composed([platforms for change, platforms in moves.items() if change in several])
        )
        for base, several in changes_by_base.items()
    }


async def _quarantined_bases(connection: AsyncConnection, rebuild: Rebuild) -> dict[Base, str]:
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
    target_digests = {(target.base, target.to_digest) for target in rebuild.targets}
    pairs = ((base_of(row), row) for row in rows)
    return {base: f"{row.reason} ({row.who})" for base, row in pairs if (base, row.digest) in target_digests}


async def _condemned_digest(connection: AsyncConnection, rebuild: Rebuild) -> str | None:
    """A digest that a merged pull request has pinned and that was quarantined since, where this is to repeat its
    build: the next publication has ended that, and a run would still build on it. Not where a person has let it go.
    """
    pinned_digests = {
        item.new.digest for item in rebuild.replacements if item.new.digest is not None and not item.marker
    }
    if rebuild.action is not Action.DISPATCH or not pinned_digests:
        return None
    rows = await connection.execute(
        select(bases.c.registry, bases.c.repository, bases.c.tag, quarantines.c.digest)
        .join(bases, bases.c.id == quarantines.c.base_id)
        .where(quarantines.c.digest.in_(pinned_digests), quarantines.c.lifted.is_(False))
        .order_by(quarantines.c.id)
    )
    target_digests = {(target.base, target.to_digest) for target in rebuild.targets}
    own_digests = (row.digest for row in rows if (base_of(row), row.digest) in target_digests)
    return next(own_digests, None)


async def _shown_since(connection: AsyncConnection, rebuild: Rebuild) -> dict[Base, datetime]:
    """From when on each base that is to be dispatched for shows the digest that is wanted."""
    if rebuild.action is not Action.DISPATCH or not rebuild.state.awaits_action:
        return {}
    targets = {(target.base, target.to_digest) for target in rebuild.targets}
    rows = await connection.execute(
        select(bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest, bases.c.moved_at).where(
            bases.c.digest.in_({digest for _, digest in targets}), bases.c.moved_at.is_not(None)
        )
    )
    pairs = ((base_of(row), row) for row in rows)
    return {base: row.moved_at for base, row in pairs if (base, row.digest) in targets}


async def _is_provable(connection: AsyncConnection, rebuild: Rebuild, repository: int) -> bool:
    """Whether an image of the repository is known in which a build shows what it stands on."""
    rows = (await connection.execute(select(images).where(images.c.repository_id == repository))).all()
    contested = await contested_images(connection) if rows else ()
    known_images = readable(
        rows, lambda row: image_of(row, rebuild.repository, contested), lambda row: f"image {row.id}"
    )
    wanted_bases = {target.base for target in rebuild.targets}
    return any(may_stand_on(image, wanted_bases) for image in images_of_build(known_images, rebuild))


async def _replaced_by(connection: AsyncConnection, rebuild: Rebuild, repository: int) -> Successor | None:
    """What a later rebuild of the repository does about the same bases, where that is another action."""
    if rebuild.state is not RebuildState.OPEN:
        return None
    later = await connection.execute(
        select(rebuilds.c.action, rebuilds.c.targets, rebuilds.c.url)
        .where(
            rebuilds.c.repository_id == repository,
            rebuilds.c.id > rebuild.id,
            rebuilds.c.action != rebuild.action.value,
            rebuilds.c.state.not_in(WITHOUT_EFFECT),
            or_(rebuilds.c.attempted_at.is_not(None), rebuilds.c.state == RebuildState.SUCCEEDED.value),
        )
        .order_by(rebuilds.c.id.desc())
    )
    bases = {target.base for target in rebuild.targets}
    for row in later:
        if bases <= {target.base for target in load(row.targets, tuple[Target, ...])}:
            return Successor(Action(row.action), row.url)
    return None
