"""What the rebuilds of a tick are worked on with, and what holds before every write."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.own_word import OwnWords, WordHeld
from bot.fleet.act.ports import ActOptions, ActStore, Refresher
from bot.fleet.act.tag_availability import PublishedTags
from bot.fleet.act.trust import TrustGate
from bot.reconcile.guarded import Covers


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
