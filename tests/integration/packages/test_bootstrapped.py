"""A Debian made by debootstrap, and an image of it in which dpkg removed packages: all say the same of it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.commands.images.packages import read_source
from bot.domain.packages.package import Package
from tests.debootstrap import PATH, make_root
from tests.integration.packages.scanners import by_syft, by_trivy

pytestmark = pytest.mark.long

_FORM = "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n"
_WITHIN = 120


def run(*words: object) -> str:
    ended = subprocess.run(
        [str(word) for word in words],
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        text=True,
        timeout=_WITHIN,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """On the disk: a root file system in some copies is more than memory is for."""
    parts = {"debootstrap": "debootstrap", "buildah": "buildah", "dpkg": "dpkg", "unshare": "util-linux"}
    missing = [package for name, package in parts.items() if shutil.which(name, path=PATH) is None]
    if missing:
        pytest.skip(f"not installed: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("only root can make a root file system")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        yield Path(place)


def by_dpkg(root: Path) -> dict[str, list[Package]]:
    """What dpkg lists, by how far it is installed."""
    found: dict[str, list[Package]] = {}
    for line in run("dpkg-query", f"--root={root}", "-W", "-f", _FORM).splitlines():
        state, *values = line.split()
        found.setdefault(state, []).append(Package("deb", *values))
    return found


def image_with_less(root: Path, folder: Path) -> tuple[Path, dict[str, list[Package]]]:
    """An OCI layout of two layers, the system and what dpkg's removals leave; beside it what dpkg lists."""

    def buildah(*words: object) -> str:
        return run(
            "buildah", "--root", folder / "store", "--runroot", folder / "run", "--storage-driver", "vfs", *words
        )

    first = buildah("from", "scratch")
    buildah("add", "-q", first, root, "/")
    buildah("commit", "-q", "--rm", first, "first")
    second = buildah("from", "--pull-never", "first")
    mounted = buildah("mount", second)
    run("dpkg", f"--root={mounted}", "--force-all", "--remove", "login.defs", "libattr1")
    run("dpkg", f"--root={mounted}", "--force-all", "--purge", "tzdata", "sysvinit-utils")
    Path(mounted, "var/lib/dpkg/status-old").unlink()
    listed = by_dpkg(Path(mounted))
    buildah("commit", "-q", "--rm", second, "second")
    buildah("push", "-q", "second", f"oci:{folder / 'image'}")
    return folder / "image", listed


def test_dpkg_syft_and_trivy_say_the_same_of_a_bootstrapped_debian_and_of_an_image_of_it(folder: Path) -> None:
    """syft counts a package of which dpkg keeps no more than the configuration; dpkg does not, nor does Trivy."""
    root = folder / "root"
    make_root(root)
    own = read_source(root, None)
    assert own.problems == ()
    assert str(own.distribution).startswith("debian 13")
    assert set(own.packages) == set(by_dpkg(root)["installed"])
    assert {each.sort_key for each in by_syft(root).packages} == {each.sort_key for each in own.packages}
    assert set(by_trivy(root).packages) == set(own.packages)

    image, listed = image_with_less(root, folder)
    left = read_source(image, None)
    assert left.problems == ()
    assert len(left.packages) == len(own.packages) - 4
    assert set(left.packages) == set(listed["installed"])
    assert set(by_trivy(image).packages) == set(left.packages)
    counted = {each.sort_key for each in (*listed["installed"], *listed["config-files"])}
    assert len(listed["config-files"]) == 2
    assert {each.sort_key for each in by_syft(image).packages} == counted
