import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bounded_gather import bounded_gather


@given(st.lists(st.integers(), max_size=20), st.integers(1, 8))
def test_results_stand_in_the_order_of_the_items(items: list[int], limit: int) -> None:
    async def double(item: int) -> int:
        await asyncio.sleep(0)
        return 2 * item

    assert asyncio.run(bounded_gather(limit, items, double)) == [2 * item for item in items]


async def test_no_more_than_the_limit_run_at_once() -> None:
    running = most = 0

    async def work(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await bounded_gather(3, range(20), work)
    assert most == 3


async def test_the_first_exception_ends_the_rest_and_waits_for_their_end() -> None:
    ended: list[int] = []

    async def work(item: int) -> None:
        await asyncio.sleep(0)
        if item == 0:
            raise ValueError("first")
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(item)

    with pytest.raises(ValueError, match="first"):
        await bounded_gather(4, range(20), work)
    assert ended == [1, 2, 3]


async def test_nothing_to_do_is_done() -> None:
    assert await bounded_gather(4, [], asyncio.sleep) == []
