"""Reads a pull request, and turns what GraphQL shows of one into a value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.clients.forges.github.connection.graphql import Variables, repository_field
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.forge.pull_requests import PullRequest
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
