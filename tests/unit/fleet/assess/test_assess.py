from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.change import TOLD_BY_FEEDS, Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.fleet.assess.assess import assess, reassess
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, image, release, seen

LATER = DAY + timedelta(hours=2)
FEED = ReleaseIndex([release("8.0.17", "CVE-2025-0001", "CVE-2025-0002", at=LATER)])
NOTHING = ReleaseIndex([])
OLD, NEW = seen("1", version="8.0.16"), seen("2", version="8.0.17")


def advisory(cve: str, severity: Severity, systems: str = "") -> Advisory:
    evidence = (Evidence("msrc", cve, DAY),)
    families = frozenset({"runtime"})
    return Advisory(
        cve, severity=severity, families=families, systems=frozenset(systems.split()), evidence=evidence
    )


def change(
    before: Observation = OLD, after: Observation = NEW, *, feed: ReleaseIndex = FEED, late: bool = True
) -> Change:
    return assess(before, after, feed, {}, LATER if late else DAY)


def test_a_change_says_what_moved_between_what() -> None:
    found = change()
    assert (found.from_digest, found.to_digest) == (OLD.digest, NEW.digest)
    assert (found.from_version, found.to_version) == ("8.0.16", "8.0.17")
    assert found.platforms == ("linux/amd64",)


def test_before_the_feed_lists_a_version_its_cause_is_unknown() -> None:
    found = change(late=False)
    assert (found.cause, found.cves) == (Cause.DOTNET_UNKNOWN, ())


def test_when_the_feed_catches_up_the_cause_follows_and_the_first_one_is_kept() -> None:
    found = reassess(change(late=False), FEED, {}, LATER)
    assert found is not None
    assert (found.cause_at_detection, found.cause) == (Cause.DOTNET_UNKNOWN, Cause.DOTNET_SECURITY)
    assert found.cves == ("CVE-2025-0001", "CVE-2025-0002")
    assert found.detail == ".NET 8.0.16 → 8.0.17 fixes 2 CVEs"


def test_assessing_late_and_assessing_again_conclude_the_same() -> None:
    again, late = reassess(change(late=False), FEED, {}, LATER), change()
    assert again is not None
    assert (again.cause, again.cves, again.detail) == (late.cause, late.cves, late.detail)


def test_a_feed_that_shows_nothing_new_changes_nothing() -> None:
    assert reassess(change(), FEED, {}, LATER + timedelta(days=1)) is None


def test_a_release_that_a_feed_forgets_is_not_forgotten() -> None:
    assert reassess(change(), NOTHING, {}, LATER) is None


def test_an_os_update_is_never_assessed_again() -> None:
    update = change(seen("1", image("1", layers="ab")), seen("2", image("2", layers="cb")))
    assert reassess(update, FEED, {}, LATER) is None


def test_the_worst_relevant_rating_is_the_severity() -> None:
    known = {
        "CVE-2025-0001": advisory("CVE-2025-0001", Severity.HIGH),
        "CVE-2025-0002": advisory("CVE-2025-0002", Severity.CRITICAL, systems="windows"),
    }
    found = assess(OLD, NEW, FEED, known, LATER)
    assert found.severity is Severity.HIGH
    assert found.cves == ("CVE-2025-0001", "CVE-2025-0002")
    assert found.detail == ".NET 8.0.16 → 8.0.17 fixes 2 CVEs (worst: HIGH)"


def test_a_rating_that_comes_later_is_taken_in() -> None:
    known = {"CVE-2025-0001": advisory("CVE-2025-0001", Severity.MODERATE)}
    found = reassess(change(), FEED, known, LATER)
    assert found is not None
    assert found.severity is Severity.MODERATE


def test_the_evidence_names_registry_feed_and_advisory() -> None:
    known = {"CVE-2025-0001": advisory("CVE-2025-0001", Severity.HIGH)}
    found = assess(OLD, NEW, FEED, known, LATER)
    assert [row.source for row in found.evidence] == [str(NEW.base), "8.0/releases.json", "msrc"]
    assert found.evidence[1].locator == "release 8.0.17: CVE-2025-0001, CVE-2025-0002"
    assert found.evidence[2].locator.startswith("CVE-2025-0001 (CVE-2025-0001: relevant, ")


def test_where_sources_contradict_each_other_the_evidence_says_so() -> None:
    told = replace(
        advisory("CVE-2025-0001", Severity.HIGH), disagreements=("score: msrc says 9.9; github says 7.5",)
    )
    row = assess(OLD, NEW, FEED, {"CVE-2025-0001": told}, LATER).evidence[-1]
    assert (row.source, row.locator) == (
        "advisories differ",
        "CVE-2025-0001: score: msrc says 9.9; github says 7.5",
    )


def test_a_cve_leads_to_the_first_address_that_its_advisory_gives() -> None:
    told = replace(advisory("CVE-2025-0001", Severity.HIGH), links=("https://a.example/1", "https://b.example/1"))
    known = {"CVE-2025-0001": told, "CVE-2025-0002": advisory("CVE-2025-0002", Severity.LOW)}
    assert assess(OLD, NEW, FEED, known, LATER).links == (("CVE-2025-0001", "https://a.example/1"),)
    found = reassess(change(late=False), FEED, known, LATER)
    assert found is not None
    assert found.links == (("CVE-2025-0001", "https://a.example/1"),)


def test_a_distribution_that_changed_along_stays_in_the_sentence() -> None:
    before = seen("1", image("1", os="alpine3.21"), version="8.0.16")
    after = seen("2", image("2", os="alpine3.22"), version="8.0.17")
    found = reassess(change(before, after, late=False), FEED, {}, LATER)
    assert found is not None
    assert found.detail == ".NET 8.0.16 → 8.0.17 fixes 2 CVEs; now on alpine3.22 instead of alpine3.21"


def test_a_withdrawal_keeps_the_digest_that_it_had() -> None:
    found = change(OLD, seen(None))
    assert (found.cause, found.from_digest, found.to_digest) == (Cause.WITHDRAWN, OLD.digest, None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(OLD, seen("2", of="sdk:8.0"), id="two bases"),
        pytest.param(seen(None), NEW, id="no digest before"),
        pytest.param(replace(OLD, at=LATER), NEW, id="wrong order"),
    ],
)
def test_what_cannot_be_compared_is_refused(before: Observation, after: Observation) -> None:
    with pytest.raises(ValueError, match=r"aspnet:8\.0"):
        change(before, after)


# What goes back


def test_an_older_version_is_a_rollback_with_the_cves_that_it_opens_again() -> None:
    found = change(NEW, OLD)
    assert (found.cause, found.cves, found.severity) == (Cause.ROLLBACK, (), None)
    assert found.reopens == ("CVE-2025-0001", "CVE-2025-0002")
    assert found.detail == ".NET 8.0.17 → 8.0.16 goes back to an older version and opens 2 CVEs again"


def test_a_rollback_names_the_worst_of_what_concerns_the_image() -> None:
    known = {
        "CVE-2025-0001": advisory("CVE-2025-0001", Severity.CRITICAL),
        "CVE-2025-0002": advisory("CVE-2025-0002", Severity.HIGH, "windows"),
    }
    found = assess(NEW, OLD, FEED, known, LATER)
    assert found.reopens == ("CVE-2025-0001",)
    assert found.detail.endswith("opens 1 CVE again (worst: CRITICAL)")


def test_a_rollback_learns_what_it_opens_again_when_the_feed_catches_up() -> None:
    early = change(NEW, OLD, late=False)
    assert (early.cause, early.reopens) == (Cause.ROLLBACK, ())
    assert early.detail == ".NET 8.0.17 → 8.0.16 goes back to an older version"
    found = reassess(early, FEED, {}, LATER)
    assert found is not None
    assert (found.cause, found.reopens, found.detail) == (
        Cause.ROLLBACK,
        change(NEW, OLD).reopens,
        change(NEW, OLD).detail,
    )
    assert reassess(found, FEED, {}, LATER) is None


def test_a_tag_that_goes_back_to_an_older_channel_is_a_rollback_too() -> None:
    found = change(seen("1", version="10.0.1", of="aspnet:latest"), seen("2", version="9.0.11", of="aspnet:latest"))
    assert (found.cause, found.reopens) == (Cause.ROLLBACK, ())


@pytest.mark.parametrize("name", ["golden:8.0", "dotnet-isolated:4", "sdk:8.0"])
def test_what_an_image_declares_says_whether_it_holds_an_sdk(name: str) -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", sdks="8.0.411", at=DAY)])
    before, after = seen("1", of=name, version="8.0.410"), seen("2", of=name, version="8.0.411")
    assert change(before, after, feed=feed).cves == ("CVE-2025-0001",)


def test_a_rollback_leads_to_where_what_it_opens_again_is_told() -> None:
    told = replace(advisory("CVE-2025-0001", Severity.HIGH), links=("https://a.example/1",))
    found = assess(NEW, OLD, FEED, {"CVE-2025-0001": told}, LATER)
    assert found.links == (("CVE-2025-0001", "https://a.example/1"),)


def test_what_a_feed_adds_takes_nothing_back() -> None:
    found = reassess(change(late=False), FEED, {}, LATER)
    assert found is not None
    assert [row.source for row in found.evidence] == [str(NEW.base), "8.0/releases.json"]
    assert found.evidence[1].locator == "release 8.0.17: CVE-2025-0001, CVE-2025-0002"


def test_a_release_without_cves_that_is_taken_back_is_evidence() -> None:
    plain = release("8.0.17", at=DAY)
    found = change(feed=ReleaseIndex([plain]))
    assert found.cause is Cause.DOTNET_RELEASE
    corrected = reassess(found, ReleaseIndex([replace(plain, taken_back_at=LATER)]), {}, LATER)
    assert corrected is not None
    assert (corrected.cause, corrected.evidence[-1]) == (
        Cause.DOTNET_UNKNOWN,
        Evidence("taken back", "8.0.17", LATER),
    )
    assert corrected.detail == ".NET 8.0.16 → 8.0.17, which no feed lists yet, after 8.0.17 was taken back"


def test_the_evidence_shows_what_moved_in_the_words_of_the_registry() -> None:
    before = seen("1", image("1", os="alpine3.21", layers="ab"), image("3", platform="linux/arm64"))
    after = seen("2", image("2", os="alpine3.22", layers=""), image("3", platform="linux/arm64"))
    assert change(before, after).evidence[0] == Evidence(
        str(after.base),
        f"{before.digest} → {after.digest}; linux/amd64 alpine3.21 → alpine3.22, "
        f"lowest layer {'a' * 12} → not recorded",
        DAY,
    )


def test_the_evidence_of_a_withdrawal_names_the_digest_that_was_there() -> None:
    [row] = change(OLD, seen(None)).evidence
    assert row == Evidence(str(OLD.base), f"no longer listed; was {OLD.digest}", DAY)


def test_where_no_platform_moved_the_evidence_names_digests_alone() -> None:
    before, after = seen("1", image("1")), seen("3", image("1"))
    assert change(before, after).evidence[0].locator == f"{before.digest} → {after.digest}"


def test_two_observations_of_one_moment_are_in_order() -> None:
    assert change(OLD, replace(NEW, at=OLD.at)).at == OLD.at


def test_a_change_outside_of_dotnet_has_no_word_of_feeds() -> None:
    known = {"CVE-2025-0001": advisory("CVE-2025-0001", Severity.HIGH)}
    moved = assess(
        seen("1", version="9.0.1", of="aspnet:latest"),
        seen("2", version="10.0.1", of="aspnet:latest"),
        FEED,
        known,
        LATER,
    )
    assert (moved.cause, moved.cves, len(moved.evidence)) == (Cause.CHANNEL_MOVE, (), 1)


def test_what_does_not_concern_the_image_is_named_among_what_is_fixed() -> None:
    known = {"CVE-2025-0002": advisory("CVE-2025-0002", Severity.CRITICAL, systems="windows")}
    found = assess(OLD, NEW, FEED, known, LATER)
    assert (found.not_relevant, found.ratings, found.severity) == (("CVE-2025-0002",), (), None)
    rated = {"CVE-2025-0001": advisory("CVE-2025-0001", Severity.LOW), **known}
    assert assess(OLD, NEW, FEED, rated, LATER).ratings == (("CVE-2025-0001", Severity.LOW),)
    again = reassess(change(), FEED, known, LATER)
    assert again is not None
    assert again.not_relevant == ("CVE-2025-0002",)


def test_what_a_rollback_opens_again_is_not_forgotten_while_the_feed_is_silent() -> None:
    assert reassess(change(NEW, OLD), NOTHING, {}, LATER) is None


def test_a_fix_that_nobody_has_rated_is_told_and_makes_nothing_severe() -> None:
    known = {
        "CVE-2025-0001": replace(advisory("CVE-2025-0001", Severity.LOW), severity=None),
        "CVE-2025-0002": advisory("CVE-2025-0002", Severity.HIGH),
    }
    found = assess(OLD, NEW, FEED, known, LATER)
    assert found.cves == ("CVE-2025-0001", "CVE-2025-0002")
    assert (found.ratings, found.severity) == ((("CVE-2025-0002", Severity.HIGH),), Severity.HIGH)


def test_what_does_not_touch_the_image_is_not_rated_for_it() -> None:
    known = {"CVE-2025-0001": advisory("CVE-2025-0001", Severity.CRITICAL, "windows")}
    found = assess(OLD, NEW, FEED, known, LATER)
    assert (found.not_relevant, found.ratings, found.severity) == (("CVE-2025-0001",), (), None)


def test_a_move_to_another_channel_fixes_nothing() -> None:
    found = assess(OLD, seen("2", version="9.0.6"), FEED, {}, LATER)
    assert (found.cause, found.cves, found.severity) == (Cause.CHANNEL_MOVE, (), None)


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in TOLD_BY_FEEDS])
def test_what_no_feed_tells_is_never_assessed_again_whatever_versions_it_has(cause: Cause) -> None:
    assert reassess(replace(change(late=False), cause=cause), FEED, {}, LATER) is None


def test_what_a_feed_says_of_a_version_is_no_evidence_for_a_move_to_its_channel() -> None:
    feed = ReleaseIndex([release("9.0.5", at=DAY), release("9.0.6", "CVE-2025-0003", at=DAY)])
    found = assess(OLD, seen("2", version="9.0.6"), feed, {}, LATER)
    assert (found.cause, len(found.evidence)) == (Cause.CHANNEL_MOVE, 1)


def test_when_the_feed_catches_up_with_a_release_that_fixes_nothing_the_cause_follows_too() -> None:
    found = reassess(change(late=False), ReleaseIndex([release("8.0.17", at=LATER)]), {}, LATER)
    assert found is not None
    assert (found.cause, found.cves) == (Cause.DOTNET_RELEASE, ())


def test_what_concerns_windows_alone_concerns_its_images_when_it_is_assessed_again() -> None:
    before, after = (
        seen(letter, image(letter, platform="windows/amd64"), version=version)
        for letter, version in (("1", "8.0.16"), ("2", "8.0.17"))
    )
    known = {"CVE-2025-0001": advisory("CVE-2025-0001", Severity.HIGH, systems="windows")}
    found = reassess(assess(before, after, FEED, {}, DAY), FEED, known, LATER)
    assert found is not None
    assert (found.not_relevant, found.severity) == ((), Severity.HIGH)


def test_all_that_is_taken_back_is_named_in_the_evidence() -> None:
    emptied = ReleaseIndex([release("8.0.17", at=LATER)])
    found = reassess(change(), emptied, {}, LATER)
    assert found is not None
    assert found.evidence[-1] == Evidence("taken back", "CVE-2025-0001, CVE-2025-0002", LATER)
