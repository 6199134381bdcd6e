"""Which assemblies of an application a shared framework takes the place of, as .NET's host decides at its start.

The host loads, of an assembly that the application and a framework both have, the one with the higher assembly
version, of equal ones that with the higher file version; both stand in `*.deps.json`. Where no
`*.runtimeconfig.json` beside that names a framework, nothing is taken: it may be a plug-in's, which loads its own.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.failure import Failure
from bot.domain.packages.package import Package, PackageType
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.images.packages.reading import items, mapping, read_json, text

CONFIG = ".runtimeconfig.json"
LARGEST_CONFIG = 64 * 1024
DEPENDENCIES = ".deps.json"
LARGEST_DEPENDENCIES = 4 * 1024 * 1024
_CORE = "Microsoft.NETCore.App"
"""What every other framework stands on."""
_NUMBERS = 4

AssemblyVersion = tuple[tuple[int, ...], tuple[int, ...]]
"""Assembly version and file version."""
Assemblies = Mapping[str, AssemblyVersion]
"""By file name in lower case."""


class SharedFrameworks:
    """The shared frameworks that an image has installed, with the assemblies of each version."""

    def __init__(self, installed: Mapping[str, Package], files: Mapping[str, bytes]) -> None:
        """`installed` are they by their folders; `files` are what is read of the image."""
        self._files = files
        self._folders: dict[str, list[tuple[str, str]]] = {}
        for folder, package in installed.items():
            self._folders.setdefault(package.name, []).append((package.version, folder))
        self._known: dict[str, Assemblies] = {}

    def beside(self, path: str) -> tuple[Assemblies, ...]:
        """The assemblies of each framework that the application with these dependencies runs on, as they are in all
        versions that the host may choose; empty where nothing says that it runs on any."""
        config = self._files.get(f"{path.removesuffix(DEPENDENCIES)}{CONFIG}")
        requested = _requested(config, path) if config is not None and self._folders else {}
        return tuple(filter(None, (self._assemblies(name, version) for name, version in requested.items())))

    def _assemblies(self, name: str, least: str) -> Assemblies:
        """Those of a framework in all installed versions from that one on, each in its lowest version."""
        several = [
            self._of_folder(folder, name)
            for version, folder in self._folders.get(name, ())
            if not least or _is_at_least(version, least)
        ]
        if not several:
            return {}
        in_all = set.intersection(*(set(each) for each in several))
        return {assembly: min(each[assembly] for each in several) for assembly in in_all}

    def _of_folder(self, folder: str, name: str) -> Assemblies:
        if folder not in self._known:
            place = f"{folder}/{name}{DEPENDENCIES}"
            data = self._files.get(place)
            self._known[folder] = {} if data is None else _listed_assemblies(data, place)
        return self._known[folder]


def is_overridden(target: Mapping[str, Any], frameworks: Sequence[Assemblies]) -> bool:
    """Whether a framework takes the place of all code of a package, whose entry in the runtime target this is."""
    if not frameworks or target.get("native"):
        return False
    assemblies = list(_assemblies_of(target))
    return bool(assemblies) and all(
        version is not None and any(version < each.get(name, version) for each in frameworks)
        for name, version in assemblies
    )


def _requested(config: bytes, place: str) -> dict[str, str]:
    """The frameworks that an application runs on, with the lowest version; none for one that brings its own, and
    where that cannot be read."""
    try:
        options = mapping(read_json(config, place, LARGEST_CONFIG).get("runtimeOptions"))
    except Failure:
        return {}
    named = [mapping(each) for each in (options.get("framework"), *items(options.get("frameworks")))]
    requested = {name: text(each.get("version")) for each in named if (name := text(each.get("name")))}
    return {_CORE: "", **requested} if requested and not options.get("includedFrameworks") else {}


def _listed_assemblies(data: bytes, place: str) -> Assemblies:
    """Those that a framework's own `*.deps.json` lists with both versions."""
    try:
        document = read_json(data, place, LARGEST_DEPENDENCIES)
    except Failure:
        return {}
    packages = runtime_target(document).values()
    listed = [entry for package in packages for entry in _assemblies_of(mapping(package))]
    return {name: version for name, version in listed if version is not None}


def runtime_target(document: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `targets` that `runtimeTarget` names: a text, or an object with a name in it."""
    target = document.get("runtimeTarget")
    name = text(target) or text(mapping(target).get("name"))
    return mapping(mapping(document.get("targets")).get(name))


def _assemblies_of(target: Mapping[str, Any]) -> Iterator[tuple[str, AssemblyVersion | None]]:
    """The code of a package, whatever platform it is for; without a version where not both are told."""
    for kind in ("runtime", "runtimeTargets"):
        for path, asset in mapping(target.get(kind)).items():
            assembly, file = (
                _version_of(text(mapping(asset).get(f"{each}Version"))) for each in ("assembly", "file")
            )
            version = None if assembly is None or file is None else (assembly, file)
            yield posixpath.basename(path).lower(), version


def _version_of(version: str) -> tuple[int, ...] | None:
    numbers = version.split(".")
    is_one = len(numbers) == _NUMBERS and all(
        each.isascii() and each.isdigit() and len(each) < 10 for each in numbers
    )
    return tuple(map(int, numbers)) if is_one else None


def _is_at_least(version: str, least: str) -> bool:
    """Also where that cannot be told: whatever the host might choose has to be looked at."""
    try:
        return compare_versions(PackageType.NUGET, version, least) >= 0
    except BadVersion:
        return True
