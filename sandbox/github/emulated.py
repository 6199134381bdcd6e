"""The emulator's GitHub, asked and answering as GitHub would be: who asks, and what it shows.

It is asked with rights and tokens of its own; what the caller may do has been decided before.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response

from sandbox.edges.edge import Edge, Surroundings, target
from sandbox.edges.traffic import READING
from sandbox.github.access.asked import timestamp, token_of
from sandbox.github.access.installations import Grant, Installations, app_token
from sandbox.github.refusals import Refused
from sandbox.github.repositories.identity import Identities
from sandbox.github.shapes import as_github
from sandbox.programs.emulator import BOT, BOT_TOKEN, OPERATOR_TOKEN, spare

GIT_DATA = re.compile(r"/repos/([^/]+/[^/]+)/(?:git|commits)/")
INNER_USES, INNER_SECONDS = 4500, 3000
"""After so many requests or seconds the emulator is asked with another token."""

Json = Any
State = tuple[int, Mapping[str, Mapping[str, Json]]]
"""How many writes have begun or ended, and the fields that the edge adds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the emulator said."""

    status: int
    body: Json


@dataclass(slots=True)
class Inner:
    """The emulator's own token for an installation."""

    token: str
    until: float
    uses: int = 0


class Emulated(Edge):
    """Hands requests on to the emulator, and gives its answers in GitHub's shapes."""

    service = "github"

    def __init__(self, upstream: str, url: str, site: str, surroundings: Surroundings, private_key: str) -> None:
        super().__init__(upstream, surroundings, OPERATOR_TOKEN)
        self.url = url
        self.site = site
        """Where people go; programs go to `url`."""
        self.overlays: dict[str, dict[str, Json]] = {}
        """Repository fields that the emulator cannot hold, by full name."""
        self.signed: set[str] = set()
        """Commits that GitHub shows as verified."""
        self.identities = Identities(self._renamed)
        self.on_renamed: list[Callable[[str, str], None]] = []
        """Called with the old and the new full name of a repository."""
        self.installations = Installations(surroundings.clock)
        self._private_key = private_key
        self._inner: dict[int, Inner] = {}
        self._sent = 0
        self._writes = 0

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

    async def ask(
        self, method: str, path: str, *, content: bytes = b"", headers: Sequence[tuple[str, str]] = ()
    ) -> httpx.Response:
        try:
            self._writes += method not in READING
            return await super().ask(method, path, content=content, headers=headers)
        finally:
            self._writes += method not in READING

    def state(self) -> State:
        """What repositories it shows and how is as before for as long as this is the same."""
        return self._writes, {name: dict(fields) for name, fields in list(self.overlays.items())}

    async def call(self, method: str, path: str, body: Json = None, *, like: Request | None = None) -> Answer:
        """Asks the emulator, as the caller of `like` or else as the operator."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = [("content-type", "application/json"), ("user-agent", "sandbox")]
        answer = await self._ask(method, path, token_of(like) if like else OPERATOR_TOKEN, content, headers)
        return Answer(answer.status_code, self._as_github(answer.content))

    def _as_github(self, content: bytes) -> Json:
        pages = (f'"html_url":"{self.url}/'.encode(), f'"html_url":"{self.site}/'.encode())
        shown = as_github(content.replace(*pages), self.overlays, self.signed)
        self.identities.learn(shown)
        return shown

    async def _ask(
        self, method: str, path: str, token: str, content: bytes, headers: list[tuple[str, str]]
    ) -> httpx.Response:
        self._sent += 1
        inner = await self._inner_token(token)
        credentials = [("authorization", f"Bearer {inner}")] if inner else []
        return await self.ask(method, path, content=content, headers=[*headers, *credentials])

    async def _inner_token(self, token: str) -> str:
        """What the emulator knows the bearer by."""
        grant = self.installations.grants.get(token)
        if grant is None:
            return spare(token, self._sent) if token in (BOT_TOKEN, OPERATOR_TOKEN) else token
        number = grant.installation.id
        known = self._inner.get(number)
        if known is None or known.uses >= INNER_USES or known.until < time.monotonic():
            path = f"/app/installations/{number}/access_tokens"
            credentials = [("authorization", f"Bearer {app_token(self._private_key)}")]
            answer = await self.ask("POST", path, headers=credentials)
            known = Inner(answer.json()["token"], time.monotonic() + INNER_SECONDS)
            self._inner[number] = known
        known.uses += 1
        return known.token

    def is_operator(self, request: Request) -> bool:
        return token_of(request) == OPERATOR_TOKEN

    def grant(self, request: Request) -> Grant | None:
        """What the caller may do, where it is an installation. Raises `Refused` for a token that ran out."""
        return self.installations.grant(token_of(request))

    async def caller(self, request: Request | None) -> Json:
        """The account that acts: a user, the App's bot, or else the operator."""
        if request is not None and self.grant(request) is not None:
            operator = (await self.call("GET", "/user")).body
            return {**operator, "login": f"{BOT}[bot]", "type": "Bot"}
        return (await self.call("GET", "/user", like=request)).body

    def pushed(self, repository: str) -> None:
        """Notes that a branch of `repository` moved now."""
        self.overlays.setdefault(repository, {})["pushed_at"] = self.now()

    def now(self) -> str:
        return timestamp(self.surroundings.clock.now())

    def _renamed(self, old: str, new: str) -> None:
        if old in self.overlays:
            self.overlays[new] = self.overlays.pop(old)
        for told in self.on_renamed:
            told(old, new)

    async def _check_empty(self, repository: str, request: Request) -> None:
        """Raises `Refused` where the repository has no commit at all."""
        branches = await self.call("GET", f"/repos/{repository}/branches", like=request)
        if branches.status == 200 and not branches.body:
            raise Refused(409, "Git Repository is empty.")
