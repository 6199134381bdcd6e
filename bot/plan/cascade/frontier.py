"""Who may be rebuilt now, and for which parents the others wait.

Nothing is remembered from one decision to the next: the graph and how each image stands tell it all, so that after
any crash the next decision is the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.domain.bases.mirrors import Behind
from bot.domain.reference import Base
from bot.domain.wording.words import counted, duration
from bot.plan.cascade.graph import Graph, Image, Link, parents_first

JOIN_TIMEOUT = timedelta(hours=2)


class RebuildProgress(StrEnum):
    """How far the rebuild of an image is. `settled` has none that anybody could wait for."""

    SETTLED = "settled"
    DUE = "due"
    """One is planned and has not begun."""
    UNDER_WAY = "under way"
    FAILED = "failed"


class Shown(StrEnum):
    """What a base, under the name that a child uses, shows once its producer is settled."""

    PROVED = "proved"
    """Its layers stand on what its own parents show now."""
    CLAIMED = "claimed"
    """Layers cannot tell, but the tag moved in a build that began after the parents had moved."""
    UNTOLD = "untold"
    OLD = "old"
    """It has been rebuilt, and this name does not show it."""
    IDLE = "idle"
    """Nothing is to be expected of it: its producer was not rebuilt for anything of late."""

    @property
    def is_enough(self) -> bool:
        return self in (Shown.PROVED, Shown.CLAIMED, Shown.IDLE)


class Together(StrEnum):
    """Whether the build that made an image of a repository anew made those that stand on it too."""

    YES = "yes"
    NO = "no"
    UNSEEN = "unseen"
    """They were not looked at since."""


@dataclass(frozen=True, slots=True)
class Due:
    """A rebuild of `repository` that has not begun, for these of its images. `since` is when it first was due, and
    `is_severe` says that it fixes something severe; `went_ahead` that another for the same causes did not wait for
    all parents.

    `together` is told of a rebuild that is for images of its own repository alone, which an earlier build may have
    made in one go; None of every other.
    """

    repository: int
    images: frozenset[Image]
    since: datetime | None = None
    is_severe: bool = False
    went_ahead: bool = False
    together: Together | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """May be rebuilt now. `told` says what its parents were not proven to show; empty where all is proven."""

    told: str = ""
    is_ahead: bool = False
    """It does not wait for all of its parents."""


@dataclass(frozen=True, slots=True)
class Wait:
    """`bases` are the parents that it waits for, of so many; `until` is when it waits no longer.

    `blocked_by` is the failed repository that has to be mended first, where that is why; `is_gated` where the gate
    holds back what a parent shows, for as long as it does, and `until` is when that is looked at again. `behind`
    are bases of its own in mirrors that do not show yet what upstream does.
    """

    bases: tuple[Base, ...]
    parents: int
    until: datetime
    blocked_by: int | None = None
    behind: tuple[Behind, ...] = ()
    is_gated: bool = False

    @property
    def reason(self) -> str:
        """`waits for golden-aspnet, 1 of 2 parents ready; waits for myacr.azurecr.io/mcr to show sha256:…`."""
        mirrors = [each.reason for each in self.behind]
        return "; ".join([*([self._of_parents()] if self.bases else []), *mirrors])

    def _of_parents(self) -> str:
        names = " and ".join(sorted({base.repository.rpartition("/")[2] for base in self.bases}))
        ready = self.parents - len(self.bases)
        told = f"waits for {names}, {ready} of {counted(self.parents, 'parent')} ready"
        if self.is_gated:
            return f"{told}; the gate holds back what it shows"
        return f"{told}; its rebuild failed" if self.blocked_by is not None else told


@dataclass(frozen=True, slots=True)
class Unseen:
    """Waits until the images that it is for were looked at, `until` then at the latest."""

    until: datetime
    reason: str = "waits until it was looked at whether the last build has made this too"


@dataclass(frozen=True, slots=True)
class Cascade:
    """What is decided: by rebuild who may act, who waits and who is done without, and of each failed repository how
    many stand on it."""

    frontier: Mapping[int, Passed] = field(default_factory=lambda: MappingProxyType({}))
    waits: Mapping[int, Wait | Unseen] = field(default_factory=lambda: MappingProxyType({}))
    blocks: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    done: frozenset[int] = frozenset()
    """An earlier build of the repository has made all that these are for."""


def decide_frontier(
    graph: Graph,
    progress: Mapping[Image, RebuildProgress],
    dues: Mapping[int, Due],
    shown: Mapping[tuple[Image, Base], Shown],
    now: datetime,
    join_timeout: timedelta = JOIN_TIMEOUT,
    behind: Mapping[int, Sequence[Behind]] = MappingProxyType({}),
    gated: Collection[Image] = frozenset(),
) -> Cascade:
    """Of all rebuilds that are due, those whose parents are ready may act.

    A build makes all images of its repository, so its rebuild waits for the parents of all of them. Only where a
    way leads from one image of the repository to another is that impossible: then a rebuild goes as soon as one of
    the images that it is for is ready, and the others are followed up.

    `progress` is that of images, `shown` by child and base. Who has an ancestor that is still to be rebuilt is not
    ready, though nothing of it is due itself: that will come. A severe fix goes at once and is followed up when the
    parents are ready, once. `behind` are, by who builds on them, the bases in mirrors that are to show something
    newer: they are waited for like parents, as long as that is to be expected.

    `gated` are the images that the gate holds back. Nothing of another repository is built upon one of them,
    however long that takes and whatever it would fix.
    """
    awaited = _awaited(behind, now - join_timeout)
    looks = _Looks(graph, progress, shown, awaited.keys())
    frontier: dict[int, Passed] = {}
    waits: dict[int, Wait | Unseen] = {}
    done: set[int] = set()
    for number, due in dues.items():
        links = looks.links_of(due)
        held = [link for link in links if link.parent in gated and link.parent.repository != due.repository]
        if held:
            bases = tuple(sorted({link.base for link in held}))
            again = _next_look(due.since or now, now, join_timeout)
            waits[number] = Wait(bases, len({link.base for link in links}), again, is_gated=True)
            continue
        missing = looks.missing(due)
        late = awaited.get(due.repository, ())
        if not missing and not late:
            end = (due.since or now) + join_timeout
            if due.together is Together.YES:
                done.add(number)
            elif due.together is Together.UNSEEN and now < end:
                waits[number] = Unseen(end)
            else:
                frontier[number] = Passed(_claimed(links, shown))
            continue
        since = [*([due.since or now] if missing else []), *(each.since for each in late)]
        until = max(since) + join_timeout
        if due.is_severe and not due.went_ahead:
            told = f"does not wait for {_named([*missing, *late])}, since it fixes something severe"
            frontier[number] = Passed(told, True)
        elif until <= now:
            told = f"{_named(missing)} is not proven to stand on the new base after {duration(join_timeout)}"
            frontier[number] = Passed(told, True)
        else:
            bases = tuple(sorted({link.base for link in missing}))
            blocked_by = next((found for link in missing if (found := looks.failed(link)) is not None), None)
            waits[number] = Wait(bases, len({link.base for link in links}), until, blocked_by, late)
    return Cascade(frontier, waits, _blocks(graph, progress), frozenset(done))


def _next_look(since: datetime, now: datetime, every: timedelta) -> datetime:
    """The next of the moments that lie so far apart: who waits without an end is not told another one each time."""
    return since + every * ((now - since) // every + 1)


def _blocks(graph: Graph, progress: Mapping[Image, RebuildProgress]) -> dict[int, int]:
    """How many other repositories stand on those whose rebuild failed."""
    failed: dict[int, list[Image]] = {}
    for image, each in progress.items():
        if each is RebuildProgress.FAILED:
            failed.setdefault(image.repository, []).append(image)
    below = {
        number: {image.repository for image in graph.descendants(images)} - {number}
        for number, images in failed.items()
    }
    return {number: len(some) for number, some in below.items() if some}


def _awaited(behind: Mapping[int, Sequence[Behind]], since: datetime) -> dict[int, tuple[Behind, ...]]:
    """What has been behind for longer is waited for no longer: its mirror is filled by the day, or stands still."""
    found = {child: tuple(each for each in some if each.since > since) for child, some in behind.items()}
    return {child: some for child, some in found.items() if some}


class _Looks:
    """What each image and its ancestors are up to, worked out once, parents first; of the repositories `expecting`,
    a base is to move any moment."""

    def __init__(
        self,
        graph: Graph,
        progress: Mapping[Image, RebuildProgress],
        shown: Mapping[tuple[Image, Base], Shown],
        expecting: Collection[int],
    ) -> None:
        self._graph = graph
        self._shown = shown
        self._images: dict[int, set[Image]] = {number: set(some) for number, some in graph.images_of.items()}
        for image in progress:
            self._images.setdefault(image.repository, set()).add(image)
        self._pending: set[Image] = set()
        """Still to be rebuilt, for what they name themselves or for what their ancestors are to bring."""
        self._failed: dict[Image, int] = {}
        """Each with the repository, its own or an ancestor's, whose rebuild failed."""
        above = {
            child: [parent for link in links for parent in self._makers(link)]
            for child, links in graph.parents.items()
        }
        for image in parents_first(above, [image for some in self._images.values() for image in some]):
            parents = above.get(image, [])
            mine = progress.get(image, RebuildProgress.SETTLED)
            is_busy = mine is not RebuildProgress.SETTLED or image.repository in expecting
            if is_busy or not self._pending.isdisjoint(parents):
                self._pending.add(image)
            failed = [self._failed[parent] for parent in parents if parent in self._failed]
            if mine is RebuildProgress.FAILED or failed:
                self._failed[image] = image.repository if mine is RebuildProgress.FAILED else failed[0]

    def _makers(self, link: Link) -> Collection[Image]:
        """All that the parent's build makes, which may move with any of it; the parent alone where the child would
        wait for itself."""
        return (link.parent,) if self._graph.turns(link) else self._images[link.parent.repository]

    def links_of(self, due: Due) -> list[Link]:
        """The links whose parents count for a rebuild."""
        images = {*due.images, *self._graph.images_of.get(due.repository, ())}
        links = [link for image in sorted(images) for link in self._graph.of(image)]
        return [link for link in links if link.child in due.images or not self._graph.turns(link)]

    def missing(self, due: Due) -> list[Link]:
        """The links that a rebuild has to wait for."""
        links = [link for link in self.links_of(due) if not self._is_ready(link)]
        turning = [link for link in links if self._graph.turns(link)]
        if due.images - {link.child for link in turning}:
            return [link for link in links if not self._graph.turns(link)]
        return links

    def _is_ready(self, link: Link) -> bool:
        if not self._pending.isdisjoint(self._makers(link)):
            return False
        return self._shown.get((link.child, link.base), Shown.IDLE).is_enough

    def failed(self, link: Link) -> int | None:
        """The repository whose failure a link waits for."""
        return next((self._failed[image] for image in self._makers(link) if image in self._failed), None)


def _claimed(links: Iterable[Link], shown: Mapping[tuple[Image, Base], Shown]) -> str:
    bases = {link for link in links if shown.get((link.child, link.base)) is Shown.CLAIMED}
    return f"{_named(bases)} is claimed to stand on the new base, its layers do not show it" if bases else ""


def _named(links: Iterable[Link | Behind]) -> str:
    return " and ".join(sorted({link.base.short for link in links}))
