from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bot.assess.baseline import BaseStanding
from bot.assess.dotnet.releases import ReleaseIndex
from bot.assess.notices import rules as lag
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Release
from tests.unit.assess.world import DAY, base, image, release, seen

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
    (notice,) = lag.release_lag([seen("1"), moved], ReleaseIndex([release("8.0.17", at=DAY)]))
    assert notice.text == text


def test_a_base_that_goes_back_and_forth_is_late_with_no_release() -> None:
    versions = ("8.0.16", "8.0.17", "8.0.16", "8.0.17")
    history = [
        replace(seen(str(number), version=version), at=DAY + number * HOUR)
        for number, version in enumerate(versions)
    ]
    known = ReleaseIndex([release("8.0.16", at=DAY - 30 * DAYS), release("8.0.17", at=DAY)])
    assert [notice.delay for notice in lag.release_lag(history, known)] == [HOUR]


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
    (notice,) = lag.sibling_lag(FULL, cut, DAY + 10 * DAYS)
    assert notice.text == f"aspnet:8.0-noble got a new OS layer on 2025-06-11; {end}"
    assert (notice.until is None) == (followed_at is None)


def test_updates_before_the_chiseled_tag_existed_do_not_count() -> None:
    assert lag.sibling_lag(FULL, [chiseled("5", DAY + 3 * DAYS)], DAY + 10 * DAYS) == ()


def test_an_update_that_the_chiseled_tag_was_first_seen_with_came_with_it() -> None:
    (updated,) = {notice.since for notice in lag.sibling_lag(FULL, [chiseled("5", DAY)], DAY + 10 * DAYS)}
    (notice,) = lag.sibling_lag(FULL, [chiseled("5", updated)], DAY + 10 * DAYS)
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
        (date(2025, 7, 10), "is supported for 29.3 days more"),
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
