"""Rebuilds that cannot go on at present, and when they are tried again."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.act.ports import ActOptions, ActStore, Job
from bot.domain.backoff import rest_at_age, rested_by
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import OwnWord
from bot.domain.rollouts.rebuild import Rebuild, State

RIGHTS = frozenset({Trouble.DENIED, Trouble.MISSING})
"""Missing rights, and repositories that seem gone."""
_MAY_COME_BACK_FOR = timedelta(days=7)
"""A repository that is locked for an hour, or lacks in one listing, still gets its rebuild."""
_ATTEMPTS = 3
"""A refusal that stays the same is no passing fault; after three it is said and left."""
_PATIENCE = timedelta(days=2)
"""Of trying: a rebuild may have settled for longer before its first attempt."""


def is_final_after(attempts: int, failure: Failure) -> bool:
    """Whether work is given up that has failed so often: a refusal that makes no sense to repeat ends after three;
    missing rights are often an operator's slip, and are waited for."""
    if failure.trouble.is_passing or attempts < _ATTEMPTS:
        return False
    return failure.trouble not in RIGHTS or rested_by(attempts) > _PATIENCE


def paused(rebuild: Rebuild, reason: str, rest: timedelta, now: datetime) -> Rebuild:
    """Due again after `rest`. An open pull request stays open, whatever keeps its text from changing."""
    waiting = rebuild.moved(State.WAITING, reason, at=now) if rebuild.state.awaits_action else rebuild
    return replace(waiting, due_at=now + rest)


def left_alone(rebuild: Rebuild, options: ActOptions, now: datetime) -> Rebuild:
    """An open pull request whose text or branch stays as it is; it is followed on."""
    rest = rest_at_age(rebuild.age(now), options.follow_every)
    return replace(rebuild, text_version=rebuild.facts_version, due_at=now + rest)


def comes_again(rebuild: Rebuild) -> bool:
    """Whether a reading of its repository has it planned once more after it was skipped: where a base moved.

    What is built for its age alone would miss its week.
    """
    return any(target.changes for target in rebuild.targets)


async def shut(
    job: Job, word: OwnWord, store: ActStore, options: ActOptions, now: datetime, *, is_open: bool = False
) -> Rebuild:
    """The rebuild in a repository that can only be read.

    Where that is archived it ends, and is planned again once the repository is listed as one that takes changes.
    Elsewhere it is put off, and so is one that would not come again, or whose pull request `is_open`: that would be
    left to nobody.
    """
    told = f"the repository is {word.read_only}"
    if word.is_archived and job.rebuild.state.awaits_action and not is_open and comes_again(job.rebuild):
        await store.read_once_listed(job.member.id)
        return job.rebuild.moved(State.SKIPPED, told, at=now)
    return away(job.rebuild, told, told, options, now)


def away(rebuild: Rebuild, how: str, ever: str, options: ActOptions, now: datetime) -> Rebuild:
    """Puts the rebuild off while nothing can be written to its repository, and ends it after a week.

    `how` says how that is for as long, `ever` once it is over. Its open pull request is only followed.
    """
    if not rebuild.state.awaits_action:
        return left_alone(rebuild, options, now)
    age = rebuild.age(now)
    if age > _MAY_COME_BACK_FOR:
        return rebuild.moved(State.SKIPPED, ever, at=now)
    return paused(rebuild, how, rest_at_age(age, options.follow_every), now)
