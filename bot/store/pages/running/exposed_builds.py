"""Which CVEs each build that ran has, by what the ledger has read of all that is exposed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.platform import platform_of
from bot.domain.running.inside import why_incomplete, why_uncertain
from bot.images.sbom.package_url import package_url
from bot.images.scanners.report import Report
from bot.images.vex.excusing import excuse_of
from bot.images.vex.statements import VexStatement
from bot.store.pages.images.found_packages import distribution_in, release_in
from bot.store.pages.ledger.entries import Ledger
from bot.store.pages.ledger.exposed import Exposure
from bot.store.pages.ledger.histories import exposures_by_cve
from bot.store.pages.running.contents import BuildContent
from bot.store.rows.running.past import HoldingSets

Having = Mapping[str, Sequence[Exposure]]
"""What is exposed of a build, by CVE."""
_NOTHING: Having = {}


@dataclass(frozen=True, slots=True)
class _Exposures:
    """What a platform has, and what it may have, since versions cannot be compared."""

    certain: Having = field(default_factory=dict)
    uncertain: Having = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskedBuilds:
    """The builds that are asked of, by their ids: each digest with the name under which it ran, and why it was not
    read where it was asked for. `publishers` are those of distributions of which data is read."""

    digests: Mapping[int, str]
    names: Mapping[int, str]
    errors: Mapping[int, str]
    publishers: frozenset[str]
    statements: Sequence[VexStatement] = ()


@dataclass
class ExposedBuilds:
    """Puts builds together; of thousands most hold the same few sets of packages."""

    asked: AskedBuilds
    ledger: Ledger
    by_sbom: Mapping[int, frozenset[int]]
    """The exposed packages that SBOMs list, by the ids of inventories."""
    by_set: HoldingSets
    """The exposed packages in sets of what ran."""
    having: dict[int, Having] = field(default_factory=dict)
    """What builds have for certain, by their ids."""
    uncertain: dict[int, Having] = field(default_factory=dict)
    """The CVEs of which a build's versions do not tell whether it has them; builds without any are left out."""
    why_incomplete: dict[int, str] = field(default_factory=dict)
    """Why a build may have more, whatever CVE is asked of; those that were read as a whole are left out."""
    why_not_all: dict[int, str] = field(default_factory=dict)
    """The same of those with uncertain CVEs too."""
    _known: dict[object, _Exposures] = field(default_factory=dict)
    _statements: dict[str, list[VexStatement]] = field(default_factory=lambda: defaultdict(list))

    def add(self, contents: Mapping[int, Sequence[BuildContent]]) -> None:
        """Takes in what is inside of builds, by their ids."""
        for statement in self.asked.statements:
            for name in statement.vulnerabilities:
                self._statements[name].append(statement)
        for build in self.asked.digests:
            several = contents.get(build, ())
            platforms_of_build = [self._of_platform(each) for each in several]
            having = self.having[build] = _joined([each.certain for each in platforms_of_build])
            may_have = _joined([each.uncertain for each in platforms_of_build])
            if uncertain := {cve: several for cve, several in may_have.items() if cve not in having}:
                self.uncertain[build] = uncertain
                self.why_not_all[build] = _why_uncertain(uncertain)
            held = [each.held(self.by_set.unread) for each in several]
            if why := why_incomplete(held, self.asked.publishers, self.asked.errors.get(build) or ""):
                self.why_incomplete[build] = self.why_not_all[build] = why

    def _of_platform(self, content: BuildContent) -> _Exposures:
        exposed, listed = _NOTHING, frozenset[int]()
        if content.inventory is not None:
            exposed = self.ledger.histories.exposed.get(content.inventory, _NOTHING)
            listed = self.by_sbom.get(content.inventory, listed)
        for each in content.sets:
            listed = listed.union(self.by_set.held.get(each, ()))
        distribution = content.distribution
        key = id(exposed), listed, distribution
        if key not in self._known:
            by_list = exposures_by_cve(release_in(distribution), listed, self.ledger.exposed)
            self._known[key] = _split(exposed, by_list)
        known = self._known[key]
        if not self._statements:
            return known
        build = content.build
        digests = frozenset((self.asked.digests[build], *content.digests))
        platform = platform_of(content.platform)
        report = Report((), image_name=self.asked.names[build], image_digests=digests, platform=platform)
        certain = self._left(known.certain, distribution, report)
        return _Exposures(certain, self._left(known.uncertain, distribution, report))

    def _left(self, having: Having, distribution: str | None, report: Report) -> Having:
        """What no statement takes away."""
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


def _joined(platforms: Sequence[Having]) -> Having:
    """What one platform has, the build has."""
    if len({id(each) for each in platforms}) <= 1:
        return platforms[0] if platforms else _NOTHING
    joined: dict[str, Sequence[Exposure]] = {}
    for having in platforms:
        for cve, exposures in having.items():
            joined[cve] = [*joined.get(cve, ()), *exposures]
    return joined


def _why_uncertain(uncertain: Having) -> str:
    names = {f"{each.package.name} {each.package.version}" for several in uncertain.values() for each in several}
    return why_uncertain(f"which CVEs {min(names)} has")


def _split(*several: Having) -> _Exposures:
    certain: dict[str, list[Exposure]] = {}
    uncertain: dict[str, list[Exposure]] = {}
    for having in several:
        for cve, exposures in having.items():
            for each in exposures:
                (certain if each.is_certain else uncertain).setdefault(cve, []).append(each)
    return _Exposures(certain, uncertain)
