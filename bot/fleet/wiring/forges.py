"""The forges of the settings and their builders: GitHub as a token sees it, or as an App's installations do, and
Azure DevOps where organisations of it are set up."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlsplit

from bot.clients.forges.github import GitHub, Installations
from bot.clients.http.client import Http, Observer
from bot.domain.builder.definitions import AZURE_PIPELINES
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.domain.host import Host, Hosts
from bot.domain.repositories.repository import AZURE_DEVOPS, GITHUB, Identity
from bot.fleet.discover.selection import Selection
from bot.fleet.wiring.grants import chosen_installations, github_access, http_rules
from bot.fleet.wiring.routing import Builders, Forges
from bot.reconcile.guarded import Covers
from bot.settings import Settings


def covers_of(settings: Settings) -> Covers:
    """Tells of a repository by its name whether the settings of its forge include it."""
    repositories = settings.github.repositories
    selections = {GITHUB: Selection(tuple(repositories.include), tuple(repositories.exclude))}
    selections |= selections_elsewhere(settings)

    def covers(repository: Identity) -> bool:
        selection = selections.get(repository.forge)
        return selection is not None and selection.names(repository.name)

    return covers


def selections_elsewhere(settings: Settings) -> dict[str, Selection]:
    """Which repositories are read of forges other than GitHub; those of which none are named are not asked."""
    azure = settings.azure_devops
    if azure is None or not azure.repositories.include:
        return {}
    return {AZURE_DEVOPS: Selection(tuple(azure.repositories.include), tuple(azure.repositories.exclude))}


@dataclass(frozen=True, slots=True)
class OpenForges:
    """Where repositories are listed, by the forge's name, what builds those of each, and where work on either
    pauses."""

    forges: Mapping[str, Forge]
    builders: Mapping[str, Builder]
    hosts: Hosts

    @property
    def forge(self) -> Forge:
        """All forges as one, but for listing."""
        return cast(Forge, Forges(self.forges, self.hosts.forge))

    @property
    def builder(self) -> Builder:
        """All builders as one."""
        return cast(Builder, Builders(self.builders, self.hosts.builder))


@asynccontextmanager
async def opened_forges(settings: Settings, clock: Clock, observer: Observer) -> AsyncIterator[OpenForges]:
    """Opens where repositories are listed and what builds them, and closes both at the end: GitHub's Actions build
    what is listed there, and so do the pipelines that the settings name."""
    access, app, azure = github_access(settings), settings.github.app, settings.azure_devops
    host = Host(urlsplit(settings.github.api_url).netloc, by_owner=app is not None)
    async with AsyncExitStack() as opened:
        github = (
            GitHub(access, clock, observer)
            if app is None
            else Installations(access, clock, chosen_installations(app), observer)
        )
        opened.push_async_callback(github.close)
        forge, builder, hosts = cast(Forge, github), cast(Builder, github), Hosts(host, host)
        if azure is None:
            yield OpenForges({GITHUB: forge}, {GITHUB: builder}, hosts)
            return
        from bot.clients.forges.azure_devops.pipelines import Pipelines
        from bot.fleet.wiring.pipelines import transports_of

        http = await opened.enter_async_context(Http(clock, http_rules(settings, []), observer=observer))
        transports, there = transports_of(azure, http, clock), Host(urlsplit(azure.url).netloc, by_owner=True)
        pipelines = cast(Builder, Pipelines(transports))
        forges, builders, others = {GITHUB: forge}, {GITHUB: builder, AZURE_PIPELINES: pipelines}, dict[str, Host]()
        if azure.repositories.include:
            from bot.clients.forges.azure_devops.forge import AzureRepos

            items = {name.lower(): each.work_item for name, each in azure.organizations.items() if each.work_item}
            forges[AZURE_DEVOPS], others = AzureRepos(transports, items), {AZURE_DEVOPS: there}
            builders[AZURE_DEVOPS] = pipelines
        hosts = Hosts(replace(host, others=others), replace(host, others={AZURE_PIPELINES: there, **others}))
        yield OpenForges(forges, builders, hosts)
