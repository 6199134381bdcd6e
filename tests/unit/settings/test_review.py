"""Parts of a policy that have no consequence are named, and none that has one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.settings import Settings
from bot.settings.review import missing_workflows, review, review_times


def said(*rules: dict[str, Any], **sections: Any) -> list[str]:
    return review(Settings.model_validate({"policy": list(rules), **sections}))


def test_a_wave_that_no_rule_uses_is_named() -> None:
    waves = [{"name": "canary"}, {"name": "early"}, {"name": "rest"}]
    assert said({"wave": "canary"}, rollout={"waves": waves}) == [
        "rollout.waves: no rule puts a repository into 'early'"
    ]


def test_the_last_wave_needs_no_rule() -> None:
    assert said() == []


SHOP = {"repositories": ["contoso/shop"]}


@pytest.mark.parametrize(
    ("earlier", "rule", "line"),
    [
        ({"settle": "1h"}, {"settle": "2h"}, True),
        ({"settle": "1h"}, {"settle": "2h", "draft": True}, False),
        ({"match": SHOP, "settle": "1h"}, {"settle": "2h"}, False),
        ({"match": {"repositories": ["Contoso/*"]}, "settle": "1h"}, {"match": SHOP, "settle": "2h"}, True),
        (
            {"match": {"min_severity": "high"}, "settle": "1h"},
            {"match": {"min_severity": "low"}, "settle": "2h"},
            False,
        ),
        (
            {"match": {"min_severity": "high"}, "settle": "1h"},
            {"match": {"min_severity": "critical"}, "settle": "2h"},
            True,
        ),
        ({"match": {"causes": ["os-update"]}, "settle": "1h"}, {"settle": "2h"}, False),
    ],
)
def test_a_rule_to_which_an_earlier_one_leaves_nothing_is_named(
    earlier: dict[str, Any], rule: dict[str, Any], line: bool
) -> None:
    never = "policy.1: it never has a say: whatever it matches, policy.0 sets the same terms before it"
    assert said(earlier, rule) == ([never] if line else [])


def test_several_earlier_rules_may_leave_nothing_together() -> None:
    [line] = said({"settle": "1h"}, {"draft": True}, {"settle": "2h", "draft": False})
    assert "policy.0, policy.1 sets" in line


@pytest.mark.parametrize(
    ("match", "sections", "reason"),
    [
        ({"causes": ["os-update"], "min_severity": "low"}, {}, "it never matches: only dotnet-security fixes CVEs"),
        ({"causes": ["index-only", "withdrawn"]}, {}, "nothing is rebuilt because of index-only or withdrawn"),
        ({"bases": ["ghcr.io/*"]}, {}, "none of its bases is among those that are watched"),
        (
            {"repositories": ["other/*"]},
            {"github": {"repositories": {"include": ["contoso/*"]}}},
            "github.repositories leaves all of its repositories out",
        ),
        (
            {"repositories": ["contoso/legacy-a"]},
            {"github": {"repositories": {"exclude": ["Contoso/legacy-*"]}}},
            "github.repositories leaves all of its repositories out",
        ),
    ],
)
def test_a_rule_that_never_matches_is_named(match: dict[str, Any], sections: dict[str, Any], reason: str) -> None:
    [line] = said({"match": match, "draft": True}, **sections)
    assert line.startswith("policy.0: it never")
    assert reason in line


def test_a_rule_without_a_term_is_named() -> None:
    assert said({"match": SHOP}) == ["policy.0: it sets no term"]


def test_workflows_that_no_repository_has_are_named() -> None:
    rule = {
        "workflow": "weekly.yml",
        "workflows": [{"paths": ["shop/*"], "workflow": "shop.yml"}],
        "steps": [
            {"name": "canary", "workflow": "canary.yml"},
            {"name": "elsewhere", "workflow": "deploy.yml", "repository": "contoso/deploy"},
        ],
    }
    settings = Settings.model_validate({"policy": [rule]})
    assert missing_workflows(settings, {"weekly.yml"}) == [
        "policy.0.workflows.0: no repository has a workflow shop.yml that can be dispatched",
        "policy.0.steps.0: no repository has a workflow canary.yml that can be dispatched",
    ]


def test_a_pipeline_is_in_no_repository_and_not_missed_there() -> None:
    rule = {"workflow": "azure-pipelines: contoso/shop/12"}
    assert missing_workflows(Settings.model_validate({"policy": [rule]}), {"weekly.yml"}) == []


def test_where_no_workflow_is_known_none_is_missed() -> None:
    assert missing_workflows(Settings.model_validate({"policy": [{"workflow": "weekly.yml"}]}), ()) == []


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        (
            {"gate": {"rules": [{"match": ["ghcr.io/*"]}]}},
            "gate.rules.0: it never matches: none of it is on a registry that is in registries",
        ),
        (
            {"trust": {"rules": [{"match": ["ghcr.io/*"], "mode": "off"}]}},
            "trust.rules.0: it never matches: none of it is on a registry that is in registries",
        ),
        (
            {
                "github": {"repositories": {"include": ["contoso/*"]}},
                "notify": [{"channel": "C1", "match": {"repositories": ["other/*"]}}],
            },
            "notify.0: it never matches: github.repositories leaves all of its repositories out",
        ),
        (
            {"github": {"repositories": {"include": ["contoso/*"]}}, "onboarding": {"repositories": ["other/*"]}},
            "onboarding.repositories.0: it never matches: github.repositories leaves all of its repositories out",
        ),
    ],
)
def test_what_can_never_match_is_named(sections: dict[str, Any], line: str) -> None:
    assert said(**sections) == [line]


def test_a_freeze_that_is_over_is_named() -> None:
    freeze = {"from": "2026-01-01", "until": "2026-01-02", "reason": "x"}
    settings = Settings.model_validate({"freezes": [freeze]})
    assert review_times(settings, datetime(2026, 1, 2, tzinfo=UTC)) == [
        "freezes.0: it ended on 2026-01-02; take it out"
    ]
    assert review_times(settings, datetime(2026, 1, 1, 12, tzinfo=UTC)) == []
