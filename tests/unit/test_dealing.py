"""No worker makes what another has made, and none is left alone with what is slow."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from tests.dealing import Shard, deal


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


class TestAShard:
    LONG = tuple(Item(f"walk.py::{number}", frozenset({"long"})) for number in range(7))
    TOGETHER = tuple(Item(f"image.py::{number}", frozenset({"long", "together"})) for number in range(3))
    QUICK = tuple(Item(f"quick.py::{number}") for number in range(5))

    def sharded(self, text: str) -> tuple[list[Item], list[Item]]:
        items = cast(list[pytest.Item], [*self.QUICK, *self.TOGETHER, *self.LONG])
        return cast(tuple[list[Item], list[Item]], Shard.read(text).without_others(items))

    def test_all_shards_have_each_test_that_takes_long_once(self) -> None:
        long = [item for number in (1, 2, 3) for item in self.sharded(f"{number}/3")[0] if item not in self.QUICK]
        assert sorted(item.nodeid for item in long) == sorted(item.nodeid for item in (*self.LONG, *self.TOGETHER))

    def test_each_has_all_that_do_not_take_long(self) -> None:
        for number in (1, 2, 3):
            assert set(self.QUICK) <= set(self.sharded(f"{number}/3")[0])

    def test_what_it_leaves_to_others_is_told(self) -> None:
        mine, others = self.sharded("2/3")
        assert len(mine) + len(others) == 15
        assert not set(mine) & set(others)

    def test_what_shares_what_takes_long_to_make_is_in_one(self) -> None:
        parts = [set(self.TOGETHER) & set(self.sharded(f"{number}/3")[0]) for number in (1, 2, 3)]
        assert sorted(map(len, parts)) == [0, 0, 3]

    @pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", ""])
    def test_what_names_none_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):
            Shard.read(text)
