"""The stores of one worker on a database: asked for by kind, and made then."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from bot.domain.clock import Clock
from bot.domain.packages.gate import MAX_AGE
from bot.domain.rollouts.timing.pace import Pace
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker

if TYPE_CHECKING:
    from bot.domain.feeds.advisory import Severity
    from bot.images.vex.statements import VexStatement


class Opened(Protocol):
    """A kind that `Stores` can be asked for."""

    @classmethod
    def opened(cls, stores: "Stores") -> Self: ...


S = TypeVar("S", bound=Opened)


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What the settings say to stores.

    `pace` is what bounds rollouts, `cve_data_age` how old CVE data may be to tell what is open, `platforms` those
    whose packages are read, None where that does not matter. `statements` reads what authors who are heeded say of
    vulnerabilities, and raises `Failure`; `fix_within` is how soon a fix is to run of what a repository builds;
    `has_sources` says whether any source is set to tell what runs.
    """

    pace: Pace = Pace()  # noqa: RUF009 - frozen
    cve_data_age: timedelta = MAX_AGE
    platforms: Collection[str] | None = None
    statements: "Callable[[], Sequence[VexStatement]]" = tuple
    fix_within: "Callable[[str], Mapping[Severity, timedelta]]" = lambda repository: {}
    has_sources: bool = False


class Stores:
    """What one worker sees of a database, as `stores[Kind]`."""

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        options: StoreOptions = StoreOptions(),
    ) -> None:
        self.given = database, worker, clock
        self.options = options
        self._made: dict[type[Any], Any] = {}

    def __getitem__(self, kind: type[S]) -> S:
        if kind not in self._made:
            self._made[kind] = kind.opened(self)
        return cast(S, self._made[kind])
