"""What is known to be wrong with an image, and what is not known: packages that nobody read, data that is old."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.evidence import Strength
from bot.domain.feeds.document import FeedKind, silence
from bot.domain.packages.cves.detected import DetectedVulnerability, GatePolicy
from bot.domain.packages.cves.publication import CvePublication, publications_of
from bot.domain.packages.cves.vulnerability import ANY_RELEASE, Ecosystem, listed_as, release_of
from bot.domain.packages.gate import ImageVulnerabilities, ReportUse
from bot.domain.packages.package import Distribution, Package, PackageType
from bot.domain.platform import platform_of
from bot.domain.wording.words import counted, duration, first_few
from bot.images.scan_reports import KeptReport

DOTNET = "Microsoft (.NET)"
"""Who publishes what .NET itself is affected by."""


@dataclass(frozen=True, slots=True)
class ToldPlatform:
    """What is told of one platform of an image, or of one of several images of it, by its name (`named_apart`).
    `packages` are None where nothing tells them.

    `by_sbom` is the strength of the SBOM that told of them, None where layers did; `problems` say what could not be
    read, `error` why nothing was. `uncertain` are vulnerabilities of packages whose versions cannot be compared.
    """

    platform: str
    packages: tuple[Package, ...] | None = None
    distribution: Distribution | None = None
    problems: tuple[str, ...] = ()
    error: str | None = None
    by_sbom: Strength | None = None
    found: tuple[DetectedVulnerability, ...] = ()
    uncertain: tuple[DetectedVulnerability, ...] = ()
    digests: frozenset[str] = frozenset()
    """By which it alone goes: of its manifest and its configuration."""


@dataclass(frozen=True, slots=True)
class KeptData:
    """Of each publisher whose data is read: when it was last seen to be current, None where it was never read, and
    the releases and names that it was looked through for, None where it is kept as a whole. Where an API is asked
    in place of a dump, `asked` are the releases, names and versions that it was asked about. Of releases that are
    `untold` their publisher's dump says nothing at all. `unread` are the releases and names of packages about which
    there are records that cannot be read; publishers that are `illegible` have others of which nothing can. All go
    by the names of publications, of which an ecosystem may have several. `newest_at` is the newest time in what is
    kept of each, as far as that is known."""

    checked_at: Mapping[str, datetime | None]
    considered: Mapping[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    asked: Mapping[str, frozenset[tuple[str, str, str]]] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    unread: frozenset[tuple[str, str]] = frozenset()
    illegible: frozenset[str] = frozenset()
    newest_at: Mapping[str, datetime] = field(default_factory=dict)


_FRAMEWORKS = frozenset({"Microsoft.NETCore.App", "Microsoft.AspNetCore.App", "Microsoft.WindowsDesktop.App"})
SYSTEM = frozenset({PackageType.DEB.value, PackageType.APK.value, PackageType.RPM.value})
"""The types of packages that distributions publish."""
_SETTINGS = {
    Ecosystem.UBUNTU: "ubuntu",
    Ecosystem.DEBIAN: "debian",
    Ecosystem.ALPINE: "alpine",
    Ecosystem.AZURE_LINUX: "azure_linux",
    Ecosystem.NUGET: "nuget",
}
Gap = tuple[str, bool]
"""What is not known, and whether it is about to be."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """By what is judged how much is known: of which platforms, of which severities, by data of which age.

    `had` are names and versions of packages that the image before had, where only what is new counts: what cannot
    be read of those is none of it.
    """

    platforms: Collection[str]
    policy: GatePolicy
    max_age: timedelta
    now: datetime
    had: Collection[tuple[str, str]] = frozenset()


def vulnerabilities_of(platforms: Sequence[ToldPlatform], data: KeptData, by: Yardstick) -> ImageVulnerabilities:
    """All that the kept data says of these platforms; those that nobody reads are left out."""
    judged = [each for each in platforms if platform_of(each.platform) in by.platforms]
    if not judged:
        names = ", ".join(each.platform for each in platforms)
        why = f"packages.platforms has none of {names}" if names else "its platforms are not known"
        return ImageVulnerabilities(gaps=(f"nothing tells its packages: {why}",))
    gaps = dict(gap for each in judged for gap in (*_of_packages(each, by), *_of_data(each, data, by)))
    vulnerabilities = tuple(one for each in judged for one in each.found)
    notes = tuple(dict.fromkeys(note for each in judged for note in _notes(each, data, by) if note not in gaps))
    return ImageVulnerabilities(vulnerabilities, tuple(gaps), any(gaps.values()), notes=notes)


def _notes(platform: ToldPlatform, data: KeptData, by: Yardstick) -> Iterator[str]:
    """What is told beside the answer: records of which nobody can tell whether they are about its packages, and
    publications that stand still beside another one that does not."""
    release = release_of(platform.distribution)
    releases = [release] if release is not None else []
    if any(each.type == PackageType.NUGET for each in platform.packages or ()):
        releases.append(ANY_RELEASE)
    several = [each for one in releases for each in _publications(one, data)]
    for publication in sorted({each.value for each in several} & data.illegible):
        unread = f"some CVE data of {publication} cannot be read"
        yield f"{unread}, and what it is about is not known (`freshness-bot status`)"
    for publication in several:
        if (told_silent := silence(publication, data.newest_at.get(publication), by.now)) is not None:
            yield told_silent


def _publications(release: str, data: KeptData) -> tuple[CvePublication, ...]:
    """Those that are followed of all that tell of a release."""
    ecosystem = Ecosystem(release.partition(":")[0]) if release != ANY_RELEASE else Ecosystem.NUGET
    return tuple(each for each in publications_of(ecosystem, release) if each.value in data.checked_at)


@dataclass(frozen=True, slots=True)
class FleetHoldings:
    """What the images of the fleet hold: the distributions that their packages are of, None for an unknown one,
    and the names of what is NuGet's."""

    distributions: Collection[Distribution | None] = ()
    nuget: Collection[str] = ()


def gaps_of_data(holdings: FleetHoldings, data: KeptData, max_age: timedelta, now: datetime) -> tuple[str, ...]:
    """Why images may have CVEs that nobody tells of: data of what they hold that is missing, old, cannot be read or
    was not looked through yet, each once."""
    by = Yardstick((), GatePolicy(), max_age, now)
    gaps = dict.fromkeys(gap for each in holdings.distributions for gap, _ in _of_distribution(each, (), data, by))
    frameworks = [name for name in holdings.nuget if name in _FRAMEWORKS]
    if frameworks:
        gaps |= dict.fromkeys(gap for gap, _ in _of_dotnet(data, by))
    if len(frameworks) < len(holdings.nuget):
        gaps |= dict.fromkeys(gap for gap, _ in _of_publisher(Ecosystem.NUGET, ANY_RELEASE, (), data, by))
    for release in {*map(release_of, holdings.distributions), ANY_RELEASE if holdings.nuget else None}:
        names = sorted(name for each, name in data.unread if each == release)
        if release is not None and names:
            gaps[_unreadable(release, names)] = None
    return tuple(sorted(gaps))


def unread_publishers(data: KeptData) -> tuple[str, ...]:
    """The settings by which CVE data would be read that is not: what nobody tells of may be told there."""
    unread = [
        f"vulnerabilities.{setting}"
        for ecosystem, setting in _SETTINGS.items()
        if not any(CvePublication(each).ecosystem is ecosystem for each in data.checked_at if each != DOTNET)
    ]
    return (*(() if DOTNET in data.checked_at else ("feeds.dotnet_releases",)), *unread)


def read_in_part(platform: str, problems: Sequence[str]) -> str:
    """Words what keeps some of a platform's packages from being known."""
    return f"not all of the packages of {platform} can be read: {problems[0]}"


def _of_packages(platform: ToldPlatform, by: Yardstick) -> Iterator[Gap]:
    """Yields what is not known of its packages, and whether that is about to be."""
    its_packages = f"the packages of {platform.platform}"
    if platform.packages is None:
        if platform.error is not None:
            yield f"{its_packages} cannot be read: {platform.error}", False
        else:
            yield f"{its_packages} are not read yet", True
        return
    if platform.by_sbom is not None and platform.by_sbom is not Strength.PROVED:
        yield f"{its_packages} are {platform.by_sbom} by an SBOM alone", False
    if platform.problems:
        yield read_in_part(platform.platform, platform.problems), False
    for doubt in filter(by.policy.blocks, platform.uncertain):
        yield f"whether {doubt.package} {doubt.installed} has {doubt.id} cannot be told from its version", False


def _of_data(platform: ToldPlatform, data: KeptData, by: Yardstick) -> Iterator[Gap]:
    """Which publishers' data is missing, old, or not yet looked through for what the image holds."""
    packages = platform.packages or ()
    system = [each for each in packages if each.type in SYSTEM]
    if system:
        yield from _of_distribution(platform.distribution, system, data, by)
    nuget = [each for each in packages if each.type == PackageType.NUGET]
    libraries = [each for each in nuget if each.advisory_name not in _FRAMEWORKS]
    if len(libraries) < len(nuget):
        yield from _of_dotnet(data, by)
    if libraries:
        yield from _of_publisher(Ecosystem.NUGET, ANY_RELEASE, libraries, data, by)
    others = {each.type for each in packages} - SYSTEM - {PackageType.NUGET.value, ""}
    if others:
        yield f"no CVE data is read of packages of the type {' and '.join(sorted(others))}", False


def _of_distribution(
    distribution: Distribution | None, system: Sequence[Package], data: KeptData, by: Yardstick
) -> Iterator[Gap]:
    release = release_of(distribution)
    if release is None:
        yield f"no CVE data is read of {distribution or 'an unknown distribution'}", False
    else:
        yield from _of_publisher(Ecosystem(release.partition(":")[0]), release, system, data, by)


def _of_dotnet(data: KeptData, by: Yardstick) -> Iterator[Gap]:
    if DOTNET not in data.checked_at:
        yield f"no CVE data of {DOTNET} is read (turn on feeds.dotnet_releases)", False
    yield from _of_age(DOTNET, FeedKind.DOTNET_INDEX, data, by)


def _of_publisher(
    publisher: Ecosystem,
    release: str,
    packages: Sequence[Package],
    data: KeptData,
    by: Yardstick,
) -> Iterator[Gap]:
    """What its publications leave open. One of several that leaves nothing open is enough: what another one does
    not tell is in that."""
    followed = _publications(release, data)
    if not followed:
        yield f"no CVE data of {publisher} is read (turn on vulnerabilities.{_SETTINGS[publisher]})", False
    several = [list(_of_publication(each, release, packages, data, by)) for each in followed]
    if all(several):
        yield from (gap for gaps in several for gap in gaps)
    if unread := _unread(release, packages, data, by):
        yield _unreadable(release, unread), False


def _of_publication(
    publication: CvePublication, release: str, packages: Sequence[Package], data: KeptData, by: Yardstick
) -> Iterator[Gap]:
    gaps = list(_of_age(publication, publication, data, by))
    yield from gaps
    considered = data.considered.get(publication)
    if gaps or considered is None:
        return
    if release in data.untold and not publication.is_oval:
        yield f"the CVE data of {publication} tells of nothing in {release}", False
        return
    releases, names = considered
    new = {each.name for each in packages if not each.listed_names <= names}
    if (asked_names := data.asked.get(publication)) is not None:
        packages_of_it = [each for each in packages if each.type == publication.ecosystem.package_type]
        new |= {each.name for each in packages_of_it if (release, *listed_as(each)) not in asked_names}
    if new or release not in releases:
        subject = counted(len(new), "package") if new else release
        yield (
            f"the CVE data of {publication} was not looked through yet for {subject} that nothing had before",
            True,
        )


def _unread(release: str, packages: Sequence[Package], data: KeptData, by: Yardstick) -> list[str]:
    """The packages that records are about which cannot be read."""
    names = {name for each, name in data.unread if each == release}
    about = (each for each in packages if names and not names.isdisjoint(each.listed_names))
    return sorted({each.name for each in about if (each.name, each.version) not in by.had})


def _unreadable(release: str, names: Sequence[str]) -> str:
    publisher = release.partition(":")[0] or Ecosystem.NUGET
    return f"CVE data of {publisher} about {first_few(names)} cannot be read (`freshness-bot status` says why)"


def _of_age(publisher: str, source: str, data: KeptData, by: Yardstick) -> Iterator[Gap]:
    """Whether what is kept is old: confirmed by nobody for too long, or with nothing new in it for longer than the
    source, by the name of its cadence, ever was without."""
    if publisher not in data.checked_at:
        return
    checked_at = data.checked_at[publisher]
    if checked_at is None:
        yield f"the CVE data of {publisher} was not read yet", True
    elif by.now - checked_at > by.max_age:
        yield f"the CVE data of {publisher} is {_of_old(checked_at, by)}", False
    elif (line := silence(source, data.newest_at.get(source), by.now)) is not None:
        yield line, False


def _of_old(moment: datetime, by: Yardstick) -> str:
    """In words that stay true where they are kept, and are the same tomorrow."""
    return f"of {moment:%Y-%m-%d %H:%M} UTC, more than {duration(by.max_age)} old"


def with_reports(
    contents: ImageVulnerabilities, reports: Sequence[KeptReport], use: ReportUse, by: Yardstick
) -> ImageVulnerabilities:
    """The same with what scanners reported of the image; the last scan first.

    What an old report found is there still, but it says nothing of what it did not find.
    """
    vulnerabilities = (
        *contents.vulnerabilities,
        *(one for each in reports for one in each.scan.report.vulnerabilities),
    )
    gaps = list(_of_reports(reports, by))
    unrated = reports[0].scan.report.unrated if reports else ()
    notes = reports[0].scan.report.notes if reports else ()
    contents = replace(contents, notes=(*contents.notes, *notes))
    if use is ReportUse.REQUIRE:
        return replace(contents, vulnerabilities=vulnerabilities, gaps=(*gaps, *contents.gaps), unrated=unrated)
    if use is ReportUse.ENOUGH and not gaps:
        return ImageVulnerabilities(vulnerabilities, unrated=unrated if contents.gaps else (), notes=notes)
    if use is ReportUse.ENOUGH and reports and contents.gaps:
        return replace(contents, vulnerabilities=vulnerabilities, gaps=(*contents.gaps, *gaps), unrated=unrated)
    return replace(contents, vulnerabilities=vulnerabilities)


def with_damaged(contents: ImageVulnerabilities, damaged: Sequence[str]) -> ImageVulnerabilities:
    """The same where reports are kept of the image that cannot be read: what they tell would have counted."""
    gaps = (f"a scanner's report ({each}) is damaged in the store; import it again" for each in damaged)
    return replace(contents, gaps=(*contents.gaps, *gaps))


def _of_reports(reports: Sequence[KeptReport], by: Yardstick) -> Iterator[str]:
    if not reports:
        yield "no scanner has reported of this digest"
        return
    last = reports[0]
    if last.is_ahead:
        made = f"{last.scan.report.created_at:%Y-%m-%d %H:%M} UTC"
        yield f"the scanner's report {last.scan.place} says to be of {made}, which was yet to come when it was kept"
    if by.now - last.scanned_at > by.max_age:
        yield f"the scanner's report {last.scan.place} is {_of_old(last.scanned_at, by)}"
    for gap in last.scan.report.gaps:
        yield f"the scanner's report {last.scan.place}: {gap}"
