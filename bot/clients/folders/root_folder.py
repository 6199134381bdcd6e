"""A folder laid out like a root file system: an unpacked image, a chroot, a mounted disk."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.clients.folders.opening import open_below
from bot.domain.failure import Failure, Trouble

_MOST_ENTRIES = 2_000_000
_MOST_DEPTH = 128
_NOT_OF_THE_IMAGE = frozenset({"proc", "sys", "dev"})
"""What a running system has in its root, and an image has not."""


def paths_below(
    root: Path, is_wanted: Callable[[str], bool], on_unread: Callable[[str], None]
) -> Iterator[tuple[str, str | None]]:
    """Paths of wanted files and links, relative to `root`, in order; with each link, what it leads to.

    Links to folders are not followed. `on_unread` is told of each folder that may not be looked into. Raises
    `Failure` where `root` is no folder, and past a bound of entries.
    """
    if not root.is_dir():
        raise Failure(Trouble.MISSING, "there is no such folder", where=str(root))

    def tell(error: OSError) -> None:
        on_unread(f"{os.path.relpath(error.filename, root)}: cannot be looked into: {error.strerror}")

    entries = 0
    for folder, folders, files in os.walk(root, onerror=tell):
        base = os.path.relpath(folder, root)
        prefix = "" if base == "." else f"{base}/"
        if not prefix:
            folders[:] = [name for name in folders if name not in _NOT_OF_THE_IMAGE]
        if prefix.count("/") >= _MOST_DEPTH and folders:
            on_unread(f"{base[:80]}…: is nested more than {_MOST_DEPTH} folders deep, and not looked into further")
            folders.clear()
        folders.sort()
        entries += len(files) + len(folders)
        if entries > _MOST_ENTRIES:
            raise Failure(Trouble.MALFORMED, f"has more than {_MOST_ENTRIES} entries", where=str(root))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted((*files, *links)):
            if is_wanted(prefix + name):
                yield prefix + name, _target(os.path.join(folder, name))


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def read_below(root: Path, path: str, largest: int) -> bytes:
    """Reads at most one byte more than `largest`, so that a reader can tell what is too large. Raises `Failure`."""
    with open_below(root, path) as file:
        return file.read(largest + 1)
