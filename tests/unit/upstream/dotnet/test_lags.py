"""All lags of upstream are measured over whole histories, the earliest first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.notice import Topic
from bot.upstream.dotnet.lags import measured_lags
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, image, release, seen

DAYS = timedelta(days=1)
NOBLE, CHISELED = "aspnet:8.0-noble", "aspnet:8.0-noble-chiseled"


FULL = [
    replace(seen("1", image("1", layers="ab"), of=NOBLE, version="8.0.16"), at=DAY),
    replace(seen("2", image("2", layers="cb"), of=NOBLE, version="8.0.16"), at=DAY + DAYS),
    replace(seen("3", image("3", layers="cd"), of=NOBLE, version="8.0.17"), at=DAY + 6 * DAYS),
]
CUT = [
    replace(seen("5", of=CHISELED, version="8.0.16"), at=DAY),
    replace(seen("6", of=CHISELED, version="8.0.17"), at=DAY + 7 * DAYS),
]


def test_releases_are_measured_on_each_base_and_the_os_where_an_image_is_cut_from_another() -> None:
    histories = {FULL[0].base: FULL, CUT[0].base: CUT}
    found = measured_lags(
        histories, ReleaseIndex([release("8.0.17", at=DAY + 5 * DAYS)]), DAY + 9 * DAYS, histories
    )
    assert [(lag.topic, lag.base.short, lag.delay) for lag in found] == [
        (Topic.SIBLING_LAG, CHISELED, 6 * DAYS),
        (Topic.RELEASE_LAG, NOBLE, DAYS),
        (Topic.RELEASE_LAG, CHISELED, 2 * DAYS),
    ]


def test_nothing_is_awaited_of_a_base_that_was_withdrawn() -> None:
    gone = [CUT[0], replace(CUT[1], at=DAY + DAYS / 2, digest=None, version=None)]
    histories = {FULL[0].base: FULL, CUT[0].base: gone}
    assert measured_lags(histories, ReleaseIndex([]), DAY + 9 * DAYS, histories) == []


def awaited(
    *versions: str, of: str = "aspnet:8.0", gone: bool = False, watched: bool = True
) -> list[tuple[Topic, timedelta]]:
    """Nine days after a base was first seen, which showed these versions on its first days."""
    history = [
        replace(seen(str(n), image(str(n)), of=of, version=each), at=DAY + n * DAYS)
        for n, each in enumerate(versions)
    ]
    if gone:
        history.append(replace(history[-1], at=DAY + 8 * DAYS, digest=None, version=None))
    listed = [release(each, at=DAY + at * DAYS) for each, at in (("8.0.15", -1), ("8.0.17", 5), ("8.0.18", 7))]
    known = {history[0].base: history}
    found = measured_lags(known, ReleaseIndex(listed), DAY + 9 * DAYS, known if watched else ())
    return [(lag.topic, lag.delay) for lag in found if lag.until is None]


def test_a_release_that_a_base_has_not_followed_is_awaited_since_the_first_that_it_lacks() -> None:
    assert awaited("8.0.16") == [(Topic.RELEASE_LAG, 4 * DAYS)]
    assert awaited("8.0.16", "8.0.17") == [(Topic.RELEASE_LAG, 2 * DAYS)]
    assert awaited("8.0.16", "8.0.18", "8.0.16") == [], "it had followed"
    assert awaited("8.0.14") == [(Topic.RELEASE_LAG, 4 * DAYS)], "what was out before anybody looked tells nothing"


def test_the_release_that_is_awaited_is_named() -> None:
    history = [replace(seen("1", image("1"), of="aspnet:8.0", version="8.0.16"), at=DAY)]
    listed = ReleaseIndex([release("8.0.18", at=DAY + 3 * DAYS), release("8.0.17", at=DAY + DAYS)])
    [lag] = measured_lags({history[0].base: history}, listed, DAY + 5 * DAYS, {history[0].base})
    assert lag.text == "aspnet:8.0 has not followed .NET 8.0.17 for 4 days"


def test_no_release_is_awaited_of_what_never_moves_or_ends_with_it() -> None:
    assert awaited("8.0.16", of="aspnet:8.0.16-noble") == []
    assert awaited("8.0.0-rc.2", of="aspnet:8.0-preview") == []
    assert awaited("8.0.16", gone=True) == []
    assert awaited("8.0.16", watched=False) == []


def test_an_image_whose_full_one_nobody_watches_has_no_lag_behind_it() -> None:
    alone = {CUT[0].base: CUT}
    assert measured_lags(alone, ReleaseIndex([]), DAY + 9 * DAYS, alone) == []


@pytest.mark.parametrize("is_watched", [True, False])
def test_an_update_that_is_not_followed_yet_is_a_lag_of_what_is_watched(is_watched: bool) -> None:
    histories = {FULL[0].base: FULL, CUT[0].base: CUT[:1]}
    found = measured_lags(histories, ReleaseIndex([]), DAY + 9 * DAYS, histories if is_watched else ())
    assert [(lag.topic, lag.until) for lag in found] == [(Topic.SIBLING_LAG, None)] * is_watched


def test_a_base_that_nobody_has_seen_yet_has_no_lag() -> None:
    unseen = FULL[0].base
    assert measured_lags({unseen: []}, ReleaseIndex([]), DAY, {unseen}) == []
    histories = {unseen: [], CUT[0].base: CUT}
    assert measured_lags(histories, ReleaseIndex([]), DAY + 9 * DAYS, histories) == []
