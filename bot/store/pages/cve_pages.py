"""What the stores of pages that tell CVEs have in common."""

from collections.abc import Collection
from datetime import timedelta
from typing import Self

from bot.domain.clock import Clock
from bot.domain.packages.gate import MAX_AGE
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.stores import Stores


class CvePagesStore(Store):
    """`max_age` is how old CVE data may be; what is older may lack a CVE. `platforms` are those whose packages are
    read, None where that does not matter."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores.options.cve_data_age, stores.options.platforms)

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        max_age: timedelta = MAX_AGE,
        platforms: Collection[str] | None = None,
    ) -> None:
        super().__init__(database, worker, clock)
        self._max_age = max_age
        self._platforms = platforms
