"""Several forges, and several builders, as one: each call goes to that of the repository it is about."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from bot.domain.builder.port import Builder
from bot.domain.failure import Failure
from bot.domain.forge.looks import OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.repository import Identity

Port = TypeVar("Port")


class _Routed(Generic[Port]):
    """Ports by the forge whose repositories they are asked about. Those about several repositories at once are
    asked by way of `serving`.

    Raises `Failure` (the sight is lost) of a repository whose forge the settings do not name any more.
    """

    def __init__(self, ports: Mapping[str, Port]) -> None:
        self._ports: Mapping[str, Port] = ports

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Every method that is not here is about the one repository that it names first."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(repository: Identity, *arguments: Any, **options: Any) -> Any:
            return await getattr(self._of(repository), name)(repository, *arguments, **options)

        return call

    def _of(self, repository: Identity) -> Port:
        port = self._ports.get(repository.forge)
        if port is None:
            raise SightLost(f"{repository.forge} is not set up any more", repository.name, "set it up again")
        return port


class Forges(_Routed[Forge]):
    """`Forge`, but for what lists repositories: each forge is listed by itself, since what one does not show closes
    nothing of another's."""

    async def serving(self, repository: Identity) -> Forge:
        """This repository's forge, as it is asked about several things of its owner."""
        return await self._of(repository).serving(repository)

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        """The first is the one that is asked for: of the others, those who are not shown, whyever, are left out."""
        own_words: dict[Identity, OwnWord] = {}
        by_forge: dict[str, list[Identity]] = {}
        for each in repositories:
            by_forge.setdefault(each.forge, []).append(each)
        for identities in by_forge.values():
            try:
                own_words |= await self._of(identities[0]).standings(identities)
            except Failure:
                if identities[0] == repositories[0]:
                    raise
        return own_words


class Builders(_Routed[Builder]):
    """`Builder`, of what builds the repositories of each forge."""

    async def serving(self, repository: Identity) -> Builder:
        """What builds this repository, as it is asked about several things of its owner."""
        return await self._of(repository).serving(repository)
