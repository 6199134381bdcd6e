"""A request to Azure DevOps, what it is answered, and the forms that many answers share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
PAGE = 2
"""Rows of one page, so that even the small lists of tests have several."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request; `path` is as it came, with its escapes."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str = ""
    body: Json = None


@dataclass(frozen=True, slots=True)
class Reply:
    """`content` is JSON, the text of a page, or a file."""

    status: int
    content: Json
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(status: int, type_key: str, message: str) -> Reply:
    return Reply(status, {"message": message, "typeKey": type_key})


def missing(message: str) -> Reply:
    return Reply(404, {"message": message, "typeKey": "NotFoundException"})


def paged(rows: list[dict[str, Json]], query: Mapping[str, str], page: int = PAGE) -> Reply:
    start = int(query.get("continuationToken", "0"))
    is_paged = "buildIds" not in query and "$top" not in query
    most = int(query.get("$top", len(rows)))
    end = start + page if is_paged else most
    shown = rows[start:end]
    more = {"x-ms-continuationtoken": str(end)} if is_paged and end < len(rows) else {}
    return Reply(200, {"count": len(shown), "value": shown}, more)
