"""Holds every request of the bot to GitHub's description of the server that the edge plays."""

import json
from typing import Any

from starlette.requests import Request

from sandbox.edges.traffic import Traffic
from sandbox.github.openapi import DOTCOM, Description, Operation, description
from sandbox.github.refusals import Refused

Json = Any

VERSION = "2022-11-28"
"""The one version of the REST API that is played, and that requests without a header mean."""


class Described:
    """What does not fit is kept in `violations` of the traffic, and refused as GitHub would."""

    def __init__(self, server: str, traffic: Traffic) -> None:
        self.server = server
        self.traffic = traffic

    @property
    def is_enterprise_server(self) -> bool:
        return self.server != DOTCOM

    @property
    def description(self) -> Description:
        return description(self.server)

    async def operation(self, request: Request) -> Operation:
        """The operation that the request means, with everything about it as described. Raises `Refused`."""
        method, path = request.method, request.url.path
        operation = self.description.operation("GET" if method == "HEAD" else method, path)
        if operation is None:
            self._note(request, "no such operation is described")
            raise Refused(404, "Not Found")
        if request.headers.get("x-github-api-version", VERSION) != VERSION:
            self._note(request, f"the sandbox plays version {VERSION} only")
            raise Refused(400, "Unsupported 'X-GitHub-Api-Version' header.")
        body = self._body(request, await request.body())
        if wrong := self.description.mistakes(operation, path, dict(request.query_params), body):
            for mistake in wrong:
                self._note(request, mistake)
            # 400 and 422 have both been seen for an unknown key, on different versions
            raise Refused(400 if self.server == "ghes-3.19" else 422, "Invalid request.\n\n" + "\n".join(wrong))
        return operation

    def _body(self, request: Request, content: bytes) -> Json:
        if not content or request.method in ("GET", "HEAD"):
            return None
        try:
            return json.loads(content)
        except ValueError:
            self._note(request, "the body is no JSON")
            raise Refused(400, "Problems parsing JSON") from None

    def _note(self, request: Request, mistake: str) -> None:
        self.traffic.violations.append(f"{self.server}: {request.method} {request.url.path}: {mistake}")
