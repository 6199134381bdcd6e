"""How much content may be made in a time, and when by that the last pull request of each rollout will be made."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.host import Host
from bot.domain.repositories.repository import GITHUB, owner_of
from bot.domain.rollouts.timing.waiting import RolloutOptions, Waiting, Waits, holds_of

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """New pull requests, review requests, issues and comments in any minute and in any hour, and how far apart two
    writes of any kind are to begin."""

    per_minute: int = 60
    per_hour: int = 480
    apart: timedelta = timedelta(seconds=1)


@dataclass(slots=True)
class Spending:
    """The times of what was made within the last hour, oldest first."""

    limits: WriteLimits
    spent: deque[datetime] = field(default_factory=deque)

    def free_at(self, now: datetime, cost: int) -> datetime:
        """The moment from which `cost` more may be made; more than the whole budget waits for an empty one."""
        while self.spent and now - self.spent[0] >= HOUR:
            self.spent.popleft()
        if cost == 0:
            return now
        return max(
            now,
            self._after(min(cost, self.limits.per_hour), self.limits.per_hour, HOUR, now),
            self._after(min(cost, self.limits.per_minute), self.limits.per_minute, MINUTE, now),
        )

    def spend(self, now: datetime, cost: int) -> None:
        """Counts what is made at `now`, which is never before what was counted last."""
        self.spent.extend([now] * cost)

    def _after(self, cost: int, most: int, span: timedelta, now: datetime) -> datetime:
        over = cost + len(self.spent) - most
        return now if over <= 0 else max(now, self.spent[over - 1] + span)


def times(spending: Spending, begins: Sequence[tuple[datetime, int]]) -> list[datetime]:
    """When each piece of what is still to be made will be, one after the other: each begins at its time at the
    earliest, and costs so much."""
    moments: list[datetime] = []
    moment: datetime | None = None
    for begin, cost in begins:
        earliest = begin if moment is None else max(begin, moment + spending.limits.apart)
        moment = spending.free_at(earliest, cost)
        spending.spend(moment, cost)
        moments.append(moment)
    return moments


def account_of(repository: str, *, by_owner: bool, host: str = "") -> str:
    """The beginning that the names of all repositories of an account have in common, in small letters: an owner's,
    or nothing where one token serves all. Elsewhere than at GitHub the `host` stands before that."""
    return at_host(host) + (f"{owner_of(repository)}/" if by_owner else "")


def at_host(host: str) -> str:
    """How the names of all accounts at a host begin; nothing for those at GitHub. No repository's name begins so,
    since none has a colon."""
    return f"{host}: " if host else ""


def asked_by(account: str) -> str:
    """Who bounds what is written for an account, as people call it."""
    host, colon, _ = account.partition(": ")
    return host if colon else "the forge"


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds rollouts: their waves, and what may be written in a time; `by_owner` where each owner of
    repositories has limits of its own."""

    options: RolloutOptions = RolloutOptions()  # noqa: RUF009 - frozen
    limits: WriteLimits = WriteLimits()
    by_owner: bool = True
    builder: Host | None = None
    """Where builds are started that are not started at the forge."""
    forges: Mapping[str, Host] = field(default_factory=dict)
    """Forges other than GitHub, by name."""

    def account(self, waiting: Waiting) -> str:
        """Names the account whose turn something waits for."""
        host = None if waiting.forge == GITHUB else self.forges.get(waiting.forge, Host(waiting.forge))
        if self.builder is not None and not waiting.opens:
            host = self.builder.for_forge(waiting.forge)
        if host is None:
            return account_of(waiting.repository, by_owner=self.by_owner)
        return account_of(waiting.repository, by_owner=host.by_owner, host=host.name)


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
        queues[pace.account(each)].append((begin, rank, each))
    last_begins: dict[int, datetime] = {}
    for account, queue in queues.items():
        ordered = sorted(queue, key=lambda item: (item[0], item[1], item[2].waits_since, item[2].id))
        spending = spendings.get(account) or Spending(pace.limits)
        begin_times = times(spending, [(begin, int(each.opens)) for begin, _, each in ordered])
        for moment, (_, _, each) in zip(begin_times, ordered, strict=True):
            last_begins[each.rollout] = max(moment, last_begins.get(each.rollout, moment))
    return {rollout: moment for rollout, moment in last_begins.items() if rollout not in open_ended}
