"""How the .NET that an application brings itself is told."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.images.standing import RuntimeInside
from tests.builders import NOON

INSIDE = RuntimeInside("10.0.8", "its packages")


def test_a_runtime_is_told_with_its_version_and_with_what_tells_it() -> None:
    behind = replace(INSIDE, behind_since=NOON - timedelta(days=2))
    assert behind.told(NOON) == ".NET 10.0.8 inside, 2 days behind by its packages"
    assert replace(INSIDE, is_current=True).told(NOON) == ".NET 10.0.8 inside, current by its packages"
    assert INSIDE.told(NOON) == ".NET 10.0.8 inside is not proved: its packages"
