"""Code scanning by REST: SARIF logs that are uploaded, where it is switched on."""

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
SARIFS = "/repos/{owner}/{repo}/code-scanning/sarifs"
ONE = "/repos/{owner}/{repo}/code-scanning/sarifs/{sarif_id}"
NOT_LICENSED = "Advanced Security must be enabled for this repository to use code scanning."


@dataclass(frozen=True, slots=True)
class CodeScanning:
    """`enabled` names the repositories that have it, `uploads` what each was sent, as commit, ref and log.

    `processing` is how far a repository's uploads are where they are not complete; `errors` are those of one that
    has failed.
    """

    edge: GitHubEdge
    enabled: set[str] = field(default_factory=set)
    uploads: dict[str, list[tuple[str, str, Json]]] = field(default_factory=dict)
    processing: dict[str, str] = field(default_factory=dict)
    errors: tuple[str, ...] = ("rejecting SARIF, as there are more runs than allowed",)

    def __post_init__(self) -> None:
        self.edge.routes.add("POST", SARIFS, self._upload)
        self.edge.routes.add("GET", ONE, self._state)

    async def _upload(self, request: Request, owner: str, repo: str) -> Response:
        name, body = f"{owner}/{repo}", await request.json()
        if name not in self.enabled:
            raise Refused(403, NOT_LICENSED)
        try:
            log = json.loads(gzip.decompress(base64.b64decode(body["sarif"], validate=True)))
        except (ValueError, OSError):
            raise Refused(400, "The SARIF file is no gzip in Base64.") from None
        self.uploads.setdefault(name, []).append((body["commit_sha"], body["ref"], log))
        number = _id(len(self.uploads[name]))
        shown = {"id": number, "url": f"{self.edge.url}/repos/{name}/code-scanning/sarifs/{number}"}
        return self.edge.reply("POST", SARIFS, 202, shown)

    async def _state(self, request: Request, owner: str, repo: str, sarif_id: str) -> Response:
        name = f"{owner}/{repo}"
        if name not in self.enabled:
            raise Refused(403, NOT_LICENSED)
        if sarif_id not in {_id(number) for number in range(1, len(self.uploads.get(name, ())) + 1)}:
            raise Refused(404, "Not Found")
        status = self.processing.get(name, "complete")
        url = f"{self.edge.url}/repos/{name}/code-scanning/analyses?sarif_id={sarif_id}"
        shown = {"processing_status": status, "analyses_url": url if status == "complete" else None}
        errors = list(self.errors) if status == "failed" else None
        return self.edge.reply("GET", ONE, 200, shown | {"errors": errors})


def _id(number: int) -> str:
    return f"47177e22-5596-11eb-80a1-c1e54ef{number:05x}"
