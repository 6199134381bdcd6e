"""What a registry showed for a base at one moment, how two such observations differ, and what is shown in turn.

The first sight of a digest is a move, told at once. Going back to one is doubted: in three recorded years no tag of
Microsoft's did. So what was shown before counts again where two looks in a row show it and the tag had been at rest
for a day, and else once it was shown alone for a day. However edges disagree, a tag goes back at most once a day.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import zip_longest

from bot.domain.bases.dotnet import DotnetVersion, goes_back
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
    `bot.domain.bases.observation`."""


@dataclass(frozen=True, slots=True)
class OsMove:
    """A platform whose distribution is another one."""

    platform: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two observations of a base; platforms are named, in the order of the later one.

    `layers_unrecorded`: for some changed platform one side or both do not say which layers it has.
    """

    from_version: str | None
    to_version: str | None
    withdrawn: bool = False
    returned: bool = False
    common: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    os_moves: tuple[OsMove, ...] = ()
    os_layers: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    layers_unrecorded: bool = False

    @property
    def version_moved(self) -> bool:
        """Whether the .NET version moved. It tells only where both sides declare one: runtime-deps never does."""
        return None not in (self.from_version, self.to_version) and self.from_version != self.to_version

    @property
    def rolled_back(self) -> bool:
        """Whether the version is older than it was: a tag that upstream took back, or a mirror that lost some."""
        return goes_back(self.from_version, self.to_version)

    @property
    def channel_moved(self) -> bool:
        before, after = DotnetVersion.parse(self.from_version), DotnetVersion.parse(self.to_version)
        return before is not None and after is not None and before.channel != after.channel


def compare(before: Observation, after: Observation) -> Difference:
    """Says in what two observations of a base differ; in `before` it had a digest, `after` may be its withdrawal.

    Equal digests mean that it was withdrawn in between and came back as it was.
    """
    if after.digest is None:
        return Difference(before.version, None, withdrawn=True)
    if after.digest == before.digest:
        return Difference(before.version, after.version, returned=True)
    earlier, later = before.by_platform(), after.by_platform()
    shared = [platform for platform in later if platform in earlier]
    changed = [pair for platform in shared for pair in _moved(earlier[platform], later[platform])]
    return Difference(
        from_version=before.version,
        to_version=after.version,
        common=tuple(shared),
        changed=_platforms(new for _, new in changed),
        os_moves=tuple(
            OsMove(new.platform, old.os, new.os)
            for old, new in changed
            if old.os is not None and new.os is not None and old.os != new.os
        ),
        os_layers=_platforms(new for old, new in changed if old.short_layers[:1] != new.short_layers[:1]),
        added=tuple(platform for platform in later if platform not in earlier),
        dropped=tuple(platform for platform in earlier if platform not in later),
        layers_unrecorded=any(_unrecorded(old, new) for old, new in changed),
    )


def _moved(
    before: Sequence[PlatformImage], after: Sequence[PlatformImage]
) -> list[tuple[PlatformImage, PlatformImage]]:
    """The images of one platform that are others now, each with the one in its place before; what is new in the
    place of none is compared with the last."""
    pairs = zip_longest(before, after)
    return [
        (old or before[-1], new or after[-1])
        for old, new in pairs
        if old is None or new is None or old.digest != new.digest
    ]


def _platforms(images: Iterable[PlatformImage]) -> tuple[str, ...]:
    """Names the platforms of these images, each once."""
    return tuple(dict.fromkeys(usual_name(image.platform) for image in images))


def _unrecorded(before: PlatformImage, after: PlatformImage) -> bool:
    return not before.layers or not after.layers


DOUBTED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShowsTwo:
    """A registry shows `other` beside the digest that a base is taken to show; it changed over last at `since`."""

    other: str
    since: datetime

    @property
    def told(self) -> str:
        """Words it, to stand behind the name of a base: which two digests its registry shows."""
        return f"the registry shows two, this digest and {first_digits(self.other)}, which was shown before"


@dataclass(frozen=True, slots=True)
class LastLook:
    """What is known of a base: the `digest` that it is taken to show since `moved_at`, and another of before where
    the last look showed that (`unconfirmed`)."""

    digest: str | None
    moved_at: datetime | None
    unconfirmed: str | None = None
    shows_two: ShowsTwo | None = None

    def doubt(self, digest: str, now: datetime) -> ShowsTwo | None:
        """Whether the registry shows two, now that it shows the base's digest or one of before; None where what it
        shows may be believed once two looks in a row show it."""
        if digest == (self.unconfirmed or self.digest):
            is_settled = self.shows_two is None or now - self.shows_two.since >= DOUBTED_FOR
            return None if is_settled else self.shows_two
        was_at_rest = self.moved_at is None or now - self.moved_at >= DOUBTED_FOR
        if self.shows_two is None and self.unconfirmed is None and was_at_rest:
            return None
        other = digest if digest != self.digest else self.unconfirmed
        return ShowsTwo(other, now) if other is not None else None
