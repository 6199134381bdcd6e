"""What holds for every request to GitHub: credentials, permissions, rate limits, ETags, pages.

Sources: GitHub's REST documentation and its OpenAPI description.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response

from sandbox.edge import Edge, Surroundings, target
from sandbox.emulator import BOT_TOKEN, OPERATOR_TOKEN, spare
from sandbox.github.openapi import description
from sandbox.github.shapes import as_github

DOCUMENTATION = "https://docs.github.com/rest"
GIT_DATA = re.compile(r"/repos/([^/]+/[^/]+)/(?:git|commits)/")

Json = Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the emulator said."""

    status: int
    body: Json


@dataclass(frozen=True, slots=True)
class Grant:
    """What an installation token may do."""

    account: str
    permissions: Mapping[str, str]
    repository_ids: frozenset[int] | None
    """None: all of the account's."""


class Refused(Exception):
    """Answered to the client as GitHub would."""

    def __init__(self, status: int, message: str, errors: list[Json] | None = None) -> None:
        self.status = status
        self.body: dict[str, Json] = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors
        super().__init__(message)


class GitHubEdge(Edge):
    """With `validate`, every answer that the edge makes itself is checked against GitHub's description;
    what does not fit is kept in `complaints` and answered with 500."""

    service = "github"

    def __init__(self, upstream: str, url: str, surroundings: Surroundings, *, validate: bool = False) -> None:
        super().__init__(upstream, surroundings, OPERATOR_TOKEN)
        self.url = url
        self.validate = validate
        self.complaints: list[str] = []
        self.overlays: dict[str, dict[str, Json]] = {}
        """Repository fields that the emulator cannot hold, by full name."""
        self.grants: dict[str, Grant] = {}
        self.rate_limit = 5000
        """Requests an hour for each token but the operator's."""
        self._used: Counter[tuple[str, int]] = Counter()
        self._sent = 0
        self.routes.add("GET", "/rate_limit", self._rate_limit)
        self.routes.add("POST", "/app/installations/{installation}/access_tokens", self._access_token)

    # --- every request ---

    async def answer(self, request: Request) -> Response:
        try:
            self._check_credentials(request)
            self._check_rate(request)
            await self._check_archived(request)
            response = await super().answer(request)
        except Refused as refusal:
            response = _json(refusal.status, refusal.body)
        response = self._conditional(request, response)
        self._count(request, response)
        return response

    async def forward(self, request: Request) -> Response:
        headers = [pair for pair in request.headers.items() if pair[0] in ("accept", "content-type", "user-agent")]
        answer = await self._ask(request.method, target(request), token_of(request), await request.body(), headers)
        if answer.status_code == 404 and (found := GIT_DATA.match(request.url.path)):
            await self._check_empty(found[1], request)
        content = answer.content
        if answer.headers.get("content-type", "").startswith("application/json"):
            content = json.dumps(as_github(content, self.overlays)).encode()
        kept = [name for name in ("content-type", "link", "location") if name in answer.headers]
        return Response(content, answer.status_code, {name: answer.headers[name] for name in kept})

    async def call(self, method: str, path: str, body: Json = None, *, like: Request | None = None) -> Answer:
        """Asks the emulator, as the caller of `like` or else as the operator."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = [("content-type", "application/json"), ("user-agent", "sandbox")]
        answer = await self._ask(method, path, token_of(like) if like else OPERATOR_TOKEN, content, headers)
        return Answer(answer.status_code, as_github(answer.content, self.overlays))

    async def _ask(
        self, method: str, path: str, token: str, content: bytes, headers: list[tuple[str, str]]
    ) -> httpx.Response:
        self._sent += 1
        inner = spare(token, self._sent) if token in (BOT_TOKEN, OPERATOR_TOKEN) else token
        credentials = [("authorization", f"Bearer {inner}")] if inner else []
        return await self.ask(method, path, content=content, headers=[*headers, *credentials])

    def reply(
        self, method: str, path: str, status: int, body: Json, headers: Mapping[str, str] | None = None
    ) -> Response:
        """An answer of our own; `path` is the template in GitHub's description."""
        if self.validate and (wrong := description().complaints(method, path, status, body)):
            self.complaints.extend(wrong)
            return _json(500, {"message": "; ".join(wrong[:5])})
        return Response(status_code=status) if body is None else _json(status, body, headers)

    def pushed(self, repository: str) -> None:
        """Notes that a branch of `repository` moved now."""
        self.overlays.setdefault(repository, {})["pushed_at"] = self.now()

    def now(self) -> str:
        return timestamp(self.surroundings.clock.now())

    def require(self, request: Request, permission: str, level: str) -> None:
        """Raises `Refused` where the caller is an installation that lacks the permission."""
        grant = self.grants.get(token_of(request))
        if not token_of(request):
            raise Refused(401, "Requires authentication")
        if grant is not None and grant.permissions.get(permission) not in ({"write"} | {level}):
            raise Refused(403, "Resource not accessible by integration")

    async def caller(self, request: Request) -> Json:
        """The account that acts: a user, or the app's bot."""
        if token_of(request) in self.grants:
            operator = (await self.call("GET", "/user")).body
            return {**operator, "login": "freshness-bot[bot]", "type": "Bot"}
        return (await self.call("GET", "/user", like=request)).body

    def page(self, request: Request, rows: list[Json]) -> tuple[list[Json], dict[str, str]]:
        """The rows asked for by `per_page` and `page`, and the Link header that leads on."""
        size = min(max(_integer(request, "per_page", 30), 1), 100)
        page = max(_integer(request, "page", 1), 1)
        last = max((len(rows) + size - 1) // size, 1)
        targets = {"prev": page - 1 if page > 1 else None, "first": 1 if page > 1 else None}
        targets |= {"next": page + 1 if page < last else None, "last": last if page < last else None}
        here = request.url.replace(scheme="http", netloc=self.url.removeprefix("http://"))
        links = [
            f'<{here.include_query_params(page=number)}>; rel="{name}"'
            for name, number in targets.items()
            if number is not None
        ]
        return rows[(page - 1) * size : page * size], {"link": ", ".join(links)} if links else {}

    def _check_credentials(self, request: Request) -> None:
        token = token_of(request)
        known = token in (BOT_TOKEN, OPERATOR_TOKEN, "") or token in self.grants
        if not known and token.count(".") != 2:  # two dots: a JSON web token, which the emulator checks
            raise Refused(401, "Bad credentials")

    async def _check_archived(self, request: Request) -> None:
        """Only the repository itself may still be changed, to bring it back."""
        matched = re.fullmatch(r"/repos/([^/]+/[^/]+)/.+", request.url.path)
        if request.method in ("GET", "HEAD") or matched is None or token_of(request) == OPERATOR_TOKEN:
            return
        repository = await self.call("GET", f"/repos/{matched[1]}")
        if repository.status == 200 and repository.body["archived"]:
            raise Refused(403, "Repository was archived so is read-only.")

    async def _check_empty(self, repository: str, request: Request) -> None:
        """Raises `Refused` where the repository has no commit at all."""
        branches = await self.call("GET", f"/repos/{repository}/branches", like=request)
        if branches.status == 200 and not branches.body:
            raise Refused(409, "Git Repository is empty.")

    def _conditional(self, request: Request, response: Response) -> Response:
        if request.method != "GET" or response.status_code != 200:
            return response
        tag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
        asked = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
        if tag.removeprefix("W/") in asked:
            return Response(status_code=304, headers={"etag": tag})
        response.headers["etag"] = tag
        response.headers["cache-control"] = "private, max-age=60, s-maxage=60"
        return response

    def _check_rate(self, request: Request) -> None:
        exempt = token_of(request) == OPERATOR_TOKEN or request.url.path == "/rate_limit"
        if not exempt and self._rate(request)["remaining"] == 0:
            raise Refused(403, "API rate limit exceeded")

    def _count(self, request: Request, response: Response) -> None:
        free = response.status_code == 304 or request.url.path == "/rate_limit"  # GitHub counts neither
        if not free:
            self._used[token_of(request), self._hour()] += 1
        for name, value in self._rate(request).items():
            response.headers[f"x-ratelimit-{name}"] = str(value)
        response.headers["x-ratelimit-resource"] = "core"

    def _rate(self, request: Request) -> dict[str, int]:
        used = self._used[token_of(request), self._hour()]
        reset = (self._hour() + 1) * 3600
        remaining = max(self.rate_limit - used, 0)
        return {"limit": self.rate_limit, "remaining": remaining, "reset": reset, "used": used}

    async def _rate_limit(self, request: Request) -> Response:
        rate = self._rate(request)
        return self.reply("GET", "/rate_limit", 200, {"rate": rate, "resources": {"core": rate, "search": rate}})

    def _hour(self) -> int:
        return int(self.surroundings.clock.now().timestamp()) // 3600

    async def _access_token(self, request: Request, installation: str) -> Response:
        """An empty `permissions`, which PyGithub sends, means all; the emulator takes it to mean none."""
        wanted = json.loads(await request.body() or b"{}")
        body = {name: value for name, value in wanted.items() if name != "permissions" or value}
        answer = await self.call("POST", request.url.path, body, like=request)
        if answer.status == 201:
            given = answer.body
            about = await self.call("GET", f"/app/installations/{installation}", like=request)
            selected = given["repository_selection"] == "selected"
            ids = frozenset(row["id"] for row in given.get("repositories", ())) if selected else None
            self.grants[given["token"]] = Grant(about.body["account"]["login"], given["permissions"], ids)
        return _json(answer.status, answer.body)


def timestamp(at: datetime) -> str:
    """As GitHub writes times: seconds, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def _json(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return Response(json.dumps(body).encode(), status, sent)


def _integer(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default
