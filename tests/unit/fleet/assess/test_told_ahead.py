"""A fix counts as soon as any source tells of it, is joined by the release feed, and goes with what told it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Evidence, Release, Severity
from bot.fleet.assess.assess import assess, reassess
from bot.upstream.dotnet.fixing import AHEAD
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import release, seen

PATCH_DAY = datetime(2026, 3, 12, 17, 0, tzinfo=UTC)
LATER = PATCH_DAY + timedelta(minutes=70)
CVE = "CVE-2026-26130"
BEFORE = release("10.0.3", sdks="10.0.103", at=PATCH_DAY - timedelta(days=28))
LISTED = release("10.0.4", CVE, sdks="10.0.104", at=LATER)


def told(*fixed: str, cve: str = CVE, source: str = "msrc", families: frozenset[str] = frozenset()) -> Advisory:
    proof = Evidence(source, f"2026-Mar {cve}", PATCH_DAY)
    return Advisory(cve, severity=Severity.HIGH, families=families, fixed_versions=fixed, evidence=(proof,))


def moved(
    *advisories: Advisory, of: str = "aspnet:10.0", versions: tuple[str, str] = ("10.0.3", "10.0.4")
) -> Change:
    """The change as it was found on the patch day, before `releases.json` lists 10.0.4."""
    before, after = _seen(of, versions)
    known = {each.cve: each for each in advisories}
    return assess(before, after, ReleaseIndex([BEFORE, LISTED]), known, PATCH_DAY)


def _seen(of: str, versions: tuple[str, str]) -> tuple[Observation, Observation]:
    old, new = versions
    return seen("1", version=old, of=of, at=BEFORE.published_at), seen("2", version=new, of=of, at=PATCH_DAY)


def again(
    change: Change, *releases: Release, told_by: tuple[Advisory, ...] = (), at: datetime = LATER
) -> Change | None:
    return reassess(change, ReleaseIndex([BEFORE, *releases]), {each.cve: each for each in told_by}, at)


def test_what_msrc_alone_names_is_security_at_once_and_says_who_tells_it() -> None:
    change = moved(told("10.0.4"))
    assert (change.cause, change.cves, change.severity) == (Cause.DOTNET_SECURITY, (CVE,), Severity.HIGH)
    assert change.detail == (
        ".NET 10.0.3 → 10.0.4 fixes 1 CVE (worst: HIGH), told by MSRC, not yet by releases.json"
    )
    assert Evidence(AHEAD, f"{CVE}: told by MSRC, not yet by 10.0/releases.json", PATCH_DAY) in change.evidence


def test_it_is_joined_when_the_release_feed_catches_up() -> None:
    advisory = told("10.0.4")
    change = again(moved(advisory), LISTED, told_by=(advisory,))
    assert change is not None
    assert (change.cause, change.cves) == (Cause.DOTNET_SECURITY, (CVE,))
    assert change.detail == ".NET 10.0.3 → 10.0.4 fixes 1 CVE (worst: HIGH)"
    assert AHEAD not in {row.source for row in change.evidence}
    assert "10.0/releases.json" in {row.source for row in change.evidence}
    assert again(change, LISTED, told_by=(advisory,)) is None


def test_it_is_told_when_msrc_comes_after_the_move_and_before_the_release_feed() -> None:
    unknown = moved()
    assert unknown.cause is Cause.DOTNET_UNKNOWN
    change = again(unknown, told_by=(told("10.0.4"),), at=PATCH_DAY)
    assert change is not None
    assert (change.cause, change.cause_at_detection) == (Cause.DOTNET_SECURITY, Cause.DOTNET_UNKNOWN)


def test_of_several_cves_those_that_the_feed_lists_are_told_apart() -> None:
    other = told("10.0.4", cve="CVE-2026-1", source="github")
    change = assess(
        *_seen("aspnet:10.0", ("10.0.3", "10.0.4")), ReleaseIndex([BEFORE, LISTED]), {"CVE-2026-1": other}, LATER
    )
    assert change.cves == (CVE, "CVE-2026-1")
    assert "1 of them told by GitHub, not yet by releases.json" in change.detail


def test_several_sources_of_one_cve_are_one_fix() -> None:
    both = replace(told("10.0.4"), evidence=(*told("10.0.4").evidence, Evidence("github", "GHSA", PATCH_DAY)))
    change = moved(both)
    assert change.cves == (CVE,)
    assert "told by MSRC and GitHub" in change.detail


@pytest.mark.parametrize("fixed", [(), ("10.0.5",), ("10.0.3",), ("9.0.14",), ("10.0.104",)])
def test_a_fix_that_is_not_between_the_two_versions_is_none_of_theirs(fixed: tuple[str, ...]) -> None:
    assert moved(told(*fixed)).cause is Cause.DOTNET_UNKNOWN


def test_a_cve_that_the_feed_lists_for_another_release_is_not_told_ahead() -> None:
    earlier = replace(BEFORE, cves=(CVE,), security=True, cves_listed_at=BEFORE.published_at)
    before, after = _seen("aspnet:10.0", ("10.0.3", "10.0.4"))
    change = assess(before, after, ReleaseIndex([earlier]), {CVE: told("10.0.3", "10.0.4")}, PATCH_DAY)
    assert (change.cause, change.cves) == (Cause.DOTNET_UNKNOWN, ())


@pytest.mark.parametrize("fixed", ["10.0.104", "10.0.4"])
def test_an_sdk_that_the_feed_does_not_list_has_what_is_fixed_in_a_release_that_it_does_not_list(
    fixed: str,
) -> None:
    change = moved(told(fixed), of="sdk:10.0", versions=("10.0.103", "10.0.104"))
    assert (change.cause, change.cves) == (Cause.DOTNET_SECURITY, (CVE,))


def test_an_sdk_of_another_band_and_a_runtime_that_is_listed_say_nothing_of_an_sdk() -> None:
    versions = ("10.0.103", "10.0.104")
    assert moved(told("10.0.204"), of="sdk:10.0", versions=versions).cause is Cause.DOTNET_UNKNOWN
    assert moved(told("10.0.3"), of="sdk:10.0", versions=versions).cause is Cause.DOTNET_UNKNOWN


def test_what_only_an_advisory_told_goes_when_that_is_taken_back_and_is_told() -> None:
    change = again(moved(told("10.0.4")))
    assert change is not None
    assert (change.cause, change.cves, change.severity) == (Cause.DOTNET_UNKNOWN, (), None)
    assert change.detail == f".NET 10.0.3 → 10.0.4, which no feed lists yet, after {CVE} was taken back"
    assert Evidence("taken back", CVE, LATER) in change.evidence


def test_a_release_that_its_feed_takes_back_leaves_no_cve_of_its_own() -> None:
    before, after = _seen("aspnet:10.0", ("10.0.3", "10.0.4"))
    change = assess(before, after, ReleaseIndex([BEFORE, LISTED]), {}, LATER)
    at = LATER + timedelta(days=1)
    corrected = again(change, replace(LISTED, taken_back_at=at), at=at)
    assert corrected is not None
    assert (corrected.cause, corrected.cves) == (Cause.DOTNET_UNKNOWN, ())
    assert corrected.detail.endswith("after 10.0.4 was taken back")
    assert again(corrected, replace(LISTED, taken_back_at=at), at=at) is None


def test_a_cve_that_a_release_lists_no_more_leaves_the_others() -> None:
    both = replace(LISTED, cves=(CVE, "CVE-2026-2"))
    before, after = _seen("aspnet:10.0", ("10.0.3", "10.0.4"))
    change = assess(before, after, ReleaseIndex([BEFORE, both]), {}, LATER)
    corrected = again(change, LISTED)
    assert corrected is not None
    assert corrected.cves == (CVE,)
    assert corrected.detail == ".NET 10.0.3 → 10.0.4 fixes 1 CVE, after CVE-2026-2 was taken back"


def test_a_release_that_does_not_say_whether_it_fixes_something_is_no_release_without_cves() -> None:
    silent = replace(LISTED, cves=(), security=False, cves_listed_at=None, unread=("security",))
    before, after = _seen("aspnet:10.0", ("10.0.3", "10.0.4"))
    change = assess(before, after, ReleaseIndex([BEFORE, silent]), {}, LATER)
    assert change.cause is Cause.DOTNET_UNKNOWN
    assert change.detail.endswith("of which releases.json does not say what it fixes")


def test_a_release_that_was_taken_back_is_shown_as_it_was_before_that() -> None:
    index = ReleaseIndex([BEFORE, replace(LISTED, taken_back_at=LATER + timedelta(days=1))])
    assert index.release_of("aspnet", "10.0.4", LATER) is not None
    assert index.release_of("aspnet", "10.0.4") is None
    assert [each.version for each in index.of_channel("10.0")] == ["10.0.3"]


def test_an_advisory_that_nobody_proves_was_read_at_no_known_time() -> None:
    change = moved(Advisory(CVE, fixed_versions=("10.0.4",)))
    never = datetime.min.replace(tzinfo=UTC)
    assert Evidence(AHEAD, f"{CVE}: told by an advisory, not yet by 10.0/releases.json", never) in change.evidence


def test_a_fix_told_ahead_was_read_when_the_last_of_its_sources_was() -> None:
    late = Evidence("github", "GHSA", PATCH_DAY + timedelta(hours=1))
    both = replace(told("10.0.4"), evidence=(*told("10.0.4").evidence, late))
    [row] = [row for row in moved(both).evidence if row.source == AHEAD]
    assert (row.source, row.seen_at) == ("told ahead", late.seen_at)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("msrc", "MSRC"),
        ("dotnet-cve", "cve.json"),
        ("github", "GitHub"),
        ("dotnet-announcements", "the .NET announcements"),
        ("dotnet-docker", "the image announcements"),
        ("somebody", "somebody"),
    ],
)
def test_each_source_is_told_by_the_name_that_people_know(source: str, name: str) -> None:
    change = moved(told("10.0.4", source=source))
    assert change.detail.endswith(f"fixes 1 CVE (worst: HIGH), told by {name}, not yet by releases.json")


def test_three_sources_are_told_with_commas() -> None:
    rows = tuple(Evidence(source, "x", PATCH_DAY) for source in ("msrc", "github", "dotnet-cve"))
    change = moved(replace(told("10.0.4"), evidence=rows))
    assert "told by MSRC, GitHub and cve.json, not yet" in change.detail


def test_the_hundredth_patch_is_the_first_of_an_sdk() -> None:
    """It says nothing of a runtime."""
    assert moved(told("10.0.100"), versions=("10.0.3", "10.0.101")).cause is Cause.DOTNET_UNKNOWN


@pytest.mark.parametrize("versions", [("odd", "10.0.4"), ("10.0.3", "odd")])
def test_nothing_is_told_ahead_of_what_is_no_version(versions: tuple[str, str]) -> None:
    assert moved(told("10.0.4"), versions=versions).cves == ()


def test_a_step_back_to_another_channel_opens_nothing_that_is_told_ahead() -> None:
    change = moved(told("10.0.4"), of="aspnet:latest", versions=("10.0.4", "9.0.3"))
    assert (change.cause, change.reopens) == (Cause.ROLLBACK, ())
    assert moved(told("10.0.4"), versions=("10.0.4", "10.0.3")).reopens == (CVE,)


def test_an_sdk_that_the_feed_lists_lacks_what_is_fixed_in_a_later_release() -> None:
    later = told("10.0.5", cve="CVE-2026-1")
    known = {later.cve: later}
    assert assess(
        *_seen("sdk:10.0", ("10.0.103", "10.0.104")), ReleaseIndex([BEFORE, LISTED]), known, LATER
    ).cves == (CVE,)
    assert assess(*_seen("aspnet:10.0", ("10.0.3", "10.0.4")), ReleaseIndex([BEFORE]), known, LATER).cves == ()


def test_what_is_fixed_in_a_later_channel_says_nothing_of_this_one() -> None:
    change = moved(told("11.0.1"), of="sdk:10.0", versions=("10.0.103", "10.0.104"))
    assert (change.cause, change.cves) == (Cause.DOTNET_UNKNOWN, ())


def test_a_version_that_cannot_be_read_hides_no_other_of_an_advisory() -> None:
    assert moved(told("soon", "10.0.4")).cves == (CVE,)


def test_what_is_fixed_in_another_band_of_an_sdk_says_nothing_of_a_move_beyond_it() -> None:
    assert moved(told("10.0.104"), of="sdk:10.0", versions=("10.0.103", "10.0.201")).cves == ()
