from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.reference import Base
from bot.upstream.dotnet.releases import Fixes, ReleaseIndex, family_name
from tests.unit.fleet.assess.world import DAY, release

HOUR = timedelta(hours=1)
SEVEN = ReleaseIndex(
    [
        release("7.0.2", "CVE-2023-0002", sdks="7.0.102"),
        release("7.0.3", "CVE-2023-0003", sdks="7.0.201 7.0.200 7.0.103"),
        release("7.0.4", sdks="7.0.202 7.0.104"),
        release("7.0.5", "CVE-2023-0005", sdks="7.0.302 7.0.203 7.0.105"),
    ]
)


def test_skipped_releases_count_too() -> None:
    fixes = SEVEN.fixed_between("aspnet", "7.0.1", "7.0.5")
    assert fixes.cves == ("CVE-2023-0002", "CVE-2023-0003", "CVE-2023-0005")
    assert [proof.locator for proof in fixes.evidence] == [
        "release 7.0.2: CVE-2023-0002",
        "release 7.0.3: CVE-2023-0003",
        "release 7.0.4",
        "release 7.0.5: CVE-2023-0005",
    ]


@pytest.mark.parametrize(("family", "cves"), [("aspnet", ("CVE-2024-0001",)), ("runtime", ())])
def test_each_family_is_told_by_its_own_version(family: str, cves: tuple[str, ...]) -> None:
    """ASP.NET Core was released again under a version of its own."""
    again = replace(release("8.0.1", "CVE-2024-0001"), aspnetcore="8.0.2")
    assert ReleaseIndex([release("8.0.0"), again]).fixed_between(family, "8.0.1", "8.0.2").cves == cves


def test_a_cve_of_two_releases_is_named_once() -> None:
    index = ReleaseIndex([release("8.0.1", "CVE-2024-0001"), release("8.0.2", "CVE-2024-0002", "CVE-2024-0001")])
    assert index.fixed_between("runtime", "8.0.0", "8.0.2").cves == ("CVE-2024-0001", "CVE-2024-0002")


@pytest.mark.parametrize(
    ("old", "new", "cves"),
    [
        pytest.param("7.0.102", "7.0.103", ("CVE-2023-0003",), id="same band"),
        pytest.param("7.0.103", "7.0.201", (), id="another band of the same release"),
        pytest.param("7.0.103", "7.0.202", (), id="another band, a later release without CVEs"),
        pytest.param("7.0.203", "7.0.302", (), id="two bands of one release"),
        pytest.param("7.0.102", "7.0.302", ("CVE-2023-0003", "CVE-2023-0005"), id="releases and bands skipped"),
        pytest.param("7.0.101", "7.0.102", ("CVE-2023-0002",), id="from an SDK that the feed no longer lists"),
        pytest.param("7.0.302", "7.0.102", (), id="a step back"),
    ],
)
def test_sdk_versions_lead_to_the_releases_that_they_ship(old: str, new: str, cves: tuple[str, ...]) -> None:
    assert SEVEN.fixed_between("sdk", old, new).cves == cves


def test_an_sdk_of_an_ended_band_does_not_hold_later_releases() -> None:
    index = ReleaseIndex(
        [
            release("8.0.6", sdks="8.0.302 8.0.206 8.0.106"),
            release("8.0.8", "CVE-2024-0008", sdks="8.0.400 8.0.304 8.0.108"),
        ]
    )
    assert index.fixed_between("sdk", "8.0.206", "8.0.400").cves == ("CVE-2024-0008",)


def test_the_final_version_follows_its_candidates() -> None:
    index = ReleaseIndex(
        [
            release("11.0.0-rc.2", sdks="11.0.100-rc.2.26502.1", runtime="11.0.0-rc.2.26480.5"),
            release("11.0.0", "CVE-2026-0001", sdks="11.0.100"),
        ]
    )
    assert index.fixed_between("sdk", "11.0.100-rc.2", "11.0.100").cves == ("CVE-2026-0001",)
    assert index.fixed_between("runtime", "11.0.0-rc.1", "11.0.0-rc.2").listed


def test_another_channel_fixes_nothing_that_can_be_told() -> None:
    assert SEVEN.fixed_between("aspnet", "6.0.1", "7.0.5").cves == ()


def test_only_what_the_feed_had_shown_by_then_is_known() -> None:
    index = ReleaseIndex([release("8.0.1", "CVE-2024-0001", at=DAY, listed=DAY + 2 * HOUR)])
    before = index.fixed_between("aspnet", "8.0.0", "8.0.1", DAY - HOUR)
    listed = index.fixed_between("aspnet", "8.0.0", "8.0.1", DAY)
    caught_up = index.fixed_between("aspnet", "8.0.0", "8.0.1", DAY + 2 * HOUR)
    assert [(found.listed, found.cves) for found in (before, listed, caught_up)] == [
        (False, ()),
        (True, ()),
        (True, ("CVE-2024-0001",)),
    ]


def test_the_evidence_names_document_row_and_time() -> None:
    index = ReleaseIndex([release("8.0.1", "CVE-2024-0001", at=DAY, listed=DAY + HOUR)])
    (row,) = index.fixed_between("aspnet", "8.0.0", "8.0.1").evidence
    assert (row.source, row.locator, row.seen_at) == (
        "8.0/releases.json",
        "release 8.0.1: CVE-2024-0001",
        DAY + HOUR,
    )


def test_a_release_that_is_read_again_replaces_its_earlier_row() -> None:
    index = ReleaseIndex([release("8.0.1"), release("8.0.1", "CVE-2024-0001")])
    assert index.fixed_between("aspnet", "8.0.0", "8.0.1").cves == ("CVE-2024-0001",)


def test_a_security_release_without_a_listed_cve_is_flagged() -> None:
    index = ReleaseIndex([release("8.0.1", security=True)])
    assert index.fixed_between("aspnet", "8.0.0", "8.0.1").flagged


def test_moments_tell_when_to_look_again() -> None:
    index = ReleaseIndex([release("8.0.1", "CVE-2024-0001", at=DAY, listed=DAY + HOUR), release("9.0.1", at=DAY)])
    assert index.moments() == ((DAY, "8.0"), (DAY, "9.0"), (DAY + HOUR, "8.0"))


def test_cves_without_a_time_of_their_own_came_with_the_release() -> None:
    index = ReleaseIndex([replace(release("8.0.1", "CVE-2024-0001"), cves_listed_at=None)])
    assert index.fixed_between("aspnet", "8.0.0", "8.0.1", DAY).cves == ("CVE-2024-0001",)


def test_questions_between_two_moments_of_the_feed_are_one_question() -> None:
    index = ReleaseIndex([release("8.0.1", at=DAY), release("8.0.2", at=DAY + HOUR)])
    early, late = (index.fixed_between("aspnet", "8.0.0", "8.0.1", DAY + HOUR * part) for part in (0, 0.9))
    assert early is late


TAKEN_BACK = ReleaseIndex(
    [
        release("8.0.1", "CVE-2024-0001"),
        replace(release("8.0.2", "CVE-2024-0002"), taken_back_at=DAY + 2 * HOUR),
        release("8.0.3", "CVE-2024-0003", at=DAY + HOUR, listed=DAY + 3 * HOUR),
    ]
)


def test_a_release_that_the_feed_has_taken_back_fixes_nothing_any_more() -> None:
    """What came with 8.0.2 alone is fixed from its publication until it was taken back."""
    one, two, three = (f"CVE-2024-000{number}" for number in (1, 2, 3))
    assert TAKEN_BACK.cves_of("8.0", DAY - HOUR) == frozenset()
    assert TAKEN_BACK.cves_of("8.0", DAY) == {one, two}
    assert TAKEN_BACK.cves_of("8.0", DAY + 2 * HOUR) == {one}
    assert TAKEN_BACK.cves_of("8.0", DAY + 3 * HOUR) == {one, three}
    assert TAKEN_BACK.cves_of("9.0", DAY + 3 * HOUR) == frozenset()
    assert [each.version for each in TAKEN_BACK.of_channel("8.0")] == ["8.0.1", "8.0.3"]
    before, after = (TAKEN_BACK.fixed_between("aspnet", "8.0.0", "8.0.2", DAY + part * HOUR) for part in (1, 2))
    assert (before.cves, before.listed, before.taken_back) == ((one, two), True, ())
    assert (after.cves, after.listed, after.taken_back) == ((one,), False, ("8.0.2",))


def test_the_newest_runtime_is_that_of_the_newest_release_that_the_feed_shows() -> None:
    newest = [TAKEN_BACK.newest_runtime("8.0", DAY + part * HOUR) for part in (-1, 0, 2)]
    assert newest == [None, DotnetVersion.parse("8.0.2"), DotnetVersion.parse("8.0.3")]


@pytest.mark.parametrize("text", [None, "odd"])
def test_a_text_that_is_no_version_has_no_release_lacks_none_and_fixes_nothing(text: str | None) -> None:
    listed = release("8.0.1", "CVE-2024-0001")
    index = ReleaseIndex([listed])
    assert index.release_of("aspnet", text) is None
    assert not index.is_missing("aspnet", text, listed)
    assert index.fixed_between("aspnet", "8.0.0", text) == index.fixed_between("aspnet", text, text) == Fixes(False)
    assert index.fixed_between("aspnet", text, "8.0.1") == Fixes(True)


def test_an_image_lacks_the_later_releases_of_its_channel_alone() -> None:
    index = ReleaseIndex([])
    assert index.is_missing("aspnet", "8.0.0", release("8.0.1"))
    assert not index.is_missing("aspnet", "8.0.1", release("8.0.1"))
    assert not index.is_missing("aspnet", "8.0.0", release("9.0.1"))
    assert not index.is_missing("aspnet", "8.0.0", replace(release("8.0.1"), version="odd", runtime="odd"))


def test_a_channel_ends_on_the_day_that_its_newest_release_says() -> None:
    ends = DAY.date()
    over = replace(release("8.0.2"), end_of_life=ends)
    index = ReleaseIndex(
        [release("8.0.1"), over, replace(release("9.0.1"), support_phase="eol"), release("10.0.1")]
    )
    midnight = DAY.replace(hour=0)
    assert [index.ends(channel) for channel in ("8.0", "9.0", "10.0", "11.0", None)] == [midnight, *[None] * 4]
    assert not index.has_ended("8.0", midnight - HOUR)
    assert index.has_ended("8.0", midnight)
    assert index.has_ended("9.0", midnight)
    assert not any(index.has_ended(channel, DAY) for channel in ("10.0", "11.0", None))
    assert index.channels() == ("8.0", "9.0", "10.0")


def test_what_others_tell_ahead_of_the_feed_is_remarked() -> None:
    assert Fixes(True, cves=("A",)).remark == ""
    all_ahead = Fixes(True, cves=("A",), ahead=("A",), told_by="an advisory")
    assert all_ahead.remark == "told by an advisory, not yet by releases.json"
    assert replace(all_ahead, cves=("A", "B")).remark == "1 of them told by an advisory, not yet by releases.json"


AGAIN = replace(release("8.0.1", "CVE-2024-0001"), aspnetcore="8.0.2")


@pytest.mark.parametrize(("family", "version"), [("aspnet", "8.0.2"), ("runtime", "8.0.1"), ("golden", "8.0.1")])
def test_a_release_is_found_by_the_version_of_each_family(family: str, version: str) -> None:
    index = ReleaseIndex([AGAIN])
    found = [each for each in ("8.0.0", "8.0.1", "8.0.2") if index.release_of(family, each) is not None]
    assert found == [version]


def test_the_release_of_a_version_is_evidence_though_it_brings_nothing_new() -> None:
    fixes = SEVEN.fixed_between("sdk", "7.0.103", "7.0.200")
    assert (fixes.listed, [row.locator for row in fixes.evidence]) == (True, ["release 7.0.3: CVE-2023-0003"])


def test_an_image_of_any_name_with_the_first_band_holds_an_sdk() -> None:
    later = release("8.0.8", sdks="8.0.108")
    assert ReleaseIndex([later]).is_missing("golden", "8.0.107", later)
    assert not ReleaseIndex([later]).is_missing("golden", "8.0.108", later)
    assert ReleaseIndex([later]).release_of("golden", "8.0.108") == later


def test_an_sdk_of_a_release_that_names_none_is_compared_with_its_runtime() -> None:
    bare = release("8.0.8")
    assert not ReleaseIndex([bare]).is_missing("sdk", "8.0.108", bare)
    assert ReleaseIndex([bare]).is_missing("runtime", "8.0.7", bare)


def test_a_release_whose_runtime_is_not_told_counts_by_its_own_version() -> None:
    bare = replace(release("8.0.2", "CVE-2024-0002"), runtime=None, aspnetcore=None)
    index = ReleaseIndex([bare])
    assert [index.fixed_between(family, "8.0.1", "8.0.2").cves for family in ("runtime", "aspnet")] == [
        bare.cves
    ] * 2
    assert index.newest_runtime("8.0", DAY) == DotnetVersion.parse("8.0.2")
    other = ReleaseIndex([replace(bare, runtime="8.0.3")])
    assert [other.fixed_between(family, "8.0.2", "8.0.3").cves for family in ("runtime", "aspnet")] == [
        bare.cves
    ] * 2


def test_what_the_feed_does_not_say_of_one_release_between_is_unsaid() -> None:
    silent = replace(release("8.0.1"), unread=("security",))
    index = ReleaseIndex([silent, release("8.0.2")])
    assert index.fixed_between("aspnet", "8.0.0", "8.0.2").unsaid
    assert not index.fixed_between("aspnet", "8.0.1", "8.0.2").unsaid


def test_a_security_release_with_its_cves_is_not_flagged() -> None:
    index = ReleaseIndex([release("8.0.1", "CVE-2024-0001"), release("8.0.2")])
    assert not index.fixed_between("aspnet", "8.0.0", "8.0.2").flagged


def test_evidence_before_its_cves_are_listed_is_that_of_the_release() -> None:
    index = ReleaseIndex([release("8.0.1", "CVE-2024-0001", at=DAY, listed=DAY + HOUR)])
    [row] = index.fixed_between("aspnet", "8.0.0", "8.0.1", DAY).evidence
    assert (row.locator, row.seen_at) == ("release 8.0.1", DAY)


def test_an_index_of_another_document_names_that() -> None:
    index = ReleaseIndex([release("8.0.1")], source="copy.json")
    assert [row.source for row in index.fixed_between("aspnet", "8.0.0", "8.0.1").evidence] == ["8.0/copy.json"]


def test_channels_are_in_the_order_of_their_numbers_and_releases_in_theirs() -> None:
    index = ReleaseIndex([release(version) for version in ("10.0.1", "9.0.10", "9.0.9", "2.1.0")])
    assert index.channels() == ("2.1", "9.0", "10.0")
    assert [each.version for each in index.of_channel("9.0")] == ["9.0.9", "9.0.10"]


def test_a_release_taken_back_is_a_moment_too() -> None:
    assert TAKEN_BACK.moments() == tuple((DAY + hours * HOUR, "8.0") for hours in (0, 1, 2, 3))


def test_answers_for_one_move_are_none_for_another() -> None:
    asked = [
        SEVEN.fixed_between(*each).cves
        for each in (("aspnet", "7.0.1", "7.0.2"), ("aspnet", "7.0.2", "7.0.3"), ("sdk", "7.0.1", "7.0.2"))
    ]
    assert asked[:2] == [("CVE-2023-0002",), ("CVE-2023-0003",)]
    assert SEVEN.fixed_between("aspnet", "7.0.2", "7.0.5").cves == ("CVE-2023-0003", "CVE-2023-0005")
    assert SEVEN.fixed_between("aspnet", "7.0.2", "7.0.5", DAY - HOUR) == Fixes(False)


def test_fixes_that_no_feed_told_are_none() -> None:
    assert Fixes(True) == Fixes(True, False, (), (), False, (), "", ())


def test_a_row_without_a_version_is_of_no_channel() -> None:
    nameless = replace(release("8.0.1"), version="soon", runtime="")
    assert ReleaseIndex([nameless, release("9.0.1")]).channels() == ("9.0",)


def test_a_family_is_called_by_the_last_part_of_its_repository() -> None:
    assert family_name(Base("mcr.microsoft.com", "dotnet/nightly/aspnet", "10.0")) == "aspnet"


def test_an_sdk_is_not_known_by_the_version_of_its_runtime() -> None:
    assert SEVEN.release_of("sdk", "7.0.3") is None
    assert SEVEN.release_of("runtime", "7.0.3") is not None


def test_an_sdk_whose_version_cannot_be_read_hides_no_other() -> None:
    index = ReleaseIndex([release("7.0.2", "CVE-2023-0002", sdks="soon 7.0.102")])
    assert index.fixed_between("sdk", "7.0.101", "7.0.102").cves == ("CVE-2023-0002",)
