"""What holds for every request to GitHub: credentials, permissions, rate limits, ETags, pages.

Sources: GitHub's REST documentation and its OpenAPI description.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import Response

from sandbox.edge import Edge, Surroundings, target
from sandbox.emulator import BOT_TOKEN, OPERATOR_TOKEN, spare
from sandbox.github.identity import Identities
from sandbox.github.limits import WRITE, Limits
from sandbox.github.openapi import description
from sandbox.github.refusals import Refused
from sandbox.github.shapes import as_github
from sandbox.traffic import READING

GIT_DATA = re.compile(r"/repos/([^/]+/[^/]+)/(?:git|commits)/")
BY_NAME = re.compile(r"/repos/([^/]+/[^/]+)((?:/.*)?)")
BY_NUMBER = re.compile(r"/repositories/(\d{1,18})((?:/.*)?)")
NOT_ACCESSIBLE = "Resource not accessible by integration"
WORKFLOWS_FOLDER = ".github/workflows/"
REDIRECTS = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"

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
        self.signed: set[str] = set()
        """Commits that GitHub shows as verified."""
        self.limits = Limits(surroundings.clock)
        self.identities = Identities(self._renamed)
        self._sent = 0
        self.routes.add("GET", "/rate_limit", self._rate_limit)
        self.routes.add("POST", "/app/installations/{installation}/access_tokens", self._access_token)

    # --- every request ---

    async def answer(self, request: Request) -> Response:
        try:
            self._check_credentials(request)
            response = await self._within_limits(request)
        except Refused as refusal:
            response = json_response(refusal.status, refusal.body, refusal.headers)
        response = self._conditional(request, response)
        self._count(request, response)
        return response

    async def _within_limits(self, request: Request) -> Response:
        account, resource = self.account(request), resource_of(request)
        if token_of(request) == OPERATOR_TOKEN or resource == "graphql":  # GraphQL counts for itself
            return await self._addressed(request)
        self._check_rate(request)
        with self.limits.request(account, resource, 1 if request.method in READING else WRITE):
            return await self._addressed(request)

    async def _addressed(self, request: Request) -> Response:
        """The answer under the name that the repository has now; GitHub sends those who use a former one there."""
        found = self._repository_in(request.url.path)
        if found is None:
            return await super().answer(request)
        number, rest, is_former = found
        name = self.identities.name_of(number)
        if is_former:
            return self._elsewhere(request, f"{self.url}/repositories/{number}{rest}")
        request = moved(request, f"/repos/{name}", rest)
        await self._check_repository(request, str(name), rest)
        return await super().answer(request)

    def _repository_in(self, path: str) -> tuple[int, str, bool] | None:
        """The repository's number, what follows it in the path, and whether it was called by a former name."""
        if matched := BY_NUMBER.fullmatch(path):
            number = int(matched[1])
            return (number, matched[2], False) if self.identities.name_of(number) else None
        matched = BY_NAME.fullmatch(path)
        known = self.identities.number_of(matched[1]) if matched else None
        if matched is None or known is None:
            return None
        return known, matched[2], self.identities.is_former(matched[1])

    def _elsewhere(self, request: Request, address: str) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        status = 301 if request.method in READING else 307
        body = {"message": "Moved Permanently", "url": address + query, "documentation_url": REDIRECTS}
        return json_response(status, body, {"location": address + query})

    def _renamed(self, old: str, new: str) -> None:
        if old in self.overlays:
            self.overlays[new] = self.overlays.pop(old)

    async def forward(self, request: Request) -> Response:
        headers = [pair for pair in request.headers.items() if pair[0] in ("accept", "content-type", "user-agent")]
        answer = await self._ask(request.method, target(request), token_of(request), await request.body(), headers)
        if answer.status_code == 404 and (found := GIT_DATA.match(request.url.path)):
            await self._check_empty(found[1], request)
        content = answer.content
        if answer.headers.get("content-type", "").startswith("application/json"):
            content = json.dumps(self._as_github(content)).encode()
        kept = [name for name in ("content-type", "link", "location") if name in answer.headers]
        return Response(content, answer.status_code, {name: answer.headers[name] for name in kept})

    async def call(self, method: str, path: str, body: Json = None, *, like: Request | None = None) -> Answer:
        """Asks the emulator, as the caller of `like` or else as the operator."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = [("content-type", "application/json"), ("user-agent", "sandbox")]
        answer = await self._ask(method, path, token_of(like) if like else OPERATOR_TOKEN, content, headers)
        return Answer(answer.status_code, self._as_github(answer.content))

    def _as_github(self, content: bytes) -> Json:
        shown = as_github(content, self.overlays, self.signed)
        self.identities.learn(shown)
        return shown

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
            return json_response(500, {"message": "; ".join(wrong[:5])})
        return Response(status_code=status) if body is None else json_response(status, body, headers)

    def pushed(self, repository: str) -> None:
        """Notes that a branch of `repository` moved now."""
        self.overlays.setdefault(repository, {})["pushed_at"] = self.now()

    def now(self) -> str:
        return timestamp(self.surroundings.clock.now())

    def require(self, request: Request, permissions: str | Sequence[str], level: str) -> None:
        """Raises `Refused` where the caller is an installation that has none of the permissions."""
        wanted = [permissions] if isinstance(permissions, str) else permissions
        grant = self.grant(request)
        if not token_of(request):
            raise Refused(401, "Requires authentication")
        if grant is None or any(grant.permissions.get(name) in ("write", level) for name in wanted):
            return
        accepted = "; ".join(f"{name}={level}" for name in wanted)
        raise Refused(403, NOT_ACCESSIBLE, headers={"x-accepted-github-permissions": accepted})

    def require_for_workflows(self, request: Request, paths: Iterable[str]) -> None:
        """Raises `Refused` where one of the paths is a workflow, which needs a permission of its own."""
        grant = self.grant(request)
        found = next((path for path in paths if path.startswith(WORKFLOWS_FOLDER)), None)
        if found is None or grant is None or grant.permissions.get("workflows") == "write":
            return
        text = (
            f"refusing to allow a GitHub App to create or update workflow `{found}` without `workflows` permission"
        )
        raise Refused(403, text, headers={"x-accepted-github-permissions": "contents=write,workflows=write"})

    def check_writable(self, request: Request, repository: Json) -> None:
        """Raises `Refused` where nobody may write to the repository, but for the operator."""
        if self.is_operator(request):
            return
        if repository["archived"]:
            raise Refused(403, "Repository was archived so is read-only.")
        if repository.get("disabled"):
            raise Refused(403, "Repository access blocked")
        if repository.get("lock_reason"):
            raise Refused(403, "Repository has been locked.")

    def is_operator(self, request: Request) -> bool:
        return token_of(request) == OPERATOR_TOKEN

    def grant(self, request: Request) -> Grant | None:
        """What the caller may do, where it is an installation."""
        return self.grants.get(token_of(request))

    def sees(self, request: Request, number: int) -> bool:
        """Whether the caller may know of this repository."""
        grant = self.grant(request)
        owner = (self.identities.name_of(number) or "").partition("/")[0]
        if grant is None:
            return True
        return grant.account == owner and (grant.repository_ids is None or number in grant.repository_ids)

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

    async def _check_repository(self, request: Request, name: str, rest: str) -> None:
        """A repository that nobody may write to can still be changed itself, to bring it back."""
        if request.method in READING or not rest or self.is_operator(request):
            return
        repository = await self.call("GET", f"/repos/{name}")
        if repository.status == 200:
            self.check_writable(request, repository.body)

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

    def account(self, request: Request) -> str:
        """Whose limits a request counts for."""
        return token_of(request)

    def _check_rate(self, request: Request) -> None:
        if request.url.path != "/rate_limit" and self.limits.rate(self.account(request), "core")["remaining"] == 0:
            raise Refused(403, "API rate limit exceeded")

    def _count(self, request: Request, response: Response) -> None:
        account, resource = self.account(request), resource_of(request)
        free = response.status_code == 304 or request.url.path == "/rate_limit"  # GitHub counts neither
        if not free and resource == "core":
            self.limits.spend(account, resource, 1)
        for name, value in self.limits.rate(account, resource).items():
            response.headers[f"x-ratelimit-{name}"] = str(value)
        response.headers["x-ratelimit-resource"] = resource

    async def _rate_limit(self, request: Request) -> Response:
        account = self.account(request)
        core, graphql = self.limits.rate(account, "core"), self.limits.rate(account, "graphql")
        resources = {"core": core, "search": core, "graphql": graphql}
        return self.reply("GET", "/rate_limit", 200, {"rate": core, "resources": resources})

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
        return json_response(answer.status, answer.body)


def timestamp(at: datetime) -> str:
    """As GitHub writes times: seconds, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def resource_of(request: Request) -> str:
    return "graphql" if request.url.path == "/graphql" else "core"


def moved(request: Request, repository: str, rest: str) -> Request:
    """The same request under the repository's own address; what follows keeps its escapes."""
    if request.url.path == repository + rest:
        return request
    found = BY_NAME.fullmatch(raw := request.scope["raw_path"].decode()) or BY_NUMBER.fullmatch(raw)
    raw_rest = found[2] if found else quote(rest)
    scope = {**request.scope, "path": repository + rest, "raw_path": (repository + raw_rest).encode()}
    again = Request(scope)
    again._body = request._body  # read already, before anything was answered
    return again


def token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def json_response(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return Response(json.dumps(body).encode(), status, sent)


def _integer(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default
