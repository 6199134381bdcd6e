"""What still stands of findings once the statements of OpenVEX documents have been heard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating, is_cve
from bot.domain.packages.package import Package
from bot.domain.platform import InvalidPlatform, Platform
from bot.images.sbom.package_url import distribution_named
from bot.images.scanners.report import Report, full_name
from bot.images.vex.statements import Component, VexStatement

_IMAGES = frozenset({"oci", "docker"})


def speaks_of(statement: VexStatement, vulnerability: DetectedVulnerability, report: Report) -> bool:
    """Whether one of its products is the package that was found, or the image that holds it."""
    for product in statement.products:
        if _covers(product.whole, vulnerability.package_url):
            return True
        if _is_scanned(product.whole, report) and (
            not product.parts or any(_covers(part, vulnerability.package_url) for part in product.parts)
        ):
            return True
    return False


def _covers(stated: Component, package_url: str) -> bool:
    """Whether what is stated is what was found: the same package, and its version and qualifiers where stated.

    Hashes of a package without a version tell of certain files alone, and which were found is not known.
    """
    one, other = _parsed(stated.url), _parsed(package_url)
    if (
        one is None
        or other is None
        or (one.type, one.namespace, one.name) != (other.type, other.namespace, other.name)
    ):
        return False
    if one.version != other.version if one.version else stated.has_hashes:
        return False
    had = other.qualifiers or {}
    return all(
        _is_stated(key, value, had.get(key, ""), one.namespace or "")
        for key, value in (one.qualifiers or {}).items()
    )


def _is_stated(qualifier: str, stated: str, had: str, namespace: str) -> bool:
    """Whether a package has what a qualifier states: an architecture by any of its names, and a release of a
    distribution by as much of its number as is stated."""
    if stated == had or not had:
        return stated == had
    if qualifier == "arch":
        return _is_for(stated, f"linux/{had}")
    if qualifier == "distro":
        stated_release, own_release = distribution_named(stated, namespace), distribution_named(had, namespace)
        if stated_release is None or own_release is None or stated_release.id != own_release.id:
            return False
        return not stated_release.version or f"{own_release.version}.".startswith(f"{stated_release.version}.")
    return False


def _is_for(arch: str, platform: str) -> bool:
    """Whether an architecture that is stated is that of a platform; its variant counts where it is stated, as with
    `arm/v7` and `armhf`. Of plain `linux/arm`, as scanners write it, none is known."""
    try:
        stated, own_platform = Platform.parse(f"linux/{arch}"), Platform.parse(platform)
    except InvalidPlatform:
        return False
    if stated.architecture != own_platform.architecture:
        return False
    if "/" not in arch and (arch == stated.architecture or not stated.variant):
        return True
    return stated.variant == own_platform.variant and platform != "linux/arm"


def _is_scanned(stated: Component, report: Report) -> bool:
    """Whether a product is the image that was scanned: by its digest or, where it has none, by its name.

    Of what is stated beside a name, only the place and the platform of the image can be told to be its. What is
    stated of one platform is of none where that of the image is not told.
    """
    image = _parsed(stated.url)
    if image is None or image.type not in _IMAGES:
        return stated.digest in report.names
    arch = architecture_of(stated.url)
    if arch and not _is_for(arch, report.platform):
        return False
    if image.version and image.version.startswith("sha256:"):
        return image.version in report.image_digests
    if stated.has_hashes:
        return stated.digest in report.names
    qualifiers = dict(image.qualifiers or {})
    qualifiers.pop("arch", None)
    place = qualifiers.pop("repository_url", "").rpartition("://")[2].strip("/")
    if image.version or qualifiers or not report.image_name:
        return False
    name = "/".join(filter(None, (image.namespace, image.name)))
    if place:
        scanned = full_name(report.image_name)
        return scanned is not None and scanned in (full_name(place), full_name(f"{place}/{name}"))
    return f"/{report.image_name}".endswith(f"/{name}")


def architecture_of(url: str) -> str:
    """The platform that an image's package URL is about alone; empty where that is any."""
    image = _parsed(url)
    return str((image.qualifiers or {}).get("arch", "")) if image is not None and image.type in _IMAGES else ""


@lru_cache(maxsize=4096)
def _parsed(url: str) -> Any:
    from packageurl import PackageURL

    if not url.startswith("pkg:") or len(url) > 2048:
        return None
    try:
        return PackageURL.from_string(url)
    except ValueError:
        return None


_MOST_PLATFORMS = 20
"""Of which it is told that statements are about them."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VexExcuse:
    """A finding that does not block, and the statement that says why."""

    found: DetectedVulnerability
    statement: VexStatement


def excuse(
    vulnerabilities: Iterable[DetectedVulnerability], statements: Sequence[VexStatement], report: Report
) -> tuple[tuple[DetectedVulnerability, ...], tuple[VexExcuse, ...]]:
    """What still stands, and what the statements take away, in the order of the findings.

    Statements of one time count in the order in which they are given, those without a time before all others.
    """
    by_name: dict[str, dict[int, VexStatement]] = {}
    for number, statement in enumerate(sorted(statements, key=lambda each: each.at or _BEFORE_ALL)):
        for name in statement.vulnerabilities:
            by_name.setdefault(name, {})[number] = statement
    standing: list[DetectedVulnerability] = []
    excused: list[VexExcuse] = []
    for vulnerability in vulnerabilities:
        speaking = [one for one in _naming(vulnerability, by_name) if speaks_of(one, vulnerability, report)]
        if speaking and speaking[-1].excuses:
            excused.append(VexExcuse(vulnerability, speaking[-1]))
        else:
            standing.append(vulnerability)
    return tuple(standing), tuple(excused)


def excuse_of(
    cve: str, package: Package, url: str, statements: Sequence[VexStatement], report: Report
) -> VexStatement | None:
    """The statement that takes a CVE away from a package, by its URL, of an image; None where none does."""
    found = DetectedVulnerability(cve, package.name, package.version, "", Rating.UNKNOWN, False, url)
    _, excused = excuse([found], statements, report)
    return excused[0].statement if excused else None


def _naming(
    vulnerability: DetectedVulnerability, by_name: Mapping[str, Mapping[int, VexStatement]]
) -> list[VexStatement]:
    """The statements that name it, the last one last; one that names it by an alias alone, where it names no other
    CVE: an advisory may be about several. By each name, they stand under their place among all."""
    name = vulnerability.id.upper()
    by_number = dict(by_name.get(name, {}))
    for alias in vulnerability.aliases:
        by_number |= {
            number: one
            for number, one in by_name.get(alias.upper(), {}).items()
            if not any(is_cve(other) and other != name for other in one.vulnerabilities)
        }
    return [by_number[number] for number in sorted(by_number)]


def untold_platforms(
    standing: Iterable[DetectedVulnerability], statements: Sequence[VexStatement], report: Report
) -> tuple[str, ...]:
    """Which of the findings that stand would be excused on some platform, a line each, where the report does not
    tell which one it is about."""
    if report.platform:
        return ()
    architectures = {
        arch for one in statements for product in one.products if (arch := architecture_of(product.whole.url))
    }
    lines: list[str] = []
    left = tuple(standing)
    for arch in sorted(architectures)[:_MOST_PLATFORMS]:
        left, excused = excuse(left, statements, replace(report, platform=f"linux/{arch}"))
        lines += [
            f"{pair.found.id} in {pair.found.package}: {pair.statement.author or 'an unnamed author'} excuses it "
            f"on {arch} alone, and the report does not say which platform it is about; have the scanner write its "
            "own JSON"
            for pair in excused
        ]
    return tuple(lines)
