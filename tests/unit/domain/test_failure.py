from datetime import timedelta

import pytest

from bot.domain.failure import Failure, Trouble


def test_no_host_may_ask_for_a_pause_of_more_than_a_day() -> None:
    asked = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(days=36500))
    assert asked.retry_after == timedelta(days=1)
    assert asked.altered(where="elsewhere").retry_after == timedelta(days=1)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_silence_and_pauses_end_by_themselves(trouble: Trouble) -> None:
    assert trouble.is_passing is (trouble in (Trouble.UNREACHABLE, Trouble.THROTTLED))
