"""What a request to GitHub says of itself: who asks, for which of the limits, under which address; and answers."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

Json = Any

BY_NAME = re.compile(r"/repos/([^/]+/[^/]+)((?:/.*)?)")
BY_NUMBER = re.compile(r"/repositories/(\d{1,18})((?:/.*)?)")


def token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def resource_of(request: Request) -> str:
    """Which of the hourly limits the request counts for."""
    return "graphql" if request.url.path == "/graphql" else "core"


def readdressed(request: Request, path: str, raw_path: str) -> Request:
    """The same request to another path."""
    again = Request({**request.scope, "path": path, "raw_path": raw_path.encode()})
    again._body = request._body  # read already, before anything was answered
    return again


def of_repository(request: Request, repository: str, rest: str) -> Request:
    """The same request under the repository's own name; what follows keeps its escapes."""
    if request.url.path == f"/repos/{repository}{rest}":
        return request
    raw = request.scope["raw_path"].decode()
    found = BY_NAME.fullmatch(raw) or BY_NUMBER.fullmatch(raw)
    return readdressed(request, f"/repos/{repository}{rest}", f"/repos/{repository}{found[2] if found else rest}")


def json_response(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return Response(json.dumps(body).encode(), status, sent)


def timestamp(at: datetime) -> str:
    """As GitHub writes times: seconds, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def integer(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default
