"""GitHub's events (docs.github.com, "Webhook events and payloads"): what each concerns. None of it is believed."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.reach import PushedTag, Reach
from bot.domain.repositories.repository import GITHUB, RepositoryId

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


def may_be_signed(signatures: Sequence[str]) -> bool:
    """Whether a request shows one signature, in GitHub's form: without it there is nothing to read a body for."""
    return len(signatures) == 1 and _SIGNATURE.fullmatch(signatures[0]) is not None


def signing(secret: str) -> hmac.HMAC:
    """What a body is put through, part by part, to be compared with its signature."""
    return hmac.new(secret.encode(), digestmod=hashlib.sha256)


def is_signed(body: hmac.HMAC, signature: str) -> bool:
    """Whether the sender knows the secret; compared in full, so that time tells nothing."""
    return hmac.compare_digest(f"sha256={body.hexdigest()}".encode(), signature.encode("utf-8", "surrogateescape"))


def reach_of(event: str, payload: Mapping[str, Any]) -> Reach:
    """What an event concerns; nothing where it is of another kind, or not of its shape."""
    read = EVENTS.get(event)
    return Reach() if read is None else read(payload)


def _pushed(payload: Mapping[str, Any]) -> Reach:
    repository = _object(payload.get("repository"))
    branch = repository.get("default_branch")
    is_default = isinstance(branch, str) and payload.get("ref") == f"refs/heads/{branch}"
    return Reach(moved_branches=_concerned(payload)) if is_default else Reach()


def _moved(payload: Mapping[str, Any]) -> Reach:
    return Reach(followed=_concerned(payload))


def _reach_fleet(payload: Mapping[str, Any]) -> Reach:
    return Reach(fleet=True)


def _packaged(payload: Mapping[str, Any]) -> Reach:
    """A container image on GitHub's own registry, by its path there and the tag that it got."""
    package = _object(payload.get("registry_package") or payload.get("package"))
    if str(package.get("package_type", "")).lower() != "container":
        return Reach()
    tag = _object(_object(_object(package.get("package_version")).get("container_metadata")).get("tag"))
    return pushed(f"{_text(package.get('namespace'))}/{_text(package.get('name'))}".lower(), tag.get("name"))


def _reach_nothing(payload: Mapping[str, Any]) -> Reach:
    return Reach()


EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Reach]] = {
    "push": _pushed,
    "pull_request": _moved,
    "merge_group": _moved,
    "workflow_run": _moved,
    "workflow_job": _moved,
    "check_suite": _moved,
    "issues": _moved,
    "repository": _reach_fleet,
    "installation": _reach_fleet,
    "installation_repositories": _reach_fleet,
    "registry_package": _packaged,
    "package": _packaged,
    "ping": _reach_nothing,
}
"""The events to ask for. `ping` is what GitHub sends when a webhook is made."""


def pushed(repository: str, tag: object) -> Reach:
    """Reads a pushed tag, as far as it may be one."""
    is_tag = isinstance(tag, str) and 0 < len(tag) <= 128 and tag.isascii() and tag.isprintable()
    name = tag if isinstance(tag, str) and is_tag else None
    is_path = 0 < len(repository) <= 255 and repository.isprintable() and not repository.startswith("/")
    return Reach(pushed=(PushedTag(repository, name),)) if is_path else Reach()


def _concerned(payload: Mapping[str, Any]) -> frozenset[RepositoryId]:
    number = _object(payload.get("repository")).get("id")
    is_id = isinstance(number, int) and 0 < number < 2**63
    return frozenset({RepositoryId(GITHUB, str(number))}) if is_id else frozenset()


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
