"""What is known to be wrong with an image, and each thing that is not known."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.evidence import Strength
from bot.domain.packages.cves.detected import DetectedVulnerability, GatePolicy, Rating
from bot.domain.packages.gate import ImageVulnerabilities, ReportUse
from bot.domain.packages.package import Distribution, Package
from bot.images.scan_reports import KeptReport, ReportOrigin, ScanReport
from bot.images.scanners.report import Report
from bot.images.vulnerabilities import (
    DOTNET,
    FleetHoldings,
    KeptData,
    ToldPlatform,
    Yardstick,
    gaps_of_data,
    vulnerabilities_of,
    with_damaged,
    with_reports,
)
from tests.builders import NOON

AMD, ARM = "linux/amd64", "linux/arm64"
DAYS = timedelta(days=2)
BY = Yardstick((AMD,), GatePolicy(), DAYS, NOON)
NOBLE = Distribution("ubuntu", "24.04")
SSL = Package("deb", "libssl3t64", "3.0.13", "amd64", "openssl", "3.0.13")
RUNTIME = Package("nuget", "Microsoft.NETCore.App", "10.0.0")
JSON = Package("nuget", "Newtonsoft.Json", "12.0.1")
FOUND = DetectedVulnerability("CVE-2026-1", "libssl3t64", "3.0.13", "3.0.14", Rating.HIGH, True)
WHOLE = KeptData(
    {"Ubuntu": NOON, "NuGet": NOON, DOTNET: NOON},
    {
        "Ubuntu": (frozenset({"Ubuntu:24.04"}), frozenset({"openssl", "libssl3t64"})),
        "NuGet": (frozenset({""}), frozenset({"newtonsoft.json"})),
    },
)


def told(*packages: Package, **values: Any) -> ToldPlatform:
    return replace(ToldPlatform(AMD, packages, NOBLE), **values)


def gaps(platform: ToldPlatform, data: KeptData = WHOLE, by: Yardstick = BY) -> tuple[tuple[str, ...], bool]:
    """What is not known, and whether that is about to be."""
    known = vulnerabilities_of([platform], data, by)
    return known.gaps, known.is_pending


def test_nothing_is_missing_where_all_was_read_and_looked_for() -> None:
    assert gaps(told(SSL, RUNTIME, JSON)) == ((), False)
    assert gaps(told(SSL, by_sbom=Strength.PROVED)) == ((), False)


def test_platforms_that_nobody_reads_are_left_out() -> None:
    platforms = [told(SSL, found=(FOUND,)), told(error="no such blob", platform=ARM, packages=None)]
    known = vulnerabilities_of(platforms, WHOLE, BY)
    assert (known.vulnerabilities, known.gaps) == ((FOUND,), ())


def test_each_of_several_images_of_one_platform_is_judged() -> None:
    known = vulnerabilities_of([told(), told(SSL, found=(FOUND,), platform=f"{AMD} 2")], WHOLE, BY)
    assert (known.vulnerabilities, known.gaps) == ((FOUND,), ())


@pytest.mark.parametrize(
    ("platforms", "gap"),
    [
        ((), "nothing tells its packages: its platforms are not known"),
        (
            (ARM, "linux/s390x"),
            "nothing tells its packages: packages.platforms has none of linux/arm64, linux/s390x",
        ),
    ],
)
def test_an_image_without_a_platform_that_is_read_cannot_be_told(platforms: tuple[str, ...], gap: str) -> None:
    known = vulnerabilities_of([told(SSL, platform=each) for each in platforms], WHOLE, BY)
    assert (known.gaps, known.is_pending) == ((gap,), False)


@pytest.mark.parametrize(
    ("values", "gap", "is_pending"),
    [
        ({"packages": None}, "the packages of linux/amd64 are not read yet", True),
        ({"packages": None, "error": "no blob"}, "the packages of linux/amd64 cannot be read: no blob", False),
        ({"by_sbom": Strength.CLAIMED}, "the packages of linux/amd64 are claimed by an SBOM alone", False),
        ({"problems": ("a", "b")}, "not all of the packages of linux/amd64 can be read: a", False),
        (
            {"uncertain": (FOUND,)},
            "whether libssl3t64 3.0.13 has CVE-2026-1 cannot be told from its version",
            False,
        ),
    ],
)
def test_what_is_not_known_of_its_packages_is_told(values: dict[str, Any], gap: str, is_pending: bool) -> None:
    assert gaps(told(SSL, **values)) == ((gap,), is_pending)


def test_what_would_not_block_need_not_be_told_from_a_version() -> None:
    assert gaps(told(SSL, uncertain=(replace(FOUND, severity=Rating.LOW),))) == ((), False)


def _without(publisher: str) -> KeptData:
    return replace(WHOLE, checked_at={key: at for key, at in WHOLE.checked_at.items() if key != publisher})


def _checked(publisher: str, ago: timedelta | None) -> KeptData:
    at = None if ago is None else NOON - ago
    return replace(WHOLE, checked_at={**WHOLE.checked_at, publisher: at})


OLD = "is of 2026-03-08 11:59 UTC, more than 2 days old"


@pytest.mark.parametrize(
    ("package", "publisher", "advice"),
    [
        (SSL, "Ubuntu", "turn on vulnerabilities.ubuntu"),
        (JSON, "NuGet", "turn on vulnerabilities.nuget"),
        (RUNTIME, DOTNET, "turn on feeds.dotnet_releases"),
    ],
)
def test_data_that_is_missing_or_old_is_told_with_whose_it_is(
    package: Package, publisher: str, advice: str
) -> None:
    platform = told(package)
    assert gaps(platform, _without(publisher)) == ((f"no CVE data of {publisher} is read ({advice})",), False)
    unread = f"the CVE data of {publisher} was not read yet"
    assert gaps(platform, _checked(publisher, None)) == ((unread,), True)
    assert gaps(platform, _checked(publisher, DAYS)) == ((), False)
    older = _checked(publisher, DAYS + timedelta(minutes=1))
    assert gaps(platform, older) == ((f"the CVE data of {publisher} {OLD}",), False)


def test_data_of_what_an_image_does_not_hold_is_not_missed() -> None:
    for package, publishers in (
        (SSL, ("NuGet", DOTNET)),
        (JSON, ("Ubuntu", DOTNET)),
        (RUNTIME, ("Ubuntu", "NuGet")),
    ):
        for publisher in publishers:
            assert gaps(told(package), _without(publisher)) == ((), False)


def test_of_data_that_is_old_or_kept_as_a_whole_it_is_not_told_what_was_not_looked_for() -> None:
    unknown = told(replace(SSL, name="libnew", source="new"))
    older, _ = gaps(unknown, _checked("Ubuntu", DAYS + timedelta(minutes=1)))
    assert older == (f"the CVE data of Ubuntu {OLD}",)
    assert gaps(unknown, replace(WHOLE, considered={})) == ((), False)


@pytest.mark.parametrize(
    ("platform", "what"),
    [
        (
            told(replace(SSL, name="libnew", source="new"), replace(SSL, name="libnewer", source="new"), SSL),
            "2 packages",
        ),
        (told(SSL, distribution=Distribution("ubuntu", "25.10")), "Ubuntu:25.10"),
    ],
)
def test_what_data_was_not_looked_through_for_yet_is_about_to_be(platform: ToldPlatform, what: str) -> None:
    gap = f"the CVE data of Ubuntu was not looked through yet for {what} that nothing had before"
    assert gaps(platform) == ((gap,), True)


def test_a_release_of_which_the_data_says_nothing_cannot_be_told() -> None:
    untold = replace(WHOLE, untold=frozenset({"Ubuntu:24.04"}))
    assert gaps(told(SSL), untold) == (("the CVE data of Ubuntu tells of nothing in Ubuntu:24.04",), False)


def test_where_an_api_is_asked_each_version_is_to_be_asked_about() -> None:
    considered = {"Ubuntu": (frozenset({"Ubuntu:24.04"}), frozenset({"openssl", "libssl3t64", "json"}))}
    asked = replace(
        WHOLE, considered=considered, asked={"Ubuntu": frozenset({("Ubuntu:24.04", "openssl", "3.0.13")})}
    )
    assert gaps(told(SSL), asked) == ((), False)
    newer = told(replace(SSL, source_version="3.0.14"))
    gap = "the CVE data of Ubuntu was not looked through yet for 1 package that nothing had before"
    assert gaps(newer, asked) == ((gap,), True)
    of_another_type = told(SSL, Package("apk", "json", "1"))
    assert gaps(of_another_type, asked) == ((), False), "Ubuntu's is asked about Debian's packages alone"


def test_a_distribution_or_a_type_of_packages_without_data_cannot_be_told() -> None:
    fedora = told(SSL, distribution=Distribution("fedora", "42"))
    assert gaps(fedora) == (("no CVE data is read of fedora 42",), False)
    assert gaps(told(SSL, distribution=None)) == (("no CVE data is read of an unknown distribution",), False)
    others = told(Package("pypi", "django", "1"), Package("npm", "left-pad", "1"), Package("", "named", "1"))
    assert gaps(others) == (("no CVE data is read of packages of the type npm and pypi",), False)
    assert gaps(told(Package("", "named", "1"))) == ((), False)


def test_records_that_cannot_be_read_are_told_with_the_packages_that_they_name_and_the_image_before_had_not() -> (
    None
):
    zlib = replace(SSL, name="zlib1g", source="zlib")
    unread = replace(
        WHOLE,
        considered={},
        unread=frozenset({("Ubuntu:24.04", "openssl"), ("Ubuntu:24.04", "zlib1g"), ("Ubuntu:22.04", "bash")}),
    )
    of_both = "CVE data of Ubuntu about libssl3t64, zlib1g cannot be read (`freshness-bot status` says why)"
    bash = replace(SSL, name="bash", source="bash")
    assert gaps(told(zlib, SSL, bash), unread) == ((of_both,), False)
    had = replace(BY, had={(SSL.name, SSL.version)})
    [of_one], _ = gaps(told(zlib, SSL), unread, had)
    assert of_one.startswith("CVE data of Ubuntu about zlib1g cannot")
    of_nuget = replace(WHOLE, unread=frozenset({("", "newtonsoft.json")}))
    [of_library], _ = gaps(told(JSON), of_nuget)
    assert of_library.startswith("CVE data of NuGet about Newtonsoft.Json cannot")


def test_publishers_of_what_it_holds_whose_records_name_nothing_are_told_beside_the_answer() -> None:
    illegible = replace(WHOLE, illegible=frozenset({"Ubuntu", "NuGet", "Debian"}))

    def notes(*packages: Package, **values: Any) -> list[str]:
        known = vulnerabilities_of([told(*packages, **values), told(*packages, **values)], illegible, BY)
        return [each.removeprefix("some CVE data of ").partition(" ")[0] for each in known.notes]

    assert notes(SSL, JSON) == ["NuGet", "Ubuntu"]
    assert notes(SSL) == ["Ubuntu"]
    assert notes(JSON, distribution=None) == ["NuGet"]
    assert notes(packages=None) == ["Ubuntu"]


def gaps_of_fleet(
    data: KeptData, *nuget: str, distributions: tuple[Distribution | None, ...] = ()
) -> tuple[str, ...]:
    return gaps_of_data(FleetHoldings(distributions, nuget), data, DAYS, NOON)


def test_of_a_fleet_each_gap_of_what_it_holds_is_told_once_and_in_order() -> None:
    nothing = KeptData({})
    of_ubuntu = "no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)"
    of_nuget = "no CVE data of NuGet is read (turn on vulnerabilities.nuget)"
    of_dotnet = f"no CVE data of {DOTNET} is read (turn on feeds.dotnet_releases)"
    both = (Distribution("ubuntu", "22.04"), NOBLE)
    assert gaps_of_fleet(nothing, RUNTIME.name, JSON.name, distributions=both) == (of_dotnet, of_nuget, of_ubuntu)
    assert gaps_of_fleet(nothing, RUNTIME.name) == (of_dotnet,)
    assert gaps_of_fleet(nothing, JSON.name) == (of_nuget,)
    assert gaps_of_fleet(nothing) == ()
    assert gaps_of_fleet(nothing, distributions=(None,)) == ("no CVE data is read of an unknown distribution",)


def test_of_a_fleet_records_that_cannot_be_read_are_told_where_it_has_such_packages() -> None:
    unread = frozenset({("Ubuntu:24.04", "zlib"), ("Ubuntu:24.04", "bash"), ("", "json"), ("Debian:12", "bash")})
    data = replace(WHOLE, unread=unread)
    of_ubuntu = "CVE data of Ubuntu about bash, zlib cannot be read (`freshness-bot status` says why)"
    of_nuget = "CVE data of NuGet about json cannot be read (`freshness-bot status` says why)"
    assert gaps_of_fleet(data, distributions=(NOBLE, None))[0] == of_ubuntu
    assert gaps_of_fleet(data, distributions=(NOBLE,)) == (of_ubuntu,)
    assert gaps_of_fleet(data, JSON.name) == (of_nuget,)
    assert gaps_of_fleet(data) == ()


REPORTED = replace(FOUND, id="CVE-2026-2")
UNRATED = replace(FOUND, id="CVE-2026-3", severity=Rating.UNKNOWN)
KNOWN = ImageVulnerabilities((FOUND,), notes=("a note",))
LACKING = replace(KNOWN, gaps=("not read yet",), is_pending=True)


def report(*gaps_of_it: str, age: timedelta = timedelta()) -> KeptReport:
    what = Report((REPORTED,), gaps=gaps_of_it, unrated=(UNRATED,))
    return KeptReport(ScanReport("sha256:d", ReportOrigin.FILE, "r.json", what), NOON - age)


def test_what_scanners_found_is_added_and_says_nothing_of_what_they_did_not_find() -> None:
    for contents in (KNOWN, LACKING):
        added = with_reports(contents, [report("no operating system")], ReportUse.ADD, BY)
        assert added == replace(contents, vulnerabilities=(FOUND, REPORTED))


def test_a_report_that_answers_takes_the_place_of_what_is_not_known() -> None:
    answered = with_reports(LACKING, [report()], ReportUse.ENOUGH, BY)
    assert answered == ImageVulnerabilities((FOUND, REPORTED), unrated=(UNRATED,))
    assert with_reports(KNOWN, [report()], ReportUse.ENOUGH, BY).unrated == ()


def test_a_report_that_answers_not_all_leaves_both_to_be_told() -> None:
    both = with_reports(LACKING, [report("no operating system")], ReportUse.ENOUGH, BY)
    assert both.gaps == ("not read yet", "the scanner's report r.json: no operating system")
    assert (both.vulnerabilities, both.is_pending, both.unrated) == ((FOUND, REPORTED), True, (UNRATED,))
    assert with_reports(KNOWN, [report("no operating system")], ReportUse.ENOUGH, BY).gaps == ()
    assert with_reports(LACKING, [], ReportUse.ENOUGH, BY) == LACKING


def test_a_report_that_must_be_there_is_missed_where_it_is_not() -> None:
    required = with_reports(LACKING, [], ReportUse.REQUIRE, BY)
    assert required.gaps == ("no scanner has reported of this digest", "not read yet")
    there = with_reports(KNOWN, [report()], ReportUse.REQUIRE, BY)
    assert (there.gaps, there.vulnerabilities, there.unrated) == ((), (FOUND, REPORTED), (UNRATED,))


def test_a_report_is_old_once_it_is_older_than_it_may_be_and_the_last_counts() -> None:
    def of(*ages: timedelta) -> tuple[str, ...]:
        return with_reports(KNOWN, [report(age=age) for age in ages], ReportUse.REQUIRE, BY).gaps

    assert of(DAYS) == ()
    assert of(DAYS + timedelta(minutes=1)) == (f"the scanner's report r.json {OLD}",)
    assert of(timedelta(), 9 * DAYS) == ()


def test_reports_that_are_damaged_are_gaps() -> None:
    assert with_damaged(LACKING, ["trivy of 2026-03-01"]).gaps == (
        "not read yet",
        "a scanner's report (trivy of 2026-03-01) is damaged in the store; import it again",
    )


AZURE = Distribution("azurelinux", "3.0")
ZLIB = Package("rpm", "zlib", "1.3.1-1.azl3", "x86_64", "zlib", "1.3.1-1.azl3")
LOOKED = (frozenset({"Azure Linux:3"}), frozenset({"zlib"}))
OVAL, OSV = "Azure Linux 3 OVAL", "Azure Linux"
STOOD_STILL = NOON - timedelta(days=15)
OSV_IS_SILENT = f"the OSV data of Azure Linux has told nothing new since {STOOD_STILL:%Y-%m-%d}"
OVAL_IS_SILENT = f"the OVAL of Azure Linux 3 has told nothing new since {STOOD_STILL:%Y-%m-%d}"


def of_azure(checked_at: dict[str, Any], **values: Any) -> ImageVulnerabilities:
    data = KeptData(checked_at, dict.fromkeys(checked_at, LOOKED), **values)
    return vulnerabilities_of([told(ZLIB, distribution=AZURE)], data, BY)


@pytest.mark.parametrize(
    ("checked_at", "newest_at", "gaps", "notes"),
    [
        ({OVAL: NOON, OSV: NOON}, {OVAL: NOON, OSV: NOON}, (), ()),
        ({OVAL: NOON, OSV: NOON}, {OVAL: NOON, OSV: STOOD_STILL}, (), (OSV_IS_SILENT,)),
        ({OVAL: NOON, OSV: NOON}, {OVAL: STOOD_STILL, OSV: NOON}, (), (OVAL_IS_SILENT,)),
        ({OVAL: NOON, OSV: NOON}, {OVAL: STOOD_STILL, OSV: STOOD_STILL}, (OVAL_IS_SILENT, OSV_IS_SILENT), ()),
        ({OSV: NOON}, {OSV: STOOD_STILL}, (OSV_IS_SILENT,), ()),
        ({OVAL: NOON}, {OVAL: NOON}, (), ()),
        ({OVAL: NOON}, {}, (), ()),
        (
            {"Azure Linux 2 OVAL": NOON},
            {},
            ("no CVE data of Azure Linux is read (turn on vulnerabilities.azure_linux)",),
            (),
        ),
    ],
)
def test_one_publication_that_goes_on_is_enough_and_one_that_stands_still_is_told_beside_it(
    checked_at: dict[str, Any], newest_at: dict[str, Any], gaps: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    found = of_azure(checked_at, newest_at=newest_at)
    assert (found.gaps, found.notes, found.is_pending) == (gaps, notes, False)


def test_a_release_that_one_publication_does_not_tell_of_is_known_by_the_other() -> None:
    untold = frozenset({"Azure Linux:3"})
    assert of_azure({OVAL: NOON, OSV: NOON}, untold=untold).gaps == ()
    assert of_azure({OSV: NOON}, untold=untold).gaps == (
        "the CVE data of Azure Linux tells of nothing in Azure Linux:3",
    )


def test_what_was_not_looked_through_yet_is_pending_where_no_publication_was() -> None:
    data = KeptData({OVAL: None, OSV: NOON}, {OSV: LOOKED})
    other = replace(ZLIB, name="curl", source="curl")
    assert vulnerabilities_of([told(ZLIB, distribution=AZURE)], data, BY).gaps == ()
    found = vulnerabilities_of([told(other, distribution=AZURE)], data, BY)
    assert (len(found.gaps), found.is_pending) == (2, True)


def test_what_dotnet_has_told_nothing_new_of_for_longer_than_ever_cannot_be_told() -> None:
    silent = replace(WHOLE, newest_at={"dotnet-index": NOON - timedelta(days=64)})
    assert gaps(told(RUNTIME), silent) == (
        (".NET's releases-index.json has told nothing new since 2026-01-05",),
        False,
    )
    assert gaps(told(SSL), silent) == ((), False)
    assert gaps(told(RUNTIME), replace(WHOLE, newest_at={"dotnet-index": NOON - timedelta(days=63)})) == ((), False)
    held = FleetHoldings((AZURE, NOBLE), ("Microsoft.NETCore.App",))
    assert gaps_of_data(held, silent, DAYS, NOON) == (
        ".NET's releases-index.json has told nothing new since 2026-01-05",
        "no CVE data of Azure Linux is read (turn on vulnerabilities.azure_linux)",
    )
