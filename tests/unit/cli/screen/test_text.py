"""Moments and lengths in words."""

from datetime import timedelta

import pytest

from bot.cli.screen.text import lag


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(seconds=2), "2 s after the release"),
        (timedelta(hours=-3), "3 h before the release"),
        (None, ""),
    ],
)
def test_how_late_an_image_came_is_told_without_the_heading_of_its_column(
    length: timedelta | None, told: str
) -> None:
    assert lag(length) == told
