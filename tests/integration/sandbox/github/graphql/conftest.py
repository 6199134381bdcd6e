"""GraphQL as the bot would ask it, of a world that many tests share."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio

from sandbox.edges.edge import PATIENCE
from sandbox.world import World


@dataclass(slots=True)
class Asking:
    client: httpx.AsyncClient
    world: World

    async def __call__(self, text: str, **variables: Any) -> Any:
        """The whole answer: `data`, and `errors` where there are some."""
        answer = await self.client.post("/graphql", json={"query": text, "variables": variables})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def data(self, text: str, **variables: Any) -> Any:
        """What was asked for; an error fails the test."""
        answer = await self(text, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def repository_id(self, name: str) -> str:
        """The node id of `contoso/name`, as REST tells it."""
        return str((await self.world.github.ask("GET", f"/repos/contoso/{name}"))["node_id"])


@pytest_asyncio.fixture
async def ask(shared_world: World) -> AsyncIterator[Asking]:
    shared_world.traffic.forget()
    shared_world.faults.clear()
    headers = {"authorization": f"Bearer {shared_world.github.token}"}
    async with httpx.AsyncClient(base_url=shared_world.github.url, headers=headers, timeout=PATIENCE) as client:
        yield Asking(client, shared_world)
