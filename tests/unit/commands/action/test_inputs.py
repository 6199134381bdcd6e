"""What the step is given: which inputs are taken, and how each that is wrong is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands.action.inputs import Inputs, inputs_of, job_of
from bot.settings import BadSettings

APP = {"INPUT_APP_ID": "12345", "INPUT_APP_PRIVATE_KEY": "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"}
JOB = {
    "GITHUB_REPOSITORY": "contoso/freshness",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_NUMBER": "3",
    "GITHUB_TOKEN": "ghs_own",
    "RUNNER_TEMP": "/tmp/runner",
}


def test_an_app_needs_nothing_else() -> None:
    inputs = inputs_of(APP)
    assert (inputs.app_id, inputs.token, inputs.config) == ("12345", "", "")
    assert (inputs.state_branch, inputs.dry_run, inputs.within) == (
        "freshness-bot-state",
        False,
        timedelta(minutes=10),
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["input token: is empty; give app-id and app-private-key, or a token"]),
        (APP | {"INPUT_APP_ID": "Iv23liAb"}, ["input app-id: expected the App's id, a number"]),
        ({"INPUT_APP_ID": "1"}, ["input app-private-key: is empty; is the secret there"]),
        (
            {"INPUT_APP_PRIVATE_KEY": "k", "INPUT_TOKEN": "t"},
            ["input app-id: is empty; app-private-key goes with it"],
        ),
        (APP | {"INPUT_DRY_RUN": "yes"}, ["input dry-run: 'yes' is neither true nor false"]),
        (APP | {"INPUT_MINUTES": "0"}, ["input minutes: expected a whole number from 1 to 300"]),
        (APP | {"INPUT_MINUTES": "ten"}, ["input minutes: expected a whole number from 1 to 300"]),
        (APP | {"INPUT_SLACK_BOT_TOKEN": "xoxb-1"}, ["input slack-channel: is empty; slack-bot-token needs"]),
        (
            APP | {"INPUT_SLACK_BOT_TOKEN": "x", "INPUT_SLACK_CHANNEL": "C1", "INPUT_SLACK_WEBHOOK": "https://x"},
            ["input slack-webhook: keep one of"],
        ),
    ],
)
def test_each_input_that_is_wrong_is_told_by_its_name(given: dict[str, str], told: list[str]) -> None:
    with pytest.raises(BadSettings) as raised:
        inputs_of(given)
    assert len(raised.value.lines) == len(told)
    assert all(line.startswith(start) for line, start in zip(raised.value.lines, told, strict=True))


@pytest.mark.parametrize("text", ["true", "True", " true "])
def test_the_truth_may_be_written_as_expressions_write_it(text: str) -> None:
    assert inputs_of(APP | {"INPUT_DRY_RUN": text}).dry_run


@pytest.mark.parametrize(
    ("config", "is_inline"),
    [
        ("", False),
        ("freshness.yaml", False),
        ("settings/freshness.yaml", False),
        ("schedule: {summary: null}", True),
        ("alerts:\n  end_of_life: 30d\n", True),
    ],
)
def test_yaml_is_told_from_a_path(config: str, *, is_inline: bool) -> None:
    assert Inputs(config=config).is_inline is is_inline


def test_no_secret_shows_where_inputs_are_shown() -> None:
    shown = repr(Inputs(app_private_key="k-e-y", token="t-o-k", slack_bot_token="b-o-t", slack_webhook="h-o-k"))
    assert not {"k-e-y", "t-o-k", "b-o-t", "h-o-k"} & set(shown.replace("'", " ").split())
    assert "ghs_own" not in repr(job_of(JOB))


def test_what_the_runner_says_is_read() -> None:
    job = job_of(JOB | {"GITHUB_STEP_SUMMARY": "/tmp/summary"})
    assert (job.repository, job.owner, job.number) == ("contoso/freshness", "contoso", 3)
    assert job.url == "https://github.com/contoso/freshness/actions/runs/77"
    assert (job.summary, job.output) == (Path("/tmp/summary"), None)


def test_outside_of_a_job_it_is_said_what_lacks() -> None:
    with pytest.raises(BadSettings) as raised:
        job_of({name: value for name, value in JOB.items() if name not in ("GITHUB_TOKEN", "RUNNER_TEMP")})
    [line] = raised.value.lines
    assert line.startswith("environment GITHUB_TOKEN, RUNNER_TEMP: not set; this command is a step of")


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("contoso/freshness/.github/workflows/freshness.yml@refs/heads/main", ".github/workflows/freshness.yml"),
        ("contoso/other/.github/workflows/freshness.yml@refs/heads/main", None),
        ("contoso/freshness/elsewhere.yml@refs/heads/main", None),
        ("", None),
    ],
)
def test_the_file_of_the_workflow_is_known_where_it_is_in_this_repository(reference: str, path: str | None) -> None:
    assert job_of(JOB | {"GITHUB_WORKFLOW_REF": reference}).workflow == path
