"""Images that hold a package, put together from where it was seen, where they run and what their bases show now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit, Sought, fit_of
from bot.views.images.images import Deployment
from bot.views.images.inventory import FixSource, FoundPackage, NextVersion, ShownBy

_BEST_FIRST = tuple(ShownBy)
BaseName = tuple[str, str, str]
"""Registry, repository and tag."""
Asked = Mapping[int, tuple[Package, bool]]
"""Packages that are asked for, by their numbers, and whether that is certain."""


class PackageSight(NamedTuple):
    """Where a package was found, and what tells so; no dataclass, since there may be tens of thousands."""

    package: int
    platform: str
    since: datetime
    shown_by: ShownBy = ShownBy.LAYERS
    is_certain: bool = True


@dataclass(frozen=True, eq=False)
class StandsOn:
    """An image's bases by platform, the shortest name first; one value for all images that stand alike."""

    names: Mapping[str, tuple[BaseName, ...]]


class HoldingImage(NamedTuple):
    """An image that holds a package; no dataclass for the same reason."""

    name: str
    digest: str | None
    produced_by: str
    stands_on: StandsOn


@dataclass(frozen=True, slots=True)
class BaseSide:
    """What a base shows now on one platform: the packages of the names in question, None where it is not read."""

    name: str
    digest: str
    packages: list[Package] | None
    release: str | None = None


@dataclass(slots=True)
class Answering:
    """Puts rows together; of hundreds of images most hold the same packages on the same few bases."""

    wanted: Collection[Sought]
    asked: Asked
    sides: Mapping[tuple[BaseName, str], BaseSide]
    _fixes: dict[tuple[int, tuple[str, ...], StandsOn], NextVersion] = field(default_factory=dict)

    def rows(
        self, image: HoldingImage, sights: Sequence[PackageSight], deployed: tuple[Deployment, ...]
    ) -> Sequence[FoundPackage]:
        """One for each version of each package, whatever architecture it is for, by what tells of it best."""
        if len(sights) == 1:
            return (self._row(image, sights[0], (sights[0].platform,), deployed),)
        rows = []
        for version_sights in self._by_version(sights):
            best_sights = _told_best(version_sights)
            platforms = tuple(sorted({sight.platform for sight in best_sights}))
            rows.append(self._row(image, _first(best_sights), platforms, deployed))
        return sorted(rows, key=lambda row: row.package.sort_key)

    def _row(
        self, image: HoldingImage, sight: PackageSight, platforms: tuple[str, ...], deployed: tuple[Deployment, ...]
    ) -> FoundPackage:
        package, is_certain = self.asked[sight.package]
        return FoundPackage(
            image.name,
            image.digest,
            image.produced_by,
            platforms,
            package,
            sight.since,
            deployed,
            self._fix(sight.package, image, platforms),
            is_certain and sight.is_certain,
            sight.shown_by,
        )

    def _by_version(self, sights: Sequence[PackageSight]) -> Collection[Sequence[PackageSight]]:
        grouped: dict[tuple[str, str, str], list[PackageSight]] = {}
        for sight in sights:
            package = self.asked[sight.package][0]
            grouped.setdefault((package.type, package.name, package.version), []).append(sight)
        return grouped.values()

    def _fix(self, number: int, image: HoldingImage, platforms: tuple[str, ...]) -> NextVersion:
        """What the bases say on which the image may stand: it is fixed where none of them lacks the fix."""
        next_version = self._fixes.get((number, platforms, image.stands_on))
        if next_version is None:
            keys = [(name, each) for each in platforms for name in image.stands_on.names.get(each, ())]
            sides = [self.sides[key] for key in keys if key in self.sides]
            next_version = self._worst(self.asked[number][0], sides)
            self._fixes[number, platforms, image.stands_on] = next_version
        return next_version

    def _worst(self, package: Package, sides: Sequence[BaseSide]) -> NextVersion:
        states: dict[FixSource, BaseSide] = {}
        for side in sides:
            states.setdefault(self._state(package, side), side)
        for state in (FixSource.AWAITED, FixSource.BASE, FixSource.OWN):
            if state in states:
                return NextVersion(state, states[state].name, states[state].digest)
        return NextVersion(FixSource.UNKNOWN)

    def _state(self, package: Package, side: BaseSide) -> FixSource:
        if side.packages is None:
            return FixSource.UNKNOWN
        same = [each for each in side.packages if (each.type, each.name) == (package.type, package.name)]
        if not same:
            return FixSource.OWN
        is_fixed = all(fit_of(each, self.wanted, side.release) is Fit.NO for each in same)
        return FixSource.BASE if is_fixed else FixSource.AWAITED


def _told_best(sights: Sequence[PackageSight]) -> Sequence[PackageSight]:
    """Keeps those of the sights that tell best of a package."""
    shown_by = min((sight.shown_by for sight in sights), key=_BEST_FIRST.index)
    return [sight for sight in sights if sight.shown_by is shown_by]


def _first(sights: Sequence[PackageSight]) -> PackageSight:
    """Gives the first of several sights that tell alike; it is certain where all of them are."""
    since = min(sight.since for sight in sights)
    return sights[0]._replace(since=since, is_certain=all(sight.is_certain for sight in sights))
