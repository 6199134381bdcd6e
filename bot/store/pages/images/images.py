"""Images, a page at a time: what each stands on, where it runs, and which of them stand on one base."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import ImageStanding, ImageState
from bot.domain.reference import Base
from bot.store.engine.among import is_among
from bot.store.engine.codec import dump
from bot.store.pages.cve_pages import CvePagesStore
from bot.store.pages.images.contents import gaps_in, ledger_of, open_cves, shown_image
from bot.store.pages.images.deployed import ORDER, Claims, deployments_of, joined, one_of, read_claims
from bot.store.pages.images.gates import gates_of
from bot.store.pages.images.read_platforms import read_platforms
from bot.store.pages.images.sboms import packages_of_images
from bot.store.pages.rows import line_url
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories
from bot.views.images.image_contents import WantedCves, cves_of
from bot.views.images.image_pages import (
    DeploymentRow,
    ImageDetail,
    ImagePage,
    ImageRow,
    Images,
    OnBase,
    PlatformPackages,
    PlatformRow,
    WantedImages,
)
from bot.views.images.images import Deployment, stands_on
from bot.views.paging import Cut, page_of

_MOST_DEPLOYMENTS = 60
_MOST_CLAIMS = 20
_WORST_CVES = 5
"""So many of an image are on its page."""


class ImagePagesStore(CvePagesStore):
    """Reads the pages of images: their list, and one with all that is known of it."""

    async def images(self, image_filter: WantedImages, cut: Cut) -> Images:
        """Counts of all, and one page of those that are wanted: what is behind first, the longest at the top."""
        conditions = _list_conditions(image_filter)
        async with self._database.reading() as connection:
            states = await count_images(connection)
            total = await connection.scalar(joined(select(func.count()).select_from(images)).where(*conditions))
            claims = await read_claims(connection, *conditions, most=cut.per_page, offset=cut.offset)
            image_rows = await _rows(connection, claims, self._clock.now())
        return Images(states, page_of(image_rows, int(total or 0), cut))

    async def image(self, name: str, web: str, tag: str | None = None) -> ImagePage | None:
        """Reads all that is known of `registry/name`, and which CVEs it has under this tag, or under the one that
        needs a look first; `web` is where the forge shows repositories to people."""
        registry, _, path = name.partition("/")
        now = self._clock.now()
        async with self._database.reading() as connection:
            tags = await _tags_of(connection, registry, path)
            claimed = [*list(tags)[:_MOST_CLAIMS], *(number for number in tags if tags[number] == tag)]
            claim_rows = await read_claims(connection, images.c.id.in_(claimed)) if tags else ()
            chosen = one_of(image for _, image in claim_rows if tag in (None, image.place.tag))
            if chosen is None:
                return None
            read = await read_platforms(connection, claimed, self._platforms)
            standings = {image.id: image.standings for _, image in claim_rows}
            platform_packages = await packages_of_images(connection, read, standings, chosen.id)
            gate_views = await gates_of(connection, claimed)
            run_at = await deployments_of(connection, tags)
            places = _tags_run_at(tags, run_at)
            deployed = await _deployed(connection, list(places.items())[:_MOST_DEPLOYMENTS], web)
            mine = [each for each in read if each.image == chosen.id]
            ledger = await ledger_of(connection, chosen, mine, run_at.get(chosen.id, ()), self._platforms, now)
            gaps = await gaps_in(connection, mine, self._max_age, now)
        claims = (
            replace(_detail(image, row, web, now, platform_packages.get(row.id, ())), gate=gate_views.get(row.id))
            for row, image in claim_rows
        )
        rows = await asyncio.to_thread(open_cves, ledger)
        cves = cves_of(shown_image(chosen, mine), rows, WantedCves(), Cut(1, _WORST_CVES), gaps)
        return ImagePage(name, tuple(claims), len(tags), cves, deployed, len(places))


async def count_images(connection: AsyncConnection) -> dict[ImageState, int]:
    """Counts how many images stand how."""
    rows = await connection.execute(select(images.c.state, func.count()).group_by(images.c.state))
    numbers = {row[0]: row[1] for row in rows}
    return {state: numbers.get(state.value, 0) for state in ImageState}


async def images_on(connection: AsyncConnection, base: Base, most: int, now: datetime) -> OnBase:
    """Reads the images of which some platform is seen to stand on the base."""
    is_on = cast(images.c.standings, String).contains(json.dumps(dump(base, Base)), autoescape=True)
    # To look through what all images stand on takes long: once is enough.
    rows = (await connection.execute(select(images.c.id, images.c.behind_since).where(is_on))).all()
    behind = sum(row.behind_since is not None for row in rows)
    is_one = is_among(images.c.id, "on_base").params(on_base=[row.id for row in rows])
    claims = await read_claims(connection, is_one, most=most) if rows else ()
    return OnBase(await _rows(connection, claims, now), len(rows), behind)


async def images_of(connection: AsyncConnection, repository: int, most: int, now: datetime) -> tuple[ImageRow, ...]:
    """Reads the images that one repository produces."""
    return await _rows(
        connection, await read_claims(connection, images.c.repository_id == repository, most=most), now
    )


def _list_conditions(image_filter: WantedImages) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if image_filter.text:
        name = images.c.registry + "/" + images.c.repository
        conditions.append(
            or_(
                name.icontains(image_filter.text, autoescape=True),
                repositories.c.name.icontains(image_filter.text, autoescape=True),
            )
        )
    if image_filter.state is not None:
        conditions.append(images.c.state == image_filter.state.value)
    return conditions


async def _rows(connection: AsyncConnection, claims: Claims, now: datetime) -> tuple[ImageRow, ...]:
    gate_views = await gates_of(connection, [row.id for row, _ in claims])
    return tuple(replace(_row(image, now), gate=gate_views.get(row.id)) for row, image in claims)


def _row(image: ProducedImage, now: datetime) -> ImageRow:
    return ImageRow(
        image.claim.name,
        image.found_tag or image.claim.tag.text,
        image.repository,
        image.state,
        stands_on(image, now),
        image.strength,
        image.behind_since,
        image.seen_at,
        image.doubt,
        image.error,
    )


def _detail(
    image: ProducedImage, row: Any, web: str, now: datetime, platform_packages: tuple[PlatformPackages, ...]
) -> ImageDetail:
    claim = image.claim
    return ImageDetail(
        _row(image, now),
        image.digest,
        image.source.value,
        claim.path,
        claim.line,
        line_url(web, row.name, row.default_branch, claim.path, claim.line) if claim.path else None,
        row.looked_at,
        image.builder.told if image.builder is not None else None,
        tuple(_platform(each, now) for each in image.standings),
        platform_packages,
    )


def _platform(standing: ImageStanding, now: datetime) -> PlatformRow:
    return PlatformRow(
        standing.platform,
        standing.told(now),
        str(standing.base) if standing.base else None,
        standing.strength,
        standing.behind_since,
        standing.disagreement,
    )


async def _tags_of(connection: AsyncConnection, registry: str, path: str) -> dict[int, str]:
    """The tags of all images of a name, by their ids, in the order in which they are shown."""
    query = select(images.c.id, images.c.found, images.c.tag).where(
        images.c.registry == registry, images.c.repository == path
    )
    return {row.id: row.found or row.tag for row in await connection.execute(query.order_by(*ORDER))}


def _tags_run_at(
    tags: Mapping[int, str], run_at: Mapping[int, Sequence[Deployment]]
) -> Mapping[Deployment, tuple[str, ...]]:
    """The places where these images are run, each with the tags of those that it may be, in the order of places."""
    tags_by_place: dict[Deployment, dict[str, None]] = {}
    for image, tag in tags.items():
        for place in run_at.get(image, ()):
            tags_by_place.setdefault(place, {})[tag] = None
    in_order = sorted(tags_by_place, key=lambda place: (place.repository, place.path, place.line))
    return {place: tuple(tags_by_place[place]) for place in in_order}


async def _deployed(
    connection: AsyncConnection, places: Sequence[tuple[Deployment, tuple[str, ...]]], web: str
) -> tuple[DeploymentRow, ...]:
    names = {place.repository for place, _ in places}
    rows = await connection.execute(
        select(repositories.c.name, repositories.c.default_branch).where(repositories.c.name.in_(names))
    )
    branches = {row.name: row.default_branch for row in rows}
    return tuple(
        DeploymentRow(
            place, line_url(web, place.repository, branches[place.repository], place.path, place.line), tags
        )
        for place, tags in places
    )
