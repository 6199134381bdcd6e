"""Who the bot is at an organisation of Azure DevOps, and what it may do with pipelines and repositories there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.clients.forges.azure_devops.names import AzureNode
from bot.clients.forges.azure_devops.transport import PREVIEW, OrganizationTransport
from bot.domain.failure import Failure, Trouble


@dataclass(frozen=True, slots=True)
class RightScope:
    """What permissions are given for: their security namespace, the token that names one of its kind there, with
    the parts in braces, and where they are given."""

    namespace: str
    token: str
    way_out: str


_PIPELINE = RightScope(
    *("33344d9c-fc72-4d6f-aba5-fa317101a7e9", "{pipeline}"),
    "allow it: Pipelines, the pipeline, ⋮, Manage security",
)
_REPOSITORY = RightScope(
    *("2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", "repoV2/{project}/{repository}"),
    "allow it: Project settings, Repositories, the repository (or all), Security",
)
_LABELS = RightScope(
    *("bb50f182-8e5e-40b8-bc21-e8752a1e7ae2", "/{project}"),
    "allow it: Project settings, Permissions, the group or user",
)
"""Whole projects share them."""


@dataclass(frozen=True, slots=True)
class AzureRight:
    """A permission as Azure DevOps calls it, its bit in the namespace of its scope, and what the bot needs it for.
    Without one that is not `is_needed` the bot works, and does less."""

    name: str
    bit: int
    purpose: str
    scope: RightScope
    is_needed: bool = True

    @property
    def way_out(self) -> str:
        return self.scope.way_out


QUEUE = AzureRight("Queue builds", 128, "start it, and see what its templates make of it", _PIPELINE)
RIGHTS = (
    AzureRight("View build pipeline", 1024, "know what it builds", _PIPELINE),
    AzureRight("View builds", 1, "follow its runs", _PIPELINE),
    QUEUE,
    AzureRight(
        "Edit queue build configuration",
        65536,
        "hand it parameters, by which its run is told from others",
        _PIPELINE,
        is_needed=False,
    ),
)
REPOSITORY_RIGHTS = (
    AzureRight("Read", 2, "read its files", _REPOSITORY),
    AzureRight(
        *("Contribute", 4, "push to its own branches, and have pull requests complete by themselves"),
        _REPOSITORY,
    ),
    AzureRight("Create branch", 16, "make its own branches", _REPOSITORY),
    AzureRight("Contribute to pull requests", 16384, "open pull requests", _REPOSITORY),
    AzureRight("Create tag definition", 2, "label pull requests as nobody has there yet", _LABELS, is_needed=False),
)
"""Whoever has made a branch may move and delete it."""
_MOST_EVALUATED = 100


async def signed_in_as(transport: OrganizationTransport) -> str:
    """The name of who the bot is there. Raises `Failure`: denied where it is nobody."""
    return str((await _signed_in(transport))["providerDisplayName"])


async def signed_in_id(transport: OrganizationTransport) -> str:
    """The id of who the bot is there. Raises as `signed_in_as` does."""
    return str((await _signed_in(transport)).get("id") or "")


async def _signed_in(transport: OrganizationTransport) -> Mapping[str, Any]:
    shown = await transport.get("_apis/connectionData", {"api-version": PREVIEW})
    user = (shown.get("authenticatedUser") if isinstance(shown, dict) else None) or {}
    name = str(user.get("providerDisplayName") or "")
    if not name or name == "Anonymous":
        raise Failure(Trouble.DENIED, "takes the bot for nobody", where=transport.organization, status=401)
    return dict(user)


async def lacking_rights(transport: OrganizationTransport, definition: Mapping[str, Any]) -> tuple[AzureRight, ...]:
    """What of `RIGHTS` the bot lacks for a pipeline, as the service judges it. Raises `Failure`."""
    folder = str(definition.get("path") or "").strip("\\").replace("\\", "/")
    parts = (str(definition["project"]["id"]), folder, str(definition["id"]))
    token = _PIPELINE.token.format(pipeline="/".join(part for part in parts if part))
    values = await _evaluated(transport, [_asked(token, right) for right in RIGHTS])
    return tuple(right for right, value in zip(RIGHTS, values, strict=True) if not value)


async def lacking_at_repositories(
    transport: OrganizationTransport, nodes: Sequence[AzureNode]
) -> Mapping[AzureNode, tuple[AzureRight, ...]]:
    """What of `REPOSITORY_RIGHTS` the bot lacks where, many repositories in one request. Raises `Failure`."""
    sharing: dict[tuple[str, AzureRight], list[AzureNode]] = defaultdict(list)
    for node in nodes:
        for right in REPOSITORY_RIGHTS:
            token = right.scope.token.format(project=node.project, repository=node.id)
            sharing[token, right].append(node)
    lacking: dict[AzureNode, list[AzureRight]] = {node: [] for node in nodes}
    pairs = list(sharing)
    for start in range(0, len(pairs), _MOST_EVALUATED):
        part = pairs[start : start + _MOST_EVALUATED]
        asked = [_asked(token, right) for token, right in part]
        for (token, right), value in zip(part, await _evaluated(transport, asked), strict=True):
            for node in () if value else sharing[token, right]:
                lacking[node].append(right)
    return {node: tuple(rights) for node, rights in lacking.items() if rights}


def _asked(token: str, right: AzureRight) -> dict[str, Any]:
    return {"securityNamespaceId": right.scope.namespace, "token": token, "permissions": right.bit}


async def _evaluated(transport: OrganizationTransport, evaluations: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Whether each may be, as the service judges it."""
    body = {"evaluations": list(evaluations), "alwaysAllowAdministrators": True}
    shown = await transport.post("_apis/security/permissionevaluationbatch", body)
    rows = shown.get("evaluations") if isinstance(shown, dict) else None
    if not isinstance(rows, list) or len(rows) != len(evaluations):
        raise Failure(Trouble.MALFORMED, "does not say what the bot may do", where=transport.organization)
    return [row.get("value") is True for row in rows]
