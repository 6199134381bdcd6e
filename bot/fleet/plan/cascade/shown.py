"""What a base shows, under the name that a child uses, of the last rebuild of whoever produces it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.images.standing import ImageStanding, ImageState, judged, state_of
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Target


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
class LastBuild:
    """The last build of an image that came to its end: when it began and was seen to be done, and what it was
    for."""

    began_at: datetime | None
    targets: tuple[Target, ...]
    built_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stood:
    """What the layers of a base tell: the bases that it stands on, and, as hashes, what of them it was built on and
    what they show now."""

    bases: frozenset[Base]
    built: str
    current: str

    @property
    def is_current(self) -> bool:
        return self.built == self.current


@dataclass(frozen=True, slots=True)
class ImageSight:
    """When an image was looked at last, and what it was seen to stand on."""

    looked_at: datetime | None
    standings: tuple[ImageStanding, ...]


def made_together(bases: Collection[Base], since: datetime | None, images: Sequence[ImageSight | None]) -> Together:
    """Whether the build that made `bases`, which are images of one repository, made those upon them too.

    `since` is when the bases had moved and that build was done; a look at an image counts from then on. What layers
    do not prove is not so.
    """
    if any(sight is None for sight in images):
        return Together.NO
    sights = [sight for sight in images if sight is not None]
    if any(sight.looked_at is None or (since is not None and sight.looked_at < since) for sight in sights):
        return Together.UNSEEN
    judged_standings = [judged(sight.standings) for sight in sights]
    stands = [
        each.is_current and each.of(bases).base in bases
        for image_standings in judged_standings
        for each in image_standings
    ]
    return Together.YES if stands and all(stands) and all(judged_standings) else Together.NO


def is_mended(failed_at: datetime, moved: Collection[datetime], sights: Sequence[ImageSight]) -> bool:
    """Whether an image whose rebuild failed was built by somebody since: looked at after that, and after its bases
    have `moved`, each of its tags is current."""
    since = max([failed_at, *moved])
    return bool(sights) and all(
        sight.looked_at is not None and sight.looked_at >= since and state_of(sight.standings) is ImageState.CURRENT
        for sight in sights
    )


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
