"""An image that the fleet produces, as it was seen in its registry, and who built it as far as provenance tells."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bases.observation import NotJudged, PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source
from bot.domain.images.standing import LAW, Declaration, ImageStanding, ImageState, behind_since, state_of, weakest
from bot.domain.reference import Base


@dataclass(frozen=True, slots=True)
class Builder:
    """Who built, the highest SLSA build level that this supports, and why not a higher one.

    `repository` is the source as `repository_at_address` tells it, empty where it is not told.
    """

    identity: str
    level: int
    strength: Strength
    reason: str
    repository: str = ""

    def supports(self, level: int) -> bool:
        """Whether this much is proved. A claim supports no level that anything may rest upon."""
        return self.strength is Strength.PROVED and self.level >= level

    @property
    def told(self) -> str:
        """Words it: `built by WORKFLOW of contoso/app, SLSA build level 2: the reason`."""
        of = f" of {self.repository}" if self.repository else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"built by {self.identity}{of}, SLSA build level {self.level}{reason}"


GITHUB = "github.com"


def repository_at_address(address: str, forge: str = GITHUB) -> str:
    """`owner/name` of a repository in the address of its source; empty where it is no such address. `forge` is the
    host whose repositories are meant: one of another keeps its host in front, and is none of theirs.

    `git+https://github.com/contoso/app@refs/heads/main` and `https://github.com/contoso/app.git#main` name one.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in ("https", "git+https"):
        return ""
    path = rest.partition("#")[0].partition("?")[0].partition("@")[0].rstrip("/").removesuffix(".git")
    host, *parts = path.split("/")
    if not host or len(parts) != 2 or not all(parts):
        return ""
    is_ours = host.lower() in (forge.lower(), f"www.{forge.lower()}")
    return "/".join(parts) if is_ours else "/".join((host.lower(), *parts))


Said = tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class SeenImage:
    """What a digest of an image stands for.

    `declared` is what its annotations, labels and provenance say of its base, as `declared_of` finds it;
    `sourced_from` the repository that it names as its source. `created` is when its youngest platform was built, as
    it says itself.
    """

    digest: str
    platforms: tuple[PlatformImage, ...]
    created: datetime | None = None
    declared: Mapping[str, tuple[Declaration, ...]] = field(default_factory=dict)
    sourced_from: str | None = None
    builder: Builder | None = None
    """Who built it, where provenance that somebody trusted signed tells it."""
    unseen: str = ""
    """Why it may tell that after all: more is attached than was looked at. Empty where all was."""
    not_judged: tuple[NotJudged, ...] = ()
    """What of its index is in no `platforms`, and may be an image all the same."""
    fetched: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """Documents that were not kept before, by digest."""
    judged_by: str | None = None
    """The mark of whom signed statements about it were judged by; None where nobody is named."""
    judged_until: datetime | None = None
    """The first moment at which they may be judged otherwise; None where time decides nothing."""


@dataclass(frozen=True, slots=True)
class ProducedImage:
    """An image with the repository that produces it. `found_tag` is the tag under which `digest` was last seen.

    `is_contested` says that another repository claims it with as much weight, so that nothing is done by its word.
    """

    id: int
    repository_id: int
    repository: str
    claim: Claim
    found_tag: str | None = None
    digest: str | None = None
    seen_at: datetime | None = None
    standings: tuple[ImageStanding, ...] = ()
    sourced_from: str | None = None
    is_contested: bool = False
    error: str | None = None
    builder: Builder | None = None
    law: int = LAW
    """Which edition of law 1 judged its standings."""
    not_judged: tuple[NotJudged, ...] = ()
    """Entries of its index that no standing is about."""
    judged_by: str | None = None
    """The mark of whom signed statements about it were judged by; None where nobody is named, or once that verdict
    has ended."""

    @property
    def source(self) -> Source:
        """Whose word counts: signed provenance, and the image's own label, where they are worth more than who made
        the claim."""
        words = {Source.PROVENANCE: self._built_by, Source.LABEL: self.sourced_from or ""}
        sources = [source for source, name in words.items() if name.lower() == self.repository.lower()]
        return min([self.claim.source, *sources], key=lambda each: each.rank)

    @property
    def _built_by(self) -> str:
        """The repository that signed provenance proves; empty where none does."""
        is_proved = self.builder is not None and self.builder.strength is Strength.PROVED
        return self.builder.repository if self.builder is not None and is_proved else ""

    @property
    def doubt(self) -> str | None:
        """Why its repository's word for it does not count; None where it does."""
        if self.is_contested:
            return "another repository says that it produces this image"
        if self.claim.source is Source.SETTINGS:
            return None
        if self._built_by:
            if self._built_by.lower() != self.repository.lower():
                return f"its signed provenance names {self._built_by} as its source"
        elif self.sourced_from and self.sourced_from.lower() != self.repository.lower():
            return f"the image itself names {self.sourced_from} as its source"
        return self.claim.weakness or None

    @property
    def is_parent(self) -> bool:
        """Whether what stands on it waits for its repository's build: no doubt is left, or weak evidence alone and
        the image itself names the repository."""
        only_weak = self.doubt is not None and self.doubt == self.claim.weakness
        return self.doubt is None or (only_weak and self.source.rank < Source.BUILD.rank)

    @property
    def place(self) -> Base:
        """The registry tag under which it was seen last, or is looked for."""
        return Base(self.claim.registry, self.claim.repository, self.found_tag or self.claim.tag.text)

    @property
    def state(self) -> ImageState:
        """How it stands to what its base shows now."""
        return ImageState.NOT_SEEN if self.digest is None else state_of(self.standings)

    @property
    def strength(self) -> Strength:
        """What is known at least of all its platforms."""
        return weakest(self.standings)

    @property
    def behind_since(self) -> datetime | None:
        """Since when some platform of it is surely behind; None where none is."""
        return behind_since(self.standings)


def declared_by(platforms: Sequence[PlatformImage], declarations: Sequence[Said]) -> dict[str, Said]:
    """What each of an image's platforms says, as it is kept: by its platform, and where that has several images, by
    the digest of each."""
    names = Counter(image.platform for image in platforms)
    return {
        image.platform if names[image.platform] == 1 else image.digest: each
        for image, each in zip(platforms, declarations, strict=True)
    }


def declared_of(image: PlatformImage, declared: Mapping[str, Said]) -> Said:
    """What one platform of an image says of its base; nothing that another image of the same platform says."""
    return declared.get(image.digest, declared.get(image.platform, ()))
