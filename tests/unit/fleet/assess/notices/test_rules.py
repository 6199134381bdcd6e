from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Release
from bot.fleet.assess.baseline import BaseStanding
from bot.fleet.assess.notices import rules as lag
from bot.upstream.dotnet import lags
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, base, image, release, seen

HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def live(name: str, digit: str = "9", version: str | None = "8.0.16") -> BaseStanding:
    return BaseStanding(seen(digit, of=name, version=version))


def gone(name: str, digit: str = "1") -> BaseStanding:
    return BaseStanding(seen(digit, of=name), withdrawn_at=DAY)


@pytest.mark.parametrize(
    ("moved_at", "text"),
    [
        (DAY + 3 * HOUR, "aspnet:8.0 had .NET 8.0.17 3 h after the release feed listed it"),
        (DAY - HOUR / 2, "aspnet:8.0 had .NET 8.0.17 30 min before the release feed listed it"),
    ],
)
def test_release_lag_says_who_was_first(moved_at: datetime, text: str) -> None:
    moved = replace(seen("2", version="8.0.17"), at=moved_at)
    (notice,) = lags.release_lag([seen("1"), moved], ReleaseIndex([release("8.0.17", at=DAY)]))
    assert notice.text == text


def test_a_base_that_goes_back_and_forth_is_late_with_no_release() -> None:
    versions = ("8.0.16", "8.0.17", "8.0.16", "8.0.17")
    history = [
        replace(seen(str(number), version=version), at=DAY + number * HOUR)
        for number, version in enumerate(versions)
    ]
    known = ReleaseIndex([release("8.0.16", at=DAY - 30 * DAYS), release("8.0.17", at=DAY)])
    assert [notice.delay for notice in lags.release_lag(history, known)] == [HOUR]


def noble(digit: str, layers: str, at: datetime) -> Observation:
    return replace(seen(digit, image(digit, layers=layers), of="aspnet:8.0-noble"), at=at)


def chiseled(digit: str, at: datetime) -> Observation:
    return replace(seen(digit, of="aspnet:8.0-noble-chiseled"), at=at)


FULL = [noble("1", "ab", DAY), noble("2", "cb", DAY + DAYS), noble("3", "cd", DAY + 2 * DAYS)]


@pytest.mark.parametrize(
    ("followed_at", "end"),
    [
        (DAY + 5 * DAYS, "aspnet:8.0-noble-chiseled followed after 4 days"),
        (DAY + DAYS, "aspnet:8.0-noble-chiseled came with it"),
        (None, "aspnet:8.0-noble-chiseled has not followed for 9 days"),
    ],
)
def test_sibling_lag_measures_from_the_new_os_layer(followed_at: datetime | None, end: str) -> None:
    cut = [chiseled("5", DAY), *([chiseled("6", followed_at)] if followed_at else [])]
    (notice,) = lags.sibling_lag(FULL, cut, DAY + 10 * DAYS)
    assert notice.text == f"aspnet:8.0-noble got a new OS layer on 2025-06-11; {end}"
    assert (notice.until is None) == (followed_at is None)


def test_updates_before_the_chiseled_tag_existed_do_not_count() -> None:
    assert lags.sibling_lag(FULL, [chiseled("5", DAY + 3 * DAYS)], DAY + 10 * DAYS) == ()


def test_an_update_that_the_chiseled_tag_was_first_seen_with_came_with_it() -> None:
    (updated,) = {notice.since for notice in lags.sibling_lag(FULL, [chiseled("5", DAY)], DAY + 10 * DAYS)}
    (notice,) = lags.sibling_lag(FULL, [chiseled("5", updated)], DAY + 10 * DAYS)
    assert (notice.until, notice.text.endswith("came with it")) == (updated, True)


def test_several_fixes_that_are_waited_for_are_counted() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", "CVE-2025-0002", at=DAY)])
    (notice,) = lag.waiting_for_base([live("aspnet:8.0")], feed, {}, DAY + HOUR)
    assert notice.text == "aspnet:8.0 is still on .NET 8.0.16; the fix for 2 CVEs is out for 1 h"


def test_a_base_waits_while_a_listed_fix_is_not_in_it() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY)])
    bases = [live("aspnet:8.0"), live("runtime:8.0", version="8.0.17"), live("runtime-deps:8.0", version=None)]
    (notice,) = lag.waiting_for_base(bases, feed, {}, DAY + 5 * HOUR)
    assert notice.text == "aspnet:8.0 is still on .NET 8.0.16; the fix for CVE-2025-0001 is out for 5 h"
    assert notice.delay == 5 * HOUR


def test_a_base_waits_for_an_advisory_that_comes_before_the_release() -> None:
    early = Advisory("CVE-2025-0001", published_at=DAY, fixed_versions=("8.0.17", "9.0.6", "8.0.117"))
    waiting = lag.waiting_for_base([live("aspnet:8.0")], ReleaseIndex([]), {early.cve: early}, DAY + HOUR)
    assert [notice.base for notice in waiting] == [base("aspnet:8.0")]


def test_a_fix_for_windows_alone_is_not_waited_for() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY)])
    windows = Advisory("CVE-2025-0001", systems=frozenset({"windows"}))
    assert lag.waiting_for_base([live("aspnet:8.0")], feed, {windows.cve: windows}, DAY + HOUR) == ()


@pytest.mark.parametrize(
    ("tag", "others", "best"),
    [
        pytest.param("8.0-alpine3.20", "8.0-alpine3.22 8.0-alpine3.21 8.0", "8.0-alpine3.22", id="newest release"),
        pytest.param("8.0-alpine", "8.0-alpine3.22 8.0-noble", "8.0-alpine3.22", id="musl stays musl"),
        pytest.param("6.0-bullseye-slim", "8.0-alpine3.22 8.0-bookworm-slim", "8.0-bookworm-slim", id="glibc too"),
        pytest.param("8.0-jammy-chiseled", "8.0-noble 8.0-noble-chiseled", "8.0-noble-chiseled", id="flavour"),
        pytest.param("8.0-cbl-mariner2.0", "8.0-noble 8.0-azurelinux3.0", "8.0-azurelinux3.0", id="renamed family"),
        pytest.param("10.0-preview-noble", "10.0-noble 11.0-preview-noble", "10.0-noble", id="end of preview"),
        pytest.param("7.0", "6.0 8.0 9.0", "8.0", id="next channel, never an older one"),
        pytest.param("latest", "noble", "noble", id="from no channel to no channel"),
    ],
)
def test_a_withdrawn_base_leads_to_its_nearest_kin(tag: str, others: str, best: str) -> None:
    kin = [live(f"aspnet:{other}", str(number)) for number, other in enumerate(others.split(), 2)]
    (notice,) = lag.withdrawn([gone(f"aspnet:{tag}"), *kin], ReleaseIndex([]), DAY + 3 * DAYS)
    assert notice.toward[0].tag == best
    assert notice.text == f"aspnet:{tag} was withdrawn 3 days ago and gets no more fixes; move to {best}"


def _ending(channel: str, ends: date | None, phase: str = "active") -> Release:
    return replace(release(f"{channel}.1", at=DAY - 30 * DAYS), end_of_life=ends, support_phase=phase)


def test_nobody_is_sent_to_a_channel_that_gets_no_more_fixes() -> None:
    over, later = DAY.date(), date(2028, 11, 14)
    feed = ReleaseIndex([_ending("8.0", over), _ending("9.0", None, "eol"), _ending("10.0", later)])
    kin = [live(f"aspnet:{tag}", str(place), None) for place, tag in enumerate(("8.0", "9.0", "10.0"), 2)]
    (notice,) = lag.withdrawn([gone("aspnet:6.0"), *kin], feed, DAY)
    assert notice.toward == (base("aspnet:10.0"),)
    (before,) = lag.withdrawn([gone("aspnet:6.0"), *kin], feed, DAY - DAYS)
    assert [each.tag for each in before.toward] == ["8.0", "10.0"]


def test_nobody_is_sent_anywhere_where_every_channel_has_ended() -> None:
    feed = ReleaseIndex([_ending("8.0", DAY.date())])
    (notice,) = lag.withdrawn([gone("aspnet:8.0-alpine3.20"), live("aspnet:8.0-alpine")], feed, DAY)
    assert (notice.toward, notice.text.rpartition("; ")[2]) == ((), "no live tag resembles it")


def _shown(*versions: str) -> list[Observation]:
    return [
        replace(seen(str(number % 10), version=version), at=DAY + number * HOUR)
        for number, version in enumerate(versions, 1)
    ]


def test_a_base_that_went_back_is_told_with_what_that_opens_again() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", "CVE-2025-0002", at=DAY)])
    (notice,) = lag.rolled_back(_shown("8.0.16", "8.0.17", "8.0.16", "8.0.16"), feed, {}, DAY + 10 * HOUR)
    assert (notice.since, notice.until, notice.delay) == (DAY + 3 * HOUR, None, 7 * HOUR)
    assert notice.text == (
        "aspnet:8.0 went back from 8.0.17 to 8.0.16, which opens 2 CVEs again; "
        "no rebuild goes to it but where a rule says follow_rollbacks"
    )


def test_a_cve_that_does_not_concern_the_image_is_not_opened_again() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY)])
    windows = Advisory("CVE-2025-0001", systems=frozenset({"windows"}))
    (notice,) = lag.rolled_back(_shown("8.0.17", "8.0.16"), feed, {windows.cve: windows}, DAY + 10 * HOUR)
    assert "opens" not in notice.text


@pytest.mark.parametrize(
    "versions", [("8.0.16", "8.0.17", "8.0.16", "8.0.17"), ("8.0.16", "8.0.16"), ("8.0.16",), ()]
)
def test_a_base_that_came_forward_again_is_not_told(versions: tuple[str, ...]) -> None:
    assert lag.rolled_back(_shown(*versions), ReleaseIndex([]), {}, DAY + 10 * HOUR) == ()


def test_a_live_tag_with_the_very_image_is_the_best_successor() -> None:
    standings = [gone("aspnet:8.0-alpine3.20", "1"), live("aspnet:8.0-alpine3.22"), live("aspnet:8.0-alpine", "1")]
    (notice,) = lag.withdrawn(standings, ReleaseIndex([]), DAY)
    assert notice.toward[0].tag == "8.0-alpine"


def test_a_withdrawn_base_without_kin_says_so() -> None:
    (notice,) = lag.withdrawn([gone("aspnet:9.0"), live("aspnet:8.0"), live("sdk:9.0")], ReleaseIndex([]), DAY)
    assert notice.text.endswith("no live tag resembles it")


@pytest.mark.parametrize(
    ("ends", "phase"),
    [
        (date(2025, 7, 10), "is supported for 29 days more"),
        (date(2025, 6, 1), "has been out of support for 9.7 days"),
    ],
)
def test_end_of_life_says_how_long_is_left(ends: date, phase: str) -> None:
    feed = ReleaseIndex([replace(release("8.0.16"), end_of_life=ends)])
    (notice,) = lag.end_of_life_notices([live("aspnet:8.0")], feed, DAY)
    assert notice.text == f"aspnet:8.0: .NET 8.0 {phase} (end of life {ends})"


def test_the_end_of_one_channel_is_told_beside_bases_whose_end_is_not_known_or_far() -> None:
    ending = replace(release("8.0.16"), end_of_life=date(2025, 7, 10))
    feed = ReleaseIndex([ending, replace(release("9.0.1"), end_of_life=date(2027, 7, 10)), release("10.0.1")])
    others = [gone("aspnet:8.0-alpine"), live("aspnet:9.0", version="9.0.1"), live("aspnet:10.0", version="10.0.1")]
    told = lag.end_of_life_notices([*others, live("aspnet:8.0"), live("aspnet:8.0-noble")], feed, DAY)
    assert [notice.base.tag for notice in told] == ["8.0", "8.0-noble"]


def test_end_of_life_is_told_from_the_very_day_on_that_is_asked_for() -> None:
    feed = ReleaseIndex([replace(release("8.0.16"), end_of_life=date(2025, 7, 10))])
    ends = datetime(2025, 7, 10, tzinfo=DAY.tzinfo)
    assert len(lag.end_of_life_notices([live("aspnet:8.0")], feed, ends - 30 * DAYS, 30 * DAYS)) == 1


def test_end_of_life_far_ahead_or_of_a_withdrawn_base_is_no_news() -> None:
    feed = ReleaseIndex([replace(release("8.0.16"), end_of_life=date(2026, 11, 10))])
    assert lag.end_of_life_notices([live("aspnet:8.0"), gone("aspnet:8.0-alpine")], feed, DAY) == ()


def test_end_of_life_of_a_base_without_a_version_is_told_by_its_tag() -> None:
    feed = ReleaseIndex([replace(release("8.0.16"), end_of_life=date(2025, 6, 20))])
    assert len(lag.end_of_life_notices([live("runtime-deps:8.0-noble", version=None)], feed, DAY)) == 1


def test_a_short_tag_that_changed_distribution_moved_underneath() -> None:
    before = seen("1", image("1", os="bookworm-slim"), of="sdk:latest", version="9.0.306")
    after = seen("2", image("2", os="noble"), of="sdk:latest", version="10.0.100")
    (notice,) = lag.moved_underneath([before, after])
    assert notice.text == (
        "sdk:latest changed under its users: bookworm-slim became noble, .NET 9.0.306 became 10.0.100"
    )


def test_a_tag_that_names_its_distribution_does_not_move_underneath() -> None:
    before = seen("1", image("1", os="noble"), of="aspnet:8.0-noble")
    after = seen("2", image("2", os="noble"), of="aspnet:8.0-noble", version="8.0.17")
    assert lag.moved_underneath([before, after]) == ()


def test_a_tag_that_lost_a_platform_changed_under_its_users() -> None:
    before = seen(
        "1", image("1", platform="linux/amd64"), image("2", platform="linux/arm/v7"), of="aspnet:8.0-noble"
    )
    after = seen("2", image("1", platform="linux/amd64"), of="aspnet:8.0-noble")
    (notice,) = lag.moved_underneath([before, after])
    assert notice.text == "aspnet:8.0-noble changed under its users: linux/arm/v7 is gone"


def test_a_base_that_went_back_and_is_withdrawn_or_tells_no_version_since_went_back_still() -> None:
    later = [seen("5", version=None, at=DAY + 4 * HOUR), seen(None, at=DAY + 5 * HOUR)]
    (notice,) = lag.rolled_back([*_shown("8.0.17", "8.0.16"), *later], ReleaseIndex([]), {}, DAY + 10 * HOUR)
    assert notice.since == DAY + 2 * HOUR
    assert notice.text.startswith("aspnet:8.0 went back from 8.0.17 to 8.0.16; ")


def test_one_cve_that_is_open_again_is_named() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY)])
    (notice,) = lag.rolled_back(_shown("8.0.17", "8.0.16"), feed, {}, DAY + 10 * HOUR)
    assert "to 8.0.16, which opens CVE-2025-0001 again; " in notice.text


def test_each_family_waits_by_its_own_version() -> None:
    again = replace(release("8.0.17", "CVE-2025-0001", at=DAY), aspnetcore="8.0.18")
    bases = [live(f"{family}:8.0", version="8.0.17") for family in ("runtime", "aspnet")]
    waiting = lag.waiting_for_base(bases, ReleaseIndex([again]), {}, DAY + HOUR)
    assert [notice.base for notice in waiting] == [base("aspnet:8.0")]


def test_a_withdrawn_base_waits_for_nothing_and_the_next_one_does() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY)])
    waiting = lag.waiting_for_base([gone("aspnet:8.0-alpine"), live("aspnet:8.0")], feed, {}, DAY + HOUR)
    assert [notice.base.tag for notice in waiting] == ["8.0"]


@pytest.mark.parametrize(
    ("fixed", "published", "waits"),
    [
        ("8.0.17", DAY, True),
        ("8.0.17", DAY + 2 * HOUR, False),
        ("8.0.17", None, False),
        ("8.0.16", DAY, False),
        ("9.0.6", DAY, False),
        ("8.0.117", DAY, False),
        ("odd", DAY, False),
        ("8.0.16 8.0.17", DAY, False),
        ("", DAY, False),
    ],
)
def test_an_advisory_is_waited_for_where_all_that_it_names_is_newer(
    fixed: str, published: datetime | None, waits: bool
) -> None:
    told = Advisory("CVE-2025-0001", published_at=published, fixed_versions=tuple(fixed.split()))
    waiting = lag.waiting_for_base([live("aspnet:8.0")], ReleaseIndex([]), {told.cve: told}, DAY + HOUR)
    assert bool(waiting) is waits


def test_an_advisory_that_does_not_concern_the_image_is_not_waited_for() -> None:
    windows = Advisory(
        "CVE-2025-0001", published_at=DAY, fixed_versions=("8.0.17",), systems=frozenset({"windows"})
    )
    assert lag.waiting_for_base([live("aspnet:8.0")], ReleaseIndex([]), {windows.cve: windows}, DAY + HOUR) == ()


def test_a_fix_is_out_since_the_first_that_told_it() -> None:
    feed = ReleaseIndex(
        [release(version, "CVE-2025-0001", at=at) for version, at in (("8.0.17", DAY), ("8.0.18", DAY + HOUR))]
    )
    told = Advisory("CVE-2025-0001", published_at=DAY + HOUR, fixed_versions=("8.0.18",))
    (notice,) = lag.waiting_for_base([live("aspnet:8.0")], feed, {told.cve: told}, DAY + 3 * HOUR)
    assert (notice.since, notice.until, notice.delay) == (DAY, None, 3 * HOUR)


def test_a_fix_that_is_to_be_listed_later_is_not_waited_for_yet() -> None:
    feed = ReleaseIndex([release("8.0.17", "CVE-2025-0001", at=DAY, listed=DAY + HOUR)])
    waits = [bool(lag.waiting_for_base([live("aspnet:8.0")], feed, {}, DAY + hours * HOUR)) for hours in (0.9, 1)]
    assert waits == [False, True]


def test_no_lag_is_known_of_an_image_that_nobody_has_seen() -> None:
    assert lags.sibling_lag(FULL, [], DAY + 10 * DAYS) == ()
    assert lags.sibling_lag(FULL, [replace(chiseled("5", DAY), digest=None)], DAY + 10 * DAYS) == ()
    assert lags.release_lag([], ReleaseIndex([])) == ()


def test_the_first_version_that_a_base_tells_may_be_late() -> None:
    history = [
        seen("1", version=None),
        seen("2", version="8.0.18", at=DAY + HOUR),
        seen("3", version="8.0.17", at=DAY + 2 * HOUR),
    ]
    known = ReleaseIndex([release("8.0.17"), release("8.0.18")])
    assert [(notice.since, notice.until, notice.delay) for notice in lags.release_lag(history, known)] == [
        (DAY, DAY + HOUR, HOUR)
    ]


def test_a_version_that_no_feed_lists_is_passed_over() -> None:
    history = [
        seen("1"),
        seen("2", version="8.0.17", at=DAY + HOUR),
        seen("3", version="8.0.18", at=DAY + 2 * HOUR),
    ]
    (notice,) = lags.release_lag(history, ReleaseIndex([release("8.0.18")]))
    assert notice.delay == 2 * HOUR


def test_a_release_at_the_very_moment_of_its_listing_is_after_it() -> None:
    (notice,) = lags.release_lag([seen("1"), seen("2", version="8.0.17")], ReleaseIndex([release("8.0.17")]))
    assert (notice.delay, " after the release feed" in notice.text) == (timedelta(), True)


@pytest.mark.parametrize(("at", "number"), [(DAY, 1), (DAY - HOUR, 0), (DAY + 2 * HOUR, 1), (DAY + 3 * HOUR, 0)])
def test_a_release_is_awaited_that_came_between_the_first_look_and_now(at: datetime, number: int) -> None:
    found = lags.awaited_release([seen("1")], ReleaseIndex([release("8.0.17", at=at)]), DAY + 2 * HOUR)
    assert [(notice.since, notice.until, notice.delay) for notice in found] == [
        (at, None, DAY + 2 * HOUR - at)
    ] * number


def test_support_is_over_from_the_moment_on_that_it_ends() -> None:
    ends = DAY.replace(hour=0)
    feed = ReleaseIndex([replace(release("8.0.16"), end_of_life=ends.date())])
    (notice,) = lag.end_of_life_notices([live("aspnet:8.0")], feed, ends)
    assert "has been out of support for" in notice.text
    assert (notice.since, notice.until, notice.delay) == (ends, None, timedelta())


def test_an_end_is_told_half_a_year_ahead_unless_asked_otherwise() -> None:
    feed = ReleaseIndex([replace(release("8.0.16"), end_of_life=(DAY + 180 * DAYS).date())])
    ends = DAY.replace(hour=0) + 180 * DAYS
    told = [bool(lag.end_of_life_notices([live("aspnet:8.0")], feed, ends - days * DAYS)) for days in (180, 180.5)]
    assert told == [True, False]


@pytest.mark.parametrize(
    ("tag", "others", "toward"),
    [
        ("7.0", "8.0-noble 8.0", "8.0 8.0-noble"),
        ("7.0-jammy", "8.0 8.0-noble", "8.0-noble 8.0"),
        ("8.0-jammy", "8.0-bookworm 8.0-noble", "8.0-noble 8.0-bookworm"),
        ("8.0-alpine3.20", "8.0-alpine 8.0-alpine3.19", "8.0-alpine3.19 8.0-alpine"),
        ("8.0-noble", "8.0-a1 8.0-a2 8.0-a3 8.0-a4", "8.0-a4 8.0-a3 8.0-a2"),
        ("8.0-noble-chiseled-extra", "8.0-jammy-chiseled 8.0-jammy", "8.0-jammy-chiseled 8.0-jammy"),
        ("8.0", "latest 9.0", "9.0"),
        ("8.0", "10.0-preview", ""),
        ("10.0-preview", "11.0-preview", "11.0-preview"),
        ("latest", "8.0 9.0", "8.0 9.0"),
    ],
)
def test_tags_to_move_to_come_in_the_order_of_their_likeness(tag: str, others: str, toward: str) -> None:
    kin = [live(f"aspnet:{other}", str(number), None) for number, other in enumerate(others.split(), 2)]
    standing = BaseStanding(seen("1", of=f"aspnet:{tag}", version=None), withdrawn_at=DAY)
    (notice,) = lag.withdrawn([standing, *kin], ReleaseIndex([]), DAY)
    assert " ".join(each.tag for each in notice.toward) == toward


def test_the_tag_that_holds_the_very_image_comes_first_and_another_repository_never() -> None:
    kin = [live("aspnet:8.0-noble", "2"), live("aspnet:9.0", "1"), live("runtime:8.0-jammy", "1")]
    (notice,) = lag.withdrawn([gone("aspnet:8.0-jammy"), *kin], ReleaseIndex([]), DAY)
    assert [each.tag for each in notice.toward] == ["9.0", "8.0-noble"]


@pytest.mark.parametrize(
    ("hours", "told"), [(0.5, "was withdrawn and gets"), (1, "was withdrawn 1 h ago and gets")]
)
def test_how_long_ago_a_base_was_withdrawn_is_told_from_an_hour_on(hours: float, told: str) -> None:
    (notice,) = lag.withdrawn([gone("aspnet:8.0")], ReleaseIndex([]), DAY + hours * HOUR)
    assert told in notice.text
    assert (notice.since, notice.until, notice.delay) == (DAY, None, hours * HOUR)


def test_a_tag_that_names_its_channel_moves_to_another_without_a_notice() -> None:
    before, after = (
        seen(digit, of="aspnet:9.0", version=version) for digit, version in (("1", "9.0.1"), ("2", "10.0.1"))
    )
    assert lag.moved_underneath([before, after]) == ()
    (notice,) = lag.moved_underneath([seen("1"), seen(None), replace(seen("2", image("2", os="x")), at=DAY + HOUR)])
    assert (notice.since, notice.until, notice.delay) == (DAY + HOUR, DAY + HOUR, timedelta())
    assert notice.text == "aspnet:8.0 changed under its users: noble became x"


def test_what_is_no_version_of_dotnet_is_passed_over_in_measuring() -> None:
    versions = ("8.0.16", "of our own", None, "8.0.17")
    history = [
        replace(seen(str(number), version=version), at=DAY + number * HOUR)
        for number, version in enumerate(versions)
    ]
    known = ReleaseIndex([release("8.0.17", at=DAY)])
    assert [notice.delay for notice in lags.release_lag(history, known)] == [3 * HOUR]
    assert lags.release_lag([], known) == ()


def test_an_image_that_declares_no_version_is_of_the_channel_of_its_tag() -> None:
    ended = ReleaseIndex([replace(release("8.0.16"), end_of_life=date(2025, 6, 1))])
    (notice,) = lag.end_of_life_notices([live("runtime-deps:8.0-noble", version=None)], ended, DAY)
    assert notice.text.startswith("runtime-deps:8.0-noble: .NET 8.0 has been out of support for 9.7 days")
    declared = lag.end_of_life_notices([live("aspnet:latest")], ended, DAY)
    assert [each.text.partition(" has")[0] for each in declared] == ["aspnet:latest: .NET 8.0"]
    assert lag.end_of_life_notices([live("aspnet:latest", version=None)], ended, DAY) == ()
