"""Until when a .NET image gets fixes, as its tag tells."""

from datetime import date

import pytest

from bot.domain.bases.support import support_of
from bot.domain.reference import Reference

TODAY = date(2026, 11, 30)
DOTNET = "mcr.microsoft.com/dotnet"
ENDED = ".NET 8.0 is out of support for 20 days"


def told(image: str, today: date = TODAY) -> str | None:
    support = support_of(Reference.parse(image), today)
    return None if support is None or not support.is_told(today) else support.told(today)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (
            f"{DOTNET}/aspnet:8.0",
            ".NET 8.0 is out of support for 20 days: no more fixes will come; 10.0 is the next",
        ),
        (f"{DOTNET}/sdk:9.0.308-noble@sha256:{'a' * 64}", ".NET 9.0 is out of support for 20 days"),
        (f"{DOTNET}/runtime:10.0-alpine3.21", "alpine3.21 is out of support for 29 days: no more fixes will come"),
        (f"{DOTNET}/aspnet:8.0-alpine3.20", "alpine3.20 is out of support for 243 days"),
        (f"{DOTNET}/aspnet:10.0-noble-chiseled", None),
        (f"{DOTNET}/aspnet:11.0", None),
        (f"{DOTNET}/aspnet:latest", None),
        ("registry.example/mirror/dotnet/aspnet:8.0", ENDED),
        ("postgres:8.0", None),
        ("alpine:3.20", None),
    ],
)
def test_what_has_ended_is_told_of_net_images_with_since_when(image: str, said: str | None) -> None:
    if said is None:
        assert told(image) is None
    else:
        assert (told(image) or "").startswith(said)


def test_an_end_is_told_of_from_ninety_days_before_and_is_over_on_its_day() -> None:
    image = f"{DOTNET}/aspnet:8.0"
    assert told(image, date(2026, 8, 11)) is None
    ahead = ".NET 8.0 is supported for 90 more days, until 2026-11-10; 10.0 is the next"
    assert told(image, date(2026, 8, 12)) == ahead
    assert (
        told(image, date(2026, 11, 9)) == ".NET 8.0 is supported for 1 more day, until 2026-11-10; 10.0 is the next"
    )
    assert (told(image, date(2026, 11, 10)) or "").startswith(".NET 8.0 is out of support for 0 days")
