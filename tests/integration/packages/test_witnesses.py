"""The package managers themselves, and syft, say of real databases what the bot says of them."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.commands.images.packages import read_source
from tests.integration.packages.scanners import by_syft, by_trivy

DPKG = Path("/var/lib/dpkg/status")
SPEC = """Name: {name}
Version: 1.2
Release: 3.azl3
{epoch}Summary: nothing
License: MIT
BuildArch: noarch
%description
nothing
%package libs
Summary: nothing
%description libs
nothing
%files
%files libs
"""


def run(words: Sequence[object]) -> str:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def debian_root(tmp_path: Path) -> Path:
    if not DPKG.exists() or shutil.which("dpkg-query") is None:
        pytest.skip("dpkg is not installed")
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    shutil.copy(DPKG, tmp_path / "var/lib/dpkg/status")
    shutil.copy("/etc/os-release", tmp_path / "var/os-release")
    (tmp_path / "etc").mkdir()
    shutil.move(tmp_path / "var/os-release", tmp_path / "etc/os-release")
    return tmp_path


def test_dpkg_says_the_same_of_this_system(debian_root: Path) -> None:
    form = "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n"
    lines = run(("dpkg-query", f"--root={debian_root}", "-W", "-f", form)).splitlines()
    listed = {tuple(line.split()[1:]) for line in lines if line.startswith("installed ")}
    found = read_source(debian_root, None)
    assert found.problems == ()
    assert {
        (each.name, each.version, each.architecture, each.source, each.source_version) for each in found.packages
    } == listed


def test_syft_says_the_same_in_each_of_its_forms(debian_root: Path) -> None:
    spdx, others = by_syft(debian_root), [by_syft(debian_root, form) for form in ("syft-json", "cyclonedx-json")]
    assert len(spdx.packages) > 50
    for other in others:
        assert set(other.packages) == set(spdx.packages)
        assert (other.distribution, other.problems) == (spdx.distribution, ())


@pytest.fixture
def rpm_root(tmp_path: Path) -> Path:
    """Packages built here and entered into a database of their own; one is replaced, so that the log has work."""
    if shutil.which("rpmbuild") is None:
        pytest.skip("rpm is not installed")
    root = tmp_path / "root"
    for name, epoch in (("first", ""), ("second", "Epoch: 2\n"), ("third", "Epoch: 0\n")):
        spec = tmp_path / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, epoch=epoch))
        run(("rpmbuild", "--quiet", "-bb", "--define", f"_topdir {tmp_path}/build", spec))
    built = sorted(tmp_path.glob("build/RPMS/*/*.rpm"))
    database = ("--root", root, "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite")
    root.mkdir()
    run(("rpm", *database, "--initdb"))
    run(("rpm", *database, "--justdb", "--nodeps", "--nosignature", "-U", *built))
    run(("rpm", *database, "--justdb", "--nodeps", "-e", "third-libs"))
    return root


def test_rpm_says_the_same_of_packages_built_here(rpm_root: Path) -> None:
    form = "%{NAME} %{EPOCHNUM} %{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM}\n"
    words = (
        "rpm",
        "--root",
        rpm_root,
        "--dbpath",
        "/var/lib/rpm",
        "--define",
        "_db_backend sqlite",
        "-qa",
        "--qf",
        form,
    )
    listed = set()
    for line in run(words).splitlines():
        name, epoch, version, architecture, source = line.split()
        listed.add((name, version if epoch == "0" else f"{epoch}:{version}", architecture, source))
    found = read_source(rpm_root, None)
    assert found.problems == ()
    assert {
        (each.name, each.version, each.architecture, f"{each.source}-{each.source_version}.src.rpm")
        for each in found.packages
    } == listed
    assert len(listed) == 5


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ("", ""),
        ("%_dbpath %{_usr}/share/rpm\n", ""),
        ("", "%_dbpath /usr/share/rpm\n"),
        ("%_dbpath /usr/share/rpm\n", "  %_dbpath\t%{_var}/lib/rpm/  \n#%_dbpath /usr/share/rpm\n"),
    ],
    ids=["none", "rpm's own", "added", "added takes back"],
)
def test_of_two_databases_rpm_opens_the_same_one(rpm_root: Path, own: str, added: str) -> None:
    shutil.copytree(rpm_root / "var/lib/rpm", rpm_root / "usr/share/rpm")
    words = ("--root", rpm_root, "--define", "_db_backend sqlite")
    run(("rpm", *words, "--dbpath", "/var/lib/rpm", "--justdb", "--nodeps", "-e", "first", "first-libs"))
    macros = [rpm_root / "usr/lib/rpm/macros", rpm_root / "usr/lib/rpm/macros.d/macros.ostree"]
    macros[1].parent.mkdir(parents=True)
    macros[0].write_text(Path("/usr/lib/rpm/macros").read_text() + own)
    macros[1].write_text(added)
    listed = run(("rpm", f"--macros={':'.join(map(str, macros))}", *words, "-qa", "--qf", "%{NAME}\n")).split()
    found = read_source(rpm_root, None)
    assert found.problems == ()
    assert [each.name for each in found.packages] == sorted(listed)


@pytest.mark.parametrize("root", ["debian_root", "rpm_root"])
def test_syft_lists_the_same_packages(root: str, request: pytest.FixtureRequest) -> None:
    """Of sources it says less: it leaves out the one that is named like its package."""
    folder = request.getfixturevalue(root)
    own = read_source(folder, None)
    assert {each.sort_key for each in by_syft(folder).packages} == {each.sort_key for each in own.packages}


def test_trivy_lists_the_same_packages_of_the_same_sources(debian_root: Path) -> None:
    shutil.copy("/etc/debian_version", debian_root / "etc/debian_version")
    assert set(by_trivy(debian_root).packages) == set(read_source(debian_root, None).packages)
