"""How a request is refused before a page or the API has it: in one line, in the shape that was asked for."""

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response


def refusal(
    connection: HTTPConnection, status: int, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answers with text, or with JSON as the API's description has it where that was asked."""
    if connection.scope["path"].startswith("/api/"):
        return JSONResponse({"detail": text}, status, headers)
    return PlainTextResponse(f"{text}\n", status, headers)
