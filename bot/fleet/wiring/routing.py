"""Several forges, and several builders, as one: each call goes to that of the repository it is about."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from bot.domain.builder.port import Builder
from bot.domain.failure import Failure
from bot.domain.forge.looks import OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import SightLost
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity

Port = TypeVar("Port")


class _Routed(Generic[Port]):
    """Ports by the forge or builder that is asked. Those about several repositories at once are
    asked by way of `serving`. What they raise says at which `host` that was.

    Raises `Failure` (the sight is lost) of a repository whose forge the settings do not name any more.
    """

    def __init__(self, ports: Mapping[str, Port], host: Host = Host()) -> None:  # noqa: B008 - frozen
        self._ports: Mapping[str, Port] = ports
        self._host = host

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Every method that is not here is about the one repository that it names first."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(repository: Identity, *arguments: Any, **options: Any) -> Any:
            with self._met_at(repository):
                return await getattr(self._of(repository), name)(repository, *arguments, **options)

        return call

    @contextmanager
    def _met_at(self, repository: Identity) -> Iterator[None]:
        try:
            yield
        except Failure as failure:
            failure.host = failure.host or self._host.of(repository)
            raise

    def _of(self, repository: Identity) -> Port:
        port = self._ports.get(repository.asked_at)
        if port is None:
            raise _not_set_up(repository.asked_at, repository.name)
        return port


def _not_set_up(name: str, place: str = "") -> SightLost:
    return SightLost(f"{name} is not set up any more", place, "set it up again")


class Forges(_Routed[Forge]):
    """`Forge`, but for what lists repositories: each forge is listed by itself, since what one does not show closes
    nothing of another's."""

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        """The first is the one that is asked for: of the others, those who are not shown, whyever, are left out."""
        own_words: dict[Identity, OwnWord] = {}
        by_forge: dict[str, list[Identity]] = {}
        for each in repositories:
            by_forge.setdefault(each.forge, []).append(each)
        for identities in by_forge.values():
            try:
                with self._met_at(identities[0]):
                    own_words |= await self._of(identities[0]).standings(identities)
            except Failure:
                if identities[0] == repositories[0]:
                    raise
        return own_words


class _NotSetUp:
    """Stands for a builder that the settings do not name: whatever it is asked, the sight is lost, of those
    alone whose workflows are there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **options: Any) -> Any:
            raise _not_set_up(self._name)

        return call


class Builders(_Routed[Builder]):
    """`Builder`: of what builds the repositories of each forge, by the forge's name, and of other builders."""

    async def serving(self, repository: Identity) -> Any:
        """What several repositories are asked of at once; one whose builder is not set up hinders no others."""
        if repository.asked_at not in self._ports:
            return _NotSetUp(repository.asked_at)
        with self._met_at(repository):
            return await self._of(repository).serving(repository)
