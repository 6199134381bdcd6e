"""What a fleet's images hold: layers, packages that move a little every week, CVEs of them, and scanners' reports.

Sizes are those of real ones: .NET images on Ubuntu have 90 to 140 packages, an application brings some 80 more of
NuGet, its `*.deps.json` has some 60 kB, and Trivy tells of 20 to 60 vulnerabilities.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.cves.vulnerability import (
    ANY_RELEASE,
    AffectedPackage,
    Ecosystem,
    VersionRange,
    Vulnerability,
)
from bot.domain.packages.package import Distribution, Package, PackageType
from bot.images.packages.layers.layer import LayerContents
from bot.images.scan_reports import ReportOrigin, ScanReport
from bot.images.scanners.report import Report

NOBLE = Distribution("ubuntu", "24.04")
OF_BASE = (90, 140)
OWN = (60, 110)
NUGET = 1_500
"""Packages of NuGet that the fleet has in all."""
MOVED_OF_BASE, MOVED_OWN = 3, 2
"""Packages that come in another version with each build."""
UBUNTU_RECORDS, NUGET_RECORDS = 4_000, 300
_MARKS = {0: 3_000, 1: 700, 2: 250}
"""Files of a layer by its place: the distribution's, the runtime's, the application's; others have few."""
_WORDS = (
    "library",
    "runtime",
    "shared",
    "support",
    "common",
    "files",
    "for",
    "the",
    "development",
    "network",
    "tools",
)


class Contents:
    """Makes what is found where, by chance that is the same in every run."""

    def __init__(self) -> None:
        self._random = random.Random(13)
        self._bases: dict[str, list[Package]] = {}
        self._own: dict[int, list[Package]] = {}
        self._sources = [f"source-{number}" for number in range(400)]
        self._status = {size: self._dpkg_status(size) for size in OF_BASE}
        self._deps = self._deps_json()

    def of_layer(self, diff_id: str, place: int) -> LayerContents:
        marks = self._random.randbytes(8 * _MARKS.get(place, 20))
        files = {0: {"var/lib/dpkg/status": self._status[OF_BASE[0]]}, 2: {"app/Service.deps.json": self._deps}}
        return LayerContents(files.get(place, {}), diff_id=diff_id, marks=marks)

    def of_base(self, name: str) -> tuple[Package, ...]:
        """Its packages now: some have moved since it was asked last."""
        known = self._bases.get(name)
        if known is None:
            chosen = self._random.sample(range(len(self._sources)), self._random.randint(*OF_BASE))
            known = self._bases[name] = [self._deb(number, 1) for number in chosen]
        else:
            for place in self._random.sample(range(len(known)), MOVED_OF_BASE):
                known[place] = _moved(known[place])
        return tuple(known)

    def of_image(self, image: int, base: str) -> tuple[Package, ...]:
        """Those of its base as it is now, and its own, of which some have moved."""
        known = self._own.get(image)
        if known is None:
            chosen = self._random.sample(range(NUGET), self._random.randint(*OWN))
            known = self._own[image] = [_nuget(number, self._random.randrange(4)) for number in chosen]
        else:
            for place in self._random.sample(range(len(known)), MOVED_OWN):
                known[place] = _moved(known[place])
        return self.of_image_now(image, base)

    def of_image_now(self, image: int, base: str) -> tuple[Package, ...]:
        """The same without a build in between."""
        return (*(self._bases.get(base) or self.of_base(base)), *self._own.get(image, ()))

    def report(
        self, digests: Sequence[str], packages: Sequence[Package], at: datetime, repository: int
    ) -> ScanReport:
        """Trivy's, as a workflow leaves it."""
        hit = self._random.sample(packages, min(len(packages), self._random.randint(20, 60)))
        found = tuple(self._detected(each) for each in hit)
        report = Report(found, (), at, "service", frozenset(digests))
        document = f"sha256:{self._random.randbytes(32).hex()}"
        place = "trivy-results: trivy.json of https://github.example/contoso/service/actions/runs/30000000001"
        return ScanReport(document, ReportOrigin.ARTIFACT, place, report, repository)

    def _detected(self, package: Package) -> DetectedVulnerability:
        rating = self._random.choices(list(Rating), (5, 30, 45, 17, 3))[0]
        fixed = f"{package.version}.1" if self._random.random() < 0.3 else ""
        url = f"pkg:{package.type}/ubuntu/{package.name}@{package.version}?arch=amd64&distro=ubuntu-24.04"
        name = f"CVE-2026-{self._random.randrange(1_000, 60_000)}"
        return DetectedVulnerability(name, package.name, package.version, fixed, rating, bool(fixed), url)

    def detected(self, packages: Sequence[Package], most: int) -> tuple[DetectedVulnerability, ...]:
        return tuple(self._detected(each) for each in self._random.sample(packages, most))

    def records(self, ecosystem: Ecosystem) -> tuple[Vulnerability, ...]:
        """What a publisher's dump says of the fleet's packages: each is of one source and its binaries."""
        if ecosystem is Ecosystem.NUGET:
            return tuple(
                self._record(f"GHSA-{number:04}-aaaa-bbbb", self._of_nuget()) for number in range(NUGET_RECORDS)
            )
        return tuple(
            self._record(f"UBUNTU-CVE-2026-{10_000 + number}", self._of_ubuntu())
            for number in range(UBUNTU_RECORDS)
        )

    def _record(self, name: str, affected: AffectedPackage) -> Vulnerability:
        title = " ".join(self._random.choices(_WORDS, k=25))
        severity = self._random.choice(list(Severity))
        cve = f"CVE-2026-{self._random.randrange(1_000, 60_000)}"
        return Vulnerability(name, (cve,), title, severity, "Ubuntu", 7.5, None, (affected,))

    def _of_ubuntu(self) -> AffectedPackage:
        number = self._random.randrange(len(self._sources))
        fixed = f"1.{number}-0ubuntu{self._random.randint(1, 30)}" if self._random.random() < 0.7 else ""
        binaries = tuple((f"{self._sources[number]}-binary-{each}", fixed) for each in range(6))
        ranges = (VersionRange(fixed=fixed),)
        return AffectedPackage(PackageType.DEB, self._sources[number], "Ubuntu:24.04", ranges, (), binaries)

    def _of_nuget(self) -> AffectedPackage:
        ranges = (VersionRange("", f"{self._random.randrange(4)}.5.0"),)
        return AffectedPackage(
            PackageType.NUGET, f"Company.Package{self._random.randrange(NUGET)}", ANY_RELEASE, ranges
        )

    def _deb(self, number: int, revision: int) -> Package:
        source, version = self._sources[number], f"1.{number}-0ubuntu{revision}"
        return Package(PackageType.DEB, f"{source}-binary-0", version, "amd64", source, version)

    def _dpkg_status(self, packages: int) -> bytes:
        def paragraph(number: int) -> str:
            words = " ".join(self._random.choices(_WORDS, k=60))
            depends = ", ".join(f"lib{self._random.randrange(999)} (>= 2.{number})" for _ in range(6))
            sums = "".join(
                f" /usr/lib/{number}/{each}.conf {self._random.randbytes(16).hex()}\n" for each in range(2)
            )
            told = f"Package: p{number}\nStatus: install ok installed\nVersion: 1.{number}\nDepends: {depends}\n"
            return f"{told}{sums}{words}\n\n"

        return "".join(map(paragraph, range(packages))).encode()

    def _deps_json(self) -> bytes:
        libraries = {
            f"Company.Package{number}/1.0.{number}": {
                "type": "package",
                "serviceable": True,
                "sha512": f"sha512-{hashlib.sha512(str(number).encode()).hexdigest()}",
                "path": f"company.package{number}/1.0.{number}",
                "hashPath": f"company.package{number}.1.0.{number}.nupkg.sha512",
            }
            for number in range(150)
        }
        return json.dumps({"runtimeTarget": {"name": ".NETCoreApp,Version=v10.0"}, "libraries": libraries}).encode()


def _nuget(number: int, major: int) -> Package:
    return Package(PackageType.NUGET, f"Company.Package{number}", f"{major}.0.0")


def _moved(package: Package) -> Package:
    if package.type == PackageType.NUGET:
        major, minor, patch = package.version.split(".")
        return replace(package, version=f"{major}.{minor}.{int(patch) + 1}")
    stem, _, revision = package.version.rpartition("ubuntu")
    version = f"{stem}ubuntu{int(revision) + 1}"
    return replace(package, version=version, source_version=version)
