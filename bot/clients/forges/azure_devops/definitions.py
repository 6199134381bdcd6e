"""What a definition of Azure Pipelines says: what it builds, whether it may be started, and what it lets be set."""

from collections.abc import Mapping
from typing import Any

from bot.clients.forges.azure_devops.names import branch_of, node_of
from bot.domain.builder.definitions import AZURE_PIPELINES, Definition, definition_of
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.builds import ACTIVE, DELETED
from bot.domain.repositories.repository import AZURE_DEVOPS, Identity

_AS_GITHUB = frozenset({"GitHub", "GitHubEnterprise"})
_ENABLE = "enable it on its page in Azure DevOps: Pipelines, the pipeline, Settings"


def pipeline_of(workflow: str) -> Definition:
    """Raises `Failure` (malformed) where a workflow is none of Azure Pipelines."""
    definition = definition_of(workflow)
    if definition is None:
        advice = f"write {AZURE_PIPELINES}: organisation/project/number"
        raise Failure(Trouble.MALFORMED, f"{workflow[:80]!r} is no pipeline", advice=advice)
    return definition


def built_as(repository: Identity) -> tuple[str, str]:
    """As what a definition names a repository: its kind, and what it is called in that. What is on GitHub is called
    by its name, what Azure Repos hold by its GUID. Raises `Failure` (malformed) where that is not known yet."""
    if repository.forge == AZURE_DEVOPS:
        return "TfsGit", node_of(repository.node_id or "").id
    return "GitHub", repository.name


def is_built_by(row: Mapping[str, Any], repository: Identity) -> bool:
    """Whether a definition builds a repository."""
    built, (kind, place) = row.get("repository") or {}, built_as(repository)
    is_of_kind = built.get("type") in (_AS_GITHUB if kind == "GitHub" else {kind})
    return is_of_kind and str(built.get("id", "")).lower() == place.lower()


def check(row: Mapping[str, Any], repository: Identity, definition: Definition) -> None:
    """Raises `Failure` (conflict) where a run of the definition would not build the repository: whoever writes to
    one must not start what is another's."""
    if not is_built_by(row, repository):
        built = row.get("repository") or {}
        fault = f"it builds {str(built.get('name') or built.get('id') or 'nothing')[:100]}, not {repository.name}"
        advice = "name the pipeline that does, or set its repository anew where that was renamed"
        raise Failure(Trouble.CONFLICT, fault, where=definition.workflow, advice=advice)
    if (state := state_of(row)) != ACTIVE:
        raise Failure(Trouble.CONFLICT, f"it is {state}", where=definition.workflow, advice=_ENABLE)


def state_of(row: Mapping[str, Any]) -> str:
    """A paused definition takes requests and starts none, so it is as little active as one that is disabled."""
    status = str(row.get("queueStatus") or "enabled")
    return {"enabled": ACTIVE, "disabled": "disabled", "paused": "paused"}.get(status, DELETED)


def path_of(row: Mapping[str, Any]) -> str:
    """The file that it is read from; nothing for one that was made without."""
    return str((row.get("process") or {}).get("yamlFilename") or "").lstrip("/")


def revision_of(row: Mapping[str, Any]) -> int:
    """Which state of what is set of it that is."""
    return int(row.get("revision") or 0)


def settable_variables(row: Mapping[str, Any]) -> frozenset[str]:
    """The variables that may be set as it is started."""
    variables = row.get("variables") or {}
    return frozenset(name for name, each in variables.items() if (each or {}).get("allowOverride") is True)


def trunk_of(row: Mapping[str, Any]) -> str | None:
    """The branch that it takes for the default one."""
    return branch_of((row.get("repository") or {}).get("defaultBranch"))
