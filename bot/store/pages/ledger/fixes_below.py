"""How far the fix of a CVE has come below images: what its publisher says, and what bases hold that they stand on.

Thousands of images stand alike, on bases that were seen to move many times: what holds of all of them is worked out
once.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cmp_to_key

from bot.domain.bases.dotnet import is_microsofts
from bot.domain.bases.mirrors import mirror_prefix
from bot.domain.images.standing import ImageStanding
from bot.domain.packages.ledger.clocks import BelowImage, Held, PublishedFix
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.domain.reference import Base
from bot.store.pages.ledger.below import BasesBelow, Below
from bot.store.pages.ledger.exposed import Exposure
from bot.store.pages.ledger.histories import Histories
from bot.store.pages.ledger.shown import ShownSince

AffectedPlatform = tuple[str, int, list[Exposure]]
"""A platform of an image that has a CVE or had it, with its inventory and what of that is exposed, or was."""


@dataclass(frozen=True, slots=True)
class FixBelow:
    """What is alike of one CVE for all images that stand alike, and have or had the same packages of it.

    `base`, `mirror` and `own_bases` are as in `AffectedImage`.
    """

    packages: tuple[str, ...]
    fix: PublishedFix
    base: BelowImage | None
    mirror: BelowImage | None
    own_bases: tuple[BelowImage, ...]


@dataclass(frozen=True, slots=True)
class FixesBelow:
    """What fixes below images are worked out from; `brings` are the types and names of packages in inventories of
    bases."""

    histories: Histories
    bases: BasesBelow
    brings: Mapping[int, frozenset[tuple[str, str]]]
    shown_since: ShownSince
    _known: dict[Hashable, FixBelow] = field(default_factory=dict)

    def of(self, standings: tuple[ImageStanding, ...], cve: str, platforms: Sequence[AffectedPlatform]) -> FixBelow:
        """That of an image with these standings. What is alike for several is one object in all of them."""
        alike = id(standings), tuple((platform, id(exposures)) for platform, _, exposures in platforms)
        if alike not in self._known:
            sides = [(self.bases.below(standings, platform), exposures) for platform, _, exposures in platforms]
            self._known[alike] = self._worked_out(cve, sides)
        return self._known[alike]

    def _worked_out(self, cve: str, sides: Sequence[tuple[Below, Sequence[Exposure]]]) -> FixBelow:
        exposures = [each for _, several in sides for each in several]
        return FixBelow(
            tuple(sorted({f"{each.package.name} {each.package.version}" for each in exposures})),
            _fix(exposures),
            _worst([self._base(below, cve, several) for below, several in sides]),
            _worst([each for below, several in sides if (each := self._mirror(below, cve, several)) is not None]),
            self._own(sides, cve),
        )

    def _base(self, below: Below, cve: str, exposures: Sequence[Exposure]) -> BelowImage | None:
        if below.base is None:
            return None
        who = "Microsoft" if is_microsofts(below.base.registry) else f"whoever publishes {below.base.name}"
        return self._below(below.base, below.platform, below.inventory, who, cve, exposures)

    def _mirror(self, below: Below, cve: str, exposures: Sequence[Exposure]) -> BelowImage | None:
        if below.mirror is None or below.base is None:
            return None
        base, inventory = below.mirror
        who = f"whoever fills {mirror_prefix(base, below.base)}"
        return self._below(base, below.platform, inventory, who, cve, exposures)

    def _own(self, sides: Sequence[tuple[Below, Sequence[Exposure]]], cve: str) -> tuple[BelowImage, ...]:
        by_name: dict[str, list[BelowImage]] = {}
        for below, exposures in sides:
            for base, inventory, who in below.own:
                below_image = self._below(base, below.platform, inventory, who, cve, exposures)
                by_name.setdefault(str(base), []).append(below_image)
        return tuple(each for several in by_name.values() if (each := _worst(several)) is not None)

    def _below(
        self, base: Base, platform: str, inventory: int | None, who: str, cve: str, exposures: Sequence[Exposure]
    ) -> BelowImage:
        holding = self.histories.held(inventory, cve)
        if holding.is_affected is False:
            holding = Held(False, self.shown_since.free_since(self.histories, base, platform, cve))
        names = self.brings.get(inventory, frozenset()) if inventory is not None else frozenset()
        affected_names = {(each.affected.type, name) for each in exposures for name in each.affected.names}
        brings = holding.is_affected is not False or bool(names & affected_names)
        return BelowImage(str(base), who, holding, brings, base in self.bases.withdrawn)


def _fix(exposures: Sequence[Exposure]) -> PublishedFix:
    """Fixed where every package is; at the time of the last of them, of which the first record counts.

    Where records name several versions of a package, only the newest is free by all of them.
    """
    by_package: dict[tuple[str, str], list[Exposure]] = {}
    for exposure in exposures:
        by_package.setdefault((exposure.package.name, exposure.package.version), []).append(exposure)
    lacking = [several for several in by_package.values() if not any(each.fixed_in for each in several)]
    if lacking:
        names = {several[0].package.name for several in lacking} if len(lacking) < len(by_package) else ()
        publishers = _publishers(each for several in lacking for each in several)
        return PublishedFix(publishers, lacks_it=tuple(sorted(names)))
    versions: dict[str, None] = {}
    fixing: list[Exposure] = []
    times: list[tuple[datetime, bool]] = []
    for several in by_package.values():
        fixed = [each for each in several if each.fixed_in]
        newest = max(fixed, key=cmp_to_key(_by_version)).fixed_in
        versions[newest] = None
        fixing += [each for each in fixed if each.fixed_in == newest]
        dated_fixes = [
            (exposure.fixed_at, exposure.is_seen)
            for exposure in fixed
            if exposure.fixed_at is not None and exposure.fixed_in == newest
        ]
        times += [min(dated_fixes)] if dated_fixes else []
    fixed_at, is_seen = max(times, default=(None, False))
    return PublishedFix(_publishers(fixing), tuple(versions), fixed_at, is_seen)


def _publishers(exposures: Iterable[Exposure]) -> str:
    return ", ".join(dict.fromkeys(each.publisher for each in exposures))


def _by_version(one: Exposure, other: Exposure) -> int:
    """Orders by the fixed versions, as far as a rule tells which is newer."""
    try:
        return compare_versions(one.package.type, one.fixed_in, other.fixed_in)
    except BadVersion:
        return 0


def _worst(sides: Sequence[BelowImage | None]) -> BelowImage | None:
    """Of what platforms stand on: what has it, else what is not known, else the last that was free of it."""
    known_images = [each for each in sides if each is not None]
    bringing = [each for each in known_images if each.brings] or known_images
    if len(known_images) < len(sides) and not any(each.content.is_affected for each in bringing):
        return None
    for state in (True, None):
        worst = next((each for each in bringing if each.content.is_affected is state), None)
        if worst is not None:
            return worst
    if not bringing:
        return None
    return replace(bringing[0], content=held_by_all([each.content for each in bringing]))


def held_by_all(holdings: Sequence[Held]) -> Held:
    """What holds of all platforms together: the last was free of it once all were."""
    for state in (True, None):
        worst = next((each for each in holdings if each.is_affected is state), None)
        if worst is not None:
            return worst
    times = [each.free_since for each in holdings if each.free_since is not None]
    return Held(False, max(times, default=None))
