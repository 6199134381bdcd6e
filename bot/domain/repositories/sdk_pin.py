"""The SDK that a global.json asks for, and how it is kept consistent with the SDK image that builds there.

Matching rules: https://learn.microsoft.com/dotnet/core/tools/global-json.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.tags.choice import is_newer
from bot.domain.tags.tag import Tag

_BAND = 100
_FULL_PRECISION = 3


class RollForward(StrEnum):
    """How far from the pinned version an installed SDK may be."""

    PATCH = "patch"
    FEATURE = "feature"
    MINOR = "minor"
    MAJOR = "major"
    LATEST_PATCH = "latestPatch"
    LATEST_FEATURE = "latestFeature"
    LATEST_MINOR = "latestMinor"
    LATEST_MAJOR = "latestMajor"
    DISABLE = "disable"


@dataclass(frozen=True, slots=True)
class SdkPin:
    """The SDK that a global.json asks for; `allow_prerelease` is what `dotnet` assumes outside Visual Studio."""

    version: str
    roll_forward: RollForward = RollForward.LATEST_PATCH
    allow_prerelease: bool = True

    def accepts(self, installed: str) -> bool:
        """Whether `dotnet` would run with this SDK as the only one installed, as in an SDK image."""
        if installed == self.version:
            return True
        pinned, other = Tag.parse(self.version), Tag.parse(installed)
        if self.roll_forward is RollForward.DISABLE or not is_newer(pinned, other):
            return False
        if other.is_prerelease and not (self.allow_prerelease or pinned.is_prerelease):
            return False
        matches = {
            RollForward.PATCH: _band(pinned) == _band(other),
            RollForward.FEATURE: pinned.parts[:2] == other.parts[:2],
            RollForward.MINOR: pinned.parts[:1] == other.parts[:1],
            RollForward.MAJOR: True,
        }
        return matches[RollForward(self.roll_forward.removeprefix("latest").lower())]

    def must_move(self, image_version: str, *, image_is_pinned: bool) -> bool:
        """Whether the pin has to become `image_version`, the SDK that the repository's image now holds.

        It moves along with an image that is itself pinned to a version; with a floating one only where `dotnet`
        would refuse to build. Never backwards, and never into another channel.
        """
        pinned, image = Tag.parse(self.version), Tag.parse(image_version)
        if not is_sdk_version(image_version):
            return False
        if pinned.parts[:2] != image.parts[:2] or not is_newer(pinned, image):
            return False
        return image_is_pinned or not self.accepts(image_version)


def is_sdk_version(text: str) -> bool:
    """Whether it is all of a released version and nothing else, such as `8.0.404`."""
    version = Tag.parse(text)
    return version.precision == _FULL_PRECISION and not version.prefix and not version.words


def _band(version: Tag) -> tuple[int, ...]:
    """Major, minor and feature band: `8.0.404` belongs to 8.0.4xx."""
    return (*version.parts[:2], *(part // _BAND for part in version.parts[2:3]))
