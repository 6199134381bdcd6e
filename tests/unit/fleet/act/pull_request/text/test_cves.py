from bot.domain.packages.changes import PlatformChanges
from bot.domain.packages.cves.detected import Rating
from bot.domain.packages.cves.moves import CvePackage, CvesMoved, MovedCve, WhyOpen
from bot.domain.reference import Base
from bot.fleet.act.pull_request.text.packages import cves_section

ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")
OWN = Base("ghcr.io", "contoso/base", "10.0")


def moved_cve(cve: str, why: WhyOpen | None = None, severity: Rating = Rating.HIGH, fixed: str = "") -> MovedCve:
    return MovedCve(cve, severity, (CvePackage("libssl3t64", "3.0.13-0ubuntu3.5", fixed),), why)


def amd64(moved: CvesMoved | None) -> tuple[PlatformChanges, ...]:
    return (PlatformChanges("linux/amd64", (), cves=moved),)


def test_what_is_fixed_and_what_is_still_open_is_folded_below_a_line_that_tells_both() -> None:
    still_open = (
        moved_cve("CVE-2", WhyOpen.NOT_REBUILT, fixed="3.0.13-0ubuntu3.6"),
        moved_cve("CVE-3", WhyOpen.NO_FIX),
    )
    assert cves_section({ASPNET: amd64(CvesMoved((moved_cve("CVE-1"),), still_open))}) == (
        "<details><summary>CVEs in packages of aspnet:10.0 on linux/amd64: 1 fixed (1 HIGH); 2 still open "
        "(2 HIGH): 1 no fix yet, 1 base not rebuilt</summary>\n\n"
        "| CVE | severity | package | fix |\n|---|---|---|---|\n"
        "| `CVE-2` | HIGH | `libssl3t64 3.0.13-0ubuntu3.5` | fixed in 3.0.13-0ubuntu3.6, Microsoft has not rebuilt "
        "|\n"
        "| `CVE-3` | HIGH | `libssl3t64 3.0.13-0ubuntu3.5` | no fix yet |\n"
        "| `CVE-1` | HIGH | `libssl3t64 3.0.13-0ubuntu3.5` | fixed |\n\n</details>"
    )


def test_an_own_base_is_nothing_that_microsoft_rebuilds() -> None:
    still_open = (moved_cve("CVE-2", WhyOpen.NOT_REBUILT, fixed="1.1"),)
    assert "| fixed in 1.1, base not rebuilt |" in cves_section({OWN: amd64(CvesMoved((), still_open))})


def test_all_tables_together_fit_a_screen_with_the_worst_first_and_the_rest_counted() -> None:
    low = [moved_cve(f"CVE-1-{number:02}", WhyOpen.NO_FIX, Rating.LOW) for number in range(20)]
    high = moved_cve("CVE-2", None, Rating.CRITICAL)
    section = cves_section(
        {ASPNET: amd64(CvesMoved((high,), tuple(low))), SDK: amd64(CvesMoved((), tuple(low[:3])))}
    )
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert (len(rows), rows[0].startswith("| `CVE-2` | CRITICAL")) == (12, True)
    assert ("And 9 more: 9 LOW." in section, "And 3 more: 3 LOW." in section) == (True, True)


def test_what_is_not_known_is_said_with_its_reason() -> None:
    lacking = CvesMoved(None, None, ("no CVE data of Ubuntu is read",))
    assert cves_section({ASPNET: amd64(lacking), SDK: amd64(lacking)}) == (
        "CVEs in packages of aspnet:10.0, sdk:10.0 on linux/amd64: which were fixed and which are still "
        "open is not known: no CVE data of Ubuntu is read."
    )
    some = CvesMoved(None, (moved_cve("CVE-2", WhyOpen.NO_FIX),), ("a gap", "another gap"))
    assert "- not known: a gap\n- not known: another gap" in cves_section({ASPNET: amd64(some)})


def test_of_many_things_that_are_not_known_a_few_are_named() -> None:
    gaps = tuple(f"gap {number}" for number in range(9))
    section = cves_section({ASPNET: amd64(CvesMoved(None, (moved_cve("CVE-2", WhyOpen.NO_FIX),), gaps))})
    assert (section.count("- not known: "), "- not known: 4 others" in section) == (6, True)


def test_beside_what_its_release_fixes_it_is_not_said_that_nothing_is_fixed() -> None:
    packages = {ASPNET: amd64(CvesMoved((), ())), OWN: amd64(CvesMoved((), ()))}
    assert cves_section(packages, {ASPNET}) == (
        "CVEs in packages of base:10.0 on linux/amd64: none fixed; none still open.\n"
        "CVEs in packages of aspnet:10.0 on linux/amd64: no other fixed; none still open."
    )


def test_nothing_is_said_where_nobody_asked() -> None:
    assert cves_section({ASPNET: amd64(None)}) == cves_section({}) == ""


def test_a_name_from_outside_is_harmless_where_it_stands() -> None:
    section = cves_section({ASPNET: amd64(CvesMoved((), (moved_cve("<b>|`@octocat", WhyOpen.NO_FIX),)))})
    head, _, table = section.partition("</summary>")
    assert ("<b>" in head, "@octocat" in head) == (False, False)
    assert "`<b>¦'@octocat`" in table


def test_where_there_is_no_room_left_no_empty_table_is_begun() -> None:
    low = tuple(moved_cve(f"CVE-1-{number:02}", WhyOpen.NO_FIX, Rating.LOW) for number in range(12))
    other = (moved_cve("CVE-2", WhyOpen.NO_FIX),)
    section = cves_section({ASPNET: amd64(CvesMoved((), low)), SDK: amd64(CvesMoved((), other))})
    assert section.count("| CVE |") == 1
    assert "And 1 more: 1 HIGH." in section


def test_bases_and_platforms_of_which_the_same_holds_are_named_together() -> None:
    moved = CvesMoved((), ())
    both = tuple(PlatformChanges(platform, (), cves=moved) for platform in ("linux/amd64", "linux/arm64"))
    assert cves_section({ASPNET: both, SDK: both}) == (
        "CVEs in packages of aspnet:10.0, sdk:10.0 on linux/amd64, linux/arm64: none fixed; none still open."
    )
