"""Repositories at the sandbox's GitHub, what is planned for them, and what was asked there."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.domain.repositories.repository import FleetRepository, Workflow
from bot.files.formats.repository_config import parse
from sandbox.edges.traffic import Asked
from sandbox.world import World as Sandbox
from tests.unit.fleet.act.world import World, change, rebuild, reference

_NUMBERS = count(1)
GO = "on:\n  workflow_dispatch:\n    inputs: {}\njobs: {}\n"


async def made(
    sandbox: Sandbox,
    *,
    asks: str = "",
    executable: tuple[str, ...] = (),
    knows_label: bool = True,
    workflow: str = GO,
) -> FleetRepository:
    files = {"Dockerfile": f"FROM {reference('a')}\n", "README.md": "shop\n", ".github/workflows/go.yml": workflow}
    if asks:
        files[".github/freshness.yaml"] = asks
    name = await sandbox.github.create_repository(f"counted-{next(_NUMBERS)}", files, executable=executable)
    if knows_label:
        await sandbox.github.ask("POST", f"/repos/{name}/labels", {"name": "freshness", "color": "ededed"})
    row = await sandbox.github.ask("GET", f"/repos/{name}")
    config, _ = parse(asks, datetime.now(UTC))
    sandbox.traffic.forget()
    return FleetRepository(1, name, (Workflow(".github/workflows/go.yml"),), config, node_id=row["node_id"])


def add(world: World, home: FleetRepository, number: int = 1, to: str = "b", **values: Any) -> None:
    now = world.clock.now()
    planned = rebuild(
        id=number, to=to, repository=home.name, repository_node=home.node_id, due_at=now, planned_at=now, **values
    )
    world.add(planned, home, change(to))


def asked(sandbox: Sandbox) -> list[Asked]:
    return sandbox.traffic.requests("github")
