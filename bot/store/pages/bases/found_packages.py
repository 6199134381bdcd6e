"""Images that hold a package, put together from where it was seen, where they run and what their bases show now."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit, Sought, fit_of
from bot.views.bases.images import Deployment
from bot.views.bases.inventory import FixSource, FoundPackage, NextVersion, ShownBy

_BEST_FIRST = tuple(ShownBy)
BaseName = tuple[str, str, str]
"""Registry, repository and tag."""
RegistryPath = tuple[str, str]
"""Registry and repository."""
_Standing = tuple[int, tuple[str, ...], tuple[tuple[BaseName, ...], ...]]
"""A package, its platforms, and on which bases the image stands on each of them."""


@dataclass(frozen=True, slots=True)
class PackageSight:
    """Where a package was found, and what tells so."""

    package: int
    platform: str
    since: datetime
    shown_by: ShownBy = ShownBy.LAYERS
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class HoldingImage:
    """An image that holds a package; `stands_on` names its bases by platform, the shortest name first."""

    name: str
    place: RegistryPath
    tag: str
    digest: str | None
    produced_by: str
    stands_on: Mapping[str, tuple[BaseName, ...]]


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
    asked: Mapping[int, tuple[Package, bool]]
    sides: Mapping[tuple[BaseName, str], BaseSide]
    _fixes: dict[_Standing, NextVersion] = field(default_factory=dict)

    def rows(
        self, image: HoldingImage, sights: Sequence[PackageSight], deployed: tuple[Deployment, ...]
    ) -> Iterator[FoundPackage]:
        """One for each version of each package, whatever architecture it is for, by what tells of it best."""
        for seen in self._by_version(sights):
            shown_by = min((sight.shown_by for sight in seen), key=_BEST_FIRST.index)
            where = [sight for sight in seen if sight.shown_by is shown_by]
            package, is_certain = self.asked[where[0].package]
            platforms = tuple(sorted({sight.platform for sight in where}))
            yield FoundPackage(
                image.name,
                image.digest,
                image.produced_by,
                platforms,
                package,
                min(sight.since for sight in where),
                deployed,
                self._fix(where[0].package, image, platforms),
                is_certain and all(sight.is_certain for sight in where),
                shown_by,
            )

    def _by_version(self, sights: Sequence[PackageSight]) -> Collection[Sequence[PackageSight]]:
        if len(sights) == 1:
            return (sights,)
        grouped: dict[tuple[str, str, str], list[PackageSight]] = {}
        for sight in sights:
            package = self.asked[sight.package][0]
            grouped.setdefault((package.type, package.name, package.version), []).append(sight)
        return grouped.values()

    def _fix(self, number: int, image: HoldingImage, platforms: tuple[str, ...]) -> NextVersion:
        """What the bases say on which the image may stand: it is fixed where none of them lacks the fix."""
        stood_on = tuple([image.stands_on.get(platform, ()) for platform in platforms])
        known = self._fixes.get((number, platforms, stood_on))
        if known is None:
            keys = [(name, each) for each, names in zip(platforms, stood_on, strict=True) for name in names]
            sides = [self.sides[key] for key in keys if key in self.sides]
            known = self._worst(self.asked[number][0], sides)
            self._fixes[number, platforms, stood_on] = known
        return known

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
