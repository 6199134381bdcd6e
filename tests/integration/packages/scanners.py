"""syft and Trivy, asked what is in an image or a folder: each answers with an SBOM, which the bot reads."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.clients.folders.image import is_layout
from bot.commands.images.packages import read_source
from bot.domain.packages.package import Inventory

_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
_WITHIN = 120


def by_syft(source: Path, form: str = "spdx-json") -> Inventory:
    """What syft lists; in SPDX, which says of system packages what they were built from, or in another form."""
    with _copied(source) as (copy, told):
        kind = "oci-dir" if is_layout(copy) else "dir"
        _run("syft", "scan", f"{kind}:{copy}", "-q", "-o", f"{form}={told}")
        return read_source(told, None)


def by_trivy(source: Path) -> Inventory:
    """What Trivy lists; to list packages it needs no vulnerabilities, and asks nobody for them."""
    with _copied(source) as (copy, told):
        kind = ("image", "--input") if is_layout(copy) else ("rootfs",)
        quiet = ("-q", "--offline-scan", "--skip-version-check", "--cache-dir", told.with_name("cache"))
        _run("trivy", kind[0], *quiet, "--format", "cyclonedx", "--output", told, *kind[1:], copy)
        return read_source(told, None)


@contextmanager
def _copied(source: Path) -> Iterator[tuple[Path, Path]]:
    """A copy on the disk, and where to answer: both scanners pass over folders that lie below /dev."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        if not source.is_relative_to("/dev"):
            yield source, Path(place, "told.json")
            return
        shutil.copytree(source, copy := Path(place, "copy"), symlinks=True)
        yield copy, Path(place, "told.json")


def _run(*words: object) -> None:
    program = shutil.which(str(words[0]), path=_PATH)
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
        command = (program, *map(str, words[1:]))
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_WITHIN, check=False
        )
    assert ended.returncode == 0, ended.stderr[-2000:]
