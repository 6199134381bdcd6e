"""How the last line of a run words how long it took."""

import pytest

from tests.ran import took


@pytest.mark.parametrize(
    ("seconds", "worded"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.97, "10 s"), (41.4, "41 s"), (59.6, "1 min 0 s"), (432, "7 min 12 s")],
)
def test_it_is_worded_in_minutes_and_seconds(seconds: float, worded: str) -> None:
    assert took(seconds) == worded
