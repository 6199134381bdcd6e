"""How fast rollouts go on, and when the last pull request of each will probably be open."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.rollouts.timing.budget import Spending, WriteLimits, account_of, times
from bot.domain.rollouts.timing.standing import RolloutOptions
from bot.domain.rollouts.timing.waiting import Waiting, Waits, holds_of


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds rollouts: their waves, and what may be written in a time; `by_owner` where each owner of
    repositories has limits of its own."""

    options: RolloutOptions = RolloutOptions()  # noqa: RUF009 - frozen
    limits: WriteLimits = WriteLimits()  # noqa: RUF009 - frozen
    by_owner: bool = True


def opened_by(waits: Waits, spendings: Mapping[str, Spending], pace: Pace, now: datetime) -> dict[int, datetime]:
    """For each rollout of which something waits, when the last of it will have begun; not for those of which
    something is kept by a person, a pause or a wave whose end nobody can tell.

    Severe fixes go first, then what begins earlier, as `act` claims them. Review requests are not counted.
    """
    holds = holds_of(waits, pace.options, now)
    queues: dict[str, list[tuple[datetime, int, Waiting]]] = defaultdict(list)
    open_ended: set[int] = set()
    for each in waits.waiting:
        hold = holds.get(each.id)
        if hold is not None and hold.until is None:
            if each.kept_because is None:
                open_ended.add(each.rollout)
            continue
        begin = max(now, each.due_at, hold.until if hold is not None and hold.until is not None else now)
        rank = -each.severity.rank if each.severity is not None else 1
        queues[account_of(each.repository, by_owner=pace.by_owner)].append((begin, rank, each))
    last_begins: dict[int, datetime] = {}
    for account, queue in queues.items():
        ordered = sorted(queue, key=lambda item: (item[0], item[1], item[2].waits_since, item[2].id))
        spending = spendings.get(account) or Spending(pace.limits)
        begin_times = times(spending, [(begin, int(each.opens)) for begin, _, each in ordered])
        for moment, (_, _, each) in zip(begin_times, ordered, strict=True):
            last_begins[each.rollout] = max(moment, last_begins.get(each.rollout, moment))
    return {rollout: moment for rollout, moment in last_begins.items() if rollout not in open_ended}
