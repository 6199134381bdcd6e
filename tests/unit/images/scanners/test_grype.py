"""Grype's reports, as its own documents are laid out."""

import json
from typing import Any

import pytest
from hypothesis import given

from bot.domain.failure import Failure
from bot.domain.packages.cves.detected import GatePolicy, Rating, blocking
from bot.images.scanners.reading import read_report
from bot.images.scanners.report import GRYPE, Report
from tests.unit.images.reports import JSON

INDEX, PLATFORM, CONFIG = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}", f"sha256:{'c' * 64}"
URL = "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.5?arch=amd64&distro=ubuntu-24.04"


def match(name: str = "CVE-2026-1", severity: str = "High", state: str = "fixed", **values: Any) -> dict[str, Any]:
    return {
        "vulnerability": {
            "id": name,
            "severity": severity,
            "fix": {"versions": ["3.0.13-0ubuntu3.6"] if state == "fixed" else [], "state": state},
        },
        "relatedVulnerabilities": [],
        "artifact": {"name": "libssl3t64", "version": "3.0.13-0ubuntu3.5", "type": "deb", "purl": URL},
    } | values


def read(*matches: object, **values: object) -> Report:
    target = {
        "userInput": "ghcr.io/contoso/shop:1.0",
        "imageID": CONFIG,
        "manifestDigest": PLATFORM,
        "repoDigests": [f"ghcr.io/contoso/shop@{INDEX}"],
    }
    document = {
        "matches": list(matches),
        "source": {"type": "image", "target": target},
        "descriptor": {"name": "grype", "version": "0.104.0", "timestamp": "2026-11-27T10:00:00.123456789Z"},
    }
    return read_report(json.dumps(document | values).encode(), "grype.json")


def test_a_match_is_a_vulnerability_of_a_package_with_its_fix() -> None:
    [found] = read(match()).vulnerabilities
    assert (found.id, found.package, found.installed) == ("CVE-2026-1", "libssl3t64", "3.0.13-0ubuntu3.5")
    assert (found.fixed, found.has_fix, found.severity, found.package_url) == (
        "3.0.13-0ubuntu3.6",
        True,
        Rating.HIGH,
        URL,
    )


@pytest.mark.parametrize("values", [{"vulnerability": {}}, {"artifact": {"version": "1"}}])
def test_a_match_of_no_vulnerability_or_no_package_cannot_be_told(values: dict[str, Any]) -> None:
    found = read(match(), match(**values))
    assert (len(found.vulnerabilities), found.gaps) == (1, ("a match names no vulnerability or package",))


@pytest.mark.parametrize(
    ("fix", "has_fix", "tells"),
    [
        ({"versions": ["1"], "state": "not-fixed"}, False, True),
        ({"versions": [], "state": "fixed"}, True, True),
        ({"versions": ["1"], "state": "odd"}, True, True),
        ({"versions": []}, False, True),
        ({"state": "wont-fix"}, False, True),
        ({"state": "odd"}, False, False),
        ({}, False, False),
    ],
)
def test_a_state_that_grype_knows_says_whether_there_is_a_fix_and_versions_do_where_it_says_none(
    fix: dict[str, Any], has_fix: bool, tells: bool
) -> None:
    found = read(match(vulnerability={"id": "CVE-2026-1", "severity": "High", "fix": fix}))
    assert [each.has_fix for each in found.vulnerabilities] == [has_fix]
    assert bool(found.gaps) is not tells


def test_what_was_scanned_is_an_image_only_where_it_is_said_to_be_one() -> None:
    target = {"userInput": "shop", "imageID": CONFIG, "manifestDigest": PLATFORM}
    of_folder = read(source={"type": "directory", "target": target})
    assert (of_folder.image_name, of_folder.names) == ("", frozenset())


def test_a_cve_goes_by_its_name_whatever_is_related_to_it() -> None:
    related = [{"id": "CVE-2026-9"}, {"id": "GHSA-5crp-9r3c-p9vr"}]
    [found] = read(match(relatedVulnerabilities=related)).vulnerabilities
    assert (found.id, found.aliases) == ("CVE-2026-1", ())
    by_advisory = read(match("GHSA-5crp-9r3c-p9vr", relatedVulnerabilities=related)).vulnerabilities
    assert [(each.id, each.aliases) for each in by_advisory] == [("CVE-2026-9", ("GHSA-5crp-9r3c-p9vr",))]
    [alone] = read(match("GHSA-5crp-9r3c-p9vr")).vulnerabilities
    assert (alone.id, alone.aliases) == ("GHSA-5crp-9r3c-p9vr", ())


def test_it_is_about_the_image_by_the_digests_that_it_names() -> None:
    report = read()
    assert (report.scanner, report.image_name, report.image_digests) == (
        GRYPE,
        "ghcr.io/contoso/shop",
        {INDEX, PLATFORM},
    )
    assert report.created_at is not None
    assert (report.created_at.hour, report.gaps) == (10, ())


def test_a_match_without_a_severity_is_told() -> None:
    assert read(match(severity="")).all_gaps == ("nothing says how severe CVE-2026-1 is",)
    assert read(match(severity="Unknown")).all_gaps == ()
    assert read(match(severity="Negligible")).all_gaps == ()


@pytest.mark.parametrize("state", ["not-fixed", "wont-fix", "unknown"])
def test_what_nobody_has_fixed_has_no_fix(state: str) -> None:
    [found] = read(match(state=state)).vulnerabilities
    assert (found.fixed, found.has_fix) == ("", False)


@pytest.mark.parametrize("fix", [None, {}, [], "fixed", {"state": "solved"}, {"versions": "2"}])
def test_a_match_that_does_not_say_whether_there_is_a_fix_is_told(fix: object) -> None:
    """It would not block where only what has a fix does."""
    told = match()
    told["vulnerability"]["fix"] = fix
    assert read(told).gaps == ("nothing says whether CVE-2026-1 in libssl3t64 has a fix",)
    told["vulnerability"]["fix"] = {"state": "solved", "versions": ["2"]}
    assert (read(told).vulnerabilities[0].has_fix, read(told).gaps) == (True, ())


@pytest.mark.parametrize(
    ("word", "rating"),
    [("Critical", Rating.CRITICAL), ("Negligible", Rating.LOW), ("Unknown", Rating.UNKNOWN), ("", Rating.UNKNOWN)],
)
def test_severities_are_in_the_words_of_all_scanners(word: str, rating: Rating) -> None:
    assert read(match(severity=word)).vulnerabilities[0].severity is rating


def scored(score: object, version: str = "3.1") -> dict[str, object]:
    return {"source": "nvd@nist.gov", "type": "Primary", "version": version, "metrics": {"baseScore": score}}


@pytest.mark.parametrize(
    ("scores", "related", "rating"),
    [
        ([scored(7.5)], [], Rating.HIGH),
        ([scored(4.0), scored(9.8)], [], Rating.CRITICAL),
        ([], [scored(9.8, "4.0")], Rating.CRITICAL),
        ([scored(10.0, "2.0")], None, Rating.HIGH),
        ([scored("9.8"), scored(True), scored(99), "x", {"metrics": []}], [], Rating.UNKNOWN),
    ],
)
@pytest.mark.parametrize("word", ["Unknown", ""])
def test_what_no_vendor_rated_has_the_band_of_its_highest_score(
    scores: object, related: object, rating: Rating, word: str
) -> None:
    told = match(severity=word)
    told["vulnerability"]["cvss"] = scores
    found = read(told | {"relatedVulnerabilities": [{"id": "CVE-2026-1", "cvss": related}]})
    assert found.vulnerabilities[0].severity is rating
    assert bool(found.unrated) is (rating is Rating.UNKNOWN and not word)
    told["vulnerability"]["severity"] = "Low"
    assert read(told).vulnerabilities[0].severity is Rating.LOW


def test_a_report_that_leaves_out_what_has_a_fix_cannot_tell() -> None:
    def told(**configuration: object) -> tuple[str, ...]:
        return read(descriptor={"name": "grype", "configuration": configuration}).gaps

    assert told(**{"only-notfixed": True}) == ("Grype was told to leave out what has a fix (--only-notfixed)",)
    assert told(**{"only-notfixed": False, "only-fixed": True}) == ()


def test_an_advisory_is_told_by_the_cves_that_it_stands_for() -> None:
    related = [{"id": "CVE-2026-7"}, {"id": "CVE-2026-8"}, {"id": "CVE-2026-7"}]
    told = read(match("GHSA-aaaa-bbbb-cccc", relatedVulnerabilities=related)).vulnerabilities
    assert [each.id for each in told] == ["CVE-2026-7", "CVE-2026-8"]
    [alone] = read(match("GHSA-aaaa-bbbb-cccc")).vulnerabilities
    assert alone.id == "GHSA-aaaa-bbbb-cccc"


def test_the_advisory_of_a_cve_is_another_name_of_it() -> None:
    advisory = {"id": "GHSA-5crp-9r3c-p9vr", "severity": "High", "fix": {"versions": ["2"], "state": "fixed"}}
    before = read(match(vulnerability=advisory)).vulnerabilities
    now = read(match(vulnerability=advisory, relatedVulnerabilities=[{"id": "CVE-2026-9"}])).vulnerabilities
    assert (now[0].id, blocking(now, GatePolicy(), before)) == ("CVE-2026-9", ())


def test_the_cves_of_an_advisory_are_not_new_where_it_was_told_alone_before() -> None:
    advisory = {"id": "GHSA-5crp-9r3c-p9vr", "severity": "High", "fix": {"versions": ["2"], "state": "fixed"}}
    related = [{"id": "CVE-2026-8"}, {"id": "CVE-2026-9"}]
    alone = read(match(vulnerability=advisory)).vulnerabilities
    several = read(match(vulnerability=advisory, relatedVulnerabilities=related)).vulnerabilities
    assert len(several) == 2
    assert blocking(several, GatePolicy(), alone) == blocking(alone, GatePolicy(), several) == ()
    assert blocking(several[1:], GatePolicy(), several[:1]) == several[1:]


VEX = {"namespace": "vex", "vex-status": "not_affected", "vex-justification": "component_not_present"}
HEADERS = {"package": {"name": "kernel-headers"}, "match-type": "exact-indirect-match"}


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([VEX], "not affected (component_not_present)"),
        ([{"vulnerability": "CVE-2026-1", "reason": "not reachable"}], "ignored (not reachable)"),
        ([{"fix-state": "fixed", "package": {"name": "libssl3t64"}}], "ignored"),
        ([{"fix-state": "fixed"}, {"vulnerability": "CVE-2026-1"}], "ignored"),
        ([HEADERS, {"vulnerability": "CVE-2026-1"}], "ignored"),
        ([], "ignored"),
        ("x", "ignored"),
    ],
)
def test_what_grype_was_told_to_ignore_is_kept_apart_with_why(rules: object, why: str) -> None:
    found = read(ignoredMatches=[match() | {"appliedIgnoreRules": rules}, "x", {}])
    assert (found.vulnerabilities, found.gaps) == ((), ())
    assert [(each.found.id, each.why) for each in found.suppressed] == [
        ("CVE-2026-1", f"suppressed in the report: {why}")
    ]


@pytest.mark.parametrize(
    "package", [{}, {"package": {"name": "", "version": ""}}, {"namespace": "", "reason": "x"}]
)
def test_what_grype_left_out_for_want_of_a_fix_counts_where_that_is_asked_for(package: dict[str, Any]) -> None:
    rules = [{"fix-state": "wont-fix"} | package]
    found = read(ignoredMatches=[match(state="wont-fix") | {"appliedIgnoreRules": rules}])
    assert found.suppressed == ()
    assert len(blocking(found.vulnerabilities, GatePolicy(ignore_unfixed=False))) == 1
    assert blocking(found.vulnerabilities, GatePolicy(ignore_unfixed=True)) == ()


def test_the_kernel_of_headers_alone_is_nobodys_word() -> None:
    assert read(ignoredMatches=[match() | {"appliedIgnoreRules": [HEADERS]}]).suppressed == ()


def test_what_grype_says_of_a_distribution_is_told() -> None:
    about = {"metadata": {"name": "alpine", "version": "3.14"}}
    alerts = [{"alerts": [{"type": "distro-eol"} | about, "x"]}, {"alerts": [{"type": "distro-eol"} | about]}, "x"]
    found = read(alertsByPackage=alerts)
    assert [note.partition(":")[0] for note in found.notes] == ["Grype says that alpine 3.14 is out of support"]
    assert found.gaps == ()


def test_a_distribution_that_grype_does_not_look_at_cannot_be_told() -> None:
    alert = {"type": "distro-disabled", "metadata": {"name": "arch"}}
    assert read(alertsByPackage=[{"alerts": [alert]}]).gaps == (
        "Grype looks for no vulnerability in packages of arch",
    )


def test_a_folder_names_no_image() -> None:
    assert read(source={"type": "directory", "target": "/srv"}).image_digests == frozenset()


def test_a_match_without_a_package_is_a_gap() -> None:
    assert read(match(artifact={})).gaps == ("a match names no vulnerability or package",)


def test_no_list_of_matches_is_no_report() -> None:
    with pytest.raises(Failure, match="has no list of matches"):
        read(matches=None)


@given(JSON)
def test_any_document_is_read_or_refused(value: object) -> None:
    for values in ({"matches": [value]}, {"source": value}, {"descriptor": value}):
        try:
            read(**values)
        except Failure:
            continue
    read(match(vulnerability=value), match(artifact=value), match(relatedVulnerabilities=value))


def sarif(message: str, explained: str) -> Report:
    rule = {"id": "CVE-2026-1-libssl3", "name": "DpkgMatcherExactDirectMatch", "help": {"text": explained}}
    result = {"ruleId": "CVE-2026-1-libssl3", "level": "error", "message": {"text": message}}
    run = {"tool": {"driver": {"name": "grype", "rules": [rule]}}, "results": [result]}
    return read_report(json.dumps({"version": "2.1.0", "runs": [run]}).encode(), "grype.sarif")


EXPLAINED = (
    "Vulnerability CVE-2026-1\nSeverity: {}\nPackage: libssl3\nVersion: 3.0.11-1\nFix Version: {}\nType: deb\n"
    "Location: /var/lib/dpkg/status\nData Namespace: debian:distro:debian:12\nLink: [CVE-2026-1](https://x)"
)
SAID = "A high vulnerability in deb package: libssl3, version {} was found in image shop at: /var/lib/dpkg/status"


@pytest.mark.parametrize(("version", "installed"), [("3.0.11-1", "3.0.11-1"), ("3.0.10-2", "3.0.10-2")])
def test_sarif_has_the_package_in_the_help_of_a_rule_and_the_version_in_the_text(
    version: str, installed: str
) -> None:
    [found] = sarif(SAID.format(version), EXPLAINED.format("high", "3.0.12-1")).vulnerabilities
    assert (found.id, found.package, found.installed, found.fixed) == (
        *("CVE-2026-1", "libssl3", installed, "3.0.12-1"),
    )
    assert (found.severity, found.has_fix) == (Rating.HIGH, True)


def test_sarif_of_what_nobody_has_fixed_has_no_fix() -> None:
    report = sarif("The path /x reports libssl3 at version 3.0.11-1", EXPLAINED.format("negligible", ""))
    [found] = report.vulnerabilities
    assert (found.installed, found.severity, found.has_fix, report.gaps) == ("3.0.11-1", Rating.LOW, False, ())
    assert report.scanner == GRYPE


def test_sarif_with_the_lines_of_windows_is_read() -> None:
    told = (SAID.format("3.0.11-1"), EXPLAINED.format("high", "3.0.12-1"))
    windows = sarif(*(each.replace("\n", "\r\n") for each in told))
    assert (windows.vulnerabilities, windows.gaps) == (sarif(*told).vulnerabilities, ())


def test_sarif_whose_rules_explain_nothing_cannot_tell() -> None:
    assert "names no package and version" in sarif(SAID.format("1"), "see the link").gaps[0]
