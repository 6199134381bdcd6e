"""Which images hold .NET, the .NET Framework or Windows, by their names, and which of a fleet's nobody watches."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.domain.reference import Reference
from bot.domain.wording.words import counted

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
