"""Temporary files of tests lie in memory where there is room: what is thrown away need not wait for a disk.

Every commit to SQLite and every push to the registry waits until the disk has it, some hundred times in each test
of the whole bot.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes that must be free; a container often has 64 MB there."""


def keep_in_memory() -> None:
    """From now on this process and its children put temporary files there, unless TMPDIR names another folder."""
    if "TMPDIR" not in os.environ and _is_fit(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def _is_fit(folder: Path) -> bool:
    try:
        may_execute = not os.statvfs(folder).f_flag & os.ST_NOEXEC
        return may_execute and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM
    except OSError:
        return False
