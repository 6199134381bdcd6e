"""No worker makes what another has made, and none is left alone with what is slow."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from tests.dealing import deal


@dataclass(frozen=True)
class Item:
    nodeid: str
    marks: frozenset[str] = field(default=frozenset())

    @property
    def path(self) -> Path:
        return Path(self.nodeid.partition("::")[0])

    def get_closest_marker(self, name: str) -> bool:
        return name in self.marks


def dealt(items: list[Item], workers: int) -> list[str]:
    return [item.nodeid for item in deal(cast(list[pytest.Item], items), workers)]


def test_each_worker_begins_with_its_share_of_what_is_slow() -> None:
    slow = [Item(f"slow.py::{number}", frozenset({"long"})) for number in range(2)]
    killed = [Item(f"killed.py::{number}", frozenset({"kill", "long"})) for number in range(2)]
    quick = [Item(f"quick.py::{number}") for number in range(4)]
    first, second = ["killed.py::0", "slow.py::0"], ["killed.py::1", "slow.py::1"]
    rest = [item.nodeid for item in quick]
    assert dealt([*quick, *slow, *killed], 2) == [*first, *rest[:2], *second, *rest[2:]]


def test_what_shares_what_takes_long_to_make_is_in_one_share() -> None:
    together = [Item(f"image.py::{number}", frozenset({"long", "together"})) for number in range(3)]
    alone = [Item(f"walk.py::{number}", frozenset({"long"})) for number in range(3)]
    assert dealt([*together, *alone], 2) == [
        *("image.py::0", "image.py::1", "image.py::2", "walk.py::1"),
        *("walk.py::0", "walk.py::2"),
    ]


def test_no_test_is_lost_or_twice() -> None:
    items = [Item(f"some.py::{number}", frozenset({"long"} if number % 3 else ())) for number in range(20)]
    for workers in (1, 2, 3, 7):
        assert sorted(dealt(items, workers)) == sorted(item.nodeid for item in items)
