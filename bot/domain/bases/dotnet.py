"""Images of .NET: which image is one, which of them nobody watches, and which versions they declare.

Versions are in their own order: SemVer 2 precedence, with what .NET adds: `8.0.100-1` is a second build of one SDK
image, and `10.0.0-rtm.25523.111` or `8.0.11-servicing.24517.1` are builds of the final version. PEP 440 would not
do: it takes `preview` and `rc` for the same thing.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

from bot.domain.reference import Reference
from bot.domain.tags.choice import is_newer
from bot.domain.wording.words import counted

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


MICROSOFT = "mcr.microsoft.com"
"""Microsoft's registry."""
_DOTNET = re.compile(r"(?:^|[/_.-])(?:dotnet|aspnet|aspnetcore|dotnetcore|netcore)[0-9]*(?=$|[/_.-])")
_FRAMEWORK = re.compile(r"(?:^|/)(?:dotnet[/-]framework|dotnet-framework-[a-z]+)(?=$|/)")
_WINDOWS = re.compile(r"windows(?:/(?:servercore|nanoserver|server)(?:/.+)?)?|windowsservercore|nanoserver")


class ImageFamily(StrEnum):
    """What an image holds, in the words that people use for it."""

    DOTNET = ".NET"
    FRAMEWORK = ".NET Framework"
    WINDOWS = "Windows"


def is_microsofts(registry: str) -> bool:
    """Whether what lies in that registry is published by Microsoft itself, so that nobody else can rebuild it."""
    return registry == MICROSOFT


def family_of(reference: Reference) -> ImageFamily | None:
    """What an image holds, as far as its name says; None for all others."""
    name = reference.repository.lower()
    if _FRAMEWORK.search(name):
        return ImageFamily.FRAMEWORK
    if _DOTNET.search(name):
        return ImageFamily.DOTNET
    by_microsoft = is_microsofts(reference.registry) or name.startswith("microsoft/")
    return ImageFamily.WINDOWS if by_microsoft and _WINDOWS.fullmatch(name.removeprefix("microsoft/")) else None


@dataclass(frozen=True, slots=True)
class Unwatched:
    """An image that matches no glob of `bases`.

    `references` counts the places that name it; `base` is the glob that would take it in, `registry` its host where
    that has to be allowed first.
    """

    name: str
    family: ImageFamily
    references: int
    base: str
    registry: str | None = None

    def __str__(self) -> str:
        count = counted(self.references, "reference")
        allowed = f" (and {self.registry} to registries)" if self.registry else ""
        return (
            f"{self.name} ({self.family}, {count}) is not watched; to watch it, add {self.base} to bases{allowed}"
        )


def unwatched(
    references: Iterable[Reference], bases: Sequence[str], registries: Collection[str]
) -> tuple[Unwatched, ...]:
    """The .NET, .NET Framework and Windows images that no glob of `bases` takes in, the most used ones first."""
    first_uses: dict[str, tuple[Reference, ImageFamily]] = {}
    counts: Counter[str] = Counter()
    for reference in references:
        name = f"{reference.registry}/{reference.repository}"
        family = family_of(reference)
        if family is not None and not any(fnmatchcase(name, glob) for glob in bases):
            first_uses.setdefault(name, (reference, family))
            counts[name] += 1
    return tuple(
        Unwatched(
            name,
            first_uses[name][1],
            count,
            _glob(name),
            None if first_uses[name][0].registry in registries else first_uses[name][0].registry,
        )
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )


def references_by_family(references: Iterable[Reference]) -> Mapping[ImageFamily, int]:
    """Counts how many references there are to images of each family."""
    return Counter(family for reference in references if (family := family_of(reference)) is not None)


def _glob(name: str) -> str:
    """The folder as a whole where that is one of .NET images, such as a mirror's; else the image alone."""
    folder, _, _ = name.rpartition("/")
    if folder.endswith("/framework"):
        folder = folder.removesuffix("/framework")
    return f"{folder}/*" if folder.endswith("/dotnet") else name
