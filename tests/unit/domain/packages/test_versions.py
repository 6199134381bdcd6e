import contextlib
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.packages.versions import BadVersion, compare_to_named, compare_versions
from tests.conftest import NO_SHARED_DATA, SHARED

TYPES = ("deb", "rpm", "apk", "nuget")


def vectors(package_type: str) -> list[dict[str, object]]:
    path = SHARED / "evidence" / "versions" / f"{package_type}.jsonl"
    if not path.exists():
        pytest.skip(NO_SHARED_DATA)
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("package_type", TYPES)
def test_every_recorded_pair_is_ordered_as_its_package_manager_orders_it(package_type: str) -> None:
    wrong = [
        pair
        for pair in vectors(package_type)
        if compare_versions(package_type, str(pair["a"]), str(pair["b"])) != pair["expected"]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("package_type", "older", "newer"),
    [
        ("deb", "3.0.13-0ubuntu3.5", "3.0.13-0ubuntu3.6"),
        ("deb", "1.0~rc1-1", "1.0-1"),
        ("deb", "9.9", "1:0.1"),
        ("deb", "1.0--1", "1.0--2"),
        ("deb", "1:2:3", "1:2:4"),
        ("deb", "1:2.9", "1:2:3"),
        ("deb", "1:2+9", "1:2:"),
        ("deb", "1:2:3-9", "1:2:03-10"),
        ("deb", "2147483646:9", "2147483647:1"),
        ("rpm", "1.0~rc1-1", "1.0-1"),
        ("rpm", "1.0", "1.0-1"),
        ("rpm", "1.0", "1.0-~1"),
        ("rpm", "9.0-1.azl3", "2:1.0-1.azl3"),
        ("rpm", "2147483648:1-1", "4294967295:1-1"),
        ("apk", "1.0_rc1", "1.0"),
        ("apk", "1.0", "1.0-r0"),
        ("apk", "1.0-r9", "1.0-r10"),
        ("apk", "1.0_rc2", "1.0_p1"),
        ("apk", "1.0_p9", "1.0a"),
        ("apk", "1.0_p1", "1.0_p_p"),
        ("apk", "1.0_p~abc", "1.0_p1"),
        ("apk", "1.09", "1.1"),
        ("apk", "1.0", "1.09"),
        ("apk", "1.0_git20240101", "1.0_git20240201"),
        ("apk", "1.0-r1", "1.0~abc123-r1"),
        ("nuget", "1.0.0-rc.9", "1.0.0-rc.10"),
        ("nuget", "1.0.0-2", "1.0.0-alpha"),
        ("nuget", "1.0.0-5", "1.0.0-2147483648"),
        ("nuget", "1.0.0-10000000000", "1.0.0-9999999999"),
        ("nuget", "1.0.0-2147483647", "1.0.0-10000000000"),
        ("nuget", "1.0.0-10000000000", "1.0.0-2147483648"),
        ("nuget", "1.0.0--2147483648", "1.0.0--2147483649"),
        ("nuget", "1.0.0--2147483648", "1.0.0--10"),
        ("nuget", "1.0.0--2147483649", "1.0.0--21474836490"),
        ("nuget", "2147483646.9", "2147483647.0"),
        ("nuget", "8.0.0", "8.0.0.1"),
        ("nuget", "1.0.0-alpha", "1.0.0-alpha.1"),
    ],
)
def test_an_older_version_comes_first(package_type: str, older: str, newer: str) -> None:
    assert compare_versions(package_type, older, newer) == -1
    assert compare_versions(package_type, newer, older) == 1


@pytest.mark.parametrize(
    ("package_type", "first", "second"),
    [
        ("deb", "0:1.0-0", "1.0"),
        ("deb", " 1.0\t", "1.0"),
        ("deb", "1.0a0", "1.0a"),
        ("deb", "1" * 256, "1" * 256),
        ("nuget", " 1.0.0\r\n", "1.0"),
        ("rpm", "0:1.0-1", "1.0-1"),
        ("rpm", "1.0.0-1", "1_0_0-1"),
        ("apk", "01.5-r00", "1.5-r0"),
        ("nuget", "1.0.0-BETA.01+abc", "1-beta.1"),
    ],
)
def test_two_ways_of_writing_one_version_are_equal(package_type: str, first: str, second: str) -> None:
    assert compare_versions(package_type, first, second) == 0


@pytest.mark.parametrize(
    ("package_type", "text"),
    [
        ("deb", ""),
        ("deb", "1.0-"),
        ("deb", "1.0\n"),
        ("deb", "1.0 1"),
        ("deb", "99999999999:1"),
        ("deb", "2147483648:1"),
        ("deb", "1" * 257),
        ("rpm", "4294967296:1-1"),
        ("deb", "1.0:1"),
        ("deb", "1:2-3:4"),
        ("deb", "1::2"),
        ("deb", "٣"),
        ("rpm", "1-2-3"),
        ("rpm", "a:1"),
        ("apk", "v1.0"),
        ("apk", "1.0_foo"),
        ("apk", "1.0\n"),
        ("nuget", "v1.0"),
        ("nuget", "1.2.3.4.5"),
        ("nuget", "1.0.0-"),
        ("nuget", "2147483648.0"),
        ("pypi", "1.0"),
    ],
)
def test_what_is_no_version_is_refused(package_type: str, text: str) -> None:
    with pytest.raises(BadVersion):
        compare_versions(package_type, text, "1.0")


def spelled(alphabet: str) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=8)


VERSIONS = {
    "deb": spelled("01a~+.-:"),
    "rpm": spelled("01a~^._-:"),
    "apk": st.from_regex(r"[01]{1,2}(\.[019]{1,2}){0,2}[ab]?(_(rc|p|git)[02]?){0,2}(-r[0-2])?", fullmatch=True),
    "nuget": st.from_regex(r"[01](\.[012]){0,3}(-[0aB]{1,2}(\.-?[02b]){0,2})?(\+a)?", fullmatch=True),
}


@pytest.mark.parametrize("package_type", TYPES)
@given(data=st.data())
def test_the_order_is_total_and_antisymmetric(package_type: str, data: st.DataObject) -> None:
    a, b, c = (data.draw(VERSIONS[package_type]) for _ in range(3))

    def compare(first: str, second: str) -> int:
        return compare_versions(package_type, first, second)

    try:
        ab, ba, bc, ac = compare(a, b), compare(b, a), compare(b, c), compare(a, c)
    except BadVersion:
        return
    assert compare(a, a) == 0
    assert ab == -ba
    if ab <= 0 and bc <= 0:
        assert ac <= 0
        assert (ac == 0) == (ab == bc == 0)


@pytest.mark.parametrize("package_type", TYPES)
@given(first=st.text(max_size=40), second=st.text(max_size=40))
def test_any_text_is_ordered_or_refused(package_type: str, first: str, second: str) -> None:
    with contextlib.suppress(BadVersion):
        assert compare_versions(package_type, first, second) in (-1, 0, 1)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
@given(first=VERSIONS["deb"], second=VERSIONS["deb"])
def test_debian_versions_are_ordered_as_dpkg_orders_them(first: str, second: str) -> None:
    try:
        order = compare_versions("deb", first, second)
    except BadVersion:
        return
    relation = {-1: "lt", 0: "eq", 1: "gt"}[order]
    done = subprocess.run(["dpkg", "--compare-versions", "--", first, relation, second], capture_output=True)
    assert done.returncode == 0, (first, relation, second)


@pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
@given(pairs=st.lists(st.tuples(VERSIONS["rpm"], VERSIONS["rpm"]), min_size=1, max_size=30))
def test_rpm_versions_are_ordered_as_rpm_orders_them(pairs: list[tuple[str, str]]) -> None:
    ordered = []
    for first, second in pairs:
        try:
            ordered.append((first, second, compare_versions("rpm", first, second)))
        except BadVersion:
            continue
    macro = "\n".join(f"%{{lua:print(rpm.vercmp('{first}', '{second}'))}}" for first, second, _ in ordered)
    if not ordered:
        return
    done = subprocess.run(["rpm", "--eval", macro], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(order) for *_, order in ordered], ordered


@pytest.mark.parametrize(
    ("version", "named", "order"),
    [
        ("1-11.azl3", "1-11", 0),
        ("1-11.cm2", "1-11", 0),
        ("1-11.rc1.azl3", "1-11", 0),
        ("1-11.rc1.azl3", "1-11.rc1", 0),
        ("1-11.azl3", "1-12", -1),
        ("1-11.azl3", "1-1", 1),
        ("1-11.1.azl3", "1-11", 1),
        ("1-11.azl3", "1", 0),
        ("1:1-11.azl3", "1-11", 1),
        ("1-11.azl3", "1-11.azl3", 0),
        ("1-11.azl3", "1-11.azl4", -1),
    ],
)
def test_what_a_publisher_names_takes_in_every_build_of_it(version: str, named: str, order: int) -> None:
    assert compare_to_named("rpm", version, named) == order


@pytest.mark.parametrize(("version", "named"), [("1-11", "1-11.azl3"), ("1", "1-11"), ("1", "1-11.azl3")])
def test_which_build_of_a_named_one_a_bare_version_is_cannot_be_told(version: str, named: str) -> None:
    with pytest.raises(BadVersion, match="which build"):
        compare_to_named("rpm", version, named)


@pytest.mark.parametrize("package_type", ["deb", "apk", "nuget"])
@given(data=st.data())
def test_of_other_types_what_is_named_is_one_version(package_type: str, data: st.DataObject) -> None:
    first, second = data.draw(VERSIONS[package_type]), data.draw(VERSIONS[package_type])
    try:
        order = compare_versions(package_type, first, second)
    except BadVersion:
        return
    assert compare_to_named(package_type, first, second) == order


@given(version=VERSIONS["rpm"], named=VERSIONS["rpm"])
def test_rpms_order_stands_where_neither_is_a_build_of_the_other(version: str, named: str) -> None:
    try:
        order = compare_versions("rpm", version, named)
        told = compare_to_named("rpm", version, named)
    except BadVersion:
        return
    assert told in (order, 0)
