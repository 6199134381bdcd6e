"""One tick: due rebuilds become pull requests and dispatches. One bad repository never stops the others."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.act.dispatch import dispatch
from bot.act.ports import ActOptions, ActStore, Host, Job, Refresher
from bot.act.pull_request.proposal import open_or_update
from bot.act.tag_availability import PublishedTags, Registry
from bot.domain.backoff import rest_after, rest_at_age, rested_by
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.rebuild import AWAITING, Action, Rebuild, State

_BATCH = 3
"""Few, so that a stop waits for no more than these: one takes about seven writes, GitHub asks for one a second."""
_ATTEMPTS = 3
"""A refusal that stays the same is no passing fault; after three it is said and left."""
_PASSING = frozenset({Trouble.UNREACHABLE, Trouble.THROTTLED})
_RIGHTS = frozenset({Trouble.DENIED, Trouble.MISSING})
_PATIENCE = timedelta(days=2)
"""Of trying: a rebuild may have settled for longer before its first attempt."""


@dataclass(frozen=True, slots=True)
class ActTally:
    done: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: ActStore, host: Host, registry: Registry, refresh: Refresher, options: ActOptions, clock: Clock
) -> ActTally:
    """Works until nothing is due, or until the host asks for a pause.

    A defect of ours ends the rebuild that it met, not the others; it is raised once they are done.
    """
    tags = PublishedTags(registry)
    done = 0
    problems: list[str] = []
    defects: list[Exception] = []
    pause: Failure | None = None
    while pause is None and (jobs := await store.claim_jobs(AWAITING, _BATCH)):
        for job in jobs:
            if pause is not None:
                await _postpone(job, store, pause, clock)
                continue
            try:
                after = await _act(job, store, host, tags, refresh, options, clock)
                await store.settle_rebuild(job.rebuild, after)
                done += 1
            except LeaseLost:
                continue
            except Failure as failure:
                problems.append(f"{job.rebuild.repository}: {failure}")
                await _failed(job, store, failure, clock)
                pause = failure if failure.trouble is Trouble.THROTTLED else None
            except Exception as defect:
                defects.append(defect)
                await _failed(job, store, Failure(Trouble.MALFORMED, f"a defect of the bot: {defect!r}"), clock)
    if defects:
        raise ExceptionGroup("rebuilds met defects", defects)
    return ActTally(done, tuple(problems))


async def _act(
    job: Job,
    store: ActStore,
    host: Host,
    tags: PublishedTags,
    refresh: Refresher,
    options: ActOptions,
    clock: Clock,
) -> Rebuild:
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
    if rebuild.state.awaits_action:
        reason = "the repository is not in the fleet any more: archived, renamed, excluded or removed"
        return rebuild.moved(State.SKIPPED, reason, at=clock.now())
    rest = rest_at_age(rebuild.age(clock.now()), options.follow_every)
    return replace(rebuild, text_version=rebuild.facts_version, due_at=clock.now() + rest)


async def _failed(job: Job, store: ActStore, failure: Failure, clock: Clock) -> None:
    """The rebuild as stored stays; only its reason and due time move, until it has failed for good."""
    rebuild = job.rebuild
    rest = failure.retry_after or rest_after(rebuild.attempts)
    is_final = _is_final(rebuild, failure)
    if is_final and rebuild.state is State.OPEN:
        # Its pull request stands and is followed; only its text is not what it could be.
        seldom = rest_at_age(rebuild.age(clock.now()), rest)
        left = replace(rebuild, text_version=rebuild.facts_version, due_at=clock.now() + seldom)
        await _settle(store, rebuild, left)
    elif is_final:
        ended = rebuild.moved(State.FAILED, f"{failure} (tried {rebuild.attempts} times)", at=clock.now())
        await _settle(store, rebuild, ended, succeeded=False)
    else:
        await _settle(store, rebuild, _paused(rebuild, str(failure), rest, clock), succeeded=False)


def _is_final(rebuild: Rebuild, failure: Failure) -> bool:
    """A refusal that makes no sense to repeat ends after three; missing rights and repositories that seem gone are
    often an operator's slip, and are waited for.
    """
    if failure.trouble in _PASSING or rebuild.attempts < _ATTEMPTS:
        return False
    return failure.trouble not in _RIGHTS or rested_by(rebuild.attempts) > _PATIENCE


def _paused(rebuild: Rebuild, reason: str, rest: timedelta, clock: Clock) -> Rebuild:
    """Due again after `rest`. An open pull request stays open, whatever keeps its text from changing."""
    waiting = rebuild.moved(State.WAITING, reason, at=clock.now()) if rebuild.state.awaits_action else rebuild
    return replace(waiting, due_at=clock.now() + rest)


async def _postpone(job: Job, store: ActStore, pause: Failure, clock: Clock) -> None:
    due = clock.now() + (pause.retry_after or rest_after(1))
    await _settle(store, job.rebuild, replace(job.rebuild, due_at=due))


async def _settle(store: ActStore, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
    try:
        await store.settle_rebuild(before, after, succeeded=succeeded)
    except LeaseLost:
        return
