"""Which worker of xdist begins with which tests."""

from itertools import groupby
from pathlib import Path

import pytest

SLOW = ("kill", "long")
"""Marks of what a worker begins with, so that none is left alone with that in the end."""


def deal(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """One part for each worker, as xdist cuts them, which begins with its share of what is slow.

    Slow tests that are `together` are in one share, so that what they share is made once.
    """
    marked = [(item, _slowest(item)) for item in items]
    slow = [hand for mark in SLOW for hand in _hands([item for item, its in marked if its == mark])]
    quick = [item for item, mark in marked if mark is None]
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        own = [item for hand in slow[worker::workers] for item in hand]
        room = max(0, (len(items) - len(dealt)) // (workers - worker) - len(own))
        dealt += own + quick[:room]
        quick = quick[room:]
    return dealt


def _hands(items: list[pytest.Item]) -> list[list[pytest.Item]]:
    """Each test for itself, but for those of a module that are together."""

    def hand(item: pytest.Item) -> Path | str:
        return item.path if item.get_closest_marker("together") else item.nodeid

    return [list(held) for _, held in groupby(items, hand)]


def _slowest(item: pytest.Item) -> str | None:
    return next((mark for mark in SLOW if item.get_closest_marker(mark)), None)
