"""What is said of the packages in builds that run or ran, and which builds have a CVE by that."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, exists, func, or_, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.package import RUNTIME_PACK, Package, PackageType
from bot.domain.packages.wanted import Fit
from bot.domain.platform import platform_of
from bot.domain.running.inside import AskedCve, HeldPlatform, SaidPackage
from bot.images.sbom.package_url import package_url
from bot.images.scanners.report import Report
from bot.images.vex.excusing import excuse_of
from bot.images.vex.statements import VexStatement
from bot.store.engine.among import is_among
from bot.store.pages.images.found_packages import distribution_in, release_in, told_in
from bot.store.pages.running.contents import BuildContent, does_count
from bot.store.rows.inventories.inventories import inventory_packages, package_of, packages, sbom_packages, sboms
from bot.store.rows.running.past import HoldingSets, past_contents, past_images, sets_with
from bot.store.rows.running.running import running_contents

_NAMED = union(
    select(packages).where(is_among(packages.c.name, "names")),
    select(packages).where(is_among(packages.c.source, "names")),
    select(packages).where(
        packages.c.type == PackageType.NUGET.value,
        is_among(func.lower(packages.c.name, type_=packages.c.name.type), "names"),
    ),
)
_HELD = union(
    select(inventory_packages.c.inventory_id, inventory_packages.c.package_id)
    .join(running_contents, running_contents.c.inventory_id == inventory_packages.c.inventory_id)
    .where(is_among(inventory_packages.c.package_id, "packages")),
    select(sboms.c.inventory_id, sbom_packages.c.package_id)
    .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
    .join(running_contents, running_contents.c.inventory_id == sboms.c.inventory_id)
    .where(is_among(sbom_packages.c.package_id, "packages")),
)


@dataclass
class SaidOfCve:
    """What publishers, and authors of VEX `statements`, say of packages, by their ids: that of publishers once for
    all images of a release that hold them. `holding` are the packages that the CVE is about in inventories, and
    `sets` those in sets of what ran."""

    name: str
    cve: AskedCve
    about: Mapping[int, Package]
    holding: Mapping[int, Sequence[int]]
    sets: HoldingSets
    statements: Sequence[VexStatement] = ()
    _known: dict[tuple[int, str | None], SaidPackage] = field(default_factory=dict)

    def of(self, package: int, release: str | None) -> SaidPackage:
        key = package, release
        if key not in self._known:
            self._known[key] = self.cve.said_of(self.about[package], release)
        return self._known[key]

    def platform(self, content: BuildContent, digest: str, image: str) -> HeldPlatform:
        """A platform of a build with what is said of those of its packages that the CVE is about."""
        if content.inventory is not None:
            inside: Sequence[int] = self.holding.get(content.inventory, ())
        else:
            inside = [package for each in content.sets for package in self.sets.held.get(each, ())]
        platform = content.held(self.sets.unread)
        packages_said = tuple(self.of(package, platform.release) for package in inside)
        if self.statements:
            digests = frozenset((digest, *content.digests))
            report = Report((), image_name=image, image_digests=digests, platform=platform_of(content.platform))
            pairs = zip(inside, packages_said, strict=True)
            packages_said = tuple(self._excused(*pair, content.distribution, report) for pair in pairs)
        return replace(platform, packages=packages_said)

    def _excused(self, package: int, said: SaidPackage, distribution: str | None, report: Report) -> SaidPackage:
        """The package as a statement about it in that image has it, where one takes the CVE away."""
        if said.fit is Fit.NO:
            return said
        url = package_url(self.about[package], distribution_in(distribution)) or ""
        statement = excuse_of(self.name, self.about[package], url, self.statements, report)
        if statement is None:
            return said
        because = f" ({statement.reason})" if statement.reason else ""
        by = statement.author or "an unnamed author"
        return said.excused(f"{statement.status.replace('_', ' ')}{because}, says {by} by VEX")


@dataclass(frozen=True, slots=True)
class HavingBuilds:
    """Builds by their ids: those that have the CVE for certain, and those that may, which are to be judged one by
    one."""

    certain: Set[int]
    to_judge: Set[int]


async def read_said(
    connection: AsyncConnection, name: str, cve: AskedCve, statements: Sequence[VexStatement]
) -> SaidOfCve:
    """Reads which packages the CVE is about, and where they are."""
    names = {name for each in cve.affected for name in (*each.names, each.name)}
    names |= {f"{RUNTIME_PACK}{name}" for name in names}
    named = (await connection.execute(_NAMED, {"names": names})).all()
    about = {row.id: package for row in named if cve.is_about(package := package_of(row))}
    holding: dict[int, list[int]] = {}
    for inventory, package_id in await connection.execute(_HELD, {"packages": about}):
        holding.setdefault(inventory, []).append(package_id)
    return SaidOfCve(name, cve, about, holding, await sets_with(connection, about), statements)


def _of_sets(column: ColumnElement[int]) -> Select[Any]:
    """Grouped by what its index holds, before images are looked at."""
    builds = func.aggregate_strings(cast(past_contents.c.build_id, String), ",")
    groups = (
        select(column.label("number"), past_contents.c.image_id, builds.label("builds"))
        .where(is_among(column, "sets"))
        .group_by(column, past_contents.c.image_id)
        .subquery()
    )
    distribution = cast(past_images.c.distribution, String)
    return select(
        groups.c.number, past_images.c.kind, past_images.c.platform, distribution, groups.c.builds
    ).join_from(groups, past_images, past_images.c.id == groups.c.image_id)


_OF_SETS = union_all(_of_sets(past_contents.c.system_set_id), _of_sets(past_contents.c.other_set_id))
"""The builds that hold each set in images that have all else in common."""
_SHOWN = select(running_contents.c.build_id, running_contents.c.inventory_id).where(
    or_(
        is_among(running_contents.c.inventory_id, "holding"),
        exists().where(past_contents.c.build_id == running_contents.c.build_id),
    )
)


async def read_having(
    connection: AsyncConnection, said: SaidOfCve, platforms: Collection[str] | None
) -> HavingBuilds:
    """Reads which builds hold what is affected. What is shown may tell other than its sets did, and what an author
    says may be of one build alone."""
    having = {number for number, package in said.about.items() if said.cve.may_have(package)}
    holding, sets = (
        [number for number, inside in each.items() if not having.isdisjoint(inside)]
        for each in (said.holding, said.sets.held)
    )
    by_sets, unread = set[int](), set[int]()
    sets_asked = {"sets": {*sets, *said.sets.unread}}
    for number, kind, platform, distribution, builds in await connection.execute(_OF_SETS, sets_asked):
        if not does_count(kind, platform, platforms):
            continue
        inside, several = said.sets.held.get(number, ()), map(int, builds.split(","))
        releases = told_in(distribution, release_in, f"{platform} of builds with set {number} of packages")
        if any(said.of(package, release).fit is Fit.YES for release in releases for package in inside):
            by_sets.update(several)
        elif not releases or number in said.sets.unread:
            unread.update(several)
    affected = set(holding)
    shown = (await connection.execute(_SHOWN, {"holding": holding})).all()
    by_inventory = {build for build, inventory in shown if inventory in affected}
    if said.statements:
        return HavingBuilds(frozenset(), by_sets | by_inventory | unread)
    to_judge = by_inventory | unread | by_sets.intersection(build for build, _ in shown)
    return HavingBuilds(by_sets - to_judge, to_judge)
