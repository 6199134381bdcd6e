"""A tag is proposed only once the registry has it: a patch tag and its floating tag do not move in one instant."""

from collections.abc import Iterable
from typing import Protocol

from bot.domain.bases.followed_base import base_among
from bot.domain.bases.image import Head
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base, Reference
from bot.fleet.act.ports import Job


class Registry(Protocol):
    """A registry, as far as it tells whether a tag is there."""

    async def head(self, base: Base) -> Head: ...


class PublishedTags:
    """Asks for each new tag once in a tick, however many repositories are to take it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[Base, bool | Failure] = {}

    async def missing(self, job: Job) -> Reference | None:
        """The first planned reference whose tag is not there; raises `Failure` where the registry does not say."""
        bases = {target.base for target in job.rebuild.targets}
        return await self.first_missing(
            item.new
            for item in job.rebuild.replacements
            if item.new.tag != item.old.tag and base_among(item.old, bases) is not None
        )

    async def first_missing(self, references: Iterable[Reference]) -> Reference | None:
        """The first of these whose tag is not there; raises `Failure` where the registry does not say."""
        for reference in references:
            if not await self._is_there(reference.base):
                return reference
        return None

    async def _is_there(self, base: Base) -> bool:
        if base not in self._known:
            self._known[base] = await self._ask(base)
        answer = self._known[base]
        if isinstance(answer, Failure):
            raise answer
        return answer

    async def _ask(self, base: Base) -> bool | Failure:
        try:
            await self._registry.head(base)
        except Failure as failure:
            return False if failure.trouble is Trouble.MISSING else _of_the_registry(failure)
        return True


def _of_the_registry(failure: Failure) -> Failure:
    """Turns a registry's failure into one of this item: a pause that a registry asks for is none for the forge:
    only what needs this tag waits.

    The registry is named in what happened: elsewhere a rebuild's failures are the forge's.
    """
    trouble = Trouble.UNREACHABLE if failure.trouble is Trouble.THROTTLED else failure.trouble
    message = f"{failure.where}: {failure.what}" if failure.where else failure.what
    return Failure(trouble, message, advice=failure.advice, retry_after=failure.retry_after, status=failure.status)
