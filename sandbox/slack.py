"""What Slack does and the emulator does not, and the workspace as a person sees it."""

import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox.edges.edge import Edge, Surroundings
from sandbox.programs.emulator import SLACK_CHANNEL, SLACK_TEAM_CHANNEL, SLACK_TOKEN

Json = Any
READING = ("/api/conversations.history", "/api/conversations.replies", "/api/conversations.list", "/api/auth.test")
WEBHOOK = "/services/T000000001/B000000001/sandboxwebhook"
SCOPES = "chat:write,channels:history,groups:history"
"""What the sandbox's app is granted; Slack names it in a header of each answer."""
FORM = ("content-type", "application/x-www-form-urlencoded")


class SlackEdge(Edge):
    """Adds reading by GET, `oldest` and `latest`, metadata only on request, scopes, and a webhook with a known
    address."""

    service = "slack"

    def __init__(self, upstream: str, surroundings: Surroundings) -> None:
        super().__init__(upstream, surroundings)
        for path in READING:
            self.routes.add("GET", path, self._read)
            self.routes.add("POST", path, self._read)
        self.routes.add("POST", "/services/{secret:path}", self._webhook)

    async def _read(self, request: Request) -> Response:
        asked = await _arguments(request)
        headers = [(name, value) for name, value in request.headers.items() if name == "authorization"]
        content = urlencode({name: str(value) for name, value in asked.items()}).encode()
        answer = await self.ask("POST", request.url.path, content=content, headers=[*headers, FORM])
        body = answer.json()
        if "messages" in body:
            body["messages"] = [_seen(message, asked) for message in body["messages"] if _within(message, asked)]
        content = json.dumps(body).encode()
        told = {"x-oauth-scopes": SCOPES} if body.get("ok") else {}
        return Response(content, answer.status_code, told, media_type="application/json")

    async def _webhook(self, request: Request, secret: str) -> Response:
        if request.url.path != WEBHOOK:
            return PlainTextResponse("no_service", 404)
        try:
            message = json.loads(await request.body())
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        content = json.dumps({**message, "channel": SLACK_CHANNEL}).encode()
        json_type = ("content-type", "application/json")
        answer = await self.ask("POST", WEBHOOK, content=content, headers=[json_type])
        return PlainTextResponse(answer.text, answer.status_code)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Reads Slack directly: nothing here is logged as traffic or meets a fault."""

    url: str
    upstream: str
    channel: str
    """The id of the channel that the bot posts to."""
    team_channel: str
    """The id of a channel of one team."""
    token: str = SLACK_TOKEN

    @classmethod
    async def of(cls, url: str, upstream: str) -> Self:
        listing = await _call(upstream, "conversations.list", {})
        ids = {row["name"]: str(row["id"]) for row in listing["channels"]}
        return cls(url, upstream, ids[SLACK_CHANNEL], ids[SLACK_TEAM_CHANNEL])

    @property
    def webhook(self) -> str:
        """An incoming webhook of the channel."""
        return self.url + WEBHOOK

    async def messages(self, channel: str | None = None) -> list[Json]:
        """A channel's messages outside threads, oldest first, with their metadata; without a name, of the bot's."""
        asked = {"channel": channel or self.channel, "limit": "1000"}
        return list(reversed((await _call(self.upstream, "conversations.history", asked))["messages"]))

    async def thread(self, ts: str) -> list[Json]:
        """The message `ts` and its replies, oldest first."""
        asked = {"channel": self.channel, "ts": ts}
        return list((await _call(self.upstream, "conversations.replies", asked))["messages"])


async def _call(upstream: str, method: str, arguments: dict[str, str]) -> Json:
    headers = {"authorization": f"Bearer {SLACK_TOKEN}"}
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        answer = await client.post(f"{upstream}/api/{method}", data=arguments, headers=headers)
    body = answer.json()
    if not body["ok"]:
        raise RuntimeError(f"Slack's {method} answered {body['error']}")
    return body


async def _arguments(request: Request) -> dict[str, object]:
    asked: dict[str, object] = dict(request.query_params)
    body = await request.body()
    if "json" in request.headers.get("content-type", ""):
        return {**asked, **json.loads(body or b"{}")}
    return {**asked, **dict(parse_qsl(body.decode()))}


def _within(message: Json, asked: dict[str, object]) -> bool:
    moment = float(message["ts"])
    oldest, latest = float(str(asked.get("oldest") or 0)), float(str(asked.get("latest") or "inf"))
    return oldest < moment < latest or (_says_yes(asked.get("inclusive")) and moment in (oldest, latest))


def _seen(message: Json, asked: dict[str, object]) -> Json:
    if _says_yes(asked.get("include_all_metadata")):
        return message
    return {name: value for name, value in message.items() if name != "metadata"}


def _says_yes(value: object) -> bool:
    return str(value).lower() in ("1", "true")
