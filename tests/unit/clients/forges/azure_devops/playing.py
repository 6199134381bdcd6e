"""The sandbox's Azure DevOps in memory, and a client of it whose waits move its clock on."""

import json
from datetime import timedelta

import httpx

from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.clients.http.client import Http
from bot.domain.clock import ManualClock
from sandbox.azure_devops.asked import Question
from sandbox.azure_devops.service import Service


def played(service: Service) -> httpx.MockTransport:
    async def handle(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        said = request.headers.get("authorization", "")
        path = request.url.raw_path.decode().partition("?")[0]
        reply = await service.answer(Question(request.method, path, dict(request.url.params), said, body))
        if isinstance(reply.content, str | bytes):
            return httpx.Response(reply.status, content=reply.content, headers=reply.headers)
        return httpx.Response(reply.status, json=reply.content, headers=reply.headers)

    return httpx.MockTransport(handle)


def transports_of(http: Http, clock: ManualClock, token: str = "good") -> dict[str, OrganizationTransport]:
    async def authorization() -> str:
        return f"Bearer {token}"

    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    names = ("contoso", "fabrikam")
    return {each: OrganizationTransport(http, clock, each, authorization, sleep=sleep) for each in names}


def pipelines_of(service: Service, http: Http, clock: ManualClock, token: str = "good") -> Pipelines:
    return Pipelines(transports_of(http, clock, token))
