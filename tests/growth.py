"""How the time that something takes grows with its input: the same on a slow machine and on a busy one."""

import time
from collections.abc import Callable
from math import inf

TIMES = 8
LINEAR = 30
"""The most that `TIMES` the input may cost; what grows with the square of its input costs 64 times as much. Between
lie the caches and the memory of a busy machine."""


def growth(run: Callable[[int], object], size: int, *, tries: int = 3) -> float:
    """How many times as long `run` computes for `TIMES` the input, by the quickest of some tries of each.

    The sizes lie around `size`: half of it, and four times as much. The large one, which costs nearly all of the
    time, is tried again only where it took too long.
    """
    small = size // 2
    quickest = min(_took(run, small) for _ in range(tries))
    times = inf
    for _ in range(tries):
        times = min(times, _took(run, small * TIMES) / quickest)
        if times < LINEAR:
            break
    return times


def _took(run: Callable[[int], object], size: int) -> float:
    began = time.thread_time()
    run(size)
    return time.thread_time() - began
