"""A tag is proposed only once the registry has it: a patch tag and its floating tag do not move in one instant."""

from typing import Protocol

from bot.act.ports import Job
from bot.domain.failure import Failure, Trouble
from bot.domain.following import followed_base
from bot.domain.image import Head
from bot.domain.reference import Base, Reference


class Registry(Protocol):
    async def head(self, base: Base) -> Head: ...


class PublishedTags:
    """Asks for each new tag once in a tick, however many repositories are to take it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[Base, bool] = {}

    async def missing(self, job: Job) -> Reference | None:
        """The first new reference whose tag is not there; raises `Failure` where the registry does not say."""
        bases = {target.base for target in job.rebuild.targets}
        for item in job.rebuild.replacements:
            if item.new.tag == item.old.tag or followed_base(item.old) not in bases:
                continue
            if not await self._is_there(item.new.base):
                return item.new
        return None

    async def _is_there(self, base: Base) -> bool:
        if base not in self._known:
            try:
                await self._registry.head(base)
                self._known[base] = True
            except Failure as failure:
                if failure.trouble is not Trouble.MISSING:
                    raise
                self._known[base] = False
        return self._known[base]
