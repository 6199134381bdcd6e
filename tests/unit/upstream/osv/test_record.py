"""What a record in the format of OSV says, and how severe it is by whose word."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.upstream.osv.record import UNNAMED, RecordNotes, WantedPackages, parse
from tests.unit.upstream.osv.records import affected, record

WANTED = WantedPackages(
    frozenset({"", "Ubuntu:24.04", "Azure Linux:3", "Alpine:v3.20"}),
    frozenset({"openssl", "libssl3t64", "serilog"}),
)
CVSS_31 = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
CVSS_2 = {"type": "CVSS_V2", "score": "AV:N/AC:M/Au:N/C:N/I:P/A:N"}

WORST_OF_2 = {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:C/I:C/A:C"}


def read(value: dict[str, Any], wanted: WantedPackages = WANTED) -> tuple[Vulnerability | None, tuple[str, ...]]:
    notes = RecordNotes("dump")
    found = parse(json.dumps(value).encode(), wanted, notes, "1.json")
    return found, tuple(str(problem) for problem in notes.problems)


def said(value: dict[str, Any]) -> Vulnerability:
    found, problems = read(value)
    assert problems == ()
    assert found is not None
    return found


def test_ubuntus_record_names_its_cve_and_the_binaries_without_their_symbols() -> None:
    package = affected(binaries={"libssl3t64": "3.0.13-0ubuntu3.6", "libssl3t64-dbgsym": "3.0.13-0ubuntu3.6"})
    found = said(record("UBUNTU-CVE-2026-1001", package, severity=[{"type": "Ubuntu", "score": "medium"}]))
    assert found == Vulnerability(
        "UBUNTU-CVE-2026-1001",
        ("CVE-2026-1001",),
        "A buffer may overflow.",
        Severity.MODERATE,
        "Ubuntu",
        None,
        datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        (
            AffectedPackage(
                "deb",
                "openssl",
                "Ubuntu:24.04",
                (VersionRange(fixed="3.0.13-0ubuntu3.6"),),
                (),
                (("libssl3t64", "3.0.13-0ubuntu3.6"),),
            ),
        ),
    )


def test_only_wanted_packages_of_wanted_releases_are_kept() -> None:
    packages = (affected(), affected("curl"), affected(ecosystem="Ubuntu:22.04:LTS"))
    [kept] = said(record("USN-1-1", *packages, upstream=["CVE-2026-1001", "CVE-2026-1002"])).affected
    assert (kept.name, kept.release) == ("openssl", "Ubuntu:24.04")
    assert read(record("USN-2-1", affected("curl"))) == (None, ())


def test_what_only_subscribers_get_is_no_fix_for_an_image() -> None:
    assert read(record("USN-3-1", affected(ecosystem="Ubuntu:Pro:24.04:LTS"))) == (None, ())


def test_a_package_is_wanted_by_the_name_of_what_is_built_from_it() -> None:
    wanted = WantedPackages(WANTED.releases, frozenset({"libssl3t64"}))
    found, _ = read(record("USN-4-1", affected(binaries={"libssl3t64": "1"})), wanted)
    assert found is not None


@pytest.mark.parametrize(
    ("name", "values", "cves"),
    [
        ("UBUNTU-CVE-2026-1001", {}, ("CVE-2026-1001",)),
        ("USN-1-1", {"upstream": ["CVE-2026-1001", "CVE-2026-1002"]}, ("CVE-2026-1001", "CVE-2026-1002")),
        ("USN-1-1", {"related": ["CVE-2026-1003", "https://x"]}, ("CVE-2026-1003",)),
        ("AZL-1", {"aliases": ["CVE-2026-1001"]}, ("CVE-2026-1001",)),
        ("GHSA-aaaa-bbbb-cccc", {}, ()),
    ],
)
def test_a_record_is_about_the_cves_that_it_names(name: str, values: dict[str, Any], cves: tuple[str, ...]) -> None:
    assert said(record(name, **values)).cves == cves


@pytest.mark.parametrize(
    ("name", "values", "severity", "by", "score"),
    [
        ("GHSA-aaaa-bbbb-cccc", {"database_specific": {"severity": "MODERATE"}}, Severity.MODERATE, "GitHub", None),
        ("UBUNTU-CVE-2026-1001", {"severity": [CVSS_31, {"type": "Ubuntu", "score": "low"}]}, "low", "Ubuntu", 9.8),
        ("UBUNTU-CVE-2026-1001", {"severity": [{"type": "Ubuntu", "score": "negligible"}]}, "low", "Ubuntu", None),
        ("AZL-1", {"severity": [CVSS_2, CVSS_31]}, Severity.CRITICAL, "CVSS 3.1", 9.8),
        ("ALPINE-CVE-2026-1001", {"severity": [CVSS_2]}, Severity.MODERATE, "CVSS 2", 4.3),
        ("AZL-1", {"severity": [WORST_OF_2]}, Severity.HIGH, "CVSS 2", 10.0),
        ("AZL-1", {"severity": [WORST_OF_2, CVSS_31]}, Severity.CRITICAL, "CVSS 3.1", 10.0),
        ("DEBIAN-CVE-2026-1001", {"database_specific": {"urgency": "low**"}}, Severity.LOW, "Debian", None),
        ("DEBIAN-CVE-2026-1001", {"database_specific": {"urgency": "not yet assigned"}}, None, "", None),
        ("AZL-1", {"severity": [{"type": "CVSS_V3", "score": "no vector"}]}, None, "", None),
        ("AZL-1", {"severity": "high"}, None, "", None),
    ],
)
def test_the_publishers_word_counts_and_else_the_highest_band(
    name: str, values: dict[str, Any], severity: str | None, by: str, score: float | None
) -> None:
    found = said(record(name, **values))
    assert (found.severity, found.rated_by, found.score) == (severity, by, score)


def test_events_make_ranges_one_after_the_other() -> None:
    events = [
        {"introduced": "0"},
        {"last_affected": "3.1-1"},
        {"introduced": "3.3-1"},
        {"fixed": "3.3-4"},
        {"introduced": "4.0-1"},
    ]
    package = affected(ranges=[{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": []}])
    assert said(record("AZL-1", package)).affected[0].ranges == (
        VersionRange(last_affected="3.1-1"),
        VersionRange("3.3-1", "3.3-4"),
        VersionRange("4.0-1"),
    )


def ranges_said(*ranges: Any, **values: Any) -> AffectedPackage:
    listed = [{"type": "ECOSYSTEM", "events": list(events)} for events in ranges]
    return said(record("UBUNTU-CVE-2026-1001", affected(ranges=listed, **{"versions": [], **values}))).affected[0]


def fits(package: AffectedPackage, *versions: str) -> list[str]:
    """Those of these versions that are affected."""
    named = [Package("deb", "openssl", version, "amd64", "openssl", version) for version in versions]
    return [each.version for each in named if package.fit(each) is Fit.YES]


@pytest.mark.parametrize(
    "events",
    [
        [{"fixed": "3.0-2"}, {"introduced": "0"}],
        [{"introduced": "0"}, {"fixed": "3.0-4"}, {"introduced": "3.0-3"}, {"fixed": "3.0-2"}],
        [{"introduced": "3.0-3"}, {"fixed": "3.0-4"}, {"fixed": "3.0-2"}, {"introduced": "0"}],
        [{"last_affected": "3.0-1"}, {"introduced": "0"}],
    ],
    ids=["fixed first", "two ranges folded", "backwards", "last affected first"],
)
def test_events_count_by_their_versions_however_they_are_written(events: list[dict[str, str]]) -> None:
    package = ranges_said(events)
    expected = ["2.9-1", "3.0-1", *(["3.0-3"] if len(events) == 4 else [])]
    assert fits(package, "2.9-1", "3.0-1", "3.0-2", "3.0-3", "3.0-4") == expected
    assert not any(each.introduced == "" and not each.fixed and not each.last_affected for each in package.ranges)


def test_what_is_introduced_twice_is_one_range_up_to_its_fix() -> None:
    package = ranges_said([{"introduced": "0"}, {"introduced": "2.0-1"}, {"fixed": "3.0-1"}])
    assert package.ranges == (VersionRange(fixed="3.0-1"),)


def test_a_version_is_affected_by_any_of_several_ranges() -> None:
    package = ranges_said([{"introduced": "0"}, {"fixed": "1.0-2"}], [{"introduced": "2.0-1"}, {"fixed": "2.0-3"}])
    assert fits(package, "1.0-1", "1.0-2", "2.0-1", "2.0-3") == ["1.0-1", "2.0-1"]


def test_a_limit_bounds_a_range_and_fixes_nothing() -> None:
    package = ranges_said([{"introduced": "0"}, {"limit": "2.0-1"}])
    assert fits(package, "1.9-1", "2.0-1") == ["1.9-1"]
    assert not package.has_fix
    for more in ({"limit": "*"}, {"limit": "4.0-1"}):
        assert fits(ranges_said([{"introduced": "0"}, {"limit": "2.0-1"}, more]), "3.0-1") == ["3.0-1"]
    assert ranges_said([{"introduced": "3.0-1"}, {"limit": "2.0-1"}]).ranges == ()
    before = ranges_said([{"introduced": "0"}, {"fixed": "1.0-2"}, {"limit": "2.0-1"}])
    assert before.ranges == (VersionRange(fixed="1.0-2"),)


@pytest.mark.parametrize(
    ("events", "ranges"),
    [
        ([{"introduced": "1.0-1"}, {"limit": "2.0-1"}], [VersionRange("1.0-1", limit="2.0-1")]),
        ([{"introduced": "2.0-1"}, {"limit": "2.0-1"}], []),
        (
            [{"introduced": "0"}, {"fixed": "3.0-1"}, {"limit": "2.0-1"}],
            [VersionRange(fixed="3.0-1", limit="2.0-1")],
        ),
        (
            [{"introduced": "0"}, {"last_affected": "3.0-1"}, {"limit": "2.0-1"}],
            [VersionRange(last_affected="3.0-1", limit="2.0-1")],
        ),
        (
            [{"introduced": "0"}, {"last_affected": "1.0-1"}, {"limit": "2.0-1"}],
            [VersionRange(last_affected="1.0-1")],
        ),
        ([{"fixed": "1.0-2"}, {"limit": "2.0-1"}, {"introduced": "0"}], [VersionRange(fixed="1.0-2")]),
        ([{"introduced": "1.0-1"}, {"introduced": "2.0-1"}, {"fixed": "3.0-1"}], [VersionRange("1.0-1", "3.0-1")]),
        ([{"fixed": "1.0-1"}, {"introduced": "2.0-1"}], [VersionRange("2.0-1")]),
        ([{"introduced": "0"}, {"limit": "9.0-1"}, {"limit": "10.0-1"}], [VersionRange(limit="10.0-1")]),
        ([{"introduced": "0"}, {"limit": "9.0-1"}, {"limit": "bad!"}], [VersionRange()]),
        (
            [{"introduced": "0"}, {"fixed": "bad!"}, {"limit": "9.0-1"}],
            [VersionRange(fixed="bad!", limit="9.0-1")],
        ),
        (
            [{"last_affected": "2.0-1"}, {"introduced": "2.0-1"}],
            [VersionRange("2.0-1", last_affected="2.0-1")],
        ),
        ([{"fixed": "0~rc1-1"}, {"introduced": "0"}], [VersionRange(fixed="0~rc1-1")]),
    ],
    ids=[
        "before its limit",
        "at its limit",
        "fixed behind its limit",
        "affected behind its limit",
        "ended before its limit",
        "in another order",
        "begun twice",
        "ended before it began",
        "of several limits, the last",
        "of limits that cannot be compared, none",
        "a fix that cannot be compared",
        "one version alone",
        "from before all versions",
    ],
)
def test_events_make_ranges_that_end_at_their_fix_or_limit_whichever_comes_first(
    events: list[dict[str, str]], ranges: list[VersionRange]
) -> None:
    assert ranges_said(events).ranges == tuple(ranges)


def test_versions_that_are_listed_are_affected_whatever_ranges_say() -> None:
    listed = ["0.9-1", "1.0-5"]
    package = ranges_said([{"introduced": "0"}, {"fixed": "1.0-2"}], versions=listed)
    assert fits(package, "0.9-1", "1.0-2", "1.0-5") == ["0.9-1", "1.0-5"]
    assert package.versions == ("1.0-5",), "what ranges hold is not kept twice"
    assert package.fixed_for(Package("deb", "openssl", "1.0-5", "amd64", "openssl", "1.0-5")) == ""
    alone = ranges_said(versions=listed)
    assert (fits(alone, "0.9-1", "1.0-1", "1.0-5"), alone.has_fix) == (["0.9-1", "1.0-5"], False)


def test_events_whose_versions_cannot_be_compared_count_as_they_are_written() -> None:
    package = ranges_said([{"introduced": "0"}, {"fixed": "no version"}, {"introduced": "1.0-1"}])
    assert package.ranges == (VersionRange(fixed="no version"), VersionRange("1.0-1"))


def test_the_highest_score_of_all_versions_of_cvss_counts() -> None:
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
    found = said(record("AZL-1", severity=[CVSS_2, {"type": "CVSS_V4", "score": vector}]))
    assert (found.severity, found.rated_by, found.score) == (Severity.CRITICAL, "CVSS 4.0", 9.3)


def test_a_withdrawn_record_says_nothing() -> None:
    assert read(record(withdrawn="2026-03-06T00:00:00Z")) == (None, ())


def test_no_control_character_comes_through_since_postgresql_takes_no_zero() -> None:
    assert said(record(details="a\0b\nmore")).title == "a b"
    found, problems = read(record("UBUNTU-CVE-2026-1001", affected("open\0ssl", binaries={"openssl": "1"})))
    assert found is None
    assert len(problems) == 1
    assert said(record("UBUNTU-CVE-2026-1001", affected(binaries={"lib\0ssl": "1"}))).affected[0].binaries == ()


def test_what_is_not_of_its_shape_is_a_line_and_the_rest_counts() -> None:
    broken = affected(ranges=[{"type": "ECOSYSTEM", "events": "none"}])
    found, problems = read(record("AZL-1", broken, affected()))
    assert found is not None
    assert len(found.affected) == len(problems) == 1
    assert "1.json: affected openssl" in problems[0]


@pytest.mark.parametrize("types", [["TOMORROW"], ["GIT"], ["ecosystem", "GIT"]])
def test_of_a_package_with_ranges_of_other_types_alone_it_cannot_be_told(types: list[str]) -> None:
    """Which versions are affected is not known; no range that is read would say that none is."""
    ranges = [{"type": each, "events": [{"introduced": "0"}, {"fixed": "2"}]} for each in types]
    notes = RecordNotes("dump")
    value = record("AZL-1", affected(ranges=ranges, versions=[]), affected(name="serilog"))
    found = parse(json.dumps(value).encode(), WANTED, notes, "1.json")
    assert found is not None
    assert [each.name for each in found.affected] == ["serilog"]
    assert notes.unread == {("Ubuntu:24.04", "openssl")}
    assert f"affected openssl: its ranges are of the type {', '.join(sorted(types))}" in str(notes.problems[0])


def test_ranges_of_another_type_beside_versions_or_ranges_that_are_read_hide_nothing() -> None:
    git = {"type": "GIT", "events": [{"introduced": "0"}]}
    assert said(record("AZL-1", affected(ranges=[git], versions=["1.0-1"]))).affected[0].versions == ("1.0-1",)
    known = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}
    assert said(record("AZL-1", affected(ranges=[git, known], versions=[]))).affected[0].ranges == (VersionRange(),)


def _endless(versions: int, ranges: int, packages: int) -> dict[str, Any]:
    """A record of so many packages, each with versions that none of its ranges holds."""
    events = [each for n in range(ranges) for each in ({"introduced": f"{2 * n}.0-1"}, {"fixed": f"{2 * n}.5-1"})]
    said_of_ranges = [{"type": "ECOSYSTEM", "events": events[at : at + 200]} for at in range(0, len(events), 200)]
    listed = [f"1.9-{each}" for each in range(versions)]
    return record("USN-4-1", *[affected(ranges=said_of_ranges, versions=listed) for _ in range(packages)])


@pytest.mark.parametrize(
    "hostile",
    [
        _endless(2_000, 200, 1),
        _endless(100, 50, 10),
        record(
            "USN-4-1",
            affected(ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": str(n)} for n in range(200)]}] * 200),
        ),
    ],
    ids=["versions beside ranges", "over many packages", "events"],
)
def test_a_record_that_takes_endless_work_is_refused_before_it_is_begun(
    hostile: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: str) -> int:
        raise AssertionError("compared")

    monkeypatch.setattr("bot.upstream.osv.ranges.compare_versions", never)
    monkeypatch.setattr("bot.domain.packages.cves.vulnerability.compare_to_named", never)
    with pytest.raises(Failure, match=r"its ranges and versions take more than 40,000 comparisons"):
        read(hostile)


def test_a_record_with_as_much_as_publishers_list_is_read() -> None:
    [package] = said(_endless(2_000, 15, 1)).affected
    assert (len(package.ranges), len(package.versions)) == (15, 2_000)


@pytest.mark.parametrize("hostile", [_endless(2_001, 1, 1), _endless(1, 201, 1)], ids=["versions", "ranges"])
def test_nothing_is_cut_off_a_record_since_that_would_count_as_free_of_it(hostile: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"openssl has more than 200 ranges, or 2,000 versions beside them"):
        read(hostile)


def test_what_is_no_record_is_refused() -> None:
    notes = RecordNotes("dump")
    with pytest.raises(Failure):
        parse(b"[]", WANTED, notes, "1.json")
    assert notes.unread == {UNNAMED}


@pytest.mark.parametrize(
    ("listed", "is_told"),
    [
        ({"package": {}}, True),
        ("openssl", True),
        ([None], True),
        ([{"package": "openssl"}], True),
        ([affected(), {"package": {"ecosystem": "Ubuntu:24.04", "name": 7}}], True),
        ([{"package": None, "ranges": []}, {"ranges": [{"type": "GIT"}]}, affected()], False),
        ([], False),
        (None, False),
    ],
)
def test_packages_that_a_record_does_not_name_as_it_should_are_told(listed: object, is_told: bool) -> None:
    """They may be wanted ones."""
    notes = RecordNotes("dump")
    parse(json.dumps(record() | {"affected": listed}).encode(), WANTED, notes, "1.json")
    assert (notes.unread, notes.count) == (({UNNAMED}, 1) if is_told else (set(), 0))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (record(id="?"), {"openssl"}),
        (record("?", affected(binaries={"libssl3t64": "1", "x": "1"})), {"openssl", "libssl3t64"}),
        (record("A-1", affected(), published=7), set()),
        (record("A-1", affected(), affected("Serilog", ecosystem="NuGet", ranges=[{"type": 1}])), {"serilog"}),
        (_endless(2_001, 1, 1), {"openssl"}),
        (record("A-1", affected("curl", ranges=None)), set()),
        (record(withdrawn="2026-01-01T00:00:00Z"), set()),
        (record(), set()),
    ],
)
def test_packages_of_which_a_record_cannot_be_read_are_told(value: dict[str, Any], names: set[str]) -> None:
    notes = RecordNotes("dump")
    with contextlib.suppress(Failure):
        parse(json.dumps(value).encode(), WANTED, notes, "1.json")
    assert notes.unread == {("" if name == "serilog" else "Ubuntu:24.04", name) for name in names}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(record())), inner=st.sampled_from([*sorted(affected()), ""]), value=json_values)
def test_a_wrong_value_anywhere_breaks_nothing(key: str, inner: str, value: Any) -> None:
    whole = record(severity=[CVSS_31])
    if inner:
        whole["affected"][0][inner] = value
    else:
        whole[key] = value
    read(whole)
