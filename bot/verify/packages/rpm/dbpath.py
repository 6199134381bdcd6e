"""Which of several rpm databases is the one that rpm opens: that in the folder which its macros name `_dbpath`."""

import re
from collections.abc import Collection, Mapping

from bot.verify.packages.reading import lines

_MACROS = re.compile(r"(?:usr/lib|etc)/rpm/macros(?:\.d/macros)?(?:\.[A-Za-z0-9_.+-]{1,100})?")
_DEFINITION = re.compile(r"%_dbpath\s+(?P<folder>\S{1,200})\s*", re.ASCII)
_FOLDERS = {
    "%{_var}": "/var",
    "%{_localstatedir}": "/var",
    "%{_sharedstatedir}": "/var/lib",
    "%{_usr}": "/usr",
    "%{_prefix}": "/usr",
    "%{_datadir}": "/usr/share",
}
"""What the macros are worth that distributions write it with."""


def is_macros(path: str) -> bool:
    return "rpm/macros" in path and _MACROS.fullmatch(path) is not None


def database_folder(files: Mapping[str, bytes], folders: Collection[str]) -> str | None:
    """Which of the folders rpm opens a database in; None where no macros name one of them. The last definition
    counts.

    Source: `MACROFILES` in rpm's rpmrc.c, without those for single vendors and targets, which define no `_dbpath`.
    """
    named = None
    for path in sorted(filter(is_macros, files), key=_order):
        for line in lines(files[path]):
            if found := _DEFINITION.fullmatch(line):
                named = found["folder"]
    for macro, folder in _FOLDERS.items():
        named = None if named is None else named.replace(macro, folder)
    return next((folder for folder in folders if named is not None and folder.strip("/") == named.strip("/")), None)


def _order(path: str) -> tuple[bool, bool, str]:
    """rpm's own macros first, then what distributions and machines add; below `etc` the plain file is the last."""
    is_ours = path.startswith("etc/")
    return is_ours, (path == "etc/rpm/macros") if is_ours else (path != "usr/lib/rpm/macros"), path
