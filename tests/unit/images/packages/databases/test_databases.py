import gzip
import json
import subprocess
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.images.packages.databases import apk, chisel, dotnet, dpkg, places
from bot.images.packages.databases import rpm as rpm
from bot.images.packages.databases import rpm as rpm_database
from bot.images.packages.databases.places import read_os_release
from bot.images.packages.layers.overlay import overlay
from tests.unit.images.packages.archives import archive, paragraph, read, zstd
from tests.unit.images.packages.evidence import content, expected, same_packages


@pytest.mark.parametrize(
    "name",
    [
        "status-single",
        "status-multiple",
        "status-deinstall",
        "status-ubuntu-half1",
        "status-image-dpkg",
        "status.d/pkgs-without-status",
    ],
)
def test_recorded_dpkg_files_are_read_as_dpkg_reads_them(name: str) -> None:
    found = dpkg.read_status(content(f"packages/deb/{name}"), name)
    wanted = expected(f"packages/deb/{name}.expected.json")["packages"]
    assert same_packages(found.packages, wanted, "name", "version", "arch", "source")
    assert [each.source_version for each in found.packages] == [each["source_version"] for each in wanted]
    assert found.problems == ()


def test_a_file_of_another_kind_is_no_empty_dpkg_database() -> None:
    with pytest.raises(Failure, match="is no field"):
        dpkg.read_status(content("packages/deb/status-corrupt"), "status")


def test_what_is_selected_for_removal_is_installed_until_it_is_removed() -> None:
    states = (
        "deinstall ok installed",
        "hold ok half-configured",
        "deinstall ok config-files",
        "purge ok not-installed",
    )
    text = "".join(f"Package: p{at}\nStatus: {state}\nVersion: 1\n\n" for at, state in enumerate(states))
    assert [each.name for each in dpkg.read_status(text.encode(), "status").packages] == ["p0", "p1"]


def test_the_source_version_of_a_debian_package_may_differ_from_its_own() -> None:
    text = b"Package: libgcc-s1\nSource: gcc-14 (14.2.0-4)\nVersion: 14.2.0-4+b1\n"
    (package,) = dpkg.read_status(text, "status").packages
    assert (package.source, package.source_version) == ("gcc-14", "14.2.0-4")


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("gcc-14 (14.2.0-4)", ("gcc-14", "14.2.0-4")),
        ("gcc-14 ( 14.2.0-4 )", ("gcc-14", "14.2.0-4")),
        ("gcc-14 (14.2.0-4", ("gcc-14", "14.2.0-4")),
        ("gcc-14 (14.2.0-4) more", ("gcc-14", "14.2.0-4")),
        ("gcc-14 ()", ("gcc-14", "1")),
        ("", ("a", "1")),
    ],
)
def test_a_source_is_read_as_dpkg_reads_it(written: str, source: tuple[str, str]) -> None:
    (package,) = dpkg.read_status(f"Package: a\nSource: {written}\nVersion: 1\n".encode(), "status").packages
    assert (package.source, package.source_version) == source


def test_names_of_fields_and_states_are_read_as_dpkg_reads_them() -> None:
    text = "package\t: a\nSTATUS : Install OK Installed\nVersion  :1\nArchitecture :all\nX-Y: z\n \xa0\n .\n\n"
    gone = "Package: b\nStatus : deinstall ok Config-Files\nVersion: 1\n\n"
    found = dpkg.read_status((text + gone).encode(), "status")
    assert [(each.name, each.version, each.architecture) for each in found.packages] == [("a", "1", "all")]
    assert found.problems == ()


def test_of_two_paragraphs_for_one_package_the_last_counts() -> None:
    other = paragraph("a", "1").replace(b"amd64", b"i386")
    removed = paragraph("b").replace(b"install ok installed", b"purge ok not-installed")
    text = paragraph("a", "1") + paragraph("b") + other + paragraph("a", "2") + removed
    found = dpkg.read_status(text, "status").packages
    assert [(each.name, each.version, each.architecture) for each in found] == [
        ("a", "1", "i386"),
        ("a", "2", "amd64"),
    ]


def test_a_damaged_paragraph_hinders_no_other() -> None:
    found = dpkg.read_status(paragraph("a") + b"no field at all\n\n" + paragraph("b"), "status")
    assert [each.name for each in found.packages] == ["a", "b"]
    assert found.problems == ("status: line 6 is no field: 'no field at all'",)


@pytest.mark.parametrize("name", ["installed-single", "installed-multiple-1", "installed-alpine"])
def test_recorded_apk_databases_are_read_as_apk_reads_them(name: str) -> None:
    found = apk.read_installed(content(f"packages/apk/{name}"), name)
    wanted = expected(f"packages/apk/{name}.expected.json")["packages"]
    assert same_packages(found.packages, wanted, "name", "version", "arch", "source")
    assert found.problems == ()


def test_a_damaged_apk_record_is_named_and_the_others_are_read() -> None:
    found = apk.read_installed(content("packages/apk/installed-corrupt"), "installed")
    assert [each.name for each in found.packages] == ["alpine-baselayout-data"]
    assert found.problems == ("installed: line 1 is no field: 'this is a corrupt db'",)


@pytest.mark.parametrize("name", ["container-manifest-2", "container-manifest-2.azl3"])
def test_recorded_container_manifests_are_read(name: str) -> None:
    found = rpm.read_manifest(content(f"packages/rpm/{name}"), name)
    wanted = expected(f"packages/rpm/{name}.expected.json")["packages"]
    assert same_packages(found.packages, wanted, "name", "evr", "arch", "source")


def test_the_source_of_an_rpm_is_named_by_its_file() -> None:
    line = b"libgcc\t13.2.0-7.azl3\t1\t1\tMicrosoft\t(none)\t0\tx86_64\t0\tgcc-13.2.0-7.azl3.src.rpm\n"
    assert rpm.read_manifest(line, "m").packages == (
        Package("rpm", "libgcc", "13.2.0-7.azl3", "x86_64", "gcc", "13.2.0-7.azl3"),
    )


def test_the_recorded_rpm_database_is_read_as_rpm_reads_it() -> None:
    found = rpm_database.read_database(content("packages/rpm/rpmdb.sqlite.xz"), None, "rpmdb.sqlite")
    wanted = expected("packages/rpm/rpmdb.sqlite.expected.json")["packages"]
    assert same_packages(found.packages, wanted, "name", "evr", "arch", "source")


@pytest.mark.parametrize("name", ["all-types", "noble-runtime-deps", "extra-newlines"])
def test_recorded_chisel_manifests_are_read(name: str) -> None:
    found = chisel.read_manifest(content(f"chisel/{name}.wall"), name)
    wanted = expected(f"chisel/{name}.expected.json")["packages"]
    assert same_packages(found.packages, wanted, "name", "version", "arch")


@pytest.mark.parametrize(("name", "why"), [("schema-2.0", "unknown schema '2.0'"), ("truncated", "cut short")])
def test_a_chisel_manifest_that_cannot_be_read_is_refused(name: str, why: str) -> None:
    with pytest.raises(Failure, match=why):
        chisel.read_manifest(content(f"chisel/{name}.wall"), name)


def test_an_entry_of_a_chisel_manifest_may_be_written_with_escapes() -> None:
    text = b'{"jsonwall":"1.0","schema":"1.0"}\n{"kind":"p\\u0061ckage","name":"a","version":"1"}\n'
    assert chisel.read_manifest(zstd(text), "manifest.wall").packages == (Package("deb", "a", "1"),)


def test_a_chisel_manifest_of_paths_without_packages_is_damaged() -> None:
    text = b'{"jsonwall":"1.0","schema":"1.0"}\n{"kind":"pacXage","name":"a","version":"1"}\n'
    with pytest.raises(Failure, match="lists no package"):
        chisel.read_manifest(zstd(text), "manifest.wall")


def test_a_chisel_manifest_of_more_than_one_frame_is_read() -> None:
    header, line = (
        b'{"jsonwall":"1.0","schema":"1.0","count":2}\n',
        b'{"kind":"package","name":"a","version":"1"}\n',
    )
    found = chisel.read_manifest(zstd(header) + zstd(line), "manifest.wall")
    assert found.packages == (Package("deb", "a", "1"),)


@pytest.mark.parametrize("name", ["TestLibrary", "happy", "self-contained", "datacollector"])
def test_recorded_dependencies_name_what_is_shipped(name: str) -> None:
    found = dotnet.read_dependencies(content(f"packages/dotnet/{name}.deps.json"), name)
    wanted = expected(f"packages/dotnet/{name}.deps.json.expected.json")["shipped_packages"]
    assert sorted(f"{each.name}/{each.version}" for each in found.packages) == sorted(wanted)


def test_dependencies_that_are_not_json_are_refused() -> None:
    with pytest.raises(Failure, match="is not valid JSON"):
        dotnet.read_dependencies(content("packages/dotnet/invalid.deps.json"), "a.deps.json")


def test_a_library_that_is_no_object_is_a_problem_and_hinders_no_other() -> None:
    text = b'{"libraries": {"A/1.0": 5, "B/1.0": {"type": "package"}}}'
    found = dotnet.read_dependencies(text, "a.deps.json")
    assert ([each.name for each in found.packages], len(found.problems)) == (["B"], 1)


def test_advisories_know_a_runtime_pack_without_its_prefix() -> None:
    package = Package("nuget", "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64", "8.0.0")
    assert package.advisory_name == "Microsoft.NETCore.App.Runtime.linux-x64"


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (
            "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11/System.dll",
            "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11",
        ),
        (
            "usr/lib/dotnet/shared/Microsoft.AspNetCore.App/10.0.0-rc.1.25451.107/a/b.dll",
            "usr/lib/dotnet/shared/Microsoft.AspNetCore.App/10.0.0-rc.1.25451.107",
        ),
        ("shared/Microsoft.AspNetCore.All/2.1.30/a.dll", "shared/Microsoft.AspNetCore.All/2.1.30"),
        ("usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11", None),
        ("usr/share/shared/Other/8.0.11/x", None),
    ],
)
def test_a_shared_framework_is_known_by_a_file_in_it(path: str, folder: str | None) -> None:
    assert dotnet.framework_folder(path) == folder


def test_a_shared_framework_is_a_package() -> None:
    folder = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11"
    assert places.packages_in({folder: b""}).packages == (Package("nuget", "Microsoft.NETCore.App", "8.0.11"),)


def test_os_release_names_the_distribution() -> None:
    assert read_os_release(content("packages/deb/os-release")) == Distribution("debian", "12")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "text",
    [
        ' ID=debian\n\tVERSION_ID="12" \n',
        "ID='debian'\nVERSION_ID=12",
        "VERSION_ID='12'\nID=\"debian\"\n",
        "\ufeffID=debian\nVERSION_ID=12",
        "export ID=debian\nexport  VERSION_ID='12'",
        '# ID=other\nID=debian # the name\nVERSION_ID="12"; # its version',
        "ID=other\nID=deb'ian'\nVERSION_ID=1\"2\"\n",
        "ID=\\debian\nVERSION_ID=1\\2\n",
        'NAME="a \\"b\\" \\$c"\nID="debian"\nVERSION_ID=12',
        'ID=debian\nVERSION_ID=12\nVERSION_ID=$OTHER\nVERSION_ID=13#4\nVERSION_ID=13 true\nVERSION_ID="13',
    ],
)
def test_os_release_is_read_as_a_shell_would(text: str, line_end: str) -> None:
    assert read_os_release(text.replace("\n", line_end).encode()) == Distribution("debian", "12")


BLANKS = " " * 30_000


@pytest.mark.parametrize(
    "line",
    [
        f"ID=a{BLANKS}x",
        f"ID=a{BLANKS};{BLANKS}x",
        f"export{BLANKS}x",
        "ID=" + "'a'" * 20_000 + " x",
        "ID=" + '"' * 60_001,
    ],
    ids=["blanks", "blanks around a semicolon", "no name", "pieces", "quotes"],
)
def test_a_hostile_line_of_os_release_takes_no_time(line: str) -> None:
    began = time.process_time()
    assert read_os_release(line.encode()) is None
    assert time.process_time() - began < 1


PIECES = st.sampled_from(
    ["1", "2", ".", "'", '"', "\\", "\\\\", "\\a", "'3'", '"4"', '"\\""', "'\\'", '"\\5"', "#", " #"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(PIECES, max_size=5).map("".join))
def test_a_version_that_is_told_is_the_one_that_a_shell_reads(value: str) -> None:
    told = read_os_release(f"ID=x\nVERSION_ID={value}\n".encode())
    assert told is not None
    if told.version:
        said = subprocess.run(
            ["sh", "-c", f'VERSION_ID={value}\nprintf %s "$VERSION_ID"'], capture_output=True, text=True
        )
        assert (said.returncode, said.stdout) == (0, told.version)


def test_each_package_is_listed_once_with_its_source_package() -> None:
    wall = zstd(
        b'{"jsonwall":"1.0","schema":"1.0"}\n{"kind":"package","name":"a","version":"1.0","arch":"amd64"}\n'
    )
    files = {"var/lib/chisel/manifest.wall": wall, "var/lib/dpkg/status": paragraph("a")}
    assert places.packages_in(files).packages == (Package("deb", "a", "1.0", "amd64", "a", "1.0"),)


def test_a_database_that_cannot_be_read_hinders_no_other() -> None:
    files = {"var/lib/dpkg/status": paragraph("a"), "var/lib/rpm/rpmdb.sqlite": b"nothing"}
    found = places.packages_in(files)
    assert [each.name for each in found.packages] == ["a"]
    assert found.problems == ("var/lib/rpm/rpmdb.sqlite: is no SQLite database; nothing of it is used",)


def test_an_rpm_database_of_an_older_form_is_said_to_be_unread() -> None:
    assert "older form" in places.packages_in({"var/lib/rpm/Packages": b""}).problems[0]


def test_a_container_manifest_without_epochs_is_no_empty_list_but_where_a_better_one_is() -> None:
    files = {"var/lib/rpmmanifest/container-manifest-1": b""}
    assert "list without epochs, which is not read" in places.packages_in(files).problems[0]
    better = {"var/lib/rpmmanifest/container-manifest-2": content("packages/rpm/container-manifest-2")}
    assert places.packages_in(files | better).problems == ()


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        ("0001", paragraph("a", "2.0"), 1),
        ("0012", b"", 0),
        ("0012", b"\n", 0),
        ("tmp.i", b"#padding\n", 0),
        ("\u0661", b"x", 0),
    ],
)
def test_what_dpkg_has_noted_and_not_taken_over_is_told(name: str, content: bytes, problems: int) -> None:
    path = f"var/lib/dpkg/updates/{name}"
    files, _ = overlay([read(archive({path: content, "var/lib/dpkg/status": paragraph("a")}))])
    found = places.packages_in(files)
    assert [each.version for each in found.packages] == ["1.0"]
    assert [f"{path}: dpkg's database was being written" in each for each in found.problems] == [True] * problems


def test_a_number_elsewhere_is_no_note_of_dpkg() -> None:
    assert places.largest("1") == places.largest("var/lib/dpkg/info/1") == 0


READERS: dict[str, Callable[[bytes, str], Inventory]] = {
    "dpkg": dpkg.read_status,
    "apk": apk.read_installed,
    "manifest": rpm.read_manifest,
    "database": lambda data, where: rpm_database.read_database(b"SQLite format 3\0" + data, data, where),
    "chisel": chisel.read_manifest,
    "chisel text": lambda data, where: chisel.read_manifest(zstd(data), where),
    "dotnet": dotnet.read_dependencies,
}


@pytest.mark.parametrize("reader", READERS)
@given(data=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_in_one_line(reader: str, data: bytes) -> None:
    try:
        inventory = READERS[reader](data, "here")
    except Failure as failure:
        lines = [str(failure)]
    else:
        lines = list(inventory.problems)
    assert all("\n" not in line and line.startswith("here: ") for line in lines)


def test_a_chisel_manifest_of_lines_without_end_is_refused_in_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chisel, "_LARGEST", 8 * 1024 * 1024)
    wall = zstd(b'{"jsonwall":"1.0","schema":"1.0"}\n' + b"\n" * (16 * 1024 * 1024))
    tracemalloc.start()
    with pytest.raises(Failure, match="unpacks to more than"):
        chisel.read_manifest(wall, "manifest.wall")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_a_chisel_manifest_is_always_packed_with_zstd() -> None:
    text = b'{"jsonwall":"1.0","schema":"1.0","count":2}\n{"kind":"package","name":"a","version":"1"}\n'
    for data in (text, gzip.compress(text), b""):
        with pytest.raises(Failure, match="not packed with zstd"):
            chisel.read_manifest(data, "manifest.wall")
    assert chisel.read_manifest(b"\x50\x2a\x4d\x18\x01\0\0\0x" + zstd(text), "manifest.wall").packages


def test_a_log_without_its_database_is_a_problem() -> None:
    found = places.packages_in({"var/lib/rpm/rpmdb.sqlite-wal": b"x"})
    assert found.problems == ("var/lib/rpm/rpmdb.sqlite-wal: is the log of a database that is not there",)


def test_a_library_of_an_application_has_one_slash_in_its_name() -> None:
    libraries = {"a/1": {"type": "package"}, "a/b/1": {"type": "package"}, "c": {"type": "package"}}
    found = dotnet.read_dependencies(json.dumps({"libraries": libraries}).encode(), "a.deps.json")
    assert [(each.name, each.version) for each in found.packages] == [("a", "1")]
    assert len(found.problems) == 2


@pytest.mark.parametrize("name", ["a\ud800", "a" * 257, "a\x7fb", "a b"])
def test_a_name_that_can_be_none_is_a_problem_and_hinders_no_other(name: str) -> None:
    libraries = {f"{name}/1": {"type": "package"}, "b/1": {"type": "package"}}
    found = dotnet.read_dependencies(json.dumps({"libraries": libraries}).encode(), "a.deps.json")
    assert [each.name for each in found.packages] == ["b"]
    assert found.problems[0].startswith("a.deps.json: a package named ")
