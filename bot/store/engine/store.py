"""What every store is made of."""

from bot.domain.clock import Clock
from bot.store.engine.database import Database
from bot.store.engine.queue import Worker


class Store:
    """What one worker reads and writes of a database, for one stage; each method is one transaction.

    Times of rows (due, leased until, assessed at) are those of `clock`.
    """

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock
