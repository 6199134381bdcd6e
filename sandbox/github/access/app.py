"""What the App asks about itself: its installations and their tokens."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.access.asked import timestamp, token_of
from sandbox.github.access.installations import Installation, check_app_token
from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
ALL = "/app/installations"
ONE = ALL + "/{installation_id}"


@dataclass(frozen=True, slots=True)
class App:
    edge: GitHubEdge

    def __post_init__(self) -> None:
        add = self.edge.routes.add
        add("GET", "/app", self._app)
        add("GET", ALL, self._list)
        add("GET", ALL + "/{installation}", self._show)
        add("POST", ALL + "/{installation}/access_tokens", self._token)

    async def _app(self, request: Request) -> Response:
        """The App itself, which belongs to whoever has its first installation."""
        shown = await self._emulated(request, "/app")
        installed = await self._emulated(request, ALL)
        return self.edge.reply("GET", "/app", 200, {**shown, "owner": installed[0]["account"]})

    async def _list(self, request: Request) -> Response:
        shown = await self._emulated(request, ALL)
        rows = [self._patched(row) for row in shown if not self._of(row).is_removed]
        rows, links = self.edge.page(request, rows)
        return self.edge.reply("GET", ALL, 200, rows, links)

    async def _show(self, request: Request, installation: str) -> Response:
        shown = await self._emulated(request, f"{ALL}/{installation}")
        if self._of(shown).is_removed:
            raise Refused(404, "Not Found")
        return self.edge.reply("GET", ONE, 200, self._patched(shown))

    async def _token(self, request: Request, installation: str) -> Response:
        """An empty `permissions`, which PyGithub sends, means all."""
        await self._emulated(request, "/app")
        wanted = json.loads(await request.body() or b"{}")
        ids = await self._repository_ids(int(installation), wanted)
        token, grant = self.edge.installations.issue(int(installation), wanted.get("permissions"), ids)
        body: Json = {
            "token": token,
            "expires_at": timestamp(grant.expires_at),
            "permissions": dict(grant.permissions),
            "repository_selection": "all" if grant.repository_ids is None else "selected",
        }
        if grant.repository_ids is not None:
            names = [self.edge.identities.name_of(number) for number in sorted(grant.repository_ids)]
            body["repositories"] = [(await self.edge.call("GET", f"/repos/{name}")).body for name in names]
        return self.edge.reply("POST", ONE + "/access_tokens", 201, body)

    async def _repository_ids(self, number: int, wanted: Json) -> frozenset[int] | None:
        if (ids := wanted.get("repository_ids")) is not None:
            return frozenset(ids)
        if (names := wanted.get("repositories")) is None:
            return None
        known = self.edge.installations.all.get(number)
        account = known.account if known else ""
        found = [self.edge.identities.number_of(f"{account}/{name}") for name in names]
        if None in found:
            raise Refused(422, "There is at least one repository that does not exist or is not accessible.")
        return frozenset(number for number in found if number is not None)

    async def _emulated(self, request: Request, path: str) -> Json:
        """What the emulator says, which checks the App's own token."""
        check_app_token(token_of(request))
        answer = await self.edge.call("GET", path, like=request)
        if answer.status != 200:
            raise Refused(answer.status, str(answer.body.get("message")))
        return answer.body

    def _of(self, shown: Json) -> Installation:
        return self.edge.installations.all[shown["id"]]

    def _patched(self, shown: Json) -> Json:
        own = self._of(shown)
        suspended = timestamp(own.suspended_at) if own.suspended_at else None
        changed = {
            "permissions": own.permissions,
            "suspended_at": suspended,
            "repository_selection": own.selection,
            "target_id": shown["account"]["id"],
        }
        return {**shown, **changed}
