"""The forges and builders of a fleet that is played by one: each is asked of its own repositories alone."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import Identity, Repository
from tests.integration.model.disturbed import DisturbedForge


@dataclass(frozen=True, slots=True)
class Asked:
    """What `name` is asked, a forge or a builder; `told` gets a line for each question about what others have."""

    whole: DisturbedForge
    name: str
    told: list[str]

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        return await self.whole.repositories(owners, self.name)

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        return await self.whole.silent(owners)

    async def grants(self) -> Mapping[str, Mapping[str, str]] | None:
        return await self.whole.grants()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def asked(about: Any, *arguments: Any, **named: Any) -> Any:
            identities = [about] if isinstance(about, Identity) else about
            self.told.extend(
                f"{self.name} is asked for {name} of {each}, which {each.asked_at} has"
                for each in identities
                if each.asked_at != self.name
            )
            return await getattr(self.whole, name)(about, *arguments, **named)

        return asked
