"""Who may be rebuilt now, and for which parents the others wait.

Nothing is remembered from one decision to the next: the graph and how each repository stands tell it all, so that
after any crash the next decision is the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.domain.bases.mirrors import Behind
from bot.domain.reference import Base
from bot.domain.wording.words import counted, duration
from bot.plan.cascade.graph import Graph, Link

JOIN_TIMEOUT = timedelta(hours=2)


class Progress(StrEnum):
    """How far a repository's own rebuild is. `settled` has none that anybody could wait for."""

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


@dataclass(frozen=True, slots=True)
class Member:
    """How one repository stands. Of one that is due, `since` is when it first was, and `is_severe` says that its
    rebuild fixes something severe; `went_ahead` that another for the same causes did not wait for all parents.
    """

    progress: Progress = Progress.SETTLED
    since: datetime | None = None
    is_severe: bool = False
    went_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """May be rebuilt now. `told` says what its parents were not proven to show; empty where all is proven."""

    told: str = ""
    is_ahead: bool = False
    """It does not wait for all of its parents."""


@dataclass(frozen=True, slots=True)
class Wait:
    """`bases` are the parents that it waits for, of so many; `until` is when it waits no longer.

    `blocked_by` is the failed repository that has to be mended first, where that is why. `behind` are bases of its
    own in mirrors that do not show yet what upstream does.
    """

    bases: tuple[Base, ...]
    parents: int
    until: datetime
    blocked_by: int | None = None
    behind: tuple[Behind, ...] = ()

    @property
    def reason(self) -> str:
        """`waits for golden-aspnet, 1 of 2 parents ready; waits for myacr.azurecr.io/mcr to show sha256:…`."""
        mirrors = [each.reason for each in self.behind]
        return "; ".join([*([self._of_parents()] if self.bases else []), *mirrors])

    def _of_parents(self) -> str:
        names = " and ".join(sorted({base.repository.rpartition("/")[2] for base in self.bases}))
        ready = self.parents - len(self.bases)
        told = f"waits for {names}, {ready} of {counted(self.parents, 'parent')} ready"
        return f"{told}; its rebuild failed" if self.blocked_by is not None else told


@dataclass(frozen=True, slots=True)
class Cascade:
    """What is decided: who may act, who waits, and of each failed repository how many stand on it."""

    frontier: Mapping[int, Passed] = field(default_factory=lambda: MappingProxyType({}))
    waits: Mapping[int, Wait] = field(default_factory=lambda: MappingProxyType({}))
    blocks: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))


def decide(
    graph: Graph,
    members: Mapping[int, Member],
    shown: Mapping[tuple[int, Base], Shown],
    now: datetime,
    join_timeout: timedelta = JOIN_TIMEOUT,
    behind: Mapping[int, Sequence[Behind]] = MappingProxyType({}),
) -> Cascade:
    """Of all that are due, those whose parents are ready may act.

    `shown` is by child and base. Somebody whose ancestor is still to be rebuilt is not ready, though nothing of it
    is due itself: that will come. A severe fix goes at once and is followed up when the parents are ready, once.
    `behind` are, by who builds on them, the bases in mirrors that are to show something newer: they are waited for
    like parents, as long as that is to be expected.
    """
    awaited = _awaited(behind, now - join_timeout)
    looks = _Looks(graph, members, shown, awaited.keys())
    frontier: dict[int, Passed] = {}
    waits: dict[int, Wait] = {}
    for child, member in members.items():
        if member.progress is not Progress.DUE:
            continue
        links = graph.of(child)
        missing = [link for link in links if not looks.is_ready(link)]
        late = awaited.get(child, ())
        if not missing and not late:
            frontier[child] = Passed(_claimed(links, shown))
            continue
        since = [*([member.since or now] if missing else []), *(each.since for each in late)]
        until = max(since) + join_timeout
        if member.is_severe and not member.went_ahead:
            told = f"does not wait for {_named([*missing, *late])}, since it fixes something severe"
            frontier[child] = Passed(told, True)
        elif until <= now:
            told = f"{_named(missing)} is not proven to stand on the new base after {duration(join_timeout)}"
            frontier[child] = Passed(told, True)
        else:
            bases = tuple(sorted({link.base for link in missing}))
            blocked_by = next((found for link in missing if (found := looks.failed(link.parent)) is not None), None)
            waits[child] = Wait(bases, len({link.base for link in links}), until, blocked_by, late)
    failed = [number for number, member in members.items() if member.progress is Progress.FAILED]
    blocks = {number: len(below) for number in failed if (below := graph.descendants(number))}
    return Cascade(frontier, waits, blocks)


def _awaited(behind: Mapping[int, Sequence[Behind]], since: datetime) -> dict[int, tuple[Behind, ...]]:
    """What has been behind for longer is waited for no longer: its mirror is filled by the day, or stands still."""
    found = {child: tuple(each for each in some if each.since > since) for child, some in behind.items()}
    return {child: some for child, some in found.items() if some}


class _Looks:
    """What each member and its ancestors are up to, worked out once, parents first; of `expecting`, a base is to
    move any moment."""

    def __init__(
        self,
        graph: Graph,
        members: Mapping[int, Member],
        shown: Mapping[tuple[int, Base], Shown],
        expecting: Collection[int],
    ) -> None:
        self._shown = shown
        self._pending: set[int] = set()
        """Still to be rebuilt, for what they name themselves or for what their ancestors are to bring."""
        self._failed: dict[int, int] = {}
        """Each with the repository, itself or an ancestor, whose rebuild failed."""
        in_order = graph.in_order()
        for number in (*in_order, *(members.keys() - set(in_order))):
            progress = members.get(number, Member()).progress
            parents = [link.parent for link in graph.of(number)]
            is_busy = progress is not Progress.SETTLED or number in expecting
            if is_busy or not self._pending.isdisjoint(parents):
                self._pending.add(number)
            above = [self._failed[parent] for parent in parents if parent in self._failed]
            if progress is Progress.FAILED or above:
                self._failed[number] = number if progress is Progress.FAILED else above[0]

    def is_ready(self, link: Link) -> bool:
        if link.parent in self._pending:
            return False
        return self._shown.get((link.child, link.base), Shown.IDLE).is_enough

    def failed(self, number: int) -> int | None:
        return self._failed.get(number)


def _claimed(links: Iterable[Link], shown: Mapping[tuple[int, Base], Shown]) -> str:
    bases = {link for link in links if shown.get((link.child, link.base)) is Shown.CLAIMED}
    return f"{_named(bases)} is claimed to stand on the new base, its layers do not show it" if bases else ""


def _named(links: Iterable[Link | Behind]) -> str:
    return " and ".join(sorted({link.base.short for link in links}))
