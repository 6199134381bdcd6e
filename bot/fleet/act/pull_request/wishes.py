"""What people would like on a pull request and it can do without: labels, assignees, reviews, and its merge."""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.failure import Failure, Meaning
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import NO_MERGE, Granted, PullRequest, Refusal, Wishes
from bot.domain.forge.refusals import MergesStill
from bot.domain.repositories.repository import owner_of
from bot.domain.rollouts.journal import QUARANTINED
from bot.domain.rollouts.rebuild import Merging, Rebuild
from bot.domain.rollouts.terms import MergeMethod
from bot.fleet.act.ports import ActOptions, Job
from bot.fleet.act.pull_request.attempt import ProposalAttempt
from bot.fleet.act.pull_request.merging import is_to_be_stopped
from bot.fleet.act.tools import Tools
from bot.fleet.act.waiting import is_no

MOST_REVIEWERS = 15
"""GitHub asks no more people and teams for one pull request."""


def wishes_of(job: Job, options: ActOptions, request: PullRequest | None = None) -> Wishes:
    """The labels that are missing; reviews and assignees where the pull request is new.

    What people have taken off one that the bot has opened before stays off.
    """
    terms = job.terms
    labels = {options.label, *terms.labels, *job.member.config.labels}
    if job.quarantined:
        labels.add(QUARANTINED)
    has = set(request.labels if request is not None else (QUARANTINED,))
    missing_labels = tuple(sorted(labels if request is None else labels - has))
    labels_over = tuple({QUARANTINED} & has - labels)
    if request is not None and job.rebuild.pull_request == request.number:
        return Wishes(missing_labels, unlabel=labels_over)
    people, teams = _reviewers(job)
    return Wishes(missing_labels, people, teams, terms.assignees, unlabel=labels_over)


def _reviewers(job: Job) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """People and teams: whom the repository names, else the code owners of what is touched, else the rule's."""
    config = job.member.config
    if config.reviewers or config.team_reviewers:
        return config.reviewers, config.team_reviewers
    names = config.owners_of(job.paths) or job.terms.reviewers
    reviewers = list(dict.fromkeys(names))[:MOST_REVIEWERS]
    organization = owner_of(job.member.name)
    people = tuple(name for name in reviewers if "/" not in name)
    teams = tuple(
        team
        for owner, _, team in (name.partition("/") for name in reviewers)
        if team and owner.lower() == organization
    )
    return people, teams


async def grant_wishes(attempt: ProposalAttempt, request: PullRequest, merge: MergeMethod, tools: Tools) -> Granted:
    """Adds labels and assignees, asks for reviews, and sets it to merge by itself where `merge` is a method.

    What the forge refuses of that keeps no pull request from being opened and followed; each refusal is told.
    """
    job = attempt.job
    wishes = replace(wishes_of(job, tools.options, request), merge=merge)
    if not wishes:
        return Granted()
    tools.before_write(job.rebuild, attempt.looked_at)
    try:
        return await tools.forge.grant(job.member.identity, request, wishes, attempt.look)
    except Failure as failure:
        if not is_no(failure):
            raise
        wished_names = ", ".join(dict.fromkeys([*wishes.labels, *wishes.people, *wishes.teams, *wishes.assignees]))
        return Granted((Refusal(f"no labels, reviewers or assignees ({wished_names})", failure.what),))


async def unless_merging(attempt: ProposalAttempt, tools: Tools, then: Merging | None = None) -> Rebuild:
    """The rebuild, whose open pull request merges no more by the bot's word; a person's stands. Where nothing can
    be written to the repository, nothing can be taken back either.

    `then` is remembered of it, for it to be set again.
    """
    rebuild = attempt.rebuild
    is_stopped = is_to_be_stopped(attempt.open_request, is_wanted=False)
    if attempt.look.standing.read_only is not None or not is_stopped:
        is_frozen = then is not None and rebuild.merging is Merging.FROZEN
        return replace(rebuild, merging=then) if is_frozen else rebuild
    await stop_merging(attempt, tools)
    return replace(rebuild, merging=then)


async def stop_merging(attempt: ProposalAttempt, tools: Tools) -> None:
    """What was to merge by itself, a person has to merge now. That the bot says so is stored before: found switched
    off after a crash, it would pass for a person's word. Raises `MergesStill` where it could not be stopped."""
    request = attempt.open_request
    assert request is not None
    await tools.store.save_progress(replace(attempt.rebuild, merging=Merging.FROZEN))
    tools.before_write(attempt.rebuild, attempt.looked_at)
    await merge_no_more(attempt.look, [request], tools.forge)


async def merge_no_more(look: BranchLook, requests: Iterable[PullRequest], forge: Forge) -> None:
    """Takes back what the bot has asked of its open pull requests: they stay, and merge no more by its word. Raises
    `MergesStill` where the forge refuses that, or nothing can be written to the repository."""
    home, read_only = look.standing.identity, look.standing.read_only
    for request in requests:
        if not request.is_to_merge_by_us:
            continue
        if read_only is not None:
            raise MergesStill(request.number, f"the repository is {read_only}", home.name)
        try:
            granted = await forge.grant(home, request, NO_MERGE, look)
        except Failure as failure:
            if failure.meaning is not Meaning.REFUSED:
                raise
            raise MergesStill(request.number, failure.told, home.name) from failure
        if granted.refused:
            raise MergesStill(request.number, granted.refused[0].reason, home.name)


async def close(look: BranchLook, request: PullRequest, body: str, forge: Forge) -> None:
    """Closes a pull request of the bot. Where the forge refuses that, it merges no more by the bot's word at least.

    Raises the refusal, and `MergesStill`.
    """
    try:
        await forge.close_pull_request(look.standing.identity, request, body=body)
    except Failure as failure:
        if failure.meaning is Meaning.REFUSED:
            await merge_no_more(look, [request], forge)
        raise
