"""What was measured of upstream, for all pages that tell of it."""

from typing import Self

from bot.domain.clock import Clock
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.pages.bases.mirror_lags import MirrorLagsStore
from bot.store.pages.bases.promises import PromisesStore
from bot.store.stores import Stores


class MeasuredStore(Store):
    """A store that tells of promises and mirrors too; what one of them has read of these serves all."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores[PromisesStore], stores[MirrorLagsStore])

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        promises: PromisesStore,
        mirror_lags: MirrorLagsStore,
    ) -> None:
        super().__init__(database, worker, clock)
        self._promises = promises
        self._mirror_lags = mirror_lags
