"""One open pull request for each repository and branch, brought to the wanted content from wherever it stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.act.own_word import as_now, hear, objection
from bot.act.ports import Job
from bot.act.pull_request.adoption import adopted
from bot.act.pull_request.branch import branch_change
from bot.act.pull_request.declined import less_declined, was_closed_by_us
from bot.act.pull_request.edits import Edits, refreshed_files
from bot.act.pull_request.labels import Said, said_by_label
from bot.act.pull_request.merging import is_to_be_stopped, merge_of, merges, wanted_merge
from bot.act.pull_request.text.section import closed, declined, rewritten, written
from bot.act.pull_request.text.wording import body, title, what_moved
from bot.act.pull_request.wishes import grant_wishes, wishes_of
from bot.act.tools import Tools
from bot.act.waiting import left_alone, paused, shut
from bot.domain.backoff import look_together, rest_at_age
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import BranchRefused, FilesDenied
from bot.domain.forge.wishes import Wishes
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.formats.repository import needs_projects
from bot.formats.rewrite.refresh import read_with


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A job as the repository stands now. `told` is what the reason of an open pull request says besides."""

    job: Job
    look: BranchLook
    looked_at: datetime
    told: tuple[str, ...] = ()

    @property
    def rebuild(self) -> Rebuild:
        return self.job.rebuild


async def open_or_update(job: Job, tools: Tools, denied: FilesDenied | None = None) -> Rebuild:
    """The rebuild in its next state. Every step looks first, so that it can be repeated after any crash.

    `denied` are files that an attempt just before this one was refused; the pull request goes without them.
    """
    attempt = await _looked(job, tools)
    ended = await _not_to_begin(attempt, job, tools)
    if ended is not None:
        return ended
    attempt = await _intended(_less_declined(attempt), tools)
    edits = await _edits(attempt, tools, denied)
    if not edits.files:
        return await _without_edits(attempt, edits, tools)
    if attempt.look.open_request is None:
        followed = await adopted(attempt.job, attempt.look, tools, attempt.looked_at)
        if followed is not None:
            return followed
    try:
        return await _brought(attempt, edits, tools)
    except BranchRefused as refused:
        return _refused(attempt, refused, tools)
    except FilesDenied as refused:
        if denied is not None:
            raise
        return await open_or_update(replace(job, rebuild=attempt.rebuild), tools, refused)


def _refused(attempt: _Attempt, refused: BranchRefused, tools: Tools) -> Rebuild:
    """A rule stays until somebody changes it: nothing is gained by trying again. What is open stays open, and is
    followed on.
    """
    rebuild, now = attempt.rebuild, attempt.looked_at
    if not rebuild.state.awaits_action:
        return left_alone(rebuild, tools.options, now)
    if (request := attempt.look.open_request) is None:
        return rebuild.moved(RebuildState.SKIPPED, refused.told, at=now)
    return _opened(attempt, request, [f"it stays as it is: {refused.told}"], tools)


async def _looked(job: Job, tools: Tools) -> _Attempt:
    assert job.rebuild.branch is not None
    looked_at = tools.clock.now()
    wishes = replace(wishes_of(job, tools.options), merge=wanted_merge(job, looked_at))
    paths = await _paths(job, tools)
    look = await tools.forge.look(job.member.identity, job.rebuild.branch, paths, wishes)
    return _Attempt(as_now(job, look.standing, looked_at), look, looked_at)


async def _paths(job: Job, tools: Tools) -> Sequence[str]:
    """The files to look at: a project takes properties from others, which only the whole tree names."""
    if not any(needs_projects(path) for path in job.paths):
        return job.paths
    tree = await tools.forge.tree(job.member.identity, job.default_branch)
    shown = [entry.path for entry in tree.entries if entry.is_file] if tree is not None else []
    return sorted(read_with(shown, job.paths))


async def _not_to_begin(attempt: _Attempt, claimed: Job, tools: Tools) -> Rebuild | None:
    """The rebuild where nothing is to be written for it, or not yet; None where it can begin."""
    rebuild, look, now = attempt.rebuild, attempt.look, attempt.looked_at
    if look.standing.read_only is not None:
        is_open = attempt.look.open_request is not None
        return await shut(attempt.job, look.standing, tools.store, tools.options, now, is_open=is_open)
    if (said := said_by_label(attempt.look.pull_requests)) is not None:
        return await _heeded(attempt, said, tools)
    if (reason := _superfluous(attempt.job)) is not None:
        ended = RebuildState.SKIPPED if attempt.job.replaced_by is None else RebuildState.CANCELLED
        return await _closed(attempt, rebuild.moved(ended, reason, at=now), tools)
    word = objection(attempt.job, now, claimed.member.config)
    if word is not None:
        return await _objected(attempt, word, claimed, tools)
    if attempt.look.open_request is not None:
        return None
    if rebuild.state is RebuildState.OPEN and rebuild.pull_request not in {
        each.number for each in look.pull_requests
    }:
        return left_alone(rebuild, tools.options, now)  # another bot's, whose text and branch are its own
    if rebuild.state is RebuildState.OPEN and not was_closed_by_us(look.pull_requests, rebuild):
        return replace(rebuild, text_version=rebuild.facts_version, due_at=now)  # to be followed to its end
    declined = less_declined(attempt.look.pull_requests, attempt.job)
    if declined.left is None:
        return rebuild.moved(RebuildState.CANCELLED, declined.told[0], at=now)
    if rebuild.state.awaits_action and await _is_full(attempt, tools):
        waiting = rebuild.moved(RebuildState.WAITING, "other pull requests of the bot are still open here", at=now)
        return replace(waiting, due_at=now + tools.options.follow_every)
    return None


async def _objected(attempt: _Attempt, word: str, claimed: Job, tools: Tools) -> Rebuild:
    """What is open stays as it is. A rebuild that was to go on with an open pull request waits with it: skipped, it
    would leave that to nobody, and the next one might open a second beside it.
    """
    rebuild, now = attempt.rebuild, attempt.looked_at
    if not rebuild.state.awaits_action:
        return left_alone(rebuild, tools.options, now)
    if (request := attempt.look.open_request) is None:
        return await hear(word, replace(claimed, rebuild=rebuild), tools.store, now)
    told = f"{word}; pull request #{request.number} stays as it is"
    return paused(rebuild, told, rest_at_age(rebuild.age(now), tools.options.follow_every), now)


async def _heeded(attempt: _Attempt, said: Said, tools: Tools) -> Rebuild:
    """What a person has said by a label is done: nothing while it holds the pull request, or an end for good.

    One that is held stays outdated, so that it is looked at again until the label is gone.
    """
    rebuild, now = attempt.rebuild, attempt.looked_at
    if said.holds:
        if is_to_be_stopped(attempt.look.open_request, wanted=False):
            await _stopped(attempt, tools)
            rebuild = replace(rebuild, merging=None)
        return paused(rebuild, said.reason, rest_at_age(rebuild.age(now), tools.options.follow_every), now)
    if (request := attempt.look.open_request) is not None:
        tools.before_write(rebuild, attempt.looked_at)
        body = declined(request.body, said.reason)
        await tools.forge.close_pull_request(attempt.job.member.identity, request, body=body)
    ended = RebuildState.CANCELLED if rebuild.state is RebuildState.OPEN else RebuildState.SKIPPED
    return rebuild.moved(ended, said.reason, at=now)


def _superfluous(job: Job) -> str | None:
    """Why an open pull request is in nobody's interest any more; None where it is."""
    if job.rebuild.state is not RebuildState.OPEN:
        return None
    wanted = job.replaced_by.action if job.replaced_by is not None else job.member.config.action or job.terms.action
    if wanted == Action.DISPATCH:
        return "the repository is rebuilt by a workflow run instead"
    if wanted == Action.NOTIFY:
        return "the repository is only told of new bases now"
    return None


async def _is_full(attempt: _Attempt, tools: Tools) -> bool:
    return await tools.store.open_pull_requests(attempt.rebuild.repository) >= tools.options.open_pull_requests


def _less_declined(attempt: _Attempt) -> _Attempt:
    declined = less_declined(attempt.look.pull_requests, attempt.job)
    return attempt if declined.left is None else replace(attempt, job=declined.left, told=declined.told)


async def _intended(attempt: _Attempt, tools: Tools) -> _Attempt:
    """Stores that the pull request is about to be written, before anything is tried."""
    if attempt.rebuild.attempted_at is not None:
        return attempt
    rebuild = replace(attempt.rebuild, attempted_at=tools.clock.now())
    await tools.store.save_progress(rebuild)
    return replace(attempt, job=replace(attempt.job, rebuild=rebuild))


async def _edits(attempt: _Attempt, tools: Tools, denied: FilesDenied | None) -> Edits:
    if attempt.look.trunk is None:
        return Edits()
    found = await refreshed_files(attempt.job, attempt.look.trunk, tools.refresh, attempt.looked_at.date())
    return found.without(denied)


async def _without_edits(attempt: _Attempt, edits: Edits, tools: Tools) -> Rebuild:
    """Ends the rebuild, or leaves its pull request to people, where no file can be edited."""
    rebuild, now = attempt.rebuild, attempt.looked_at
    if rebuild.state is RebuildState.OPEN and (attempt.look.trunk is None or edits.told):
        return left_alone(rebuild, tools.options, now)
    if attempt.look.trunk is None:
        return rebuild.moved(RebuildState.SKIPPED, "the repository has no commits", at=now)
    if edits.told:
        return rebuild.moved(RebuildState.SKIPPED, f"nothing could be edited: {edits.told[0]}", at=now)
    if edits.unmet:
        names = ", ".join(base.short for base in sorted(edits.unmet))
        ended = RebuildState.CANCELLED if rebuild.state is RebuildState.OPEN else RebuildState.SKIPPED
        after = rebuild.moved(ended, f"no file of the default branch names {names} any more", at=now)
    else:
        after = rebuild.moved(RebuildState.SUCCEEDED, "the default branch already stands on the new base", at=now)
    # Somebody was faster, the base went back to what the branch already has, or is not used any more.
    return await _closed(attempt, after, tools)


async def _closed(attempt: _Attempt, after: Rebuild, tools: Tools) -> Rebuild:
    """The pull request, if one is open, closed with the reason for which the rebuild ends."""
    if (request := attempt.look.open_request) is not None:
        tools.before_write(attempt.rebuild, attempt.looked_at)
        later = attempt.job.replaced_by
        reason = f"{after.reason}: {later.url}" if later is not None and later.url else after.reason
        body = closed(request.body, reason)
        await tools.forge.close_pull_request(attempt.job.member.identity, request, body=body)
    return after


async def _brought(attempt: _Attempt, edits: Edits, tools: Tools) -> Rebuild:
    """The branch with its edits, the pull request with its text, and what people would like on it."""
    job, forge, home = attempt.job, tools.forge, attempt.job.member.identity
    on_branch = None
    if attempt.look.branch is not None:
        on_branch = await refreshed_files(job, attempt.look.branch, tools.refresh, attempt.looked_at.date())
    change = branch_change(job, attempt.look, edits, on_branch)
    touched = replace(job, paths=tuple(file.path for file in edits.files))
    wanted = _request_change(replace(attempt, job=touched), edits)
    request = attempt.look.open_request
    is_stopped = is_to_be_stopped(request, wanted=merges(job, attempt.look.requirements, attempt.looked_at))
    if is_stopped:
        await _stopped(attempt, tools)
    prepared = None
    if change is not None:
        tools.before_write(job.rebuild, attempt.looked_at)
        prepared = await forge.prepare(home, change)
    if request is None or change is not None or (wanted.title, wanted.body) != (None, None):
        tools.before_write(job.rebuild, attempt.looked_at)
        request = await forge.carry_out(home, change, prepared, wanted)
    is_anew = change is not None or is_stopped
    merge = merge_of(job, attempt.look, request, attempt.looked_at, is_anew=is_anew)
    granted = await grant_wishes(touched, attempt.look, request, merge.method, tools, attempt.looked_at)
    refused = (*granted.refused, *merge.refused)
    opened = _opened(attempt, request, [*attempt.told, *edits.left_out, *map(str, refused)], tools)
    return replace(opened, merging=merge.after(granted.is_to_merge))


async def _stopped(attempt: _Attempt, tools: Tools) -> None:
    """What was to merge by itself, a person has to merge now. That the bot says so is stored before: found switched
    off after a crash, it would pass for a person's word."""
    request = attempt.look.open_request
    assert request is not None
    await tools.store.save_progress(replace(attempt.rebuild, merging=None))
    tools.before_write(attempt.rebuild, attempt.looked_at)
    home = attempt.job.member.identity
    await tools.forge.grant(home, request, Wishes(no_merge=True), attempt.look)


def _request_change(attempt: _Attempt, edits: Edits) -> RequestChange:
    job, current = attempt.job, attempt.look.open_request
    assert job.rebuild.branch is not None
    digests = [target.to_digest for target in job.rebuild.targets]
    told = title(job)
    merges_by_itself = merges(job, attempt.look.requirements, attempt.looked_at)
    section = written(body(job, edits.told, merges=merges_by_itself), digests, told)
    if current is None:
        is_draft = job.terms.draft
        return RequestChange(job.rebuild.branch, job.default_branch, None, told, section, is_draft)
    return rewritten(current, job.rebuild.branch, job.default_branch, told, section)


def _opened(attempt: _Attempt, request: PullRequest, told: Iterable[str], tools: Tools) -> Rebuild:
    rebuild, now = attempt.rebuild, tools.clock.now()
    opened = rebuild.moved(RebuildState.OPEN, _reason(attempt.job, request, told), at=now)
    rest = rest_at_age(rebuild.age(now), tools.options.follow_every)
    return replace(
        opened,
        pull_request=request.number,
        node_id=request.node_id,
        url=request.url,
        text_version=rebuild.facts_version,
        due_at=look_together(now + rest, tools.options.follow_every),
    )


def _reason(job: Job, request: PullRequest, told: Iterable[str]) -> str:
    """Why there is a pull request; what it waited for is over, what it lacks is told."""
    rebuild = job.rebuild
    if rebuild.state is RebuildState.OPEN:
        return rebuild.reason
    is_new = rebuild.state is RebuildState.PLANNED
    reason = rebuild.reason if is_new else f"{what_moved(job)}; pull request #{request.number} is open"
    return "; ".join([reason, *told])
