"""Starting workflows and finding their runs. GraphQL knows neither dispatches nor what 64-bit ids runs have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.connection.shapes import rows, run_of, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.runs import Run
from bot.domain.repositories.repository import Identity

_NOT_PERMITTED = re.compile(r"return_run_details.*not a permitted key", re.S)
_MOST_PAGES = 10
"""Of a list of runs: with a filter GitHub shows 1,000 at most."""


@dataclass(slots=True)
class Dispatching:
    """`tells_runs` is False once the server has refused to tell the run that it starts.

    Enterprise Server up to 3.20 does not know `return_run_details`, and refuses the whole request for it with 400
    or 422; it starts nothing then.
    """

    transport: Transport
    tells_runs: bool = True

    async def dispatch(
        self, repository: Identity, workflow: str, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        """The run's id where GitHub tells it with 200; after a 204 a listing finds it."""
        path = f"/repos/{repository.name}/actions/workflows/{quote(workflow)}/dispatches"
        body: dict[str, Any] = {"ref": ref, "inputs": dict(inputs)}
        if self.tells_runs:
            try:
                return _run_in(await self.transport.write("POST", path, {**body, "return_run_details": True}))
            except Failure as failure:
                if failure.status not in (400, 422) or not _NOT_PERMITTED.search(failure.what):
                    raise
                self.tells_runs = False
        return _run_in(await self.transport.write("POST", path, body))


async def runs_since(
    transport: Transport,
    repository: Identity,
    workflow: str,
    since: datetime,
    *,
    event: str | None = None,
    branch: str | None = None,
) -> list[Run]:
    """Lists runs, oldest first; of any event and branch where these are None.

    GitHub lists the newest first, so what was asked for long ago is on the last page.
    """
    path = f"/repos/{repository.name}/actions/workflows/{quote(workflow)}/runs"
    parameters = {
        **({"event": event} if event else {}),
        **({"branch": branch} if branch else {}),
        "created": f">={since:%Y-%m-%dT%H:%M:%SZ}",
        "per_page": 100,
    }
    runs: dict[int, Run] = {}
    async for page in transport.pages(path, parameters, most=_MOST_PAGES):
        runs |= {run.id: run for run in map(run_of, rows(page, "workflow_runs"))}
    return [runs[number] for number in sorted(runs)]


async def run(transport: Transport, repository: Identity, number: int) -> Run:
    return run_of(await transport.read(f"/repos/{repository.name}/actions/runs/{number}"))


async def contains(transport: Transport, repository: Identity, commit: str, earlier: str) -> bool:
    """Compares two commits; the files that differ are on the first page alone, and are not asked for."""
    path = f"/repos/{repository.name}/compare/{quote(earlier)}...{quote(commit)}"
    try:
        data = await transport.read(path, {"per_page": 1, "page": 2})
    except Failure as failure:
        if failure.trouble is Trouble.MISSING:
            return False
        raise
    with shaped("comparison"):
        return data["status"] in ("ahead", "identical")


def _run_in(answer: Any) -> int | None:
    with shaped("run"):
        return int(answer["workflow_run_id"]) if isinstance(answer, dict) and "workflow_run_id" in answer else None
