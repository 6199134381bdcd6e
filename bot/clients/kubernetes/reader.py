"""One cluster whose pods are listed, page by page, from its beginning to its end.

Nothing is kept between two lists: a whole one every few minutes costs less than following each change, and only a
whole one tells what does not run any more.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from bot.clients.http.answers import MEBIBYTE, Answer
from bot.clients.http.client import Http, Limits, Nobody, Observer
from bot.clients.kubernetes.access import ClusterAccess, SignIn, reached, trouble_of
from bot.clients.kubernetes.pods import RunningNow
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.snapshot import RunningContainer, Snapshot
from bot.domain.wording.words import counted

_PAGE = 500
_LARGEST_PAGE = 32 * MEBIBYTE
_MOST_PAGES = 1_000
_MOST_BEGINNINGS = 3
"""How often a list is begun anew that the server could not go on with."""
MOST_CONTAINERS = 100_000
_LONGEST_REASON = 200
_LIMITS = Limits(max_bytes=_LARGEST_PAGE)


class _Outdated(Exception):
    """The server has forgotten the state of the cluster that a list was of (410)."""


@dataclass(frozen=True, slots=True)
class ClusterReader:
    """Lists the pods of `namespaces`, or of all with none named, but for those that globs of `exclude` match.

    `opened` reads anew how the cluster is reached, `signed_in` gives the token where no file does, and `limits`
    bound each request.
    """

    opened: Callable[[], ClusterAccess]
    clock: Clock
    namespaces: Sequence[str] = ()
    exclude: Sequence[str] = ()
    observer: Observer = field(default_factory=Nobody)
    limits: Limits = _LIMITS
    signed_in: SignIn | None = None

    async def snapshot(self) -> Snapshot:
        """What runs there now, with a line for each part that could not be read. Raises `Failure` where nothing
        could."""
        access = await reached(self.opened, self.signed_in)
        taken_at = self.clock.now()
        containers, not_read, failures = list[RunningContainer](), list[str](), list[Failure]()
        async with Http(self.clock, {access.host: access.rules()}, self.limits, observer=self.observer) as http:
            for namespace in self.namespaces or (None,):
                found = RunningNow(self.exclude)
                part = "pods" if namespace is None else f"namespace {namespace}"
                try:
                    if failures and failures[-1].trouble.is_passing:
                        raise failures[-1]  # whoever is silent is not asked once more for each
                    await _List(http, access, namespace).read_into(found)
                except Failure as failure:
                    failures.append(failure)
                    not_read.append(f"{part}: {failure.told}")
                if found.unread:
                    not_read.append(
                        f"{part}: {counted(found.unread, 'pod')} cannot be read as the interface has them"
                    )
                containers += found.containers()
        if failures and not containers and len(failures) == len(self.namespaces or (None,)):
            raise failures[0]
        return Snapshot(taken_at, tuple(containers), tuple(not_read))


@dataclass(frozen=True, slots=True)
class _List:
    """The pods of one namespace, or of all."""

    http: Http
    access: ClusterAccess
    namespace: str | None

    async def read_into(self, found: RunningNow) -> None:
        """Raises `Failure` where the list is not read to its end; what was read until then is in `found`."""
        for _ in range(_MOST_BEGINNINGS):
            found.clear()
            try:
                return await self._read_once(found)
            except _Outdated:
                continue
        fault = f"was begun {_MOST_BEGINNINGS} times, and the server could go on with none (410)"
        raise Failure(Trouble.UNREACHABLE, fault, where=self._where, advice="it is tried again later")

    async def _read_once(self, found: RunningNow) -> None:
        token, shown = "", set[str]()
        for _ in range(_MOST_PAGES):
            answer = await self._page(token)
            items, token = self._read(answer)
            found.add(items)
            if not token:
                return
            if token in shown or len(found) > MOST_CONTAINERS:
                break
            shown.add(token)
        fault = f"has no end, or more than {MOST_CONTAINERS:,} containers"
        raise Failure(Trouble.MALFORMED, fault, where=self._where, advice="name its namespaces in several sources")

    async def _page(self, token: str) -> Answer:
        query = urlencode({"limit": _PAGE} | ({"continue": token} if token else {}))
        headers = self.access.headers | {"Accept": "application/json"}
        return await self.http.request("GET", f"{self.access.server}{self._path}?{query}", headers=headers)

    @property
    def _path(self) -> str:
        return (
            "/api/v1/pods"
            if self.namespace is None
            else f"/api/v1/namespaces/{quote(self.namespace, safe='')}/pods"
        )

    @property
    def _where(self) -> str:
        return f"{self.access.host}{self._path}"

    def _read(self, answer: Answer) -> tuple[list[Any], str]:
        """The pods of a page, and the token for the next; empty on the last. Raises `Failure`, or `_Outdated`."""
        if answer.status == 410:
            raise _Outdated
        if answer.status != 200:
            raise self._refusal(answer)
        match answer.json():
            case {"kind": "PodList", "items": list() as items, "metadata": dict() as metadata}:
                token = metadata.get("continue") or ""
                if isinstance(token, str):
                    return items, token
            case {"kind": "PodList", "items": None}:  # as Go writes an empty list
                return [], ""
        raise Failure(Trouble.MALFORMED, "answered with no list of pods", where=self._where, status=200)

    def _refusal(self, answer: Answer) -> Failure:
        told, where = _message(answer), self._where
        match answer.status:
            case 401:
                what, advice = "does not take the credentials", "give the token of a service account that is there"
            case 403:
                what = f"does not let pods be listed{told}"
                advice = "bind a role with the verb list on pods, for all namespaces or for those that are named"
            case 404:
                what, advice = "is no API server of Kubernetes", "check the address"
            case status:
                what, advice = f"gave an unexpected answer ({status}){told}", "check the address"
        trouble = trouble_of(answer.status)
        return Failure(trouble, what, where=where, advice=advice, status=answer.status)


def _message(answer: Answer) -> str:
    """The reason that a server gives in its Status."""
    try:
        reason = json.loads(answer.body)["message"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    printable = "".join(letter for letter in str(reason) if letter.isprintable())
    return f": {printable[:_LONGEST_REASON]}" if printable else ""
