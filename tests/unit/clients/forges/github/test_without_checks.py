"""Builds and latest runs where check suites may not be read: asked for one by one, and each fails alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.clients.forges.github.actions.builds import builds_by_runs, latest_by_runs
from bot.clients.forges.github.bulk import Bulk
from bot.domain.failure import Failure, Trouble

SILENT = Failure(Trouble.UNREACHABLE, "HTTP 502", status=502)
BUSY = Failure(Trouble.THROTTLED, "the rate limit is reached", retry_after=timedelta(minutes=1))
RUNS: dict[str, Any] = {"total_count": 0, "workflow_runs": []}


def commits(number: int) -> dict[str, Any]:
    """Commits of as many repositories, as GraphQL shows them."""
    nodes = [
        {
            "id": f"C_{each}",
            "oid": f"c{each}",
            "repository": {"nameWithOwner": f"contoso/r{each}", "defaultBranchRef": {"name": "main"}},
        }
        for each in range(number)
    ]
    return {"data": {"n0": nodes}}


def workflows(number: int) -> dict[str, Any]:
    nodes = [
        {"id": f"W_{each}", "state": "ACTIVE", "resourcePath": f"/contoso/r{each}/actions/workflows/build.yml"}
        for each in range(number)
    ]
    return {"data": {"n0": nodes}}


class Answering:
    """The runs of each repository, or what is in trouble there."""

    def __init__(self, graphs: Any, trouble: dict[int, Failure]) -> None:
        self.query = graphs.query
        self.trouble = trouble
        self.asked: list[int] = []

    async def read(self, path: str, parameters: object = None) -> Any:
        number = int(path.split("/")[3].removeprefix("r"))
        self.asked.append(number)
        if (failure := self.trouble.get(number)) is not None:
            raise failure
        return RUNS


async def test_the_runs_on_one_commit_that_cannot_be_read_stop_those_of_no_other(
    graphs: Callable[..., Any],
) -> None:
    asked: Any = Answering(graphs(commits(3)), {1: SILENT})
    found = await builds_by_runs(Bulk(asked), ["C_0", "C_1", "C_2"], later=False)
    assert found == {"C_0": ((),), "C_1": SILENT, "C_2": ((),)}


async def test_an_answer_of_another_shape_about_one_commit_stops_no_other(graphs: Callable[..., Any]) -> None:
    answer = commits(2)
    del answer["data"]["n0"][0]["repository"]["nameWithOwner"]
    asked: Any = Answering(graphs(answer), {})
    found = await builds_by_runs(Bulk(asked), ["C_0", "C_1"], later=False)
    assert isinstance(found["C_0"], Failure)
    assert found["C_1"] == ((),)


@pytest.mark.parametrize(("trouble", "requests"), [(BUSY, 1), (SILENT, 3)], ids=["throttled", "silent"])
async def test_who_asks_for_a_pause_or_gives_no_answer_again_and_again_is_asked_no_further(
    graphs: Callable[..., Any], trouble: Failure, requests: int
) -> None:
    asked: Any = Answering(graphs(commits(9)), dict.fromkeys(range(1, 9), trouble))
    found = await builds_by_runs(Bulk(asked), [f"C_{each}" for each in range(9)], later=False)
    assert found == {"C_0": ((),)} | {f"C_{each}": trouble for each in range(1, 9)}
    assert len(asked.asked) == 1 + requests


async def test_the_runs_of_one_workflow_that_cannot_be_read_stop_those_of_no_other(
    graphs: Callable[..., Any],
) -> None:
    asked: Any = Answering(graphs(workflows(3)), {1: SILENT})
    assert (await latest_by_runs(Bulk(asked), ["W_0", "W_1", "W_2"], 20)).keys() == {"W_0", "W_2"}


async def test_a_pause_that_is_asked_for_while_workflows_are_asked_for_is_told(graphs: Callable[..., Any]) -> None:
    asked: Any = Answering(graphs(workflows(9)), dict.fromkeys(range(1, 9), BUSY))
    with pytest.raises(Failure) as failed:
        await latest_by_runs(Bulk(asked), [f"W_{each}" for each in range(9)], 20)
    assert failed.value is BUSY
    assert len(asked.asked) == 2
