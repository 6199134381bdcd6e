"""A rollout as maintainers hear of it: counted, with the few rebuilds that are named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bases.change import Change
from bot.domain.packages.cves.moves import StillOpen
from bot.domain.rollouts.rebuild import NEED_A_PERSON, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Occasion, Pause

MOST_NAMED = 10
"""So many rebuilds are named in one message; of a larger rollout those that need a person."""
SHOWN_FIRST = (
    *NEED_A_PERSON,
    *(
        RebuildState.MERGED,
        RebuildState.BUILT,
        RebuildState.PROVING,
        RebuildState.BUILDING,
        RebuildState.RUNNING,
        RebuildState.DISPATCHED,
        RebuildState.WAITING,
        RebuildState.PLANNED,
    ),
)


@dataclass(frozen=True, slots=True)
class RolloutNews:
    """What was superseded is left out everywhere, since those that follow it tell of it.

    `bases` counts those that the rebuilds bring up to date, `states` the rebuilds but those of which people are
    only told, which are `told_count`. `named_rebuilds` are at most `MOST_NAMED` of all, what needs a person first.
    `set_aside` tells for each wave how many unmerged pull requests the next ones no longer wait for, `opened_by`
    when the last of what waits will probably have begun, None where nothing waits or nobody can tell. `still_open`
    are the CVEs that its bases have after their changes, None where nobody asked.
    """

    id: int
    opened_at: datetime
    changes: tuple[Change, ...]
    repositories: int
    bases: int
    states: Mapping[RebuildState, int]
    named_rebuilds: tuple[Rebuild, ...]
    told_count: int = 0
    ended_at: datetime | None = None
    pause: Pause | None = None
    set_aside: Mapping[str, int] = field(default_factory=dict)
    opened_by: datetime | None = None
    occasion: Occasion = Occasion.CHANGE
    still_open: StillOpen | None = None

    @property
    def total(self) -> int:
        return sum(self.states.values()) + self.told_count

    @property
    def names_all(self) -> bool:
        """Whether every rebuild is named."""
        return self.total == len(self.named_rebuilds)
