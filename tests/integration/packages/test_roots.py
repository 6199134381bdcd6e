"""Roots of every kind: syft and Trivy list what the bot lists, or a rule says why not."""

import base64
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from backports import zstd

from bot.commands.images.packages import read_source
from bot.domain.packages.package import Inventory, Package
from tests.integration.packages.scanners import by_syft, by_trivy

pytestmark = [pytest.mark.long, pytest.mark.together]

STATUS = Path("/var/lib/dpkg/status")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ALPINE = (
    ("musl", "1.2.5-r0", "x86_64", "musl"),
    ("libcrypto3", "3.3.2-r1", "x86_64", "openssl"),
    ("gcc", "13.2.1_git20240309-r0", "x86_64", "gcc"),
    ("tzdata", "2024b-r0", "noarch", "tzdata"),
    ("ca-certificates-bundle", "20240705-r0", "x86_64", "ca-certificates"),
    (".build-deps", "20240901.101010", "noarch", ""),
)
SPEC = """Name: {name}
Version: {version}
Release: 3.azl3
{more}
Summary: nothing
License: MIT
BuildArch: noarch
%description
nothing
%files
"""
BUILT = (
    ("first", "1.2", ""),
    ("second", "1.2~rc1^git2", "Epoch: 2"),
    ("third", "1.2", "Epoch: 0"),
    ("modular", "18.1", "ModularityLabel: nodejs:18:820:abcdef"),
)
MANIFEST = (
    r"%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}"
    r"\t%{SOURCERPM}\n"
)


def put(root: Path, path: str, content: str | bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content.encode() if isinstance(content, str) else content)


def keys(inventory: Inventory) -> set[tuple[str, str, str, str]]:
    return {each.sort_key for each in inventory.packages}


def names(inventory: Inventory) -> set[str]:
    return {each.advisory_name for each in inventory.packages}


def alpine_record(name: str, version: str, architecture: str, origin: str) -> str:
    """As apk-tools writes one: files and what they are given lie behind the fields of the package."""
    source = f"o:{origin}\n" if origin else ""
    return (
        f"C:Q1p78yvTLG094tHE1+dToJGbmYzQE=\nP:{name}\nV:{version}\nA:{architecture}\nS:1\nI:2\nT:a: b\n{source}"
        f"D:so:libc.musl-x86_64.so.1\np:cmd:{name}={version}\nF:usr/bin\nM:0:0:755\nR:{name}\na:0:0:755\nZ:Q1AAAA=\n\n"
    )


@pytest.mark.parametrize("place", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_both_scanners_list_the_packages_of_alpine_in_both_its_places(place: str, tmp_path: Path) -> None:
    put(tmp_path, place, "".join(alpine_record(*each) for each in ALPINE))
    put(tmp_path, "etc/os-release", 'ID=alpine\nVERSION_ID="3.20.3"\n')
    put(tmp_path, "etc/alpine-release", "3.20.3\n")
    own = read_source(tmp_path, None)
    wanted = {Package("apk", name, version, where, of or name, version) for name, version, where, of in ALPINE}
    assert set(own.packages) == wanted
    assert keys(by_syft(tmp_path)) == keys(own)
    assert keys(by_trivy(tmp_path)) == keys(own)


def test_both_scanners_list_the_packages_of_distroless_files_of_one_package_each(tmp_path: Path) -> None:
    if not STATUS.exists():
        pytest.skip("dpkg is not installed")
    shutil.copytree("/etc", tmp_path / "etc", ignore=lambda folder, files: set(files) - {"debian_version"})
    put(tmp_path, "etc/os-release", Path("/etc/os-release").read_bytes())
    for paragraph in STATUS.read_text().split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("Status:")]
        if lines and "\nStatus: install ok installed\n" in paragraph:
            name = lines[0].removeprefix("Package: ")
            put(tmp_path, f"var/lib/dpkg/status.d/{name}", "\n".join(lines) + "\n")
            put(tmp_path, f"var/lib/dpkg/status.d/{name}.md5sums", f"{'0' * 32}  usr/share/doc/{name}/copyright\n")
    own = read_source(tmp_path, None)
    assert own.problems == ()
    assert len(own.packages) > 50
    assert keys(by_syft(tmp_path)) == keys(own)
    assert keys(by_trivy(tmp_path)) == keys(own)


@pytest.fixture(scope="module")
def rpm_database(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A root whose packages stand in the log alone, as where a reader was at work; and rpm's own list of it."""
    tmp_path = tmp_path_factory.mktemp("rpm")
    if shutil.which("rpmbuild") is None or not KEYRING.exists():
        pytest.skip("rpm is not installed, or no keyring is")
    built, root = tmp_path / "build", tmp_path / "root"
    root.mkdir()
    for name, version, more in BUILT:
        put(tmp_path, f"{name}.spec", SPEC.format(name=name, version=version, more=more))
        run("rpmbuild", "--quiet", "-bb", "--define", f"_topdir {built}", tmp_path / f"{name}.spec")
    place = ("--root", root, "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite")
    run("rpm", *place, "--initdb")
    with closing(sqlite3.connect(root / "var/lib/rpm/rpmdb.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM Packages").fetchone() == (0,)
        key = base64.encodebytes(KEYRING.read_bytes()).decode()
        armour = "-----{} PGP PUBLIC KEY BLOCK-----\n"
        put(tmp_path, "key", f"{armour.format('BEGIN')}\n{key}{armour.format('END')}")
        run("rpmkeys", *place, "--import", tmp_path / "key")
        run("rpm", *place, "--justdb", "--nodeps", "--nosignature", "-U", *built.glob("RPMS/*/*.rpm"))
        shutil.copytree(root, tmp_path / "copy")
        listed = run("rpm", *place, "-qa", "--qf", MANIFEST)
    put(tmp_path / "copy", "etc/os-release", 'ID=azurelinux\nVERSION_ID="3.0"\n')
    return tmp_path / "copy", listed


def run(*words: object) -> str:
    ended = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def by_rpm(listed: str) -> set[Package]:
    found = set()
    for line in listed.splitlines():
        name, version, _, _, _, _, _, architecture, epoch, source = line.split("\t")
        if name != "gpg-pubkey":
            written = version if epoch == "0" else f"{epoch}:{version}"
            assert source == f"{name}-{version}.src.rpm"
            found.add(Package("rpm", name, written, architecture, name, version))
    return found


def test_the_scanners_list_what_rpm_does_once_its_log_is_folded_in(
    rpm_database: tuple[Path, str], tmp_path: Path
) -> None:
    """Both open the database without its log, which rpm and the bot read. The keys that they list are left out."""
    written, listed = rpm_database
    shutil.copytree(written, root := tmp_path / "root")
    assert (root / "var/lib/rpm/rpmdb.sqlite-wal").stat().st_size > 0
    assert "gpg-pubkey" in listed
    own = read_source(root, None)
    assert own.problems == ()
    assert set(own.packages) == by_rpm(listed)
    assert len(own.packages) == len(BUILT)
    assert by_syft(root).packages == by_trivy(root).packages == ()
    with closing(sqlite3.connect(root / "var/lib/rpm/rpmdb.sqlite")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert read_source(root, None) == own
    assert keys(by_syft(root)) == keys(by_trivy(root)) == keys(own)


def test_a_container_manifest_that_rpm_writes_has_what_its_database_has(
    rpm_database: tuple[Path, str], tmp_path: Path
) -> None:
    """syft leaves the epoch out; Trivy reads the manifest of no folder."""
    _, listed = rpm_database
    root = tmp_path / "distroless"
    put(root, "var/lib/rpmmanifest/container-manifest-2", listed)
    put(root, "etc/os-release", 'ID=azurelinux\nVERSION_ID="3.0"\n')
    own = read_source(root, None)
    assert set(own.packages) == by_rpm(listed)
    without = {(*rest, version.rpartition(":")[2]) for *rest, version in keys(own)}
    assert keys(by_syft(root)) == without != keys(own)
    assert by_trivy(root).packages == ()


def test_no_scanner_reads_a_chisel_manifest(tmp_path: Path) -> None:
    """Its witness is Canonical's own reader, by recorded manifests."""
    lines = (
        {"jsonwall": "1.0", "schema": "1.0", "count": 3},
        {"kind": "package", "name": "libc6", "version": "2.39-0ubuntu8.3", "sha256": "0" * 64, "arch": "amd64"},
        {"kind": "slice", "name": "libc6_libs"},
    )
    packed = zstd.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode())
    put(tmp_path, "var/lib/chisel/manifest.wall", packed)
    put(tmp_path, "etc/os-release", 'ID=ubuntu\nVERSION_ID="24.04"\n')
    assert keys(read_source(tmp_path, None)) == {("deb", "libc6", "amd64", "2.39-0ubuntu8.3")}
    assert by_syft(tmp_path).packages == by_trivy(tmp_path).packages == ()


def library(kind: str) -> dict[str, object]:
    return {"type": kind, "serviceable": kind == "package", "sha512": ""}


def test_what_a_dotnet_application_ships_differs_by_what_each_takes_for_shipped(tmp_path: Path) -> None:
    """syft lists whatever `libraries` names; Trivy lists projects, but no satellite assemblies.

    Neither knows a framework by its folder. The bot does, and leaves the application itself out.
    """
    pack = "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.11"
    assets: dict[str, dict[str, object]] = {
        "App/1.0.0": {"runtime": {"App.dll": {}}},
        pack: {"runtime": {"System.Runtime.dll": {}}},
        "Newtonsoft.Json/13.0.3": {"runtime": {"lib/net6.0/Newtonsoft.Json.dll": {}}},
        "SkiaSharp.NativeAssets.Linux/2.88.8": {
            "runtimeTargets": {"runtimes/linux-x64/native/libSkiaSharp.so": {}}
        },
        "Humanizer.Core.de/2.14.1": {"resources": {"lib/net6.0/de/Humanizer.resources.dll": {"locale": "de"}}},
        "Analyzer/1.0.0": {},
    }
    kinds = dict.fromkeys(assets, "package") | {"App/1.0.0": "project", pack: "runtimepack", "Old/3.0.0": "package"}
    target = ".NETCoreApp,Version=v8.0/linux-x64"
    document = {
        "runtimeTarget": {"name": target, "signature": ""},
        "targets": {".NETCoreApp,Version=v8.0": {}, target: assets},
        "libraries": {name: library(kind) for name, kind in kinds.items()},
    }
    put(tmp_path, "app/App.deps.json", json.dumps(document))
    put(tmp_path, "usr/share/dotnet/shared/Microsoft.AspNetCore.App/8.0.11/Microsoft.AspNetCore.dll", "")
    own = names(read_source(tmp_path, None))
    shared, satellite = {"Microsoft.AspNetCore.App"}, {"Humanizer.Core.de"}
    packages = {"Newtonsoft.Json", "SkiaSharp.NativeAssets.Linux", "Old"} | satellite
    assert own == packages | shared | {"Microsoft.NETCore.App.Runtime.linux-x64"}
    assert names(by_trivy(tmp_path)) == own - shared - satellite | {"App"}
    assert names(by_syft(tmp_path)) == own - shared | {"App", "Analyzer"}
