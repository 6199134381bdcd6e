"""What became of branches that were to be moved."""

from typing import Any

import pytest

from bot.clients.forges.azure_devops.refs import check_update
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.refusals import BranchMoved, BranchRefused, BranchRule

PLACE, REF = "contoso/shop/web", "refs/heads/freshness/a"


def updated(status: str, *, success: bool = False) -> dict[str, Any]:
    return {"name": "refs/heads/freshness/a", "success": success, "updateStatus": status}


def refusal(*rows: dict[str, Any]) -> Failure:
    with pytest.raises(Failure) as failed:
        check_update({"value": list(rows)}, REF, PLACE)
    return failed.value


def test_what_was_moved_is_said_for_each() -> None:
    moved = updated("succeeded", success=True)
    other = {**updated("staleOldObjectId"), "name": "refs/heads/freshness/a-next"}
    check_update({"value": [moved, other]}, REF, PLACE)
    assert isinstance(refusal({**moved, "name": other["name"]}, updated("staleOldObjectId")), BranchMoved)


def test_who_was_faster_is_met_by_looking_again() -> None:
    assert refusal(updated("staleOldObjectId")).meaning is Meaning.TRANSIENT


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        ("createBranchPermissionRequired", BranchRule.CREATION),
        ("forcePushRequired", BranchRule.FORCE_PUSH),
        ("writePermissionRequired", BranchRule.PUSHERS),
        ("rejectedByPolicy", BranchRule.PULL_REQUEST),
        ("locked", BranchRule.LOCKED),
        ("rejectedByPlugin", BranchRule.OTHER),
    ],
)
def test_what_refuses_it_is_told_by_its_rule(status: str, rule: BranchRule) -> None:
    failure = refusal(updated(status))
    assert isinstance(failure, BranchRefused)
    assert (failure.branch, failure.rule) == ("freshness/a", rule)


@pytest.mark.parametrize(
    ("status", "right"),
    [
        ("createBranchPermissionRequired", "Create branch"),
        ("writePermissionRequired", "Contribute"),
        ("forcePushRequired", "Force push"),
    ],
)
def test_a_right_that_is_missing_is_told_as_azure_calls_it(status: str, right: str) -> None:
    advice = f"grant {right} under Project settings, Repositories, the repository, Security"
    assert refusal(updated(status)).advice == advice


@pytest.mark.parametrize("data", [None, {}, {"value": [{}]}, {"value": 1}])
def test_an_answer_of_another_shape_is_no_success(data: Any) -> None:
    with pytest.raises(Failure) as failed:
        check_update(data, REF, PLACE)
    assert failed.value.trouble is Trouble.MALFORMED
