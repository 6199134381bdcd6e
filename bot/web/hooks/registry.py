"""Registries' events, told apart by their shape: CNCF Distribution, Azure's, Docker Hub, and GitHub's without HMAC.

Sources: distribution.github.io "Notifications"; learn.microsoft.com "Azure Container Registry webhook reference";
docs.docker.com "Webhooks". Which host sent it counts nothing: the tag is looked up wherever it is watched.
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.reach import Reach
from bot.web.hooks.github import pushed, reach_of

_MOST_EVENTS = 500
_ADDS = ("push", "chart_push")


def reach_of_push(payload: Mapping[str, Any]) -> Reach:
    """Reads the tags that an event tells of; none where its shape is none of these."""
    events = payload.get("events")
    if isinstance(events, list):
        reaches = [_target(event) for event in events[:_MOST_EVENTS] if isinstance(event, dict)]
        return Reach(pushed=tuple(dict.fromkeys(tag for each in reaches for tag in each.pushed)))
    if isinstance(payload.get("target"), dict):
        return _target(payload)
    data, repository = payload.get("push_data"), payload.get("repository")
    if isinstance(data, dict) and isinstance(repository, dict):
        return pushed(str(repository.get("repo_name", "")), data.get("tag"))
    return reach_of("registry_package", payload)


def _target(event: Mapping[str, Any]) -> Reach:
    """Reads one event of Distribution, which is also what Azure sends."""
    target = event.get("target")
    if event.get("action") not in _ADDS or not isinstance(target, dict):
        return Reach()
    return pushed(str(target.get("repository", "")), target.get("tag"))
