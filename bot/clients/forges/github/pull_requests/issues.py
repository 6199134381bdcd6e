"""The bot's one issue in a repository. REST alone tells of pull requests' labels and issues in one listing."""

from collections.abc import Mapping
from typing import Any

from bot.clients.forges.github.connection.shapes import rows, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.issue import Issue
from bot.domain.repositories.repository import Identity


async def find(transport: Transport, repository: Identity, label: str, mark: str) -> Issue | None:
    """GitHub lists pull requests among the issues; the newest hundred with the label are looked through."""
    parameters = {"labels": label, "state": "open", "per_page": 100}
    page = await transport.read(f"/repos/{repository.name}/issues", parameters)
    with shaped("list of issues"):
        issues = [_issue_of(row) for row in rows(page, None) if "pull_request" not in row]
    return next((issue for issue in issues if mark in issue.body), None)


async def read(transport: Transport, repository: Identity, number: int) -> Issue | None:
    try:
        row = await transport.read(f"/repos/{repository.name}/issues/{number}")
    except Failure as failure:
        if failure.trouble is Trouble.MISSING:
            return None
        raise
    with shaped("issue"):
        return _issue_of(row)


async def open_one(transport: Transport, repository: Identity, title: str, body: str, label: str) -> Issue:
    row = await transport.write(
        "POST", f"/repos/{repository.name}/issues", {"title": title, "body": body, "labels": [label]}
    )
    with shaped("issue"):
        return _issue_of(row)


async def change(transport: Transport, repository: Identity, number: int, body: str, *, is_open: bool) -> None:
    state = {"state": "open"} if is_open else {"state": "closed", "state_reason": "completed"}
    await transport.write("PATCH", f"/repos/{repository.name}/issues/{number}", {"body": body, **state})


def _issue_of(row: Mapping[str, Any]) -> Issue:
    return Issue(int(row["number"]), str(row["body"] or ""), row["state"] == "open", str(row["html_url"]))
