"""Which CVEs each build that ran has, by what the ledger has read of all that is exposed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.platform import platform_of
from bot.domain.running.inside import HeldPlatform, why_incomplete
from bot.images.sbom.package_url import package_url
from bot.images.scanners.report import Report
from bot.images.vex.excusing import excuse_of
from bot.images.vex.statements import VexStatement
from bot.store.pages.images.found_packages import distribution_in, release_in
from bot.store.pages.ledger.entries import Ledger
from bot.store.pages.ledger.exposed import Exposure
from bot.store.pages.ledger.histories import exposures_by_cve

Having = Mapping[str, Sequence[Exposure]]
"""What is exposed of a build, by CVE, as far as that is certain."""
_NOTHING: Having = {}


@dataclass(frozen=True, slots=True)
class AskedBuilds:
    """The builds that are asked of, by their ids: each digest with the name under which it ran, and why it was not
    read where it was asked for. `publishers` are those of distributions of which data is read; of a whole image
    only these `platforms` count, None for all."""

    digests: Mapping[int, str]
    names: Mapping[int, str]
    errors: Mapping[int, str]
    publishers: frozenset[str]
    platforms: Collection[str] | None
    statements: Sequence[VexStatement] = ()


@dataclass
class ExposedBuilds:
    """Puts builds together; of thousands most hold the same few sets of packages."""

    asked: AskedBuilds
    ledger: Ledger
    by_sbom: Mapping[int, frozenset[int]]
    """The exposed packages that SBOMs list, by the ids of inventories."""
    having: dict[int, Having] = field(default_factory=dict)
    why_incomplete: dict[int, str] = field(default_factory=dict)
    """Why a build may have more, by its id; those of which all is known are left out."""
    _certain: dict[object, Having] = field(default_factory=dict)
    _statements: dict[str, list[VexStatement]] = field(default_factory=lambda: defaultdict(list))

    def add(self, contents: Iterable[Any]) -> None:
        """Takes in what is inside of builds, a row for each platform that one may be."""
        for statement in self.asked.statements:
            for name in statement.vulnerabilities:
                self._statements[name].append(statement)
        by_build: dict[int, list[Any]] = {}
        for row in contents:
            platforms = self.asked.platforms
            if row[1] != "index" or platforms is None or row[3] in platforms:
                by_build.setdefault(row[0], []).append(row)
        for build in self.asked.digests:
            several = by_build.get(build, [])
            rows = [row for row in several if row[1] != "index"] or several
            self.having[build] = self._joined([self._of_platform(build, row) for row in rows])
            held = [_held(row) for row in rows]
            if why := why_incomplete(held, self.asked.publishers, self.asked.errors.get(build) or ""):
                self.why_incomplete[build] = why

    def _of_platform(self, build: int, row: Any) -> Having:
        _, _, number, platform, distribution, _, _, _, *names = row
        exposed = self.ledger.histories.exposed.get(number, _NOTHING)
        listed = self.by_sbom.get(number, frozenset())
        key = id(exposed), listed, distribution
        if key not in self._certain:
            by_sbom = exposures_by_cve(release_in(distribution), listed, self.ledger.exposed)
            self._certain[key] = _certain(exposed, by_sbom)
        having = self._certain[key]
        if not self._statements:
            return having
        digests = frozenset(filter(None, (self.asked.digests[build], *names)))
        report = Report(
            (), image_name=self.asked.names[build], image_digests=digests, platform=platform_of(platform)
        )
        left = {cve: self._not_excused(cve, several, distribution, report) for cve, several in having.items()}
        return {cve: several for cve, several in left.items() if several}

    def _not_excused(
        self, cve: str, exposures: Sequence[Exposure], distribution: str | None, report: Report
    ) -> Sequence[Exposure]:
        about = self._statements.get(cve.upper())
        if not about:
            return exposures
        return [
            each
            for each in exposures
            if excuse_of(
                cve,
                each.package,
                package_url(each.package, distribution_in(distribution)) or "",
                about,
                report,
            )
            is None
        ]

    def _joined(self, platforms: Sequence[Having]) -> Having:
        """What one platform has, the build has."""
        if len({id(each) for each in platforms}) <= 1:
            return platforms[0] if platforms else _NOTHING
        joined: dict[str, Sequence[Exposure]] = {}
        for having in platforms:
            for cve, exposures in having.items():
                joined[cve] = [*joined.get(cve, ()), *exposures]
        return joined


def _certain(*several: Having) -> Having:
    certain: dict[str, list[Exposure]] = {}
    for having in several:
        for cve, exposures in having.items():
            if found := [each for each in exposures if each.is_certain]:
                certain.setdefault(cve, []).extend(found)
    return certain


def _held(row: Any) -> HeldPlatform:
    _, _, _, platform, distribution, read_at, is_whole, error, *_ = row
    return HeldPlatform(platform, release_in(distribution), read_at is not None, bool(is_whole), error=error or "")
