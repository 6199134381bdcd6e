from dataclasses import replace

from bot.domain.packages.changes import Direction, PackageChange, PlatformChanges
from bot.domain.reference import Base
from bot.fleet.act.pull_request.text.packages import packages_section

ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")


def up(name: str) -> PackageChange:
    return PackageChange("deb", name, "amd64", "1.0", "1.1", Direction.UP)


def amd64(*changes: PackageChange) -> tuple[PlatformChanges, ...]:
    return (PlatformChanges("linux/amd64", changes),)


def test_packages_are_folded_below_the_line_that_tells_them() -> None:
    assert packages_section({ASPNET: amd64(up("libssl3t64"))}) == (
        "<details><summary>Packages of aspnet:10.0 on linux/amd64: only libssl3t64 1.0 → 1.1</summary>\n\n"
        "| package | before | after | how |\n|---|---|---|---|\n| `libssl3t64` | `1.0` | `1.1` | up |\n\n</details>"
    )


def test_bases_that_changed_alike_are_told_together() -> None:
    section = packages_section({ASPNET: amd64(up("a")), SDK: amd64(up("a"))})
    assert section.count("<details>") == 1
    assert "Packages of aspnet:10.0, sdk:10.0 on linux/amd64" in section


def test_all_tables_together_fit_a_screen() -> None:
    many = [up(f"lib{number:03}") for number in range(40)]
    section = packages_section({ASPNET: amd64(*many), SDK: amd64(*many[:30])})
    assert section.count("| up |") == 24
    assert ("And 16 others." in section, "And 30 others." in section) == (True, True)


def test_a_name_from_outside_is_harmless_where_it_stands() -> None:
    section = packages_section({ASPNET: amd64(up("<b>|`@octocat"))})
    head, _, table = section.partition("</summary>")
    assert ("<b>" in head, "@octocat" in head) == (False, False)
    assert "`<b>¦'@octocat`" in table


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert packages_section({}) == ""
    assert packages_section({ASPNET: (PlatformChanges("linux/amd64", None, is_complete=False),)}) == ""


def test_that_no_package_changed_is_said_without_a_table() -> None:
    assert packages_section({ASPNET: amd64()}) == "Packages of aspnet:10.0 on linux/amd64: no package changed."


def test_a_notice_stands_in_the_row_of_its_package() -> None:
    noticed = replace(up("libssl3t64"), notices=("USN-7278-1",))
    assert "| `libssl3t64` | `1.0` | `1.1` | up, USN-7278-1 |" in packages_section({ASPNET: amd64(noticed)})


def test_where_there_is_no_room_left_no_empty_table_is_begun() -> None:
    many = [up(f"lib{number:03}") for number in range(24)]
    section = packages_section({ASPNET: amd64(*many), SDK: amd64(up("a"))})
    assert section.count("| package |") == 1
    assert "And 1 other." in section


def test_a_package_that_came_or_went_has_no_version_on_one_side() -> None:
    came = PackageChange("deb", "new", "amd64", None, "1.1", Direction.ADDED)
    went = PackageChange("deb", "old", "amd64", "1.0", None, Direction.REMOVED)
    section = packages_section({ASPNET: amd64(came, went)})
    assert f"| `new` |  | `1.1` | {Direction.ADDED} |" in section
    assert f"| `old` | `1.0` |  | {Direction.REMOVED} |" in section


def test_platforms_that_changed_alike_are_named_together() -> None:
    both = tuple(PlatformChanges(platform, (up("a"),)) for platform in ("linux/amd64", "linux/arm64"))
    assert "Packages of aspnet:10.0 on linux/amd64, linux/arm64: only a 1.0 → 1.1" in packages_section(
        {ASPNET: both}
    )


def test_what_did_not_change_alike_is_told_line_by_line() -> None:
    section = packages_section({ASPNET: amd64(), SDK: amd64(up("a"))})
    assert "aspnet:10.0 on linux/amd64: no package changed.\n<details>" in section


def test_of_a_table_that_fits_nothing_else_is_counted() -> None:
    assert "And" not in packages_section({ASPNET: amd64(*(up(f"lib{number:03}") for number in range(24)))})
