"""The forge of the settings and its builder: GitHub as a token sees it, or as the installations of an App do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from bot.clients.forges.github import GitHub, Installations
from bot.clients.http.client import Observer
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.fleet.discover.selection import Selection
from bot.fleet.wiring.grants import chosen_installations, github_access
from bot.reconcile.guarded import Covers
from bot.settings import Settings


def covers_of(settings: Settings) -> Covers:
    """Tells of a repository's name whether the settings include it."""
    repositories = settings.github.repositories
    return Selection(tuple(repositories.include), tuple(repositories.exclude)).names


@asynccontextmanager
async def opened_forge(
    settings: Settings, clock: Clock, observer: Observer
) -> AsyncIterator[tuple[Forge, Builder]]:
    """Opens where repositories are listed and what builds them, and closes both at the end: they are one, since
    GitHub's Actions build what is listed there."""
    access, app = github_access(settings), settings.github.app
    if app is None:
        github = GitHub(access, clock, observer)
        try:
            yield github, github
        finally:
            await github.close()
        return
    installations = Installations(access, clock, chosen_installations(app), observer)
    try:
        yield cast(Forge, installations), cast(Builder, installations)
    finally:
        await installations.close()
