"""The open pull requests of a repository that others have made, of one or of many repositories at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.forges.github.bulk import Bulk, nodes_fields
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.forge.pull_requests import OtherRequest
from bot.domain.repositories.repository import Identity

OtherRequests = Mapping[Identity, Sequence[OtherRequest]]
OTHERS = """others: pullRequests(states: OPEN, first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
  nodes { id number url title headRefName baseRefName headRefOid isCrossRepository author { login } }
}"""
"""The latest that are open, as a field of a repository."""
_MOST_REPOSITORIES = 50
"""Of one field, each with fifty pull requests."""


async def other_requests(transport: Transport, repositories: Sequence[Identity]) -> OtherRequests:
    """Those of many repositories, from branches of their own; repositories that were never listed, are gone or may
    not be seen are left out."""
    by_node = {each.node_id: each for each in repositories if each.node_id is not None}
    parts = nodes_fields(list(by_node), f"... on Repository {{ id {OTHERS} }}", _MOST_REPOSITORIES)
    shown_rows = (await Bulk(transport).ask("others", parts)).rows
    with shaped("list of pull requests"):
        return {by_node[node_id]: others_of(row) for node_id, row in shown_rows.items()}


def others_of(row: Mapping[str, Any], branch: str = "") -> tuple[OtherRequest, ...]:
    """Reads `OTHERS` of a repository, without the pull requests from `branch`, which are the bot's."""
    return tuple(_other_of(node) for node in row["others"]["nodes"] if _is_other(node, branch))


def _is_other(node: Mapping[str, Any] | None, branch: str) -> bool:
    return node is not None and not node["isCrossRepository"] and node["headRefName"] != branch


def _other_of(node: Mapping[str, Any]) -> OtherRequest:
    return OtherRequest(
        int(node["number"]),
        str(node["url"]),
        str(node["id"]),
        str(node["headRefName"]),
        str(node["headRefOid"]),
        str((node["author"] or {}).get("login") or ""),
        str(node["baseRefName"]),
        str(node["title"]),
    )
