"""Reads pull requests: what GraphQL shows of one, the bot's own of many repositories, and those of others."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.clients.forges.github.bulk import Bulk, nodes_fields
from bot.clients.forges.github.connection.graphql import Variables, check_answer, repository_field
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.tips import tip_of
from bot.domain.forge.looks import MOST_STANDINGS
from bot.domain.forge.pull_requests import OtherRequest, OwnRequest, PullRequest
from bot.domain.repositories.repository import Identity

PULL_REQUEST = """
fragment pull on PullRequest {
  id number url title body state isDraft headRefName baseRefName headRefOid mergeable isCrossRepository
  mergedAt mergeCommit { id oid }
  labels(first: 50) { nodes { name } }
  assignees(first: 10) { nodes { login } }
  author { login }
  autoMergeRequest { enabledBy { login } }
  mergeQueueEntry { enqueuer { login } }
}"""


async def pull_request(transport: Transport, repository: Identity, number: int) -> PullRequest:
    variables = Variables()
    field = f"pullRequest(number: {variables.add('number', 'Int!', number)}) {{ ...pull }}"
    root = repository_field(repository, variables)
    document = f"query pull{variables.declared} {{ found: {root} {{ ... on Repository {{ {field} }} }} }}"
    graph = await transport.query(document + PULL_REQUEST, variables.values)
    graph.check()
    with shaped("pull request"):
        return pull_request_of(graph.data["found"]["pullRequest"])


@shaped("pull request")
def pull_request_of(row: Mapping[str, Any], login: str | None = None) -> PullRequest:
    """Reads a pull request from GitHub's answer; `login` is the bot's own, where it is known."""
    merge_commit = row.get("mergeCommit")
    auto, queued = row["autoMergeRequest"], row["mergeQueueEntry"]
    asked_by = (auto and auto["enabledBy"], queued and queued["enqueuer"])
    askers = {_plain(each["login"]) for each in asked_by if each}
    return PullRequest(
        number=int(row["number"]),
        url=str(row["url"]),
        branch=str(row["headRefName"]),
        head=str(row["headRefOid"]),
        title=str(row["title"]),
        body=str(row["body"] or ""),
        is_open=row["state"] == "OPEN",
        is_merged=row["state"] == "MERGED",
        merge_commit=str(merge_commit["oid"]) if merge_commit else None,
        labels=tuple(str(label["name"]) for label in row["labels"]["nodes"]),
        is_conflicted=row["mergeable"] == "CONFLICTING",
        node_id=str(row["id"]),
        assignees=tuple(str(person["login"]) for person in row["assignees"]["nodes"]),
        is_draft=bool(row["isDraft"]),
        is_to_merge=bool(auto or queued),
        is_queued=bool(queued),
        is_to_merge_by_us=login is not None and _plain(login) in askers,
        base=str(row["baseRefName"]),
        is_own=login is None or is_login(row["author"], login),
        merge_node=str(merge_commit["id"]) if merge_commit else None,
        merged_at=datetime.fromisoformat(row["mergedAt"]) if row.get("mergedAt") else None,
    )


def is_login(actor: Mapping[str, Any] | None, login: str) -> bool:
    """Whether an actor, None for one that is gone, is the account `login`."""
    return _plain((actor or {}).get("login")) == _plain(login)


def _plain(login: str | None) -> str:
    """An App's bot bears `[bot]` behind its name in some places."""
    return str(login or "").lower().removesuffix("[bot]")


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
