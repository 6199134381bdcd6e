"""GitHub's JSON as values of ours; what has another shape is a `Failure`."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from bot.domain.builder.runs import Run
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import GitTree, Repository, TreeEntry

_RUN_PAGE = re.compile(r"/actions/runs/([0-9]{1,18})(?:[/?#]|$)")
_SAME_SECOND = timedelta(seconds=2)
"""GitHub tells whole seconds, both of a push and of a list."""


@contextmanager
def shaped(kind: str) -> Iterator[None]:
    """Turns an answer of another shape into a `Failure`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Failure(
            Trouble.MALFORMED, f"the answer is no {kind} ({type(error).__name__})", advice="check github.api_url"
        ) from error


def rows(data: Any, key: str | None) -> list[dict[str, Any]]:
    rows = data.get(key) if key is not None and isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise Failure(Trouble.MALFORMED, f"a list was expected{f' under {key!r}' if key else ''}")
    return [row for row in rows if isinstance(row, dict)]


def repository_of(row: Mapping[str, Any], listed_at: datetime | None) -> Repository:
    """Reads a row of a list that the server made at `listed_at` by its own clock."""
    pushed_at = _moment(row.get("pushed_at"))
    return Repository(
        name=str(row["full_name"]),
        default_branch=str(row.get("default_branch") or "main"),
        pushed_at=pushed_at,
        pushed_lately=bool(pushed_at and listed_at and listed_at - pushed_at <= _SAME_SECOND),
        archived=bool(row.get("archived")),
        disabled=bool(row.get("disabled")),
        fork=bool(row.get("fork")),
        topics=tuple(str(topic) for topic in row.get("topics") or ()),
        id=str(int(row["id"])) if row.get("id") is not None else None,
        node_id=str(row["node_id"]) if row.get("node_id") else None,
    )


def tree_of(data: Mapping[str, Any]) -> GitTree:
    entries = tuple(
        TreeEntry(
            path=str(row["path"]),
            sha=str(row.get("sha") or ""),
            mode=str(row.get("mode")),
            kind=str(row.get("type")),
            size=int(row.get("size") or 0),
        )
        for row in rows(data, "tree")
    )
    return GitTree(str(data["sha"]), entries, bool(data.get("truncated")))


@shaped("run")
def run_of(row: Mapping[str, Any]) -> Run:
    return Run(
        id=int(row["id"]),
        url=str(row.get("html_url") or ""),
        status=str(row.get("status") or ""),
        conclusion=row.get("conclusion"),
        created_at=_moment(row.get("created_at")),
        title=str(row.get("display_title") or ""),
        node_id=str(row["check_suite_node_id"]) if row.get("check_suite_node_id") else None,
        commit=str(row["head_sha"]) if row.get("head_sha") else None,
        number=int(row["run_number"]) if row.get("run_number") else None,
        updated_at=_moment(row.get("updated_at")),
        branch=str(row["head_branch"]) if row.get("head_branch") else None,
        event=str(row.get("event") or ""),
    )


def run_id_in(url: str) -> int | None:
    """The run's number as REST has it: GraphQL's `databaseId` has 32 bits, and numbers have outgrown those."""
    match = _RUN_PAGE.search(url)
    return int(match[1]) if match is not None else None


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
