import contextlib
import gzip
import json
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given

from bot.domain.failure import Failure
from bot.domain.packages.cves.detected import GatePolicy, Rating, blocking
from bot.images.scanners.reading import read_report
from bot.images.scanners.report import Report, severities
from tests.conftest import NO_SHARED_DATA, SHARED
from tests.unit.images.reports import JSON, finding, report

REPORTS = SHARED / "evidence" / "trivy"


@cache
def cases() -> list[dict[str, Any]]:
    path = REPORTS / "cases.json"
    found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return found


def rows(report: Report, policy: GatePolicy, against: Report | None = None) -> list[tuple[str, ...]]:
    found = blocking(report.vulnerabilities, policy, None if against is None else against.vulnerabilities)
    return sorted((each.id, each.package, each.installed, each.fixed, str(each.severity)) for each in found)


@pytest.mark.parametrize(
    "case", cases(), ids=lambda case: f"{case['input']}-{case['severity']}-{case['ignore_unfixed']}"
)
def test_recorded_reports_block_what_trivy_leaves(case: dict[str, Any]) -> None:
    report = read_report((REPORTS / case["input"]).read_bytes(), case["input"])
    policy = GatePolicy(severities(",".join(case["severity"])), case["ignore_unfixed"])
    wanted = [
        (each["id"], each["package"], each["installed"], each["fixed"], each["severity"])
        for each in case["expected"]
    ]
    assert rows(report, policy) == sorted(wanted)


def test_there_are_recorded_reports() -> None:
    if not cases():
        pytest.skip(NO_SHARED_DATA)
    assert len(cases()) > 30


STRICT = GatePolicy(ignore_unfixed=False)


def test_high_and_critical_with_a_fix_block_by_default() -> None:
    found = report(
        finding(),
        finding(VulnerabilityID="CVE-2026-2", Severity="CRITICAL"),
        finding(VulnerabilityID="CVE-2026-3", Severity="MEDIUM"),
        finding(VulnerabilityID="CVE-2026-4", Status="affected", FixedVersion=""),
    )
    assert [each.id for each in blocking(found.vulnerabilities, GatePolicy())] == ["CVE-2026-1", "CVE-2026-2"]


def test_the_status_says_whether_there_is_a_fix_and_the_version_where_it_is_missing() -> None:
    found = report(
        finding(Status="Will_Not_Fix"),
        finding(Status="Fixed", VulnerabilityID="CVE-2026-0"),
        finding(Status=None, VulnerabilityID="CVE-2026-2"),
        finding(Status=None, VulnerabilityID="CVE-2026-3", FixedVersion=""),
        finding(Status=None, VulnerabilityID="CVE-2026-4", FixedVersion=" "),
        finding(Status=" fixed ", VulnerabilityID="CVE-2026-5"),
        finding(Status="solved", VulnerabilityID="CVE-2026-6"),
        finding(Status="affected", VulnerabilityID="CVE-2026-7"),
    )
    blocked = [each.id for each in blocking(found.vulnerabilities, GatePolicy())]
    assert blocked == ["CVE-2026-0", "CVE-2026-2", "CVE-2026-5", "CVE-2026-6"]


def test_only_what_is_new_blocks_against_the_report_before() -> None:
    before = report(
        finding(InstalledVersion="3.0.13-0ubuntu3.4", Severity="LOW", Status="affected", FixedVersion="")
    )
    after = report(finding(), finding(PkgName="libssl3t64"), finding(VulnerabilityID="CVE-2026-2"))
    assert [
        (each.id, each.package) for each in blocking(after.vulnerabilities, GatePolicy(), before.vulnerabilities)
    ] == [
        ("CVE-2026-1", "libssl3t64"),
        ("CVE-2026-2", "openssl"),
    ]


def test_what_had_a_github_name_before_it_had_a_cve_is_not_new() -> None:
    github = "GHSA-5crp-9r3c-p9vr"
    named = report(finding(VendorIDs=["DSA-1-1", github]))
    before = report(finding(VulnerabilityID=github))
    assert blocking(named.vulnerabilities, GatePolicy(), before.vulnerabilities) == ()
    assert blocking(before.vulnerabilities, GatePolicy(), named.vulnerabilities) == ()
    of_vendor, elsewhere = (
        report(finding(VulnerabilityID="DSA-1-1")),
        report(finding(PkgName="b", VendorIDs=[github])),
    )
    assert blocking(named.vulnerabilities, GatePolicy(), of_vendor.vulnerabilities)
    assert blocking(elsewhere.vulnerabilities, GatePolicy(), before.vulnerabilities)


def test_a_scan_that_looked_at_nothing_cannot_tell() -> None:
    assert read_report(b'{"SchemaVersion": 2, "ArtifactName": "x"}', "r").gaps
    assert read_report(b'{"SchemaVersion": 2, "Results": null}', "r").gaps
    assert report().gaps == ()


def test_a_finding_without_a_name_cannot_be_told_and_hinders_no_other() -> None:
    found = report({"Severity": "CRITICAL"}, "text", finding())
    assert len(found.gaps) == 1
    assert len(blocking(found.vulnerabilities, GatePolicy())) == 1


@pytest.mark.parametrize("key", ["VulnerabilityID", "PkgName"])
def test_a_finding_of_no_vulnerability_or_no_package_cannot_be_told(key: str) -> None:
    found = report(finding(), finding(**{key: ""}))
    assert len(found.vulnerabilities) == 1
    assert found.gaps == ("a finding in 'image' names no vulnerability or package",)


def test_blanks_around_a_status_or_a_fixed_version_do_not_count() -> None:
    [found] = report(finding(Status=" Affected ", FixedVersion=" 1 ")).vulnerabilities
    assert (found.has_fix, found.fixed) == (False, "1")
    [fixed] = report(finding(Status=None, FixedVersion=" ")).vulnerabilities
    assert not fixed.has_fix


@pytest.mark.parametrize(
    ("values", "has_looked"),
    [
        ({"Vulnerabilities": []}, True),
        ({"Vulnerabilities": [], "Secrets": [{}]}, True),
        ({}, True),
        ({"Secrets": [{}]}, False),
        ({"MisconfSummary": {"Failures": 1}}, False),
    ],
)
def test_where_trivy_does_not_tell_of_a_class_what_it_found_says_what_it_looked_for(
    values: dict[str, object], has_looked: bool
) -> None:
    document = {"SchemaVersion": 2, "Results": [{"Target": "image", **values}]}
    assert read_report(json.dumps(document).encode(), "r.json").has_looked is has_looked


def test_the_report_says_when_it_was_made() -> None:
    at = report(CreatedAt="2026-11-24T12:20:30.000000005+01:00").created_at
    assert at is not None
    assert at.isoformat() == "2026-11-24T11:20:30+00:00"
    assert report(CreatedAt="yesterday").created_at is None


def test_a_severity_that_is_none_is_refused() -> None:
    assert severities("high, Critical") == {Rating.HIGH, Rating.CRITICAL}
    for text in ("", ",", "HIGH,SEVERE"):
        with pytest.raises(Failure, match="choose from UNKNOWN, LOW"):
            severities(text)


def test_a_severity_that_trivy_does_not_know_is_unknown() -> None:
    (found,) = report(finding(Severity="NEGLIGIBLE")).vulnerabilities
    assert found.severity is Rating.UNKNOWN


SARIF_TEXT = (
    "Package: musl\nInstalled Version: 1.1.20-r4\nVulnerability CVE-2019-14697\nSeverity: CRITICAL\n"
    "Fixed Version: 1.1.20-r5\nLink: [CVE-2019-14697](https://avd.aquasec.com/nvd/cve-2019-14697)"
)


def sarif(*texts: object) -> Report:
    results = [{"ruleId": "CVE-2019-14697", "message": {"text": text}} for text in texts]
    return read_report(json.dumps({"version": "2.1.0", "runs": [{"results": results}]}).encode(), "r.sarif")


def test_sarif_of_trivy_is_read() -> None:
    assert rows(sarif(SARIF_TEXT), GatePolicy()) == [
        ("CVE-2019-14697", "musl", "1.1.20-r4", "1.1.20-r5", "CRITICAL")
    ]


def test_sarif_without_a_fixed_version_has_no_fix() -> None:
    text = SARIF_TEXT.replace("1.1.20-r5", "")
    assert rows(sarif(text), GatePolicy()) == []
    assert len(rows(sarif(text), STRICT)) == 1


RATED: dict[str, Any] = {"id": "CVE-2019-14697", "name": "OsPackageVulnerability"}


def sarif_of(result: dict[str, Any], rule: dict[str, Any], **run: Any) -> Report:
    driver = {"driver": {"name": "Trivy", "rules": [rule]}}
    document = {"version": "2.1.0", "runs": [{"tool": driver, "results": [result], **run}]}
    return read_report(json.dumps(document).encode(), "r.sarif")


UNRATED_TEXT = SARIF_TEXT.replace("Severity: CRITICAL\n", "")


@pytest.mark.parametrize(
    ("properties", "severity"),
    [
        ({"tags": ["vulnerability", "security", "HIGH"], "security-severity": "5.5"}, Rating.HIGH),
        ({"security-severity": "9.8"}, Rating.CRITICAL),
        ({"security-severity": "7.0"}, Rating.HIGH),
        ({"security-severity": 4.0}, Rating.MEDIUM),
        ({"security-severity": "0.1"}, Rating.LOW),
        ({"security-severity": "0.0"}, Rating.UNKNOWN),
        ({"security-severity": "nan"}, Rating.UNKNOWN),
        ({"security-severity": "99"}, Rating.UNKNOWN),
        ({"security-severity": 10**400}, Rating.UNKNOWN),
        ({"security-severity": []}, Rating.UNKNOWN),
        ({}, Rating.UNKNOWN),
        (None, Rating.UNKNOWN),
    ],
)
def test_a_result_of_sarif_that_says_no_severity_has_that_of_its_rule(properties: Any, severity: Rating) -> None:
    rule = {**RATED, "properties": properties}
    for named in ({"ruleId": "CVE-2019-14697"}, {"ruleIndex": 0}, {"rule": {"id": "CVE-2019-14697"}}):
        for text in (UNRATED_TEXT, SARIF_TEXT.replace("CRITICAL", "UNSPECIFIED")):
            [found] = sarif_of({**named, "message": {"text": text}}, rule).vulnerabilities
            assert (found.id, found.severity) == ("CVE-2019-14697", severity)
            is_unrated = severity is Rating.UNKNOWN
            assert bool(sarif_of({**named, "message": {"text": text}}, rule).unrated) is is_unrated


def test_what_sarif_says_is_of_an_unknown_severity_has_that_of_its_rule() -> None:
    rule = {**RATED, "properties": {"security-severity": "9.8"}}
    text = {"message": {"text": SARIF_TEXT.replace("CRITICAL", "UNKNOWN")}}
    (found,) = sarif_of({"ruleId": "CVE-2019-14697", **text}, rule).vulnerabilities
    assert found.severity is Rating.CRITICAL


def test_of_rules_of_one_id_a_result_of_sarif_means_the_one_at_its_place() -> None:
    low, high = ({**RATED, "properties": {"security-severity": each}} for each in ("2.0", "9.8"))
    driver = {"driver": {"name": "Trivy", "rules": [low, high]}}
    result = {"ruleId": "CVE-2019-14697", "ruleIndex": 1, "message": {"text": UNRATED_TEXT}}

    def severity(**values: object) -> Rating:
        run = {"tool": driver, "results": [{**result, **values}]}
        return read_report(json.dumps({"runs": [run]}).encode(), "r").vulnerabilities[0].severity

    assert severity() is Rating.CRITICAL
    assert severity(ruleIndex=7) is Rating.LOW
    assert severity(rule={"index": 0, "toolComponent": {"index": 0}}) is Rating.UNKNOWN


def test_a_rule_of_sarif_at_a_place_that_is_none_is_not_meant() -> None:
    rule = {**RATED, "properties": {"security-severity": "9.8"}}
    for index in (-1, 1, True, False, "0", None):
        result = {"ruleIndex": index, "message": {"text": UNRATED_TEXT}}
        assert sarif_of(result, rule).vulnerabilities == (), "nothing names the vulnerability"
    other = {"ruleId": "CVE-2026-9", "ruleIndex": 0, "message": {"text": UNRATED_TEXT}}
    [found] = sarif_of(other, rule).vulnerabilities
    assert (found.id, found.severity) == ("CVE-2026-9", Rating.UNKNOWN)


def test_a_tag_of_a_rule_of_sarif_is_a_severity_in_either_case() -> None:
    rule = {**RATED, "properties": {"tags": ["high"], "security-severity": "not a number"}}
    [found] = sarif_of({"ruleId": RATED["id"], "message": {"text": UNRATED_TEXT}}, rule).vulnerabilities
    assert found.severity is Rating.HIGH
    untold = {**RATED, "properties": {"security-severity": "not a number"}}
    [found] = sarif_of({"ruleId": RATED["id"], "message": {"text": UNRATED_TEXT}}, untold).vulnerabilities
    assert found.severity is Rating.UNKNOWN


@pytest.mark.parametrize("missing", ["Package: musl", "Installed Version: 1.1.20-r4"])
def test_a_result_of_sarif_without_a_package_or_version_cannot_be_told_and_hinders_no_other(missing: str) -> None:
    assert missing in SARIF_TEXT
    found = sarif(SARIF_TEXT.replace(missing, ""), SARIF_TEXT)
    assert (len(found.vulnerabilities), len(found.gaps)) == (1, 1)


@pytest.mark.parametrize("runs", [[7], [{"results": None}], [{}]])
def test_a_run_of_sarif_without_results_cannot_tell(runs: list[object]) -> None:
    found = read_report(json.dumps({"runs": runs}).encode(), "r.sarif")
    assert (found.has_looked, found.is_about_several) == (False, False)
    assert found.gaps == ("a run has no results, so it cannot be told whether anything was looked for",)


def test_sarif_whose_results_are_in_other_files_cannot_tell() -> None:
    elsewhere = {"results": [{"location": {"uri": "results.sarif-external-properties"}, "itemCount": 3}]}
    run = {"tool": {"driver": {"name": "Trivy"}}, "results": [], "externalPropertyFileReferences": elsewhere}
    found = read_report(json.dumps({"runs": [run]}).encode(), "r")
    assert (found.has_looked, found.gaps) == (False, ("a run has its results in other files, which are not read",))


def test_a_word_of_sarif_that_is_no_severity_rates_nothing() -> None:
    found = sarif(SARIF_TEXT.replace("CRITICAL", "UNSPECIFIED"))
    assert found.unrated == found.vulnerabilities
    assert sarif(SARIF_TEXT.replace("CRITICAL", "UNKNOWN")).unrated == ()


@pytest.mark.parametrize("name", ["Secret", "Misconfiguration", "License"])
def test_results_of_sarif_that_are_no_vulnerabilities_are_left_out(name: str) -> None:
    result = {"ruleId": "aws-key", "message": {"text": "Artifact: app/.env\nType: secret\nSeverity: CRITICAL"}}
    other = {"ruleId": "CVE-2019-14697", "message": {"text": SARIF_TEXT}}
    rules = {"driver": {"name": "Trivy", "rules": [{"id": "aws-key", "name": name}, RATED]}}
    run = {"tool": rules, "results": [result, other]}
    found = read_report(json.dumps({"runs": [run]}).encode(), "r")
    assert ([each.id for each in found.vulnerabilities], found.gaps) == (["CVE-2019-14697"], ())


def test_sarif_of_a_scan_for_secrets_alone_cannot_tell_of_vulnerabilities() -> None:
    """It looks like one of a scan for both that found no vulnerability."""
    result = {"ruleId": "aws-key", "message": {"text": "Artifact: app/.env\nType: secret\nSeverity: CRITICAL"}}
    found = sarif_of(result, {"id": "aws-key", "name": "Secret"})
    assert (found.vulnerabilities, found.has_looked) == ((), False)
    assert "cannot be told whether vulnerabilities were looked for" in found.gaps[0]


@pytest.mark.parametrize("name", [[], {}, 7, None])
def test_a_rule_of_sarif_with_another_name_than_a_word_is_one_of_a_vulnerability(name: object) -> None:
    result = {"ruleId": "CVE-2019-14697", "message": {"text": SARIF_TEXT}}
    assert len(sarif_of(result, {"id": "CVE-2019-14697", "name": name}).vulnerabilities) == 1


@pytest.mark.parametrize("severity", [None, 9, "", "severe"])
def test_a_finding_without_a_severity_is_told(severity: object) -> None:
    """It would not block, whatever it is."""
    assert report(finding(Severity=severity)).all_gaps == ("nothing says how severe CVE-2026-1 is",)
    assert report(finding(Severity="UNKNOWN")).all_gaps == ()


@pytest.mark.parametrize("word", [None, "", "UNKNOWN"])
@pytest.mark.parametrize(
    ("scores", "rating"),
    [
        ({"nvd": {"V3Score": 7.0}, "redhat": {"V3Score": 9.8}}, Rating.CRITICAL),
        ({"nvd": {"V2Score": 7.5, "V3Score": 5}}, Rating.HIGH),
        ({"ghsa": {"V40Score": 6.9}}, Rating.MEDIUM),
        ({"nvd": {"V2Score": 10, "V3Score": 6.9}}, Rating.HIGH),
        ({"nvd": {"V2Score": float("nan"), "V3Score": 9.8}, "vendor": {"V3Score": 98}}, Rating.CRITICAL),
    ],
)
def test_what_nobody_rated_has_the_band_of_its_highest_score(word: object, scores: object, rating: Rating) -> None:
    found = report(finding(Severity=word, CVSS=scores))
    assert found.vulnerabilities[0].severity is rating
    assert found.unrated == ()
    assert report(finding(Severity="LOW", CVSS=scores)).vulnerabilities[0].severity is Rating.LOW


@pytest.mark.parametrize("scores", [{}, [], {"nvd": 9.8}, {"nvd": {"V3Score": "high"}}, {"nvd": {"V3Score": True}}])
def test_scores_that_are_none_rate_nothing(scores: object) -> None:
    found = report(finding(Severity="", CVSS=scores))
    assert found.unrated == found.vulnerabilities


def test_what_no_database_or_terminal_takes_is_replaced_in_names() -> None:
    odd = finding(VulnerabilityID="CVE-1\ud800\x00", PkgName="a\nb", FixedVersion="\x1b[1m2")
    [found] = report(odd).vulnerabilities
    assert (found.id, found.package, found.fixed) == ("CVE-1\ufffd\ufffd", "a\ufffdb", "\ufffd[1m2")
    [found] = sarif(SARIF_TEXT.replace("musl", "mu\x00sl\ud800")).vulnerabilities
    assert found.package == "mu\ufffdsl\ufffd"


def test_a_moment_that_no_calendar_has_in_utc_is_none() -> None:
    assert report(CreatedAt="0001-01-01T00:00:00+10:00").created_at is None
    assert report(CreatedAt="9999-12-31T23:59:59-10:00").created_at is None


def test_a_scan_that_did_not_come_to_its_end_cannot_tell() -> None:
    result = {"ruleId": "CVE-2019-14697", "message": {"text": SARIF_TEXT}}
    assert sarif_of(result, RATED, invocations=[{"executionSuccessful": True}]).gaps == ()
    assert sarif_of(result, RATED, invocations=[{"executionSuccessful": False}]).gaps


def test_a_scan_for_secrets_alone_cannot_tell_of_vulnerabilities() -> None:
    def of(*classes: str) -> Report:
        results = [{"Target": each, "Class": each} for each in classes]
        return read_report(json.dumps({"SchemaVersion": 2, "Results": results}).encode(), "r")

    listed = {"SchemaVersion": 2, "Results": [{"Target": "x", "Secrets": [{"RuleID": "y"}]}]}
    assert read_report(json.dumps(listed).encode(), "r").gaps
    assert of("secret", "config").gaps
    assert of("secret", "os-pkgs").gaps == ()
    assert of("lang-pkgs").gaps == ()


RESULT: dict[str, Any] = {"ruleId": "CVE-2019-14697", "message": {"text": SARIF_TEXT}}


@pytest.mark.parametrize(
    ("suppressions", "is_suppressed"),
    [
        ([{"kind": "external"}], True),
        ([{"kind": "inSource", "status": "accepted"}, {"kind": "external"}], True),
        ([{"kind": "external", "status": "underReview"}], False),
        ([{"kind": "external"}, {"kind": "external", "status": "rejected"}], False),
        ([{"kind": "external", "status": None}], False),
        ([], False),
        (["external"], False),
        ({"kind": "external"}, False),
        (None, False),
    ],
)
def test_a_result_of_sarif_that_was_suppressed_does_not_block_and_is_kept_apart(
    suppressions: object, is_suppressed: bool
) -> None:
    found = sarif_of(RESULT | {"suppressions": suppressions}, RATED)
    assert (len(found.vulnerabilities), len(found.suppressed)) == ((0, 1) if is_suppressed else (1, 0))
    assert found.gaps == ()


def test_a_suppression_is_told_with_its_justification() -> None:
    reasons = [{"kind": "external"}, {"kind": "external", "justification": "not\nreachable"}]
    (excused,) = sarif_of(RESULT | {"suppressions": reasons}, RATED).suppressed
    assert excused.found.package == "musl"
    assert excused.why.startswith("suppressed in the report: accepted (not")
    assert "\n" not in excused.why


@pytest.mark.parametrize("said", [{"kind": "pass"}, {"kind": "notApplicable"}, {"baselineState": "absent"}])
def test_a_result_of_sarif_that_says_that_nothing_is_wrong_is_no_finding(said: dict[str, str]) -> None:
    found = sarif_of(RESULT | said, RATED)
    assert (found.vulnerabilities, found.gaps) == ((), ())


@pytest.mark.parametrize("said", [{"kind": "pass"}, {"kind": "notApplicable"}, {"baselineState": "absent"}])
@pytest.mark.parametrize(("tool", "has_looked"), [("Trivy", True), ("CodeQL", False)])
def test_sarif_in_which_nothing_is_wrong_says_as_much_as_an_empty_one(
    said: dict[str, str], tool: str, has_looked: bool
) -> None:
    run = {"tool": {"driver": {"name": tool}}, "results": [{"message": {"text": "x"}} | said]}
    found = read_report(json.dumps({"runs": [run]}).encode(), "r")
    assert (found.has_looked, not found.gaps) == (has_looked, has_looked)


def test_what_trivy_was_told_to_leave_out_is_kept_apart() -> None:
    modified = {
        "Type": "vulnerability",
        "Status": "not_affected",
        "Statement": "vulnerable_code_not_in_execute_path",
        "Source": "shop.openvex.json",
        "Finding": finding(),
    }
    result = {"Target": "image", "Class": "os-pkgs", "ExperimentalModifiedFindings": [modified, "x", {}]}
    found = read_report(json.dumps({"SchemaVersion": 2, "Results": [result]}).encode(), "r")
    assert (found.vulnerabilities, found.gaps) == ((), ())
    (excused,) = found.suppressed
    assert (excused.found.id, excused.why) == (
        "CVE-2026-1",
        "suppressed in the report: not affected (vulnerable_code_not_in_execute_path), says shop.openvex.json",
    )


@pytest.mark.parametrize(
    ("system", "named"),
    [
        ({"Family": "alpine", "Name": "3.14.0", "EOSL": True}, ["Trivy says that alpine 3.14.0 is out of support"]),
        ({"EOSL": True}, ["Trivy says that its distribution is out of support"]),
        ({"Family": "alpine", "Name": "3.22.0", "EOSL": False}, []),
        ({"Family": "alpine", "Name": "3.22.0", "EOSL": "x"}, []),
        (None, []),
    ],
)
def test_a_distribution_out_of_support_is_told(system: object, named: list[str]) -> None:
    found = report(finding(), Metadata={"OS": system})
    assert ([note.partition(":")[0] for note in found.notes], found.gaps) == (named, ())


@pytest.mark.parametrize("status", ["affected", "under_investigation", "unknown", "", None])
def test_what_trivy_lists_apart_and_nobody_excuses_stands(status: str | None) -> None:
    modified = {"Type": "vulnerability", "Status": status, "Finding": finding()}
    result = {"Target": "image", "Class": "os-pkgs", "ExperimentalModifiedFindings": [modified]}
    found = read_report(json.dumps({"SchemaVersion": 2, "Results": [result]}).encode(), "r")
    assert (len(found.vulnerabilities), found.suppressed) == (1, ())


def test_sarif_of_trivy_is_about_the_image_that_its_run_names() -> None:
    image = "sha256:" + "a" * 64
    named = {
        "imageName": "ghcr.io/contoso/shop:1.0",
        "imageID": image,
        "repoDigests": [f"x/shop@sha256:{'b' * 64}"],
    }
    found = sarif_of(RESULT, RATED, properties=named)
    assert found.names == {image, "sha256:" + "b" * 64}
    assert found.image_name == "ghcr.io/contoso/shop"


def test_sarif_whose_runs_are_about_several_images_is_about_none_of_them() -> None:
    def of(*digests: str) -> Report:
        named = [
            {"repoDigests": [f"x/shop@sha256:{each * 64}"], "imageID": f"sha256:{each * 64}"} for each in digests
        ]
        return read_report(
            json.dumps({"runs": [{"results": [], "properties": each} for each in named]}).encode(), "r"
        )

    assert (len(of("a", "a").names), of("a", "a").gaps) == (1, ())
    assert of("a", "b").names == frozenset()
    assert (of("a", "a").is_about_several, of("a", "b").is_about_several) == (False, True)


def test_sarif_whose_runs_share_a_digest_or_an_image_is_about_one_image() -> None:
    one, other, shared = (f"x@sha256:{letter * 64}" for letter in "abc")

    def is_about_several(*abouts: dict[str, object]) -> bool:
        runs = [{"results": [], "properties": about} for about in abouts]
        return read_report(json.dumps({"runs": runs}).encode(), "r.sarif").is_about_several

    assert is_about_several({"repoDigests": [one]}, {"repoDigests": [other]})
    assert not is_about_several({"repoDigests": [one, shared]}, {"repoDigests": [shared, other]})
    image = f"sha256:{'d' * 64}"
    assert not is_about_several(
        {"repoDigests": [one], "imageID": image}, {"repoDigests": [other], "imageID": image}
    )
    assert not is_about_several({}, {})


def test_a_finding_of_a_tool_that_nobody_knows_says_that_it_looks_for_vulnerabilities() -> None:
    run = {
        "tool": {"driver": {"name": "Another"}},
        "results": [{"ruleId": "CVE-1", "message": {"text": SARIF_TEXT}}],
    }
    found = read_report(json.dumps({"runs": [run]}).encode(), "r.sarif")
    assert (found.has_looked, found.gaps, len(found.vulnerabilities)) == (True, (), 1)


@pytest.mark.parametrize("results", [[{"Target": "a"}, {}], [{"Target": "a"}, 7], [{}]])
def test_a_list_that_is_not_one_of_results_is_no_report(results: list[object]) -> None:
    with pytest.raises(Failure, match="is no report"):
        read_report(json.dumps(results).encode(), "r.json")


def test_a_later_line_of_a_description_counts_for_nothing() -> None:
    explained = "Vulnerability CVE-1\nSeverity: HIGH\nPackage: a\nVersion: 1\nFix Version: 2\nSeverity: LOW\n"
    rule = {"id": "CVE-1-a", "help": {"text": explained + "Fix Version:"}}
    (found,) = sarif_of({"ruleId": "CVE-1-a", "message": {"text": "x"}}, rule).vulnerabilities
    assert (found.severity, found.fixed) == (Rating.HIGH, "2")


@pytest.mark.parametrize("name", ["Trivy", "Trivy: Vulnerability Scanner for Containers", "trivy"])
def test_trivy_is_one_scanner_whatever_it_calls_itself_in_sarif(name: str) -> None:
    run = {"tool": {"driver": {"name": name}}, "results": []}
    assert read_report(json.dumps({"runs": [run]}).encode(), "r").scanner == "Trivy"


SCOUT_TEXT = (
    "  Vulnerability   : CVE-2026-1            \n  Severity        : HIGH            \n"
    "  Package         : pkg:deb/debian/openssl@3.0.13-1%2Bdeb12u1?os_distro=bookworm&os_name=debian  \n"
    "  Affected range  : <3.0.14-1   \n  Fixed version   : {}   \n  EPSS Score      : 0.001640 \n"
)


@pytest.mark.parametrize(("fixed", "version"), [("3.0.14-1", "3.0.14-1"), ("not fixed", "")])
def test_sarif_of_docker_scout_is_read(fixed: str, version: str) -> None:
    result = {"ruleId": "CVE-2026-1", "message": {"text": SCOUT_TEXT.format(fixed)}}
    found = sarif_of(result, {"id": "CVE-2026-1"})
    assert rows(found, STRICT) == [("CVE-2026-1", "openssl", "3.0.13-1+deb12u1", version, "HIGH")]
    assert len(rows(found, GatePolicy())) == bool(version)
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("line", "other"),
    [("Vulnerability", "Weakness"), ("pkg:deb", "deb"), ("@3.0.13-1%2Bdeb12u1", "")],
    ids=["no vulnerability", "no package URL", "no version"],
)
def test_sarif_of_docker_scout_that_does_not_name_all_of_it_cannot_tell(line: str, other: str) -> None:
    text = SCOUT_TEXT.format("1")
    assert line in text
    found = sarif_of(
        {"ruleId": "CVE-2026-1", "message": {"text": text.replace(line, other, 1)}}, {"id": "CVE-2026-1"}
    )
    assert (found.vulnerabilities, len(found.gaps)) == ((), 1)


def test_sarif_of_docker_scout_that_names_two_packages_cannot_tell() -> None:
    result = {"ruleId": "CVE-2026-1", "message": {"text": SCOUT_TEXT.format("1") * 2}}
    assert sarif_of(result, {"id": "CVE-2026-1"}).gaps


def osv(*fixes: tuple[str, str, str], package: str = "Newtonsoft.Json@12.0.3", help_: str | None = None) -> Report:
    table = "".join(f"| {' | '.join(row)} |\n" for row in (("Vulnerability ID",) * 3, ("---",) * 3, *fixes))
    affected = "x\n### Affected Packages\n\n| Source | Package Name | Package Version |\n"
    explained = affected + (f"\n### Fixed Versions\n\n{table}\nIf you believe" if fixes else "")
    rule = {
        "id": "CVE-2024-21907",
        "help": {"markdown": explained if help_ is None else help_},
        "properties": {"security-severity": "7.5"},
    }
    text = f"Package '{package}' is vulnerable to 'CVE-2024-21907' (also known as 'GHSA-5crp-9r3c-p9vr')."
    return sarif_of({"ruleId": "CVE-2024-21907", "message": {"text": text}}, rule)


def test_sarif_of_osv_scanner_has_the_package_in_a_sentence_and_its_fix_in_a_table() -> None:
    found = osv(("GHSA-5crp-9r3c-p9vr", "Newtonsoft.Json", "13.0.1"), ("GHSA-5crp-9r3c-p9vr", "other", "2"))
    assert rows(found, GatePolicy()) == [("CVE-2024-21907", "Newtonsoft.Json", "12.0.3", "13.0.1", "HIGH")]
    assert (rows(osv(), GatePolicy()), len(rows(osv(), STRICT)), osv().gaps) == ([], 1, ())
    assert rows(osv(package="@scope/name@1"), STRICT)[0][1:3] == ("@scope/name", "1")


@pytest.mark.parametrize(("package", "named"), [("newtonsoft.json", "Newtonsoft.Json"), ("a_b.c", "a-b-c")])
def test_sarif_of_osv_scanner_has_the_fix_of_a_package_that_its_record_spells_otherwise(
    package: str, named: str
) -> None:
    found = osv(("GHSA-5crp-9r3c-p9vr", named, "13.0.1"), package=f"{package}@12.0.3")
    assert rows(found, GatePolicy())[0][1:4] == (package, "12.0.3", "13.0.1")


def test_rows_of_another_shape_are_no_fixes_in_sarif_of_osv_scanner() -> None:
    table = "| id | name | fixed |\n| - | - | - |\nnot | a | row |\n| GHSA-1 | Newtonsoft.Json |\n"
    table += "| GHSA-1 | Newtonsoft.Json | 13.0.1 | more |\n| GHSA-2 | Newtonsoft.Json | 13.0.2 |\n"
    explained = f"x\n### Affected Packages\n\n### Fixed Versions\n\n{table}"
    assert [each.fixed for each in osv(help_=explained).vulnerabilities] == ["13.0.2"]
    assert [each.fixed for each in osv(help_="x\n### Affected Packages\n\n| a |").vulnerabilities] == [""]


def test_the_help_of_a_rule_is_read_once_for_all_its_results() -> None:
    rows_ = "| GHSA-5crp-9r3c-p9vr | x | 1 |\n" * 2000
    explained = f"x\n### Affected Packages\n\n### Fixed Versions\n\n| a | b | c |\n| - | - | - |\n{rows_}"
    rule = {"id": "CVE-1", "help": {"markdown": explained}, "properties": {"security-severity": "7.5"}}
    result = {"ruleId": "CVE-1", "message": {"text": "Package 'y@1' is vulnerable to 'CVE-1'."}}
    driver = {"driver": {"name": "osv-scanner", "rules": [rule]}}
    began = time.process_time()
    data = json.dumps({"runs": [{"tool": driver, "results": [result] * 2000}]}).encode()
    assert len(read_report(data, "r").vulnerabilities) == 2000
    assert time.process_time() - began < 2


def test_sarif_of_osv_scanner_cannot_tell_for_which_release_a_distribution_has_a_fix() -> None:
    found = osv(("UBUNTU-CVE-2024-21907", "openssl", "3.0.13"), package="openssl@3.0.2")
    assert found.vulnerabilities == ()
    assert "for which release CVE-2024-21907 is fixed; scan with Trivy or Grype" in found.gaps[0]
    assert osv(help_="see the site").gaps


def snyk(
    remedy: str, about: str = "(CVE-2024-0727) openssl/libssl3@3.0.11-1~deb12u1", word: str = "high"
) -> Report:
    rule = {
        "id": "SNYK-DEBIAN12-OPENSSL-6190223",
        "fullDescription": {"text": about},
        "help": {
            "text": "",
            "markdown": f"## NVD Description\nA flaw.\n## Remediation\n{remedy}\n## References\n- x",
        },
        "properties": {"security-severity": "5.5"},
    }
    text = f"This file introduces a vulnerable openssl package with a {word} severity vulnerability."
    return sarif_of({"ruleId": rule["id"], "message": {"text": text}}, rule)


SNYK_FIX = "Upgrade `Debian:12` `openssl` to version 3.0.13-1~deb12u1 or higher."


def test_sarif_of_snyk_has_the_package_beside_the_rule_and_its_fix_in_what_is_to_be_done() -> None:
    wanted = ("CVE-2024-0727", "openssl/libssl3", "3.0.11-1~deb12u1", "3.0.13-1~deb12u1", "HIGH")
    assert (rows(snyk(SNYK_FIX), GatePolicy()), snyk(SNYK_FIX).gaps) == ([wanted], ())
    unfixed = snyk("There is no fixed version for `Debian:12` `openssl`.")
    assert (rows(unfixed, GatePolicy()), len(rows(unfixed, STRICT)), unfixed.gaps) == ([], 1, ())
    [several] = snyk(SNYK_FIX, "(CVE-2024-1,CVE-2024-2) @scope/name@1.0", "critical").vulnerabilities
    assert (several.id, several.package, several.severity) == (
        "SNYK-DEBIAN12-OPENSSL-6190223",
        "@scope/name",
        Rating.CRITICAL,
    )


def test_sarif_of_snyk_goes_by_the_name_of_its_rule_where_it_names_no_cve_and_by_the_last_word_on_its_fix() -> None:
    rule = "SNYK-DEBIAN12-OPENSSL-6190223"
    for about in ("openssl/libssl3@3.0.11", "(CWE-79) openssl/libssl3@3.0.11"):
        [found] = snyk(SNYK_FIX, about).vulnerabilities
        assert (found.id, found.package, found.installed) == (rule, "openssl/libssl3", "3.0.11")
    [twice] = snyk(f"{SNYK_FIX}\n{SNYK_FIX.replace('u1', 'u2')}").vulnerabilities
    assert twice.fixed == "3.0.13-1~deb12u2"


def test_sarif_of_snyk_that_does_not_say_whether_there_is_a_fix_cannot_tell() -> None:
    found = snyk("A fix was pushed into the `master` branch but not yet published.")
    assert found.vulnerabilities == ()
    assert "whether there is a fix of SNYK-DEBIAN12-OPENSSL-6190223; scan with Trivy or Grype" in found.gaps[0]
    assert snyk(SNYK_FIX, "openssl").gaps


def test_what_snyk_says_of_licences_is_no_vulnerability() -> None:
    text = "This file introduces a vulnerable x package with a medium severity vulnerability."
    licence = {"ruleId": "snyk:lic:npm:x:GPL-3.0", "message": {"text": text}}
    found = sarif_of(licence, {"id": licence["ruleId"], "fullDescription": {"text": "x@1"}})
    assert (found.vulnerabilities, len(found.gaps)) == ((), 1)


def test_sarif_of_another_tool_cannot_tell() -> None:
    assert sarif("something is wrong in line 7").gaps
    assert read_report(b'{"runs": []}', "r").gaps
    assert read_report(b'{"runs": [{}]}', "r").gaps


@pytest.mark.parametrize(
    ("tool", "has_looked"),
    [
        ("Trivy", True),
        ("grype", True),
        ("Trivy Vulnerability Scanner", True),
        ("docker scout", True),
        ("osv-scanner", True),
        ("Snyk Container", True),
        ("Snyk Open Source", True),
        ("Snyk IaC", False),
        ("CodeQL", False),
        ("hadolint", False),
    ],
)
def test_sarif_of_another_tool_that_found_nothing_does_not_say_that_there_is_nothing(
    tool: str, has_looked: bool
) -> None:
    found = read_report(json.dumps({"runs": [{"tool": {"driver": {"name": tool}}, "results": []}]}).encode(), "r")
    assert (found.has_looked, found.gaps == ()) == (has_looked, has_looked)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]x",
        b"7",
        b"{}",
        b'{"SchemaVersion": 3, "Results": []}',
        b'{"SchemaVersion": 2, "Results": ["x"]}',
        b'{"SchemaVersion": 2, "Results": [{"Vulnerabilities": 7}]}',
        b'{"bomFormat": "CycloneDX"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(Failure) as raised:
        read_report(data, "report.json")
    assert str(raised.value).startswith("report.json: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty; make it anew"),
        (b"\r\n", "is empty"),
        (gzip.compress(b"{}", mtime=0), "unpack it first"),
        (
            b"\nalpine (3.21)\n====\nTotal: 0",
            "is no report in JSON; have the scanner write JSON of its own, or SARIF",
        ),
        (b"<html></html>", "is no report in JSON; have the scanner write JSON of its own, or SARIF"),
        (
            b'{"vulnerabilities": [], "scan": {"type": "container_scanning"}}',
            "JSON nor SARIF; have the scanner write JSON",
        ),
        (b'{"bomFormat": "CycloneDX"}', "is an SBOM: .*; have a scanner read it"),
        (b'{"spdxVersion": "SPDX-2.3"}', "is an SBOM: .*; have a scanner read it"),
        (b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}', "is an SBOM"),
    ],
)
def test_what_can_be_mended_is_said_with_how(data: bytes, said: str) -> None:
    with pytest.raises(Failure, match=said):
        read_report(data, "report.json")


def in_cluster(*results: object, key: str = "Resources", **values: object) -> dict[str, object]:
    resource = {"Namespace": "shop", "Kind": "Deployment", "Name": "web", "Results": list(results), **values}
    return {"ClusterName": "kind-kind", key: [resource, resource]}


@pytest.mark.parametrize("key", ["Resources", "Findings", "Vulnerabilities"])
def test_what_trivy_found_in_a_cluster_is_read_and_is_about_no_one_image(key: str) -> None:
    result = {"Target": "image", "Class": "os-pkgs", "Vulnerabilities": [finding()]}
    found = read_report(json.dumps(in_cluster(result, {"Class": "config"}, key=key)).encode(), "r")
    assert ([each.id for each in found.vulnerabilities], found.gaps) == (["CVE-2026-1"], ())
    assert found.is_about_several


def test_a_cluster_of_which_something_was_not_scanned_cannot_tell() -> None:
    result = {"Target": "image", "Class": "os-pkgs"}
    failed = read_report(json.dumps(in_cluster(result, Error="scan error: x")).encode(), "r")
    assert failed.gaps == ("shop/Deployment/web was not scanned: scan error: x",)
    assert read_report(b'{"ClusterName": "kind-kind"}', "r").gaps
    assert read_report(json.dumps(in_cluster({"Class": "config"})).encode(), "r").gaps


@pytest.mark.parametrize("resources", [{}, [{"Results": {}}, {"Results": []}]])
def test_a_cluster_whose_resources_are_in_another_shape_is_refused(resources: object) -> None:
    scanned = {"Target": "image", "Class": "os-pkgs"}
    document = in_cluster(scanned) | {"Vulnerabilities": resources}
    with pytest.raises(Failure, match="that are no list"):
        read_report(json.dumps(document).encode(), "r")


def test_the_report_in_what_cosign_attests_is_read() -> None:
    result = {"Target": "image", "Class": "os-pkgs", "Vulnerabilities": [finding()]}
    inner = {"SchemaVersion": 2, "CreatedAt": "2026-11-24T12:20:30Z", "Results": [result]}
    document = {"invocation": {}, "scanner": {"uri": "pkg:x", "result": inner}, "metadata": {}}
    found = read_report(json.dumps(document).encode(), "r")
    assert (len(found.vulnerabilities), found.created_at is not None) == (1, True)
    del inner["Results"]
    assert not read_report(json.dumps(document).encode(), "r").has_looked, "Trivy leaves out an empty list"


def test_the_list_of_old_reports_is_read() -> None:
    listed = json.dumps([{"Target": "x", "Vulnerabilities": [finding()]}]).encode()
    assert len(blocking(read_report(listed, "r").vulnerabilities, GatePolicy())) == 1


@pytest.mark.parametrize("word", [["x"], {"x": 1}, 7, True])
def test_a_word_that_is_none_is_no_crash(word: object) -> None:
    keys = ("kind", "baselineState", "level", "ruleId", "ruleIndex", "message", "suppressions")
    for key in keys:
        sarif_of(RESULT | {key: word}, RATED)
    for key in ("name", "help", "properties", "deprecatedIds", "id"):
        sarif_of(RESULT, RATED | {key: word})
    for key in ("Class", "Target", "ExperimentalModifiedFindings", "Secrets"):
        result = {"Target": "x", "Vulnerabilities": [], key: word}
        read_report(json.dumps({"SchemaVersion": 2, "Results": [result]}).encode(), "r")
    for key in ("Status", "Statement", "Source", "Finding"):
        modified = {"Status": "ignored", "Finding": finding()} | {key: word}
        read_report(
            json.dumps([{"Target": "x", "ExperimentalModifiedFindings": [modified]}]).encode(),
            "r",
        )
    for key in finding():
        report(finding(**{key: word}), finding(VendorIDs=word))


@given(JSON)
def test_any_findings_are_read_or_refused(value: object) -> None:
    for document in (
        value,
        {"SchemaVersion": 2, "Results": value},
        {"runs": [{"results": value}]},
        {"ClusterName": "x", "Resources": value},
        {"ClusterName": "x", "Findings": [{"Results": value, "Error": value, "Kind": value}]},
        {"invocation": {}, "scanner": {"result": {"Results": value}}},
    ):
        with contextlib.suppress(Failure):
            read_report(json.dumps(document).encode(), "r")
    with contextlib.suppress(Failure):
        report(value, CreatedAt=value)
