"""An API server on loopback that lists pods in pages, and fails on request in the ways in which real ones do.

A list goes on with the state that its first page had, until the server forgets it and answers 410. Held to
`kubernetes-validate`, and read by kubectl, in `tests/integration/kubernetes`.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.clock import Clock, SystemClock
from sandbox.edges.serving import Server, cut
from sandbox.kubernetes.pods import Json, Workload, pods_of

TOKEN = "sandbox-service-account-token"  # nosec B105
_MOST = 500
_LARGEST_PLAIN = 128 * 1024
"""Bytes of an answer, beyond which servers compress it."""
_HINT = 'User "system:serviceaccount:freshness:bot" cannot list resource "pods" in API group ""'


@dataclass(slots=True)
class Trouble:
    """What goes wrong. `forgets_after` pages a list cannot go on, so many times (`forgotten`); `silent_after` pages
    nobody is answered. `forbidden` namespaces may not be listed, nor all at once where there are any."""

    forgets_after: int | None = None
    forgotten: int = 1
    silent_after: int | None = None
    cut_after: int | None = None
    forbidden: frozenset[str] = frozenset()


@dataclass(slots=True)
class Cluster:
    """The workloads that run, and what was asked."""

    clock: Clock = field(default_factory=SystemClock)
    workloads: dict[tuple[str, str, str], Workload] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    most: int = _MOST
    takes: Callable[[str], bool] = TOKEN.__eq__
    """Whether a token is good."""
    asked: list[str] = field(default_factory=list)
    _pages: int = 0
    _version: int = 1000
    _states: dict[int, list[Json]] = field(default_factory=dict)

    def run(self, *workloads: Workload) -> None:
        """Each takes the place of the one with its kind and name."""
        for each in workloads:
            self.workloads[each.namespace, each.kind, each.name] = each
        self._version += 1

    def remove(self, namespace: str, kind: str, name: str) -> None:
        del self.workloads[namespace, kind, name]
        self._version += 1

    def pods(self, namespace: str | None = None) -> list[Json]:
        now = self.clock.now()
        found = (each for each in self.workloads.values() if namespace in (None, each.namespace))
        return [pod for each in found for pod in pods_of(each, now)]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api", _document({"kind": "APIVersions", "versions": ["v1"]})),
                Route("/apis", _document({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
                Route("/api/v1", _document(_RESOURCES)),
                Route("/api/v1/pods", self._list),
                Route("/api/v1/namespaces/{namespace}/pods", self._list),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=_LARGEST_PLAIN, compresslevel=1)],
        )

    async def _list(self, request: Request) -> Response:
        namespace = request.path_params.get("namespace")
        self.asked.append(str(request.url).partition(request.url.netloc)[2])
        if not self.takes(request.headers.get("authorization", "").removeprefix("Bearer ")):
            return _status(401, "Unauthorized", "Unauthorized")
        if self.trouble.forbidden and (namespace is None or namespace in self.trouble.forbidden):
            at = "at the cluster scope" if namespace is None else f'in the namespace "{namespace}"'
            return _status(403, "Forbidden", f"pods is forbidden: {_HINT} {at}")
        self._pages += 1
        if self.trouble.silent_after is not None and self._pages > self.trouble.silent_after:
            await asyncio.sleep(3600)
        if self.trouble.cut_after is not None and self._pages > self.trouble.cut_after:
            await cut(request)
        token = request.query_params.get("continue")
        if token and self._forgets():
            inconsistent = {"continue": token}  # with it a client may go on, and misses what came in between
            return _status(410, "Expired", "The provided continue parameter is too old", inconsistent)
        limit = min(int(request.query_params.get("limit") or self.most), self.most)
        return JSONResponse(self._page(namespace, token, limit))

    def _forgets(self) -> bool:
        trouble = self.trouble
        if trouble.forgets_after is None or self._pages <= trouble.forgets_after or trouble.forgotten < 1:
            return False
        trouble.forgotten -= 1
        self._pages = 0
        return True

    def _page(self, namespace: str | None, token: str | None, limit: int) -> Json:
        version, start = _read(token) if token else (self._version, 0)
        if not token:
            self._states[version] = [_listed(pod) for pod in self.pods(namespace)]
        pods = self._states[version]
        rest = len(pods) - start - limit
        metadata: Json = {"resourceVersion": str(version)}
        if rest > 0:
            metadata |= {"continue": _token(version, start + limit), "remainingItemCount": rest}
        return {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": pods[start : start + limit]}


def _listed(pod: Json) -> Json:
    """As in a list, which says once of what it is one."""
    return {key: value for key, value in pod.items() if key not in ("kind", "apiVersion")}


def kubeconfig(server: str, authority: Path | None = None) -> str:
    """The file with which kubectl and the bot reach it; kubectl shows its token by HTTPS alone."""
    cluster = {"server": server} | ({"certificate-authority": str(authority)} if authority else {})
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "contexts": [{"name": "sandbox", "context": {"cluster": "here", "user": "reader"}}],
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "reader", "user": {"token": TOKEN}}],
        }
    )


def serve(cluster: Cluster, certificate: Path | None = None) -> Server:
    server = Server(cluster.app(), certificate)
    server.start()
    return server


_RESOURCES: Json = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "v1",
    "resources": [
        {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["list"]},
    ],
}


def _document(content: Json) -> Any:
    async def answer(_: Request) -> Response:
        return JSONResponse(content)

    return answer


def _status(code: int, reason: str, message: str, metadata: Json | None = None) -> Response:
    told = {"status": "Failure", "message": message, "reason": reason, "code": code}
    return JSONResponse({"kind": "Status", "apiVersion": "v1", "metadata": metadata or {}} | told, code)


def _token(version: int, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, start]).encode()).decode()


def _read(token: str) -> tuple[int, int]:
    version, start = json.loads(base64.urlsafe_b64decode(token))
    return version, start
