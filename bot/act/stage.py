"""One tick: due rebuilds become pull requests and dispatches. One bad repository never stops the others."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from bot.act.dispatch import dispatch
from bot.act.ports import WRITES, ActOptions, ActStore, Host, Job, Refresher
from bot.act.pull_request.proposal import open_or_update
from bot.act.tag_availability import PublishedTags, Registry
from bot.domain.backoff import rest_at_age, rest_of, rested_by
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.rebuild import Action, Rebuild, State
from bot.reconcile.guarded import Guarded
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work

_ATTEMPTS = 3
"""A refusal that stays the same is no passing fault; after three it is said and left."""
_RIGHTS = frozenset({Trouble.DENIED, Trouble.MISSING})
_PATIENCE = timedelta(days=2)
"""Of trying: a rebuild may have settled for longer before its first attempt."""


_MAY_COME_BACK_FOR = timedelta(days=7)
"""A repository that is archived for an hour, or lacks in one listing, still gets its rebuild."""


@dataclass(frozen=True, slots=True)
class ActTally:
    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: ActStore, host: Host, registry: Registry, refresh: Refresher, options: ActOptions, loop: Loop
) -> ActTally:
    """Works until nothing is due, or until the host asks for a pause."""
    tally = await loop.run(_Jobs(store, host, PublishedTags(registry), refresh, options, loop))
    return ActTally(tally.done, tuple(tally.problems))


class _Jobs(Work[Job, Rebuild]):
    """One at a time: GitHub asks for a second between two writes.

    Few are claimed, so that a stop waits for no more than these: one takes about seven writes.
    """

    stage = "act"
    batch = 3
    at_once = 1

    def __init__(
        self,
        store: ActStore,
        host: Host,
        tags: PublishedTags,
        refresh: Refresher,
        options: ActOptions,
        loop: Loop,
    ) -> None:
        self._store = store
        self._host = host
        self._tags = tags
        self._refresh = refresh
        self._options = options
        self._clock = loop.clock
        self.home = options.host

    @property
    def queue(self) -> Queue[Job]:
        return self._store.jobs

    async def attempt(self, item: Job, lease: Lease) -> Rebuild:
        host = cast(Host, Guarded(self._host, WRITES, lease))
        return await act(item, self._store, host, self._tags, self._refresh, self._options, self._clock)

    async def settle(self, item: Job, result: Rebuild) -> None:
        await self._store.settle_rebuild(item.rebuild, result)

    async def failed(self, item: Job, claimed: Claimed, failure: Failure, now: datetime) -> str:
        """The rebuild as stored stays; only its reason and due time move, until it has failed for good."""
        rebuild = item.rebuild
        rest = rest_of(failure, rebuild.attempts)
        is_final = _is_final(rebuild, failure)
        if is_final and rebuild.state is State.OPEN:
            # Its pull request stands and is followed; only its text is not what it could be.
            seldom = rest_at_age(rebuild.age(now), rest)
            left = replace(rebuild, text_version=rebuild.facts_version, due_at=now + seldom)
            await self._store.settle_rebuild(rebuild, left)
        elif is_final:
            ended = rebuild.moved(State.FAILED, f"{failure} (tried {rebuild.attempts} times)", at=now)
            await self._store.settle_rebuild(rebuild, ended, succeeded=False)
        else:
            paused = _paused(rebuild, str(failure), rest, self._clock)
            await self._store.settle_rebuild(rebuild, paused, succeeded=False)
        return f"{rebuild.repository}: {failure}"


async def act(
    job: Job,
    store: ActStore,
    host: Host,
    tags: PublishedTags,
    refresh: Refresher,
    options: ActOptions,
    clock: Clock,
) -> Rebuild:
    """The rebuild after one attempt at its action; raises `Failure` and `LeaseLost`."""
    match job.rebuild.action:
        case Action.PULL_REQUEST | Action.DISPATCH if not job.is_listed:
            return _left(job.rebuild, options, clock)
        case Action.PULL_REQUEST:
            missing = await tags.missing(job)
            if missing is not None:
                return _paused(job.rebuild, f"{missing} is not published yet", options.follow_every, clock)
            return await open_or_update(job, store, host, refresh, options, clock)
        case Action.DISPATCH:
            return await dispatch(job, store, host, options, clock)
        case Action.NOTIFY:
            return job.rebuild.moved(State.SUCCEEDED, job.rebuild.reason, at=clock.now())


def _left(rebuild: Rebuild, options: ActOptions, clock: Clock) -> Rebuild:
    """Nothing may be written to a repository that has left the fleet; its open pull request is only followed."""
    age = rebuild.age(clock.now())
    rest = rest_at_age(age, options.follow_every)
    if rebuild.state.awaits_action and age > _MAY_COME_BACK_FOR:
        reason = "the repository is not in the fleet any more: archived, renamed, excluded or removed"
        return rebuild.moved(State.SKIPPED, reason, at=clock.now())
    if rebuild.state.awaits_action:
        reason = "the repository is not in the fleet at present: archived, renamed, excluded or not shown to us"
        return _paused(rebuild, reason, rest, clock)
    return replace(rebuild, text_version=rebuild.facts_version, due_at=clock.now() + rest)


def _is_final(rebuild: Rebuild, failure: Failure) -> bool:
    """A refusal that makes no sense to repeat ends after three; missing rights and repositories that seem gone are
    often an operator's slip, and are waited for.
    """
    if failure.trouble.is_passing or rebuild.attempts < _ATTEMPTS:
        return False
    return failure.trouble not in _RIGHTS or rested_by(rebuild.attempts) > _PATIENCE


def _paused(rebuild: Rebuild, reason: str, rest: timedelta, clock: Clock) -> Rebuild:
    """Due again after `rest`. An open pull request stays open, whatever keeps its text from changing."""
    waiting = rebuild.moved(State.WAITING, reason, at=clock.now()) if rebuild.state.awaits_action else rebuild
    return replace(waiting, due_at=clock.now() + rest)
