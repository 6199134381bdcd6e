"""What lies between the bot and its forge: people act while it works, and owners are not answered for.

Each fault is the answer that GitHub gives, judged by the client itself.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

from bot.clients.forges.github.connection.answers import decoded, meaning, refused
from bot.clients.forges.github.connection.graphql import graphql_answer
from bot.clients.forges.github.connection.owners import listed_each
from bot.domain.builder.runs import FollowedRuns
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import FollowedRequests, OwnWord, Silence
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.repository import GITHUB, Identity, Repository, owner_of
from bot.reconcile.forge_writing import BUILDER_WRITES, FORGE_WRITES
from tests.fakes.forge import FakeForge

Act = Callable[[], Awaitable[object]]


class Fault(Enum):
    """In which way the forge does not answer for an owner."""

    BLIND = "the grant sees nothing there"
    SUSPENDED = "the installation is suspended"
    LOST_CREDENTIALS = "401: the credentials are not taken"
    ADDRESS = "403: the address is not on the owner's list"
    UNTYPED = "200 with an error without a type"
    PAGE = "200 with a proxy's page"
    BAD_GATEWAY = "502"
    DROPPED = "writes are carried out, and the connection is lost before the answer"

    def failure(self, owner: str) -> Failure:
        """What the client makes of the answer, which names the owner."""
        where, named = f"github for {owner}", trouble_of(owner)
        match self:
            case Fault.BLIND:
                return _of_graphql({"type": "NOT_FOUND", "message": f"Could not resolve to a node {named}"}, where)
            case Fault.SUSPENDED:
                return SightLost(f"the App's installation is suspended {named}", where, "end its suspension")
            case Fault.LOST_CREDENTIALS:
                return _of_status(401, f"Bad credentials {named}", where)
            case Fault.ADDRESS:
                return _of_status(403, f"the organization has an IP allow list enabled {named}", where)
            case Fault.UNTYPED:
                return _of_graphql({"message": f"Something went wrong while executing your query {named}"}, where)
            case Fault.PAGE:
                return _raised(lambda: decoded("<html>Bad gateway</html>", where))
            case Fault.BAD_GATEWAY:
                return _of_status(502, named, where)
            case Fault.DROPPED:
                return Failure(Trouble.UNREACHABLE, f"the connection was lost {named}", where=where)


def trouble_of(owner: str) -> str:
    """A mark that the failures of one owner bear, and no other's."""
    return f"<{owner}>"


@dataclass(slots=True)
class DisturbedForge:
    """`forge` as an App reaches it: with a grant from each owner, of which some may be in trouble.

    `interrupt` has somebody act once the bot has been answered so often, before it learns the last answer.
    `between` is called with each answer.
    """

    forge: FakeForge
    faults: dict[str, Fault] = field(default_factory=dict)
    """By owner."""
    between: Callable[[], None] = lambda: None
    _interruption: tuple[int, Act] | None = None
    _unlisted: Mapping[str, Silence] = field(default_factory=dict)

    def interrupt(self, after: int, act: Act) -> None:
        self._interruption = (after, act)

    def interrupt_no_more(self) -> None:
        self._interruption = None

    async def repositories(self, owners: Sequence[str] | None, forge: str = GITHUB) -> list[Repository]:
        """Those of one forge."""
        shown: dict[str, list[Repository]] = {}
        for each in await self._answered(self.forge.repositories(owners)):
            if each.forge == forge:
                shown.setdefault(owner_of(each.name), []).append(each)
        of_forge = {owner_of(home.name) for home in self.forge.homes if home.forge == forge}
        asked = sorted(of_forge - self._owners_in(Fault.SUSPENDED))

        async def listed(owner: str) -> list[Repository]:
            if self.faults.get(owner) not in (None, Fault.BLIND, Fault.DROPPED):
                raise self.faults[owner].failure(owner)
            return [] if owner in self._owners_in(Fault.BLIND) else shown.get(owner, [])

        found, self._unlisted = await listed_each(asked, str, listed)
        return found

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        without = {owner: Silence("its installation is suspended") for owner in self._owners_in(Fault.SUSPENDED)}
        return {**self._unlisted, **without}

    async def grants(self) -> Mapping[str, Mapping[str, str]] | None:
        return await self.forge.grants()

    async def sees_others(self, repository: Identity) -> bool:
        return self._owner(repository) not in self.faults

    async def serving(self, repository: Identity) -> Forge:
        owner = self._owner(repository)
        if owner in self._owners_in(Fault.SUSPENDED):
            raise Fault.SUSPENDED.failure(owner)
        return cast(Forge, _Served(self, owner))

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        """As the client has it: of others than the first, those of owners in trouble are left out."""
        by_owner: dict[str, list[Identity]] = {}
        for each in repositories:
            by_owner.setdefault(self._owner(each), []).append(each)
        found: dict[Identity, OwnWord] = {}
        for owner, some in by_owner.items():
            try:
                found |= await self.asked("standings", owner, some)
            except Failure:
                if some[0] == repositories[0]:
                    raise
        return found

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def asked(repository: Identity, *arguments: Any, **named: Any) -> Any:
            return await self.asked(name, self._owner(repository), repository, *arguments, **named)

        return asked

    async def asked(self, name: str, owner: str, *arguments: Any, **named: Any) -> Any:
        """The answer to one call, as far as the owner's grant and the network let it through."""
        fault = self.faults.get(owner)
        if fault is Fault.BLIND and name in _SHOW_NOTHING:
            return _SHOW_NOTHING[name]
        if fault is not None and fault is not Fault.DROPPED:
            raise fault.failure(owner)
        answer = await self._answered(getattr(self.forge, name)(*arguments, **named))
        if fault is Fault.DROPPED and name in (*FORGE_WRITES, *BUILDER_WRITES):
            raise fault.failure(owner)
        return answer

    async def _answered(self, work: Awaitable[Any]) -> Any:
        answer = await work
        self.between()
        if self._interruption is not None:
            left, act = self._interruption
            self._interruption = (left - 1, act) if left else None
            if not left:
                await act()
                self.between()
        return answer

    def _owner(self, repository: Identity) -> str:
        return owner_of(repository.name)

    def _owners_in(self, fault: Fault) -> frozenset[str]:
        return frozenset(owner for owner, met in self.faults.items() if met is fault)


@dataclass(frozen=True, slots=True)
class _Served:
    """The forge as one owner's grant shows it."""

    whole: DisturbedForge
    owner: str

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def asked(*arguments: Any, **named: Any) -> Any:
            return await self.whole.asked(name, self.owner, *arguments, **named)

        return asked


_SHOW_NOTHING: Mapping[str, Any] = {
    "standings": {},
    "follow_requests": FollowedRequests(),
    "follow_runs": FollowedRuns(),
    "builds": {},
    "latest_runs": {},
}
"""How a grant that sees nothing answers where many things are asked for by their ids."""


def _of_graphql(error: Mapping[str, Any], where: str) -> Failure:
    return _raised(lambda: graphql_answer({"data": None, "errors": [error]}, where).check())


def _of_status(status: int, said: str, where: str) -> Failure:
    trouble, advice = meaning(status)
    return refused(trouble, said, where, advice, status)


def _raised(ask: Callable[[], object]) -> Failure:
    try:
        ask()
    except Failure as failure:
        return failure
    raise AssertionError("the client takes that for an answer")
