"""What the rebuilds of a tick are worked on with, and what holds before any begins and before every write."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.followed_base import base_among
from bot.domain.bases.image import Head
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import Forge
from bot.domain.reference import Base, Reference
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.own_word import OwnWords, WordHeld
from bot.fleet.act.ports import ActOptions, ActStore, Job, Refresher
from bot.reconcile.guarded import Covers


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


class TrustGate(Protocol):
    """Judges bases; raises `Failure` where the registry does not say."""

    async def doubt(self, base: Base, digest: str, since: datetime) -> str | None:
        """Why nothing may be built on this digest, shown by its base since then; None where it may."""
        ...


class TrustEverybody:
    """Trusts every digest, where no rule asks for signatures."""

    async def doubt(self, base: Base, digest: str, since: datetime) -> str | None:
        """Returns None without asking anybody."""
        return None


@dataclass(frozen=True, slots=True)
class Tools:
    """`forge` and `builder` look at what is `word_held`, and whether the operator `covers` the name, before each
    write (see `reconcile.guarded`)."""

    store: ActStore
    forge: Forge
    builder: Builder
    tags: PublishedTags
    words: OwnWords
    refresh: Refresher
    options: ActOptions
    clock: Clock
    trust: TrustGate
    word_held: WordHeld
    covers: Covers

    def before_write(self, rebuild: Rebuild, looked_at: datetime) -> None:
        """Notes when the repository's own word was heard, which is looked at once the write has its turn.

        Raises `Failure` (unreachable, so it is tried again) where it is too old to count already.
        """
        self.word_held.hear(rebuild.repository, looked_at)


async def doubt_about(job: Job, gate: TrustGate) -> str | None:
    """Why a rebuild may not begin yet: the first of its new digests that is not trusted."""
    moved_at = {change.base: change.at for change in job.changes}
    for target in job.rebuild.targets:
        since = moved_at.get(target.base, job.rebuild.planned_at)
        doubt = await gate.doubt(target.base, target.to_digest, since)
        if doubt is not None:
            return doubt
    return None
