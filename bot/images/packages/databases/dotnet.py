""".NET's own packages: what an application's `*.deps.json` ships, and the shared frameworks of a runtime."""

import re
from collections.abc import Sequence

from bot.domain.packages.package import Inventory, Package, PackageType
from bot.images.packages.databases.overriding import LARGEST_DEPENDENCIES, Assemblies, is_overridden, runtime_target
from bot.images.packages.reading import Collection, malformed, mapping, read_json, text

_SHIPPED_TYPES = frozenset({"package", "runtimepack"})
_ASSETS = ("runtime", "native", "runtimeTargets", "resources")
_NAME = r"(?P<name>Microsoft\.[A-Za-z0-9.]{1,80}\.(?:App|All))"
_VERSION = r"(?P<version>[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9A-Za-z.-]{1,80})?)"
_FRAMEWORK = re.compile(rf"(?P<folder>(?:.*/)?shared/{_NAME}/{_VERSION})(?:/.*)?")
_PLACE = re.compile(rf"(?:.*/)?shared/{_NAME}(?:/{_VERSION})?/?")


def read_dependencies(data: bytes, place: str, frameworks: Sequence[Assemblies] = ()) -> Inventory:
    """The NuGet packages and runtime packs that the application ships, and runs.

    A package that the runtime target lists without assets is not shipped; one that it does not list at all may be,
    and counts. One that the `frameworks` on which the application runs take the place of is never loaded, and they
    count in its stead. Projects are the application itself. Raises `Failure` for what is no such file.
    """
    document = read_json(data, place, LARGEST_DEPENDENCIES)
    libraries = document.get("libraries")
    if not isinstance(libraries, dict):
        raise malformed("has no libraries, so it is no deps.json", place)
    target = runtime_target(document)
    collection = Collection(place)
    for key, library in libraries.items():
        if not isinstance(library, dict):
            collection.refuse(f"library {key[:60]!r} is no object")
            continue
        if text(library.get("type")).lower() not in _SHIPPED_TYPES:
            continue
        if key in target and not any(mapping(target[key]).get(kind) for kind in _ASSETS):
            continue
        if is_overridden(mapping(target.get(key)), frameworks):
            continue
        name, slash, version = key.partition("/")
        if name and slash and version and "/" not in version:
            collection.add(Package(PackageType.NUGET, name, version))
        else:
            collection.refuse(f"a library is named {key[:60]!r}, which is no name with a version")
    return collection.inventory()


def framework_folder(path: str) -> str | None:
    """`…/shared/Microsoft.NETCore.App/8.0.11` where `path` is a file of that shared framework."""
    if "shared/" not in path:
        return None
    match = _FRAMEWORK.fullmatch(path)
    return None if match is None or match["folder"] == path else match["folder"]


def is_framework_place(path: str) -> bool:
    """Whether the path is that of a shared framework's folder, or of the folder of all its versions."""
    return "shared/" in path and _PLACE.fullmatch(path) is not None


def framework(folder: str) -> Package | None:
    """The shared framework that is installed in the folder; the runtime of an image is one."""
    match = _FRAMEWORK.fullmatch(folder)
    if match is None or match["folder"] != folder:
        return None
    return Package(PackageType.NUGET, match["name"], match["version"])
