"""Pull requests of Azure Repos as all forges' are told, with the policies that stand in the way of a merge."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.clients.forges.azure_devops.names import AzureNode, branch_of
from bot.domain.forge.pull_requests import (
    MergeRequirements,
    OtherRequest,
    PullRequest,
    PullRequestState,
)
from bot.domain.repositories.addresses import repository_url
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.terms import MergeMethod

REQUEST = "pr"
"""The kind of a node that is a pull request."""
CUT_AT = 400
"""Characters of a description that a list shows."""
MARKER = "freshness"
"""The property of a pull request in which its marker stands."""
NOBODY = "00000000-0000-0000-0000-000000000000"
STRATEGIES: Mapping[MergeMethod, str] = {
    MergeMethod.MERGE: "noFastForward",
    MergeMethod.SQUASH: "squash",
    MergeMethod.REBASE: "rebase",
}
_OUT_OF_THE_WAY = frozenset({"approved", "notApplicable"})
_CHECKS = frozenset({"0609b952-1397-4640-95ec-e00a01b2c241", "cbdc66da-9728-4af8-aada-9a5a32e4a226"})
"""The kinds of policies that ask for something green: a build, a status."""
_LINKS = "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e"
"""The kind that asks for a work item."""


def request_of(row: Mapping[str, Any], home: Identity, node: AzureNode, me: str) -> PullRequest:
    """A pull request of the repository `home`, which `node` names; `me` is who the bot is in the organisation."""
    number, status = int(row["pullRequestId"]), str(row["status"])
    is_merged, commit = status == "completed", _commit(row, "lastMergeCommit")
    set_by = str((row.get("autoCompleteSetBy") or {}).get("id") or NOBODY)
    is_to_merge = status == "active" and set_by != NOBODY
    return PullRequest(
        number,
        address_of(home, f"/pullrequest/{number}"),
        branch_of(str(row["sourceRefName"])) or str(row["sourceRefName"]),
        _commit(row, "lastMergeSourceCommit") or "",
        str(row.get("title") or ""),
        str(row.get("description") or ""),
        status == "active",
        is_merged,
        merge_commit=commit if is_merged else None,
        labels=_labels(row),
        is_conflicted=status == "active" and row.get("mergeStatus") == "conflicts",
        node_id=str(AzureNode(node.organization, node.project, REQUEST, str(number))),
        is_draft=bool(row.get("isDraft")),
        merge_node=_merge_node(node, commit) if is_merged else None,
        merged_at=_closed_at(row) if is_merged else None,
        is_to_merge=is_to_merge,
        is_to_merge_by_us=is_to_merge and set_by.lower() == me.lower(),
        base=branch_of(str(row["targetRefName"])),
        is_own=str((row.get("createdBy") or {}).get("id", "")).lower() == me.lower(),
    )


def marker_of(properties: Mapping[str, Any]) -> str:
    """What a pull request is marked with; each value stands beside its type."""
    value = (properties.get("value") or {}).get(MARKER)
    return str(value["$value"] if isinstance(value, dict) else value or "")


def other_of(row: Mapping[str, Any], home: Identity, node: AzureNode) -> OtherRequest:
    request = request_of(row, home, node, "")
    author = row.get("createdBy") or {}
    return OtherRequest(
        request.number,
        request.url,
        request.node_id or "",
        request.branch,
        request.head,
        str(author.get("uniqueName") or author.get("displayName") or ""),
        request.base,
        request.title,
    )


def state_of(
    request: PullRequest,
    row: Mapping[str, Any],
    evaluations: Iterable[Mapping[str, Any]] | None,
    onto: str | None,
    *,
    is_disabled: bool,
) -> PullRequestState:
    """How far a pull request has come; `evaluations` of its policies are None where nobody has asked for them.

    That a test merge has succeeded says nothing of policies.
    """
    goes_together = goes_in(row)
    return PullRequestState(
        *(request.number, request.url, request.is_open, request.is_merged),
        is_conflicted=request.is_conflicted,
        merge_commit=request.merge_commit,
        merge_node=request.merge_node,
        merged_at=request.merged_at,
        labels=request.labels,
        is_ready=goes_together and evaluations is not None and not any(map(blocks, evaluations)),
        is_to_merge=request.is_to_merge,
        is_archived=is_disabled,
        base=request.base,
        onto=onto,
    )


def goes_in(row: Mapping[str, Any]) -> bool:
    """Whether nothing but policies may stand in the way."""
    return row.get("status") == "active" and row.get("mergeStatus") == "succeeded" and not row.get("isDraft")


def blocks(evaluation: Mapping[str, Any]) -> bool:
    """Whether a policy stands in the way; one that does not say that it is only advice does."""
    is_blocking = (evaluation.get("configuration") or {}).get("isBlocking", True)
    return bool(is_blocking) and evaluation.get("status") not in _OUT_OF_THE_WAY


def requirements_of(policies: Iterable[Mapping[str, Any]]) -> MergeRequirements:
    """What policies of the default branch ask of a merge. One can always be set to complete by itself."""
    asked = [each for each in policies if each.get("isBlocking") and each.get("isEnabled", True)]
    kinds = {str((each.get("type") or {}).get("id")) for each in asked}
    return MergeRequirements(not kinds.isdisjoint(_CHECKS), can_wait=bool(asked), asks_work_item=_LINKS in kinds)


def address_of(home: Identity, rest: str = "") -> str:
    """Where people look at a repository, or at something of it."""
    return repository_url("", home.name) + rest


def _merge_node(node: AzureNode, commit: str | None) -> str | None:
    return None if commit is None else f"{node.project}/{commit}"


def _labels(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(each["name"]) for each in row.get("labels") or () if each.get("active", True))


def _commit(row: Mapping[str, Any], key: str) -> str | None:
    return (row.get(key) or {}).get("commitId")


def _closed_at(row: Mapping[str, Any]) -> datetime | None:
    closed = row.get("closedDate")
    return datetime.fromisoformat(closed) if closed else None
