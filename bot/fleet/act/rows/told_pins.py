"""What releases tell of the way from what files still pin to what a rebuild brings, where nobody saw all of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change, ToldWay
from bot.domain.bases.dotnet_version import goes_back
from bot.domain.bases.followed_base import base_among
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base, Reference
from bot.domain.rollouts.pinning import named_version
from bot.domain.rollouts.rebuild import Rebuild, Target
from bot.store.engine.codec import load
from bot.store.rows.bases.pinned_digests import Place, place_of, read_pinned
from bot.store.rows.bases.tables import bases, observations
from bot.store.rows.bases.told_ways import KeptFeeds


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
        shown = await _shown(connection, target)
        told = await feeds.told(connection) if shown is not None else None
        way = told.way(stood_on, shown, now) if told is not None and shown is not None else None
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


async def _shown(connection: AsyncConnection, target: Target) -> Observation | None:
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
