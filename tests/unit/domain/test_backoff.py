from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.backoff import backoff, rested_by


def test_a_rest_doubles_from_half_a_minute_to_an_hour() -> None:
    assert [backoff(attempts).total_seconds() for attempts in range(1, 9)] == [
        30, 60, 120, 240, 480, 960, 1920, 3600,
    ]  # fmt: skip


def test_rests_add_up() -> None:
    assert rested_by(1) == timedelta()
    assert rested_by(4) == timedelta(seconds=30 + 60 + 120)


@given(st.integers(-5, 10**9))
def test_a_rest_is_never_shorter_than_the_first_nor_longer_than_an_hour(attempts: int) -> None:
    assert timedelta(seconds=30) <= backoff(attempts) <= backoff(attempts + 1) <= timedelta(hours=1)
