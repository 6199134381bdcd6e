"""Events as a place that hears news: milestones, each under an id that a repetition has too."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import respx

from bot.clients.http.client import Http
from bot.domain.clock import ManualClock
from bot.domain.wording.message import Footnote, Heading, Message
from bot.fleet.report.destinations import Destination
from bot.fleet.wiring.adapters import destinations_of
from bot.fleet.wiring.grants import http_rules
from bot.settings import Settings

URL = "https://events.example/hooks/2f1c0b7d"
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "webhook").write_text(f"{URL}\n")
    (tmp_path / "key").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    events = {"webhook_file": tmp_path / "webhook", "signing_key_file": tmp_path / "key"}
    return Settings.model_validate({"github": {"token_file": tmp_path / "webhook"}, "events": events})


def message(text: str, moment: str = "12:00") -> Message:
    return Message(text, (Heading(text), Footnote(f"As of {moment}")), needs_person=True)


async def sent(settings: Settings, mocked: respx.MockRouter, *news: tuple[str, Message]) -> list[dict[str, object]]:
    mocked.post(URL).mock(return_value=httpx.Response(202))
    async with Http() as http:
        destination: Destination
        [destination] = destinations_of(settings, http, ManualClock(NOON))
        assert (destination.name, destination.channel.can_update) == ("events", False)
        for key, each in news:
            assert await destination.channel.post(key, each) is None
    return [json.loads(call.request.content) for call in mocked.calls]


async def test_news_are_told_with_their_text_and_whether_somebody_must_act(
    settings: Settings, respx_mock: respx.MockRouter
) -> None:
    [event] = await sent(settings, respx_mock, ("first_run:1", message("2 of 7 repositories are behind")))
    assert (event["type"], event["subject"]) == ("freshness-bot.first-run.v1", "first_run:1")
    assert event["data"] == {
        "text": "2 of 7 repositories are behind",
        "markdown": "## 2 of 7 repositories are behind\n\n<sub>As of 12:00</sub>\n",
        "needs_person": True,
    }


async def test_the_same_news_have_one_id_at_whatever_time_and_other_news_another(
    settings: Settings, respx_mock: respx.MockRouter
) -> None:
    begun, again, ended = message("it has begun"), message("it has begun", "12:05"), message("it has ended")
    events = await sent(settings, respx_mock, *(("rollout:1", each) for each in (begun, again, ended)))
    first, second, third = (event["id"] for event in events)
    assert first == second != third


def test_plain_http_is_for_where_the_operator_wrote_it(settings: Settings, tmp_path: Path) -> None:
    assert "events.example" not in http_rules(settings, ())
    (tmp_path / "webhook").write_text("http://127.0.0.1:9/hooks")
    assert http_rules(settings, ())["127.0.0.1:9"].insecure
