"""Answers over HTTP as values, and the failure that some of them are."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from bot.clients.http import bounds
from bot.domain.failure import Failure, Trouble


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` are looked up in any case; `url` is where the redirects ended.

    `redirected` says that another host than the one asked gave it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    redirected: bool = False

    @property
    def where(self) -> str:
        return bounds.where_of(httpx.URL(self.url))

    def json(self) -> Any:
        """The body as JSON. Raises `Failure` (malformed) where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            fault = "answered with something that is not JSON"
            raise Failure(Trouble.MALFORMED, fault, where=self.where, status=self.status) from error

    def retry_after(self, now: datetime) -> timedelta | None:
        return bounds.retry_after(self.headers.get("retry-after"), now)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is taken as it comes; `headers` and `redirected` are as in `Answer`."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    redirected: bool = False


def conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The headers that ask for a document unless it is still what these validators mark (RFC 9110, section 13)."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def validator(answer: Answer | Streamed, name: str, longest: int) -> str:
    """A validator to send back later; empty for one that is too long or not printable, which is done without."""
    value = answer.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""


def is_turned_away(answer: Answer) -> bool:
    """Whether the host could not or would not answer now."""
    return answer.status == 429 or answer.status >= 500


def turned_away(answer: Answer, now: datetime) -> Failure:
    """Returns what an answer that is turned away amounts to: THROTTLED for 429, else UNREACHABLE."""
    throttled = answer.status == 429
    return Failure(
        Trouble.THROTTLED if throttled else Trouble.UNREACHABLE,
        "asks for fewer requests (429)" if throttled else f"has trouble of its own ({answer.status})",
        where=answer.where,
        advice="it is tried again later",
        retry_after=answer.retry_after(now),
        status=answer.status,
    )
