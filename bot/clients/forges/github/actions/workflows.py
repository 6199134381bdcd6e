"""Workflows are started, their runs found, and what these left behind: why one failed, and its artifacts.

GitHub hands an archive over with a redirect to a store of its own, at an address that holds for a minute and is a
secret: whoever has it may fetch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.connection.answers import denial_in
from bot.clients.forges.github.connection.shapes import rows, run_of, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.builder.runs import Artifact, FailedJob, Run
from bot.domain.failure import Failure, Trouble
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


def _run_in(answer: Any) -> int | None:
    with shaped("run"):
        return int(answer["workflow_run_id"]) if isinstance(answer, dict) and "workflow_run_id" in answer else None


_BAD = frozenset({"failure", "timed_out", "startup_failure", "action_required"})
_LONGEST = 200


async def first_failure(transport: Transport, repository: Identity, run: int) -> FailedJob | None:
    """Asks in two requests; None where no job has failed. To see what a job annotates needs a right of its own."""
    home = f"/repos/{repository.name}"
    data = await transport.read(f"{home}/actions/runs/{run}/jobs", {"filter": "latest", "per_page": 100})
    job = _first_bad(rows(data, "jobs"))
    if job is None:
        return None
    with shaped("job"):
        step = _first_bad(row for row in job.get("steps") or () if isinstance(row, dict))
        number, name = int(job["id"]), str(job["name"])
    annotation = await _first_annotation(transport, f"{home}/check-runs/{number}/annotations")
    denial = denial_in(annotation)
    return FailedJob(
        name, str(step["name"]) if step else "", annotation, denial.advice if denial is not None else ""
    )


def _first_bad(candidates: Any) -> Mapping[str, Any] | None:
    return next((row for row in candidates if row.get("conclusion") in _BAD), None)


async def _first_annotation(transport: Transport, path: str) -> str:
    try:
        annotations = rows(await transport.read(path, {"per_page": 20}), None)
    except Failure as failure:
        if failure.trouble not in (Trouble.DENIED, Trouble.MISSING):
            raise
        return ""
    failures = [row for row in annotations if row.get("annotation_level") == "failure"]
    texts = (" ".join(str(row.get("message") or "").split()) for row in failures)
    return next((text for text in texts if text), "")[:_LONGEST]


_MOST_PAGES_OF_ARTIFACTS = 2


async def artifacts(transport: Transport, repository: Identity, run: int) -> list[Artifact]:
    """Lists what a run has left behind, the newest first: of one name, the first is of the last attempt."""
    run_artifacts: list[Artifact] = []
    path = f"/repos/{repository.name}/actions/runs/{run}/artifacts"
    async for page in transport.pages(path, most=_MOST_PAGES_OF_ARTIFACTS):
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
