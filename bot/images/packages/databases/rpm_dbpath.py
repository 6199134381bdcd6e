"""Which of several rpm databases is the one that rpm opens: that in the folder which its macros name `_dbpath`."""

import re
from collections.abc import Collection, Mapping

from bot.images.packages.reading import lines

_MACROS = (
    re.compile(r"usr/lib/rpm/macros"),
    re.compile(r"usr/lib/rpm/macros\.d/macros\.[^/]{1,100}"),
    re.compile(r"usr/lib/rpm/[a-z0-9_-]{1,100}/macros"),
    re.compile(r"etc/rpm/macros\.[^/]{1,100}"),
    re.compile(r"etc/rpm/macros"),
)
"""The files of macros in the order in which rpm reads them, the third that of a vendor."""
_DEFINITION = re.compile(r"\s*%_dbpath\s+(?P<folder>.*)", re.ASCII | re.DOTALL)
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
    return "/rpm/" in path and any(each.fullmatch(path) for each in _MACROS)


def database_folder(files: Mapping[str, bytes], folders: Collection[str]) -> str | None:
    """Which of the folders rpm opens a database in; None where no macros name one of them. The last definition
    counts.

    Source: `MACROFILES` in rpm's rpmrc.c, without those for single targets, which define no `_dbpath`.
    """
    db_path = ""
    for path in (path for each in _MACROS for path in sorted(files) if each.fullmatch(path)):
        for line in lines(files[path]):
            if match := _DEFINITION.fullmatch(line):
                db_path = match["folder"].strip()
    for macro, folder in _FOLDERS.items():
        db_path = db_path.replace(macro, folder)
    return next((folder for folder in folders if folder.strip("/") == db_path.strip("/")), None)
