"""What holds for every request to GitHub: who asks, limits, addresses, descriptions, permissions, ETags, pages.

Sources: GitHub's REST documentation and its OpenAPI description.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from sandbox.edges.edge import Surroundings, target
from sandbox.edges.traffic import READING
from sandbox.github.access import permissions
from sandbox.github.access.asked import (
    BY_NAME,
    BY_NUMBER,
    integer,
    json_response,
    of_repository,
    readdressed,
    resource_of,
    token_of,
)
from sandbox.github.access.limits import WRITE, Limits
from sandbox.github.described import Described
from sandbox.github.emulated import Emulated
from sandbox.github.exchanges import Exchanges
from sandbox.github.openapi import DOTCOM
from sandbox.github.refusals import Refused, check_body
from sandbox.programs.emulator import BOT_TOKEN, OPERATOR_TOKEN

REDIRECTS = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"
NOT_ALLOWED_HERE = (
    "Although you appear to have the correct authorization credentials, the `{}` organization has an IP allow list "
    "enabled, and your IP address is not permitted to access this resource."
)
SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)
ENTERPRISE_PREFIX = "/api/v3"
STORAGE = "/_storage/"
"""Where archives are fetched: no part of the API, and whoever knows an address needs no credentials there."""

Json = Any


class GitHubEdge(Emulated):
    """Plays `server`: github.com, or a version of GitHub Enterprise Server under its own paths.

    What the bot asks against the server's description is kept in the traffic's `violations` and refused; with
    `validate` so is what the edge answers by itself, and all answers are held to it, also the emulator's.
    """

    def __init__(
        self,
        upstream: str,
        url: str,
        surroundings: Surroundings,
        *,
        private_key: str = "",
        server: str = DOTCOM,
        validate: bool = False,
    ) -> None:
        self.described = Described(server, surroundings.traffic)
        api = url + ENTERPRISE_PREFIX if self.described.is_enterprise_server else url
        super().__init__(upstream, api, url, surroundings, private_key)
        self.validate = validate
        self.exchanges = Exchanges(server) if validate else None
        """Every answer, held to the description."""
        self.limits = Limits(surroundings.clock)
        self.storage: dict[str, bytes] = {}
        self.renews_node_ids = False
        """Whether GraphQL shows node ids of another form than REST; both are taken. GitHub has changed it once."""
        self.allows_address = True
        """Whether the organisation's IP allow list has the address of the caller."""
        self.needs_single_sign_on: set[str] = set()
        """Repositories that the token was not authorised for."""
        self.fine_grained: permissions.FineGrained | None = None
        """What the bot's token may do where it is a fine-grained one; None: it may all that its user may."""
        self.routes.add("GET", "/rate_limit", self._rate_limit)

    # --- every request ---

    async def answer(self, request: Request) -> Response:
        if request.url.path.startswith(STORAGE):
            return self._stored(request)
        try:
            request = self._in_api(request)
            self._check_credentials(request)
            self._check_address(request)
            response = await self._within_limits(request)
        except Refused as refusal:
            response = json_response(refusal.status, refusal.body, refusal.headers)
        if self.exchanges is not None:
            self.exchanges.note(request.method, request.url.path, response.status_code, bytes(response.body))
        response = self._conditional(request, response)
        self._count(request, response)
        return response

    def _stored(self, request: Request) -> Response:
        """An archive; that a token was shown where none is wanted is kept in the traffic's `violations`."""
        if "authorization" in request.headers:
            self.surroundings.traffic.violations.append("a token was shown to the store of archives")
        data = self.storage.get(request.url.path.removeprefix(STORAGE))
        return Response(status_code=404) if data is None else Response(data, media_type="application/zip")

    def _in_api(self, request: Request) -> Request:
        """The request under the paths of github.com's API. Raises `Refused`."""
        if not self.described.is_enterprise_server:
            return request
        path, raw = request.url.path, request.scope["raw_path"].decode()
        if path == "/api/graphql":
            return readdressed(request, "/graphql", "/graphql")
        if not path.startswith(ENTERPRISE_PREFIX):
            raise Refused(404, "Not Found")
        path, raw = path.removeprefix(ENTERPRISE_PREFIX), raw.removeprefix(ENTERPRISE_PREFIX)
        return readdressed(request, path or "/", raw or "/")

    async def _within_limits(self, request: Request) -> Response:
        account, resource = self.account(request), resource_of(request)
        if self.is_operator(request) or resource == "graphql":  # GraphQL counts for itself
            return await self._addressed(request)
        self._check_rate(request)
        with self.limits.request(account, resource, 1 if request.method in READING else WRITE):
            return await self._addressed(request)

    async def _addressed(self, request: Request) -> Response:
        """The answer under the name that the repository has now; GitHub sends those who use a former one there."""
        found = self._repository_in(request.url.path)
        if found is None:
            await self._check_operation(request)
            return await super().answer(request)
        number, rest, is_former = found
        name = self.identities.name_of(number)
        if not self.sees(request, number):
            raise Refused(404, "Not Found")
        if is_former:
            return self._elsewhere(request, f"{self.url}/repositories/{number}{rest}")
        self.check_single_sign_on(request, str(name))
        request = of_repository(request, str(name), rest)
        await self._check_operation(request)
        await self._check_repository(request, str(name), rest)
        return await super().answer(request)

    async def _check_operation(self, request: Request) -> None:
        """Raises `Refused` where the request is none that is described, or may not be made."""
        if self.is_operator(request) or resource_of(request) == "graphql":
            return
        operation = await self.described.operation(request)
        permissions.check(operation, self.rights(request))
        if operation.method in ("POST", "PATCH") and re.search("/(pulls|issues)\\b", operation.template):
            given = json.loads(await request.body() or b"{}")
            check_body(given.get("body") if isinstance(given, dict) else None)
        if operation.notifies:
            self.limits.create_content(self.account(request))

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

    def reply(
        self, method: str, path: str, status: int, body: Json, headers: Mapping[str, str] | None = None
    ) -> Response:
        """An answer of our own; `path` is the template in GitHub's description."""
        if self.validate and (wrong := self.described.description.complaints(method, path, status, body)):
            self.surroundings.traffic.violations.extend(wrong)
            return json_response(500, {"message": "; ".join(wrong[:5])})
        return Response(status_code=status) if body is None else json_response(status, body, headers)

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

    def rights(self, request: Request) -> permissions.Rights | None:
        """What the caller may do; None for a user with all rights."""
        is_fine_grained = self.fine_grained is not None and token_of(request) == BOT_TOKEN
        return self.fine_grained if is_fine_grained else self.grant(request)

    def sees(self, request: Request, number: int) -> bool:
        """Whether the caller may know of this repository."""
        grant = self.grant(request)
        owner = (self.identities.name_of(number) or "").partition("/")[0]
        if grant is None:
            return True
        return grant.account == owner and (grant.repository_ids is None or number in grant.repository_ids)

    def page(self, request: Request, rows: list[Json]) -> tuple[list[Json], dict[str, str]]:
        """The rows asked for by `per_page` and `page`, and the Link header that leads on."""
        size = min(max(integer(request, "per_page", 30), 1), 100)
        page = max(integer(request, "page", 1), 1)
        last = max((len(rows) + size - 1) // size, 1)
        targets = {"prev": page - 1 if page > 1 else None, "first": 1 if page > 1 else None}
        targets |= {"next": page + 1 if page < last else None, "last": last if page < last else None}
        here = URL(f"{self.url}{target(request)}")
        links = [
            f'<{here.include_query_params(page=number)}>; rel="{name}"'
            for name, number in targets.items()
            if number is not None
        ]
        return rows[(page - 1) * size : page * size], {"link": ", ".join(links)} if links else {}

    def _check_credentials(self, request: Request) -> None:
        token = token_of(request)
        if self.grant(request) is not None or token in (BOT_TOKEN, OPERATOR_TOKEN, ""):
            return
        if not (request.url.path.startswith("/app") and token.count(".") == 2):  # a JSON web token of the App
            raise Refused(401, "Bad credentials")

    def _check_address(self, request: Request) -> None:
        if not (self.allows_address or self.is_operator(request)):
            raise Refused(403, NOT_ALLOWED_HERE.format("contoso"))

    def check_single_sign_on(self, request: Request, name: str) -> None:
        """Raises `Refused` where the token would have to be authorised for the organisation first."""
        if name in self.needs_single_sign_on and not self.is_operator(request):
            page = f"https://github.com/orgs/{name.partition('/')[0]}/sso?authorization_request=A"
            raise Refused(403, SAML, headers={"x-github-sso": f"required; url={page}"}, kind="FORBIDDEN")

    async def _check_repository(self, request: Request, name: str, rest: str) -> None:
        """A repository that nobody may write to can still be changed itself, to bring it back."""
        if request.method in READING or not rest or self.is_operator(request):
            return
        repository = await self.call("GET", f"/repos/{name}")
        if repository.status == 200:
            self.check_writable(request, repository.body)

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
        grant = self.installations.grants.get(token_of(request))
        return token_of(request) if grant is None else f"installation ID {grant.installation.id}"

    def _check_rate(self, request: Request) -> None:
        account = self.account(request)
        if self._is_limited(request) and self.limits.rate(account, "core")["remaining"] == 0:
            raise Refused(403, f"API rate limit exceeded for {account if ' ' in account else 'user ID 1'}.")

    def _is_limited(self, request: Request) -> bool:
        """On an Enterprise Server limits are off until its administrator sets them."""
        return request.url.path != "/rate_limit" and not self.described.is_enterprise_server

    def _count(self, request: Request, response: Response) -> None:
        if self.described.is_enterprise_server:
            response.headers["x-github-enterprise-version"] = f"{self.described.server.removeprefix('ghes-')}.0"
            return
        account, resource = self.account(request), resource_of(request)
        free = response.status_code == 304 or request.url.path == "/rate_limit"  # GitHub counts neither
        if not free and resource == "core":
            self.limits.spend(account, resource, 1)
        for name, value in self.limits.rate(account, resource).items():
            response.headers[f"x-ratelimit-{name}"] = str(value)
        response.headers["x-ratelimit-resource"] = resource

    async def _rate_limit(self, request: Request) -> Response:
        if self.described.is_enterprise_server:
            raise Refused(404, "Rate limiting is not enabled.")
        account = self.account(request)
        core, graphql = self.limits.rate(account, "core"), self.limits.rate(account, "graphql")
        resources = {"core": core, "search": core, "graphql": graphql}
        return self.reply("GET", "/rate_limit", 200, {"rate": core, "resources": resources})
