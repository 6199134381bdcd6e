"""Writes what a pull request is to be: its branch, its text, and what people would like on it.

The branch moves only for other content or a conflict.
"""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.backoff import look_together, rest_at_age
from bot.domain.forge.branches import BranchChange, Tip, scratch_of
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import PullRequest, RequestChange, most_body
from bot.domain.forge.refusals import BranchQueued
from bot.domain.repositories.repository import blob_name
from bot.domain.rollouts.marker import marked, marker_line
from bot.domain.rollouts.rebuild import Merging, Rebuild, RebuildState
from bot.files.formats.workflows.pushes import runs_on_push
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.attempt import Edits, ProposalAttempt, refreshed_files
from bot.fleet.act.pull_request.merging import is_to_be_stopped, merge_of, merges
from bot.fleet.act.pull_request.remembered import as_told, is_without_facts, packages_told
from bot.fleet.act.pull_request.text.section import has_room, marked_section, rewritten, with_section
from bot.fleet.act.pull_request.text.wording import (
    body,
    commit_message,
    title,
    trailers_for,
    trailers_in,
    what_moved,
)
from bot.fleet.act.pull_request.wishes import grant_wishes, stop_merging
from bot.fleet.act.tools import Tools


async def brought(attempt: ProposalAttempt, edits: Edits, tools: Tools) -> Rebuild:
    """The branch with its edits, the pull request with its text, and what people would like on it."""
    job, forge, home = attempt.job, tools.forge, attempt.job.member.identity
    on_branch = None
    if attempt.look.branch is not None:
        on_branch = await refreshed_files(job, attempt.look.branch, tools.refresh, attempt.looked_at.date())
    told_job = as_told(job, attempt.look)
    change = branch_change(told_job, attempt.look, edits, on_branch)
    job_of_edits = replace(job, paths=tuple(file.path for file in edits.files))
    request_change = _request_change(attempt, replace(told_job, paths=job_of_edits.paths), edits)
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
    if request is None or change is not None or request_change.writes:
        tools.before_write(job.rebuild, attempt.looked_at)
        request = await forge.carry_out(home, change, prepared, request_change)
    is_anew = change is not None or is_stopped
    merge = merge_of(job, attempt.look, request, attempt.looked_at, is_anew=is_anew)
    granted = await grant_wishes(replace(attempt, job=job_of_edits), request, merge.method, tools)
    refusals = (*granted.refused, *merge.refused)
    followed_rebuild = opened_as(attempt, request, [*attempt.remarks, *edits.left_out, *map(str, refusals)], tools)
    return replace(followed_rebuild, merging=merge.after(granted.is_to_merge))


def _request_change(attempt: ProposalAttempt, job: Job, edits: Edits) -> RequestChange:
    """What is to be written of `job`, which is as its text is to tell it."""
    current = attempt.open_request
    assert job.rebuild.branch is not None
    digests = [target.to_digest for target in job.rebuild.targets]
    headline, most = title(job), most_body(job.member.forge)
    merges_by_itself = merges(attempt.job, attempt.look.requirements, attempt.looked_at)
    marker = marker_line(marked(job.rebuild.targets, job.seen_changes, job.told_ways))
    packages = packages_told(job, attempt.look)
    text = body(job, edits.remarks, merges=merges_by_itself, packages_told=packages)
    beside = "" if has_room(marker, most) else marker
    section = marked_section(text, digests, headline, "" if beside else marker)
    if current is None:
        is_draft = attempt.job.terms.draft
        text = with_section("", section, most)
        return RequestChange(job.rebuild.branch, job.default_branch, None, headline, text, is_draft, beside)
    if is_without_facts(job, current):
        return RequestChange(job.rebuild.branch, job.default_branch, current, None, None)
    change = rewritten(current, job.rebuild.branch, job.default_branch, headline, section, most)
    return replace(change, marker="" if beside == current.marker else beside)


def opened_as(attempt: ProposalAttempt, request: PullRequest, remarks: Iterable[str], tools: Tools) -> Rebuild:
    """The rebuild as it follows its open pull request; `remarks` is what the reason says besides."""
    rebuild, now = attempt.rebuild, tools.clock.now()
    open_rebuild = rebuild.moved(RebuildState.OPEN, _reason(attempt.job, request, remarks), at=now)
    rest = rest_at_age(rebuild.age(now), tools.options.follow_every)
    return replace(
        open_rebuild,
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


def branch_change(job: Job, look: BranchLook, edits: Edits, on_branch: Edits | None) -> BranchChange | None:
    """The commit that the branch needs, pushed as a whole where workflows run on pushes to it or beside it."""
    change = _commit_needed(job, look, edits, on_branch)
    if change is None:
        return None
    runs = any(runs_on_push(look.workflows, branch) for branch in (change.branch, scratch_of(change.branch)))
    return replace(change, is_pushed_whole=runs)


def _commit_needed(job: Job, look: BranchLook, edits: Edits, on_branch: Edits | None) -> BranchChange | None:
    """The commit that the branch needs, None where it stands as wanted.

    `edits` are those of the default branch, `on_branch` those that the branch would still need. People's commits on
    it are kept and built upon; what only the bot has put there is replaced by one commit on the default branch.
    """
    branch = job.rebuild.branch
    assert branch is not None
    assert look.trunk is not None
    trunk, head = look.trunk, look.branch
    if head is None or on_branch is None:
        return BranchChange(branch, None, trunk.sha, trunk.tree, edits.files, commit_message(job))
    if _holds_nothing(head, look):
        return BranchChange(branch, head.sha, trunk.sha, trunk.tree, edits.files, commit_message(job))
    if head.is_own and trailers_in(head.message):
        if not _is_conflicted(look) and _stands(head, job, edits, on_branch):
            return None
        return BranchChange(branch, head.sha, trunk.sha, trunk.tree, edits.files, commit_message(job))
    if not on_branch.files:
        return None
    return BranchChange(
        branch, head.sha, head.sha, head.tree, on_branch.files, commit_message(job, replaceable=False)
    )


def _holds_nothing(head: Tip, look: BranchLook) -> bool:
    """Whether all that is on the branch is on the default branch as well, as after a merge that left it behind."""
    assert look.trunk is not None
    return head.sha == look.trunk.sha or head.sha in {
        request.head for request in look.pull_requests if request.is_merged
    }


def _is_conflicted(look: BranchLook) -> bool:
    return any(request.is_open and request.is_conflicted for request in look.pull_requests)


def _stands(head: Tip, job: Job, edits: Edits, on_branch: Edits) -> bool:
    """Whether the bot's commit is for these digests, and no file of the default branch lacks in it.

    The default branch may have gone on: what it changed elsewhere in the same files, the merge joins.
    """
    if any(file.path not in head.files for file in edits.files):
        return False
    if all(head.files[file.path].sha == blob_name(file.content, head.files[file.path].sha) for file in edits.files):
        return True
    return trailers_in(head.message) == trailers_for(job) and not on_branch.files
