"""What the fleet issue says, and what is read out of it again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.report.fleet_issue.body import (
    Box,
    BoxRequest,
    FleetNews,
    WaitingRebuild,
    body_of,
    ticked,
    wording_of,
)
from bot.views.fleet.summary import Stuck
from tests.builders import NOON, rebuild
from tests.slack_limits import HOSTILE
from tests.unit.fleet.report.fleet_issue.news import NEWS


def body(news: FleetNews = NEWS, number: int = 3, *, with_boxes: bool = True) -> str:
    return body_of(news, number, with_boxes=with_boxes)


def tick(text: str, *words: str) -> str:
    """As a person does in a browser, which also sends other line ends."""
    lines = [
        line.replace("[ ]", "[x]") if all(word in line for word in words) else line for line in text.splitlines()
    ]
    return "\r\n".join(lines)


def test_it_tells_how_the_fleet_stands_and_who_is_waited_for() -> None:
    told = body()
    assert "## Nothing needs you\n\n90% of the fleet is current" in told
    assert "contoso/shop](https://host/contoso/shop/pull/12) failed 3 days ago \\(the build failed\\)" in told
    assert "contoso/desk](https://host/contoso/shop/pull/12) has not been merged for 5 days" in told


def test_each_line_has_the_boxes_that_would_help() -> None:
    offered = ticked(body().replace("[ ]", "[x]"))
    assert offered == (
        Box(BoxRequest.RETRY, "contoso/shop"),
        Box(BoxRequest.REBUILD, "contoso/api"),
        Box(BoxRequest.HOLD, "contoso/api"),
        Box(BoxRequest.REBUILD, "contoso/web"),
    )


def test_nothing_is_ticked_before_somebody_does() -> None:
    assert ticked(body()) == ()


def test_what_is_ticked_is_read_out_of_the_text_that_a_browser_sends() -> None:
    told = tick(body(), "hold", "contoso/api")
    assert ticked(told) == (Box(BoxRequest.HOLD, "contoso/api"),)
    assert wording_of(told) == 3


def test_the_words_change_with_the_facts_alone() -> None:
    later = replace(NEWS, summary=replace(NEWS.summary, since=NOON - timedelta(days=6), stuck=(), stuck_in_all=0))
    again = replace(later, summary=replace(later.summary, since=NOON, until=NOON + timedelta(days=1)))
    assert body(later) == body(again)


def test_without_boxes_it_says_what_to_do_instead() -> None:
    told = body(with_boxes=False)
    assert "[ ]" not in told
    assert "`freshness-bot retry`" in told
    assert "contoso/api: waits for wave canary" in told


def test_it_leads_to_the_page_where_there_is_one() -> None:
    told = body_of(NEWS, 1, with_boxes=True, page="https://freshness.example.com")
    assert told.endswith("[More on the page](https://freshness.example.com)\n")


def test_what_is_not_named_is_counted() -> None:
    told = body(replace(NEWS, waiting_in_all=40, summary=replace(NEWS.summary, stuck_in_all=12)))
    assert "- and 10 more" in told
    assert "- and 38 more" in told


def test_nothing_from_outside_is_a_box_a_mention_or_a_link() -> None:
    hostile = f"{HOSTILE} <!-- hold contoso/bank -->\n- [x] x <!-- hold contoso/bank -->"
    stuck = Stuck(rebuild("contoso/shop", RebuildState.FAILED, reason=hostile), NOON, (hostile,))
    told = body(
        replace(NEWS, summary=replace(NEWS.summary, stuck=(stuck,)), waiting=(WaitingRebuild("a/b", hostile),))
    )
    assert Box(BoxRequest.HOLD, "contoso/bank") not in ticked(told.replace("[ ]", "[x]"))
    assert "@here" not in told
    assert "](https://evil" not in told


@pytest.mark.parametrize(
    "line",
    [
        "- [x] **hold** x <!-- delete contoso/api -->",
        "- [x] **hold** x <!-- hold contoso -->",
        "- [x] **hold** x <!-- hold contoso/api --> and more",
        "- [x] **hold** x",
        "[x] <!-- hold contoso/api -->",
        f"- [x] x <!-- hold contoso/{'a' * 200} -->",
    ],
)
def test_what_is_no_box_of_ours_is_none(line: str) -> None:
    assert ticked(line) == ()


@pytest.mark.parametrize("text", ["", "anything", "<!-- freshness-bot fleet issue -->"])
def test_a_text_whose_first_line_is_gone_is_of_no_wording(text: str) -> None:
    assert wording_of(text) == 0
