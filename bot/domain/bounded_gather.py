"""Doing a thing for many, some at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def bounded_gather(limit: int, items: Iterable[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """The results of `work`, in the order of `items`.

    The first exception ends what is still under way, and is raised when all of it has ended.
    """
    all_items = list(items)
    waiting = deque(range(len(all_items)))
    results: dict[int, R] = {}

    async def worker() -> None:
        while waiting:
            place = waiting.popleft()
            results[place] = await work(all_items[place])

    workers = [asyncio.ensure_future(worker()) for _ in range(min(limit, len(all_items)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [results[place] for place in range(len(all_items))]
