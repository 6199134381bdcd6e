"""Findings for scripts, code scanning and people."""

import gzip
import json
from base64 import b64encode
from random import Random

import jsonschema
import pytest

from bot.domain.repositories.finding import Finding, FindingSeverity, Fix, Outcome, Place
from bot.files.audit.auditing import audit
from bot.files.audit.rules import RULES
from bot.views.repositories.findings import (
    MOST_BYTES,
    MOST_RESULTS,
    as_markdown,
    as_rows,
    as_sarif,
    counts,
    left_out_of_sarif,
)
from sandbox.programs.parts import NODE_MODULES
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

SCHEMA = NODE_MODULES / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
CONFIG = "ignore: [{check: seccomp-profile, reason: the node has one}]"


@pytest.fixture
def findings() -> tuple[Finding, ...]:
    files = {BUILD: workflow(PUSH), DEPLOYMENT: deployment(), ".github/freshness.yaml": CONFIG}
    return audit(texts(files | {"a b/Dockerfile": "FROM contoso/base:1\n"}), NOW)


def test_a_row_has_these_keys_in_this_order(findings: tuple[Finding, ...]) -> None:
    keys = [
        *("check", "outcome", "path", "start_line", "end_line"),
        *("subject", "message", "settled_by", "severity", "fix"),
    ]
    assert [list(row) for row in as_rows(findings)] == [keys] * len(findings)


def test_a_row_is_plain_json(findings: tuple[Finding, ...]) -> None:
    rows = as_rows(findings)
    assert json.loads(json.dumps(rows)) == rows
    row = next(row for row in rows if row["check"] == "run-as-non-root")
    assert (row["outcome"], row["path"], row["start_line"], row["end_line"]) == ("fails", DEPLOYMENT, 9, 10)


@pytest.mark.skipif(
    not SCHEMA.exists(), reason="the SARIF schema is missing: run `make set-up`, which brings it by npm"
)
def test_the_sarif_log_is_valid(findings: tuple[Finding, ...]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    log = json.loads(json.dumps(as_sarif(findings, RULES, "1.0")))
    assert [error.message for error in validator.iter_errors(log)] == []


def test_only_what_fails_or_is_waived_is_a_result(findings: tuple[Finding, ...]) -> None:
    results = as_sarif(findings, RULES, "1.0")["runs"][0]["results"]
    shown = [each for each in findings if each.outcome in {Outcome.FAILS, Outcome.WAIVED}]
    assert [result["ruleId"] for result in results] == [finding.check for finding in shown]


def test_a_waived_result_is_suppressed(findings: tuple[Finding, ...]) -> None:
    results = as_sarif(findings, RULES, "1.0")["runs"][0]["results"]
    suppressed = [result["ruleId"] for result in results if "suppressions" in result]
    assert suppressed == ["seccomp-profile"]


def test_a_result_points_at_its_rule(findings: tuple[Finding, ...]) -> None:
    run = as_sarif(findings, RULES, "1.0")["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_fingerprints_differ(findings: tuple[Finding, ...]) -> None:
    results = as_sarif(findings, RULES, "1.0")["runs"][0]["results"]
    names = [result["partialFingerprints"]["freshnessFinding/v1"] for result in results]
    assert len(names) == len(set(names))


def test_counts_leave_out_what_nobody_had(findings: tuple[Finding, ...]) -> None:
    assert list(counts(findings)) == [
        Outcome.FAILS,
        Outcome.UNKNOWN,
        Outcome.WAIVED,
        Outcome.HOLDS,
        Outcome.NOT_APPLICABLE,
    ]
    assert counts([]) == {}


def test_markdown_has_a_section_for_each_thing_to_look_at(findings: tuple[Finding, ...]) -> None:
    text = as_markdown(findings)
    assert [line for line in text.splitlines() if line.startswith("###")] == [
        "### Fails",
        "### Cannot be told",
        "### Waived",
    ]


def test_markdown_lets_no_subject_break_out() -> None:
    text = as_markdown(
        audit(texts({DEPLOYMENT: deployment().replace("name: api", "name: 'a|b @everyone <x>'")}), NOW)
    )
    assert "@everyone" not in text
    assert "<x>" not in text


def test_markdown_shows_patches_that_say_the_same_once(findings: tuple[Finding, ...]) -> None:
    failing = [each for each in findings if each.outcome is Outcome.FAILS][:2]
    text = as_markdown(findings, dict.fromkeys(failing, "--- a/x\n+++ b/x\n+```\n"))
    assert text.count("````diff\n--- a/x\n+++ b/x\n+```\n````\n") == 1
    assert "### Patches" not in as_markdown(findings)


def test_sarif_shows_patches_in_the_help_of_their_rule(findings: tuple[Finding, ...]) -> None:
    failing = next(each for each in findings if each.outcome is Outcome.FAILS)
    run = as_sarif(findings, RULES, "1.0", {failing: "--- a/x\n+++ b/x\n+y\n"})["runs"][0]
    helps = {each["id"]: each["help"] for each in run["tool"]["driver"]["rules"]}
    assert "```diff\n--- a/x\n+++ b/x\n+y\n```\n" in helps[failing.check]["markdown"]
    assert [check for check, told in helps.items() if "markdown" in told] == [failing.check]
    assert {each["ruleId"] for each in run["results"] if "fixes" in each} <= {failing.check}


def test_sarif_carries_edits_as_fixes(findings: tuple[Finding, ...]) -> None:
    fixes = [each["fixes"][0] for each in as_sarif(findings, RULES, "1.0")["runs"][0]["results"] if "fixes" in each]
    change = fixes[0]["artifactChanges"][0]
    assert change["replacements"][0].keys() == {"deletedRegion", "insertedContent"}
    assert fixes[0]["description"]["text"]


def failing(
    number: int, severity: FindingSeverity = FindingSeverity.LOW, message: str = "it is missing"
) -> Finding:
    place = Place("compose.yaml", number + 1, number + 1)
    return Finding("read-only-root", Outcome.FAILS, place, f"service s{number}", message, severity)


def test_a_log_has_at_most_as_many_results_as_code_scanning_takes_the_weightiest_of_all() -> None:
    many = [failing(number) for number in range(MOST_RESULTS)]
    many += [failing(MOST_RESULTS, FindingSeverity.HIGH)]
    log = as_sarif(many, RULES, "1.0")
    lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in log["runs"][0]["results"]]
    assert len(lines) == MOST_RESULTS
    assert lines == sorted(lines)
    assert lines[-2:] == [MOST_RESULTS - 1, MOST_RESULTS + 1]


def test_a_log_tells_how_many_results_it_has_no_room_for() -> None:
    log = as_sarif([failing(number) for number in range(MOST_RESULTS + 7)], RULES, "1.0")
    assert left_out_of_sarif(log).startswith("7 results more than code scanning takes in one log")
    assert left_out_of_sarif(as_sarif([failing(1)], RULES, "1.0")) == ""


def test_a_log_is_packed_to_no_more_bytes_than_code_scanning_takes() -> None:
    noise = Random(1)
    many = [failing(number, message=b64encode(noise.randbytes(25_000)).decode()) for number in range(450)]
    log = as_sarif(many, RULES, "1.0")
    assert 200 < len(log["runs"][0]["results"]) < len(many)
    assert len(gzip.compress(json.dumps(log, indent=2).encode(), mtime=0)) <= MOST_BYTES
    assert left_out_of_sarif(log) != ""


def test_why_nothing_is_proposed_stands_beside_the_advice() -> None:
    (row,) = as_rows(
        [
            Finding(
                *("weekly-rebuild", Outcome.FAILS, Place("a.yml", 1, 1), "workflow a.yml", "it runs never"),
                FindingSeverity.MEDIUM,
                fix=Fix("add a schedule", left_alone="a scheduled run would push nothing"),
            )
        ]
    )
    assert row["fix"] == "add a schedule (left to people: a scheduled run would push nothing)"
