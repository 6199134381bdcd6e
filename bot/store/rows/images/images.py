"""The images that the fleet produces, as rows that fall due, and the places where images are run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import NotJudged, PlatformImage
from bot.domain.images.claim_choice import contested
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import Builder, ProducedImage
from bot.domain.images.standing import LAW, ImageStanding, ImageState, as_claims
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks, lock_where
from bot.store.rows.forgetting import delete_rows, forgets
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.schema import (
    DueTable,
    LongText,
    Moment,
    Noted,
    ShortText,
    falls_due,
    key_column,
    lease_columns,
    locked_after,
    metadata,
)

images = Table(
    "images",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("tag", ShortText(128), nullable=False),
    Column("source", ShortText(16), nullable=False),
    Column("path", LongText, nullable=False),
    Column("line", Integer, nullable=False),
    Column("pulls", Boolean),
    Column("built_from", LongText, nullable=False, server_default=""),
    Column("weakness", LongText, nullable=False, server_default=""),
    Column("found", ShortText(128)),
    Column("digest", ShortText(160)),
    Column("seen_at", Noted),
    Column("looked_at", Noted),
    Column("platforms", JSON),
    Column("not_judged", JSON),
    Column("declared", JSON),
    Column("standings", JSON),
    Column("behind_since", Noted),
    Column("state", ShortText(16), nullable=False, server_default=ImageState.NOT_SEEN.value),
    Column("law", Integer, nullable=False, server_default="0"),
    Column("sourced_from", LongText),
    Column("builder", JSON),
    Column("judged_by", ShortText(32)),
    Column("judged_until", Moment),
    Column("error", LongText),
    *lease_columns(),
    UniqueConstraint("repository_id", "registry", "repository", "tag"),
    Index(None, "due_at"),
    Index(None, "registry", "repository"),
    Index(None, "state"),
)
"""`digest` was last seen under the tag `found`; `sourced_from` is the repository that the image itself names, and
`builder` who built it by signed provenance, which was `judged_by` the mark of who is trusted and holds until
`judged_until`, null where time decides nothing. Tags of one name have a row each where each has a build of its own.
`state` is an `ImageState`, as digest and standings tell it; `law` the edition of law 1 that judged these."""
falls_due(images, DueTable("images", is_regular=True))
locked_after(images, "repository_blobs", "unpacked_layers")

deployments = Table(
    "deployments",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("registry", ShortText(255), nullable=False),
    Column("repository", ShortText(255), nullable=False),
    Column("tag", ShortText(128)),
    Column("digest", ShortText(160)),
    Column("path", LongText, nullable=False),
    Column("line", Integer, nullable=False),
    Column("since", Moment),
    Column("is_older", Boolean, nullable=False, server_default="1"),
    Column("named_before", JSON),
    Index(None, "registry", "repository"),
)
"""Each names that `since` it was first seen to, or for longer, where it `is_older` than that; `named_before` is
what it named of the same image before, the latest first, null where that is not known."""
locked_after(deployments, "images")


_CLAIM = tuple(
    images.c[name]
    for name in ("registry", "repository", "tag", "source", "path", "line", "pulls", "built_from", "weakness")
)
_TOLD = select(
    *_CLAIM, images.c.repository_id, images.c.sourced_from, images.c.builder, repositories.c.name
).join_from(images, repositories, repositories.c.id == images.c.repository_id)
"""What is told of who produces images."""


async def contested_images(
    connection: AsyncConnection, names: Collection[tuple[str, str]] | None = None
) -> frozenset[tuple[int, str]]:
    """Reads the pairs of repository and image name whose claim does not count beside another's.

    With `names`, each a registry and a path there, of these alone: all of a large fleet take a tenth of a second.
    """
    parameters: dict[str, Collection[str]] = {}
    mine: tuple[ColumnElement[bool], ...] = ()
    if names is not None:
        mine = is_among(images.c.registry, "registries"), is_among(images.c.repository, "paths")
        parameters = {"registries": {registry for registry, _ in names}, "paths": {path for _, path in names}}
    twice = (
        select(images.c.registry, images.c.repository)
        .where(*mine)
        .group_by(images.c.registry, images.c.repository)
        .having(func.count(images.c.repository_id.distinct()) > 1)
        .subquery()
    )
    rows = await connection.execute(
        _TOLD.join(twice, and_(images.c.registry == twice.c.registry, images.c.repository == twice.c.repository)),
        parameters,
    )
    produced_images = map(_produced_image_of, rows)
    claims = [(image.repository_id, replace(image.claim, source=image.source)) for image in produced_images]
    return contested(claims)


async def parents_of_others(connection: AsyncConnection, claimants: Collection[int]) -> frozenset[tuple[int, str]]:
    """The pairs of these repositories and the names of images that what stands on them waits for."""
    contested_places = await contested_images(connection)
    places: set[tuple[int, str]] = set()
    for chunk in chunks(sorted(claimants)):
        for row in await connection.execute(_TOLD.where(images.c.repository_id.in_(chunk))):
            image = _produced_image_of(row)
            place = (image.repository_id, image.claim.name)
            if replace(image, is_contested=place in contested_places).is_parent:
                places.add(place)
    return frozenset(places)


def _produced_image_of(row: Any) -> ProducedImage:
    origin = {"sourced_from": row.sourced_from, "builder": _builder_of(row)}
    return ProducedImage(0, row.repository_id, row.name, claim_of(row), **origin)


def claim_of(row: Any) -> Claim:
    """The claim in a row of `images`."""
    name, tag, source = f"{row.registry}/{row.repository}", TagRule(row.tag), Source(row.source)
    return Claim(name, tag, source, row.path, row.line, row.pulls, row.built_from, row.weakness)


IMAGES_WITH_REPOSITORY = select(images, repositories.c.name).join(
    repositories, repositories.c.id == images.c.repository_id
)
"""All images, each with the `name` of the repository that produces it."""


def image_of(row: Any, repository: str, contested_places: Collection[tuple[int, str]]) -> ProducedImage:
    """A row of `images` as a value; `contested_places` is as `contested_images` tells it."""
    claim = claim_of(row)
    return ProducedImage(
        row.id,
        row.repository_id,
        repository,
        claim,
        row.found,
        row.digest,
        row.seen_at,
        standings_of(row),
        row.sourced_from,
        (row.repository_id, claim.name) in contested_places,
        row.error,
        _builder_of(row),
        row.law,
        not_judged_in(row),
        row.judged_by,
    )


def standings_of(row: Any) -> tuple[ImageStanding, ...]:
    """What the platforms of an image in a row stand on; what an earlier edition of the law proved is a claim."""
    standings = load(row.standings, tuple[ImageStanding, ...]) if row.standings is not None else ()
    return standings if row.law == LAW else as_claims(standings)


def not_judged_in(row: Any) -> tuple[NotJudged, ...]:
    """The entries of the index that a row of `images` says were not judged."""
    return load(row.not_judged, tuple[NotJudged, ...]) if row.not_judged is not None else ()


def _builder_of(row: Any) -> Builder | None:
    return load(row.builder, Builder) if row.builder is not None else None


async def save_claims(connection: AsyncConnection, repository: int, claims: Sequence[Claim], now: datetime) -> None:
    """Stores what a repository produces from now on: new images are due at once, as are those with another tag."""
    await lock_where(connection, images, images.c.repository_id == repository)
    result = await connection.execute(select(images).where(images.c.repository_id == repository))
    rows_by_tag = {(row.registry, row.repository, row.tag): row for row in result}
    claimed = {(claim.registry, claim.repository, claim.tag.text): claim for claim in claims}
    rows_to_keep = _match_rows(rows_by_tag, claimed)
    stay = {row.id for row in rows_to_keep.values()}
    if old_ids := [row.id for row in rows_by_tag.values() if row.id not in stay]:
        await connection.execute(delete(images).where(images.c.id.in_(old_ids)))
    for place, claim in claimed.items():
        row = rows_to_keep.get(place)
        values: dict[str, Any] = {
            "tag": claim.tag.text,
            "source": claim.source.value,
            "path": claim.path,
            "line": claim.line,
            "pulls": claim.pulls,
            "built_from": claim.built_from,
            "weakness": claim.weakness,
        }
        if row is None:
            place_columns = {
                "repository_id": repository,
                "registry": claim.registry,
                "repository": claim.repository,
            }
            await connection.execute(insert(images).values(**place_columns, **values, due_at=now))
        elif any(getattr(row, column) != value for column, value in values.items()):
            due_at = now if row.tag != claim.tag.text else row.due_at
            await connection.execute(update(images).where(images.c.id == row.id).values(**values, due_at=due_at))


_Tagged = tuple[str, str, str]
"""Registry, repository and tag."""


def _match_rows(rows_by_tag: Mapping[_Tagged, Any], claimed: Iterable[_Tagged]) -> dict[_Tagged, Any]:
    """The rows that stay, by the claim that each is for from now on: one whose tag is claimed no more goes on as
    another tag of that name, with all that is known of it."""
    rows_to_keep = {place: rows_by_tag[place] for place in claimed if place in rows_by_tag}
    free: dict[tuple[str, str], list[Any]] = {}
    for place, row in rows_by_tag.items():
        if place not in rows_to_keep:
            free.setdefault(place[:2], []).append(row)
    for place in claimed:
        if place not in rows_to_keep and free.get(place[:2]):
            rows_to_keep[place] = free[place[:2]].pop(0)
    return rows_to_keep


async def forget_images(connection: AsyncConnection, repositories: Sequence[int]) -> None:
    """Deletes the images of repositories that are no longer of the fleet."""
    await lock_where(connection, images, images.c.repository_id.in_(repositories))
    for table in (images, deployments):
        await connection.execute(delete(table).where(table.c.repository_id.in_(repositories)))


unpacked_layers = Table(
    "unpacked_layers",
    metadata,
    key_column(),
    Column("digest", ShortText(160), nullable=False, unique=True),
    Column("content", ShortText(160), nullable=False),
    Column("read_at", Moment, nullable=False),
)
"""`content` is the digest of what the layer holds, computed from its bytes."""
locked_after(unpacked_layers, "tasks")


_UNUSED_FOR = timedelta(days=365)
"""What a layer holds takes few bytes to keep and many to read again: an image that comes back finds it known."""


@forgets(unpacked_layers, "layers that no image has", _UNUSED_FOR)
async def forget_unpacked_layers(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    unused = await _unused_layers(connection, before)
    return {"unpacked_layers": await delete_rows(connection, unpacked_layers, "digest", unused)}


async def _unused_layers(connection: AsyncConnection, before: datetime) -> set[str]:
    """Layers that were read before then to see what they hold, and that no image has now."""
    read = await connection.execute(select(unpacked_layers.c.digest).where(unpacked_layers.c.read_at < before))
    unused = set(read.scalars())
    if not unused:
        return unused
    shown = await connection.execute(select(images.c.id, images.c.platforms).where(images.c.platforms.is_not(None)))
    for platforms in readable(
        shown, lambda row: load(row.platforms, tuple[PlatformImage, ...]), lambda row: f"image {row.id}"
    ):
        unused.difference_update(*(platform.layers for platform in platforms))
    return unused
