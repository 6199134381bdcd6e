"""One repository's pull request is brought to what the audit proposes, or it is said why there is none."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.port import Builder
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, FileChange, Tip, scratch_of
from bot.domain.forge.pull_requests import PullRequest, RequestChange, Wishes, most_body
from bot.domain.forge.refusals import BranchQueued, BranchRefused, FilesDenied
from bot.domain.repositories.onboarding import Onboarding, OnboardingState, Proposal
from bot.domain.repositories.repository import Identity
from bot.files.formats.workflows.pushes import runs_on_push
from bot.fleet.act.onboarding.deciding import (
    BRANCH,
    SELDOM,
    Brought,
    OnboardingAttempt,
    OnboardingTools,
    left_open,
    not_to_bring,
    objection_of,
    opened_again,
    set_aside,
    stays,
)
from bot.fleet.act.onboarding.ports import DueOnboarding, ProposalSource
from bot.fleet.act.onboarding.wording import body, commit_message, is_ours, title
from bot.fleet.act.own_word import HOLDS_FOR, config_of
from bot.fleet.act.pull_request.text.section import closed, marked_section, rewritten, section_in, with_section
from bot.fleet.act.pull_request.text.wording import LONGEST_BODY
from bot.fleet.act.waiting import is_no

_REGULAR = "100644"
_HIDDEN_LINES = 200
"""Bytes of a body around what is told in it."""


async def bring(due: DueOnboarding, source: ProposalSource, tools: OnboardingTools) -> Brought:
    """The repository's onboarding in its next state. Every step looks first, so that it can be repeated.

    Raises `Failure`, and `LeaseLost` where the row is not ours any more.
    """
    looked_at = tools.clock.now()
    look = await tools.forge.look(due.repository, BRANCH, ())
    attempt = OnboardingAttempt(due, source, look, looked_at)
    if due.onboarding.state is OnboardingState.DECLINED:
        attempt_again = opened_again(attempt)
        if attempt_again is None:
            return Brought(due.onboarding, SELDOM)
        attempt, due = attempt_again, attempt_again.due
    end = await not_to_bring(attempt, tools)
    if end is not None:
        return end
    proposal = await _proposal(attempt, tools, ())
    try:
        return await _bring_branch(attempt, proposal, tools)
    except FilesDenied as refused:
        denied_folders = (refused.folder,)
        return await _bring_branch(attempt, await _proposal(attempt, tools, denied_folders), tools, denied_folders)
    except BranchRefused as refused:
        return set_aside(due.onboarding, refused.told)
    except BranchQueued as queued:
        return stays(due.onboarding, queued.told, tools.options.follow_every)


async def clear(repository: Identity, tools: OnboardingTools) -> None:
    """Takes away the scratch branch that an attempt has left which did not come to its end."""
    scratch, looked_at = scratch_of(BRANCH), tools.clock.now()
    look = await tools.forge.look(repository, scratch, ())
    tip = look.branch
    identity = look.standing.identity
    if tip is None or look.standing.read_only is not None or not tools.covers(identity):
        return
    if (tip.is_own and is_ours(tip.message)) or look.has_no_commits:
        tools.word_held.hear(identity.name, looked_at)
        await tools.forge.delete_branch(identity, scratch, tip.sha)


async def _proposal(
    attempt: OnboardingAttempt, tools: OnboardingTools, denied_folders: tuple[str, ...]
) -> Proposal:
    """A thread keeps the event loop free for the other stages."""
    actions = await asyncio.to_thread(tools.proposer.actions, attempt.source, attempt.looked_at)
    commits = await commits_of(attempt.due.repository, actions, tools.builder, tools.commits)
    return await asyncio.to_thread(
        tools.proposer.propose, attempt.source, commits, denied_folders, attempt.looked_at
    )


async def commits_of(
    repository: Identity,
    actions: Sequence[ActionTag],
    builder: Builder,
    known_commits: dict[ActionTag, ActionCommit | None],
) -> Mapping[ActionTag, ActionCommit]:
    """Where the tags point to, as far as the builder tells: without that, pins are advice.

    `known_commits` is what was asked for already, whichever repository named it, and gets what is asked for now.
    """
    new = [each for each in actions if each not in known_commits]
    if new:
        try:
            new_commits = await builder.action_commits(repository, new)
        except Failure as failure:
            if not is_no(failure):
                raise
            new_commits = {}
        known_commits.update({each: new_commits.get(each) for each in new})
    return {tag: commit for tag, commit in known_commits.items() if commit is not None}


async def _bring_branch(
    attempt: OnboardingAttempt, proposal: Proposal, tools: OnboardingTools, denied_folders: tuple[str, ...] = ()
) -> Brought:
    """The branch with the proposal's commits, and the pull request with its text. `denied_folders` are those that
    the proposal leaves out.
    """
    made_from = attempt.due.made_from(tools.options.checks)
    onboarding = replace(
        attempt.due.onboarding, left=len(proposal.left_to_people), made_from=made_from, proposed=proposal.mends
    )
    if not proposal.commits:
        return await _nothing_left(attempt, onboarding, proposal, tools)
    wishes = _wishes(attempt, tools)
    looked_at = tools.clock.now()
    home = attempt.look.standing.identity
    mended_paths = {each.path for each in attempt.due.onboarding.brought if each.path in proposal.source_texts}
    paths = sorted({*proposal.files, *mended_paths})
    look = await tools.forge.look(home, BRANCH, paths, wishes)
    attempt = replace(attempt, look=look, looked_at=looked_at)
    if (end := await not_to_bring(attempt, tools)) is not None:
        return end
    current = attempt.current
    if look.trunk is None or (stale := _find_stale_file(proposal, look.trunk, paths)) is not None:
        return stays(onboarding, f"{stale} has changed since it was read", tools.options.follow_every)
    if (attempt_without := _without_what_was_taken_back(attempt, proposal)) is not None:
        return await _bring_branch(
            attempt_without, await _proposal(attempt_without, tools, denied_folders), tools, denied_folders
        )
    if current is not None and not current.is_conflicted and proposal.mark in section_in(current.body).digests:
        return left_open(onboarding, current, tools.options.follow_every)
    attempt, change, prepared = await _prepare_commits(attempt, proposal, tools)
    tools.word_held.hear(home.name, attempt.looked_at)
    request = await tools.forge.carry_out(home, change, prepared, _request_change(attempt, proposal, tools))
    if current is None:
        await _grant_wishes(attempt, request, wishes, tools)
    return left_open(onboarding, request, tools.options.follow_every)


def _without_what_was_taken_back(attempt: OnboardingAttempt, proposal: Proposal) -> OnboardingAttempt | None:
    """The same, with the checks declined whose edits are gone again after a merge; None where there is none."""
    before = attempt.due.onboarding
    onboarding = before.without_what_was_taken_back(proposal.counted)
    if onboarding.declined == before.declined:
        return None
    due, source = replace(attempt.due, onboarding=onboarding), replace(attempt.source, declined=onboarding.declined)
    return replace(attempt, due=due, source=source)


async def _nothing_left(
    attempt: OnboardingAttempt, onboarding: Onboarding, proposal: Proposal, tools: OnboardingTools
) -> Brought:
    current, home = attempt.current, attempt.look.standing.identity
    reason = "every check that can be mended safely holds"
    if proposal.left_to_people:
        denial_text = next((f", since {each.reason}" for each in proposal.left_to_people if each.is_denied), "")
        reason = f"what still fails is left to people{denial_text}"
    if onboarding.declined:
        reason += f"; {', '.join(onboarding.declined)}: taken back after a merge, and so declined for good"
    if current is not None:
        tools.word_held.hear(home.name, attempt.looked_at)
        await tools.forge.close_pull_request(
            home, current, body=closed(current.body, reason, most_body(home.forge))
        )
    return Brought(replace(onboarding, state=OnboardingState.DONE, reason=reason), SELDOM)


def _find_stale_file(proposal: Proposal, trunk: Tip, paths: Sequence[str]) -> str | None:
    """A file that is no longer what the proposal was made from."""
    for path in paths:
        now = trunk.files.get(path)
        if (now.content if now is not None else None) != proposal.source_texts.get(path):
            return path
    return None


async def _as_now(attempt: OnboardingAttempt, tools: OnboardingTools) -> OnboardingAttempt:
    """Asks the repository for its word again where the last look grows old: each commit waits for its turn.

    Raises `Failure` where it takes no pull request any more.
    """
    now = tools.clock.now()
    if now - attempt.looked_at < HOLDS_FOR / 2:
        return attempt
    home = attempt.look.standing.identity
    standing = (await tools.forge.standings([home])).get(home)
    if standing is None:
        raise Failure(Trouble.MISSING, "the repository is not there any more", where=home.name)
    later = replace(attempt, look=replace(attempt.look, standing=standing), looked_at=now)
    if (objection := objection_of(later, tools.covers)) is not None:
        raise Failure(Trouble.CONFLICT, objection, where=home.name, advice="the next attempt looks again")
    return later


async def _prepare_commits(
    attempt: OnboardingAttempt, proposal: Proposal, tools: OnboardingTools
) -> tuple[OnboardingAttempt, BranchChange, str | None]:
    """The commits, one on the other, made aside; the branch moves to the last one.

    Where a file is executable they are one commit: the forge makes those in another way.
    """
    look, home = attempt.look, attempt.look.standing.identity
    assert look.trunk is not None
    before = look.branch.sha if look.branch is not None else None
    modes = {path: file.mode for path, file in look.trunk.files.items()}
    trunk = look.trunk
    if len(proposal.commits) == 1 or any(mode != _REGULAR for mode in modes.values()):
        files = tuple(FileChange(path, text, modes.get(path, _REGULAR)) for path, text in proposal.files.items())
        message = "\n".join(commit_message(commit) for commit in proposal.commits)
        change = BranchChange(
            BRANCH,
            *(before, trunk.sha, trunk.tree, files, message),
            is_pushed_whole=runs_on_push(look.workflows, BRANCH),
        )
        tools.word_held.hear(home.name, attempt.looked_at)
        return attempt, change, await tools.forge.prepare(home, change)
    prepared = None
    for commit in proposal.commits:
        files = tuple(FileChange(path, text) for path, text in commit.files.items())
        onto = prepared or trunk.sha
        change = BranchChange(BRANCH, before, onto, trunk.tree, files, commit_message(commit), is_aside=True)
        attempt = await _as_now(attempt, tools)
        tools.word_held.hear(home.name, attempt.looked_at)
        prepared = await tools.forge.prepare(home, change)
    return attempt, change, prepared


def _request_change(attempt: OnboardingAttempt, proposal: Proposal, tools: OnboardingTools) -> RequestChange:
    look, current = attempt.look, attempt.current
    assert look.trunk is not None
    assert look.standing.default_branch is not None
    headline = title(proposal)
    most = most_body(look.standing.identity.forge)
    longest = min(LONGEST_BODY, most - _HIDDEN_LINES)
    text = body(proposal, look.standing.identity.name, tools.options.web, look.trunk.sha, BRANCH, longest)
    section = marked_section(text, (proposal.mark,), headline)
    if current is None:
        return RequestChange(BRANCH, look.standing.default_branch, None, headline, with_section("", section, most))
    return rewritten(current, BRANCH, look.standing.default_branch, headline, section, most)


def _wishes(attempt: OnboardingAttempt, tools: OnboardingTools) -> Wishes:
    """Labels and reviewers as the repository names them."""
    config = config_of(attempt.look.standing, attempt.looked_at)
    labels = tuple(sorted({tools.options.label, *config.labels}))
    return Wishes(labels, config.reviewers, config.team_reviewers)


async def _grant_wishes(
    attempt: OnboardingAttempt, request: PullRequest, wishes: Wishes, tools: OnboardingTools
) -> None:
    """What the forge refuses of that, the pull request can do without."""
    try:
        await tools.forge.grant(attempt.look.standing.identity, request, wishes, attempt.look)
    except Failure as failure:
        if not is_no(failure):
            raise
