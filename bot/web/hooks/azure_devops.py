"""Events of Azure DevOps' service hooks ("Service hook events"): what each concerns. None of it is believed."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.reach import Reach
from bot.domain.repositories.repository import AZURE_DEVOPS, RepositoryId

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FOLLOWED = frozenset({"git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged"})


def event_id_of(payload: Mapping[str, Any]) -> str | None:
    """Which event it is, however often it is sent; None where it does not say."""
    return _guid_of(payload.get("id"))


def reach_of_service_hook(payload: Mapping[str, Any]) -> Reach:
    """What an event concerns; nothing where it is of another kind, or not of its shape."""
    resource = _object(payload.get("resource"))
    repository = _object(resource.get("repository"))
    guid, event = _guid_of(repository.get("id")), payload.get("eventType")
    if guid is None:
        return Reach()
    concerned = frozenset({RepositoryId(AZURE_DEVOPS, guid)})
    if event == "git.push":
        return Reach(moved_branches=concerned) if _has_moved_its_trunk(resource, repository) else Reach()
    return Reach(followed=concerned) if event in _FOLLOWED else Reach()


def _has_moved_its_trunk(resource: Mapping[str, Any], repository: Mapping[str, Any]) -> bool:
    updates, trunk = resource.get("refUpdates"), repository.get("defaultBranch")
    if not isinstance(updates, list) or not isinstance(trunk, str):
        return False
    return any(_object(update).get("name") == trunk for update in updates)


def _guid_of(value: object) -> str | None:
    text = value.lower() if isinstance(value, str) else ""
    return text if _GUID.fullmatch(text) else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
