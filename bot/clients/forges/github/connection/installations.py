"""A GitHub App's installations as one forge: each organisation with its own, and what an App may be granted.

Source: GitHub's list of permissions required for GitHub Apps.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.clients.forges.github.client import GitHub
from bot.clients.forges.github.connection.connections import AppCredentials, GitHubAccess
from bot.clients.forges.github.connection.owners import listed_each
from bot.clients.forges.github.connection.shapes import rows, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.files import Files
from bot.clients.forges.github.pull_requests.pull_request import OtherRequests
from bot.clients.http.client import Observer
from bot.domain.clock import Clock, is_fresh
from bot.domain.failure import Failure
from bot.domain.forge.looks import OwnWord, Silence
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.repository import Identity, Repository, owner_of

_RANKS = {"read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Permission:
    """`level` is read or write; without one that is not needed the bot does less and says so. `title` is what
    GitHub's pages call it, where that is not its name."""

    name: str
    level: str
    purpose: str
    is_needed: bool = True
    title: str | None = None

    def is_in(self, granted: Mapping[str, str]) -> bool:
        return _RANKS.get(granted.get(self.name, ""), 0) >= _RANKS[self.level]


PERMISSIONS = (
    Permission("metadata", "read", "list repositories"),
    Permission("contents", "write", "read files, and make the branches and commits of pull requests"),
    Permission("pull_requests", "write", "open, label and follow pull requests, and ask for reviews"),
    Permission("actions", "write", "start rebuild workflows and follow their runs"),
    Permission("checks", "read", "see what became of builds"),
    Permission("workflows", "write", "bring bases in .github/workflows up to date", is_needed=False),
    Permission("issues", "write", "keep the one issue of each repository", is_needed=False),
    Permission(
        "security_events",
        "write",
        "upload findings to code scanning, where that is wished",
        is_needed=False,
        title="Code scanning alerts",
    ),
    Permission(
        "artifact_metadata",
        "write",
        "write deployment records, where wished",
        is_needed=False,
        title="Artifact metadata",
    ),
    Permission("merge_queues", "write", "put pull requests into a merge queue", is_needed=False),
    Permission("members", "read", "ask teams for reviews", is_needed=False),
)
"""All that the bot ever uses."""


def least(granted: Mapping[str, str]) -> dict[str, str]:
    """Of what an installation grants, what the bot uses, at the level that it uses: GitHub refuses a token with
    more than is granted."""
    levels: dict[str, str] = {}
    for each in PERMISSIONS:
        rank = min(_RANKS.get(granted.get(each.name, ""), 0), _RANKS[each.level])
        if rank:
            levels[each.name] = next(level for level, level_rank in _RANKS.items() if level_rank == rank)
    return levels


T = TypeVar("T")
_ASKED_AGAIN_AFTER = timedelta(minutes=1)
"""So long an owner is unknown before the list of installations is asked for again."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The App in one organisation or with one user; `permissions` are what its owner has granted."""

    id: int
    account: str
    permissions: Mapping[str, str]
    is_suspended: bool = False
    sees_all: bool = True


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which installations are used: of these owners (None: of all), and only the one with this id where it is
    named by id."""

    owners: frozenset[str] | None = None
    id: int | None = None

    def takes(self, installation: Installation) -> bool:
        is_named = self.owners is None or installation.account.lower() in self.owners
        return is_named and self.id in (None, installation.id)


class Installations:
    """The forge and builder of an App. A call about a repository is made as the installation of its owner; those
    about several repositories at once, by way of `serving`.

    Raises `Failure` (denied) where the App is not installed with the owner, or its installation is suspended.
    """

    def __init__(
        self, access: GitHubAccess, clock: Clock, chosen: Chosen = Chosen(), observer: Observer | None = None
    ) -> None:
        assert isinstance(access.credentials, AppCredentials)
        self._access = access
        self._app = access.credentials
        self._clock = clock
        self._chosen = chosen
        self._observer = observer
        self._transport = Transport(access, clock, observer)
        self._known: dict[str, Installation] = {}
        self._serving: dict[int, GitHub] = {}
        self._in_trouble: Mapping[str, Silence] = {}
        self._listed_at: datetime | None = None
        self._listing = asyncio.Lock()

    async def close(self) -> None:
        await asyncio.gather(self._transport.close(), *(each.close() for each in self._serving.values()))

    async def installations(self) -> list[Installation]:
        """Lists all installations that the App has, used or not, as GitHub shows them now."""
        installations: list[Installation] = []
        async for page in self._transport.pages("/app/installations"):
            with shaped("list of installations"):
                installations += [_installation_of(row) for row in rows(page, None)]
        return installations

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """All repositories of the installations that are used, as their owners have granted them by now; suspended
        ones show none."""
        await self._look()
        active = [each for each in self._known.values() if not each.is_suspended]
        repositories, self._in_trouble = await listed_each(
            active, lambda each: each.account.lower(), lambda each: self._client(each).repositories(owners)
        )
        return repositories

    async def server_time(self) -> datetime | None:
        return await self._transport.server_time("/app")

    def uses(self, installation: Installation) -> bool:
        return self._chosen.takes(installation)

    async def files(self, repositories: Sequence[Identity], paths: Sequence[str]) -> Files:
        """Reads files of owners' repositories; an owner who cannot be seen has none."""
        return await self._of_owners(repositories, lambda client, theirs: client.files(theirs, paths))

    async def other_requests(self, repositories: Sequence[Identity]) -> OtherRequests:
        """The open pull requests of others in owners' repositories; an owner who cannot be seen has none."""
        return await self._of_owners(repositories, lambda client, theirs: client.other_requests(theirs))

    async def _of_owners(
        self,
        repositories: Sequence[Identity],
        ask: Callable[[GitHub, Sequence[Identity]], Awaitable[Mapping[Identity, T]]],
    ) -> dict[Identity, T]:
        """What is asked once of each owner who can be seen."""
        shown: dict[Identity, T] = {}
        by_owner: dict[str, list[Identity]] = {}
        for each in repositories:
            by_owner.setdefault(owner_of(each.name), []).append(each)
        for owner, identities in by_owner.items():
            if self._is_to_be_looked_for(owner):
                await self._look()
            if self._silence(owner) is None:
                shown |= await ask(self._client(self._known[owner]), identities)
        return shown

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        """Those of `owners`, and of those who are named in the settings, of whom nothing can be seen, with why."""
        owner_names = {owner.lower() for owner in owners} | (self._chosen.owners or frozenset())
        without = {
            owner: Silence(reason) for owner in sorted(owner_names) if (reason := self._silence(owner)) is not None
        }
        return without | {owner: silence for owner, silence in self._in_trouble.items() if owner not in without}

    async def grants(self) -> Mapping[str, Mapping[str, str]]:
        return {owner: dict(each.permissions) for owner, each in self._known.items() if not each.is_suspended}

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        """The first is the one that is asked for: of the others, those who are not shown, whyever, are left out."""
        own_words: dict[Identity, OwnWord] = {}
        by_owner: dict[str, list[Identity]] = {}
        for each in repositories:
            by_owner.setdefault(owner_of(each.name), []).append(each)
        for identities in by_owner.values():
            try:
                own_words |= await (await self.serving(identities[0])).standings(identities)
            except Failure:
                if identities[0] == repositories[0]:
                    raise
        return own_words

    async def serving(self, repository: Identity) -> GitHub:
        """GitHub as the installation of this repository's owner sees it."""
        owner = owner_of(repository.name)
        if self._is_to_be_looked_for(owner):
            await self._look()
        if (reason := self._silence(owner)) is not None:
            raise SightLost(reason, repository.name, "install the App there again, or end its suspension")
        return self._client(self._known[owner])

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Every other method of `Forge` and `Builder` is about the one repository that it names first."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(repository: Identity, *arguments: Any, **options: Any) -> Any:
            return await getattr(await self.serving(repository), name)(repository, *arguments, **options)

        return call

    def _is_to_be_looked_for(self, owner: str) -> bool:
        if self._listed_at is None:
            return True
        is_recent = is_fresh(self._listed_at, self._clock.now(), _ASKED_AGAIN_AFTER)
        return self._silence(owner) is not None and not is_recent

    def _silence(self, owner: str) -> str | None:
        installation = self._known.get(owner)
        if installation is None:
            return f"the App is not installed at {owner}, or not used there"
        return f"the App's installation at {owner} is suspended" if installation.is_suspended else None

    async def _look(self) -> None:
        """Asks which installations there are; what their owners have granted since counts from now on."""
        async with self._listing:
            installations = await self.installations()
            self._known = {each.account.lower(): each for each in installations if self._chosen.takes(each)}
            self._listed_at = self._clock.now()
            for each in self._known.values():
                if each.id in self._serving:
                    self._serving[each.id].sign_in_as(self._credentials(each))

    def _client(self, installation: Installation) -> GitHub:
        if installation.id not in self._serving:
            access = replace(self._access, credentials=self._credentials(installation))
            self._serving[installation.id] = GitHub(access, self._clock, self._observer)
        return self._serving[installation.id]

    def _credentials(self, installation: Installation) -> AppCredentials:
        return replace(self._app, installation=installation.id, permissions=least(installation.permissions))


def _installation_of(row: Mapping[str, Any]) -> Installation:
    return Installation(
        int(row["id"]),
        str(row["account"]["login"]),
        {str(name): str(level) for name, level in row["permissions"].items()},
        row["suspended_at"] is not None,
        row["repository_selection"] == "all",
    )
