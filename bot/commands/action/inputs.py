"""What the step is given: the inputs of `action.yml` and what the runner says of the job, as environment variables.

Sources: GitHub's "Metadata syntax" (inputs), "Variables reference" (`GITHUB_*`, `RUNNER_TEMP`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.domain.repositories.repository import WORKFLOWS
from bot.settings import BadSettings

STATE_BRANCH = "freshness-bot-state"
CACHE = "freshness-cache"
"""Below the runner's temporary folder."""
_MINUTES = 10
_MOST_MINUTES = 300
_BOOLEANS = {"true": True, "false": False, "": False}


@dataclass(frozen=True, slots=True)
class RunnerJob:
    """What the runner says: whose repository the workflow is in, which run this is, and where files go.

    `token` is the workflow's own (`github.token`), which writes the state. `number` counts the workflow's runs.
    `workflow` is the path of its file, where the runner names one of this repository.
    """

    repository: str
    api_url: str
    server_url: str
    run: str
    number: int
    token: str = field(repr=False)
    folder: Path
    workspace: Path
    summary: Path | None = None
    output: Path | None = None
    workflow: str | None = None

    @property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def cache(self) -> Path:
        """The folder that may be kept from run to run, and need not."""
        return self.folder / CACHE

    @property
    def url(self) -> str:
        """Where people see this run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run}"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the workflow asks for. `config` is a path in the workspace or YAML; empty: the defaults."""

    app_id: str = ""
    app_private_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    config: str = ""
    state_branch: str = STATE_BRANCH
    public_state: bool = False
    slack_bot_token: str = field(default="", repr=False)
    slack_channel: str = ""
    slack_webhook: str = field(default="", repr=False)
    dry_run: bool = False
    within: timedelta = timedelta(minutes=_MINUTES)

    @property
    def is_inline(self) -> bool:
        """Whether `config` is YAML rather than a path."""
        return "\n" in self.config.strip() or ":" in self.config

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown in the log."""
        given = (self.app_private_key, self.token, self.slack_bot_token, self.slack_webhook)
        return tuple(text for text in given if text)


def inputs_of(environment: Mapping[str, str]) -> Inputs:
    """Reads the inputs; raises `BadSettings` with a line for each that is wrong or that lacks another."""

    def given(name: str) -> str:
        return environment.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()

    wrong: list[str] = []

    def truth(name: str) -> bool:
        if (text := given(name).lower()) not in _BOOLEANS:
            wrong.append(f"input {name}: {text[:40]!r} is neither true nor false")
        return _BOOLEANS.get(text, False)

    minutes = given("minutes") or str(_MINUTES)
    if not (minutes.isdecimal() and 1 <= int(minutes) <= _MOST_MINUTES):
        wrong.append(f"input minutes: expected a whole number from 1 to {_MOST_MINUTES}")
        minutes = str(_MINUTES)
    inputs = Inputs(
        given("app-id"),
        given("app-private-key"),
        given("token"),
        given("config"),
        given("state-branch") or STATE_BRANCH,
        truth("public-state"),
        given("slack-bot-token"),
        given("slack-channel"),
        given("slack-webhook"),
        truth("dry-run"),
        timedelta(minutes=int(minutes)),
    )
    if wrong := [*wrong, *_contradictions(inputs)]:
        raise BadSettings(wrong)
    return inputs


def _contradictions(inputs: Inputs) -> list[str]:
    lines = []
    if inputs.app_id and not inputs.app_id.isdecimal():
        lines.append("input app-id: expected the App's id, a number on its settings page, not its client id")
    if inputs.app_id and not inputs.app_private_key:
        lines.append("input app-private-key: is empty; is the secret there, and may this workflow see it?")
    if inputs.app_private_key and not inputs.app_id:
        lines.append("input app-id: is empty; app-private-key goes with it")
    if inputs.slack_bot_token and not inputs.slack_channel:
        lines.append("input slack-channel: is empty; slack-bot-token needs the channel's id")
    if inputs.slack_bot_token and inputs.slack_webhook:
        lines.append("input slack-webhook: keep one of slack-webhook and slack-bot-token")
    if not inputs.app_id and not inputs.token:
        lines.append("input token: is empty; give app-id and app-private-key, or a token")
    return lines


def job_of(environment: Mapping[str, str]) -> RunnerJob:
    """Reads what the runner says; raises `BadSettings` where this is no step of a job."""
    needed = (
        "GITHUB_REPOSITORY",
        "GITHUB_API_URL",
        "GITHUB_SERVER_URL",
        "GITHUB_RUN_ID",
        "GITHUB_TOKEN",
        "RUNNER_TEMP",
    )
    if missing := [name for name in needed if not environment.get(name)]:
        problem = f"environment {', '.join(missing)}: not set; this command is a step of a GitHub Actions workflow"
        raise BadSettings([f"{problem}, see docs/action.md"])
    number = environment.get("GITHUB_RUN_NUMBER", "1")
    return RunnerJob(
        repository=environment["GITHUB_REPOSITORY"],
        api_url=environment["GITHUB_API_URL"],
        server_url=environment["GITHUB_SERVER_URL"],
        run=environment["GITHUB_RUN_ID"],
        number=int(number) if number.isdecimal() else 1,
        token=environment["GITHUB_TOKEN"],
        folder=Path(environment["RUNNER_TEMP"]),
        workspace=Path(environment.get("GITHUB_WORKSPACE") or "."),
        summary=_path(environment.get("GITHUB_STEP_SUMMARY")),
        output=_path(environment.get("GITHUB_OUTPUT")),
        workflow=_workflow(environment["GITHUB_REPOSITORY"], environment.get("GITHUB_WORKFLOW_REF", "")),
    )


def _workflow(repository: str, reference: str) -> str | None:
    """The path in `OWNER/NAME/PATH@REF`."""
    path = reference.partition("@")[0].removeprefix(f"{repository}/")
    return path if path.startswith(WORKFLOWS) else None


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
