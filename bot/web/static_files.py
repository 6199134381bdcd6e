"""What pages are drawn with: a browser keeps each file for good under an address that its content makes."""

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOLDER = Path(__file__).with_name("static")


@cache
def address_of(name: str) -> str:
    """The address of a file, another one with every content."""
    return f"/static/{name}?v={_mark(name)}"


@cache
def _mark(name: str) -> str:
    return hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest()[:16]


class MarkedFiles(StaticFiles):
    """The files, to be kept for a year where the address is that of their content, else to be asked for anew."""

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            marks = parse_qs(scope.get("query_string", b"").decode("ascii", "replace")).get("v", [])
            is_its_own = marks == [_mark(path)]
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_its_own else "no-cache"
        return response
