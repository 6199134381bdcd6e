"""A first settings file from a few answers: what differs from the defaults, and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_HEAD = """\
# Settings of the freshness bot. What is not written here takes its default: docs/settings.md lists every key.
# Check this file with: freshness-bot config check -c {name}
"""
_NOTES = {
    "github": "Where the repositories are, and how the bot signs in.",
    "store": "Where the bot remembers.",
    "slack": "Where maintainers read.",
}

GITHUB = "https://github.com"
_OTHER_FORGES = {
    "dev.azure.com": "Azure DevOps",
    "visualstudio.com": "Azure DevOps",
    "gitlab.com": "GitLab",
    "bitbucket.org": "Bitbucket",
}
STORE = "sqlite:///data/freshness.db"


@dataclass(frozen=True, slots=True)
class Answers:
    """`github` is an address that people visit; `app` None stands for a token, `channel` None for no Slack.

    `secrets` is the folder in which the secrets' files are.
    """

    github: str = GITHUB
    app: int | None = None
    owners: tuple[str, ...] = ()
    channel: str | None = None
    store: str = STORE
    secrets: Path = Path("/run/secrets")

    @property
    def secret_files(self) -> dict[Path, str]:
        """The files that have to be there, each with what belongs into it."""
        files = {
            self.sign_in: "the App's private key (PEM)" if self.app else "a token with the rights that README names"
        }
        if self.channel:
            files[self.secrets / "slack-token"] = "the Slack app's bot token"
        if self.needs_password:
            files[self.secrets / "database-password"] = "the database's password"
        return files

    @property
    def sign_in(self) -> Path:
        """The file of the App's key or of the token."""
        return self.secrets / ("github-app.pem" if self.app else "github-token")

    @property
    def needs_password(self) -> bool:
        """Whether the store asks for one."""
        return not self.store.startswith("sqlite")

    @property
    def folder(self) -> Path | None:
        """Where SQLite's file is to lie; None of PostgreSQL."""
        return None if self.needs_password else Path(self.store.removeprefix("sqlite:///")).parent


def settings_text(answers: Answers, name: str) -> str:
    """The file as a person would have written it; `name` is how it will be called."""
    sections = [f"# {_NOTES[key]}\n{_dumped({key: value})}" for key, value in _sections(answers).items()]
    return "\n".join([_HEAD.format(name=name), *sections])


def _sections(answers: Answers) -> dict[str, Any]:
    github: dict[str, Any] = {}
    if (api := api_url(answers.github)) != "https://api.github.com":
        github["api_url"] = api
    key = str(answers.sign_in)
    github |= {"app": {"id": answers.app, "private_key_file": key}} if answers.app else {"token_file": key}
    if answers.owners:
        github["repositories"] = {"include": [f"{owner}/*" for owner in answers.owners]}
    store: dict[str, Any] = {"url": answers.store}
    if answers.needs_password:
        store["password_file"] = str(answers.secrets / "database-password")
    sections: dict[str, Any] = {"github": github, "store": store}
    if answers.channel:
        token = str(answers.secrets / "slack-token")
        sections["slack"] = {"bot_token_file": token, "channel": answers.channel}
    return sections


def forge_defect(address: str) -> str | None:
    """Why the bot cannot work with what is at that address; None where it may be a GitHub."""
    host = urlsplit(address if "//" in address else f"https://{address}").hostname or ""
    for domain, name in _OTHER_FORGES.items():
        if host == domain or host.endswith(f".{domain}"):
            return f"{host} is {name}, which the bot does not work with yet: it reads and writes on GitHub alone"
    return None


def api_url(address: str) -> str:
    """Where the API is of the GitHub that people visit at `address`."""
    parts = urlsplit(address if "//" in address else f"https://{address}")
    if parts.netloc in ("github.com", "api.github.com"):
        return "https://api.github.com"
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or '/api/v3'}"


def _dumped(section: dict[str, Any]) -> str:
    return yaml.safe_dump(section, sort_keys=False, allow_unicode=True, default_flow_style=False)
