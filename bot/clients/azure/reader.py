"""Subscriptions of Azure whose container apps, web apps and container groups are listed, from begin to end.

What runs in one takes a request where a list does not tell it: revisions of a container app that runs several,
configuration and slots of a web app, the state of a container group.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from bot.clients.azure.services import (
    NoService,
    Resource,
    is_served_by_its_template,
    may_run_containers,
    of_group,
    of_revisions,
    of_template,
    of_web_app,
    resource_of,
    runs_nothing,
    web_image,
)
from bot.clients.http.answers import MEBIBYTE, Answer
from bot.clients.http.client import Http, Limits, Nobody, Observer
from bot.clients.kubernetes.access import ClusterAccess, SignIn, reached, trouble_of
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.snapshot import RunningContainer, Snapshot

_MOST_PAGES = 1_000
_AT_ONCE = 8
_LIMITS = Limits(max_bytes=32 * MEBIBYTE)
_APPS = "Microsoft.App/containerApps", "2024-03-01"
_SITES = "Microsoft.Web/sites", "2024-04-01"
_GROUPS = "Microsoft.ContainerInstance/containerGroups", "2023-05-01"
Found = tuple[RunningContainer, ...]


@dataclass(frozen=True, slots=True)
class AzureReader:
    """Lists what runs in `subscriptions`, but for resource groups that globs of `exclude` match.

    `opened` reads anew how Azure is reached, and `signed_in` gives the token where no file does.
    """

    opened: Callable[[], ClusterAccess]
    clock: Clock
    subscriptions: Sequence[str]
    exclude: Sequence[str] = ()
    observer: Observer = field(default_factory=Nobody)
    limits: Limits = _LIMITS
    signed_in: SignIn | None = None

    async def snapshot(self) -> Snapshot:
        """What runs there now, with a line for each part that could not be read. Raises `Failure` where nothing
        could."""
        access = await reached(self.opened, self.signed_in)
        taken_at = self.clock.now()
        parts = [(each, service) for each in self.subscriptions for service in _SERVICES]
        not_read, failed, resting = list[str](), list[Failure](), dict[str, Failure]()
        containers = list[RunningContainer]()
        async with Http(self.clock, {access.host: access.rules()}, self.limits, observer=self.observer) as http:
            for subscription, (service, (provider, version), inside) in parts:
                manager = _Manager(http, access, self.exclude)
                try:
                    if resting_for := resting.get(_ALL) or resting.get(subscription):
                        raise resting_for
                    path = f"/subscriptions/{subscription}/providers/{provider}"
                    containers += await manager.running(path, version, inside)
                except Failure as failure:
                    failed.append(failure)
                    not_read.append(f"{service} of {subscription}: {failure.told}")
                    if _ends_all(failure):
                        resting[subscription if failure.status else _ALL] = failure
                not_read += manager.not_read
        if len(failed) == len(parts):
            raise failed[0]
        return Snapshot(taken_at, tuple(containers), tuple(not_read))


_ALL = ""
"""Stands for all subscriptions: whoever does not answer at all is asked for none of them."""


def _ends_all(failure: Failure) -> bool:
    """Whether what comes next would fail alike: nobody answers, or a subscription's limit is reached."""
    return failure.trouble is Trouble.THROTTLED or (failure.trouble.is_passing and failure.status is None)


@dataclass(frozen=True, slots=True)
class _Manager:
    """Azure Resource Manager through the reading of one list; `not_read` are resources that are missing in it."""

    http: Http
    access: ClusterAccess
    exclude: Sequence[str]
    not_read: list[str] = field(default_factory=list)

    async def running(self, path: str, version: str, inside: "Inside") -> Sequence[RunningContainer]:
        """What runs in the resources of a list; one that cannot be read is named and stops no other. Raises
        `Failure`."""
        resources = list[Resource]()
        for item in await self.listed(path, version):
            try:
                resources.append(resource_of(item))
            except NoService:
                self.not_read.append(f"one of a list: {self._unreadable(path).told}")
        globs = [glob.lower() for glob in self.exclude]
        wanted = [each for each in resources if not any(fnmatchcase(each.group, glob) for glob in globs)]

        async def read(resource: Resource) -> Found:
            try:
                return await inside(self, resource, version)
            except NoService:
                failure = self._unreadable(resource.id)
            except Failure as refused:
                failure = refused
            if _ends_all(failure):
                raise failure
            if failure.trouble is not Trouble.MISSING:  # what is gone since it was listed runs no more
                self.not_read.append(f"{resource.group}/{resource.name}: {failure.told}")
            return ()

        return [one for each in await bounded_gather(_AT_ONCE, wanted, read) for one in each]

    async def listed(self, path: str, version: str) -> list[Any]:
        """All entries of a list, page by page. Raises `Failure`."""
        url, entries, shown = f"{path}?api-version={version}", list[Any](), set[str]()
        for _ in range(_MOST_PAGES):
            match await self.one(url):
                case {"value": list() as items} as page:
                    entries += items
                    following = page.get("nextLink") or ""
                case _:
                    raise self._unreadable(path)
            if not following:
                return entries
            if not str(following).startswith(f"{self.access.server}/") or following in shown:
                raise Failure(Trouble.MALFORMED, "goes on elsewhere, or without end", where=self._where(path))
            shown.add(following)
            url = following.removeprefix(self.access.server)
        raise Failure(Trouble.MALFORMED, f"has more than {_MOST_PAGES:,} pages", where=self._where(path))

    async def one(self, url: str) -> Any:
        """One document. Raises `Failure`."""
        headers = self.access.headers | {"Accept": "application/json"}
        answer = await self.http.request("GET", f"{self.access.server}{url}", headers=headers)
        if answer.status != 200:
            raise self._refusal(answer, url.partition("?")[0])
        return answer.json()

    def _unreadable(self, path: str) -> Failure:
        return Failure(Trouble.MALFORMED, "is not as the interface describes it", where=self._where(path))

    def _where(self, path: str) -> str:
        return f"{self.access.host}{path}"

    def _refusal(self, answer: Answer, path: str) -> Failure:
        match answer.status:
            case 401:
                what, advice = "does not take the credentials", "sign in with an identity of this tenant"
            case 403:
                what, advice = "may not be read", "give the bot's identity the role Reader on the subscription"
            case 404:
                what, advice = "is not there", "check the subscription's id, and the identity's role on it"
            case status:
                what, advice = f"gave an unexpected answer ({status})", "check the address"
        trouble = trouble_of(answer.status)
        return Failure(trouble, what, where=self._where(path), advice=advice, status=answer.status)


Inside = Callable[[_Manager, Resource, str], Awaitable[Found]]


async def _in_app(manager: _Manager, app: Resource, version: str) -> Found:
    if runs_nothing(app):
        return ()
    if is_served_by_its_template(app):
        return tuple(of_template(app))
    return tuple(of_revisions(app, await manager.listed(f"{app.id}/revisions", version)))


async def _in_site(manager: _Manager, site: Resource, version: str) -> Found:
    """A web app with its slots, each of which runs an image of its own."""
    if not may_run_containers(site):
        return ()
    slots = [resource_of(item) for item in await manager.listed(f"{site.id}/slots", version)]
    return tuple(_chain([await _in_slot(manager, each, version) for each in (site, *slots)]))


async def _in_slot(manager: _Manager, site: Resource, version: str) -> Found:
    if runs_nothing(site):
        return ()
    config = await manager.one(f"{site.id}/config/web?api-version={version}")
    image = web_image(config.get("properties") if isinstance(config, dict) else None)
    has_list = site.properties.get("reserved") is True and not image.is_composed
    sidecars = await manager.listed(f"{site.id}/sitecontainers", version) if has_list else []
    return tuple(of_web_app(site, image, sidecars))


async def _in_group(manager: _Manager, group: Resource, version: str) -> Found:
    return tuple(of_group(resource_of(await manager.one(f"{group.id}?api-version={version}"))))


def _chain(parts: Iterable[Found]) -> Iterable[RunningContainer]:
    return (one for part in parts for one in part)


_SERVICES: tuple[tuple[str, tuple[str, str], Inside], ...] = (
    ("container apps", _APPS, _in_app),
    ("web apps", _SITES, _in_site),
    ("container groups", _GROUPS, _in_group),
)
