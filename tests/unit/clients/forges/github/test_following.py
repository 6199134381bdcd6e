"""Many pull requests and runs in few requests."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.clients.forges.github.bulk import MOST_IDS, Bulk
from bot.clients.forges.github.following import Following
from bot.domain.failure import Failure, Trouble

REQUESTS = [f"PR_{number}" for number in range(1_000)]
RUNS = [f"CS_{number}" for number in range(1_000)]


def row_of(node: str) -> dict[str, Any] | None:
    kind, number = node.split("_")
    if kind == "CS":
        state = {"id": node, "status": "COMPLETED", "conclusion": "TIMED_OUT"}
        return {**state, "commit": {"oid": "c0ffee"}, "workflowRun": {"runNumber": 7}}
    return {
        "id": node,
        "number": int(number),
        "url": "",
        "state": "OPEN",
        "mergeable": "UNKNOWN",
        "mergeCommit": None,
        "mergedAt": None,
        "labels": {"nodes": []},
        "mergeStateStatus": "CLEAN",
        "autoMergeRequest": None,
        "isInMergeQueue": False,
        "baseRefName": "main",
        "repository": {"isArchived": False, "defaultBranchRef": {"name": "main"}},
    }


def answered(variables: Mapping[str, Any]) -> dict[str, Any]:
    """As GitHub does: in the order of the ids, and at most 100 of them to a field."""
    if any(len(ids) > MOST_IDS for ids in variables.values()):
        return {"errors": [{"type": "ARGUMENT_LIMIT", "message": "You may not provide more than 100 node ids"}]}
    return {"data": {name: [row_of(node) for node in ids] for name, ids in variables.items()}}


async def test_a_thousand_of_each_take_two_requests(graphs: Callable[..., Any]) -> None:
    asked = graphs(answered)
    following = Following(Bulk(asked))
    requests, runs = await asyncio.gather(following.requests(REQUESTS), following.runs(RUNS))
    assert (len(requests.states), len(runs.states), len(asked.asked)) == (1_000, 1_000, 2)
    assert (runs.states["CS_7"].status, runs.states["CS_7"].conclusion) == ("completed", "timed_out")
    assert (runs.states["CS_7"].commit, runs.states["CS_7"].number) == ("c0ffee", 7)


async def test_what_is_asked_for_at_one_moment_fails_together_and_the_next_look_begins_anew(
    graphs: Callable[..., Any],
) -> None:
    answers = iter([Failure(Trouble.THROTTLED, "slow down"), answered({"n0": ["CS_1"]})])
    asked = graphs(lambda variables: next(answers))
    following = Following(Bulk(asked))
    failed = await asyncio.gather(following.requests(["PR_1"]), following.runs(["CS_1"]), return_exceptions=True)
    assert [str(each) for each in failed] == [str(Failure(Trouble.THROTTLED, "slow down"))] * 2
    assert (await following.runs(["CS_1"])).states.keys() == {"CS_1"}
    assert len(asked.asked) == 2


async def test_whoever_asks_no_longer_keeps_the_answer_from_nobody(graphs: Callable[..., Any]) -> None:
    following = Following(Bulk(graphs(answered)))
    left = asyncio.create_task(following.requests(["PR_1"]))
    stays = asyncio.create_task(following.runs(["CS_1"]))
    await asyncio.sleep(0)
    left.cancel()
    assert (await stays).states.keys() == {"CS_1"}


async def test_an_id_of_something_else_is_not_shown(graphs: Callable[..., Any]) -> None:
    following = Following(Bulk(graphs(answered)))
    requests, runs = await asyncio.gather(following.requests(["CS_1"]), following.runs(["PR_1"]))
    assert (requests.states, runs.states) == ({}, {})


@pytest.mark.parametrize(
    "trouble",
    [
        {"data": {}, "errors": [{"message": "Resource limits for this query exceeded."}]},
        Failure(Trouble.UNREACHABLE, "HTTP 504", status=504),
        Failure(Trouble.UNREACHABLE, "HTTP 502", status=502),
    ],
    ids=["limits", "504", "502"],
)
async def test_what_is_too_heavy_is_asked_for_in_halves(graphs: Callable[..., Any], trouble: Any) -> None:
    def heavy(variables: Mapping[str, Any]) -> Any:
        return trouble if sum(map(len, variables.values())) > 300 else answered(variables)

    asked = graphs(heavy)
    shown = await Following(Bulk(asked)).requests(REQUESTS)
    assert shown.states.keys() == set(REQUESTS)
    assert len(asked.asked) < 12


async def test_one_field_that_is_too_heavy_is_split(graphs: Callable[..., Any]) -> None:
    def heavy(variables: Mapping[str, Any]) -> Any:
        many = sum(map(len, variables.values())) > 30
        return Failure(Trouble.UNREACHABLE, "HTTP 504", status=504) if many else answered(variables)

    shown = await Following(Bulk(graphs(heavy))).requests(REQUESTS[:100])
    assert len(shown.states) == 100


async def test_what_can_never_be_answered_ends(graphs: Callable[..., Any]) -> None:
    with pytest.raises(Failure) as failed:
        await Following(Bulk(graphs(Failure(Trouble.UNREACHABLE, "HTTP 504", status=504)))).requests(REQUESTS[:100])
    assert failed.value.status == 504


async def test_what_is_gone_is_left_out(graphs: Callable[..., Any]) -> None:
    gone = {"type": "NOT_FOUND", "path": ["n0", 0], "message": "Could not resolve to a node"}
    answer = {"data": {"n0": [None, row_of("PR_2")]}, "errors": [gone]}
    shown = await Following(Bulk(graphs(answer))).requests(["PR_1", "PR_2"])
    assert shown.states.keys() == {"PR_2"}


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"data": {"n0": 1}}, {"data": {"n0": [{"id": "PR_1", "number": "one"}]}}],
)
async def test_an_answer_of_another_shape_is_a_failure(graphs: Callable[..., Any], answer: Any) -> None:
    with pytest.raises(Failure) as failed:
        await Following(Bulk(graphs(answer))).requests(["PR_1"])
    assert failed.value.trouble is Trouble.MALFORMED


async def test_one_that_may_not_be_seen_hides_no_other(graphs: Callable[..., Any]) -> None:
    """As one organisation's single sign-on, or a right that a token cannot have."""
    hidden = {
        "type": "FORBIDDEN",
        "path": ["n0", 0],
        "message": "Resource protected by organization SAML enforcement.",
    }
    answer = {"data": {"n0": [None, row_of("PR_2")]}, "errors": [hidden]}
    shown = await Following(Bulk(graphs(answer))).requests(["PR_1", "PR_2"])
    assert shown.states.keys() == {"PR_2"}
    assert {node: failure.trouble for node, failure in shown.unseen.items()} == {"PR_1": Trouble.DENIED}


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.MALFORMED], ids=str)
async def test_one_that_cannot_be_answered_hides_no_other(graphs: Callable[..., Any], trouble: Trouble) -> None:
    """Whatever GitHub says of one node is of that alone."""
    broken = {"path": ["n0", 0], "message": "no"}
    if trouble is Trouble.MALFORMED:
        broken["type"] = "MAX_NODE_LIMIT_EXCEEDED"
    answer = {"data": {"n0": [None, row_of("PR_2")]}, "errors": [broken]}
    shown = await Following(Bulk(graphs(answer))).requests(["PR_1", "PR_2"])
    assert shown.states.keys() == {"PR_2"}
    assert {node: failure.trouble for node, failure in shown.unseen.items()} == {"PR_1": trouble}


@pytest.mark.parametrize(
    "wrong",
    [
        {"errors": [{"message": "Something went wrong while executing your query."}]},
        Failure(Trouble.UNREACHABLE, "HTTP 502", status=502),
    ],
)
async def test_one_that_is_always_too_heavy_hides_no_other(graphs: Callable[..., Any], wrong: Any) -> None:
    def heavy(variables: Mapping[str, Any]) -> Any:
        return wrong if "PR_40" in str(variables).split("'") else answered(variables)

    wanted = REQUESTS[:100]
    assert "PR_40" in wanted
    shown = await Following(Bulk(graphs(heavy))).requests(wanted)
    assert shown.states.keys() == set(wanted) - {"PR_40"}
    assert shown.unseen.keys() == {"PR_40"}


async def test_what_github_shows_under_another_id_is_told_by_its_place(graphs: Callable[..., Any]) -> None:
    answer = {"data": {"n0": [row_of("PR_11"), row_of("PR_12")], "n1": [row_of("CS_13")]}}
    following = Following(Bulk(graphs(answer)))
    shown, runs = await asyncio.gather(following.requests(["PR_1", "PR_2"]), following.runs(["CS_3"]))
    assert {node: state.number for node, state in shown.states.items()} == {"PR_1": 11, "PR_2": 12}
    assert runs.states.keys() == {"CS_3"}


def suites(*names: str, after: str | None = None) -> dict[str, Any]:
    """A page of check suites, of which each but those named `other` is a run of that workflow."""
    nodes = [
        {
            "status": "COMPLETED",
            "conclusion": "SUCCESS",
            "branch": {"name": "main"},
            "workflowRun": None
            if name == "other"
            else {"event": "push", "url": "", "runNumber": 1, "file": {"path": name}},
        }
        for name in names
    ]
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


async def test_the_runs_on_a_commit_are_found_behind_any_number_of_other_check_suites(
    graphs: Callable[..., Any],
) -> None:
    """Every App that is installed makes one for each commit."""
    commit = {"id": "C_1", "oid": "c1", "repository": {"defaultBranchRef": {"name": "main"}}}
    first = {"data": {"n0": [{**commit, "checkSuites": suites(*["other"] * 20, after="x")}]}}
    second = {"data": {"found": {"checkSuites": suites("build.yml")}}}
    asked = graphs(first, second)
    found = await Following(Bulk(asked)).builds(["C_1"], later=False)
    assert not isinstance(found["C_1"], Failure)
    assert [build.path for group in found["C_1"] for build in group] == ["build.yml"]
    assert asked.asked[1][1] == {"id": "C_1", "after": "x"}


@pytest.mark.parametrize(
    "trouble",
    [
        Failure(Trouble.UNREACHABLE, "HTTP 502", status=502),
        {"data": {"found": None}, "errors": [{"message": "Something went wrong", "path": ["found"]}]},
        {"data": {"found": None}},
    ],
    ids=["no answer", "an error", "nothing"],
)
async def test_a_commit_whose_further_check_suites_are_not_told_hides_no_other(
    graphs: Callable[..., Any], trouble: object
) -> None:
    commit = {"oid": "c1", "repository": {"defaultBranchRef": {"name": "main"}}}
    rows = [
        {**commit, "id": "C_1", "checkSuites": suites(*["other"] * 20, after="x")},
        {**commit, "id": "C_2", "checkSuites": suites("build.yml")},
    ]
    found = await Following(Bulk(graphs({"data": {"n0": rows}}, trouble))).builds(["C_1", "C_2"], later=False)
    assert isinstance(found["C_1"], Failure)
    assert not isinstance(found["C_2"], Failure)
    assert [build.path for group in found["C_2"] for build in group] == ["build.yml"]
