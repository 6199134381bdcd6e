"""How the time that something takes grows with its input: the same on a slow machine and on a busy one."""

import time
from collections.abc import Callable

TIMES = 8
LINEAR = 30
"""The most that `TIMES` the input may cost; what grows with the square of its input costs 64 times as much. Between
lie the caches and the memory of a busy machine."""


def growth(run: Callable[[int], object], size: int, *, tries: int = 3) -> float:
    """How many times as long `run` computes for `TIMES` the input, by the quickest of some tries of each.

    The sizes lie around `size`: half of it, and four times as much.
    """
    small = size // 2
    return _quickest(run, small * TIMES, tries) / _quickest(run, small, tries)


def _quickest(run: Callable[[int], object], size: int, tries: int) -> float:
    taken = []
    for _ in range(tries):
        began = time.thread_time()
        run(size)
        taken.append(time.thread_time() - began)
    return min(taken)
