"""Images as pages show them: all of them, each with what it stands on and where it runs, and those on one base."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.evidence import Strength
from bot.domain.images.standing import ImageState
from bot.domain.packages.changes import PackageChange
from bot.views.images.image_contents import ImageCves
from bot.views.images.images import Deployment, GateView
from bot.views.paging import Page

IMAGE_WORDS: Mapping[ImageState, str] = {
    ImageState.BEHIND: "it surely stands on what its base no longer shows",
    ImageState.CONTRADICTED: "what tells of its base disagrees",
    ImageState.UNSEEN_BUILD: "its base is known, and which build of that it stands on was not seen",
    ImageState.UNKNOWN: "it was looked at, and nothing tells on what all its platforms stand",
    ImageState.NOT_SEEN: "it was not looked at yet, or could not be",
    ImageState.CLAIMED: "it may stand on what its base shows now, and something of that is only claimed",
    ImageState.CURRENT: "its layers, or verified provenance, prove that it stands on what its base shows now",
}


@dataclass(frozen=True, slots=True)
class WantedImages:
    """Which images: those whose name, or whose repository's, holds `text`, in this state."""

    text: str = ""
    state: ImageState | None = None


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image in one line; `stands_on` is in words."""

    name: str
    tag: str
    repository: str
    state: ImageState
    stands_on: str
    strength: Strength
    behind_since: datetime | None
    seen_at: datetime | None
    doubt: str | None
    error: str | None
    gate: GateView | None = None


@dataclass(frozen=True, slots=True)
class Images:
    """`states` counts all images, whatever is wanted."""

    states: Mapping[ImageState, int]
    images: Page[ImageRow]

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """What one platform of an image stands on, in words; `base` is that which it is seen to stand on."""

    platform: str
    stands_on: str
    base: str | None
    strength: Strength
    behind_since: datetime | None
    disagreement: str


@dataclass(frozen=True, slots=True)
class SbomRow:
    """An SBOM of one platform: how it came there, what it is worth and why, how many packages it lists, and what it
    lists other than the layers show; None where either cannot be read."""

    origin: str
    strength: Strength
    told: str
    at: datetime
    packages: int
    problems: tuple[str, ...]
    differences: tuple[PackageChange, ...] | None


@dataclass(frozen=True, slots=True)
class PlatformPackages:
    """What one platform of an image holds: `packages` counts those that its layers show, None before they are read,
    `types` the same by type; `problems` says what of them cannot be. `not_read` says why they were not read, empty
    where they were, at `read_at`. `from_base` counts those that its base has in the same version, None where what
    that held is not known."""

    platform: str
    packages: int | None
    problems: tuple[str, ...]
    sboms: tuple[SbomRow, ...]
    types: Mapping[str, int]
    from_base: int | None
    read_at: datetime | None
    not_read: str

    @property
    def added(self) -> int | None:
        """What the image has beside its base, or in another version; None where that is not known."""
        return None if self.packages is None or self.from_base is None else self.packages - self.from_base


@dataclass(frozen=True, slots=True)
class ImageDetail:
    """One claim to an image: by whose word its repository produces it, and where; `digest` was seen last, and
    `built` tells in words who built it by signed provenance."""

    image: ImageRow
    digest: str | None
    by_word_of: str
    path: str
    line: int
    url: str | None
    looked_at: datetime | None
    built: str | None
    platforms: tuple[PlatformRow, ...]
    packages: tuple[PlatformPackages, ...]
    gate: GateView | None = None


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A place where an image is run, with its address on the forge, and the tags of those that it may be."""

    place: Deployment
    url: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImagePage:
    """An image under one name, which several repositories may claim.

    `claims` are the first of `claim_count`. `cves` are the worst of the image under one of its tags; `deployed` are
    the first of `deployment_count`.
    """

    name: str
    claims: tuple[ImageDetail, ...]
    claim_count: int
    cves: ImageCves
    deployed: tuple[DeploymentRow, ...]
    deployment_count: int

    def of_tag(self, tag: str) -> tuple[tuple[ImageDetail, ...], tuple[ImageDetail, ...]]:
        """The claims to this tag, those whose word counts first, and the claims to others."""
        mine = sorted(
            (each for each in self.claims if each.image.tag == tag), key=lambda each: bool(each.image.doubt)
        )
        return tuple(mine), tuple(each for each in self.claims if each.image.tag != tag)


@dataclass(frozen=True, slots=True)
class OnBase:
    """The images that are seen to stand on one base, those that are behind first: the first of `total`."""

    images: tuple[ImageRow, ...]
    total: int
    behind: int
