"""Alpine's `installed`: records of one-letter fields (apk-tools, installed database v2).

`P` is the name, `V` the version, `A` the architecture, `o` the package it was built with; the files of a package
follow as `F`, `R`, `a` and `Z` lines and are passed over.
"""

from itertools import chain

from bot.domain.packages.package import Inventory, Package, PackageType
from bot.images.packages.reading import Collection, lines

_WANTED = frozenset("PVAo")
_LONGEST_VALUE = 1024


def read_installed(data: bytes, place: str) -> Inventory:
    """The installed packages; a record without a version is none. Raises `Failure` where none can be read."""
    collection = Collection(place)
    fields: dict[str, str] = {}
    problem: str | None = None
    is_begun = False
    for number, line in enumerate(chain(lines(data), ("",)), 1):
        if not line.strip():
            if is_begun:
                _add(fields, problem, collection)
            fields, problem, is_begun = {}, None, False
            continue
        is_begun = True
        if line[1:2] != ":" or not line[0].isalpha():
            problem = problem or f"line {number} is no field: {line[:60]!r}"
        elif line[0] in _WANTED:
            fields[line[0]] = line[2 : 2 + _LONGEST_VALUE].strip()
    return collection.inventory()


def _add(fields: dict[str, str], problem: str | None, collection: Collection) -> None:
    name, version = fields.get("P"), fields.get("V")
    if problem is not None:
        collection.refuse(problem)
    elif not name:
        collection.refuse("a record names no package")
    elif version:
        source = fields.get("o") or name
        collection.add(Package(PackageType.APK, name, version, fields.get("A") or None, source, version))
