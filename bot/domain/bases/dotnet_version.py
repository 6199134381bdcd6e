"""The version numbers that .NET images declare, in their own order, and whether something goes back to an older
one.

SemVer 2 precedence, with what .NET adds: `8.0.100-1` is a second build of the same SDK image, and
`10.0.0-rtm.25523.111` or `8.0.11-servicing.24517.1` are builds of the final version. PEP 440 would not do: it takes
`preview` and `rc` for the same thing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.tags.choice import is_newer

_VERSION = re.compile(
    r"v?(?P<major>\d{1,4})\.(?P<minor>\d{1,4})\.(?P<patch>\d{1,6})"
    r"(?:-(?P<label>[a-z]+)(?:\.(?P<number>\d{1,9}))?(?:\.[0-9a-z.]+)?)?"
    r"(?:-(?P<build>\d{1,6}))?(?:\+[0-9a-z.-]*)?",
    re.IGNORECASE | re.ASCII,
)
_FINAL = frozenset({"rtm", "servicing"})
LONGEST_VERSION = 128


@dataclass(frozen=True, slots=True, order=True)
class DotnetVersion:
    """A runtime, ASP.NET Core or SDK version; `stage` sorts every preview below the final version."""

    major: int
    minor: int
    patch: int
    final: bool = True
    stage: tuple[str, int] = ("", 0)

    @classmethod
    def parse(cls, text: str | None) -> "DotnetVersion | None":
        """Reads a version; None where the text is no .NET version.

        The build numbers behind `preview.1` are left out: images say `8.0.0-preview.1` where the release feed says
        `8.0.0-preview.1.23110.8`.
        """
        return _parse(text) if text is not None and len(text) <= LONGEST_VERSION else None

    @property
    def channel(self) -> str:
        """`8.0`: what gets its own support period and release feed."""
        return f"{self.major}.{self.minor}"

    @property
    def band(self) -> int:
        """The feature band of an SDK version: 3 for `8.0.304`."""
        return self.patch // 100

    def __str__(self) -> str:
        label, number = self.stage
        return f"{self.channel}.{self.patch}" + ("" if self.final else f"-{label}.{number}")


@lru_cache(maxsize=4096)
def _parse(text: str) -> DotnetVersion | None:
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    label = (match["label"] or "").lower()
    final = not label or label in _FINAL
    stage = ("", 0) if final else (label, int(match["number"] or 0))
    return DotnetVersion(int(match["major"]), int(match["minor"]), int(match["patch"]), final, stage)


def goes_back(from_version: str | None, to_version: str | None) -> bool:
    """Whether `to_version` is older than `from_version`; never where one of the two is not known.

    Both are versions as images declare them, or tags of one line of releases.
    """
    if from_version is None or to_version is None:
        return False
    before, after = DotnetVersion.parse(from_version), DotnetVersion.parse(to_version)
    if before is not None and after is not None:
        return after < before
    return is_newer(to_version, from_version)
