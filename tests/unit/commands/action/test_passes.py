"""How many passes follow each other: as long as there is something new, and time."""

from collections.abc import Iterable

import pytest

from bot.commands.action.passes import while_news


async def passes(news: Iterable[bool], time: int = 1_000) -> int:
    """How many are made where each brings news or not, and there is time for so many more than the first."""
    coming = iter(news)
    left = iter([True] * time)

    async def made() -> tuple[None, bool]:
        return None, next(coming)

    async def has_time() -> bool:
        return next(left, False)

    return len(await while_news(made, has_time))


@pytest.mark.parametrize(("news", "made"), [([False], 1), ([True, False], 2), ([True, True, True, False], 4)])
async def test_they_go_on_until_one_brings_nothing_new(news: list[bool], made: int) -> None:
    assert await passes(news) == made


@pytest.mark.parametrize("time", [0, 1, 5])
async def test_they_end_where_there_is_no_time_for_the_next(time: int) -> None:
    assert await passes([True] * 100, time) == time + 1


async def test_what_always_brings_something_new_ends_too() -> None:
    assert await passes([True] * 100) == 30
