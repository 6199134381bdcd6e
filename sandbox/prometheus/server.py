"""A Prometheus on loopback that has scraped kube-state-metrics, and fails on request as real ones do.

Held to a real one, which is filled with the same scrapes, in `tests/integration/prometheus`.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.edges.serving import Server

_LOOKBACK = 5 * 60
"""So many seconds a scrape holds where no later one is."""
_MOST_POINTS = 11_000
_MATCHER = re.compile(r'(\w+)(=~|!=|=)"((?:[^"\\]|\\.)*)"')
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KeptPod:
    """A pod with one container that was scraped from `since` to `until`; its owner, and that of its ReplicaSet, are
    kind and name. It has succeeded at `ended_at` and stays listed."""

    namespace: str
    pod: str
    container: str
    image: str
    image_id: str
    since: datetime
    until: datetime
    owner: tuple[str, str] | None = None
    above: tuple[str, str] | None = None
    ended_at: datetime | None = None
    others: Labels = ()
    """Labels that the scrape has added."""
    has_owner_series: bool = True


@dataclass(slots=True)
class Kept:
    """What was scraped every minute, but for the `gaps`, and what was asked. Each of `statuses` is answered once,
    and nobody is answered while `is_silent`."""

    pods: list[KeptPod] = field(default_factory=list)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    token: str | None = None
    statuses: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_silent: bool = False
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def app(self) -> Starlette:
        compressed = Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)
        return Starlette(routes=[Route("/api/v1/query_range", self._query_range)], middleware=[compressed])

    async def _query_range(self, request: Request) -> Response:
        start, end, step = (int(request.query_params[name]) for name in ("start", "end", "step"))
        self.asked.append((datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)))
        if self.is_silent:
            await asyncio.sleep(3600)
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            return Response("Unauthorized\n", 401)
        if self.statuses:
            return _error(self.statuses.pop(0))
        if (end - start) // step >= _MOST_POINTS:
            return _error(400)
        result = self._answer(request.query_params["query"], range(start, end + 1, step))
        data: dict[str, Any] = {"resultType": "matrix", "result": result}
        warnings = {"warnings": self.warnings} if self.warnings else {}
        return JSONResponse({"status": "success", "data": data, **warnings})

    def scrapes(self, pod: KeptPod, until: datetime | None = None) -> Iterator[int]:
        """The seconds in which a pod was scraped, each minute, seven seconds after it began."""
        last = pod.until if until is None else min(until, pod.until)
        at = pod.since.replace(second=7, microsecond=0)
        while at < last:
            if at >= pod.since and not any(since <= at < end for since, end in self.gaps):
                yield int(at.timestamp())
            at += timedelta(minutes=1)

    def series(self) -> dict[Labels, list[int]]:
        """All that is kept, as kube-state-metrics names it, by name and labels."""
        kept = dict[Labels, set[int]]()
        for pod in self.pods:
            scrapes = set(self.scrapes(pod))
            ended = scrapes - set(self.scrapes(pod, pod.ended_at)) if pod.ended_at is not None else set()
            of_pod = {"namespace": pod.namespace, "pod": pod.pod, "uid": f"uid-of-{pod.pod}", **dict(pod.others)}
            info = {"container": pod.container, "image": pod.image, "image_spec": pod.image}
            rows = [({"__name__": "kube_pod_container_info", **info, "image_id": pod.image_id, **of_pod}, scrapes)]
            rows.append(({"__name__": "kube_pod_status_phase", "phase": "Succeeded", **of_pod}, ended))
            if pod.has_owner_series:
                rows.append(({"__name__": "kube_pod_owner", **_owner(pod.owner), **of_pod}, scrapes))
            if pod.owner is not None and pod.owner[0] == "ReplicaSet":
                names = {"namespace": pod.namespace, "replicaset": pod.owner[1], **dict(pod.others)}
                rows.append(({"__name__": "kube_replicaset_owner", **_owner(pod.above), **names}, scrapes))
            for labels, seconds in rows:
                named = tuple(sorted((name, value) for name, value in labels.items() if value))
                kept.setdefault(named, set()).update(seconds)
        return {labels: sorted(seconds) for labels, seconds in kept.items() if seconds}

    def open_metrics(self) -> str:
        """What `promtool tsdb create-blocks-from openmetrics` makes a database of."""
        lines = list[str]()
        for labels, seconds in sorted(self.series().items(), key=lambda each: dict(each[0])["__name__"]):
            name = dict(labels)["__name__"]
            own = ",".join(f'{key}="{_quoted(value)}"' for key, value in labels if key != "__name__")
            lines += [f"{name}{{{own}}} 1 {at}" for at in seconds]
        return "\n".join([*lines, "# EOF", ""])

    def _answer(self, query: str, moments: range) -> list[dict[str, Any]]:
        """The bot's one question: containers of pods that have not ended, and owners."""
        found = re.search(r"kube_pod_container_info\{(.*?)\} unless", query)
        assert found is not None, query
        matchers = [each for each in _MATCHER.findall(found[1]) if each[0] != "image_id"]
        points = {
            labels: [at for at in moments if any(at - _LOOKBACK <= second <= at for second in seconds)]
            for labels, seconds in self.series().items()
            if _matches(dict(labels), matchers)
        }
        ended = {(labels["namespace"], labels["pod"], at) for labels, at in _of("kube_pod_status_phase", points)}
        result = []
        for named, seen in points.items():
            labels = dict(named)
            match labels["__name__"]:
                case "kube_pod_container_info" if "image_id" in labels:
                    seen = [at for at in seen if (labels["namespace"], labels["pod"], at) not in ended]
                case "kube_pod_owner" | "kube_replicaset_owner":
                    pass
                case _:
                    continue
            if seen:
                result.append({"metric": labels, "values": [[at, "1"] for at in seen]})
        return result


def serve(kept: Kept) -> Server:
    server = Server(kept.app())
    server.start()
    return server


def _of(name: str, points: dict[Labels, list[int]]) -> Iterable[tuple[dict[str, str], int]]:
    return ((dict(named), at) for named, seen in points.items() if dict(named)["__name__"] == name for at in seen)


def _owner(owner: tuple[str, str] | None) -> dict[str, str]:
    """A label that is empty is none."""
    kind, name = owner or ("", "")
    return {"owner_kind": kind, "owner_name": name, "owner_is_controller": "true" if owner else ""}


def _matches(labels: dict[str, str], matchers: Iterable[tuple[str, str, str]]) -> bool:
    return all(
        re.fullmatch(value, labels.get(name, "")) is not None if sign == "=~" else labels.get(name, "") == value
        for name, sign, value in matchers
    )


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _error(status: int) -> JSONResponse:
    kind, reason = {
        422: ("execution", "query processing would load too many samples into memory in query execution"),
        503: ("timeout", "query timed out in expression evaluation"),
        400: ("bad_data", "exceeded maximum resolution of 11,000 points per timeseries"),
    }.get(status, ("internal", "it is broken"))
    return JSONResponse({"status": "error", "errorType": kind, "error": reason}, status)
