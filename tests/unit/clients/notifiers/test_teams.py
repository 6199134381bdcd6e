"""Posting to Teams: what counts as taken, and what each refusal means."""

import httpx
import pytest
import respx

from bot.clients.http.client import Http
from bot.clients.notifiers.teams import TeamsWebhook
from bot.domain.failure import Failure, Trouble

URL = "https://prod.environment.api.powerplatform.com/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=a%2Fb"


async def answered(mocked: respx.MockRouter, answer: httpx.Response) -> Failure | None:
    mocked.post(URL).mock(return_value=answer)
    async with Http() as http:
        try:
            await TeamsWebhook(http, URL).post({"type": "AdaptiveCard"})
        except Failure as failure:
            return failure
    return None


async def test_a_card_that_is_taken_is_posted_under_the_address_as_it_stands(respx_mock: respx.MockRouter) -> None:
    assert await answered(respx_mock, httpx.Response(202)) is None
    [call] = respx_mock.calls
    assert str(call.request.url) == URL


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (httpx.Response(200, text="Microsoft Teams endpoint returned HTTP error 429"), Trouble.THROTTLED),
        (httpx.Response(404), Trouble.MISSING),
        (httpx.Response(413), Trouble.MALFORMED),
        (httpx.Response(502), Trouble.UNREACHABLE),
    ],
)
async def test_a_refusal_is_named_without_the_secret_address(
    respx_mock: respx.MockRouter, answer: httpx.Response, trouble: Trouble
) -> None:
    failure = await answered(respx_mock, answer)
    assert failure is not None
    assert failure.trouble is trouble
    assert "sig=" not in str(failure)
