"""What counts of the bot's open pull requests."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.rollouts.marker import MarkedTarget, marker_line
from bot.domain.rollouts.reopening import LOOKED_AT_FOR
from bot.fleet.plan.taking_up.requests import (
    MOST_DIGESTS,
    MarkedRequest,
    marked_requests,
    marked_ways,
    to_be_followed,
)
from tests.unit.fleet.plan.world import ASPNET, HOUR, NOON, SDK, digest, member, move

TARGET = MarkedTarget(ASPNET, digest("a"), digest("b"), (move(at=NOON - HOUR).change,))
OWN = OwnRequest(
    *(1, "PR_1", "https://forge/pull/1", "freshness/dotnet-aspnet-10.0", True, marker_line([TARGET]), NOON),
    commit=f"Refresh\n\n{TARGET.trailer}\n",
)


def request(number: int = 1, **values: Any) -> MarkedRequest:
    target = replace(TARGET, **values)
    return MarkedRequest(member(), replace(OWN, number=number), (target,))


def test_one_of_the_bots_own_with_the_bots_own_last_commit_counts() -> None:
    [marked] = marked_requests(member(), [OWN])
    assert (marked.request, [each.to_digest for each in marked.targets]) == (OWN, [digest("b")])
    assert marked.seen_at(marked.targets[0]) == NOON - HOUR
    rebuild = marked.as_rebuild(3)
    assert (rebuild.id, rebuild.branch, rebuild.pull_request) == (-3, OWN.branch, 1)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"is_to_default": False},
        {"commit": None},
        {"commit": "Refresh\n"},
        {"commit": f"Refresh\n\nFreshness-Base: {ASPNET}@{digest('c')}\n"},
        {"body": "no marker"},
        {"body": marker_line([TARGET, MarkedTarget(SDK, None, digest("c"))])},
    ],
    ids=[
        "elsewhere",
        "somebody's commit",
        "no trailer",
        "another digest",
        "no marker",
        "more than the commit says",
    ],
)
def test_nothing_else_counts(otherwise: dict[str, Any]) -> None:
    assert marked_requests(member(), [replace(OWN, **otherwise)]) == ()


def merged(number: int = 1, at: datetime = NOON, **values: Any) -> MarkedRequest:
    marked = request(number, **values)
    return replace(marked, request=replace(marked.request, merged_at=at))


SHOWN = {ASPNET: digest("b")}
LATER = NOON + HOUR


def test_of_what_was_merged_the_latest_counts_for_what_its_base_shows() -> None:
    latest = merged(2)
    assert to_be_followed([merged(1, NOON - HOUR), latest], SHOWN, LATER) == [latest]
    assert to_be_followed([merged(1, NOON - HOUR), merged(2, to_digest=digest("c"))], SHOWN, LATER) == []
    assert to_be_followed([latest], {}, LATER) == []


def test_what_is_open_goes_before_what_was_merged_for_the_same_base() -> None:
    assert to_be_followed([merged(1), request(2)], SHOWN, LATER) == [request(2)]


def test_what_was_merged_long_ago_counts_no_more() -> None:
    assert to_be_followed([merged()], SHOWN, NOON + LOOKED_AT_FOR - HOUR) == [merged()]
    assert to_be_followed([merged()], SHOWN, NOON + LOOKED_AT_FOR) == []


def test_a_base_came_no_later_than_the_request_was_opened() -> None:
    late = request(changes=(move(at=NOON + HOUR).change,))
    assert late.seen_at(late.targets[0]) == NOON


def test_one_that_was_opened_in_the_second_in_which_the_base_came_keeps_that_time() -> None:
    at = NOON + timedelta(milliseconds=300)
    soon = request(changes=(move(at=at).change,))
    assert soon.seen_at(soon.targets[0]) == at


def test_of_several_times_the_latest_counts() -> None:
    early = request(2, changes=(move(at=NOON - timedelta(days=30)).change,))
    assert marked_ways([request(), early])[ASPNET].shown == ((digest("b"), NOON - HOUR),)


def test_of_many_digests_the_latest_count_and_where_the_first_of_them_came_from() -> None:
    requests = [
        request(
            number, from_digest=digest(old), to_digest=digest(new), changes=(move(at=NOON - number * HOUR).change,)
        )
        for number, (old, new) in enumerate((("e", "f"), ("d", "e"), ("c", "d"), ("b", "c"), ("a", "b")))
    ]
    way = marked_ways(requests)[ASPNET]
    assert [each for each, _ in way.shown] == [digest(letter) for letter in "cdef"]
    assert len(way.shown) == MOST_DIGESTS
    assert way.before == (digest("b"),)
