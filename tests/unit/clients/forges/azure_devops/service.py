"""Azure Pipelines of two organisations in memory; each request and answer is held to the official description."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.forges.azure_devops.transport import Transport
from bot.clients.http.client import Http
from bot.domain.clock import ManualClock
from sandbox.azure_devops.described import mistakes_of_answer, mistakes_of_request

PROJECT = {"id": "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", "name": "team one"}
PAGE = 2
"""Rows of one page."""
_SIGN_IN = "<html>Sign in</html>"


@dataclass(slots=True)
class Service:
    """Only who shows `token` is let in. `mistakes` are what was asked or answered otherwise than is described."""

    folder: Path
    clock: ManualClock
    token: str = "good"
    definitions: dict[int, dict[str, Any]] = field(default_factory=dict)
    builds: dict[int, dict[str, Any]] = field(default_factory=dict)
    timelines: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    refusal: tuple[int, dict[str, Any]] | None = None
    takes_none: bool = False
    """Whether no pipeline declares parameters."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def define(self, number: int, **values: Any) -> None:
        process = {"type": 2, "yamlFilename": "azure-pipelines.yml"}
        known = {
            "id": number,
            "name": "shop",
            "project": PROJECT,
            "queueStatus": "enabled",
            "process": process,
            "repository": {"id": "octo/shop", "type": "GitHub", "defaultBranch": "refs/heads/main"},
        }
        self.definitions[number] = {**known, **values}

    def build(self, number: int, definition: int = 12, **values: Any) -> None:
        self.builds[number] = {
            "_links": {"web": {"href": f"https://dev.azure.com/contoso/_build/results?buildId={number}"}},
            "id": number,
            "buildNumber": f"20261130.{number}",
            "definition": {"id": definition},
            "status": "completed",
            "result": "succeeded",
            "reason": "manual",
            "queueTime": "2026-11-30T10:11:12.1234567Z",
            "sourceBranch": "refs/heads/main",
            "sourceVersion": "c0ffee",
            "project": PROJECT,
            **values,
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the service answers, with everything about it checked."""
        path, query = request.url.path, dict(request.url.params)
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, unquote(path)))
        self.bodies.append(body)
        self.mistakes += mistakes_of_request(self.folder, request.method, path, query, body)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return httpx.Response(203, text=_SIGN_IN, headers={"content-type": "text/html"})
        if self.refusal is not None:
            return httpx.Response(self.refusal[0], json=self.refusal[1], headers=self.headers)
        if self.takes_none and body and body.get("templateParameters"):
            message = "Unexpected parameter 'correlation'"
            return httpx.Response(400, json={"message": message, "typeKey": "PipelineValidationException"})
        shown, token = self._shown(request.method, unquote(path), query)
        if shown is None:
            return httpx.Response(404, json={"message": "not there", "typeKey": "BuildNotFoundException"})
        self.mistakes += mistakes_of_answer(self.folder, request.method, path, shown)
        headers = {**self.headers, **({"x-ms-continuationtoken": token} if token else {})}
        return httpx.Response(200, json=shown, headers=headers)

    def _shown(self, method: str, path: str, query: Mapping[str, str]) -> tuple[Any, str | None]:
        part = path.partition("/_apis/")[2].split("/")
        match part:
            case ["pipelines", number, "runs"] if method == "POST":
                self.build(len(self.builds) + 100, int(number), status="notStarted", result=None)
                return {"id": max(self.builds), "state": "inProgress"}, None
            case ["build", "definitions"]:
                wanted = query.get("definitionIds", ",".join(map(str, self.definitions))).split(",")
                return _page(
                    [_reference(row) for key, row in self.definitions.items() if str(key) in wanted], query
                )
            case ["build", "definitions", number]:
                return self.definitions.get(int(number)), None
            case ["build", "builds"]:
                return _page([row for row in self.builds.values() if _is_wanted(row, query)], query)
            case ["build", "builds", number]:
                return self.builds.get(int(number)), None
            case ["build", "builds", number, "timeline"]:
                return {"records": self.timelines.get(int(number), [])}, None
        return None, None

    def pipelines(self, http: Http, token: str = "good") -> Pipelines:
        """A client of this service, whose waits move its clock on."""

        async def authorization() -> str:
            return f"Bearer {token}"

        async def sleep(seconds: float) -> None:
            self.clock.advance(timedelta(seconds=seconds))

        names = ("contoso", "fabrikam")
        return Pipelines({each: Transport(http, self.clock, each, authorization, sleep=sleep) for each in names})


def _page(rows: list[dict[str, Any]], query: Mapping[str, str]) -> tuple[Any, str | None]:
    start = int(query.get("continuationToken", "0"))
    is_paged = "buildIds" not in query and "maxBuildsPerDefinition" not in query and "$top" not in query
    end = start + PAGE if is_paged else len(rows)
    shown = rows[start:end]
    return {"count": len(shown), "value": shown}, str(end) if end < len(rows) else None


def _reference(row: dict[str, Any]) -> dict[str, Any]:
    """A definition as lists show it: what it builds is told of one alone."""
    return {key: value for key, value in row.items() if key not in ("repository", "variables")}


def _is_wanted(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    ids, definitions = query.get("buildIds"), query.get("definitions")
    return (
        (ids is None or str(row["id"]) in ids.split(","))
        and (definitions is None or str(row["definition"]["id"]) in definitions.split(","))
        and query.get("reasonFilter", row["reason"]) == row["reason"]
        and query.get("resultFilter", row["result"]) == row["result"]
        and query.get("branchName", row["sourceBranch"]) == row["sourceBranch"]
    )
