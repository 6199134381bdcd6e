"""Debian's `status` and the one-package files of `status.d` that distroless images have instead.

The form is that of deb-control(5): paragraphs of `Field: value`, continued on lines that begin with a blank.
"""

import re
from collections.abc import Iterable, Iterator

from bot.domain.packages.package import Inventory, Package, PackageType
from bot.images.packages.reading import MOST_PACKAGES, Collection, lines

_WANTED = frozenset({"package", "status", "version", "architecture", "source"})
_BLANKS = " \t\r\n"
"""What dpkg takes for blank: other letters of that kind, a no-break space for one, are text."""
_SOURCE = re.compile(r"([^\s()]+)(?:\s*\(\s*([^()\s]+))?")
_NOT_INSTALLED = frozenset({"not-installed", "config-files"})
_LONGEST_VALUE = 1024


def read_status(data: bytes, place: str) -> Inventory:
    """The installed packages. A paragraph without `Status` is installed; one without a version is none. Of two for
    one package the last counts, as it does for dpkg.

    Raises `Failure` where no paragraph can be read.
    """
    collection = Collection(place)
    installed: dict[tuple[str, str | None], Package] = {}
    for fields, problem in _paragraphs(lines(data)):
        if problem is not None:
            collection.refuse(problem)
            continue
        package = _package(fields)
        installed.pop((package.name, package.architecture), None)
        if not _is_installed(fields.get("status")):
            continue
        if not package.name or not package.version:
            if fields.get("status"):
                collection.refuse(f"{package.name[:60]} is installed without a version")
            continue
        installed[package.name, package.architecture] = package
        if len(installed) > MOST_PACKAGES:
            break
    for package in installed.values():
        collection.add(package)
    return collection.inventory()


def _paragraphs(content: Iterable[str]) -> Iterator[tuple[dict[str, str], str | None]]:
    """The wanted fields of each paragraph, or what is wrong with it."""
    fields: dict[str, str] = {}
    problem: str | None = None
    is_begun = False
    for number, line in enumerate(content, 1):
        if not line.strip(_BLANKS):
            if is_begun:
                yield fields, problem or _nameless(fields)
            fields, problem, is_begun = {}, None, False
        elif line[0] in " \t":
            if not is_begun:
                problem = f"line {number} continues nothing"
            is_begun = True
        else:
            is_begun = True
            name, colon, value = line.partition(":")
            if not colon:
                problem = problem or f"line {number} is no field: {line[:60]!r}"
            elif (key := name.rstrip(_BLANKS).lower()) in _WANTED:
                fields.setdefault(key, value[:_LONGEST_VALUE].strip(_BLANKS))
    if is_begun:
        yield fields, problem or _nameless(fields)


def _nameless(fields: dict[str, str]) -> str | None:
    """What tells neither a state nor a version tells of no package either, as that which has a name and no more."""
    is_installed = "package" not in fields or fields.get("status") or fields.get("version")
    return "a paragraph names no package" if not fields.get("package") and is_installed else None


def _is_installed(status: str | None) -> bool:
    """`install ok installed` and `deinstall ok installed` are; `deinstall ok config-files` is not.

    The last of the three words is the state; a package that is only half set up has its files in place.
    """
    words = (status or "").lower().split()
    return not words or words[-1] not in _NOT_INSTALLED


def _package(fields: dict[str, str]) -> Package:
    name, version = fields["package"], fields.get("version", "")
    source = _SOURCE.match(fields.get("source", ""))
    return Package(
        PackageType.DEB,
        name,
        version,
        fields.get("architecture") or None,
        source[1] if source else name,
        (source[2] if source else None) or version,
    )
