"""Every answer of the sandbox's GitHub is held to the published description, whoever made it."""

import json

import httpx

from sandbox.edges.edge import PATIENCE
from sandbox.github.exchanges import Exchanges
from sandbox.github.openapi import DOTCOM
from sandbox.world import World

LABELS = "/repos/contoso/shop/labels"


def noted(status: int, body: object) -> list[str]:
    exchanges = Exchanges(DOTCOM)
    exchanges.note("GET", LABELS, status, json.dumps(body).encode())
    return exchanges.complaints


def test_an_answer_that_does_not_fit_is_named() -> None:
    assert (
        noted(200, [{"name": "base"}])[0]
        == "GET /repos/{owner}/{repo}/labels 200: $[0]: 'id' is a required property"
    )
    assert noted(201, []) == ["GET /repos/{owner}/{repo}/labels never answers 201"]


def test_a_refusal_that_is_no_operations_own_has_a_message() -> None:
    assert noted(403, {"message": "Resource not accessible by integration"}) == []
    assert noted(403, {}) == ["GET /repos/{owner}/{repo}/labels 403: a refusal without a message"]


async def test_what_the_emulator_answers_is_held_to_it_as_well(world: World) -> None:
    """A label made behind the edge's back that lacks what GitHub shows of one."""
    await world.github.create_repository("held", {"a": "1"})
    edge = world.github.edge
    assert edge.exchanges is not None
    edge.overlays["contoso/held"] = {"private": "no word of GitHub's"}
    headers = {"authorization": f"Bearer {world.github.token}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
        await client.get("/repos/contoso/held")
    assert any("$.private" in complaint for complaint in edge.exchanges.complaints)
    edge.exchanges.complaints.clear()
