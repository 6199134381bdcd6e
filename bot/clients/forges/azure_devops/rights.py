"""Who the bot is at an organisation of Azure DevOps, and what it may do with a pipeline there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.domain.failure import Failure, Trouble

_BUILD = "33344d9c-fc72-4d6f-aba5-fa317101a7e9"
"""The security namespace of pipelines and their builds."""
_PREVIEW = "7.1-preview.1"


@dataclass(frozen=True, slots=True)
class PipelineRight:
    """A permission as Azure DevOps calls it, its bit in the namespace, and what the bot needs it for."""

    name: str
    bit: int
    purpose: str


RIGHTS = (
    PipelineRight("View build pipeline", 1024, "know what it builds"),
    PipelineRight("View builds", 1, "follow its runs"),
    PipelineRight("Queue builds", 128, "start it"),
)


async def signed_in_as(transport: OrganizationTransport) -> str:
    """The name of who the bot is there. Raises `Failure`: denied where it is nobody."""
    shown = await transport.get("_apis/connectionData", {"api-version": _PREVIEW})
    user = shown.get("authenticatedUser") if isinstance(shown, dict) else None
    name = str((user or {}).get("providerDisplayName") or "")
    if not name or name == "Anonymous":
        raise Failure(Trouble.DENIED, "takes the bot for nobody", where=transport.organization, status=401)
    return name


async def lacking_rights(
    transport: OrganizationTransport, definition: Mapping[str, Any]
) -> tuple[PipelineRight, ...]:
    """What of `RIGHTS` the bot lacks for a pipeline, as the service judges it. Raises `Failure`."""
    folder = str(definition.get("path") or "").strip("\\").replace("\\", "/")
    parts = (str(definition["project"]["id"]), folder, str(definition["id"]))
    token = "/".join(part for part in parts if part)
    evaluations = [{"securityNamespaceId": _BUILD, "token": token, "permissions": right.bit} for right in RIGHTS]
    body = {"evaluations": evaluations, "alwaysAllowAdministrators": True}
    shown = await transport.post("_apis/security/permissionevaluationbatch", body)
    rows = shown.get("evaluations") if isinstance(shown, dict) else None
    if not isinstance(rows, list) or len(rows) != len(RIGHTS):
        raise Failure(Trouble.MALFORMED, "does not say what the bot may do", where=transport.organization)
    return tuple(right for right, row in zip(RIGHTS, rows, strict=True) if row.get("value") is not True)
