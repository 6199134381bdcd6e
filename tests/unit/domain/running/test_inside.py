"""What a build has of a CVE: by each platform that it may be, and free only where all of it is known."""

import pytest

from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.domain.running.exposure import BuildInside
from bot.domain.running.inside import AskedCve, HeldPlatform, inside_of

FIX = "3.0.13-0ubuntu3.6"
OPENSSL = AffectedPackage("deb", "openssl", "Ubuntu:24.04", (VersionRange(fixed=FIX),))
CVE = AskedCve((OPENSSL,), frozenset({"Ubuntu"}))
DIGEST = "sha256:a"


def ssl(version: str) -> Package:
    return Package("deb", "libssl3t64", version, "amd64", "openssl", version)


def held(*packages: Package, release: str | None = "Ubuntu:24.04", platform: str = "linux/amd64") -> HeldPlatform:
    said = tuple(CVE.said_of(each, release) for each in packages)
    return HeldPlatform(platform, release, is_read=True, is_whole=True, packages=said)


def inside(*platforms: HeldPlatform) -> BuildInside:
    return inside_of(DIGEST, platforms, CVE)


OLD, NEW = ssl("3.0.13-0ubuntu3.5"), ssl(FIX)


def test_an_index_of_which_one_platform_is_fixed_has_it() -> None:
    found = inside(held(NEW), held(OLD, platform="linux/arm64"))
    assert (found.is_affected, found.packages) == (True, (f"libssl3t64 {OLD.version} (fixed in {FIX})",))


def test_what_another_release_is_affected_by_says_nothing_of_this_one() -> None:
    assert inside(held(OLD, release="Ubuntu:22.04")).is_affected is False


@pytest.mark.parametrize(
    ("platforms", "why"),
    [
        ((), "built by nobody we know"),
        ((held(release=None),), "its distribution is one of which no CVE data is read"),
        ((held(release="Debian:12"),), "no CVE data of Debian is read"),
        (
            (HeldPlatform("linux/amd64", "Ubuntu:24.04", is_read=False, is_whole=False, error="401"),),
            "the packages of linux/amd64 are not read: 401",
        ),
        (
            (held(NEW), HeldPlatform("linux/arm64", "Ubuntu:24.04", is_read=True, is_whole=False)),
            "not all of the packages of linux/arm64 can be read",
        ),
    ],
)
def test_what_is_not_known_of_a_build_is_told_with_its_reason(
    platforms: tuple[HeldPlatform, ...], why: str
) -> None:
    assert inside(*platforms) == BuildInside(DIGEST, None, inside(*platforms).packages, why)


def test_a_version_that_no_rule_compares_is_not_known() -> None:
    strange = ssl("3.0~beta~~~!")
    assert CVE.said_of(strange, "Ubuntu:24.04").fit is Fit.UNKNOWN
    assert inside(held(strange)).is_affected is None


def test_free_is_told_by_version_or_by_what_is_not_there() -> None:
    assert [inside(each).why for each in (held(NEW), held())] == [
        f"libssl3t64 {FIX} is not affected",
        "not in the image",
    ]


def test_without_a_fix_for_all_that_is_affected_none_is_told() -> None:
    cve = AskedCve((AffectedPackage("deb", "openssl", "Ubuntu:24.04", (VersionRange(),)),), frozenset({"Ubuntu"}))
    said = cve.said_of(OLD, "Ubuntu:24.04")
    assert (said.fit, said.fix) == (Fit.YES, "no fix")
