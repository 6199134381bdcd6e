"""Which images a fixed NuGet package is in.

The shared frameworks are published as runtime packs, one package for each runtime identifier:
`Microsoft.NETCore.App.Runtime.linux-musl-x64`. Names compare without regard to case, as NuGet does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

RUNTIME_IMAGES = frozenset({"runtime", "aspnet", "sdk"})
ASPNET_IMAGES = frozenset({"aspnet", "sdk"})
SDK_IMAGES = frozenset({"sdk"})
"""The image families that carry the .NET runtime, ASP.NET Core and the SDK's own tools."""

LINUX = frozenset({"linux", "musl"})
"""What a source means that says `Linux` and does not tell glibc from musl."""

_PACK = re.compile(
    r"microsoft\.(?P<framework>netcore|aspnetcore)\.app\.(?:runtime|host|crossgen2)"
    r"(?:\.(?:mono|nativeaot))?\.(?P<rid>[a-z0-9-]+)"
)
_RUNTIME_IDENTIFIER = re.compile(r"(?P<system>linux-musl|linux|win|osx)-(?:x64|x86|arm64|arm|armv6|s390x|ppc64le)")
_SYSTEMS = {"linux": "linux", "linux-musl": "musl", "win": "windows", "osx": "macos"}
_SDK_TOOLS = ("microsoft.build", "nuget.")


@dataclass(frozen=True, slots=True)
class FixedPackage:
    """A package of an advisory; `version` is the first patched one where the advisory names it."""

    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class AdvisoryReach:
    """Families, systems and .NET versions, as in `Advisory`; families are empty where no image is touched."""

    families: frozenset[str]
    systems: frozenset[str]
    versions: tuple[str, ...]


def reach(packages: Iterable[FixedPackage]) -> AdvisoryReach:
    """Returns the image families, systems and .NET versions that the packages of one advisory touch together.

    Runtime packs decide where there are any: the MSBuild and NuGet packages beside them have version numbers of
    their own. Packages that are in no image (Android and browser packs, other libraries) are passed over.
    """
    families: set[str] = set()
    systems: set[str] = set()
    versions: dict[str, None] = {}
    tools = False
    for package in packages:
        name = package.name.lower()
        pack = _PACK.fullmatch(name)
        identifier = _RUNTIME_IDENTIFIER.fullmatch(pack["rid"]) if pack else None
        if pack and identifier:
            families |= RUNTIME_IMAGES if pack["framework"] == "netcore" else ASPNET_IMAGES
            systems.add(_SYSTEMS[identifier["system"]])
            if package.version:
                versions[package.version] = None
        tools = tools or name.startswith(_SDK_TOOLS)
    if not families and tools:
        families |= SDK_IMAGES
    return AdvisoryReach(frozenset(families), frozenset(systems), versions_in_order(versions))


def versions_in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """.NET versions, each once, oldest first; a preview comes before its release (semver.org, section 11)."""
    return tuple(sorted(set(versions), key=_order))


def _order(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    core, _, preview = version.partition("-")
    parts = preview.split(".") if preview else []
    return (
        tuple(int(part) if part.isdigit() else 0 for part in core.split(".")),
        not preview,
        tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts),
    )
