"""Which repositories of the fleet stand on images of which others, without going round in circles."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.domain.reference import Base


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """`child`, a repository, names `base`, an image that `parent` produces. `number` orders links by their age, the
    oldest first."""

    number: int
    child: int
    parent: int
    base: Base


@dataclass(frozen=True, slots=True)
class Cycle:
    """A link that leads back to where it began, and the repositories on the way: from the child over its parent to
    the child again. The link counts for nothing."""

    cut: Link
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The links that count, by the child, and the cycles that were cut. Every cycle is cut at its newest link."""

    parents: Mapping[int, tuple[Link, ...]] = field(default_factory=lambda: MappingProxyType({}))
    cycles: tuple[Cycle, ...] = ()

    @property
    def cut(self) -> frozenset[tuple[int, Base]]:
        """Pairs of child and base whose moves set nothing off."""
        return frozenset((cycle.cut.child, cycle.cut.base) for cycle in self.cycles)

    def of(self, child: int) -> tuple[Link, ...]:
        """The links to its parents, the oldest first."""
        return self.parents.get(child, ())

    def ancestors(self, child: int) -> frozenset[int]:
        """Everybody whose images it stands on, directly or not."""
        found: set[int] = set()
        rest = [child]
        while rest:
            for link in self.of(rest.pop()):
                if link.parent not in found:
                    found.add(link.parent)
                    rest.append(link.parent)
        return frozenset(found)

    def descendants(self, parent: int) -> frozenset[int]:
        """Everybody who stands on its images, directly or not."""
        children: dict[int, set[int]] = defaultdict(set)
        for links in self.parents.values():
            for link in links:
                children[link.parent].add(link.child)
        found: set[int] = set()
        rest = [parent]
        while rest:
            news = children.get(rest.pop(), set()) - found
            found |= news
            rest += news
        return frozenset(found)

    def in_order(self) -> tuple[int, ...]:
        """All children and parents, every parent before its children."""
        rest = {child: len(links) for child, links in self.parents.items()}
        children: dict[int, list[int]] = defaultdict(list)
        for child, links in self.parents.items():
            for link in links:
                children[link.parent].append(child)
        found = sorted(parent for parent in children if parent not in rest)
        for parent in found:
            for child in children[parent]:
                rest[child] -= 1
                if not rest[child]:
                    found.append(child)
        return tuple(found)

    def distances(self) -> dict[int, int]:
        """How many own bases stand between each child and the root, on the longest way; none is left out."""
        found: dict[int, int] = {}
        for member in self.in_order():
            if links := self.of(member):
                found[member] = max(1 + found.get(link.parent, 0) for link in links)
        return found


def graph_of(links: Iterable[Link]) -> Graph:
    """Takes links in their order, oldest first; one whose parent stands on its child already closes a cycle and is
    cut."""
    parents: dict[int, tuple[Link, ...]] = {}
    cycles: list[Cycle] = []
    for link in sorted(links):
        back = _way(parents, link.parent, link.child)
        if back is None:
            parents[link.child] = (*parents.get(link.child, ()), link)
        else:
            cycles.append(Cycle(link, (link.child, *back)))
    return Graph(parents, tuple(cycles))


def _way(parents: Mapping[int, tuple[Link, ...]], start: int, end: int) -> tuple[int, ...] | None:
    """A way from `start` up to `end` over parents, both included; None where there is none."""
    came_from: dict[int, int | None] = {start: None}
    rest = [start]
    while rest:
        member = rest.pop(0)
        if member == end:
            way: list[int] = []
            at: int | None = member
            while at is not None:
                way.append(at)
                at = came_from[at]
            return tuple(reversed(way))
        for link in parents.get(member, ()):
            if link.parent not in came_from:
                came_from[link.parent] = member
                rest.append(link.parent)
    return None
