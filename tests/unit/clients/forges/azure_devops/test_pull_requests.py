"""Pull requests of Azure Repos as all forges' are told."""

from typing import Any

import pytest

from bot.clients.forges.azure_devops.names import FullName
from bot.clients.forges.azure_devops.pull_requests import DESCRIPTION, fits, state_of
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import PullRequestState

NAME = FullName("contoso", "Web Shop", "front")
NOBODY = {"id": "00000000-0000-0000-0000-000000000000"}
SOMEBODY = {"id": "d6245f20-2af8-44f4-9451-8107cb2767db"}


def request(**values: Any) -> dict[str, Any]:
    known = {
        "pullRequestId": 7,
        "status": "active",
        "mergeStatus": "succeeded",
        "targetRefName": "refs/heads/main",
        "isDraft": False,
    }
    return {**known, **values}


def policy(status: str, *, is_blocking: bool = True) -> dict[str, Any]:
    return {"status": status, "configuration": {"isBlocking": is_blocking}}


def state(*evaluations: dict[str, Any], **values: Any) -> PullRequestState:
    return state_of(request(**values), NAME, evaluations, "main")


def test_an_open_one_is_shown_where_people_find_it() -> None:
    shown = state()
    assert (shown.is_open, shown.is_merged, shown.base, shown.elsewhere) == (True, False, "main", None)
    assert shown.url == "https://dev.azure.com/contoso/Web%20Shop/_git/front/pullrequest/7"


def test_a_completed_one_is_merged_with_its_commit_and_an_abandoned_one_is_not() -> None:
    merged = state(
        status="completed", lastMergeCommit={"commitId": "c0ffee"}, closedDate="2026-11-30T10:11:12.1234567Z"
    )
    assert (merged.is_open, merged.is_merged, merged.merge_commit) == (False, True, "c0ffee")
    assert merged.merged_at is not None
    abandoned = state(status="abandoned", lastMergeCommit={"commitId": "c0ffee"})
    assert (abandoned.is_open, abandoned.is_merged, abandoned.merge_commit) == (False, False, None)


@pytest.mark.parametrize("status", ["queued", "running", "rejected", "broken"])
def test_a_test_merge_that_succeeds_makes_nothing_ready_while_a_policy_stands_in_the_way(status: str) -> None:
    assert not state(policy(status)).is_ready
    assert state(policy(status, is_blocking=False)).is_ready
    assert state(policy("approved"), policy("notApplicable")).is_ready


def test_nothing_is_ready_whose_policies_nobody_has_asked_for() -> None:
    assert not state_of(request(), NAME, None, "main").is_ready


@pytest.mark.parametrize(
    "values", [{"mergeStatus": "queued"}, {"mergeStatus": "conflicts"}, {"isDraft": True}, {"status": "completed"}]
)
def test_what_does_not_go_together_yet_is_not_ready(values: dict[str, Any]) -> None:
    assert not state(**values).is_ready


def test_it_merges_by_itself_where_somebody_has_set_that() -> None:
    assert state(autoCompleteSetBy=SOMEBODY).is_to_merge
    assert not state(autoCompleteSetBy=NOBODY).is_to_merge
    assert not state().is_to_merge


@pytest.mark.parametrize("row", [None, {}, {"status": "active"}, request(pullRequestId="x")])
def test_what_is_no_pull_request_is_told(row: Any) -> None:
    with pytest.raises(Failure) as failed:
        state_of(row, NAME, (), "main")
    assert failed.value.trouble is Trouble.MALFORMED


def test_a_description_is_counted_as_the_service_counts_it() -> None:
    assert fits("x" * DESCRIPTION)
    assert not fits("x" * (DESCRIPTION + 1))
    assert not fits("🐳" * (DESCRIPTION // 2 + 1))
