from dataclasses import replace

import pytest

from bot.domain.repositories.finding import Finding, FindingSeverity, Fix, Outcome, Place
from bot.domain.repositories.issue import IssueSection
from bot.fleet.act.issue.sections import IssueFailure, dead_schedules, failures, practices_section

FAILS = Finding(
    "pinned",
    Outcome.FAILS,
    Place("Dockerfile", 3, 4),
    "FROM a:1",
    "floats",
    FindingSeverity.MEDIUM,
    fix=Fix("Pin it"),
)
HOLDS = replace(FAILS, outcome=Outcome.HOLDS)
UNKNOWN = replace(FAILS, outcome=Outcome.UNKNOWN)
ADVICE = (
    "\n\n`freshness-bot audit .` in a checkout tells all of it. What is accepted is waived in "
    "`.github/freshness.yaml`, with a reason and a date."
)
GONE = "\n\nThis goes away by itself once the images are rebuilt."


def section(*findings: Finding) -> IssueSection:
    found = practices_section(findings, opens_issue=True)
    assert found is not None
    return found


def failing_in_order(*findings: Finding) -> list[str]:
    return [line.split("`")[1] for line in section(*findings).text.splitlines() if line.startswith("- `")]


def test_where_nothing_fails_nothing_is_said() -> None:
    assert practices_section([HOLDS, UNKNOWN], opens_issue=True) is None


def test_what_fails_is_told_with_its_place_and_advice() -> None:
    found = section(FAILS, HOLDS)
    assert found.title == "Practices that fail"
    assert found.text == f"- `Dockerfile:3` `pinned`: FROM a:1: floats. Advice: Pin it.{ADVICE}"
    assert found.told == "1 finding fails: pinned"


def test_without_a_fix_no_advice_is_given() -> None:
    assert section(replace(FAILS, fix=None)).text == f"- `Dockerfile:3` `pinned`: FROM a:1: floats.{ADVICE}"


def test_what_cannot_be_told_is_counted_apart() -> None:
    text = section(FAILS, HOLDS, UNKNOWN, UNKNOWN).text
    assert "\n\n2 findings cannot be told from the files.\n" in text


def test_the_gravest_come_first_then_by_check_and_place() -> None:
    def finding(severity: FindingSeverity, check: str, path: str, line: int) -> Finding:
        return replace(FAILS, severity=severity, check=check, place=Place(path, line, line))

    grave = finding(FindingSeverity.CRITICAL, "z", "z", 9)
    by_check = finding(FindingSeverity.HIGH, "a", "z", 9)
    by_path = finding(FindingSeverity.HIGH, "b", "a", 9)
    by_line = finding(FindingSeverity.HIGH, "b", "b", 1)
    last = finding(FindingSeverity.HIGH, "b", "b", 2)
    slight = finding(FindingSeverity.LOW, "a", "a", 3)
    found = failing_in_order(slight, last, by_line, by_path, by_check, grave)
    assert found == ["z:9", "z:9", "a:9", "b:1", "b:2", "a:3"]


def test_each_check_is_named_once_in_the_plain_line() -> None:
    others = replace(FAILS, check="scanned", severity=FindingSeverity.LOW)
    assert section(FAILS, FAILS, others).told == "3 findings fail: pinned, scanned"


def test_of_many_twenty_are_told_and_the_rest_is_counted() -> None:
    assert len(failing_in_order(*[FAILS] * 20)) == 20
    assert "more" not in section(*[FAILS] * 20).text
    assert len(failing_in_order(*[FAILS] * 22)) == 20
    assert "\n- and 2 more\n" in section(*[FAILS] * 22).text


def test_it_opens_an_issue_only_where_that_is_wished() -> None:
    assert section(FAILS).opens
    unwished = practices_section([FAILS], opens_issue=False)
    assert unwished is not None
    assert not unwished.opens


def failed(url: str | None = "https://forge/pull/1") -> IssueFailure:
    return IssueFailure(("aspnet:10.0", "sdk:10.0"), "the build is red", url)


def test_a_failure_is_told_with_its_bases_its_reason_and_where_to_look() -> None:
    about = failures([failed()])
    assert about.title == "Rebuilds that failed"
    assert about.text == (f"- `aspnet:10.0`, `sdk:10.0`: the build is red ([look](https://forge/pull/1)){GONE}")
    assert about.told == "aspnet:10.0, sdk:10.0: the build is red"
    assert about.opens


@pytest.mark.parametrize("url", [None, "", "http://forge/pull/1", "javascript:alert", "https://forge/)evil"])
def test_what_is_no_safe_address_is_no_link(url: str | None) -> None:
    assert failures([failed(url)]).text == f"- `aspnet:10.0`, `sdk:10.0`: the build is red{GONE}"


def test_of_many_ten_are_told_and_the_rest_is_counted() -> None:
    assert failures([failed()] * 10).text.count("look") == 10
    assert "more" not in failures([failed()] * 10).text
    about = failures([failed()] * 12)
    assert about.text.count("look") == 10
    assert "\n- and 2 more\n" in about.text
    assert about.told.count("; ") == 9


def test_each_workflow_is_told_with_what_is_wrong_and_the_way_out() -> None:
    about = dead_schedules([("build.yml", "it has_no trigger: add one"), ("other.yml", "somebody disabled it")])
    assert about.title == "Images that are not rebuilt in time"
    assert about.text == (
        "- `build.yml`: it has\\_no trigger: add one\n- `other.yml`: somebody disabled it\n\n"
        "This goes away by itself once that is mended."
    )
    assert about.told == "build.yml: it has_no trigger: add one; other.yml: somebody disabled it"
    assert about.opens


def test_of_many_workflows_twenty_are_told() -> None:
    about = dead_schedules([(f"{number}.yml", "it is disabled") for number in range(23)])
    assert (about.text.count("it is disabled"), about.told.count("it is disabled")) == (20, 20)
    assert ("19.yml" in about.told, "20.yml" in about.told) == (True, False)
