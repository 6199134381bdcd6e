"""Reads the bot's own pull requests of many repositories, open and merged lately, in one request."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.clients.forges.github.connection.graphql import Variables, check_answer, repository_field
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.pull_request import is_login
from bot.clients.forges.github.pull_requests.tips import tip_of
from bot.domain.forge.looks import MOST_STANDINGS
from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.repositories.repository import Identity

_OWN = """
fragment own on Repository {
  defaultBranchRef { name }
  pullRequests(states: OPEN, first: 30, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { ...request headRef { target { ...head } } }
  }
  merged: pullRequests(states: MERGED, first: 20, orderBy: {field: UPDATED_AT, direction: DESC}) {
    nodes { ...request mergedAt commits(last: 1) { nodes { commit { ...head } } } }
  }
}
fragment request on PullRequest {
  id number url body headRefName headRefOid baseRefName createdAt isCrossRepository author { login }
}
fragment head on Commit { oid tree { oid } message author { ...who } committer { ...who } }
fragment who on GitActor { name email user { login } }"""


async def own_requests(
    transport: Transport, repositories: Sequence[Identity]
) -> dict[Identity, tuple[OwnRequest, ...]]:
    """Asks for up to `MOST_STANDINGS` repositories; those that are not shown are left out."""
    if len(repositories) > MOST_STANDINGS:
        raise ValueError(f"{len(repositories)} repositories to one look, {MOST_STANDINGS} at most")
    variables = Variables()
    fields = " ".join(
        f"r{number}: {repository_field(repository, variables, f'_{number}')} {{ ...own }}"
        for number, repository in enumerate(repositories)
    )
    document = f"query own{variables.declared} {{ viewer {{ login }} {fields} }}{_OWN}"
    graph = await transport.query(document, variables.values)
    hidden = {error.field for error in graph.errors if error.field and error.field.startswith("r")}
    check_answer(graph, forgiving=hidden)
    requests: dict[Identity, tuple[OwnRequest, ...]] = {}
    with shaped("pull requests"):
        login = str(graph.data["viewer"]["login"])
        for number, repository in enumerate(repositories):
            row = graph.data.get(f"r{number}")
            if f"r{number}" not in hidden and row is not None:
                shown_nodes = *row["pullRequests"]["nodes"], *row["merged"]["nodes"]
                nodes = [node for node in shown_nodes if _is_own(node, login)]
                requests[repository] = tuple(_own_request(node, row["defaultBranchRef"], login) for node in nodes)
    return requests


def _is_own(node: Mapping[str, Any] | None, login: str) -> bool:
    return node is not None and not node["isCrossRepository"] and is_login(node["author"], login)


def _own_request(node: Mapping[str, Any], default: Mapping[str, Any] | None, login: str) -> OwnRequest:
    head = _head_of(node)
    tip = tip_of(head, {}, {}, login) if head else None
    return OwnRequest(
        number=int(node["number"]),
        node_id=str(node["id"]),
        url=str(node["url"]),
        branch=str(node["headRefName"]),
        is_to_default=default is not None and node["baseRefName"] == default["name"],
        body=str(node["body"] or ""),
        created_at=datetime.fromisoformat(node["createdAt"]),
        commit=tip.message if tip is not None and tip.is_own and tip.sha == node["headRefOid"] else None,
        merged_at=datetime.fromisoformat(node["mergedAt"]) if node.get("mergedAt") else None,
    )


def _head_of(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The last commit; the branch of what was merged may be gone."""
    if "commits" in node:
        return next((each["commit"] for each in node["commits"]["nodes"] or () if each is not None), None)
    head: Mapping[str, Any] | None = node["headRef"] and node["headRef"]["target"]
    return head
