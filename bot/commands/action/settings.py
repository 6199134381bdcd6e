"""Inputs to settings: secrets go into files that only this user reads, the rest into the environment.

The settings file of the workflow, or the YAML that it gives, is read as everywhere else; what an input says wins.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bot.clients.forges.github import TokenCredentials
from bot.commands.action.inputs import Inputs, RunnerJob
from bot.settings import BadSettings, Settings, check_secrets, load
from bot.settings.model import ENVIRONMENT_PREFIX

STORE = "freshness.db"
_READABLE_BY_US_ALONE = 0o600


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The settings of this run; `store` is where its database lies, in a folder that goes at the end."""

    settings: Settings
    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / STORE


@contextmanager
def job_settings(inputs: Inputs, job: RunnerJob) -> Iterator[JobSettings]:
    """Writes the files, reads the settings, and takes the files away at the end, secrets first of all.

    Raises `BadSettings`.
    """
    with TemporaryDirectory(prefix="freshness-bot-", dir=job.folder) as name:
        folder = Path(name)
        overlay = {f"{ENVIRONMENT_PREFIX}{key}": value for key, value in _overlay(inputs, job, folder).items()}
        before = dict(os.environ)
        os.environ.update(overlay)
        try:
            yield JobSettings(_loaded(inputs, job, folder), folder)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _overlay(inputs: Inputs, job: RunnerJob, folder: Path) -> Mapping[str, str]:
    """What the inputs set, by the names that the settings have in the environment."""

    def kept(name: str, secret: str) -> str:
        path = folder / name
        path.touch(_READABLE_BY_US_ALONE)
        path.write_text(secret + "\n")
        return str(path)

    values = {"STORE__URL": f"sqlite:///{folder / STORE}", "GITHUB__API_URL": job.api_url, "LOG": "text"}
    if inputs.app_id:
        key = kept("app-private-key", inputs.app_private_key)
        values |= {"GITHUB__APP__ID": inputs.app_id, "GITHUB__APP__PRIVATE_KEY_FILE": key}
    else:
        values["GITHUB__TOKEN_FILE"] = kept("token", inputs.token)
    if inputs.slack_bot_token:
        values["SLACK__BOT_TOKEN_FILE"] = kept("slack-bot-token", inputs.slack_bot_token)
    if inputs.slack_channel:
        values["SLACK__CHANNEL"] = inputs.slack_channel
    if inputs.slack_webhook:
        values["SLACK__WEBHOOK_FILE"] = kept("slack-webhook", inputs.slack_webhook)
    return values


def _loaded(inputs: Inputs, job: RunnerJob, folder: Path) -> Settings:
    if inputs.config and not inputs.is_inline:
        path = job.workspace / inputs.config
        if not path.is_file():
            advice = "check it out before this step (actions/checkout), or give the YAML itself"
            raise BadSettings([f"input config: there is no file {inputs.config}; {advice}"])
    else:
        path = folder / "config"
        path.write_text(inputs.config or yaml.safe_dump(_defaults(inputs, job)))
    try:
        settings = load(path)
        check_secrets(settings, path)
    except BadSettings as error:
        raise BadSettings([_by_input(line, path, folder) for line in error.lines]) from error
    return settings


def _defaults(inputs: Inputs, job: RunnerJob) -> Mapping[str, object]:
    """What holds without `config`: all that the App or the token is installed on. A person's token is installed
    nowhere, so that it is the owner's repositories that are read."""
    if inputs.app_id or TokenCredentials(inputs.token).is_of_app:
        return {}
    return {"github": {"repositories": {"include": [f"{job.owner}/*"]}}}


def _by_input(line: str, path: Path, folder: Path) -> str:
    """A defect in words of the workflow: its own file and inputs, not the files that were written from them."""
    names = {
        str(path): path.name if path.parent == folder else str(path),
        str(folder / "app-private-key"): "input app-private-key",
        str(folder / "token"): "input token",
        str(folder / "slack-bot-token"): "input slack-bot-token",
        str(folder / "slack-webhook"): "input slack-webhook",
        f"environment {ENVIRONMENT_PREFIX}SLACK__CHANNEL": "input slack-channel",
        f"environment {ENVIRONMENT_PREFIX}GITHUB__APP__ID": "input app-id",
    }
    for written, input_name in names.items():
        line = line.replace(written, input_name)
    return line
