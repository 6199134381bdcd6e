"""Which bases images stand on: those of the fleet in between, and the one that somebody else publishes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.claims import of_tag
from bot.domain.images.standing import ImageStanding
from bot.domain.packages.package import Package
from bot.domain.platform import platform_of
from bot.domain.reference import Base
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks
from bot.store.rows.bases.bases import has_name_among
from bot.store.rows.bases.tables import base_of, bases, observations
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventory_packages, observed_inventories, package_of, packages
from bot.store.rows.repositories.tables import repositories

_DEEPEST = 10

_Name = tuple[str, str]
"""Registry and repository."""
_Produced = tuple[str, tuple[ImageStanding, ...]]
"""Who produces an image, and what it stands on."""


@dataclass(frozen=True, slots=True)
class Below:
    """What one platform of an image stands on, by inventory of what each base shows now, None where that was not
    read: `own` the lowest first, each with who produces it; `base` None where it is not known, `mirror` the copy of
    it that is built upon."""

    platform: str
    base: Base | None
    inventory: int | None
    mirror: tuple[Base, int | None] | None = None
    own: tuple[tuple[Base, int | None, str], ...] = ()


@dataclass(slots=True)
class BasesBelow:
    """`own` are the standings of the images that the fleet builds, and who does, by name and tag; `shown` the
    inventories of what bases show now, by platform, `upstreams` what mirrored ones are copies of; `followed` are
    all bases, `withdrawn` those that their publisher lists no more."""

    own: dict[_Name, dict[str, _Produced]] = field(default_factory=dict)
    shown: dict[tuple[Base, str], int] = field(default_factory=dict)
    upstreams: dict[Base, Base] = field(default_factory=dict)
    followed: frozenset[Base] = frozenset()
    withdrawn: frozenset[Base] = frozenset()

    def below(self, standings: Sequence[ImageStanding], platform: str) -> Below:
        """Follows own bases down to the one that somebody else publishes."""
        own: list[tuple[Base, int | None, str]] = []
        as_shown = platform_of(platform)
        for _ in range(_DEEPEST):
            base = next((each.made_from for each in standings if each.platform == as_shown), None)
            if base is None:
                break
            produced = self.own.get((base.registry, base.repository))
            if produced is None:
                inventory = self.shown.get((base, as_shown))
                upstream = self.upstreams.get(base)
                if upstream is None:
                    return Below(platform, base, inventory, None, tuple(own[::-1]))
                published = self.shown.get((upstream, as_shown))
                return Below(platform, upstream, published, (base, inventory), tuple(own[::-1]))
            of_its_tag = of_tag(base.tag, produced)
            if of_its_tag is None:
                break
            who, standings = of_its_tag
            own.append((base, self.shown.get((base, as_shown)), who))
        return Below(platform, None, None, None, tuple(own[::-1]))


async def read_bases(connection: AsyncConnection, standings: Iterable[ImageStanding]) -> BasesBelow:
    """All bases below these standings, own ones followed down, with what they show now."""
    bases_below = BasesBelow()
    all_bases = {each.made_from for each in standings if each.made_from is not None}
    followed: set[Base] = set()
    for _ in range(_DEEPEST):
        new = all_bases - followed
        if not new:
            break
        followed |= new
        own = await _own(connection, {(base.registry, base.repository) for base in new} - bases_below.own.keys())
        bases_below.own |= own
        all_bases |= {
            standing.made_from
            for tags in own.values()
            for _, stood in tags.values()
            for standing in stood
            if standing.made_from is not None
        }
    bases_below.upstreams = await _upstreams(connection, followed)
    bases_below.followed = frozenset(followed | set(bases_below.upstreams.values()))
    bases_below.shown = await _read_inventories(connection, bases_below.followed)
    bases_below.withdrawn = await _withdrawn(connection, bases_below.followed)
    return bases_below


async def _own(connection: AsyncConnection, names: Collection[_Name]) -> dict[_Name, dict[str, _Produced]]:
    own_images: dict[_Name, dict[str, _Produced]] = {}
    for part in chunks(sorted(names)):
        rows = await connection.execute(
            select(
                *(images.c.id, images.c.registry, images.c.repository, images.c.tag, images.c.standings),
                repositories.c.name,
            )
            .join(repositories, repositories.c.id == images.c.repository_id)
            .where(tuple_(images.c.registry, images.c.repository).in_(part))
            .order_by(images.c.id)
        )
        for name, tag, produced in readable(rows, _produced, lambda row: f"image {row.id}"):
            own_images.setdefault(name, {})[tag] = produced
    return own_images


def _produced(row: Any) -> tuple[_Name, str, _Produced]:
    standings = load(row.standings, tuple[ImageStanding, ...]) if row.standings is not None else ()
    return (row.registry, row.repository), row.tag, (row.name, standings)


async def _upstreams(connection: AsyncConnection, followed_bases: Collection[Base]) -> dict[Base, Base]:
    upstreams: dict[Base, Base] = {}
    above = bases.alias()
    for part in chunks(sorted(followed_bases)):
        rows = await connection.execute(
            select(
                *(bases.c.registry, bases.c.repository, bases.c.tag),
                *(above.c.registry, above.c.repository, above.c.tag),
            )
            .join(above, above.c.id == bases.c.upstream_id)
            .where(has_name_among(part))
        )
        upstreams |= {Base(*row[:3]): Base(*row[3:]) for row in rows}
    return upstreams


async def _read_inventories(
    connection: AsyncConnection, followed_bases: Collection[Base]
) -> dict[tuple[Base, str], int]:
    inventory_ids: dict[tuple[Base, str], int] = {}
    for part in chunks(sorted(followed_bases)):
        rows = await connection.execute(
            select(
                bases.c.registry,
                bases.c.repository,
                bases.c.tag,
                observed_inventories.c.platform,
                observed_inventories.c.inventory_id,
            )
            .join(observed_inventories, observed_inventories.c.observation_id == bases.c.observation_id)
            .where(has_name_among(part))
        )
        inventory_ids |= {(base_of(row), row.platform): row.inventory_id for row in rows}
    return inventory_ids


async def _withdrawn(connection: AsyncConnection, followed_bases: Collection[Base]) -> frozenset[Base]:
    """Those of which the last that was observed is that they are not there any more."""
    withdrawn_bases: set[Base] = set()
    for part in chunks(sorted(followed_bases)):
        observation = observations.alias()
        mine = select(bases.c.id).where(has_name_among(part))
        last = (
            select(func.max(observation.c.id))
            .where(observation.c.base_id.in_(mine))
            .group_by(observation.c.base_id)
        )
        rows = await connection.execute(
            select(bases.c.registry, bases.c.repository, bases.c.tag)
            .join_from(observations, bases, bases.c.id == observations.c.base_id)
            .where(observations.c.id.in_(last), observations.c.digest.is_(None))
        )
        withdrawn_bases |= {base_of(row) for row in rows}
    return frozenset(withdrawn_bases)


async def read_names(
    connection: AsyncConnection, numbers: Collection[int], names: Collection[str]
) -> Mapping[int, frozenset[tuple[str, str]]]:
    """Which of these names, in lower case, packages in these inventories have, each with its type; by inventory."""
    names_by_inventory: dict[int, set[tuple[str, str]]] = {number: set() for number in numbers}
    lower_names = frozenset(names)
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(
            select(inventory_packages.c.inventory_id, packages)
            .join(packages, packages.c.id == inventory_packages.c.package_id)
            .where(inventory_packages.c.inventory_id.in_(ids))
        )
        for row in rows:
            package: Package = package_of(row)
            names_by_inventory[row.inventory_id] |= {
                (package.type, name) for name in package.listed_names & lower_names
            }
    return {number: frozenset(each) for number, each in names_by_inventory.items()}
