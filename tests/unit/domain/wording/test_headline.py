from datetime import UTC, datetime

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.reference import Base
from bot.domain.wording.headline import versions_reached


def step(family: str, before: str | None, after: str | None) -> Change:
    base = Base("mcr.microsoft.com", f"dotnet/{family}", "10.0")
    at = datetime(2026, 3, 10, tzinfo=UTC)
    return Change(base, at, "a", "b", Cause.DOTNET_RELEASE, Cause.DOTNET_RELEASE, before, after)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("aspnet", "10.0.8", "10.0.9"), step("aspnet", "10.0.9", "10.0.10")], ".NET 10.0.10"),
        ([step("aspnet", "10.0.1", "10.0.2"), step("sdk", "10.0.101", "10.0.110")], ".NET 10.0.2"),
        ([step("sdk", "10.0.101", "10.0.110")], ".NET SDK 10.0.110"),
        ([step("aspnet", "10.0.1", "10.0.2"), step("aspnet", "8.0.20", "8.0.21")], ".NET 8.0.21, 10.0.2"),
        ([step("aspnet", "10.0.1", "10.0.1")], ""),
        ([step("runtime-deps", None, None)], ""),
    ],
)
def test_the_newest_version_of_each_channel_is_told(steps: list[Change], told: str) -> None:
    assert versions_reached(steps) == told
