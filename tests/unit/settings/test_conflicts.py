"""What cannot work beside something else, or has no effect there, is refused with its place and the way out."""

from pathlib import Path

import pytest
import yaml

from tests.unit.settings.conftest import Refused, refusal

NOTATION = {"trust_dir": "/trust", "stores": ["ca:acme"], "identities": ["*"]}


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"limits": {"content_per_hour": 100_000}},
            "limits.content_per_hour: GitHub stops whoever writes more than 500 in any hour; write at most 500",
        ),
        (
            {"limits": {"content_per_minute": 81}},
            "limits.content_per_minute: GitHub stops whoever writes more than 80 in any minute; write at most 80",
        ),
        (
            {"schedule": {"weekly_rebuild_over": "30d"}},
            "schedule.weekly_rebuild_over: the next weekly rebuild begins 7 days after the one before; write at "
            "most that",
        ),
        (
            {"schedule": {"weekly_rebuild": "0 2 * * *", "weekly_rebuild_over": "2d"}},
            "schedule.weekly_rebuild_over: the next weekly rebuild begins 24 h after the one before; write at "
            "most that",
        ),
        (
            {"vulnerabilities": "recommended", "feeds": {"msrc": False}},
            "feeds.msrc: vulnerabilities: recommended reads it too; turn it on, or name the sources of "
            "vulnerabilities",
        ),
        (
            {"policy": [{"workflow": "azure-pipelines: contoso/shop/12"}]},
            "policy.0.workflow: contoso is not in azure_devops.organizations; add it there with its sign-in",
        ),
        (
            {"policy": [{"steps": [{"name": "deploy", "workflow": "azure-pipelines: contoso/shop/12"}]}]},
            "policy.0.steps.0.workflow: contoso is not in azure_devops.organizations; add it there with its "
            "sign-in",
        ),
        (
            {
                "azure_devops": {"organizations": {"Contoso": {"identity": "workload_identity"}}},
                "policy": [
                    {
                        "workflow": "azure-pipelines: contoso/shop/12",
                        "workflows": [{"paths": ["src/**"], "workflow": "src.yml"}],
                    }
                ],
            },
            "policy.0.workflow: a pipeline builds the whole repository, so its parts need workflows alone; keep "
            "one of the two",
        ),
        (
            {
                "azure_devops": {
                    "organizations": {"Contoso": {"identity": "workload_identity"}},
                    "repositories": {"include": ["contoso/*/*", "fabrikam/shop/*"]},
                }
            },
            "azure_devops.repositories.include.1: fabrikam is not in organizations; add it there with its sign-in",
        ),
        (
            {
                "azure_devops": {
                    "organizations": {"contoso": {"identity": "workload_identity"}},
                    "repositories": {"include": ["contoso/*"]},
                }
            },
            "azure_devops.repositories.include.0: write organisation/project/name, each of which may be a glob, or "
            "* for all",
        ),
        (
            {"store": {"password_file": "/p"}},
            "store.password_file: SQLite asks for no password; leave it out",
        ),
        (
            {"policy": [{}, {"wave": "canary"}]},
            "policy.1.wave: no wave is called 'canary'; rollout.waves has rest",
        ),
        (
            {"rollout": {"first_run_severity": "high"}},
            "rollout.first_run_severity: has no effect with first_run: tell; write first_run: catch_up, or leave "
            "it out",
        ),
        (
            {"images": [{"match": "contoso/*", "image": "ghcr.io/{owner}/{name}"}]},
            "images.rules.0.image: 'ghcr.io/{owner}/{name}' is on 'ghcr.io', which is not in registries; add it "
            "there",
        ),
        (
            {"registries": {"a.io": {"push_username": "me", "push_password_file": "/p"}}, "bases": []},
            "registries.a.io.push_username: nothing is written beside images without images.attest; set that, or "
            "leave it out",
        ),
        (
            {
                "trust": {
                    "rules": [{"match": ["*"], "mode": "off"}, {"match": ["ghcr.io/*"], "notation": NOTATION}],
                }
            },
            "trust.rules.1: never has a say: rule 0, mode: off, matches all of it before; put this one first",
        ),
        (
            {"slack": {"webhook_file": "/w", "channel": "C1"}},
            "slack.channel: a webhook has a channel of its own; leave it out, or use bot_token_file in place of "
            "webhook_file",
        ),
        (
            {"web": {"listen": None, "auth": {"tokens_file": "/t"}}},
            "web.auth: has no effect with listen: null; set listen, or leave it out",
        ),
        (
            {"web": {"listen": None, "hooks": {"github_secret_file": "/t"}}},
            "web.hooks: has no effect with listen: null; set listen, or leave it out",
        ),
    ],
)
def test_what_cannot_be_is_refused(refused: Refused, settings: object, line: str) -> None:
    assert [each.partition(": ")[2] for each in refused(yaml.safe_dump(settings))] == [line]


@pytest.mark.parametrize(
    "settings",
    [
        {"github": {"api_url": "https://ghe.example/api/v3"}, "limits": {"content_per_hour": 100_000}},
        {"schedule": {"weekly_rebuild_over": "7d"}},
        {"schedule": {"weekly_rebuild": "0 2 1 * *", "weekly_rebuild_over": "28d"}},
        {"schedule": {"weekly_rebuild": "0 2 29 2 *"}},
        {"store": {"url": "postgresql://bot@db/freshness", "password_file": "/p"}},
        {"rollout": {"first_run": "catch_up", "first_run_severity": "high"}},
        {"images": [{"match": "contoso/*", "image": None}]},
        {
            "trust": {
                "rules": [{"match": ["ghcr.io/*"], "notation": NOTATION}, {"match": ["*"], "mode": "off"}],
            }
        },
    ],
)
def test_what_can_be_is_taken(tmp_path: Path, settings: object) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text(yaml.safe_dump(settings))
    assert refusal(path) == []
