"""Where nothing is written for a pull request: people have said so, it is superfluous, or no file needs an edit."""

from dataclasses import replace

from bot.domain.backoff import rest_at_age
from bot.domain.forge.pull_requests import PullRequest, most_body
from bot.domain.rollouts.rebuild import Action, Merging, Rebuild, RebuildState
from bot.fleet.act.own_word import hear, objection
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.answers import Declined, Said, less_declined, said_by_label, was_closed_by_us
from bot.fleet.act.pull_request.attempt import Edits, ProposalAttempt
from bot.fleet.act.pull_request.text.section import closed, declined
from bot.fleet.act.pull_request.wishes import close, unless_merging
from bot.fleet.act.tools import Tools
from bot.fleet.act.waiting import left_alone, not_of_the_fleet, paused, shut


async def not_to_begin(attempt: ProposalAttempt, claimed: Job, tools: Tools) -> Rebuild | None:
    """The rebuild where nothing is to be written for it, or not yet; None where it can begin."""
    rebuild, look, now = attempt.rebuild, attempt.look, attempt.looked_at
    if not attempt.job.is_listed:
        job = replace(attempt.job, rebuild=await unless_merging(attempt, tools, Merging.LEFT))
        return await not_of_the_fleet(job, tools.store, tools.options, now)
    if look.standing.read_only is not None:
        is_open = attempt.open_request is not None
        return await shut(attempt.job, look.standing, tools.store, tools.options, now, is_open=is_open)
    if (theirs := attempt.theirs) is not None:
        left_reason = (
            f"pull request #{theirs.number} is somebody else's, from the bot's branch, so it is left to them"
        )
        return await _leave_to_people(attempt, left_reason, tools)
    if (label_word := said_by_label(attempt.look.pull_requests)) is not None:
        return await _heed_label(attempt, label_word, tools)
    request = attempt.open_request
    if request is not None and (elsewhere := request.elsewhere(look.standing.default_branch)) is not None:
        return replace(await _leave_to_people(attempt, elsewhere, tools), pointed_at=request.base)
    if (reason := _reason_superfluous(attempt.job)) is not None:
        end_state = RebuildState.SKIPPED if attempt.job.replaced_by is None else RebuildState.CANCELLED
        return await _close_and_end(attempt, rebuild.moved(end_state, reason, at=now), tools)
    word = objection(attempt.job, now, claimed.member.config)
    if word is not None:
        return await _heed_objection(attempt, word, claimed, tools)
    if attempt.open_request is not None:
        return None
    if rebuild.state is RebuildState.OPEN and rebuild.pull_request not in {
        request.number for request in look.pull_requests
    }:
        return left_alone(rebuild, tools.options, now)  # another bot's, whose text and branch are its own
    if rebuild.state is RebuildState.OPEN and not was_closed_by_us(look.pull_requests, rebuild):
        return replace(rebuild, text_version=rebuild.facts_version, due_at=now)  # to be followed to its end
    declined = less_declined(attempt.look.pull_requests, attempt.job)
    if declined.rest is None:
        return _follow_declined(attempt, declined).moved(RebuildState.CANCELLED, declined.remarks[0], at=now)
    if rebuild.state.awaits_action and await _is_full(attempt, tools):
        waiting_rebuild = rebuild.moved(
            RebuildState.WAITING, "other pull requests of the bot are still open here", at=now
        )
        return replace(waiting_rebuild, due_at=now + tools.options.follow_every)
    return None


def _follow_declined(attempt: ProposalAttempt, refusal: Declined) -> Rebuild:
    """The rebuild with the pull request that was closed: where people open that again, it is followed. One of
    somebody else declines too, and stays theirs."""
    rebuild, request = attempt.rebuild, refusal.request
    if request is None or request not in attempt.look.own(rebuild.pull_request):
        return rebuild
    return replace(rebuild, pull_request=request.number, node_id=request.node_id, url=request.url)


async def _heed_objection(attempt: ProposalAttempt, word: str, claimed: Job, tools: Tools) -> Rebuild:
    """What is open stays as it is. A rebuild that was to go on with an open pull request waits with it: skipped, it
    would leave that to nobody, and the next one might open a second beside it.
    """
    rebuild, request = attempt.rebuild, attempt.open_request
    if rebuild.state.awaits_action and request is None:
        return await hear(word, replace(claimed, rebuild=rebuild), tools.store, attempt.looked_at)
    if request is None:
        return left_alone(rebuild, tools.options, attempt.looked_at)
    return await _leave_to_people(attempt, f"{word}; pull request #{request.number} stays as it is", tools)


async def _leave_to_people(attempt: ProposalAttempt, reason: str, tools: Tools) -> Rebuild:
    """The open pull request stays, and merges no more by the bot's word; a rebuild that was to begin with it
    waits."""
    request, now = attempt.open_request, attempt.looked_at
    rebuild = await unless_merging(attempt, tools)
    if rebuild.state.awaits_action:
        return paused(rebuild, reason, rest_at_age(rebuild.age(now), tools.options.follow_every), now)
    is_decided = rebuild.merging is Merging.SET and request is not None and not request.is_to_merge
    merging = rebuild.merging if is_decided else Merging.LEFT
    return replace(left_alone(rebuild, tools.options, now), reason=reason, merging=merging)


async def _heed_label(attempt: ProposalAttempt, word: Said, tools: Tools) -> Rebuild:
    """What a person has said by a label is done: nothing while it holds the pull request, or an end for good.

    One that is held stays outdated, so that it is looked at again until the label is gone.
    """
    rebuild, now = attempt.rebuild, attempt.looked_at
    if word.holds:
        rebuild = await unless_merging(attempt, tools)
        return paused(rebuild, word.reason, rest_at_age(rebuild.age(now), tools.options.follow_every), now)
    if (request := attempt.open_request) is not None:
        await _close(
            attempt, request, declined(request.body, word.reason, most_body(attempt.job.member.forge)), tools
        )
    end_state = RebuildState.CANCELLED if rebuild.state is RebuildState.OPEN else RebuildState.SKIPPED
    return rebuild.moved(end_state, word.reason, at=now)


def _reason_superfluous(job: Job) -> str | None:
    """Why an open pull request is in nobody's interest any more; None where it is."""
    if job.rebuild.state is not RebuildState.OPEN:
        return None
    action = job.replaced_by.action if job.replaced_by is not None else job.member.config.action or job.terms.action
    if action == Action.DISPATCH:
        return "the repository is rebuilt by a workflow run instead"
    if action == Action.NOTIFY:
        return "the repository is only told of new bases now"
    return None


async def _is_full(attempt: ProposalAttempt, tools: Tools) -> bool:
    return await tools.store.open_pull_requests(attempt.rebuild.repository) >= tools.options.open_pull_requests


async def without_edits(attempt: ProposalAttempt, edits: Edits, tools: Tools) -> Rebuild:
    """Ends the rebuild, or leaves its pull request to people, where no file can be edited."""
    rebuild, now = attempt.rebuild, attempt.looked_at
    if rebuild.state is RebuildState.OPEN and (attempt.look.trunk is None or edits.remarks):
        return left_alone(rebuild, tools.options, now)
    if attempt.look.trunk is None:
        return rebuild.moved(RebuildState.SKIPPED, "the repository has no commits", at=now)
    if edits.remarks:
        return rebuild.moved(RebuildState.SKIPPED, f"nothing could be edited: {edits.remarks[0]}", at=now)
    if edits.unmet:
        names = ", ".join(base.short for base in sorted(edits.unmet))
        end_state = RebuildState.CANCELLED if rebuild.state is RebuildState.OPEN else RebuildState.SKIPPED
        after = rebuild.moved(end_state, f"no file of the default branch names {names} any more", at=now)
    else:
        after = rebuild.moved(RebuildState.SUCCEEDED, "the default branch already stands on the new base", at=now)
    # Somebody was faster, the base went back to what the branch already has, or is not used any more.
    return await _close_and_end(attempt, after, tools)


async def _close_and_end(attempt: ProposalAttempt, after: Rebuild, tools: Tools) -> Rebuild:
    """The pull request, if one is open, closed with the reason for which the rebuild ends."""
    if (request := attempt.open_request) is not None:
        later = attempt.job.replaced_by
        reason = f"{after.reason}: {later.url}" if later is not None and later.url else after.reason
        await _close(attempt, request, closed(request.body, reason, most_body(attempt.job.member.forge)), tools)
    return after


async def _close(attempt: ProposalAttempt, request: PullRequest, body: str, tools: Tools) -> None:
    """That it may merge no more is stored before: found switched off later, it would pass for a person's word."""
    if request.is_to_merge_by_us:
        await tools.store.save_progress(replace(attempt.rebuild, merging=Merging.FROZEN))
    tools.before_write(attempt.rebuild, attempt.looked_at)
    await close(attempt.look, request, body, tools.forge)
