"""OSV's API over HTTP: questions in batches, and records one by one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.clients.http.answers import Answer
from bot.clients.http.client import Http
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES

_LARGEST_BATCH = 32 * 1024 * 1024
"""What OSV says that an answer has at most over HTTP/1.1."""


class OsvClient:
    """Asks what an operator named; no redirect to another host counts."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def batch(self, address: str, queries: Sequence[Mapping[str, Any]]) -> Any:
        """What `/v1/querybatch` answers. It only asks, so it is tried again like a GET. Raises `Failure`."""
        answer = await self._http.request(
            "POST",
            f"{address.rstrip('/')}/v1/querybatch",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            content=json.dumps({"queries": list(queries)}).encode(),
            max_bytes=_LARGEST_BATCH,
            retry=True,
        )
        if answer.status != 200:
            raise _refusal_of(answer)
        return answer.json()

    async def record(self, address: str, name: str) -> bytes | None:
        """A record in the format of OSV; None where there is none of that name. Raises `Failure`."""
        url = f"{address.rstrip('/')}/v1/vulns/{quote(name, safe='')}"
        headers = {"Accept": "application/json"}
        answer = await self._http.request("GET", url, headers=headers, max_bytes=MAX_DOCUMENT_BYTES)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise _refusal_of(answer)
        return answer.body


def _refusal_of(answer: Answer) -> Failure:
    if answer.status in (401, 403):
        trouble, fault = Trouble.DENIED, "refuses access"
    else:
        trouble, fault = Trouble.MALFORMED, "gave an unexpected answer"
    return Failure(
        trouble, f"{fault} ({answer.status})", where=answer.where, advice="check the address", status=answer.status
    )
