"""Entries of package databases, one at a time: what is taken in, what is none, and what cannot be read."""

import json
import struct
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.domain.packages.package import Inventory, Package
from bot.images.packages.databases import apk, chisel, dotnet, dpkg, rpm
from bot.images.packages.reading import Collection, items, listed, read_any_json, read_json
from tests.unit.images.packages.archives import zstd

FINE = "Package: fine\nStatus: install ok installed\nVersion: 1\n"


def of_dpkg(text: str) -> Inventory:
    return dpkg.read_status(text.encode(), "status")


def names(found: Inventory) -> list[str]:
    return [each.name for each in found.packages]


def test_an_installed_package_of_dpkg_without_a_version_is_told_and_one_without_a_status_is_none() -> None:
    found = of_dpkg(f"Package: broken\nStatus: install ok installed\n\nPackage: note\n\n{FINE}")
    assert (names(found), found.problems) == (["fine"], ("status: broken is installed without a version",))


@pytest.mark.parametrize(
    ("paragraph", "problem"),
    [
        (" begins with a blank\nPackage: p\n", "line 1 continues nothing"),
        ("Status: install ok installed\nVersion: 1\n", "a paragraph names no package"),
        ("Package:\nStatus: install ok installed\nVersion: 1\n", "a paragraph names no package"),
        ("Package: \t\nStatus: install ok installed\nVersion: 1\n", "a paragraph names no package"),
        ("Package:\nVersion: 1\n", "a paragraph names no package"),
        ("Package: p\nno field\nnor this\nVersion: 1\n", "line 2 is no field: 'no field'"),
    ],
)
def test_the_first_thing_that_is_wrong_with_a_paragraph_of_dpkg_is_told(paragraph: str, problem: str) -> None:
    for text in (f"{paragraph}\n{FINE}", f"{paragraph} \t\n\n\n{FINE}"):
        found = of_dpkg(text)
        assert (names(found), found.problems) == (["fine"], (f"status: {problem}",))
    found = of_dpkg(f"{FINE}\n{paragraph}")
    assert (names(found), len(found.problems)) == (["fine"], 1)


def test_a_paragraph_of_dpkg_may_continue_its_fields_and_name_no_architecture() -> None:
    [package] = of_dpkg("Package: p\nDescription: a\n b\n\tc\nVersion: 1\nArchitecture:\n").packages
    assert package == Package("deb", "p", "1", None, "p", "1")


def of_apk(text: str) -> Inventory:
    return apk.read_installed(text.encode(), "installed")


def test_records_of_apk_are_parted_by_lines_that_are_blank_and_their_values_by_a_colon() -> None:
    found = of_apk("\n \nP: zlib \nV:1.3-r0\nA:x86_64\nF:lib\n \t\n\nP:musl\nV:1.2-r1\no:musl-src\n")
    assert found.packages == (
        Package("apk", "zlib", "1.3-r0", "x86_64", "zlib", "1.3-r0"),
        Package("apk", "musl", "1.2-r1", None, "musl-src", "1.2-r1"),
    )
    assert found.problems == ()


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("V:1\n", "a record names no package"),
        ("P:\nV:1\n", "a record names no package"),
        ("P:p\n1:x\nno field\nV:1\n", "line 2 is no field: '1:x'"),
    ],
)
def test_a_record_of_apk_that_cannot_be_read_is_told(record: str, problem: str) -> None:
    found = of_apk(f"{record}\nP:fine\nV:1\n\nP:virtual\n")
    assert (names(found), found.problems) == (["fine"], (f"installed: {problem}",))


def of_chisel(*entries: object, head: object = None, end: str = "\n") -> Inventory:
    lines = [json.dumps(each) for each in (head or {"jsonwall": "1.0", "schema": "1.0"}, *entries)]
    return chisel.read_manifest(zstd(("\n".join(lines) + end).encode()), "manifest.wall")


PACKAGE = {"kind": "package", "name": "libc6", "version": "2.39", "arch": "amd64"}


@pytest.mark.parametrize("end", ["", "\n", "\n\n \n"])
def test_the_last_line_of_a_chisel_manifest_counts_whether_it_has_an_end(end: str) -> None:
    assert of_chisel(PACKAGE, end=end).packages == (Package("deb", "libc6", "2.39", "amd64"),)


@pytest.mark.parametrize("key", ["name", "version"])
def test_a_package_of_chisel_without_a_name_or_version_is_told(key: str) -> None:
    found = of_chisel(PACKAGE, {**PACKAGE, "name": "x", "version": "y", key: None})
    other = {"name": "y", "version": "x"}[key]
    assert (names(found), found.problems) == (["libc6"], (f"manifest.wall: a package has no {key}: {other}",))


def test_what_lies_in_a_package_of_chisel_is_none_whatever_it_is_called() -> None:
    path = {"kind": "path", "path": '/"kind":"package"', "name": "x", "version": "1"}
    assert names(of_chisel({"kind": "slice", "name": "\u00e9"}, path, PACKAGE)) == ["libc6"]


@pytest.mark.parametrize("head", [{"jsonwall": "2.0", "schema": "1.0"}, {"jsonwall": "1.0", "schema": "2.0"}, [7]])
def test_a_chisel_manifest_begins_with_its_form_and_schema(head: object) -> None:
    with pytest.raises(Failure):
        of_chisel(PACKAGE, head=head)
    with pytest.raises(Failure, match="is no chisel manifest"):
        chisel.read_manifest(zstd(b" \n"), "manifest.wall")


def test_a_chisel_manifest_that_ends_with_its_first_line_lists_nothing_only_where_that_says_so() -> None:
    head = {"jsonwall": "1.0", "schema": "1.0"}
    with pytest.raises(Failure, match="lists nothing"):
        of_chisel(head=head | {"count": 53})
    assert of_chisel(head=head | {"count": 1}).packages == of_chisel(head=head).packages == ()
    assert names(of_chisel(PACKAGE, head=head | {"count": 53})) == ["libc6"]


def of_dotnet(libraries: object, **values: object) -> Inventory:
    return dotnet.read_dependencies(json.dumps({"libraries": libraries} | values).encode(), "app.deps.json")


@pytest.mark.parametrize("name", ["/1.0", "Json", "Json/", "Json/1/2", "/"])
def test_a_library_whose_name_is_none_with_a_version_is_told(name: str) -> None:
    found = of_dotnet({name: {"type": "package"}, "Fine/1.0": {"type": "PACKAGE"}})
    assert (names(found), len(found.problems)) == (["Fine"], 1)


@pytest.mark.parametrize("libraries", [None, [], "x"])
def test_a_file_without_libraries_is_no_list_of_dependencies(libraries: object) -> None:
    with pytest.raises(Failure, match="has no libraries"):
        of_dotnet(libraries)


@pytest.mark.parametrize("named", ["net10.0", {"name": "net10.0", "signature": ""}])
def test_the_target_of_an_application_is_named_by_a_text_or_in_an_object(named: object) -> None:
    libraries = {"Shipped/1.0": {"type": "package"}, "Meta/1.0": {"type": "package"}}
    target: dict[str, Any] = {"Shipped/1.0": {"runtime": {"lib/x.dll": {}}}, "Meta/1.0": {}}
    assert names(of_dotnet(libraries, runtimeTarget=named, targets={"net10.0": target})) == ["Shipped"]


MANIFEST = "openssl\t3.3.0-3.azl3\t1\t1\tMicrosoft\t{epoch}\t9\tx86_64\t0\topenssl-3.3.0-3.azl3.src.rpm"


def of_manifest(text: str) -> Inventory:
    return rpm.read_manifest(text.encode(), "container-manifest-2")


@pytest.mark.parametrize(
    ("epoch", "version"),
    [
        ("(none)", "3.3.0-3.azl3"),
        ("0", "3.3.0-3.azl3"),
        ("1", "1:3.3.0-3.azl3"),
        ("4294967295", "4294967295:3.3.0-3.azl3"),
    ],
)
def test_a_line_of_a_container_manifest_is_a_package_with_its_epoch(epoch: str, version: str) -> None:
    for end in ("\n", "\r\n", "\n \n"):
        [package] = of_manifest(MANIFEST.format(epoch=epoch) + end).packages
        assert package == Package("rpm", "openssl", version, "x86_64", "openssl", "3.3.0-3.azl3")


@pytest.mark.parametrize("epoch", ["٣", "one", "-1", ""])
def test_an_epoch_that_is_no_number_is_told_with_its_line(epoch: str) -> None:
    found = of_manifest(f"{MANIFEST.format(epoch=0)}\n{MANIFEST.format(epoch=epoch)}\n")
    assert found.problems == ("container-manifest-2: line 2 has an epoch that is no number",)


@pytest.mark.parametrize(
    "line", ["openssl\t3.3.0-3", MANIFEST.format(epoch=0).replace("3.3.0-3.azl3\t1", "3.3.0\t1")]
)
def test_a_line_of_other_columns_is_told_with_its_number(line: str) -> None:
    found = of_manifest(f"{MANIFEST.format(epoch=0)}\n{line}\n")
    assert found.problems == ("container-manifest-2: line 2 is not of the 10 columns of a container manifest",)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("a-b-1.0-2.azl3.src.rpm", ("a-b", "1.0-2.azl3")),
        ("a-1.0-2.nosrc.rpm", ("a", "1.0-2")),
        ("a-1.0-2", (None, None)),
        ("a-1.src.rpm", (None, None)),
        ("(none)", (None, None)),
        (None, (None, None)),
    ],
)
def test_the_source_of_an_rpm_is_told_by_the_name_of_its_file(
    file: str | None, source: tuple[str | None, str | None]
) -> None:
    found = Collection("rpm")
    rpm.add(found, "a", "1-1", 0, "(none)", file)
    assert found.inventory().packages == (Package("rpm", "a", "1-1", None, *source),)


def of_header(
    *entries: tuple[int, int, int, int], data: bytes = b"name\0\0\0\0\7", length: int | None = None
) -> object:
    sizes = struct.pack(">II", len(entries), len(data) if length is None else length)
    return rpm.read_header(sizes + b"".join(struct.pack(">IIiI", *each) for each in entries) + data, "rpm")


def test_a_header_gives_the_first_value_of_each_tag_that_is_wanted() -> None:
    entries = ((rpm.NAME, 6, 0, 1), (rpm.NAME, 6, 1, 1), (rpm.EPOCH, 4, 5, 1), (9, 99, -7, 0))
    assert of_header(*entries) == {rpm.NAME: "name", rpm.EPOCH: 7}
    assert of_header((rpm.NAME, 6, 4, 1)) == {rpm.NAME: ""}
    assert rpm.read_header(struct.pack(">II", 0, 0), "rpm") == {}


@pytest.mark.parametrize(
    "entry",
    [
        (rpm.NAME, 6, -1, 1),
        (rpm.NAME, 6, 9, 1),
        (rpm.NAME, 6, 0, 0),
        (rpm.NAME, 7, 0, 1),
        (rpm.NAME, 6, 8, 1),
        (rpm.EPOCH, 4, 6, 1),
    ],
    ids=["before it", "behind it", "no value", "another type", "no end", "an end behind it"],
)
def test_a_header_whose_tag_points_elsewhere_is_refused(entry: tuple[int, int, int, int]) -> None:
    with pytest.raises(Failure):
        of_header(entry)


def test_a_value_that_ends_behind_the_header_has_no_end() -> None:
    with pytest.raises(Failure, match="has no end"):
        of_header((rpm.NAME, 6, 0, 1), data=b"name\0", length=4)
    with pytest.raises(Failure, match="has no end"):
        of_header((rpm.NAME, 6, 0, 1), data=b"x" * 256 + b"\0")
    assert of_header((rpm.NAME, 6, 0, 1), data=b"x" * 255 + b"\0") == {rpm.NAME: "x" * 255}


@pytest.mark.parametrize("blob", [b"", bytes(7), struct.pack(">II", 0, 1), struct.pack(">II", 65_536, 0)])
def test_a_header_that_is_shorter_than_it_says_is_refused(blob: bytes) -> None:
    with pytest.raises(Failure):
        rpm.read_header(blob, "rpm")


def test_of_many_entries_that_cannot_be_read_some_are_told_and_the_rest_counted() -> None:
    found = Collection("status")
    found.add(Package("deb", "fine", "1"))
    for number in range(100):
        found.refuse(f"{number} {'x' * 1_000}")
    *told, more = found.inventory().problems
    assert more == f"status: {100 - len(told)} more entries cannot be read"
    assert {len(each) for each in told} == {512}


@pytest.mark.parametrize("name", ["", "a\x00b", "a" * 300])
def test_a_value_that_can_be_none_is_told_and_hinders_no_other(name: str) -> None:
    found = Collection("status")
    found.add(Package("deb", "fine", "1"))
    found.add(Package("deb", name, "1"))
    inventory = found.inventory()
    assert (names(inventory), len(inventory.problems)) == (["fine"], 1)


def test_json_is_read_or_refused_with_what_to_do() -> None:
    assert read_json(b'{"a": 1}', "f", 8) == {"a": 1}
    for data, why in (
        (b'{"a": 1} ', "is larger than 8 bytes"),
        (b" \n", "is empty; make it anew|make it anew"),
        (b"\x1f\x8b\x08x", "is packed with gzip"),
        (b"[1]", "not an object"),
        (b"{", "is not valid JSON"),
    ):
        with pytest.raises(Failure, match=why):
            read_json(data, "f", 8)
    with pytest.raises(Failure, match="is not valid JSON"):
        read_any_json(b"[" * 200_000, "f")


def test_a_list_is_one_or_none_and_nothing_else() -> None:
    assert (listed({"a": [1]}, "a", "f"), listed({}, "a", "f"), listed({"a": None}, "a", "f")) == ([1], [], [])
    others: tuple[object, ...] = ({}, 0, "", False)
    for other in others:
        with pytest.raises(Failure, match="has a that are no list"):
            listed({"a": other}, "a", "f")
        assert items(other) == []
    assert items([1]) == [1]
