"""The forges of the settings and their builders: GitHub as a token sees it, or as an App's installations do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from bot.clients.forges.github import GitHub, Installations
from bot.clients.http.client import Observer
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.domain.host import Host, Hosts
from bot.domain.repositories.repository import GITHUB, Identity
from bot.fleet.discover.selection import Selection
from bot.fleet.wiring.grants import chosen_installations, github_access
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
    """Opens where repositories are listed and what builds them, and closes both at the end: they are one, since
    GitHub's Actions build what is listed there."""
    access, app = github_access(settings), settings.github.app
    host = Host(urlsplit(settings.github.api_url).netloc, by_owner=app is not None)
    hosts = Hosts(host, host)
    if app is None:
        github = GitHub(access, clock, observer)
        try:
            yield OpenForges({GITHUB: github}, {GITHUB: github}, hosts)
        finally:
            await github.close()
        return
    installations = Installations(access, clock, chosen_installations(app), observer)
    try:
        yield OpenForges({GITHUB: cast(Forge, installations)}, {GITHUB: cast(Builder, installations)}, hosts)
    finally:
        await installations.close()
