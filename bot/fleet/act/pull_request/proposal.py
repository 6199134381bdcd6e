"""One open pull request for each repository and branch, brought to the wanted content from wherever it stands.

Another bot's that brings the same is followed, and no second one is opened beside it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.backoff import look_together, rest_at_age
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import MOST_TIPS
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import OtherRequest
from bot.domain.forge.refusals import BranchQueued, BranchRefused, FilesDenied
from bot.domain.rollouts.rebuild import Merging, Rebuild, RebuildState
from bot.fleet.act.own_word import as_now
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.answers import less_declined
from bot.fleet.act.pull_request.attempt import Edits, ProposalAttempt, refreshed_files
from bot.fleet.act.pull_request.bringing import brought, opened_as
from bot.fleet.act.pull_request.merging import is_to_be_taken_back, wanted_merge
from bot.fleet.act.pull_request.not_written import not_to_begin, without_edits
from bot.fleet.act.pull_request.wishes import unless_merging, wishes_of
from bot.fleet.act.tools import Tools
from bot.fleet.act.waiting import left_alone, not_of_the_fleet, not_published, paused


async def open_or_update(job: Job, tools: Tools, files_denied: FilesDenied | None = None) -> Rebuild:
    """The rebuild in its next state. Every step looks first, so that it can be repeated after any crash.

    `files_denied` are files that an attempt just before this one was refused; the pull request goes without them.
    """
    attempt = await _look_at_branch(job, tools)
    end = await not_to_begin(attempt, job, tools)
    if end is not None:
        return end
    attempt = await _store_intent(_less_declined(attempt), tools)
    edits = await _edits(attempt, tools, files_denied)
    if not edits.files:
        return await without_edits(attempt, edits, tools)
    if (missing_tag := await tools.tags.first_missing(edits.new_tags)) is not None:
        return not_published(attempt.rebuild, missing_tag, tools.options, attempt.looked_at)
    if attempt.open_request is None:
        adopted_rebuild = await adopted(attempt.job, attempt.look, tools, attempt.looked_at)
        if adopted_rebuild is not None:
            return adopted_rebuild
    try:
        return await brought(attempt, edits, tools)
    except BranchRefused as refused:
        return await _put_off_refused(attempt, refused, tools)
    except BranchQueued as queued:  # what is wanted stays wanted: the queue ends by itself
        return paused(attempt.rebuild, queued.told, tools.options.follow_every, attempt.looked_at)
    except FilesDenied as refused:
        if files_denied is not None:
            raise
        return await open_or_update(replace(job, rebuild=attempt.rebuild), tools, refused)


async def only_stopped(job: Job, tools: Tools) -> Rebuild:
    """While the bot is paused as a whole: what it has set to merge by itself does so no more, until the pause is
    over; nothing else is written."""
    attempt = await _look_at_branch(job, tools)
    rebuild = await unless_merging(attempt, tools, Merging.FROZEN)
    return left_alone(rebuild, tools.options, attempt.looked_at)


async def unmerged(job: Job, tools: Tools) -> Rebuild:
    """The superseded rebuild: where a word keeps it or the one that is to go on with its pull request, that merges
    no more by the bot's word, until the other sets it again. Nothing else is written."""
    if not is_to_be_taken_back(job, tools.clock.now()):
        return replace(job.rebuild, text_version=job.rebuild.facts_version, due_at=tools.clock.now())
    attempt = await _look_at_branch(job, tools)
    rebuild = await unless_merging(attempt, tools, Merging.LEFT)
    if attempt.look.standing.read_only is not None:
        rest = rest_at_age(rebuild.age(attempt.looked_at), tools.options.follow_every)
        return replace(rebuild, due_at=attempt.looked_at + rest)
    return left_alone(replace(rebuild, merging=Merging.LEFT), tools.options, attempt.looked_at)


async def only_left(job: Job, tools: Tools) -> Rebuild:
    """Where the repository is not of the fleet: what the bot has set to merge by itself does so no more, until that
    is read again, and nothing else is written. What the forge does not show cannot be asked for that."""
    if job.rebuild.pull_request is None:
        return await not_of_the_fleet(job, tools.store, tools.options, tools.clock.now())
    try:
        attempt = await _look_at_branch(job, tools)
    except Failure as failure:
        if failure.trouble is not Trouble.MISSING:
            raise
        return await not_of_the_fleet(job, tools.store, tools.options, tools.clock.now())
    rebuild = await unless_merging(attempt, tools, Merging.LEFT)
    return await not_of_the_fleet(replace(job, rebuild=rebuild), tools.store, tools.options, attempt.looked_at)


async def _put_off_refused(attempt: ProposalAttempt, refusal: BranchRefused, tools: Tools) -> Rebuild:
    """A rule stays until somebody changes it: it is tried again with the next reading, tomorrow at the latest. What
    is open stays open, and is followed on.
    """
    rebuild, now = attempt.rebuild, attempt.looked_at
    if not rebuild.state.awaits_action:
        return left_alone(rebuild, tools.options, now)
    if (request := attempt.open_request) is None:
        await tools.store.read_within_a_day(attempt.job.member.id)
        return rebuild.moved(RebuildState.SKIPPED, refusal.told, at=now)
    return opened_as(attempt, request, [f"it stays as it is: {refusal.told}"], tools)


async def _look_at_branch(job: Job, tools: Tools) -> ProposalAttempt:
    assert job.rebuild.branch is not None
    looked_at = tools.clock.now()
    wishes = replace(wishes_of(job, tools.options), merge=wanted_merge(job, looked_at))
    paths = await _paths(job, tools)
    look = await tools.forge.look(job.member.identity, job.rebuild.branch, paths, wishes)
    return ProposalAttempt(as_now(job, look.standing, tools.covers, looked_at), look, looked_at)


async def _paths(job: Job, tools: Tools) -> Sequence[str]:
    """The files to look at: a project takes properties from others, which only the whole tree names."""
    from bot.files.formats.repository import needs_projects
    from bot.files.formats.rewrite.refresh import read_with

    if not any(needs_projects(path) for path in job.paths):
        return job.paths
    tree = await tools.forge.tree(job.member.identity, job.default_branch)
    tree_paths = [entry.path for entry in tree.entries if entry.is_file] if tree is not None else []
    return sorted(read_with(tree_paths, job.paths))


def _less_declined(attempt: ProposalAttempt) -> ProposalAttempt:
    declined = less_declined(attempt.look.pull_requests, attempt.job)
    return attempt if declined.rest is None else replace(attempt, job=declined.rest, remarks=declined.remarks)


async def _store_intent(attempt: ProposalAttempt, tools: Tools) -> ProposalAttempt:
    """Stores that the pull request is about to be written, before anything is tried."""
    if attempt.rebuild.attempted_at is not None:
        return attempt
    rebuild = replace(attempt.rebuild, attempted_at=tools.clock.now())
    await tools.store.save_progress(rebuild)
    return replace(attempt, job=replace(attempt.job, rebuild=rebuild))


async def _edits(attempt: ProposalAttempt, tools: Tools, files_denied: FilesDenied | None) -> Edits:
    if attempt.look.trunk is None:
        return Edits()
    edits = await refreshed_files(attempt.job, attempt.look.trunk, tools.refresh, attempt.looked_at.date())
    return edits.without(files_denied)


async def adopted(job: Job, look: BranchLook, tools: Tools, now: datetime) -> Rebuild | None:
    """The rebuild with the other's pull request as its own; None where none brings all that is wanted.

    Whether it does is read from its files: after its merge nothing must be left to edit.
    """
    onto = look.standing.default_branch
    candidates = [each for each in look.others if each.bot is not None and each.goes_to(onto)][:MOST_TIPS]
    if not candidates:
        return None
    assert look.trunk is not None
    heads = list(dict.fromkeys(request.head for request in candidates))
    tips = await tools.forge.tips(job.member.identity, heads, tuple(look.trunk.files))
    for request in candidates:
        tip = tips.get(request.head)
        if tip is None:
            continue
        remaining_edits = await refreshed_files(job, tip, tools.refresh, now.date())
        if not (remaining_edits.files or remaining_edits.refused or remaining_edits.unmet):
            return _follow_request(job.rebuild, request, tools, now)
    return None


def _follow_request(rebuild: Rebuild, request: OtherRequest, tools: Tools, now: datetime) -> Rebuild:
    reason = (
        f"{request.bot}'s pull request #{request.number} brings the same; it is followed instead of a second one"
    )
    return replace(
        rebuild.moved(RebuildState.OPEN, reason, at=now),
        pull_request=request.number,
        node_id=request.node_id,
        url=request.url,
        text_version=rebuild.facts_version,
        due_at=look_together(now + tools.options.follow_every, tools.options.follow_every),
    )
