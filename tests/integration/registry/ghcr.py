"""GitHub's container registry, as it signs callers in: a token service beside it, and packages that are private.

Sources: CNCF Distribution, "Token Authentication"; GitHub, "Working with the container registry".
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.bases.image import OCI_INDEX
from sandbox.edges.serving import Server

DIGEST = f"sha256:{'e' * 64}"
CLASSIC, OF_APP = "ghp_classic", "ghs_installation"
"""A token that reads packages, and one that signs in and reads none that is private."""


@dataclass
class Ghcr:
    """`answers` is what a path answers in place of what it would."""

    certificate: Path
    answers: dict[str, Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        routes = [Route("/token", self._token), Route("/v2/{name:path}", self._registry, methods=["GET", "HEAD"])]
        self.server = Server(Starlette(routes=routes), self.certificate)

    def forget(self) -> None:
        """Answers as at the start, and remembers nothing that was asked."""
        self.answers, self.asked = {}, []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    async def _token(self, request: Request) -> Response:
        self.asked.append("/token")
        if (answer := self.answers.get("/token")) is not None:
            return answer
        assert request.query_params["service"] == self.host
        shown = request.headers.get("authorization", "").removeprefix("Basic ")
        _, _, password = base64.b64decode(shown).decode().partition(":")
        if password and password not in (CLASSIC, OF_APP):
            return JSONResponse({"errors": [{"code": "DENIED", "message": "denied"}]}, 403)
        return JSONResponse({"token": base64.b64encode((password or "nobody").encode()).decode()})

    async def _registry(self, request: Request) -> Response:
        self.asked.append("/v2")
        if (answer := self.answers.get("/v2")) is not None:
            return answer
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not shown:
            name = request.path_params["name"].partition("/manifests/")[0]
            where = f'realm="https://{self.host}/token",service="{self.host}",scope="repository:{name}:pull"'
            return Response(status_code=401, headers={"www-authenticate": f"Bearer {where}"})
        if base64.b64decode(shown).decode() != CLASSIC:
            told = "permission_denied: read_package"
            return JSONResponse({"errors": [{"code": "DENIED", "message": told}]}, 403)
        return Response(headers={"docker-content-digest": DIGEST, "content-type": OCI_INDEX})
