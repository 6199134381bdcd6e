from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.clients.notifiers.slack_blocks import blocks_of, notification
from bot.domain.bases.notice import Topic
from bot.domain.reference import Base
from bot.fleet.report.messages.news import BLOCKS, IncidentNews, NoticeNews, incident_message, notice_message
from tests.slack_limits import HOSTILE, check, footnotes, sections, texts

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ALPINE = Base("mcr.microsoft.com", "dotnet/aspnet", "8.0-alpine")
SENTENCE = "aspnet:8.0-alpine was withdrawn and gets no more fixes; move to 8.0-alpine3.22"


def news(topic: Topic = Topic.WITHDRAWN, users: int = 2, **values: Any) -> NoticeNews:
    chosen: dict[str, Any] = {
        "base": ALPINE,
        "since": NOON,
        "text": SENTENCE,
        "cleared_at": None,
        "outcome": "",
        "repositories": tuple(f"contoso/shop-{number}" for number in range(users)),
    }
    return NoticeNews(topic, **(chosen | values))


def over(**values: Any) -> NoticeNews:
    return news(cleared_at=NOON + timedelta(days=2), outcome="it is published again after 2 days", **values)


def test_a_notice_says_what_is_wrong_and_whom_it_concerns() -> None:
    message = notice_message([news()])
    assert message.text == f"Withdrawn base: {SENTENCE}"
    assert sections(message) == [f"*Withdrawn base*\n{SENTENCE}\nUsed by contoso/shop-0 and contoso/shop-1."]
    assert footnotes(message) == ["since 2026-03-10 12:00 UTC"]


def test_ten_repositories_are_named_and_the_others_counted() -> None:
    (text,) = sections(notice_message([news(users=13)]))
    assert text.endswith("contoso/shop-9 and 3 more.")
    assert "shop-10" not in text


def test_a_notice_that_is_over_says_how_it_ended() -> None:
    message = notice_message([over()])
    assert message.text == "Withdrawn base, over: aspnet:8.0-alpine: it is published again after 2 days"
    assert footnotes(message) == ["since 2026-03-10 12:00 UTC, over since 2026-03-12 12:00 UTC"]


def test_an_end_of_life_tells_its_day_not_a_beginning() -> None:
    message = notice_message([news(Topic.END_OF_LIFE)])
    assert footnotes(message) == ["end of support 2026-03-10 12:00 UTC"]


def test_notices_found_at_once_are_one_message_with_what_holds_first() -> None:
    message = notice_message([over(), news(Topic.END_OF_LIFE, text="its support ends"), news()])
    assert message.text == "1 base image needs attention"
    assert [line[:20] for line in sections(message)[1].splitlines()] == [
        "• Withdrawn base: as",
        "• End of life: its s",
        "• Withdrawn base, ov",
    ]


def test_a_summary_ends_with_its_last_notice() -> None:
    assert notice_message([over(), over()]).text == "All 2 notices about base images are over"


def test_many_notices_fit_what_slack_takes() -> None:
    message = notice_message([news(users=10, text="x" * 200) for _ in range(300)])
    assert all(len(text) <= 3000 for text in sections(message))
    assert len(blocks_of(message)) <= 50
    assert "and 270 more" in sections(message)[-1]


def test_signs_of_slack_are_escaped() -> None:
    (text,) = sections(notice_message([news(text="<!channel>", repositories=("a/<b>",))]))
    assert "&lt;!channel&gt;" in text
    assert "a/&lt;b&gt;" in text


def test_an_incident_is_told_at_both_ends() -> None:
    begun = IncidentNews("mcr.microsoft.com", NOON, None, "mcr.microsoft.com: no answer")
    assert incident_message(begun).text == "mcr.microsoft.com is in trouble"
    ended = incident_message(replace(begun, cleared_at=NOON + timedelta(minutes=42)))
    assert ended.text == "mcr.microsoft.com is well again"
    assert "lasted 42 min" in texts(ended)
    check(ended)


def test_nothing_of_an_incident_mentions_or_links() -> None:
    told = incident_message(IncidentNews(HOSTILE, NOON, None, HOSTILE))
    assert "<!" not in notification(told) + texts(told)


@pytest.mark.parametrize("sign", ["x", "&"])
@pytest.mark.parametrize("hours", [None, 1])
def test_slack_takes_every_incident(sign: str, hours: int | None) -> None:
    cleared = NOON + timedelta(hours=hours) if hours else None
    check(incident_message(IncidentNews(sign * 5000, NOON, cleared, sign * 5000)))


def test_a_repository_that_blocks_others_is_told_as_such_and_calls_somebody() -> None:
    begun = IncidentNews("contoso/golden", NOON, None, "its rebuild failed, which blocks 200 repositories", BLOCKS)
    assert incident_message(begun).text == "contoso/golden blocks whoever stands on its image"
    assert incident_message(begun).needs_person
    ended = incident_message(replace(begun, cleared_at=NOON + timedelta(minutes=42)))
    assert (ended.text, ended.needs_person) == ("contoso/golden blocks nobody any more", False)


def test_an_image_that_contradicts_itself_is_told_as_such_and_calls_somebody() -> None:
    detail = "ghcr.io/contoso/shop:1 on linux/amd64: its provenance names aspnet:8.0, which its layers do not show"
    begun = IncidentNews("contoso/shop", NOON, None, detail, "contradicted")
    told = incident_message(begun)
    assert (told.text, told.needs_person) == ("contoso/shop has an image that contradicts itself", True)
    assert "which its layers do not show" in texts(told)
    ended = incident_message(replace(begun, cleared_at=NOON + timedelta(minutes=42)))
    assert ended.text == "contoso/shop has no image that contradicts itself any more"
