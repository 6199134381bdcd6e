"""Writes what a pull request is to be: its branch, its text, and what people would like on it."""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.backoff import look_together, rest_at_age
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import BranchQueued
from bot.domain.rollouts.rebuild import Merging, Rebuild, RebuildState
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.attempt import ProposalAttempt
from bot.fleet.act.pull_request.branch import branch_change
from bot.fleet.act.pull_request.edits import Edits, refreshed_files
from bot.fleet.act.pull_request.merging import is_to_be_stopped, merge_of, merges
from bot.fleet.act.pull_request.text.section import marked_section, rewritten
from bot.fleet.act.pull_request.text.wording import body, title, what_moved
from bot.fleet.act.pull_request.wishes import grant_wishes, stop_merging
from bot.fleet.act.tools import Tools


async def brought(attempt: ProposalAttempt, edits: Edits, tools: Tools) -> Rebuild:
    """The branch with its edits, the pull request with its text, and what people would like on it."""
    job, forge, home = attempt.job, tools.forge, attempt.job.member.identity
    on_branch = None
    if attempt.look.branch is not None:
        on_branch = await refreshed_files(job, attempt.look.branch, tools.refresh, attempt.looked_at.date())
    change = branch_change(job, attempt.look, edits, on_branch)
    touched = replace(job, paths=tuple(file.path for file in edits.files))
    request_change = _request_change(replace(attempt, job=touched), edits)
    request = attempt.open_request
    wanted_to_merge = merges(job, attempt.look.requirements, attempt.looked_at)
    is_stopped = is_to_be_stopped(request, is_wanted=wanted_to_merge, moves=change is not None)
    if is_stopped:
        await stop_merging(attempt, tools)
    elif change is not None and request is not None and request.is_queued:
        raise BranchQueued(change.branch, home.name)
    prepared = None
    if change is not None:
        tools.before_write(job.rebuild, attempt.looked_at)
        prepared = await forge.prepare(home, change)
    if request is None or change is not None or (request_change.title, request_change.body) != (None, None):
        tools.before_write(job.rebuild, attempt.looked_at)
        request = await forge.carry_out(home, change, prepared, request_change)
    is_anew = change is not None or is_stopped
    merge = merge_of(job, attempt.look, request, attempt.looked_at, is_anew=is_anew)
    granted = await grant_wishes(replace(attempt, job=touched), request, merge.method, tools)
    refused = (*granted.refused, *merge.refused)
    opened = opened_as(attempt, request, [*attempt.remarks, *edits.left_out, *map(str, refused)], tools)
    return replace(opened, merging=merge.after(granted.is_to_merge))


def _request_change(attempt: ProposalAttempt, edits: Edits) -> RequestChange:
    job, current = attempt.job, attempt.open_request
    assert job.rebuild.branch is not None
    digests = [target.to_digest for target in job.rebuild.targets]
    headline = title(job)
    merges_by_itself = merges(job, attempt.look.requirements, attempt.looked_at)
    section = marked_section(body(job, edits.remarks, merges=merges_by_itself), digests, headline)
    if current is None:
        is_draft = job.terms.draft
        return RequestChange(job.rebuild.branch, job.default_branch, None, headline, section, is_draft)
    return rewritten(current, job.rebuild.branch, job.default_branch, headline, section)


def opened_as(attempt: ProposalAttempt, request: PullRequest, remarks: Iterable[str], tools: Tools) -> Rebuild:
    """The rebuild as it follows its open pull request; `remarks` is what the reason says besides."""
    rebuild, now = attempt.rebuild, tools.clock.now()
    opened = rebuild.moved(RebuildState.OPEN, _reason(attempt.job, request, remarks), at=now)
    rest = rest_at_age(rebuild.age(now), tools.options.follow_every)
    return replace(
        opened,
        pull_request=request.number,
        node_id=request.node_id,
        url=request.url,
        pointed_at=None,
        text_version=rebuild.facts_version,
        due_at=look_together(now + rest, tools.options.follow_every),
    )


def _reason(job: Job, request: PullRequest, remarks: Iterable[str]) -> str:
    """Why there is a pull request; what it waited for, or was left alone for, is over, what it lacks is told."""
    rebuild = job.rebuild
    if rebuild.state is RebuildState.OPEN and rebuild.merging is not Merging.LEFT:
        return rebuild.reason
    is_new = rebuild.state is RebuildState.PLANNED
    reason = rebuild.reason if is_new else f"{what_moved(job)}; pull request #{request.number} is open"
    return "; ".join([reason, *remarks])
