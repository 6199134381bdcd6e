"""Where an image keeps what tells its packages, and which reader each place has.

Paths are relative to the root, with `/` between their parts.
"""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from bot.domain.failure import Failure
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.images.packages.databases import apk, chisel, dotnet, dpkg, overriding, rpm_dbpath
from bot.images.packages.databases import rpm as rpm
from bot.images.packages.databases import rpm as rpm_database
from bot.images.packages.reading import lines

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE = re.compile(
    r"\s*(?:export[ \t]+)?(?P<name>ID|VERSION_ID)="
    r"(?P<value>(?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^\s'\"\\;&|<>()])*)"
    r"\s*(?:;\s*)?(?:(?<=[\s;])#.*)?",
    re.ASCII | re.DOTALL,
)
"""An assignment as a shell has it: its value is put together of what is in quotes and what is not."""
_PIECE = re.compile(r"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|\\(?P<escaped>.)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r"\\([\"$`\\])")
_VALUE = re.compile(r"[A-Za-z0-9._+:~-]{0,64}", re.ASCII)


def read_os_release(data: bytes) -> Distribution | None:
    """Reads a distribution; None where none is named.

    Lines of another form are passed over, as its readers must.
    """
    values: dict[str, str] = {}
    for line in lines(data.removeprefix(_BYTE_ORDER_MARK)):
        match = _LINE.fullmatch(line)
        value = _PIECE.sub(_plain, match["value"]) if match else ""
        if match and _VALUE.fullmatch(value):
            values[match["name"]] = value
    return Distribution(values["ID"], values.get("VERSION_ID", "")) if values.get("ID") else None


def _plain(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return _ESCAPED_IN_QUOTES.sub(r"\1", piece["double"])
    return piece["escaped"] or piece["single"] or ""


_MIB = 1024 * 1024
_MANIFEST = "var/lib/rpmmanifest/container-manifest-2"
_MANIFEST_WITHOUT_EPOCHS = "var/lib/rpmmanifest/container-manifest-1"
_READERS: Mapping[str, Callable[[bytes, str], Inventory]] = {
    "var/lib/dpkg/status": dpkg.read_status,
    "lib/apk/db/installed": apk.read_installed,
    "usr/lib/apk/db/installed": apk.read_installed,
    _MANIFEST: rpm.read_manifest,
    "var/lib/chisel/manifest.wall": chisel.read_manifest,
}
_STATUS_FOLDER = "var/lib/dpkg/status.d/"
_BESIDE_A_PACKAGE = (
    *(".md5sums", ".conffiles", ".list", ".triggers", ".shlibs", ".symbols"),
    *(".preinst", ".postinst", ".prerm", ".postrm", ".config", ".templates"),
)
"""What dpkg keeps of a package beside what it says of it, by deb(5) and dpkg's own `info` folder, and
what debconf does."""
_RPM_FOLDERS = ("var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/")
"""Where rpm's database is: of old, of late, and in what ostree makes."""
_RPM_DATABASES = tuple(f"{folder}rpmdb.sqlite" for folder in _RPM_FOLDERS)
_RPM_LOGS = tuple(f"{path}-wal" for path in _RPM_DATABASES)
_RPM_JOURNALS = tuple(f"{path}-journal" for path in _RPM_DATABASES)
_RPM_BESIDE = _RPM_LOGS + _RPM_JOURNALS
_UPDATES_FOLDER = "var/lib/dpkg/updates/"
"""Where dpkg notes what it does to a package before its database takes that over, in files that are numbered."""
_OS_RELEASES = ("etc/os-release", "usr/lib/os-release")
_DEPENDENCIES = overriding.DEPENDENCIES

_OLD_RPM_DATABASES = frozenset(f"{folder}{name}" for folder in _RPM_FOLDERS for name in ("Packages", "Packages.db"))
"""rpm's older forms (Berkeley DB, ndb): no base of .NET has them. What uses them cannot be told."""
_TOLD_BY: Mapping[str, Collection[str]] = dict.fromkeys(_OLD_RPM_DATABASES, _RPM_DATABASES) | {
    _MANIFEST_WITHOUT_EPOCHS: (_MANIFEST, *_RPM_DATABASES)
}
"""What is not read, and by which files that are the same is told."""
NOT_READ = frozenset(_TOLD_BY)
DATABASES = frozenset({*_READERS, *_RPM_DATABASES, *_RPM_BESIDE}) | NOT_READ
FIXED = DATABASES | frozenset(_OS_RELEASES)
FOLDERS_TO_FIXED = frozenset(
    path[:end] for path in (*FIXED, _STATUS_FOLDER) for end, sign in enumerate(path) if sign == "/"
)
"""Every folder on the way to a fixed place."""


def leads_elsewhere(path: str, target: str) -> bool:
    """Whether a link, where a folder would lead to a package database, goes where none is looked for.

    Where `lib` is `usr/lib`, or `var/lib/rpm` is `usr/lib/sysimage/rpm`, databases are found in their other place.
    """
    if path not in FOLDERS_TO_FIXED:
        return False
    led = _led_to(path, target)
    places = (*FIXED, _STATUS_FOLDER)
    return any(f"{led}{place.removeprefix(path)}" not in places for place in places if place.startswith(f"{path}/"))


def _led_to(path: str, target: str) -> str:
    start = "" if target.startswith("/") else path.rpartition("/")[0]
    return posixpath.normpath(f"/{start}/{target}").lstrip("/")


LINKED_FOLDERS: Mapping[str, tuple[str, ...]] = {
    folder: others
    for folder in FOLDERS_TO_FIXED
    if (
        others := tuple(
            other
            for other in sorted(FOLDERS_TO_FIXED)
            if folder != other and not leads_elsewhere(folder, f"/{other}")
        )
    )
}
"""Folders that may be a link, with those where what they hold is looked for as well: `lib` with `usr/lib`."""


def assumed_links(replaced: Collection[str]) -> dict[str, str]:
    """Gives, for folders that a file has replaced, where their links are assumed to lead: that was not kept."""
    return {path: LINKED_FOLDERS[path][0] for path in LINKED_FOLDERS.keys() & replaced}


def known_folder(path: str, target: str) -> str | None:
    """The folder that a link leads to, where what its place holds is looked for there as well."""
    led = _led_to(path, target)
    return led if led in LINKED_FOLDERS.get(path, ()) else None


def hides_packages(path: str, target: str) -> bool:
    """Whether a link that is not followed may keep packages from being seen: one in the place of a database, or of
    a folder on the way to one. An application's dependencies are found in the place that the link leads to, unless
    they have another name there.
    """
    if path in DATABASES or _is_status_part(path):
        return True
    if dotnet.is_framework_place(path):
        return not dotnet.is_framework_place(target)
    if path.endswith(_DEPENDENCIES):
        return not target.endswith(_DEPENDENCIES)
    return leads_elsewhere(path, target)


def is_linked_below(path: str, target: str) -> bool:
    """Whether a hard link to a file of a layer below has what is read of that: each of the two stays when the other
    is replaced."""
    return path.endswith(_DEPENDENCIES) and target.endswith(_DEPENDENCIES)


def largest(path: str) -> int:
    """How many bytes the file may have to be read; 0 where it tells nothing of packages."""
    if path in NOT_READ:
        return 0
    if path in _RPM_DATABASES:
        return 128 * _MIB
    if path in _RPM_BESIDE:
        return 64 * _MIB
    if path in DATABASES:
        return 32 * _MIB
    if path in _OS_RELEASES:
        return 64 * 1024
    if path.endswith(_DEPENDENCIES):
        return overriding.LARGEST_DEPENDENCIES
    if path.endswith(overriding.CONFIG):
        return overriding.LARGEST_CONFIG
    return _MIB if _is_status_part(path) or _is_update(path) or rpm_dbpath.is_macros(path) else 0


def _is_status_part(path: str) -> bool:
    """Distroless keeps a file for each package, with its checksums and scripts beside it."""
    name = path.removeprefix(_STATUS_FOLDER)
    return name != path and "/" not in name and not name.endswith(_BESIDE_A_PACKAGE)


def _is_update(path: str) -> bool:
    number = path.removeprefix(_UPDATES_FOLDER)
    return number != path and number.isascii() and number.isdigit()


def packages_in(files: Mapping[str, bytes], problems: Iterable[str] = ()) -> Inventory:
    """Reads all packages that the files tell of, each once; a file that cannot be read hinders no other.

    `files` also holds the folder of each shared framework, with no content. `problems` are those met on the way.
    """
    inventories: list[Inventory] = []
    files, doubts = _of_one_rpm_database(files)
    failures: list[str] = [*problems, *doubts]
    installed = {path: framework for path in files if (framework := dotnet.framework(path)) is not None}
    frameworks = overriding.SharedFrameworks(installed, files)
    for path in sorted(files):
        try:
            inventories.append(_read(path, files, frameworks))
        except Failure as failure:
            failures.append(str(failure))
    failures += [problem for inventory in inventories for problem in inventory.problems]
    packages = _once(package for inventory in inventories for package in inventory.packages)
    return Inventory(packages, _distribution(files), tuple(failures))


def _of_one_rpm_database(files: Mapping[str, bytes]) -> tuple[Mapping[str, bytes], tuple[str, ...]]:
    """The files without the rpm databases that rpm does not open, and what to tell where that cannot be said.

    Copies of one are one.
    """
    there = {
        folder: (files[path], files.get(f"{path}-wal"))
        for folder, path in zip(_RPM_FOLDERS, _RPM_DATABASES, strict=True)
        if path in files
    }
    opened = rpm_dbpath.database_folder(files, there)
    if opened is None and len(set(there.values())) == 1:
        opened = next(iter(there))
    if opened is None:
        doubt = "each holds an rpm database, and no macros of rpm say which one it opens; all of them count"
        return files, (f"{', '.join(there)}: {doubt}",) if there else ()
    others = tuple(folder for folder in there if folder != opened)
    return {path: data for path, data in files.items() if not path.startswith(others)}, ()


def _read(path: str, files: Mapping[str, bytes], frameworks: overriding.SharedFrameworks) -> Inventory:
    data = files[path]
    if (reader := _READERS.get(path)) is not None:
        return reader(data, path)
    if _is_status_part(path):
        return dpkg.read_status(data, path)
    if path in _RPM_DATABASES:
        return rpm_database.read_database(data, files.get(f"{path}-wal"), path)
    if path in _RPM_LOGS and path.removesuffix("-wal") not in files:
        return Inventory(problems=(f"{path}: is the log of a database that is not there",))
    if (description := _being_written(path, files)) is not None:
        return Inventory(problems=(f"{path}: {description} was being written, and what is noted here is not read",))
    if path in NOT_READ and not any(other in files for other in _TOLD_BY[path]):
        description = "an rpm database of an older form" if path in _OLD_RPM_DATABASES else "a list without epochs"
        return Inventory(problems=(f"{path}: is {description}, which is not read",))
    if path.endswith(_DEPENDENCIES):
        return dotnet.read_dependencies(data, path, frameworks.beside(path))
    framework = dotnet.framework(path)
    return Inventory(() if framework is None else (framework,))


def _being_written(path: str, files: Mapping[str, bytes]) -> str | None:
    """Which database a file tells was not written to its end; SQLite clears the start of a journal that is done."""
    if _is_update(path) and files[path].strip():
        return "dpkg's database"
    is_of_rpm = path in _RPM_JOURNALS and path.removesuffix("-journal") in files
    return "the rpm database" if is_of_rpm and files[path][:8].strip(b"\0") else None


def _once(packages: Iterable[Package]) -> tuple[Package, ...]:
    """Each once, in order, and as the database tells it that knows the source package."""
    best: dict[tuple[str, ...], Package] = {}
    for package in packages:
        best_so_far = best.get(package.sort_key)
        if best_so_far is None or (best_so_far.source is None and package.source is not None):
            best[package.sort_key] = package
    return tuple(best[key] for key in sorted(best))


def _distribution(files: Mapping[str, bytes]) -> Distribution | None:
    distributions = (read_os_release(files[path]) for path in _OS_RELEASES if path in files)
    return next((distribution for distribution in distributions if distribution is not None), None)
