from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.packages.changes import (
    Direction,
    PackageChange,
    PlatformChanges,
    changes_by_platform,
    composed,
    moves_in_words,
    one_change,
    package_changes,
    shared,
)
from bot.domain.packages.package import Package

SSL = PackageChange("deb", "libssl3t64", "amd64", "3.0.13-0ubuntu3.5", "3.0.13-0ubuntu3.6", Direction.UP)
RUNTIME = PackageChange("nuget", "Microsoft.NETCore.App", None, "10.0.0", "10.0.1", Direction.UP)


def on(platform: str, *changes: PackageChange, is_complete: bool = True) -> PlatformChanges:
    return PlatformChanges(platform, changes, is_complete)


def deb(name: str, before: str | None, after: str | None, direction: Direction) -> PackageChange:
    return PackageChange("deb", name, "amd64", before, after, direction)


def test_a_single_package_is_told_as_the_only_one() -> None:
    assert moves_in_words([on("linux/amd64", SSL)]) == "only libssl3t64 3.0.13-0ubuntu3.5 → 3.0.13-0ubuntu3.6"


def test_platforms_that_changed_alike_are_told_once() -> None:
    arm = PackageChange("deb", "libssl3t64", "arm64", SSL.before, SSL.after, SSL.direction)
    assert moves_in_words([on("linux/amd64", SSL), on("linux/arm64", arm)]) == moves_in_words(
        [on("linux/amd64", SSL)]
    )


def test_platforms_that_differ_are_named() -> None:
    text = moves_in_words([on("linux/amd64", RUNTIME), on("linux/arm64")])
    assert text == "linux/amd64: only Microsoft.NETCore.App 10.0.0 → 10.0.1; linux/arm64: no package changed"


def test_many_changes_are_counted_and_dotnet_is_named_first() -> None:
    many = [deb(name, "2", "1", Direction.DOWN) for name in "ab"] + [deb("c", None, "1", Direction.ADDED)]
    assert moves_in_words([on("linux/amd64", *many, RUNTIME)]) == (
        "1 added, 1 up, 2 down: Microsoft.NETCore.App 10.0.0 → 10.0.1, a 2 → 1 (down), b 2 → 1 (down) and 1 other"
    )


def test_three_changes_are_all_named() -> None:
    three = [deb(name, "1", "2", Direction.UP) for name in "abc"]
    assert moves_in_words([on("linux/amd64", *three)]) == "only a 1 → 2, b 1 → 2, c 1 → 2"
    assert changes_by_platform([on("linux/amd64", *three)]) == ()


def test_a_package_that_came_or_went_is_told_with_its_version() -> None:
    assert one_change(deb("a", None, "1", Direction.ADDED)) == "a 1 added"
    assert one_change(deb("a", "1", None, Direction.REMOVED)) == "a 1 removed"


def test_changes_are_in_the_order_of_their_types_names_and_versions_behind_dotnet_itself() -> None:
    went = [deb("a", version, None, Direction.REMOVED) for version in "123"]
    came = [deb("a", None, version, Direction.ADDED) for version in "456"]
    json = PackageChange("nuget", "Json", None, "1", "2", Direction.UP)
    [group] = shared([on("linux/amd64", json, *reversed(went), *reversed(came), RUNTIME)])
    assert [(each.name, each.before, each.after) for each in group.changes] == [
        (RUNTIME.name, RUNTIME.before, RUNTIME.after),
        *(("a", None, version) for version in "456"),
        *(("a", version, None) for version in "123"),
        ("Json", "1", "2"),
    ]


def test_what_a_line_leaves_out_is_listed_by_platforms() -> None:
    several = [deb(f"lib{number}", "1.0", "1.1", Direction.UP) for number in range(5)]
    found = changes_by_platform([on("linux/amd64", *several), on("linux/arm64", SSL)])
    assert found[0] == ("linux/amd64", tuple(f"lib{number} 1.0 → 1.1" for number in range(5)))
    assert found[1] == ("linux/arm64", ("libssl3t64 3.0.13-0ubuntu3.5 → 3.0.13-0ubuntu3.6",))
    assert changes_by_platform([on("linux/amd64", SSL)]) == (), "a line has told all"


def test_what_could_not_be_read_is_never_told_as_all() -> None:
    assert moves_in_words([on("linux/amd64", SSL, is_complete=False)]) == (
        "libssl3t64 3.0.13-0ubuntu3.5 → 3.0.13-0ubuntu3.6, and what could not be read"
    )
    assert (
        moves_in_words([on("linux/amd64", is_complete=False)]) == "no package changed, and what could not be read"
    )


def test_nothing_is_told_of_what_is_not_known() -> None:
    assert moves_in_words([PlatformChanges("linux/amd64", None, is_complete=False)]) == ""
    assert moves_in_words([]) == ""


def test_several_moves_are_told_as_one() -> None:
    later = deb("libssl3t64", SSL.after, "3.0.13-0ubuntu3.7", Direction.UP)
    [found] = composed([[on("linux/amd64", SSL, RUNTIME)], [on("linux/amd64", later)]])
    assert found.changes == (deb("libssl3t64", SSL.before, "3.0.13-0ubuntu3.7", Direction.UP), RUNTIME)


def test_of_several_moves_each_platform_is_told_in_order_and_as_complete_as_all_of_its_moves() -> None:
    first = [on("linux/arm64", SSL), on("linux/amd64", SSL, is_complete=False)]
    found = composed([first, [on("linux/amd64", RUNTIME)]])
    assert [(each.platform, each.is_complete) for each in found] == [("linux/amd64", False), ("linux/arm64", True)]


def test_a_move_that_is_not_known_leaves_the_whole_unknown() -> None:
    unknown = PlatformChanges("linux/amd64", None, is_complete=False)
    assert composed([[on("linux/amd64", SSL)], [unknown]]) == (unknown,)
    assert shared([unknown]) == ()


_PACKAGES = st.lists(
    st.builds(Package, st.just("nuget"), st.sampled_from("ab"), st.sampled_from(["1.0", "1.1", "2.0"])), unique=True
)


@given(_PACKAGES, _PACKAGES, _PACKAGES)
def test_two_moves_in_a_row_are_the_move_from_the_first_to_the_last(
    first: list[Package], second: list[Package], third: list[Package]
) -> None:
    steps = [[on("linux/amd64", *package_changes(*pair))] for pair in ((first, second), (second, third))]
    [found] = composed(steps)
    assert set(found.changes or ()) == set(package_changes(first, third))


def test_fixes_that_came_with_a_package_are_named_by_their_notices() -> None:
    noticed = replace(SSL, notices=("USN-7278-1",))
    assert moves_in_words([PlatformChanges("linux/amd64", (noticed,))]).endswith("3.0.13-0ubuntu3.6 (USN-7278-1)")
    many = replace(SSL, notices=tuple(f"USN-{number}-1" for number in range(1, 6)))
    assert moves_in_words([PlatformChanges("linux/amd64", (many,))]).endswith(
        "(USN-3-1, USN-4-1, USN-5-1 and 2 others)"
    )
    three = replace(SSL, notices=many.notices[:3])
    assert one_change(three).endswith("(USN-1-1, USN-2-1, USN-3-1)")


def test_notices_of_all_steps_stay_with_the_package() -> None:
    first = replace(SSL, notices=("USN-1-1",))
    second = replace(SSL, before=SSL.after, after="3.0.13-0ubuntu3.7", notices=("USN-2-1",))
    [platform] = composed([[PlatformChanges("linux/amd64", (each,))] for each in (first, second)])
    assert platform.changes is not None
    [change] = platform.changes
    assert (change.before, change.after, change.notices) == (
        SSL.before,
        "3.0.13-0ubuntu3.7",
        ("USN-1-1", "USN-2-1"),
    )
