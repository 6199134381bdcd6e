"""Artifacts of workflow runs: what there is, and where each can be fetched.

GitHub hands an archive over with a redirect to a store of its own, at an address that holds for a minute and is a
secret: whoever has it may fetch.
"""

from collections.abc import Mapping
from typing import Any

from bot.clients.forges.github.connection.shapes import rows, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.forge.runs import Artifact
from bot.domain.repositories.repository import Identity

_MOST_PAGES = 2


async def artifacts(transport: Transport, repository: Identity, run: int) -> list[Artifact]:
    """Lists what a run has left behind, the newest first: of one name, the first is of the last attempt."""
    run_artifacts: list[Artifact] = []
    path = f"/repos/{repository.name}/actions/runs/{run}/artifacts"
    async for page in transport.pages(path, most=_MOST_PAGES):
        with shaped("list of artifacts"):
            run_artifacts += [_artifact_of(row) for row in rows(page, "artifacts")]
    return sorted(run_artifacts, key=lambda each: each.id, reverse=True)


async def artifact_address(transport: Transport, repository: Identity, artifact: int) -> str:
    """Asks where the archive is to be fetched."""
    return await transport.address(f"/repos/{repository.name}/actions/artifacts/{artifact}/zip")


def _artifact_of(row: Mapping[str, Any]) -> Artifact:
    digest = row.get("digest")
    return Artifact(
        int(row["id"]),
        str(row["name"]),
        int(row["size_in_bytes"]),
        bool(row["expired"]),
        None if digest is None else str(digest),
    )
