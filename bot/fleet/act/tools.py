"""What the rebuilds of a tick are worked on with, and what holds before any begins and before every write."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.own_word import OwnWords, WordHeld
from bot.fleet.act.ports import ActOptions, ActStore, Job, Refresher
from bot.fleet.act.tag_availability import PublishedTags
from bot.reconcile.guarded import Covers


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
    """`forge` looks at what is `word_held`, and whether the operator `covers` the name, before each write (see
    `reconcile.guarded`)."""

    store: ActStore
    forge: Forge
    tags: PublishedTags
    words: OwnWords
    refresh: Refresher
    options: ActOptions
    clock: Clock
    trust: TrustGate
    word_held: WordHeld
    covers: Covers

    def before_write(self, rebuild: Rebuild, looked_at: datetime) -> None:
        """Notes when the repository's own word was heard, which `forge` looks at once the write has its turn.

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
