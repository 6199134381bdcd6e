"""A small Debian of its own in a folder, made by debootstrap from Debian's mirrors. Only root can make one."""

import os
import subprocess
from pathlib import Path

PATH = os.environ["PATH"] + ":/usr/sbin"
WITHIN = 600
"""Seconds, of which an idle machine takes forty: a download that stalls fails a test instead of holding it up."""


def make_root(root: Path, *packages: str) -> None:
    """Installs the packages that Debian calls essential, apt and `packages`; what it mounts goes with it."""
    included = [f"--include={','.join(packages)}"] if packages else []
    bounded = ("unshare", "--mount", "timeout", "--kill-after=10", str(WITHIN))
    words = (*bounded, "debootstrap", "--variant=minbase", *included, "trixie", str(root))
    ended = subprocess.run(words, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, check=False)
    told = (ended.stdout + ended.stderr)[-2000:]
    assert ended.returncode != 124, f"debootstrap was not done within {WITHIN} s; is the mirror reached? {told}"
    assert ended.returncode == 0, told
