"""What became of branches that were to be moved: told with status 200 for each, whether it was moved or not."""

from collections.abc import Mapping
from typing import Any

from bot.clients.forges.azure_devops.names import branch_of
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import BranchMoved, BranchRefused, BranchRule

_RULES: Mapping[str, BranchRule] = {
    "createBranchPermissionRequired": BranchRule.CREATION,
    "writePermissionRequired": BranchRule.PUSHERS,
    "forcePushRequired": BranchRule.FORCE_PUSH,
    "invalidRefName": BranchRule.BRANCH_NAME,
    "locked": BranchRule.LOCKED,
    "rejectedByPolicy": BranchRule.PULL_REQUEST,
}
_RIGHTS: Mapping[str, str] = {
    "createBranchPermissionRequired": "Create branch",
    "writePermissionRequired": "Contribute",
    "forcePushRequired": "Force push",
}
"""What would do, as the page of a repository's security calls it."""
GRANTED_AT = "under Project settings, Repositories, the repository, Security"
_OF_THIS_MOMENT = frozenset({"staleOldObjectId", "unprocessed", "refNameConflict", "unresolvableToCommit"})
"""The next attempt looks again, and finds it otherwise."""


def check_update(data: Any, ref: str, place: str) -> None:
    """Raises `BranchMoved`, or `BranchRefused`, where that branch was not moved; malformed where the answer does
    not say."""
    try:
        updates = {str(row["name"]): (row["success"], str(row["updateStatus"])) for row in data["value"]}
        succeeded, status = updates[ref]
    except (KeyError, TypeError) as error:
        raise Failure(Trouble.MALFORMED, "does not say whether branches were moved", where=place) from error
    if succeeded is not True:
        raise _refusal(branch_of(ref) or ref, status, place)


def _refusal(branch: str, status: str, place: str) -> Failure:
    if status in _OF_THIS_MOMENT:
        return BranchMoved(branch, status, place)
    rights = f"{_RIGHTS[status]} {GRANTED_AT}" if status in _RIGHTS else ""
    return BranchRefused(branch, _RULES.get(status, BranchRule.OTHER), place, status, rights=rights)
