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
NOT_LICENSED = "Advanced Security must be enabled for this repository to use code scanning."


@dataclass(frozen=True, slots=True)
class CodeScanning:
    """`enabled` names the repositories that have it, `uploads` what each was sent, as commit, ref and log."""

    edge: GitHubEdge
    enabled: set[str] = field(default_factory=set)
    uploads: dict[str, list[tuple[str, str, Json]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.edge.routes.add("POST", SARIFS, self._upload)

    async def _upload(self, request: Request, owner: str, repo: str) -> Response:
        name, body = f"{owner}/{repo}", await request.json()
        if name not in self.enabled:
            raise Refused(403, NOT_LICENSED)
        try:
            log = json.loads(gzip.decompress(base64.b64decode(body["sarif"], validate=True)))
        except (ValueError, OSError):
            raise Refused(400, "The SARIF file is no gzip in Base64.") from None
        self.uploads.setdefault(name, []).append((body["commit_sha"], body["ref"], log))
        number = f"47177e22-5596-11eb-80a1-c1e54ef945c{len(self.uploads[name]) % 10}"
        shown = {"id": number, "url": f"{self.edge.url}/repos/{name}/code-scanning/sarifs/{number}"}
        return self.edge.reply("POST", SARIFS, 202, shown)
