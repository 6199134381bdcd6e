"""Posting CloudEvents: what is sent, how it is signed, and what each refusal means."""

import base64
import json
from datetime import UTC, datetime

import httpx
import pytest
import respx

from bot.clients.http.client import Http
from bot.clients.notifiers.cloud_events import CloudEvent, EventsWebhook, key_in, signature
from bot.domain.clock import ManualClock, SystemClock
from bot.domain.failure import Failure, Trouble

URL = "https://events.example/hooks/2f1c0b7d"
KEY = b"0123456789abcdef0123456789abcdef"
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EVENT = CloudEvent("rollout", "rollout:1", ".NET 10.0.5 fixes 2 CVEs", {"text": ".NET 10.0.5 fixes 2 CVEs"})


async def answered(mocked: respx.MockRouter, answer: httpx.Response) -> Failure | None:
    mocked.post(URL).mock(return_value=answer)
    async with Http() as http:
        try:
            await EventsWebhook(http, ManualClock(NOON), URL, KEY).post(EVENT)
        except Failure as failure:
            return failure
    return None


async def test_an_event_is_structured_json_of_a_versioned_type(respx_mock: respx.MockRouter) -> None:
    assert await answered(respx_mock, httpx.Response(204)) is None
    [call] = respx_mock.calls
    assert call.request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert json.loads(call.request.content) == {
        "specversion": "1.0",
        "id": EVENT.id,
        "source": "urn:freshness-bot",
        "type": "freshness-bot.rollout.v1",
        "subject": "rollout:1",
        "datacontenttype": "application/json",
        "data": {"text": ".NET 10.0.5 fixes 2 CVEs"},
    }


async def test_it_is_signed_over_id_time_and_body(respx_mock: respx.MockRouter) -> None:
    await answered(respx_mock, httpx.Response(200))
    [call] = respx_mock.calls
    headers = call.request.headers
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (EVENT.id, str(int(NOON.timestamp())))
    signed = signature(KEY, headers["webhook-id"], headers["webhook-timestamp"], call.request.content)
    assert headers["webhook-signature"] == f"v1,{signed}"


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    key = key_in("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_the_standards_own_library_takes_what_is_posted_and_nothing_that_was_changed(
    respx_mock: respx.MockRouter,
) -> None:
    standardwebhooks = pytest.importorskip("standardwebhooks")
    respx_mock.post(URL).mock(return_value=httpx.Response(200))
    async with Http() as http:
        await EventsWebhook(http, SystemClock(), URL, KEY).post(EVENT)
    [call] = respx_mock.calls
    reader = standardwebhooks.Webhook(base64.b64encode(KEY).decode())
    body = call.request.content.decode()
    assert reader.verify(body, dict(call.request.headers)) == EVENT.as_json()
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        reader.verify(body.replace("10.0.5", "10.0.6"), dict(call.request.headers))


async def test_what_is_sent_again_has_the_same_id(respx_mock: respx.MockRouter) -> None:
    for _ in range(2):
        await answered(respx_mock, httpx.Response(200))
    first, second = respx_mock.calls
    assert first.request.headers["webhook-id"] == second.request.headers["webhook-id"]
    assert CloudEvent("rollout", "rollout:1", "it has ended", {}).id != EVENT.id
    assert CloudEvent("rollout", "rollout:2", EVENT.text, {}).id != EVENT.id


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (302, Trouble.MALFORMED),
        (401, Trouble.DENIED),
        (410, Trouble.MISSING),
        (413, Trouble.MALFORMED),
        (429, Trouble.THROTTLED),
        (502, Trouble.UNREACHABLE),
    ],
)
async def test_a_refusal_is_named_without_the_secrets(
    respx_mock: respx.MockRouter, status: int, trouble: Trouble
) -> None:
    headers = {"location": "https://elsewhere.example/"} if status == 302 else {}
    failure = await answered(respx_mock, httpx.Response(status, headers=headers))
    assert failure is not None
    assert failure.trouble is trouble
    assert "2f1c0b7d" not in str(failure)
    assert len(respx_mock.calls) == 1


def test_neither_the_address_nor_the_key_is_ever_shown() -> None:
    shown = repr(EventsWebhook(Http(), ManualClock(NOON), URL, KEY))
    assert "2f1c0b7d" not in shown
    assert "0123456789" not in shown


@pytest.mark.parametrize("prefix", ["whsec_", ""])
def test_a_secret_is_base64_with_or_without_its_prefix(prefix: str) -> None:
    assert key_in(prefix + base64.b64encode(KEY).decode()) == KEY
    with pytest.raises(ValueError, match="no base64"):
        key_in(f"{prefix}not base64")
