"""Which images of the fleet stand on which others, without going round in circles."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from bot.domain.reference import Base


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """An image that `repository` builds: `name` is `registry/repository`. An empty name stands for all that the
    repository builds and that nothing tells apart."""

    repository: int
    name: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """`child` is built upon `base`, which is the image `parent`. `number` orders links by their age, the oldest
    first."""

    number: int
    child: Image
    parent: Image
    base: Base


@dataclass(frozen=True, slots=True)
class Cycle:
    """A link that leads back to where it began, and the images on the way: from the child over its parent to the
    child again. The link counts for nothing."""

    cut: Link
    path: tuple[Image, ...]


@dataclass(frozen=True)
class Graph:
    """The links that count, by the child, and the cycles that were cut. Every cycle is cut at its newest link."""

    parents: Mapping[Image, tuple[Link, ...]] = field(default_factory=lambda: MappingProxyType({}))
    cycles: tuple[Cycle, ...] = ()

    @property
    def cut(self) -> frozenset[tuple[Image, Base]]:
        """Pairs of child and base whose moves set nothing off."""
        return frozenset((cycle.cut.child, cycle.cut.base) for cycle in self.cycles)

    def of(self, child: Image) -> tuple[Link, ...]:
        """Returns an image's links to its parents, the oldest first."""
        return self.parents.get(child, ())

    @cached_property
    def images_of(self) -> Mapping[int, tuple[Image, ...]]:
        """All children and parents by the repository that builds them."""
        images_by_repository: dict[int, set[Image]] = defaultdict(set)
        for links in self.parents.values():
            for link in links:
                images_by_repository[link.child.repository].add(link.child)
                images_by_repository[link.parent.repository].add(link.parent)
        return {repository: tuple(sorted(images)) for repository, images in images_by_repository.items()}

    @cached_property
    def turning(self) -> frozenset[int]:
        """The repositories of which an image stands on another of the same repository, directly or over other
        repositories, and those in between: all that is neither above nor below every such way."""
        above: dict[int, set[int]] = defaultdict(set)
        below: dict[int, set[int]] = defaultdict(set)
        for links in self.parents.values():
            for link in links:
                above[link.child.repository].add(link.parent.repository)
                below[link.parent.repository].add(link.child.repository)
        rest = set(self.images_of)
        for onwards, back in ((above, below), (below, above)):
            ends = [number for number in rest if not onwards[number] & rest]
            while ends:
                end = ends.pop()
                rest.discard(end)
                ends += [number for number in back[end] & rest if not onwards[number] & rest]
        return frozenset(rest)

    def turns(self, link: Link) -> bool:
        """Whether it may be part of a way from one image of a repository to another of the same."""
        return link.child.repository in self.turning and link.parent.repository in self.turning

    @property
    def only_brought(self) -> frozenset[tuple[Image, Base]]:
        """Pairs of child and base of which only counts what a move brings from below.

        Each build of the repository may make the base anew with other layers, also the one that the base's own
        children need: what is new without bringing anything would go round for ever.
        """
        links = (link for group in self.parents.values() for link in group)
        return frozenset((link.child, link.base) for link in links if self.turns(link))

    def descendants(self, parents: Collection[Image]) -> frozenset[Image]:
        """All images that stand on these, directly or not."""
        children: dict[Image, set[Image]] = defaultdict(set)
        for links in self.parents.values():
            for link in links:
                children[link.parent].add(link.child)
        images: set[Image] = set()
        images_to_visit = list(parents)
        while images_to_visit:
            new_images = children.get(images_to_visit.pop(), set()) - images
            images |= new_images
            images_to_visit += new_images
        return frozenset(images)

    def in_order(self) -> tuple[Image, ...]:
        """All children and parents, every parent before its children."""
        above = {child: [link.parent for link in links] for child, links in self.parents.items()}
        return parents_first(above, [image for images in self.images_of.values() for image in images])

    def distances(self) -> dict[Image, int]:
        """How many own bases stand between each child and the root, on the longest way; none is left out."""
        lengths: dict[Image, int] = {}
        for image in self.in_order():
            if links := self.of(image):
                lengths[image] = max(1 + lengths.get(link.parent, 0) for link in links)
        return lengths


def parents_first(above: Mapping[Image, Collection[Image]], everybody: Iterable[Image]) -> tuple[Image, ...]:
    """All images, each behind those above it, of which there is no circle."""
    rest = {child: len(set(parents)) for child, parents in above.items() if parents}
    below: dict[Image, list[Image]] = defaultdict(list)
    for child, parents in above.items():
        for parent in set(parents):
            below[parent].append(child)
    ordered = sorted({*everybody, *below} - rest.keys())
    for image in ordered:
        for child in below[image]:
            rest[child] -= 1
            if not rest[child]:
                ordered.append(child)
    return tuple(ordered)


def graph_of(links: Iterable[Link]) -> Graph:
    """Takes links in their order, oldest first; one whose parent stands on its child already closes a cycle and is
    cut."""
    parents: dict[Image, tuple[Link, ...]] = {}
    cycles: list[Cycle] = []
    for link in sorted(links):
        back = _way(parents, link.parent, link.child)
        if back is None:
            parents[link.child] = (*parents.get(link.child, ()), link)
        else:
            cycles.append(Cycle(link, (link.child, *back)))
    return Graph(parents, tuple(cycles))


def _way(parents: Mapping[Image, tuple[Link, ...]], start: Image, end: Image) -> tuple[Image, ...] | None:
    """A way from `start` up to `end` over parents, both included; None where there is none."""
    came_from: dict[Image, Image | None] = {start: None}
    images_to_visit = [start]
    while images_to_visit:
        image = images_to_visit.pop(0)
        if image == end:
            way: list[Image] = []
            ancestor: Image | None = image
            while ancestor is not None:
                way.append(ancestor)
                ancestor = came_from[ancestor]
            return tuple(reversed(way))
        for link in parents.get(image, ()):
            if link.parent not in came_from:
                came_from[link.parent] = image
                images_to_visit.append(link.parent)
    return None
