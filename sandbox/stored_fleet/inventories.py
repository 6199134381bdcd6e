"""What is inside the bases and images of the fleet, how it changed, and what publishers say of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from bot.domain.packages.changes import PackageChange, package_changes
from bot.domain.packages.package import Distribution, Package
from bot.domain.reference import Base
from bot.store.engine.codec import dump
from sandbox.stored_fleet.publications import Publication, concerns, digest

PLATFORM = "linux/amd64"
TOLD = 6
"""Of so many publications of a base it is known what is inside."""
_UBUNTU = Distribution("ubuntu", "24.04")
_JAMMY = Distribution("ubuntu", "22.04")
_DEBIAN = Distribution("debian", "12")
_TRIXIE = Distribution("debian", "13")
_ALPINE = Distribution("alpine", "3.22")
_AZURE_LINUX = Distribution("azurelinux", "3.0")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A package of a distribution. Its version holds `{}` where updates of the OS count it up, each `every` of
    them, from `first` on. `is_small`: images that are cut down have it too."""

    name: str
    source: str
    version: str
    first: int = 1
    every: int = 1
    is_small: bool = False

    def version_after(self, updates: int) -> str:
        return self.version.format(self.first + updates // self.every)


_OF_UBUNTU = (
    _Listed("base-files", "base-files", "13ubuntu10.{}", 3, 3, True),
    _Listed("bash", "bash", "5.2.21-2ubuntu4"),
    _Listed("ca-certificates", "ca-certificates", "20240203", is_small=True),
    _Listed("coreutils", "coreutils", "9.4-3ubuntu6.{}", 1, 3),
    _Listed("dpkg", "dpkg", "1.22.6ubuntu6.{}", 5, 2),
    _Listed("gzip", "gzip", "1.12-1ubuntu3.1"),
    _Listed("libc6", "glibc", "2.39-0ubuntu8.{}", 4, 2, True),
    _Listed("libgcc-s1", "gcc-14", "14.2.0-4ubuntu2~24.04", is_small=True),
    _Listed("libgnutls30t64", "gnutls28", "3.8.3-1.1ubuntu3.{}", 2, 2),
    _Listed("libicu74", "icu", "74.2-1ubuntu3.1"),
    _Listed("libpam0g", "pam", "1.5.3-5ubuntu5.{}", 4, 2),
    _Listed("libssl3t64", "openssl", "3.0.13-0ubuntu3.{}", 5, 1, True),
    _Listed("libstdc++6", "gcc-14", "14.2.0-4ubuntu2~24.04", is_small=True),
    _Listed("libsystemd0", "systemd", "255.4-1ubuntu8.{}", 8, 1),
    _Listed("perl-base", "perl", "5.38.2-3.2ubuntu0.{}", 2, 3),
    _Listed("tar", "tar", "1.35+dfsg-3build1"),
    _Listed("tzdata", "tzdata", "2026a-0ubuntu0.24.04.{}", 1, 2, True),
    _Listed("zlib1g", "zlib", "1:1.3.dfsg-3.1ubuntu2.1", is_small=True),
)
_OF_DEBIAN = (
    _Listed("base-files", "base-files", "12.4+deb12u{}", 11, 2),
    _Listed("bash", "bash", "5.2.15-2+b9"),
    _Listed("ca-certificates", "ca-certificates", "20230311+deb12u1"),
    _Listed("coreutils", "coreutils", "9.1-1"),
    _Listed("libc6", "glibc", "2.36-9+deb12u{}", 10, 2),
    _Listed("libgcc-s1", "gcc-12", "12.2.0-14+deb12u1"),
    _Listed("libgnutls30", "gnutls28", "3.7.9-2+deb12u{}", 4, 2),
    _Listed("libicu72", "icu", "72.1-3+deb12u1"),
    _Listed("libssl3", "openssl", "3.0.17-1~deb12u{}", 2, 1),
    _Listed("libstdc++6", "gcc-12", "12.2.0-14+deb12u1"),
    _Listed("libsystemd0", "systemd", "252.38-1~deb12u{}", 1, 2),
    _Listed("perl-base", "perl", "5.36.0-7+deb12u{}", 2, 2),
    _Listed("tar", "tar", "1.34+dfsg-1.2+deb12u1"),
    _Listed("tzdata", "tzdata", "2026a-0+deb12u{}", 1, 2),
    _Listed("zlib1g", "zlib", "1:1.2.13.dfsg-1"),
)
_OF_ALPINE = (
    _Listed("alpine-baselayout", "alpine-baselayout", "3.7.0-r0"),
    _Listed("busybox", "busybox", "1.37.0-r{}", 18, 2),
    _Listed("ca-certificates-bundle", "ca-certificates", "20250619-r0"),
    _Listed("libcrypto3", "openssl", "3.5.{}-r0", 1, 1),
    _Listed("libgcc", "gcc", "14.2.0-r6"),
    _Listed("libssl3", "openssl", "3.5.{}-r0", 1, 1),
    _Listed("libstdc++", "gcc", "14.2.0-r6"),
    _Listed("musl", "musl", "1.2.5-r{}", 10, 3),
    _Listed("zlib", "zlib", "1.3.1-r2"),
)
_OF_AZURE_LINUX = (
    _Listed("ca-certificates-base", "ca-certificates", "3.0.0-{}.azl3", 8, 2, True),
    _Listed("glibc", "glibc", "2.38-{}.azl3", 10, 1, True),
    _Listed("krb5", "krb5", "1.21.3-{}.azl3", 2, 3, True),
    _Listed("libgcc", "gcc", "13.2.0-7.azl3", is_small=True),
    _Listed("libstdc++", "gcc", "13.2.0-7.azl3", is_small=True),
    _Listed("openssl-libs", "openssl", "3.3.{}-1.azl3", 3, 1, True),
    _Listed("tzdata", "tzdata", "2026a-{}.azl3", 1, 2, True),
    _Listed("zlib", "zlib", "1.3.1-1.azl3", is_small=True),
)
_TYPES = {"ubuntu": "deb", "debian": "deb", "alpine": "apk", "azurelinux": "rpm"}
_LISTS = {"ubuntu": _OF_UBUNTU, "debian": _OF_DEBIAN, "alpine": _OF_ALPINE, "azurelinux": _OF_AZURE_LINUX}
_OF_APPLICATIONS = (
    (("Serilog", "4.3.0"), ("Polly", "8.6.2"), ("Dapper", "2.1.66")),
    (("Npgsql", "9.0.3"), ("MassTransit", "8.5.2"), ("Newtonsoft.Json", "13.0.3")),
    (("Azure.Identity", "1.14.2"), ("Grpc.AspNetCore", "2.71.0"), ("Serilog", "4.2.0")),
    (("StackExchange.Redis", "2.8.58"), ("AutoMapper", "14.0.0"), ("Newtonsoft.Json", "13.0.4")),
)


def distribution(base: Base) -> Distribution:
    for name, found in (
        ("alpine", _ALPINE),
        ("azurelinux", _AZURE_LINUX),
        ("jammy", _JAMMY),
        ("bookworm", _DEBIAN),
        ("trixie", _TRIXIE),
        ("noble", _UBUNTU),
    ):
        if name in base.tag:
            return found
    return _UBUNTU if base.tag.startswith("10.") else _DEBIAN


def packages_of(shown: Publication) -> tuple[Package, ...]:
    """What is inside a base since this publication."""
    told = distribution(shown.base)
    updates = sum(concerns(rollout, shown.base) for rollout in range(2, shown.rollout + 1, 2))
    is_small = "chiseled" in shown.base.tag or "distroless" in shown.base.tag
    found = [
        _package(_TYPES[told.id], each, each.version_after(updates))
        for each in _LISTS[told.id]
        if each.is_small or not is_small
    ]
    if shown.version is not None:
        runtime = shown.version.replace(".10", ".", 1) if shown.base.repository.endswith("/sdk") else shown.version
        found.append(Package("nuget", "Microsoft.NETCore.App", runtime))
        if not shown.base.repository.endswith("/runtime"):
            found.append(Package("nuget", "Microsoft.AspNetCore.App", runtime))
    return tuple(found)


def _package(type_: str, listed: _Listed, version: str) -> Package:
    return Package(type_, listed.name, version, "amd64", listed.source, version)


def packages_of_application(number: int, mark: str) -> tuple[Package, ...]:
    """What the application of a repository brings itself; `mark` becomes part of one name."""
    some = _OF_APPLICATIONS[number % len(_OF_APPLICATIONS)]
    return tuple(
        Package("nuget", name + (mark if number == 1 and not place else ""), version)
        for place, (name, version) in enumerate(some)
    )


def moves(
    all_: Sequence[Publication],
) -> Iterator[tuple[Publication, Publication, tuple[PackageChange, ...]]]:
    """The latest publications of a base, each after the one before it, with what it changed."""
    for before, after in pairwise(all_[-TOLD - 1 :]):
        yield before, after, package_changes(packages_of(before), packages_of(after))


def inventory_row(number: int, digest_: str, told: Distribution, seen_at: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "digest": digest_,
        "platform": PLATFORM,
        "previous_id": None,
        "seen_at": seen_at,
        "read_at": seen_at,
        "distribution": dump(told, Distribution),
        "problems": [],
        "is_complete": True,
        "due_at": seen_at,
    }


def platform_digest(digest_: str) -> str:
    """The digest of the image for `PLATFORM` in an index."""
    return digest(f"{digest_} {PLATFORM}")
