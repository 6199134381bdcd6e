"""An Azure Container Registry, and before it Microsoft Entra and a machine's identity service, as published.

Sources: Azure/acr, "AAD-OAuth"; Microsoft identity platform, "client credentials with a federated credential";
Azure, "managed identities: acquire a token over HTTP".
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.bases.image import OCI_INDEX
from tests.integration.registry.signing_in import SigningIn

AUDIENCE = "https://containerregistry.azure.net"
DIGEST = f"sha256:{'d' * 64}"
ASSERTION = "the pod's service account token"
EXPIRED_ASSERTION = "the pod's service account token of yesterday"
ENTRA, MACHINE = "/oauth2/v2.0/token", "/metadata/identity/oauth2/token"
EXCHANGE, TOKEN = "/oauth2/exchange", "/oauth2/token"


@dataclass
class Azure(SigningIn):
    """All three are one server. What is set below changes how they answer; places are named without the tenant."""

    audience: str = AUDIENCE
    """What the registry takes a token for."""
    lifetime: float = 3 * 3600
    """Seconds that a refresh token is good for."""
    entra_lifetime: float = 3600
    """Seconds that a token of Entra's is good for."""
    taken_back: set[str] = field(default_factory=set)
    """Refresh tokens that are good no more, whatever they say."""

    def routes(self) -> list[Route]:
        return [
            Route(f"/{{tenant}}{ENTRA}", self.at(ENTRA, self._workload), methods=["POST"]),
            Route(MACHINE, self.at(MACHINE, self._machine)),
            Route(EXCHANGE, self.at(EXCHANGE, self._exchange), methods=["POST"]),
            Route(TOKEN, self.at(TOKEN, self._token), methods=["POST"]),
            Route("/v2/{name:path}", self._registry, methods=["GET", "HEAD"]),
        ]

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    async def _form(self, request: Request) -> Mapping[str, str]:
        return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}

    async def _workload(self, request: Request) -> Response:
        form = await self._form(request)
        if form["client_assertion"] == EXPIRED_ASSERTION:
            told = "AADSTS700024: Client assertion is not within its valid time range."
            return JSONResponse({"error": "invalid_client", "error_description": told}, 401)
        if form["client_assertion"] != ASSERTION:
            told = "AADSTS700213: No matching federated identity record found for presented assertion."
            return JSONResponse({"error": "invalid_client", "error_description": told}, 401)
        return self._entra_token(form["scope"].removesuffix("/.default"))

    async def _machine(self, request: Request) -> Response:
        if request.headers.get("metadata") != "true":
            return JSONResponse({"error": "invalid_request"}, 400)
        return self._entra_token(request.query_params["resource"])

    def _entra_token(self, audience: str) -> Response:
        token = _web_token({"aud": audience, "exp": time.time() + self.entra_lifetime})
        return JSONResponse({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    async def _exchange(self, request: Request) -> Response:
        form = await self._form(request)
        claims = claims_of(form["access_token"])
        complete = form["grant_type"] == "access_token" and form["service"] == self.host
        if not complete or claims["aud"] != self.audience or float(claims["exp"]) < time.time():
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}, 401)
        number = self.asked.count(EXCHANGE)
        return JSONResponse({"refresh_token": _web_token({"exp": time.time() + self.lifetime, "number": number})})

    async def _token(self, request: Request) -> Response:
        form = await self._form(request)
        token = form["refresh_token"]
        good = form["grant_type"] == "refresh_token" and form["service"] == self.host
        if not good or token in self.taken_back or claims_of(token)["exp"] < time.time():
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED"}]}, 401)
        return JSONResponse({"access_token": f"{form['scope']} by {claims_of(token)['number']}".replace(" ", "-")})

    async def _registry(self, request: Request) -> Response:
        name = request.path_params["name"].partition("/manifests/")[0]
        shown = request.headers.get("authorization", "")
        if not shown.startswith(f"Bearer repository:{name}:pull-by-"):
            ask = f'Bearer realm="https://{self.host}/oauth2/token",service="{self.host}"'
            return Response(status_code=401, headers={"www-authenticate": ask})
        return Response(headers={"docker-content-digest": DIGEST, "content-type": OCI_INDEX})


def _web_token(claims: Mapping[str, object]) -> str:
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
    return f"{head}.{body}.signature"


def claims_of(token: str) -> Mapping[str, Any]:
    body = token.split(".")[1]
    claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims
