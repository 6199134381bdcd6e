import pytest

from bot.domain.feeds.advisory import Advisory
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, WantedAffected
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit, WantedPackage, fit_of, names_of, wanted_by

SSL = Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5", "amd64", "openssl", "3.0.13-0ubuntu3.5")


@pytest.mark.parametrize(
    ("wanted", "fit"),
    [
        (WantedPackage("libssl3t64"), Fit.YES),
        (WantedPackage("libssl3t64", "deb", ("3.0.13-0ubuntu3.6",)), Fit.YES),
        (WantedPackage("libssl3t64", "deb", ("3.0.13-0ubuntu3.5",)), Fit.NO),
        (WantedPackage("openssl", None, ("3.0.13-0ubuntu3.6",)), Fit.YES),
        (WantedPackage("libssl3t64", "rpm"), Fit.NO),
        (WantedPackage("ssl"), Fit.NO),
        (WantedPackage("libssl3t64", None, ("not a version!",)), Fit.UNKNOWN),
    ],
)
def test_a_package_is_wanted_by_its_name_or_its_source_and_its_version(wanted: WantedPackage, fit: Fit) -> None:
    assert wanted.fit(SSL) is fit


def test_a_source_package_is_compared_by_its_own_version() -> None:
    """Debian numbers some binary packages unlike their source."""
    gcc = Package("deb", "libgcc-s1", "14.2.0-4", "amd64", "gcc-defaults", "1.220")
    assert WantedPackage("gcc-defaults", "deb", ("2",)).fit(gcc) is Fit.YES
    assert WantedPackage("libgcc-s1", "deb", ("2",)).fit(gcc) is Fit.NO


def test_a_source_package_without_a_version_of_its_own_has_that_of_what_is_built_of_it() -> None:
    built = Package("deb", "libssl3t64", "3", "amd64", "openssl")
    assert WantedPackage("openssl", "deb", ("2",)).fit(built) is Fit.NO
    assert WantedPackage("openssl", "deb", ("4",)).fit(built) is Fit.YES


def test_what_a_publisher_says_of_one_release_is_wanted_in_no_other() -> None:
    said = WantedAffected(AffectedPackage("deb", "openssl", "Ubuntu:24.04", (VersionRange(),)), ("openssl",))
    releases = ("Ubuntu:24.04", "Ubuntu:22.04", None)
    assert [fit_of(SSL, [said], release) for release in releases] == [Fit.YES, Fit.NO, Fit.NO]


def test_names_are_told_once_each_and_in_order() -> None:
    assert names_of([WantedPackage(name) for name in "cabdacfe"]) == list("abcdef")


def test_of_a_cve_of_dotnet_each_channel_has_a_fix_of_its_own() -> None:
    advisory = Advisory("CVE-1", families=frozenset({"aspnet"}), fixed_versions=("8.0.11", "9.0.1"))
    wanted = wanted_by(advisory)
    assert [each.name for each in wanted] == ["Microsoft.AspNetCore.App"]
    fits = {
        version: fit_of(Package("nuget", "Microsoft.AspNetCore.App", version), wanted)
        for version in ("8.0.10", "8.0.11", "9.0.0", "9.0.1", "10.0.0")
    }
    assert [version for version, fit in fits.items() if fit is Fit.YES] == ["8.0.10", "9.0.0"]


def test_a_channel_of_dotnet_is_its_first_two_numbers() -> None:
    wanted = wanted_by(Advisory("CVE-1", families=frozenset({"runtime"}), fixed_versions=("3.1.32",)))
    fits = [fit_of(Package("nuget", "Microsoft.NETCore.App", version), wanted) for version in ("3.1.31", "3.0.3")]
    assert fits == [Fit.YES, Fit.NO]


def test_an_advisory_that_names_no_fix_tells_of_no_package() -> None:
    assert wanted_by(Advisory("CVE-1", families=frozenset({"runtime"}))) == ()


def test_an_advisory_that_names_no_family_may_touch_each() -> None:
    names = [each.name for each in wanted_by(Advisory("CVE-1", fixed_versions=("8.0.11",)))]
    assert names == ["Microsoft.NETCore.App", "Microsoft.AspNetCore.App"]


def test_the_fixed_sdks_of_an_advisory_do_not_make_a_fixed_runtime_affected() -> None:
    """An advisory names the fixed SDKs of a channel beside its fixed runtime."""
    for fixed in (("10.0.5", "10.0.105", "9.0.9"), ("9.0.9", "10.0.105", "10.0.5")):
        [wanted] = wanted_by(Advisory("CVE-1", families=frozenset({"runtime"}), fixed_versions=fixed))
        assert wanted.below == ("10.0.5", "9.0.9")
        fits = [wanted.fit(Package("nuget", "Microsoft.NETCore.App", version)) for version in ("10.0.4", "10.0.5")]
        assert fits == [Fit.YES, Fit.NO]


@pytest.mark.parametrize("prefix", ["runtimepack.", ""], ids=["deps.json", "an SBOM"])
def test_an_application_that_brings_its_own_runtime_has_the_cves_of_that(prefix: str) -> None:
    wanted = wanted_by(Advisory("CVE-1", families=frozenset({"runtime"}), fixed_versions=("10.0.5",)))
    name = f"{prefix}Microsoft.NETCore.App.Runtime.linux-musl-arm64"
    fits = [fit_of(Package("nuget", name, version), wanted) for version in ("10.0.4", "10.0.5")]
    assert fits == [Fit.YES, Fit.NO]
    assert name in names_of(wanted)
    assert fit_of(Package("nuget", "Microsoft.AspNetCore.App.Runtime.linux-x64", "10.0.4"), wanted) is Fit.NO
