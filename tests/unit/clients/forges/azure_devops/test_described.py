"""What the sandbox holds to the official description of Azure DevOps, it tells where it is otherwise."""

from pathlib import Path

import pytest

from sandbox.azure_devops.described import mistakes_of_answer, mistakes_of_request

BUILDS = "/contoso/team/_apis/build/builds"
RUNS = "/contoso/team/_apis/pipelines/12/runs"
VERSION = {"api-version": "7.1"}


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "azure-devops"


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "told"),
    [
        ("GET", BUILDS, VERSION, None, []),
        ("GET", BUILDS, {**VERSION, "commit": "c0ffee"}, None, ["commit is no parameter of it"]),
        ("GET", BUILDS, {}, None, ["api-version is missing"]),
        ("GET", BUILDS, {**VERSION, "resultFilter": "green"}, None, ["resultFilter is 'green'"]),
        ("POST", RUNS, VERSION, {"parameters": {}}, ["body.parameters is not described"]),
        ("POST", BUILDS + "/7/nowhere", VERSION, {}, None),
    ],
)
def test_a_request_that_is_not_described_is_told(
    folder: Path, method: str, path: str, query: dict[str, str], body: object, told: list[str] | None
) -> None:
    found = mistakes_of_request(folder, method, path, query, body)
    expected = [f"no such operation is described: {method} {path}"] if told is None else told
    assert found == expected


def test_an_answer_that_is_not_described_is_told(folder: Path) -> None:
    row = {"id": 7, "status": "completed"}
    assert mistakes_of_answer(folder, "GET", BUILDS, (), {"count": 1, "value": [row]}) == []
    odd = {"id": 7, "status": "done", "colour": "green"}
    assert mistakes_of_answer(folder, "GET", BUILDS, (), {"count": 1, "value": [odd]}) == [
        "value[0].status is 'done'",
        "value[0].colour is not described",
    ]
