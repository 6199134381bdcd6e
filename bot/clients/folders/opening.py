"""Opens files below a folder that somebody else filled, and none that a link leads to."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from bot.domain.failure import Failure, Trouble


def open_below(root: Path, relative: str) -> BinaryIO:
    """The regular file at `relative`, opened part by part without following a link.

    Raises `Failure`: MISSING where it is not there, DENIED where it may not be read, MALFORMED for a link, a device
    or a path that leads out of `root`.
    """
    parts = relative.split("/")
    place = str(root / relative)
    if any(part in ("", ".", "..") for part in parts):
        raise Failure(Trouble.MALFORMED, "is no path below it", where=place)
    folder = -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without O_NONBLOCK, a named pipe would be waited for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(parts[-1], flags, dir_fd=folder)
    except OSError as error:
        raise _failure(error, place) from error
    finally:
        if folder >= 0:
            os.close(folder)
    file = os.fdopen(opened, "rb")
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        file.close()
        raise Failure(Trouble.MALFORMED, "is no regular file", where=place)
    return file


def _failure(error: OSError, place: str) -> Failure:
    if error.errno in (errno.ENOENT, errno.ENXIO):
        return Failure(Trouble.MISSING, "is not there", where=place)
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return Failure(Trouble.MALFORMED, "is behind a link, which is not followed", where=place)
    return Failure(Trouble.DENIED, f"cannot be read: {error.strerror}", where=place)
