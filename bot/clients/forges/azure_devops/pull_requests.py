"""Pull requests of Azure Repos as all forges' are told, with the policies that stand in the way of a merge."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.clients.forges.azure_devops.names import FullName, branch_of
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import PullRequestState

DESCRIPTION = 4_000
"""UTF-16 units of a description; a list shows 400 of them."""
_OUT_OF_THE_WAY = frozenset({"approved", "notApplicable"})


def state_of(
    row: Mapping[str, Any], name: FullName, evaluations: Iterable[Mapping[str, Any]] | None, onto: str | None
) -> PullRequestState:
    """How far a pull request has come; `evaluations` of its policies are None where nobody has asked for them.

    That a test merge has succeeded says nothing of policies. Raises `Failure` (malformed).
    """
    try:
        status, number = str(row["status"]), int(row["pullRequestId"])
        is_open, merged = status == "active", status == "completed"
        commit = (row.get("lastMergeCommit") or {}).get("commitId") if merged else None
        closed = row.get("closedDate") if merged else None
        goes_together = is_open and row.get("mergeStatus") == "succeeded" and not row.get("isDraft")
        return PullRequestState(
            number,
            f"https://dev.azure.com/{name.web_path}/pullrequest/{number}",
            is_open,
            merged,
            is_conflicted=is_open and row.get("mergeStatus") == "conflicts",
            merge_commit=commit,
            merged_at=datetime.fromisoformat(closed) if closed else None,
            labels=tuple(str(each["name"]) for each in row.get("labels") or () if each.get("active", True)),
            is_ready=goes_together and evaluations is not None and not any(map(_blocks, evaluations)),
            is_to_merge=is_open and _is_somebody(row.get("autoCompleteSetBy")),
            is_archived=bool((row.get("repository") or {}).get("isDisabled")),
            base=branch_of(str(row["targetRefName"])),
            onto=onto,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        fault = "the pull request has another shape"
        raise Failure(Trouble.MALFORMED, fault, where=str(name)) from error


def fits(description: str) -> bool:
    """Whether the service takes a description whole."""
    return len(description.encode("utf-16-le")) <= 2 * DESCRIPTION


def _blocks(evaluation: Mapping[str, Any]) -> bool:
    """Whether a policy stands in the way; one that does not say that it is only advice does."""
    is_blocking = (evaluation.get("configuration") or {}).get("isBlocking", True)
    return bool(is_blocking) and evaluation.get("status") not in _OUT_OF_THE_WAY


def _is_somebody(identity: Mapping[str, Any] | None) -> bool:
    """The empty GUID is how nobody is written."""
    return identity is not None and str(identity.get("id", "")).strip("0-") != ""
