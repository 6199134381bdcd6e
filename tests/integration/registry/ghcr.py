"""GitHub's container registry, as it signs callers in: a token service beside it, and packages that are private.

Sources: CNCF Distribution, "Token Authentication"; GitHub, "Working with the container registry".
"""

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.bases.image import OCI_INDEX
from tests.integration.registry.signing_in import SigningIn

DIGEST = f"sha256:{'e' * 64}"
CLASSIC, OF_APP = "ghp_classic", "ghs_installation"
"""A token that reads packages, and one that signs in and reads none that is private."""


class Ghcr(SigningIn):
    def routes(self) -> list[Route]:
        registry = self.at("/v2", self._registry)
        return [
            Route("/token", self.at("/token", self._token)),
            Route("/v2/{name:path}", registry, methods=["GET", "HEAD"]),
        ]

    async def _token(self, request: Request) -> Response:
        assert request.query_params["service"] == self.host
        shown = request.headers.get("authorization", "").removeprefix("Basic ")
        _, _, password = base64.b64decode(shown).decode().partition(":")
        if password and password not in (CLASSIC, OF_APP):
            return JSONResponse({"errors": [{"code": "DENIED", "message": "denied"}]}, 403)
        return JSONResponse({"token": base64.b64encode((password or "nobody").encode()).decode()})

    async def _registry(self, request: Request) -> Response:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not shown:
            name = request.path_params["name"].partition("/manifests/")[0]
            where = f'realm="https://{self.host}/token",service="{self.host}",scope="repository:{name}:pull"'
            return Response(status_code=401, headers={"www-authenticate": f"Bearer {where}"})
        if base64.b64decode(shown).decode() != CLASSIC:
            told = "permission_denied: read_package"
            return JSONResponse({"errors": [{"code": "DENIED", "message": told}]}, 403)
        return Response(headers={"docker-content-digest": DIGEST, "content-type": OCI_INDEX})
