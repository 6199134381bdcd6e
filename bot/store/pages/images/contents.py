"""What is in one image, a page at a time: its packages, and the CVEs that it has."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import cast, func, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Severity
from bot.domain.images.image import ProducedImage
from bot.domain.packages.ledger.entries import LedgerEntry
from bot.images.vulnerabilities import read_in_part
from bot.store.pages.cve_pages import CvePagesStore
from bot.store.pages.images.deployed import deployments_of, one_of, read_claims
from bot.store.pages.images.found_packages import shown_by
from bot.store.pages.images.read_platforms import ReadPlatform, bases_below, read_platforms
from bot.store.pages.ledger.entries import ExposedImage, Ledger
from bot.store.pages.ledger.gaps import gaps_of_image
from bot.store.pages.ledger.ledger import read_ledger_of
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventory_packages, packages, sbom_packages, sboms
from bot.views.images.image_contents import (
    ImageCve,
    ImageCves,
    ImagePackages,
    LookedAtImage,
    Origin,
    PackageFilter,
    PackageInImage,
    WantedCves,
    cves_of,
    packages_of,
)
from bot.views.images.images import Deployment
from bot.views.images.ledger import CveRow, row_of
from bot.views.paging import Cut


class ImageContentsStore(CvePagesStore):
    """Reads what is inside an image, and which CVEs that has: the lists that its page leads to."""

    async def packages(
        self, name: str, tag: str | None, package_filter: PackageFilter, cut: Cut
    ) -> ImagePackages | None:
        """What the layers and the SBOMs of `registry/name` list under this tag, or under the one that is shown
        first; None where there is none."""
        async with self._database.reading() as connection:
            image = await _image(connection, name, tag)
            if image is None:
                return None
            read = await read_platforms(connection, [image.id], self._platforms)
            below = await bases_below(connection, read, {image.id: image.standings})
            package_rows = await _read_packages(connection, read, below)
        return await asyncio.to_thread(packages_of, shown_image(image, read), package_rows, package_filter, cut)

    async def cves(self, name: str, tag: str | None, cve_filter: WantedCves, cut: Cut) -> ImageCves | None:
        """What the same image has, and what runs of it where a later build has the fix."""
        async with self._database.reading() as connection:
            image = await _image(connection, name, tag)
            if image is None:
                return None
            read = await read_platforms(connection, [image.id], self._platforms)
            deployed = (await deployments_of(connection, [image.id])).get(image.id, ())
            ledger = await ledger_of(connection, image, read, deployed, self._platforms, self._clock.now())
            gaps = await gaps_in(connection, read, self._max_age, self._clock.now())
        rows = await asyncio.to_thread(open_cves, ledger)
        return cves_of(shown_image(image, read), rows, cve_filter, cut, gaps)


async def _image(connection: AsyncConnection, name: str, tag: str | None) -> ProducedImage | None:
    """Reads an image; of several that claim the same tag, one whose word counts."""
    registry, _, path = name.partition("/")
    conditions = [images.c.registry == registry, images.c.repository == path]
    if tag is not None:
        conditions.append(func.coalesce(images.c.found, images.c.tag) == tag)
    return one_of(image for _, image in await read_claims(connection, *conditions))


def shown_image(image: ProducedImage, read: Sequence[ReadPlatform]) -> LookedAtImage:
    """Gives the image with what was not read of it."""
    not_read = tuple(f"{each.platform}: {each.not_read}" for each in read if each.not_read)
    if not read:
        not_read = (image.error or "nobody has looked at it in its registry yet",)
    return LookedAtImage(image.claim.name, image.place.tag, image.repository, not_read)


async def ledger_of(
    connection: AsyncConnection,
    image: ProducedImage,
    read: Sequence[ReadPlatform],
    deployed: Sequence[Deployment],
    platforms: Collection[str] | None,
    now: datetime,
) -> Ledger:
    """The ledger of one image; `platforms` are those that are read at all, None where all are."""
    exposed = ExposedImage(
        str(image.place),
        frozenset(tag for tag in (image.found_tag, image.claim.tag.text) if tag),
        image.digest,
        image.repository,
        image.standings,
        tuple(sorted((each.platform, each.inventory) for each in read)),
        tuple(deployed),
    )
    return await read_ledger_of(connection, image.id, exposed, platforms, now)


async def gaps_in(
    connection: AsyncConnection, read: Sequence[ReadPlatform], max_age: timedelta, now: datetime
) -> tuple[str, ...]:
    """Tells why the image may have CVEs that nobody tells of."""
    distributions = {each.inventory: each.distribution for each in read if each.read_at is not None}
    in_part = (read_in_part(each.platform, each.problems) for each in read if each.problems)
    return (*in_part, *await gaps_of_image(connection, distributions, max_age, now))


def open_cves(ledger: Ledger) -> list[ImageCve]:
    """Those whose fix has not passed all stations, of the only image of the ledger."""
    return [
        _cve(ledger.row(cve, [(entry, 1)]), entry)
        for image in ledger.images
        for cve, entry in ledger.of_image(image).items()
        if not entry.is_over
    ]


def _cve(facts: CveRow, entry: LedgerEntry) -> ImageCve:
    row = row_of(entry, {})
    return ImageCve(
        facts.cve,
        facts.title,
        Severity(facts.severity) if facts.severity else None,
        facts.rated_by,
        facts.score,
        row.packages,
        entry.image.fix.versions,
        row.state,
        row.waits_at,
        row.cannot_tell,
        row.says,
        row.who,
        facts.mark,
    )


async def _read_packages(
    connection: AsyncConnection, read: Sequence[ReadPlatform], below: dict[int, int]
) -> list[PackageInImage]:
    numbers = [each.inventory for each in read]
    layer_columns = inventory_packages.c
    of_layers = select(
        layer_columns.inventory_id,
        layer_columns.package_id,
        layer_columns.since,
        cast(null(), sboms.c.strength.type),
    )
    of_sboms = select(sboms.c.inventory_id, sbom_packages.c.package_id, sboms.c.at, sboms.c.strength)
    every = union_all(
        of_layers.where(layer_columns.inventory_id.in_([*numbers, *below.values()])),
        of_sboms.join(sboms, sboms.c.id == sbom_packages.c.sbom_id).where(sboms.c.inventory_id.in_(numbers)),
    ).subquery()
    columns = (packages.c[name] for name in ("type", "name", "version", "source"))
    rows = (
        await connection.execute(select(every, *columns).join(packages, packages.c.id == every.c.package_id))
    ).all()
    of_base: dict[int, set[int]] = {}
    for inventory, package, *_ in rows:
        of_base.setdefault(inventory, set()).add(package)
    package_rows: list[PackageInImage] = []
    by_inventory = {each.inventory: each for each in read}
    for inventory, package, since, strength, type_, package_name, version, source in rows:
        if (mine := by_inventory.get(inventory)) is not None:
            base = of_base.get(below.get(inventory, -1))
            origin = Origin.UNKNOWN if base is None else Origin.BASE if package in base else Origin.IMAGE
            witness = shown_by(strength)
            package_rows.append(
                PackageInImage(type_, package_name, version, source, mine.platform, origin, witness, since)
            )
    return package_rows
