"""Two observations of one base, compared: in what they differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from bot.domain.bases.dotnet_version import DotnetVersion
from bot.domain.bases.going_back import goes_back
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.platform import usual_name


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
