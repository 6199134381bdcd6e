"""What answers of Azure DevOps mean."""

import json
from datetime import timedelta

import pytest

from bot.clients.forges.azure_devops.answers import decoded
from bot.clients.http.answers import Answer
from bot.domain.failure import Failure, Meaning, Trouble
from tests.builders import NOON

PLACE = "https://dev.azure.com/contoso/shop/_apis/git/repositories"


def answer(status: int = 200, body: object = None, *, page: str | None = None, **headers: str) -> Answer:
    kind = "application/json; charset=utf-8" if page is None else "text/html"
    text = page if page is not None else "" if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": kind, **named}, text.encode(), PLACE)


def failure_of(given: Answer) -> Failure:
    with pytest.raises(Failure) as failed:
        decoded(given, NOON)
    return failed.value


def error(type_key: str, message: str = "TF401028: no") -> dict[str, object]:
    return {"$id": "1", "message": message, "typeKey": type_key, "errorCode": 0}


def test_an_answer_is_its_json_and_an_empty_one_is_nothing() -> None:
    assert decoded(answer(200, {"count": 0, "value": []}), NOON) == {"count": 0, "value": []}
    assert decoded(answer(204), NOON) is None


@pytest.mark.parametrize("status", [200, 203])
def test_a_page_to_sign_in_at_tells_that_the_credentials_are_not_taken_at_present(status: int) -> None:
    failure = failure_of(answer(status, page="<html>Sign in</html>"))
    assert (failure.trouble, failure.meaning) == (Trouble.DENIED, Meaning.TRANSIENT)
    assert "token" in failure.advice


@pytest.mark.parametrize(
    ("status", "type_key", "trouble"),
    [
        (404, "DefinitionNotFoundException", Trouble.MISSING),
        (400, "PipelineValidationException", Trouble.CONFLICT),
        (403, "AccessDeniedException", Trouble.DENIED),
        (400, "InvalidArgumentValueException", Trouble.MALFORMED),
        (500, "SomethingElseException", Trouble.UNREACHABLE),
        (401, "", Trouble.DENIED),
        (429, "", Trouble.THROTTLED),
    ],
)
def test_the_key_of_an_error_says_more_than_its_status(status: int, type_key: str, trouble: Trouble) -> None:
    failure = failure_of(answer(status, error(type_key)))
    assert (failure.trouble, failure.status) == (trouble, status)
    assert "TF401028: no" in str(failure)


def test_the_page_of_a_proxy_is_an_outage() -> None:
    assert failure_of(answer(502, page="<html>Bad gateway</html>")).trouble is Trouble.UNREACHABLE


def test_a_pause_is_taken_as_long_as_it_is_asked_for() -> None:
    failure = failure_of(answer(429, error(""), retry_after="30"))
    assert (failure.retry_after, failure.pauses_host) == (timedelta(seconds=30), True)
