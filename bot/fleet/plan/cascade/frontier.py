"""Who may be rebuilt now, and for which parents the others wait.

Nothing is remembered from one decision to the next: the graph and how each image stands tell it all, so that after
any crash the next decision is the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.domain.bases.mirrors import Behind
from bot.domain.reference import Base
from bot.domain.wording.words import duration
from bot.fleet.plan.cascade.decisions import Cascade, Due, Passed, RebuildProgress, Unseen, Wait
from bot.fleet.plan.cascade.graph import Graph, Image, Link, parents_first
from bot.fleet.plan.cascade.shown import Shown, Together

JOIN_TIMEOUT = timedelta(hours=2)


def decide_frontier(
    graph: Graph,
    progress: Mapping[Image, RebuildProgress],
    dues: Mapping[int, Due],
    shown_by_link: Mapping[tuple[Image, Base], Shown],
    now: datetime,
    join_timeout: timedelta = JOIN_TIMEOUT,
    behind: Mapping[int, Sequence[Behind]] = MappingProxyType({}),
    gated: Collection[Image] = frozenset(),
    beginnings: Mapping[Image, datetime] = MappingProxyType({}),
) -> Cascade:
    """Of all rebuilds that are due, those whose parents are ready may act.

    A build makes all images of its repository, so its rebuild waits for the parents of all of them. Only where a
    way leads from one image of the repository to another is that impossible: then a rebuild goes as soon as one of
    the images that it is for is ready, and the others are followed up.

    `progress` is that of images, `shown_by_link` what each base shows its child. Who has an ancestor that is still
    to be rebuilt is not ready, though nothing of it is due itself: that will come. A severe fix goes at once and is
    followed up when the parents are ready, once. `behind` are, by who builds on them, the bases in mirrors that are
    to show something newer: they are waited for like parents, as long as that is to be expected.

    A wait counts from when what it waits for may begin: `beginnings` tell when the rebuild of an image was let go,
    or may be at the earliest, as once its base has settled or a window opens.

    `gated` are the images that the gate holds back. Nothing of another repository is built upon one of them,
    however long that takes and whatever it would fix.
    """
    awaited = _mirrors_awaited(behind, now - join_timeout)
    ancestry = Ancestry(graph, progress, shown_by_link, awaited.keys(), beginnings, join_timeout)
    decider = _Decider(ancestry, shown_by_link, awaited, gated, now, join_timeout)
    frontier: dict[int, Passed] = {}
    waits: dict[int, Wait | Unseen] = {}
    made_before: set[int] = set()
    for number, due in dues.items():
        decision = decider.decided(due)
        if decision is None:
            made_before.add(number)
        elif isinstance(decision, Passed):
            frontier[number] = decision
        else:
            waits[number] = decision
    return Cascade(frontier, waits, _blocks(graph, progress), frozenset(made_before))


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
        parents_above = {
            child: [parent for link in links for parent in self._makers(link)]
            for child, links in graph.parents.items()
        }
        for image in parents_first(parents_above, [image for images in self._images.values() for image in images]):
            parents = parents_above.get(image, [])
            state = progress.get(image, RebuildProgress.SETTLED)
            is_busy = state is not RebuildProgress.SETTLED or image.repository in expecting
            if is_busy or not self._pending.isdisjoint(parents):
                self._pending.add(image)
                began_at = beginnings.get(image) if state is RebuildProgress.UNDER_WAY else None
                ends_of_waits = [self._begins[each] + join_timeout for each in parents if each in self._begins]
                own_beginnings = [beginnings[image]] if image in beginnings else []
                if began_at is not None or own_beginnings or ends_of_waits:
                    self._begins[image] = began_at or max([*own_beginnings, *ends_of_waits])
            failed_homes = [self._failed[parent] for parent in parents if parent in self._failed]
            if state is RebuildProgress.FAILED or failed_homes:
                self._failed[image] = image.repository if state is RebuildProgress.FAILED else failed_homes[0]

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


@dataclass(frozen=True, slots=True)
class _Decider:
    """Decides one rebuild at a time, from how all images stand. `awaited` are the bases in mirrors that are waited
    for, by who builds on them."""

    ancestry: Ancestry
    shown_by_link: Mapping[tuple[Image, Base], Shown]
    awaited: Mapping[int, tuple[Behind, ...]]
    gated: Collection[Image]
    now: datetime
    join_timeout: timedelta

    def decided(self, due: Due) -> Passed | Wait | Unseen | None:
        """Whether a rebuild may act or what it waits for; None where an earlier build has made all of it."""
        links = self.ancestry.links_of(due)
        gated_links = [
            link for link in links if link.parent in self.gated and link.parent.repository != due.repository
        ]
        if gated_links:
            next_look = _next_look(due.since or self.now, self.now, self.join_timeout)
            return Wait(_bases(gated_links), len(_bases(links)), next_look, is_gated=True)
        missing_links = self.ancestry.missing(due)
        late_mirrors = self.awaited.get(due.repository, ())
        if missing_links or late_mirrors:
            return self._of_unready(due, links, missing_links, late_mirrors)
        return self._of_ready(due, links)

    def _of_ready(self, due: Due, links: Sequence[Link]) -> Passed | Unseen | None:
        if due.together is Together.YES:
            return None
        end = max(due.since or self.now, due.made_at or due.since or self.now) + self.join_timeout
        if due.together is Together.UNSEEN and self.now < end:
            return Unseen(end)
        return Passed(_words_of_claims(links, self.shown_by_link))

    def _of_unready(
        self, due: Due, links: Sequence[Link], missing_links: Sequence[Link], late_mirrors: tuple[Behind, ...]
    ) -> Passed | Wait:
        begins = [moment for link in missing_links if (moment := self.ancestry.begins(link)) is not None]
        since = [
            *([due.since or self.now] if missing_links else []),
            *begins,
            *(each.since for each in late_mirrors),
        ]
        until = max(since) + self.join_timeout
        if due.is_severe and not due.went_ahead:
            remark = (
                f"does not wait for {_names_of([*missing_links, *late_mirrors])}, since it fixes something severe"
            )
            return Passed(remark, True)
        if until <= self.now:
            waiting_time = duration(self.join_timeout)
            return Passed(
                f"{_names_of(missing_links)} is not proven to stand on the new base after {waiting_time}", True
            )
        blocked_by = next(
            (
                failed_repository
                for link in missing_links
                if (failed_repository := self.ancestry.failed(link)) is not None
            ),
            None,
        )
        return Wait(_bases(missing_links), len(_bases(links)), until, blocked_by, late_mirrors)


def _bases(links: Iterable[Link]) -> tuple[Base, ...]:
    return tuple(sorted({link.base for link in links}))


def _next_look(since: datetime, now: datetime, every: timedelta) -> datetime:
    """The next of the moments that lie so far apart: who waits without an end is not told another one each time."""
    return since + every * ((now - since) // every + 1)


def _blocks(graph: Graph, progress: Mapping[Image, RebuildProgress]) -> dict[int, int]:
    """How many other repositories stand on those whose rebuild failed."""
    failed_images: dict[int, list[Image]] = {}
    for image, state in progress.items():
        if state is RebuildProgress.FAILED:
            failed_images.setdefault(image.repository, []).append(image)
    homes_below = {
        number: {image.repository for image in graph.descendants(images)} - {number}
        for number, images in failed_images.items()
    }
    return {number: len(repositories) for number, repositories in homes_below.items() if repositories}


def _mirrors_awaited(behind: Mapping[int, Sequence[Behind]], since: datetime) -> dict[int, tuple[Behind, ...]]:
    """What has been behind for longer is waited for no longer: its mirror is filled by the day, or stands still."""
    waited_for = {child: tuple(each for each in mirrors if each.since > since) for child, mirrors in behind.items()}
    return {child: mirrors for child, mirrors in waited_for.items() if mirrors}


def _words_of_claims(links: Iterable[Link], shown_by_link: Mapping[tuple[Image, Base], Shown]) -> str:
    bases = {link for link in links if shown_by_link.get((link.child, link.base)) is Shown.CLAIMED}
    return f"{_names_of(bases)} is claimed to stand on the new base, its layers do not show it" if bases else ""


def _names_of(links: Iterable[Link | Behind]) -> str:
    return " and ".join(sorted({link.base.short for link in links}))
