"""Rules, waves and freezes as they are written, and the values that they become."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import ONE_WAVE, PolicyRule, Terms
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, PathWorkflow, Pin, Start, Step
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import Freeze
from bot.settings import Settings, load
from bot.settings.section import ValueSection
from bot.settings.sections.policy import RuleSettings
from bot.store.rows.rollouts.tables import rebuilds
from tests.unit.settings.conftest import Refused


def every_value_section() -> list[type[ValueSection[Any]]]:
    return [section for of_kind in ValueSection.__subclasses__() for section in of_kind.__subclasses__()]


WHOLE = """
policy:
- match: {repositories: ["contoso/*"]}
  wave: canary
  soak: 2h
  steps:
  - {name: pre-production, workflow: deploy.yml, inputs: {ring: "0"}}
  - {name: production, workflow: prod.yml, repository: contoso/deploy, start: observe, timeout: 30m}
  auto_merge: {method: squash, causes: [os-update], min_severity: low}
  pin: digest
  draft: true
  labels: [dependencies]
  reviewers: ["@octocat", contoso/platform]
  assignees: [octocat]
  branch_prefix: bot/fresh-
  commit_message: "build: take {bases}"
  workflows:
  - {paths: ["shop/*"], workflow: shop.yml, images: ["*/shop"]}
  max_age: 7d
rollout:
  waves:
  - {name: canary, soak: 4h, batch: 2, done_at: 90%, wait_at_most: 12h}
  - {name: rest}
freezes:
- {from: 2026-12-20, until: 2027-01-04 06:00 Europe/Berlin, reason: year-end closing, except_severity: critical}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "freshness.yaml"
    path.write_text(text)
    return path


def test_every_term_becomes_its_value(tmp_path: Path) -> None:
    policy = load(written(tmp_path, WHOLE)).rules
    [rule] = policy.rules
    assert rule.steps == (
        Step("pre-production", "deploy.yml", inputs=(("ring", "0"),)),
        Step("production", "prod.yml", "contoso/deploy", Start.OBSERVE, (), timedelta(minutes=30)),
    )
    assert rule.auto_merge == AutoMerge(MergeMethod.SQUASH, (Cause.OS_UPDATE,), Severity.LOW)
    assert rule.workflows == (PathWorkflow(("shop/*",), "shop.yml", ("*/shop",)),)
    assert (rule.pin, rule.draft, rule.labels) == (Pin.DIGEST, True, ("dependencies",))
    assert (rule.reviewers, rule.assignees) == (("octocat", "contoso/platform"), ("octocat",))
    assert (rule.branch_prefix, rule.commit_message) == ("bot/fresh-", "build: take {bases}")
    assert (rule.wave, rule.soak, rule.max_age) == ("canary", timedelta(hours=2), timedelta(days=7))
    assert policy.waves == (
        Wave("canary", timedelta(hours=4), 2, 0.9, timedelta(hours=12)),
        Wave("rest"),
    )
    assert policy.freezes == (
        Freeze(
            datetime(2026, 12, 20, tzinfo=UTC),
            datetime(2027, 1, 4, 5, tzinfo=UTC),
            "year-end closing",
            Severity.CRITICAL,
        ),
    )


def test_settings_hold_the_values_of_the_domain_and_no_copies_of_them(tmp_path: Path) -> None:
    settings = load(written(tmp_path, WHOLE))
    assert tuple(settings.policy) == settings.rules.rules
    assert tuple(settings.rollout.waves) == settings.rules.waves
    assert tuple(settings.freezes) == settings.rules.freezes


def test_what_is_written_comes_back_as_it_was_read(tmp_path: Path) -> None:
    settings = load(written(tmp_path, WHOLE))
    dumped = settings.model_dump(mode="json", by_alias=True, include={"policy", "rollout", "freezes"})
    assert dumped["policy"][0]["steps"][0]["inputs"] == {"ring": "0"}
    assert Settings.model_validate(dumped) == settings


@pytest.mark.parametrize("section", every_value_section(), ids=lambda section: section.__name__)
def test_a_section_of_a_value_has_a_key_for_each_of_its_fields(section: type[ValueSection[Any]]) -> None:
    told_elsewhere = {PathWorkflow: {"others"}}.get(section.KIND, set())
    assert section.model_fields.keys() == {field.name for field in fields(section.KIND)} - told_elsewhere


def test_a_rule_has_a_field_for_every_term() -> None:
    for term in Terms.__dataclass_fields__:
        assert term in PolicyRule.__dataclass_fields__
        assert term in RuleSettings.model_fields


def test_without_settings_all_begin_together() -> None:
    assert Settings().rules.waves == ONE_WAVE


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("policy: [{wave: early}]", "policy.0.wave: no wave is called 'early'; rollout.waves has rest"),
        (
            "rollout: {waves: [{name: a}, {name: a}]}",
            "rollout: two waves are called 'a'; give each a name of its own",
        ),
        ("rollout: {waves: []}", "rollout.waves: expected at least 1 entry"),
        (
            "rollout: {waves: [{name: a, done_at: 0%}]}",
            "rollout.waves.0: done_at: 0% would let the next wave begin at once; write at least 1%",
        ),
        (f"rollout: {{waves: [{{name: {'a' * 65}}}]}}", "rollout.waves.0.name: longer than 64 characters"),
        (
            "freezes: [{from: 2026-12-20, until: 2026-12-20, reason: x}]",
            "freezes.0: until is not after from; a freeze ends when work may begin again",
        ),
        (
            "freezes: [{from: soon, until: 2026-12-20, reason: x}]",
            "freezes.0.from: write for example 2026-12-20 or '2026-12-20 18:00 Europe/Berlin'",
        ),
        (
            "freezes: [{from: 2026-12-20 08:00 Mars/Olympus, until: 2026-12-21, reason: x}]",
            "freezes.0.from: write for example 2026-12-20 or '2026-12-20 18:00 Europe/Berlin'",
        ),
        (
            "freezes: [{from: 2026-12-20, until: 2026-12-21}]",
            "freezes.0.reason: missing; told with everything that it holds back",
        ),
        ("policy: [{labels: ['a,b']}]", "policy.0.labels.0: no label; write it without commas, on one line"),
        (
            "policy: [{reviewers: ['a b']}]",
            "policy.0.reviewers.0: write a login such as octocat, or a team such as contoso/platform",
        ),
        (
            "policy: [{branch_prefix: ../}]",
            "policy.0.branch_prefix: no beginning of a branch's name; write for example freshness/",
        ),
        (
            "policy: [{commit_message: '{digest}'}]",
            "policy.0.commit_message: write one line, in which {bases} stands for what moved",
        ),
        ("policy: [{max_age: 0s}]", "policy.0.max_age: write at least 1s"),
        (
            "policy: [{auto_merge: {}}]",
            "policy.0.auto_merge.method: missing; never, merge, squash or rebase; a merge",
        ),
        (
            "policy: [{steps: [{name: a, workflow: x}]}]",
            "policy.0.steps.0.workflow: write the name of a file in .github/workflows, or azure-pipelines: ",
        ),
        (
            "policy: [{workflows: [{paths: [], workflow: a.yml}]}]",
            "policy.0.workflows.0.paths: expected at least 1",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_plain_words(refused: Refused, text: str, line: str) -> None:
    [found] = refused(text)
    assert found.startswith(f"1: {line}")


def test_a_step_takes_no_more_inputs_than_github(refused: Refused) -> None:
    inputs = ", ".join(f"i{number}: x" for number in range(26))
    [found] = refused(f"policy: [{{steps: [{{name: a, workflow: a.yml, inputs: {{{inputs}}}}}]}}]")
    assert found == "1: policy.0.steps.0.inputs: more than 25 entries; leave some out"


@pytest.mark.parametrize(
    ("column", "longest"),
    [("wave", "w" * 64), ("workflow", f"{'w' * 100}.yaml"), ("branch", f"{'b' * 63}/")],
)
def test_no_name_is_longer_than_its_column(column: str, longest: str) -> None:
    assert rebuilds.c[column].type.length >= len(longest)  # type: ignore[attr-defined]


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1))


@given(at=moments, zone=st.sampled_from(["", " UTC", " Europe/Berlin", " America/New_York"]))
def test_moments_are_read_as_they_are_shown(at: datetime, zone: str) -> None:
    freeze = {"from": f"{at:%Y-%m-%d %H:%M}{zone}", "until": "2040-01-01", "reason": "x"}
    read = Settings.model_validate({"freezes": [freeze]})
    shown = read.model_dump(by_alias=True)["freezes"]
    assert Settings.model_validate({"freezes": shown}).freezes == read.freezes
