"""Which tests of those that take long a run has, and which worker of xdist begins with which."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Self

import pytest

SLOW = ("kill", "long")
"""Marks of what a worker begins with, so that none is left alone with that in the end."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` shards, from 1 on, of what takes long; all of them together have each test once."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Self:
        """`2/4`. Raises `ValueError` for what names no shard."""
        number, of = map(int, text.split("/"))
        if not 1 <= number <= of:
            raise ValueError(f"there is no shard {text}")
        return cls(number, of)

    def without_others(self, items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
        """The tests of this shard, with all that do not take long, and those left to other shards."""
        hands = _hands([item for item in items if item.get_closest_marker("long")])
        others = {item for at, hand in enumerate(hands) if at % self.of != self.number - 1 for item in hand}
        return [item for item in items if item not in others], [item for item in items if item in others]


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
