"""What a base shows, under the name that a child uses, of the last rebuild of whoever produces it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Target
from bot.plan.cascade.frontier import Shown


@dataclass(frozen=True, slots=True)
class LastBuild:
    """The last build of a repository that came to its end: when it began, and what it was for."""

    began_at: datetime | None
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Stood:
    """What the layers of a base tell: the bases that it stands on, and, as hashes, what of them it was built on and
    what they show now."""

    bases: frozenset[Base]
    built: str
    wanted: str

    @property
    def is_current(self) -> bool:
        return self.built == self.wanted


def shown_of(
    moved_at: datetime | None, build: LastBuild | None, digests: Mapping[Base, str | None], stood: Stood | None
) -> Shown:
    """What may be built upon. `moved_at` is when the base showed another digest last, `digests` what the bases of
    its producer show now; `stood` is None where layers do not tell what it stands on.

    Layers decide for the bases that they show. One that they do not show, such as that of a build stage, is told by
    the time: the tag must have moved since the build began.
    """
    if build is None or not build.targets:
        return Shown.PROVED if stood is not None and stood.is_current else Shown.IDLE
    is_meant = all(digests.get(target.base) == target.to_digest for target in build.targets)
    has_moved = moved_at is not None and build.began_at is not None and moved_at >= build.began_at
    if stood is not None and not stood.is_current:
        return Shown.OLD if is_meant else Shown.IDLE
    if stood is not None and all(target.base in stood.bases for target in build.targets):
        return Shown.PROVED
    if has_moved:
        return Shown.CLAIMED
    if not is_meant:
        return Shown.IDLE
    return Shown.OLD if build.began_at is not None else Shown.UNTOLD
