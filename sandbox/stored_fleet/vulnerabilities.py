"""What publishers say of the packages of the fleet: some fixed where bases have not followed, some not at all."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import AffectedPackage, Ecosystem, VersionRange, Vulnerability

PUBLISHERS = {
    CvePublication.UBUNTU: "https://osv-vulnerabilities.storage.googleapis.com/Ubuntu/all.zip",
    CvePublication.DEBIAN: "https://osv-vulnerabilities.storage.googleapis.com/Debian/all.zip",
    CvePublication.ALPINE: "https://osv-vulnerabilities.storage.googleapis.com/Alpine/all.zip",
    CvePublication.AZURE_LINUX: "https://osv-vulnerabilities.storage.googleapis.com/Azure%20Linux/all.zip",
    CvePublication.NUGET: "https://osv-vulnerabilities.storage.googleapis.com/NuGet/all.zip",
}
_HIGH, _MODERATE, _LOW = Severity.HIGH, Severity.MODERATE, Severity.LOW
_RELEASES = {
    Ecosystem.UBUNTU: "Ubuntu:24.04",
    Ecosystem.DEBIAN: "Debian:12",
    Ecosystem.ALPINE: "Alpine:v3.22",
    Ecosystem.AZURE_LINUX: "Azure Linux:3",
    Ecosystem.NUGET: "",
}
_SAID: dict[Ecosystem, tuple[tuple[str, str, str, str, Severity], ...]] = {
    Ecosystem.UBUNTU: (
        ("CVE-2026-31790", "openssl", "3.0.13-0ubuntu3.8", "Use after free in the parsing of CMS envelopes", _HIGH),
        ("CVE-2026-29111", "systemd", "255.4-1ubuntu8.11", "Privileges kept by a unit that was stopped", _MODERATE),
        ("CVE-2026-20861", "glibc", "", "Heap overflow in memalign for very large alignments", _HIGH),
        ("CVE-2026-24582", "tar", "", "Archive members written outside of the target folder", _MODERATE),
        ("CVE-2026-12781", "coreutils", "", "chroot keeps the controlling terminal of its caller", _LOW),
    ),
    Ecosystem.DEBIAN: (
        ("CVE-2026-31790", "openssl", "3.0.17-1~deb12u6", "Use after free in the parsing of CMS envelopes", _HIGH),
        ("CVE-2026-20861", "glibc", "", "Heap overflow in memalign for very large alignments", _MODERATE),
        ("CVE-2026-30912", "perl", "", "Buffer overflow in transliteration", _MODERATE),
    ),
    Ecosystem.ALPINE: (
        ("CVE-2026-31790", "openssl", "3.5.4-r0", "Use after free in the parsing of CMS envelopes", _HIGH),
        ("CVE-2026-26394", "busybox", "1.37.0-r20", "Escape sequences in file names reach the terminal", _LOW),
    ),
    Ecosystem.AZURE_LINUX: (
        ("CVE-2026-31790", "openssl", "3.3.6-1.azl3", "Use after free in the parsing of CMS envelopes", _HIGH),
        ("CVE-2026-23576", "krb5", "1.21.3-3.azl3", "Forged checksums accepted with RC4", _MODERATE),
    ),
    Ecosystem.NUGET: (
        ("CVE-2026-34300", "Newtonsoft.Json", "13.0.4", "Denial of service by deeply nested text", _HIGH),
        ("CVE-2026-33811", "Npgsql", "", "Statement smuggled through a message that is too long", _HIGH),
    ),
}
_TYPES = {each: each.package_type.value for each in Ecosystem}


def vulnerabilities(ecosystem: Ecosystem, now: datetime, mark: str) -> Iterator[Vulnerability]:
    """What one publisher says; `mark` becomes part of its titles."""
    for place, (cve, name, fixed, title, severity) in enumerate(_SAID[ecosystem]):
        ranges = (VersionRange(fixed=fixed),)
        affected = AffectedPackage(_TYPES[ecosystem], name, _RELEASES[ecosystem], ranges)
        prefix = "GHSA" if ecosystem is Ecosystem.NUGET else ecosystem.upper().replace(" ", "")
        yield Vulnerability(
            f"{prefix}-{cve}",
            (cve,),
            title + mark,
            severity,
            "GitHub" if ecosystem is Ecosystem.NUGET else ecosystem.value,
            published_at=now - timedelta(days=16 + place),
            affected=(affected,),
        )
