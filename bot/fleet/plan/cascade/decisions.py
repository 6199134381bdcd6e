"""What is decided of rebuilds among own bases: who is due, who may act, and who waits for which parents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from bot.domain.bases.mirrors import Behind
from bot.domain.reference import Base
from bot.domain.wording.words import counted
from bot.fleet.plan.cascade.graph import Image
from bot.fleet.plan.cascade.shown import Together


class RebuildProgress(StrEnum):
    """How far the rebuild of an image is. `settled` has none that anybody could wait for."""

    SETTLED = "settled"
    DUE = "due"
    """One is planned and has not begun."""
    UNDER_WAY = "under way"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Due:
    """A rebuild of `repository` that has not begun, for these of its images. `since` is when it first was due, and
    `is_severe` says that it fixes something severe; `went_ahead` that another for the same causes did not wait for
    all parents.

    `together` is told of a rebuild that is for images of its own repository alone, which an earlier build may have
    made in one go, and `made_at` when that was; None of every other.
    """

    repository: int
    images: frozenset[Image]
    since: datetime | None = None
    is_severe: bool = False
    went_ahead: bool = False
    together: Together | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """May be rebuilt now. `remark` says what its parents were not proven to show; empty where all is proven."""

    remark: str = ""
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
        sentence = f"waits for {names}, {ready} of {counted(self.parents, 'parent')} ready"
        if self.is_gated:
            return f"{sentence}; the gate holds back what it shows"
        return f"{sentence}; its rebuild failed" if self.blocked_by is not None else sentence


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
    made_before: frozenset[int] = frozenset()
    """An earlier build of the repository has made all that these are for."""
