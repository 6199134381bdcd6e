"""What the rebuilds of a tick are worked on with, and what holds before every write."""

from dataclasses import dataclass
from datetime import datetime

from bot.act.own_word import OwnWords, check_recent
from bot.act.ports import ActOptions, ActStore, Refresher
from bot.act.tag_availability import PublishedTags
from bot.act.trust import TrustGate
from bot.domain.clock import Clock
from bot.domain.forge.port import Forge
from bot.domain.rollouts.rebuild import Rebuild


@dataclass(frozen=True, slots=True)
class Tools:
    """`forge` looks at the lease of the rebuild before each write (see `reconcile.guarded`)."""

    store: ActStore
    forge: Forge
    tags: PublishedTags
    words: OwnWords
    refresh: Refresher
    options: ActOptions
    clock: Clock
    trust: TrustGate

    def before_write(self, rebuild: Rebuild, looked_at: datetime) -> None:
        """Checks that the repository's own word is not too old to count; the lease, `forge` itself looks at.

        Raises `Failure` (unreachable, so it is tried again) where it is.
        """
        check_recent(rebuild.repository, looked_at, self.clock.now())
