"""Every kind of answer that the bot leans on, checked against GitHub's published OpenAPI description."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio

from sandbox.edges.edge import PATIENCE
from sandbox.github.openapi import description
from sandbox.world import World

REPOSITORY = "/repos/{owner}/{repo}"
FILES = {"Dockerfile": "FROM a\n", ".github/workflows/rebuild.yml": "on: workflow_dispatch\n"}


@dataclass
class Checked:
    """Asks, and notes what GitHub's description says about each answer."""

    client: httpx.AsyncClient
    complaints: list[str] = field(default_factory=list)

    async def ask(self, method: str, template: str, path: str, body: object = None) -> Any:
        answer = await self.client.request(method, path, json=body)
        shown = answer.json() if answer.content else None
        self.complaints += description().complaints(method, template, answer.status_code, shown)
        return shown

    async def repository(self, method: str, template: str, path: str, body: object = None) -> Any:
        return await self.ask(method, REPOSITORY + template, f"/repos/contoso/described{path}", body)


@pytest_asyncio.fixture
async def github(world: World) -> AsyncIterator[Checked]:
    await world.github.create_repository("described", FILES)
    headers = {"authorization": f"Bearer {world.github.token}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
        yield Checked(client)


async def branch_with_a_change(github: Checked) -> None:
    head = (await github.repository("GET", "/git/ref/{ref}", "/git/ref/heads/main"))["object"]["sha"]
    commit = await github.repository("GET", "/git/commits/{commit_sha}", f"/git/commits/{head}")
    blob = await github.repository("POST", "/git/blobs", "/git/blobs", {"content": "FROM b\n"})
    entry = {"path": "Dockerfile", "mode": "100644", "type": "blob", "sha": blob["sha"]}
    tree = {"base_tree": commit["tree"]["sha"], "tree": [entry]}
    made = await github.repository("POST", "/git/trees", "/git/trees", tree)
    change = {"message": "Take b", "tree": made["sha"], "parents": [head]}
    sha = (await github.repository("POST", "/git/commits", "/git/commits", change))["sha"]
    await github.repository("POST", "/git/refs", "/git/refs", {"ref": "refs/heads/b", "sha": sha})
    await github.repository("PATCH", "/git/refs/{ref}", "/git/refs/heads/b", {"sha": sha, "force": True})


async def test_what_is_asked_of_repositories_and_their_files_fits_the_description(github: Checked) -> None:
    await github.ask("GET", "/orgs/{org}/repos", "/orgs/contoso/repos")
    await github.ask("GET", "/user/repos", "/user/repos")
    await github.ask("GET", "/rate_limit", "/rate_limit")
    await github.repository("GET", "", "")
    tree = await github.repository("GET", "/git/trees/{tree_sha}", "/git/trees/main?recursive=1")
    sha = next(entry["sha"] for entry in tree["tree"] if entry["type"] == "blob")
    await github.repository("GET", "/git/blobs/{file_sha}", f"/git/blobs/{sha}")
    await github.repository("GET", "/contents/{path}", "/contents/Dockerfile")
    assert github.complaints == []


async def test_what_is_asked_of_pull_requests_from_opening_to_merge_fits_the_description(github: Checked) -> None:
    await branch_with_a_change(github)
    opening = {"title": "Take b", "head": "b", "base": "main", "body": "why"}
    await github.repository("POST", "/pulls", "/pulls", opening)
    await github.repository("POST", "/pulls", "/pulls", opening)
    await github.repository("GET", "/pulls", "/pulls?state=open&head=contoso:b")
    await github.repository("GET", "/pulls/{pull_number}", "/pulls/1")
    await github.repository("PATCH", "/pulls/{pull_number}", "/pulls/1", {"body": "more"})
    await github.repository("POST", "/issues/{issue_number}/labels", "/issues/1/labels", {"labels": ["base"]})
    await github.repository("POST", "/issues/{issue_number}/comments", "/issues/1/comments", {"body": "seen"})
    reviews = {"reviewers": ["operator"]}
    await github.repository(
        "POST", "/pulls/{pull_number}/requested_reviewers", "/pulls/1/requested_reviewers", reviews
    )
    await github.repository("PUT", "/pulls/{pull_number}/merge", "/pulls/1/merge", {})
    await github.repository("GET", "/pulls/{pull_number}", "/pulls/1")
    assert github.complaints == []


async def test_what_is_asked_of_workflows_and_runs_fits_the_description(github: Checked) -> None:
    await github.repository("GET", "/actions/workflows", "/actions/workflows")
    await github.repository("GET", "/actions/workflows/{workflow_id}", "/actions/workflows/rebuild.yml")
    dispatches = "/actions/workflows/{workflow_id}/dispatches"
    here = "/actions/workflows/rebuild.yml/dispatches"
    run = await github.repository("POST", dispatches, here, {"ref": "main", "return_run_details": True})
    await github.repository("POST", dispatches, here, {"ref": "main"})
    await github.repository("GET", "/actions/runs/{run_id}", f"/actions/runs/{run['workflow_run_id']}")
    await github.repository("GET", "/actions/runs", "/actions/runs?event=workflow_dispatch")
    await github.repository(
        "POST", "/actions/runs/{run_id}/cancel", f"/actions/runs/{run['workflow_run_id']}/cancel"
    )
    assert github.complaints == []


def test_an_answer_that_does_not_fit_is_named(world: World) -> None:
    path = "/repos/{owner}/{repo}/actions/workflows"
    assert description().complaints("GET", path, 200, {"total_count": "1", "workflows": []}) == [
        f"GET {path} 200: $.total_count: '1' is not of type 'integer'"
    ]
    assert description().complaints("GET", path, 299, {}) == [f"GET {path} never answers 299"]
