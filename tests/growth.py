"""How the time that something takes grows with its input: the same on a slow machine and on a busy one."""

import time
from collections.abc import Callable

TIMES = 4
LINEAR = 10
"""The most that `TIMES` the input may cost; what grows with the square of its input costs 16 times as much."""


def growth(run: Callable[[int], object], size: int, *, tries: int = 3) -> float:
    """How many times as long `run` computes for `TIMES` the size, by the quickest of some tries of each."""
    return _quickest(run, size * TIMES, tries) / _quickest(run, size, tries)


def _quickest(run: Callable[[int], object], size: int, tries: int) -> float:
    taken = []
    for _ in range(tries):
        began = time.thread_time()
        run(size)
        taken.append(time.thread_time() - began)
    return min(taken)
