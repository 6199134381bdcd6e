from hypothesis import given
from hypothesis import strategies as st

from bot.domain.packages.changes import (
    Direction,
    PackageChange,
    few_notices,
    in_order_of_publication,
    net_changes,
    package_changes,
)
from bot.domain.packages.package import Package


def deb(name: str, version: str, architecture: str | None = "amd64") -> Package:
    return Package("deb", name, version, architecture)


def told(before: list[Package], after: list[Package]) -> list[tuple[str, str | None, str | None, str]]:
    return [(each.name, each.before, each.after, str(each.direction)) for each in package_changes(before, after)]


def test_packages_are_added_removed_up_and_down() -> None:
    before = [deb("libssl3t64", "3.0.13-0ubuntu3.5"), deb("old", "1"), deb("same", "1"), deb("tzdata", "2025b")]
    after = [deb("libssl3t64", "3.0.13-0ubuntu3.6"), deb("new", "1"), deb("same", "1"), deb("tzdata", "2025a")]
    assert told(before, after) == [
        ("libssl3t64", "3.0.13-0ubuntu3.5", "3.0.13-0ubuntu3.6", "up"),
        ("new", None, "1", "added"),
        ("old", "1", None, "removed"),
        ("tzdata", "2025b", "2025a", "down"),
    ]


def test_the_runtime_is_a_package_among_others() -> None:
    before, after = (Package("nuget", "Microsoft.NETCore.App", version) for version in ("8.0.9", "8.0.10"))
    assert told([before], [after]) == [("Microsoft.NETCore.App", "8.0.9", "8.0.10", "up")]


def test_versions_side_by_side_are_told_apart() -> None:
    before = [Package("nuget", "a", version) for version in ("1.0", "2.0")]
    after = [Package("nuget", "a", version) for version in ("2.0", "3.0")]
    assert told(before, after) == [("a", "1.0", "3.0", "up")]
    assert told(before, []) == [("a", "1.0", None, "removed"), ("a", "2.0", None, "removed")]


def test_case_does_not_count_in_the_names_of_nuget_and_in_no_others() -> None:
    before, after = (Package("nuget", name, "13.0.1") for name in ("newtonsoft.json", "Newtonsoft.Json"))
    assert told([before], [after]) == []
    newer = Package("nuget", "Newtonsoft.Json", "13.0.3")
    assert told([before], [newer]) == [("Newtonsoft.Json", "13.0.1", "13.0.3", "up")]
    assert [each[0] for each in told([deb("a", "1")], [deb("A", "1")])] == ["A", "a"]


def test_changes_are_in_the_order_of_types_names_and_architectures() -> None:
    packages = [
        Package("rpm", "a", "1"),
        deb("b", "1", "arm64"),
        deb("b", "1"),
        deb("b", "1", None),
        Package("nuget", "a", "1"),
        Package("nuget", "B", "1"),
        deb("a", "1"),
    ]
    ordered = [
        *(("deb", "a", "amd64"), ("deb", "b", None), ("deb", "b", "amd64"), ("deb", "b", "arm64")),
        *(("nuget", "B", None), ("nuget", "a", None), ("rpm", "a", None)),
    ]
    changes = package_changes([], packages)
    for found in (changes, net_changes(reversed(changes))):
        assert [(each.type, each.name, each.architecture) for each in found] == ordered


def test_fixes_are_told_of_what_went_up_alone() -> None:
    up = PackageChange("deb", "a", None, "2", "3", Direction.UP, ("USN-1-1",))
    [change] = net_changes([up, PackageChange("deb", "a", None, "3", "1", Direction.DOWN)])
    assert (change.direction, change.notices) == (Direction.DOWN, ())


def test_another_spelling_of_a_version_is_a_change_without_a_direction() -> None:
    assert told([deb("a", "1.0")], [deb("a", "0:1.0")]) == [("a", "1.0", "0:1.0", "changed")]


def test_architectures_are_told_apart() -> None:
    assert told([deb("a", "1", "amd64")], [deb("a", "1", "arm64")]) == [
        ("a", "1", None, "removed"),
        ("a", None, "1", "added"),
    ]


def test_versions_that_no_rule_orders_are_changed() -> None:
    before, after = Package("maven", "a", "1"), Package("maven", "a", "2")
    assert package_changes([before], [after])[0].direction is Direction.CHANGED


def test_what_is_known_by_name_only_is_the_package_of_that_name_and_version() -> None:
    assert told([deb("a", "1")], [Package("", "a", "1")]) == []
    assert told([deb("a", "1")], [Package("", "a", "2")]) == [
        ("a", None, "2", "added"),
        ("a", "1", None, "removed"),
    ]


PACKAGES = st.lists(
    st.builds(Package, st.sampled_from(["deb", "nuget"]), st.sampled_from("ab"), st.sampled_from("123")), max_size=6
)


@given(PACKAGES, PACKAGES)
def test_the_way_back_is_the_opposite(before: list[Package], after: list[Package]) -> None:
    there, back = package_changes(before, after), package_changes(after, before)
    assert {(each.type, each.name, each.before, each.after) for each in there} == {
        (each.type, each.name, each.after, each.before) for each in back
    }
    assert package_changes(before, before) == ()


def test_notices_stand_in_the_order_of_their_numbers() -> None:
    """The latest few of them are named."""
    names = ["USN-10000-1", "USN-7278-2", "USN-7278-10", "USN-998-1", "DSA-5500-1"]
    assert sorted(names, key=in_order_of_publication) == [
        "DSA-5500-1",
        "USN-998-1",
        "USN-7278-2",
        "USN-7278-10",
        "USN-10000-1",
    ]
    change = PackageChange("deb", "a", None, "1", "2", Direction.UP, ("USN-998-1", "USN-7278-1", "USN-7300-1"))
    later = PackageChange("deb", "a", None, "2", "3", Direction.UP, ("USN-10000-1",))
    [both] = net_changes([change, later])
    assert few_notices(both) == "USN-7278-1, USN-7300-1, USN-10000-1 and 1 other"


def test_a_runtime_pack_is_one_package_by_the_name_of_deps_json_and_by_that_of_sboms() -> None:
    published = "Microsoft.NETCore.App.Runtime.linux-x64"
    shipped = Package("nuget", f"runtimepack.{published}", "8.0.0")
    assert package_changes([shipped], [Package("nuget", published, "8.0.0")]) == ()
    [change] = package_changes([shipped], [Package("nuget", published, "8.0.1")])
    assert (change.before, change.after, change.direction) == ("8.0.0", "8.0.1", Direction.UP)
