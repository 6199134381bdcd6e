"""A first settings file from a few answers: what differs from the defaults, and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.domain.builder.definitions import PROJECT
from bot.domain.ways import Way
from bot.settings.sections.upstream import RECOMMENDED

_HEAD = """\
# Settings of the freshness bot. What is not written here takes its default: docs/settings.md lists every key.
# Check this file with: freshness-bot config check -c {name}
"""
_NOTES = {
    "github": "Where the repositories are, and how the bot signs in.",
    "azure_devops": "Whose pipelines are started and whose repositories are read, beside GitHub.",
    "registries": "The only ones that are asked: what your own images stand on and hold is read there too.",
    "vulnerabilities": "Whose CVEs of packages are read: of all that images may hold.",
    "store": "Where the bot remembers.",
    "slack": "Where maintainers read.",
    "web": "On every address of the pod, since the probes come from its node.",
}

GITHUB = "https://github.com"
_API = "https://api.github.com"
_AZURE_DEVOPS = ("dev.azure.com", "visualstudio.com")
_OTHER_FORGES = {
    "gitlab.com": "GitLab",
    "bitbucket.org": "Bitbucket",
}
_MICROSOFT = "mcr.microsoft.com"
_AZURE = ".azurecr.io"
NONE = "-"
"""What answers a question with nothing."""


@dataclass(frozen=True, slots=True)
class Answers:
    """`github` is an address that people visit; `app` None stands for a token, `channel` None for no Slack.

    `secrets` is the folder in which the secrets' files are; `registries` are the hosts of own images. Where it
    `reads_cves`, those of packages are read too. `azure` are organisations of Azure DevOps, `projects` those of
    their projects whose repositories are read, as `organisation/project`; `*` stands for all.
    """

    github: str = GITHUB
    app: int | None = None
    owners: tuple[str, ...] = ()
    channel: str | None = None
    store: str = Way.CONTAINER.store
    secrets: Path = Path("/run/secrets")
    way: Way = Way.CONTAINER
    registries: tuple[str, ...] = ()
    reads_cves: bool = True
    azure: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def secret_files(self) -> dict[Path, str]:
        """The files that have to be there, each with what belongs into it."""
        files = {
            self.sign_in: "the App's private key (PEM)" if self.app else "a token with the rights that README names"
        }
        files |= {
            self.secrets / f"azure-devops-{name}": f"a personal access token of {name} at Azure DevOps"
            for name in self.azure
            if self.way is not Way.CLUSTER
        }
        if self.channel:
            files[self.secrets / "slack-token"] = "the Slack app's bot token"
        if self.needs_password:
            files[self.secrets / "database-password"] = "the database's password"
        if self.way is Way.CLUSTER:
            files[self.secrets / "web-tokens"] = (
                "who may see the page and metrics, a line NAME RIGHTS TOKEN for each"
            )
        return files

    @property
    def overlay(self) -> str:
        """The folder of the manifests that fit the store."""
        return f"deploy/overlays/{'replicated' if self.needs_password else 'single'}"

    @property
    def anonymous(self) -> tuple[str, ...]:
        """The registries of own images that are asked without signing in, until somebody says how."""
        return tuple(host for host in self.registries if not _access(host, self.way))

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
    if (api := api_url(answers.github)) != _API:
        github["api_url"] = api
    key = str(answers.sign_in)
    github |= {"app": {"id": answers.app, "private_key_file": key}} if answers.app else {"token_file": key}
    if answers.owners:
        github["repositories"] = {"include": [f"{owner}/*" for owner in answers.owners]}
    registries = {host: _access(host, answers.way) for host in (_MICROSOFT, *answers.registries)}
    cves = {"vulnerabilities": RECOMMENDED} if answers.reads_cves else {}
    store: dict[str, Any] = {"url": answers.store}
    if answers.needs_password:
        store["password_file"] = str(answers.secrets / "database-password")
    azure = {"azure_devops": _azure_devops(answers)} if answers.azure else {}
    sections: dict[str, Any] = {"github": github, **azure, "registries": registries, **cves, "store": store}
    if answers.channel:
        token = str(answers.secrets / "slack-token")
        sections["slack"] = {"bot_token_file": token, "channel": answers.channel}
    if answers.way is Way.CLUSTER:
        sections["web"] = {
            "listen": "0.0.0.0:8484",
            "health_listen": "0.0.0.0:8485",
            "auth": {"tokens_file": str(answers.secrets / "web-tokens")},
        }
    return sections


def _azure_devops(answers: Answers) -> dict[str, Any]:
    """In a cluster the bot signs in as its pod, elsewhere by a token of each organisation."""
    is_pod = answers.way is Way.CLUSTER
    organizations = {
        name: {"identity": "workload_identity"}
        if is_pod
        else {"token_file": str(answers.secrets / f"azure-devops-{name}")}
        for name in answers.azure
    }
    every = [f"{name}/*/*" for name in answers.azure]
    include = every if answers.projects == ("*",) else [f"{project}/*" for project in answers.projects]
    return {"organizations": organizations, **({"repositories": {"include": include}} if include else {})}


def _access(host: str, way: Way) -> dict[str, str]:
    """How a registry is spoken to, as far as that follows from where it is: in a cluster Azure's takes the identity
    of the pod."""
    is_azure = host.endswith(_AZURE) and way is Way.CLUSTER
    return {"azure": "workload_identity"} if is_azure else {}


def own_registry(github: str) -> str:
    """Where the images of what is built there most likely are; `NONE` where nothing tells."""
    return "ghcr.io" if api_url(github) == _API else NONE


def forge_defect(address: str) -> str | None:
    """Why the bot cannot work with what is at that address; None where it may be a GitHub."""
    host = urlsplit(address if "//" in address else f"https://{address}").hostname or ""
    if any(_is_below(host, domain) for domain in _AZURE_DEVOPS):
        return f"{host} is Azure DevOps; name its organisations by --azure-devops, beside GitHub"
    for domain, name in _OTHER_FORGES.items():
        if _is_below(host, domain):
            return f"{host} is {name}, which the bot does not work with yet: it works with GitHub and Azure DevOps"
    return None


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def azure_defect(organizations: Sequence[str], projects: Sequence[str]) -> str | None:
    """Why these are no organisations of Azure DevOps with projects of theirs; None where they may be."""
    for name in organizations:
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,49}", name, re.ASCII) is None:
            return f"{name[:100]!r} is no organisation; write contoso of https://dev.azure.com/contoso"
    known = {name.lower() for name in organizations}
    for text in projects:
        organization, _, project = text.partition("/")
        if re.fullmatch(PROJECT, project, re.ASCII) is None:
            return f"{text[:100]!r} is no project; write organisation/project, or * for all"
        if organization.lower() not in known:
            return f"{text[:100]!r} is of none of the organisations; name {organization[:50]} among them"
    return None


_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)


def owner_defect(text: str) -> str | None:
    """Why nobody on GitHub is called so; None where somebody may be, and of `*`, which stands for all."""
    if text == "*" or _OWNER.fullmatch(text.removesuffix("/*")):
        return None
    parts = [part for part in urlsplit(text if "//" in text else f"//{text}").path.split("/") if part]
    if "//" in text and parts and _OWNER.fullmatch(parts[0]):
        return f"{text[:100]!r} is an address; write {parts[0]}"
    return f"{text[:100]!r} is no name of an organization or owner; write for example contoso"


def api_url(address: str) -> str:
    """Where the API is of the GitHub that people visit at `address`."""
    parts = urlsplit(address if "//" in address else f"https://{address}")
    if parts.netloc in ("github.com", "api.github.com"):
        return _API
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or '/api/v3'}"


def _dumped(section: dict[str, Any]) -> str:
    return yaml.safe_dump(section, sort_keys=False, allow_unicode=True, default_flow_style=False)
