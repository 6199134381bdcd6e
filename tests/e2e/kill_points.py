"""Writes at which a process is killed, and which of them a test chooses.

A kill after a write and one before the next leave the same behind, so that one of the two stands for both.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.e2e.killing import KillAt

SHARES = 4
"""So that both workers have something to do until the end."""


def is_request(point: str) -> bool:
    return "the commit of" not in point


def is_commit(point: str) -> bool:
    return not is_request(point)


def is_about_rebuilds(point: str) -> bool:
    """Whether the write keeps rebuilds or goes out: what is kept of bases, images and layers is kept alike on every
    way."""
    return is_request(point) or any(table in point for table in ("rebuilds", "transitions"))


@dataclass(frozen=True, slots=True)
class Point:
    """A write, before or after which the process is killed: the `at`-th of a pass, the `nth` of its name there."""

    in_pass: int
    at: int
    name: str
    nth: int

    @property
    def kill_at(self) -> KillAt:
        return KillAt(self.name, self.nth)

    def leaves_what_is_left_by(self, following: "Point") -> bool:
        """Nothing is kept between the end of a write and the begin of the next."""
        is_next = (self.in_pass, self.at + 1) == (following.in_pass, following.at)
        return is_next and self.name.startswith("after") and following.name.startswith("before")


Choice = Callable[[Sequence[Point]], Sequence[Point]]


def points_of(passes: Sequence[Sequence[str]]) -> list[Point]:
    """Those of each pass, in their order."""
    return [point for in_pass, names in enumerate(passes) for point in _points_of_pass(in_pass, names)]


def _points_of_pass(in_pass: int, names: Sequence[str]) -> Iterator[Point]:
    seen: Counter[str] = Counter()
    for at, name in enumerate(names, 1):
        seen[name] += 1
        yield Point(in_pass, at, name, seen[name])


def told_apart(points: Sequence[Point]) -> list[Point]:
    """Of points after which the same is left, the last."""
    pairs = zip(points, [*points[1:], None], strict=True)
    return [point for point, following in pairs if following is None or not point.leaves_what_is_left_by(following)]


def sampled(points: Sequence[Point]) -> Sequence[Point]:
    """Every request that creates something, and one in forty of the rest."""
    creating = [point for point in points if " POST " in point.name]
    rest = [point for point in points if " POST " not in point.name]
    return told_apart(creating) + told_apart(rest)[::40]


def spread(most: int) -> Choice:
    """So many points, all over the way."""

    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        apart = told_apart(points)
        return [apart[place * len(apart) // most] for place in range(most)]

    return chosen


def one_share(share: int, wanted: Callable[[str], bool] = lambda _: True) -> Choice:
    """Every so many of the wanted points, so that all shares together take each of them once."""

    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        return told_apart([point for point in points if wanted(point.name)])[share::SHARES]

    return chosen
