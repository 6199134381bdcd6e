"""Rebuilds that cannot go on at present, and when they are tried again."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.backoff import rest_at_age, rested_by
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.looks import OwnWord
from bot.domain.reference import Reference
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.fleet.act.ports import ActOptions, ActStore, Job

_MAY_COME_BACK_FOR = timedelta(days=7)
"""A repository that is locked for an hour, or lacks in one listing, still gets its rebuild."""
_ATTEMPTS = 3
"""A refusal that stays the same is no passing fault; after three it is said and left."""
_PATIENCE = timedelta(days=2)
"""Of trying: a rebuild may have settled for longer before its first attempt."""


def refused_so_often(before: int, failure: Failure) -> int:
    """How many attempts were answered with what may end them, with this one, where `before` were: a fault of the
    world is no such answer."""
    return before + failure.meaning.may_end_work


def is_final_after(refusals: int, failure: Failure) -> bool:
    """Whether work is given up that was refused so often: what is gone at once, and a refusal that stays the same
    after three; missing rights are often an operator's slip, and are waited for.

    What is the world's fault or the bot's own is waited for as long as it lasts.
    """
    if not failure.meaning.may_end_work:
        return False
    if failure.meaning is Meaning.GONE:
        return True
    return refusals >= _ATTEMPTS and (not failure.lacks_a_right or rested_by(refusals) > _PATIENCE)


def is_no(failure: Failure) -> bool:
    """Whether the forge will not do it, or has it not: what is only nice to have, the work goes on without."""
    return failure.trouble is Trouble.MISSING or failure.meaning is Meaning.REFUSED


def paused(rebuild: Rebuild, reason: str, rest: timedelta, now: datetime) -> Rebuild:
    """Due again after `rest`. An open pull request stays open, whatever keeps its text from changing."""
    waiting_rebuild = (
        rebuild.moved(RebuildState.WAITING, reason, at=now) if rebuild.state.awaits_action else rebuild
    )
    return replace(waiting_rebuild, due_at=now + rest)


def not_published(rebuild: Rebuild, missing_tag: Reference, options: ActOptions, now: datetime) -> Rebuild:
    """Waits for a tag that is to be written and that the registry was not seen to show."""
    return paused(rebuild, f"{missing_tag} is not published yet", options.follow_every, now)


def left_alone(rebuild: Rebuild, options: ActOptions, now: datetime) -> Rebuild:
    """An open pull request whose text or branch stays as it is; it is followed on."""
    rest = rest_at_age(rebuild.age(now), options.follow_every)
    return replace(rebuild, text_version=rebuild.facts_version, due_at=now + rest)


async def ended_where_archived(
    job: Job, store: ActStore, reason: str, now: datetime, *, is_open: bool
) -> Rebuild | None:
    """The rebuild, ended, to be planned again once its repository is listed as one that takes changes.

    None where it waits instead: its pull request `is_open` and would be left to nobody, or no base of it moved, so
    that no reading has it planned again and what is built for its age alone would miss its week.
    """
    rebuild = job.rebuild
    if is_open or not rebuild.state.awaits_action or not any(target.changes for target in rebuild.targets):
        return None
    await store.read_once_listed(job.member.id)
    return rebuild.moved(RebuildState.SKIPPED, reason, at=now)


async def shut(
    job: Job, word: OwnWord, store: ActStore, options: ActOptions, now: datetime, *, is_open: bool = False
) -> Rebuild:
    """The rebuild in a repository that can only be read: ended where that is archived, else put off."""
    reason = f"the repository is {word.read_only}"
    ended_rebuild = (
        await ended_where_archived(job, store, reason, now, is_open=is_open) if word.is_archived else None
    )
    return ended_rebuild or await away(job, reason, reason, store, options, now)


async def not_of_the_fleet(job: Job, store: ActStore, options: ActOptions, now: datetime) -> Rebuild:
    """Waits for a repository that the operator does not include, or the forge does not list, and ends after a
    week."""
    reason = "the repository is not in the fleet at present: archived, excluded or not shown to us"
    ever = "the repository is not in the fleet any more: archived, excluded or removed"
    return await away(job, reason, ever, store, options, now)


async def away(
    job: Job, reason: str, last_reason: str, store: ActStore, options: ActOptions, now: datetime
) -> Rebuild:
    """Puts the rebuild off while nothing can be written to its repository, and ends it after a week.

    `reason` says why that is so for as long, `last_reason` once the week is over. Its open pull request is only
    followed. Once it has ended, the next listing that shows the repository has it read, and planned for: the one
    before may have been taken when it was still of the fleet.
    """
    rebuild = job.rebuild
    if not rebuild.state.awaits_action:
        return left_alone(rebuild, options, now)
    age = rebuild.age(now)
    if age > _MAY_COME_BACK_FOR:
        await store.read_once_listed(job.member.id)
        return rebuild.moved(RebuildState.SKIPPED, last_reason, at=now)
    return paused(rebuild, reason, rest_at_age(age, options.follow_every), now)
