"""What a registry showed for a base at one moment."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from bot.domain.platform import usual_name
from bot.domain.reference import Base

_FIRST_IMAGES = datetime(2013, 1, 1, tzinfo=UTC)
"""Docker is of that year."""


@dataclass(frozen=True, slots=True, order=True)
class DeclaredVersion:
    """A variable such as `ASPNET_VERSION` in an image's configuration; `step` is the place in the image's history
    of the step that set it last, None where none shows."""

    name: str
    value: str
    step: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class PlatformImage:
    """One platform of an index (or the single manifest itself).

    `platform` is `os/architecture[/variant]`; `created` is the image's own RFC 3339 text; `os` is the
    distribution as far as known (`noble-chiseled`, `alpine3.22`). `layers` are the digests of the layers as the
    registry holds them, `diff_ids` those of what is in them unpacked (which an image that stands on this one keeps,
    however it was pushed), both bottom first. What was observed before whole digests were kept, and what an
    inventory tells, has the first 12 hex digits of `layers` alone, and no `diff_ids`. `config` is the digest of the
    image's configuration, by which engines name it; what makes two images differ, the other digests tell.
    `versions` are those of .NET that its configuration declares, None where that was not read; `history` has a
    short digest of each step in it, the oldest first: an image mostly keeps those of its base.
    """

    platform: str
    digest: str
    created: str | None = None
    os: str | None = None
    layers: tuple[str, ...] = ()
    diff_ids: tuple[str, ...] = ()
    config: str | None = field(default=None, compare=False)
    versions: tuple[DeclaredVersion, ...] | None = field(default=None, compare=False)
    history: tuple[str, ...] = field(default=(), compare=False)

    @property
    def short_layers(self) -> tuple[str, ...]:
        """The layers as far as every observation knows them: to compare by, and to show."""
        return tuple(first_digits(layer) for layer in self.layers)


@dataclass(frozen=True, slots=True, order=True)
class NotJudged:
    """One entry of an index that may be an image, and that nothing is known of: what it stands on least of all.

    `name` is as the index shows it: a platform, with the version of Windows where there is one
    (`windows/amd64 10.0.20348.2700`), else the first digits of its digest. `reason` says why, without a full stop.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def first_digits(digest: str) -> str:
    """The first 12 hex digits, whether or not there are more."""
    return digest.rpartition(":")[2][:12]


@dataclass(frozen=True, slots=True)
class Observation:
    """`digest` is None where the tag was withdrawn from the published inventory.

    `version` is the .NET (for sdk images the SDK) version that the image declares; None for runtime-deps.
    `platforms` has each image of the index that was read, also several of one platform; `not_judged` are the
    entries that were not.
    """

    at: datetime
    base: Base
    digest: str | None
    version: str | None = None
    created: str | None = None
    platforms: tuple[PlatformImage, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()

    @property
    def made_at(self) -> datetime | None:
        """When the image says that it was made; None where it does not, or names a time before there were any, as
        what is built to be the same again does."""
        try:
            made_at = datetime.fromisoformat(self.created or "")
        except ValueError:
            return None
        return made_at if made_at.tzinfo is not None and made_at >= _FIRST_IMAGES else None

    def by_platform(self) -> dict[str, tuple[PlatformImage, ...]]:
        """The images of each platform, in the order of the index, by the name that the platform goes by: what was
        stored early may have another, such as `linux/arm`. Windows has several of one platform."""
        return _by_platform(self.platforms)


def named_apart(images: Iterable[PlatformImage]) -> Iterator[tuple[str, PlatformImage]]:
    """Each image of an index with a name of its own: its platform's for the first of a platform, which runtimes
    take, and `windows/amd64 2` for the second."""
    for platform, several in _by_platform(images).items():
        for number, image in enumerate(several, start=1):
            yield platform if number == 1 else f"{platform} {number}", image


def _by_platform(images: Iterable[PlatformImage]) -> dict[str, tuple[PlatformImage, ...]]:
    by_name: dict[str, tuple[PlatformImage, ...]] = {}
    for image in images:
        name = usual_name(image.platform)
        by_name[name] = (*by_name.get(name, ()), image)
    return by_name


class Sight(StrEnum):
    """How what a registry shows differs from what it showed before."""

    FIRST = "first"
    """A baseline, no change."""
    MOVED = "moved"
    CAME_BACK = "came-back"
    """A digest that the base showed before: a publication taken back. Caches that disagree look alike, see
    `bot.domain.bases.shown_in_turn`."""
