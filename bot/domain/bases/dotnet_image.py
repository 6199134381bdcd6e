"""Which images hold .NET, the .NET Framework or Windows, by their names: Microsoft's and those of others."""

import re
from enum import StrEnum

from bot.domain.reference import Reference

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
