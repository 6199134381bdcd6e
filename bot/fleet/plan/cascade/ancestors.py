"""What images among own bases and their ancestors are up to, which tells whom a rebuild waits for."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.domain.reference import Base
from bot.fleet.plan.cascade.decisions import Due, RebuildProgress
from bot.fleet.plan.cascade.graph import Graph, Image, Link, parents_first
from bot.fleet.plan.cascade.shown import Shown


class Ancestry:
    """What each image and its ancestors are up to, worked out once, parents first; of the repositories `expecting`,
    a base is to move any moment. `beginnings` tell when rebuilds were let go, or may be at the earliest."""

    def __init__(
        self,
        graph: Graph,
        progress: Mapping[Image, RebuildProgress],
        shown_by_link: Mapping[tuple[Image, Base], Shown],
        expecting: Collection[int],
        beginnings: Mapping[Image, datetime] = MappingProxyType({}),
        join_timeout: timedelta = timedelta(),
    ) -> None:
        self._graph = graph
        self._shown = shown_by_link
        self._images: dict[int, set[Image]] = {number: set(images) for number, images in graph.images_of.items()}
        for image in progress:
            self._images.setdefault(image.repository, set()).add(image)
        self._pending: set[Image] = set()
        """Still to be rebuilt, for what they name themselves or for what their ancestors are to bring."""
        self._failed: dict[Image, int] = {}
        """Each with the repository, its own or an ancestor's, whose rebuild failed."""
        self._begins: dict[Image, datetime] = {}
        """When the rebuild of each that is still to be rebuilt begins at the latest: once it may, and waits no
        longer for its own parents."""
        above = {
            child: [parent for link in links for parent in self._makers(link)]
            for child, links in graph.parents.items()
        }
        for image in parents_first(above, [image for images in self._images.values() for image in images]):
            parents = above.get(image, [])
            mine = progress.get(image, RebuildProgress.SETTLED)
            is_busy = mine is not RebuildProgress.SETTLED or image.repository in expecting
            if is_busy or not self._pending.isdisjoint(parents):
                self._pending.add(image)
                began_at = beginnings.get(image) if mine is RebuildProgress.UNDER_WAY else None
                waited = [self._begins[each] + join_timeout for each in parents if each in self._begins]
                own = [beginnings[image]] if image in beginnings else []
                if began_at is not None or own or waited:
                    self._begins[image] = began_at or max([*own, *waited])
            failed = [self._failed[parent] for parent in parents if parent in self._failed]
            if mine is RebuildProgress.FAILED or failed:
                self._failed[image] = image.repository if mine is RebuildProgress.FAILED else failed[0]

    def _makers(self, link: Link) -> Collection[Image]:
        """All that the parent's build makes, which may move with any of it; the parent alone where the child would
        wait for itself."""
        return (link.parent,) if self._graph.turns(link) else self._images[link.parent.repository]

    def links_of(self, due: Due) -> list[Link]:
        """Returns the links whose parents a rebuild may have to wait for."""
        images = {*due.images, *self._graph.images_of.get(due.repository, ())}
        links = [link for image in sorted(images) for link in self._graph.of(image)]
        return [link for link in links if link.child in due.images or not self._graph.turns(link)]

    def missing(self, due: Due) -> list[Link]:
        """Returns the links whose parents do not show yet what the rebuild is for."""
        links = [link for link in self.links_of(due) if not self._is_ready(link)]
        turning = [link for link in links if self._graph.turns(link)]
        if due.images - {link.child for link in turning}:
            return [link for link in links if not self._graph.turns(link)]
        return links

    def _is_ready(self, link: Link) -> bool:
        if not self._pending.isdisjoint(self._makers(link)):
            return False
        return self._shown.get((link.child, link.base), Shown.IDLE).is_enough

    def begins(self, link: Link) -> datetime | None:
        """When the last of those that a link waits for begins at the latest; None where none is to."""
        return max((self._begins[each] for each in self._makers(link) if each in self._begins), default=None)

    def failed(self, link: Link) -> int | None:
        """Returns the repository whose failed rebuild a link waits for, None where none failed."""
        return next((self._failed[image] for image in self._makers(link) if image in self._failed), None)
