"""Azure Resource Manager on loopback, as far as the bot asks it: lists in pages, and what lies below a resource.

Shapes are those of the public reference of each service; nothing of it was held to Azure itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.edges.serving import Server, cut

Json = dict[str, Any]
TOKEN = "sandbox-entra-token"  # nosec B105
_APPS, _SITES = "Microsoft.App/containerApps", "Microsoft.Web/sites"
_GROUPS = "Microsoft.ContainerInstance/containerGroups"


@dataclass(slots=True)
class Manager:
    """What each subscription holds, by resource id, and what was asked.

    `forbidden`, `gone`, `throttled` and `cut` are parts of paths that are refused, are not there any more, are
    asked for too often, or whose connection breaks; `elsewhere` is where the first page of each list goes on, if
    not here.
    """

    most: int = 2
    """Entries of a page."""
    resources: dict[str, Json] = field(default_factory=dict)
    below: dict[str, Json | list[Json]] = field(default_factory=dict)
    """Documents and lists by their paths, such as `…/config/web`."""
    takes: Callable[[str], bool] = TOKEN.__eq__
    forbidden: str | None = None
    gone: str | None = None
    throttled: str | None = None
    cut: str | None = None
    elsewhere: str | None = None
    asked: list[str] = field(default_factory=list)

    def app(
        self, subscription: str, group: str, name: str, image: str, *, mode: str = "Single", ready: bool = True
    ) -> str:
        """A container app whose latest revision is ready or not yet."""
        latest = f"{name}--2"
        properties: Json = {
            "runningStatus": "Running",
            "latestRevisionName": latest,
            "latestReadyRevisionName": latest if ready else f"{name}--1",
            "configuration": {"activeRevisionsMode": mode},
            "template": _template(name, image),
        }
        return self._add(subscription, group, _APPS, name, properties)

    def revision(self, app: str, number: int, image: str, *, active: bool = True) -> None:
        name = app.rpartition("/")[2]
        properties: Json = {
            "active": active,
            "createdTime": "2026-11-01T08:00:00+00:00",
            "template": _template(name, image),
        }
        revisions = self.below.setdefault(f"{app}/revisions", [])
        assert isinstance(revisions, list)
        revisions.append({"name": f"{name}--{number}", "properties": properties})

    def site(self, subscription: str, group: str, name: str, stack: str, *, linux: bool = True) -> str:
        id_ = self._add(subscription, group, _SITES, name, {"state": "Running", "reserved": linux})
        self.below[f"{id_}/sitecontainers"] = []
        self.below[f"{id_}/config/web"] = {"properties": {"linuxFxVersion": stack}}
        self.below[f"{id_}/slots"] = []
        return id_

    def slot(self, site: str, name: str, stack: str) -> None:
        id_ = f"{site}/slots/{name}"
        slots = self.below[f"{site}/slots"]
        assert isinstance(slots, list)
        slots.append({"id": id_, "properties": {"state": "Running", "reserved": True}})
        self.below[f"{id_}/sitecontainers"] = []
        self.below[f"{id_}/config/web"] = {"properties": {"linuxFxVersion": stack}}

    def sidecars(self, site: str, images: Mapping[str, str]) -> None:
        self.below[f"{site}/sitecontainers"] = [
            {"name": name, "properties": {"image": image, "lastModifiedTime": "2026-11-02T08:00:00.1234567Z"}}
            for name, image in images.items()
        ]

    def group(self, subscription: str, group: str, name: str, image: str, state: str = "Running") -> str:
        """A list of groups tells no state; the document of one does."""
        properties: Json = {
            "containers": [{"name": name, "properties": {"image": image}}],
            "restartPolicy": "Always",
        }
        id_ = self._add(subscription, group, _GROUPS, name, properties)
        view = {"restartCount": 1, "currentState": {"state": state, "startTime": "2026-11-03T08:00:00Z"}}
        container = {"name": name, "properties": {"image": image, "instanceView": view}}
        self.below[id_] = {
            "id": id_,
            "properties": {"containers": [container], "restartPolicy": "Always", "instanceView": {"state": state}},
        }
        return id_

    def _add(self, subscription: str, group: str, provider: str, name: str, properties: Json) -> str:
        id_ = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{name}"
        self.resources[id_] = {"id": id_, "name": name, "properties": properties}
        return id_

    def serve(self) -> Server:
        server = Server(Starlette(routes=[Route("/{path:path}", self._answer)]))
        server.start()
        return server

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        if not self.takes(request.headers.get("authorization", "").removeprefix("Bearer ")):
            return _error(401, "AuthenticationFailed")
        if self.forbidden is not None and self.forbidden in path:
            return _error(403, "AuthorizationFailed")
        if self.gone is not None and self.gone in path:
            return _error(404, "ResourceNotFound")
        if self.throttled is not None and self.throttled in path:
            return _error(429, "SubscriptionRequestsThrottled")
        if self.cut is not None and self.cut in path:
            await cut(request)
        if "api-version" not in request.query_params:
            return _error(400, "MissingApiVersionParameter")
        found = self.below.get(path)
        if isinstance(found, dict):
            return JSONResponse(found)
        return self._page(request, self._of_provider(path) if found is None else found)

    def _of_provider(self, path: str) -> list[Json]:
        _, _, subscription, _, provider = path.split("/", 4)
        start, end = f"/subscriptions/{subscription}/resourceGroups/", f"/providers/{provider}/"
        return [each for id_, each in self.resources.items() if id_.startswith(start) and end in id_]

    def _page(self, request: Request, entries: list[Json]) -> Response:
        begin = int(request.query_params.get("$skiptoken", "0"))
        page: Json = {"value": entries[begin : begin + self.most]}
        if begin + self.most < len(entries):
            following = request.url.include_query_params(**{"$skiptoken": begin + self.most})
            page["nextLink"] = self.elsewhere or str(following)
        return JSONResponse(page)


def _template(name: str, image: str) -> Json:
    secret = [{"name": "PASSWORD", "value": "hunter2"}]
    prepares = [{"name": "migrate", "image": f"{image}-migrate"}]
    return {"containers": [{"name": name, "image": image, "env": secret}], "initContainers": prepares}


def _error(status: int, code: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": "by the sandbox"}}, status)
