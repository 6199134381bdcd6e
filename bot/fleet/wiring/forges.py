"""The forges of the settings and their builders: GitHub as a token sees it, or as an App's installations do."""

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
from bot.domain.repositories.repository import GITHUB, Identity
from bot.fleet.discover.selection import Selection
from bot.fleet.wiring.grants import chosen_installations, github_access, http_rules
from bot.fleet.wiring.routing import Builders, Forges
from bot.reconcile.guarded import Covers
from bot.settings import Settings


def covers_of(settings: Settings) -> Covers:
    """Tells of a repository by its name whether the settings of its forge include it."""
    repositories = settings.github.repositories
    selections = {GITHUB: Selection(tuple(repositories.include), tuple(repositories.exclude))}

    def covers(repository: Identity) -> bool:
        selection = selections.get(repository.forge)
        return selection is not None and selection.names(repository.name)

    return covers


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
        from bot.fleet.wiring.pipelines import pipelines_of

        http = await opened.enter_async_context(Http(clock, http_rules(settings, []), observer=observer))
        pipelines = pipelines_of(azure, http, clock)
        elsewhere = {AZURE_PIPELINES: Host(urlsplit(azure.url).netloc, by_owner=True)}
        builders = {GITHUB: builder, AZURE_PIPELINES: cast(Builder, pipelines)}
        yield OpenForges({GITHUB: forge}, builders, Hosts(host, replace(host, others=elsewhere)))
