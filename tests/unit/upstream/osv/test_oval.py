"""OVAL of Azure Linux is read as the records that OSV makes of it, and what cannot be read is told."""

import io
import lzma
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.upstream.osv import oval
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.oval import read_oval
from bot.upstream.osv.record import UNNAMED, WantedPackages
from tests.conftest import NO_SHARED_DATA, SHARED
from tests.unit.upstream.osv.ovals import BELOW, UP_TO, definition, document, state

RELEASE = "Azure Linux:3"
WANTED = WantedPackages(frozenset({RELEASE}), frozenset({"zlib", "curl"}))
ZLIB = AffectedPackage("rpm", "zlib", RELEASE, (VersionRange(fixed="1.3.1-1.azl3"),))
LATER = "2024-10-10T12:04:24.575063301Z"


def read(*definitions: dict[str, str], wanted: WantedPackages = WANTED, **values: Any) -> DumpReading:
    return read_oval(io.BytesIO(document(*definitions, **values)), wanted, RELEASE, "oval.xml")


def only(found: DumpReading) -> Vulnerability:
    [record] = found.vulnerabilities
    return record


def test_a_definition_is_the_record_that_osv_has_of_it() -> None:
    found = read(definition("35400"))
    assert only(found) == Vulnerability(
        "AZL-35400",
        ("CVE-2023-45853",),
        "CVE-2023-45853 affecting package zlib",
        Severity.CRITICAL,
        "Azure Linux",
        None,
        datetime(2024, 7, 23, 22, 5, 39, tzinfo=UTC),
        (ZLIB,),
    )
    assert (found.entries, found.problems, found.unread, found.untold) == (1, (), frozenset(), frozenset())


@pytest.mark.parametrize(
    ("states", "bounds"),
    [
        ([(BELOW, "0:1.3.1-1.azl3")], VersionRange(fixed="1.3.1-1.azl3")),
        ([(BELOW, "0: 1.3.1-1.azl3")], VersionRange(fixed="1.3.1-1.azl3")),
        ([(BELOW, "1:1.3.1-1.azl3")], VersionRange(fixed="1:1.3.1-1.azl3")),
        ([(UP_TO, "0:1.3.1-1.azl3")], VersionRange(last_affected="1.3.1-1.azl3")),
        ([("greater than", "0:1.2-1.azl3"), (BELOW, "0:1.3-1.azl3")], VersionRange("1.2-1.azl3", "1.3-1.azl3")),
        (
            [(UP_TO, "0:1.3-1.azl3"), ("greater than or equal", "0:1.2-1.azl3")],
            VersionRange("1.2-1.azl3", "", "1.3-1.azl3"),
        ),
        ([("greater than", "0:1.2-1.azl3")], VersionRange("1.2-1.azl3")),
    ],
)
def test_what_a_state_compares_with_bounds_what_is_affected(
    states: list[tuple[str, str]], bounds: VersionRange
) -> None:
    found = read(definition("1", states=[state(*each) for each in states]))
    assert only(found).affected == (replace(ZLIB, ranges=(bounds,)),)


def test_of_several_criteria_of_which_one_is_enough_each_is_a_range_and_each_package_is_affected() -> None:
    states = [state(BELOW, "0:1.1-1.azl3"), state(BELOW, "0:1.3-1.azl3")]
    assert only(read(definition("1", states=states, operator="OR"))).affected[0].ranges == (
        VersionRange(fixed="1.1-1.azl3"),
        VersionRange(fixed="1.3-1.azl3"),
    )
    both = only(read(definition("1", states=states, packages=["zlib", "curl"])))
    assert [(each.name, each.ranges[0].fixed) for each in both.affected] == [
        ("zlib", "1.1-1.azl3"),
        ("curl", "1.3-1.azl3"),
    ]


@pytest.mark.parametrize("patchable", ["Not Applicable", "not applicable"])
def test_what_is_not_applicable_affects_no_version_and_is_known_to(patchable: str) -> None:
    record = only(read(definition("1", patchable=patchable)))
    assert record.affected == (replace(ZLIB, ranges=()),)
    assert record.affected[0].fit(Package("rpm", "zlib", "1.2-1.azl3", None, "zlib", "1.2-1.azl3")) is Fit.NO


def test_what_no_image_holds_is_left_out_and_what_counts_no_more_too() -> None:
    found = read(
        definition("1", packages=["grub2"]), definition("2", deprecated="true"), definition("3", kind="compliance")
    )
    assert (found.vulnerabilities, found.problems, found.unread) == ((), (), frozenset())


@pytest.mark.parametrize(
    ("broken", "unread", "told"),
    [
        (definition("2", identifier="oval:x:def:y"), {UNNAMED}, "has no id"),
        (definition("2", criteria=""), {UNNAMED}, "has no id, no metadata or no criteria"),
        (definition("2", tests=""), {UNNAMED}, "names no package"),
        (definition("2", objects=""), {UNNAMED}, "names no package"),
        (definition("2", check="none satisfy"), {UNNAMED}, "names no package"),
        (definition("2", states=[""]), {(RELEASE, "zlib")}, "compares versions by nothing that can be read"),
        (definition("2", states=[state("equals", "1-1.azl3")]), {(RELEASE, "zlib")}, "compares versions by equals"),
        (definition("2", states=[state(BELOW, "no; version")]), {(RELEASE, "zlib")}, "by nothing that can be read"),
        (
            definition("2", states=[state(BELOW, "1-1.azl3"), state(BELOW, "2-1.azl3")]),
            {(RELEASE, "zlib")},
            "compares",
        ),
        (definition("2", negate="true"), {(RELEASE, "zlib")}, "has criteria that are not read"),
        (definition("2", operator="XOR"), {(RELEASE, "zlib")}, "has criteria that are not read"),
        (definition("2", more='<extend_definition definition_ref="x"/>'), {(RELEASE, "zlib")}, "not read"),
    ],
)
def test_a_definition_that_cannot_be_read_costs_itself_alone_and_is_told(
    broken: dict[str, str], unread: set[tuple[str, str]], told: str
) -> None:
    found = read(definition("1"), broken, definition("3", packages=["curl"]))
    assert [each.id for each in found.vulnerabilities] == ["AZL-1", "AZL-3"]
    assert found.unread == unread
    [problem] = found.problems
    assert told in str(problem)
    assert "the definition is skipped" in str(problem)


def test_a_broken_definition_of_what_no_image_holds_leaves_nothing_unread() -> None:
    found = read(definition("1"), definition("2", packages=["grub2"], negate="true"))
    assert (found.problems, found.unread) == ((), frozenset())


def test_two_definitions_of_one_number_both_count() -> None:
    found = only(read(definition("1"), definition("2", packages=["curl"], identifier="oval:x:def:1")))
    assert [each.name for each in found.affected] == ["zlib", "curl"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"<html>", "is no OVAL of version 5"),
        (b"{}", "is no XML"),
        (b"", "is no XML"),
        (document(definition("1"))[:-30], "is no XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + document(definition("1")), "is no XML"),
        (document(), "holds no definition"),
        (document(definition("1", negate="true")), "none of its 1 definitions can be read"),
        (document(definition("1", states=[state(BELOW, "0:1-1.cm2")])), "none of its versions ends with .azl3"),
    ],
)
def test_what_would_say_that_all_is_free_of_everything_is_refused(text: bytes, told: str) -> None:
    with pytest.raises(Failure, match=told):
        read_oval(io.BytesIO(text), WANTED, RELEASE, "oval.xml")


def test_a_document_is_bounded_as_a_whole_and_in_each_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = document(definition("1"), definition("2", title="x" * 100_000))
    monkeypatch.setattr(oval, "LARGEST_PART", 90_000)
    with pytest.raises(Failure, match="has a part of more than"):
        read_oval(io.BytesIO(text), WANTED, RELEASE, "oval.xml")
    monkeypatch.setattr(oval, "MOST_PARTS", 3)
    with pytest.raises(Failure, match="has more than 3 parts"):
        read_oval(io.BytesIO(document(definition("1"), definition("2"))), WANTED, RELEASE, "oval.xml")
    monkeypatch.setattr(oval, "LARGEST_OVAL", 1_000)
    with pytest.raises(Failure, match="more than 1,000"):
        read_oval(io.BytesIO(text), WANTED, RELEASE, "oval.xml")


@pytest.mark.parametrize(
    ("advised", "written", "newest"),
    [
        ("2024-10-01T18:58:50Z", LATER, "2024-10-10"),
        ("2024-08-20T00:00:00Z", LATER, "2024-08-20"),
        ("2024-11-01T00:00:00Z", LATER, "2021-01-01"),
        ("", LATER, "2024-10-10"),
        ("2024-08-20T00:00:00Z", "", "2024-08-20"),
        ("", "", None),
    ],
)
def test_a_document_written_anew_without_newer_advisories_tells_nothing_new(
    advised: str, written: str, newest: str | None
) -> None:
    found = read(
        definition("1", advised=advised),
        definition("2", advised="2021-01-01T00:00:00Z" if advised else ""),
        written=written,
    )
    assert (found.newest_at and f"{found.newest_at:%Y-%m-%d}") == newest


def published(name: str) -> bytes:
    path = Path(SHARED / "feeds" / name)
    if not path.exists():
        pytest.skip(NO_SHARED_DATA)
    return lzma.decompress(path.read_bytes())


def test_the_published_document_is_read_but_for_the_definition_that_names_no_version() -> None:
    """Of `0:1.17.13-2,1.18.8-2,1.21.6-1.azl3`, which one of its states has, nobody can tell what is meant."""
    data = published("azurelinux-3.0-oval-2024-10-10.xml.xz")
    names = frozenset({"zlib", "golang", "cloud-hypervisor", "openssl"})
    found = read_oval(io.BytesIO(data), WantedPackages(frozenset({RELEASE}), names), RELEASE, "oval.xml")
    assert (found.entries, found.unread) == (1_222, frozenset({(RELEASE, "golang")}))
    assert [each.where for each in found.problems] == ["definition 34750"]
    by_id = {each.id: each for each in found.vulnerabilities}
    assert by_id["AZL-35400"].affected == (ZLIB,)
    assert by_id["AZL-34752"].affected[0].ranges == (VersionRange(fixed="1.20.10-1.azl3"),)
    assert by_id["AZL-34597"].affected[0].ranges == (), "it is not applicable"
    assert f"{found.newest_at:%Y-%m-%d}" == "2024-10-10"
