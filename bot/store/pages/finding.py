"""Names that hold a text: of repositories, bases, images, CVEs and packages."""

from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, union

from bot.store.pages.cve_pages import CvePagesStore
from bot.store.pages.images.read_platforms import count_images
from bot.store.rows.bases.tables import advisories, bases
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventory_packages, packages
from bot.store.rows.inventories.vulnerabilities import vulnerabilities, vulnerability_cves
from bot.store.rows.repositories.tables import repositories
from bot.views.finding import (
    FoundGroup,
    FoundKind,
    FoundNames,
    PackageImage,
    PackagePage,
    PackageVersion,
    WantedVersion,
)
from bot.views.paging import Cut, page_of

_MOST = 12
"""So many names of one kind are shown."""


_PACKAGE_NAMES = union(
    select(packages.c.name), select(packages.c.source.label("name")).where(packages.c.source.is_not(None))
).subquery()
"""Packages are asked for by what they are built from, too."""


class FindingStore(CvePagesStore):
    """Reads only, by one statement for each kind."""

    async def find(self, text: str) -> FoundNames:
        """Finds everything whose name holds `text`, whatever the case; the nearest first."""
        groups = []
        async with self._database.reading() as connection:
            for kind, query in _queries(text).items():
                names = [row[0] for row in await connection.execute(query.limit(_MOST + 1))]
                if names:
                    groups.append(FoundGroup(kind, tuple(names[:_MOST]), len(names) > _MOST))
        return FoundNames(text, tuple(groups))

    async def package(self, name: str, cut: Cut, wanted: WantedVersion | None = None) -> PackagePage | None:
        """Reads which images hold a package, in which version; None where none that was read does."""
        wanted = wanted or WantedVersion()
        columns = packages.c
        held = (
            select(image_inventories.c.image_id, columns.name, columns.type, columns.version)
            .join(inventory_packages, inventory_packages.c.inventory_id == image_inventories.c.inventory_id)
            .join(packages, columns.id == inventory_packages.c.package_id)
            .where(or_(columns.name == name, columns.source == name))
            .distinct()
            .subquery()
        )
        number = func.count().label("images")
        kinds = held.c.name, held.c.type, held.c.version
        image = images.c.registry + "/" + images.c.repository + ":" + images.c.tag
        in_order = held.c.image_id, held.c.name, held.c.version
        asked = {held.c.version: wanted.version, held.c.name: wanted.package, held.c.type: wanted.type}
        is_wanted = [column == value for column, value in asked.items() if value]
        one_page = (
            select(*in_order)
            .where(*is_wanted)
            .order_by(*in_order)
            .limit(cut.per_page)
            .offset(cut.offset)
            .subquery()
        )
        shown_images = (
            select(image.label("image"), one_page.c.name, one_page.c.version)
            .join(one_page, one_page.c.image_id == images.c.id)
            .order_by(image, one_page.c.name, one_page.c.version)
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(select(*kinds, number).group_by(*kinds).order_by(number.desc(), *kinds))
            versions = tuple(PackageVersion(*row) for row in rows)
            if not versions:
                return None
            total = sum(each.images for each in versions if wanted.takes(each))
            shown = await connection.execute(shown_images)
            page = page_of(tuple(PackageImage(*row) for row in shown), total, cut)
            _, not_known = await count_images(connection, self._platforms)
        return PackagePage(versions, page, not_known)


def _queries(text: str) -> dict[FoundKind, Select[Any]]:
    base = bases.c.registry + "/" + bases.c.repository + ":" + bases.c.tag
    image = images.c.registry + "/" + images.c.repository
    return {
        FoundKind.REPOSITORY: _nearest(repositories.c.name, text, repositories.c.listed.is_(True)),
        FoundKind.BASE: _nearest(base, text, bases.c.used.is_(True)),
        FoundKind.IMAGE: _nearest(image, text),
        FoundKind.ADVISORY: _nearest(advisories.c.cve, text),
        **({FoundKind.CVE: _cves(text)} if _names_a_record(text) else {}),
        FoundKind.PACKAGE: _nearest(_PACKAGE_NAMES.c.name, text),
    }


def _nearest(name: ColumnElement[str], text: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The names that hold the text: the very name first, then those that begin with it, then by their length."""
    lowered, wanted = func.lower(name), text.lower()
    rank = case(
        (lowered == wanted, 0),
        (lowered.startswith(wanted, autoescape=True), 1),
        (lowered.endswith(wanted, autoescape=True), 2),
        else_=3,
    )
    fitting = select(name.label("name")).where(lowered.contains(wanted, autoescape=True), *conditions)
    return fitting.group_by(name).order_by(rank, func.length(name), name)


def _names_a_record(text: str) -> bool:
    """Whether a CVE or another record of a vulnerability may begin so; there are too many to look into each."""
    return len(text) >= len("CVE-2026-1") and "-" in text


def _cves(text: str) -> Select[Any]:
    """The CVEs and records that begin with the text, by their indexes."""
    first, last = text.upper(), text.upper() + "~"
    cve, record = vulnerability_cves.c.cve, vulnerabilities.c.name
    of_cves = select(cve.label("name")).where(cve >= first, cve < last)
    of_records = select(record.label("name")).where(or_(record == text, record == first))
    names = of_cves.union(of_records).subquery()
    return select(names.c.name).order_by(func.length(names.c.name), names.c.name)
