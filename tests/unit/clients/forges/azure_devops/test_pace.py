"""When an organisation may be asked again."""

from datetime import timedelta

import pytest

from bot.clients.forges.azure_devops.pace import OrganizationPace
from tests.builders import NOON

APART = OrganizationPace().apart


def told(remaining: float, limit: float = 200, reset: timedelta = timedelta(minutes=2)) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str((NOON + reset).timestamp()),
    }


def test_the_first_question_waits_for_nothing_and_the_next_keeps_its_distance() -> None:
    assert OrganizationPace().wait(NOON) == timedelta()
    paced = OrganizationPace().after({}, NOON)
    assert (paced.wait(NOON), paced.wait(NOON + APART)) == (APART, timedelta())


def test_an_answer_that_is_right_may_ask_for_a_pause() -> None:
    assert OrganizationPace().after({"retry-after": "7"}, NOON).wait(NOON) == timedelta(seconds=7)


def test_a_fifth_of_what_is_granted_is_used_and_no_more() -> None:
    assert OrganizationPace().after(told(remaining=170), NOON).wait(NOON) == APART
    assert OrganizationPace().after(told(remaining=150), NOON).wait(NOON) == timedelta(seconds=30)
    assert OrganizationPace().after(told(remaining=0, reset=timedelta(seconds=3)), NOON).wait(NOON) == timedelta(
        seconds=3
    )


@pytest.mark.parametrize("name", ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"])
@pytest.mark.parametrize("value", [None, "soon", "1e999"])
def test_what_the_headers_do_not_tell_keeps_nobody_waiting(name: str, value: str | None) -> None:
    headers = told(remaining=0) | ({} if value is None else {name: value})
    if value is None:
        del headers[name]
    assert OrganizationPace().after(headers, NOON).wait(NOON) <= timedelta(seconds=30)


def test_a_reset_that_is_over_is_no_wait() -> None:
    assert OrganizationPace().after(told(0, reset=-timedelta(minutes=1)), NOON).wait(NOON) == APART
