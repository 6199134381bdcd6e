"""What the gate's settings say in vain, and what of them is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bot.settings import Settings
from bot.settings.review import review_gate
from bot.settings.sections.gate import GateSettings

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RULE = {"match": ["ghcr.io/contoso/*"]}
ACCEPTED = {"cve": "CVE-2026-1", "reason": "not reachable", "until": "2027-01-31"}


def said(*rules: dict[str, Any], exceptions: list[dict[str, Any]] | None = None) -> list[str]:
    gate = GateSettings.model_validate({"rules": list(rules), "exceptions": exceptions or []})
    return review_gate(Settings(gate=gate), NOW)


def test_what_has_a_consequence_is_not_mentioned() -> None:
    assert said(RULE, {"match": ["*"], "mode": "tell"}, exceptions=[ACCEPTED]) == []


def test_a_rule_behind_one_that_matches_the_same_never_has_a_say() -> None:
    assert said({"match": ["*"]}, RULE) == [
        "gate.rules.1: it never has a say: gate.rules.0 matches the same before it"
    ]


def test_an_exception_that_has_ended_or_that_no_rule_asks_for_is_mentioned() -> None:
    ended = {**ACCEPTED, "until": "2026-11-01"}
    elsewhere = {**ACCEPTED, "match": ["quay.io/*"]}
    assert said(RULE, exceptions=[ended, elsewhere]) == [
        "gate.exceptions.0: it ended on 2026-11-01: CVE-2026-1 counts again",
        "gate.exceptions.1: it never matches: no rule asks for anything of its images",
    ]


def told_of(mode: str, start: str) -> list[str]:
    gate = GateSettings.model_validate({"rules": [{"match": ["*"], "mode": mode}]})
    step = {"name": "staging", "workflow": "deploy.yml", "start": start}
    return review_gate(Settings.model_validate({"gate": gate, "policy": [{"steps": [step]}]}), NOW)


def test_steps_that_begin_by_themselves_are_named_where_the_gate_would_hold_them_back() -> None:
    [line] = told_of("block", "observe")
    assert line.startswith("policy.0.steps.0: staging begins by itself: the gate cannot hold it back")
    assert told_of("tell", "observe") == told_of("block", "dispatch") == []


@pytest.mark.parametrize(
    "gate",
    [
        {"exceptions": [ACCEPTED]},
        {"rules": [RULE], "exceptions": [{**ACCEPTED, "reason": ""}]},
        {"rules": [RULE], "exceptions": [{"cve": "CVE-2026-1", "reason": "no end"}]},
        {"rules": [RULE], "exceptions": [{**ACCEPTED, "cve": "openssl"}]},
        {"rules": [{**RULE, "severities": []}]},
        {"rules": [{**RULE, "severities": ["SEVERE"]}]},
        {"rules": [{**RULE, "severities": ["HIGH", "HIGH"]}]},
        {"rules": [{"match": []}]},
    ],
)
def test_what_asks_for_nothing_or_never_ends_is_refused(gate: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateSettings.model_validate(gate)
