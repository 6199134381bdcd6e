"""What every store is made of."""

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Self

from bot.domain.clock import Clock
from bot.store.engine.database import Database, repeated
from bot.store.engine.failures import NoRoom
from bot.store.engine.queue.claiming import Worker

if TYPE_CHECKING:
    from bot.store.stores import Stores


class Store:
    """What one worker reads and writes of a database, for one stage; each method is one transaction.

    Times of rows (due, leased until, assessed at) are those of `clock`. A method whose transaction PostgreSQL broke
    off in favour of another one is made again, which is why it must be one transaction as a whole.
    """

    def __init_subclass__(cls) -> None:
        for name, member in vars(cls).items():
            if iscoroutinefunction(member) and not name.startswith("_"):
                setattr(cls, name, repeated(member))

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock

    @classmethod
    def opened(cls, stores: "Stores") -> Self:
        """Made for `stores`; a store that needs more than these three takes it from there."""
        return cls(*stores.given)

    @property
    def no_room(self) -> NoRoom | None:
        """What the database said when it last had no room, as this process remembers it: nothing is asked for."""
        return self._database.no_room
