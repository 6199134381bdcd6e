"""One repository's pull request is brought to what the audit proposes, or it is said why there is none."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.act.onboarding.ports import DueOnboarding, OnboardingOptions, Proposer, Source
from bot.act.onboarding.wording import body, commit_message, is_ours, title
from bot.act.own_word import HOLDS_FOR, check_recent, config_of
from bot.act.pull_request.labels import said_by_label
from bot.act.pull_request.section import closed, declined, rewritten, section_in, written
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.actions import ActionCommit, ActionTag
from bot.domain.forge.branches import BranchChange, FileChange, Tip, scratch_of
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import BranchRefused, FilesDenied
from bot.domain.forge.wishes import Wishes
from bot.domain.repositories.onboarding import Onboarding, OnboardingState, Proposal
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.timing.freezes import frozen_by

BRANCH = "freshness/onboarding"
_SELDOM = timedelta(days=1)
_REGULAR = "100644"
_NICE_TO_HAVE = frozenset({Trouble.CONFLICT, Trouble.DENIED, Trouble.MISSING})


@dataclass(frozen=True, slots=True)
class Tools:
    """`forge` looks at the lease before each write; `commits` are those that were asked for already."""

    forge: Forge
    proposer: Proposer
    options: OnboardingOptions
    clock: Clock
    commits: dict[ActionTag, ActionCommit | None]


@dataclass(frozen=True, slots=True)
class Brought:
    """How it stands now, and when it is looked at again."""

    onboarding: Onboarding
    rest: timedelta


@dataclass(frozen=True, slots=True)
class _Attempt:
    due: DueOnboarding
    source: Source
    look: BranchLook
    looked_at: datetime

    @property
    def current(self) -> PullRequest | None:
        return next((request for request in self.look.pull_requests if request.is_open), None)

    @property
    def is_left_to_people(self) -> bool:
        """Whether somebody has committed to the branch of the open pull request, or changed what is there.

        What is left of a branch after its merge is nobody's, whoever has brought it up to date before.
        """
        tip = self.look.branch
        if tip is not None and self.current is None and _was_merged(self.look, tip):
            return False
        return tip is not None and not (tip.is_own and is_ours(tip.message))


def _was_merged(look: BranchLook, tip: Tip) -> bool:
    return any(request.is_merged and request.head == tip.sha for request in look.pull_requests)


async def bring(due: DueOnboarding, source: Source, tools: Tools) -> Brought:
    """The repository's onboarding in its next state. Every step looks first, so that it can be repeated.

    Raises `Failure`, and `LeaseLost` where the row is not ours any more.
    """
    looked_at = tools.clock.now()
    look = await tools.forge.look(due.repository, BRANCH, ())
    attempt = _Attempt(due, source, look, looked_at)
    ended = await _not_to_bring(attempt, tools)
    if ended is not None:
        return ended
    proposal = await _proposal(attempt, tools, ())
    try:
        return await _brought(attempt, proposal, tools)
    except FilesDenied as refused:
        denied = (refused.folder,)
        return await _brought(attempt, await _proposal(attempt, tools, denied), tools, denied)
    except BranchRefused as refused:
        return _set_aside(due.onboarding, refused.told)


async def clear(repository: Identity, forge: Forge) -> None:
    """Takes away the scratch branch that an attempt has left which did not come to its end."""
    scratch = scratch_of(BRANCH)
    look = await forge.look(repository, scratch, ())
    tip, trunk = look.branch, look.trunk
    if tip is None or look.standing.read_only is not None:
        return
    if (tip.is_own and is_ours(tip.message)) or (trunk is not None and tip.sha == trunk.sha):
        await forge.delete_branch(look.standing.identity, scratch, tip.sha)


async def _not_to_bring(attempt: _Attempt, tools: Tools) -> Brought | None:
    """What ends it, or keeps it from being written now; None where it is to be brought along."""
    due, look, now, options = attempt.due, attempt.look, attempt.looked_at, tools.options
    known, current = due.onboarding, attempt.current
    home = look.standing.identity
    latest = next(iter(look.pull_requests), None)
    if (said := said_by_label(look.pull_requests)) is not None and not said.holds:
        if current is not None:
            check_recent(home.name, now, tools.clock.now())
            await tools.forge.close_pull_request(home, current, body=declined(current.body, said.reason))
        return Brought(replace(known, state=OnboardingState.DECLINED, reason=said.reason), _SELDOM)
    if latest is not None and current is None and not latest.is_merged and not _closed_by_us(latest):
        reason = f"pull request #{latest.number} was closed by a maintainer"
        return Brought(_with(known, OnboardingState.DECLINED, reason, latest), _SELDOM)
    if said is not None:
        return _stays(known, said.reason, options.follow_every)
    if known.state is OnboardingState.OPEN and latest is not None and latest.is_merged and current is None:
        reason = f"pull request #{latest.number} was merged"
        merged = _with(known, OnboardingState.WAITING, reason, latest)
        return Brought(merged.once_merged, options.follow_every)
    if (objection := _objection(attempt)) is not None:
        return _set_aside(known, objection)
    if current is not None and attempt.is_left_to_people:
        reason = f"somebody has committed to the branch of #{current.number}, so the bot leaves it to them"
        return Brought(_with(known, OnboardingState.OPEN, reason, current), options.follow_every)
    if current is not None and known.made_from == due.made_from(options.checks) and not current.is_conflicted:
        return Brought(_with(known, OnboardingState.OPEN, _is_open(current), current), options.follow_every)
    if current is None and attempt.is_left_to_people:
        return _set_aside(known, f"the branch {BRANCH} has commits of somebody else")
    if current is None and (freeze := frozen_by(options.freezes, now, None)) is not None:
        return _stays(known, f"frozen: {freeze.reason}", freeze.until - now)
    if current is None and due.open_elsewhere >= options.open_pull_requests:
        return _stays(known, "other pull requests of the bot are still open here", options.follow_every)
    return None


def _objection(attempt: _Attempt) -> str | None:
    """Why the repository takes no pull request of this kind; None where it has no word against it."""
    standing = attempt.look.standing
    if standing.read_only is not None:
        return f"the repository is {standing.read_only}"
    config = config_of(standing, attempt.looked_at)
    if not config.enabled:
        return "the repository opted out in .github/freshness.yaml"
    if config.asks_for_no_pull_request:
        return "the repository asks for no pull requests in .github/freshness.yaml"
    return "the repository has no commits" if attempt.look.trunk is None else None


async def _proposal(attempt: _Attempt, tools: Tools, denied: tuple[str, ...]) -> Proposal:
    """A thread keeps the event loop free for the other stages."""
    named = await asyncio.to_thread(tools.proposer.actions, attempt.source, attempt.looked_at)
    known = await commits_of(attempt.due.repository, named, tools.forge, tools.commits)
    return await asyncio.to_thread(tools.proposer.propose, attempt.source, known, denied, attempt.looked_at)


async def commits_of(
    repository: Identity,
    actions: Sequence[ActionTag],
    forge: Forge,
    asked: dict[ActionTag, ActionCommit | None],
) -> Mapping[ActionTag, ActionCommit]:
    """Where the tags point to, as far as the forge tells: without that, pins are advice.

    `asked` is what was asked for already, whichever repository named it, and gets what is asked for now.
    """
    new = [each for each in actions if each not in asked]
    if new:
        try:
            found = await forge.action_commits(repository, new)
        except Failure as failure:
            if failure.trouble not in _NICE_TO_HAVE:
                raise
            found = {}
        asked.update({each: found.get(each) for each in new})
    return {tag: commit for tag, commit in asked.items() if commit is not None}


async def _brought(attempt: _Attempt, proposal: Proposal, tools: Tools, denied: tuple[str, ...] = ()) -> Brought:
    """The branch with the proposal's commits, and the pull request with its text. `denied` are the folders that the
    proposal leaves out.
    """
    made_from = attempt.due.made_from(tools.options.checks)
    known = replace(attempt.due.onboarding, left=len(proposal.left), made_from=made_from, proposed=proposal.mends)
    if not proposal.commits:
        return await _nothing_left(attempt, known, proposal, tools)
    wishes = _wishes(attempt, tools)
    looked_at = tools.clock.now()
    home = attempt.look.standing.identity
    mended = {each.path for each in attempt.due.onboarding.brought if each.path in proposal.read}
    paths = sorted({*proposal.files, *mended})
    look = await tools.forge.look(home, BRANCH, paths, wishes)
    attempt = replace(attempt, look=look, looked_at=looked_at)
    current = attempt.current
    if look.trunk is None or (stale := _stale(proposal, look.trunk, paths)) is not None:
        return _stays(known, f"{stale} has changed since it was read", tools.options.follow_every)
    if (without := _without_what_was_taken_back(attempt, proposal)) is not None:
        return await _brought(without, await _proposal(without, tools, denied), tools, denied)
    if attempt.is_left_to_people:
        return _stays(known, f"the branch {BRANCH} has commits of somebody else", tools.options.follow_every)
    if current is not None and not current.is_conflicted and proposal.mark in section_in(current.body).digests:
        return Brought(_with(known, OnboardingState.OPEN, _is_open(current), current), tools.options.follow_every)
    attempt, change, prepared = await _prepared(attempt, proposal, tools)
    check_recent(home.name, attempt.looked_at, tools.clock.now())
    request = await tools.forge.carry_out(home, change, prepared, _request_change(attempt, proposal, tools))
    if current is None:
        await _wish(attempt, request, wishes, tools)
    return Brought(_with(known, OnboardingState.OPEN, _is_open(request), request), tools.options.follow_every)


def _without_what_was_taken_back(attempt: _Attempt, proposal: Proposal) -> _Attempt | None:
    """The same, with the checks declined whose edits are gone again after a merge; None where there is none."""
    before = attempt.due.onboarding
    known = before.without_what_was_taken_back(proposal.counted)
    if known.declined == before.declined:
        return None
    due, source = replace(attempt.due, onboarding=known), replace(attempt.source, declined=known.declined)
    return replace(attempt, due=due, source=source)


async def _nothing_left(attempt: _Attempt, known: Onboarding, proposal: Proposal, tools: Tools) -> Brought:
    current, home = attempt.current, attempt.look.standing.identity
    reason = "every check that can be mended safely holds"
    if proposal.left:
        denied = next((f", since {each.why}" for each in proposal.left if each.is_denied), "")
        reason = f"what still fails is left to people{denied}"
    if known.declined:
        reason += f"; {', '.join(known.declined)}: taken back after a merge, and so declined for good"
    if current is not None:
        check_recent(home.name, attempt.looked_at, tools.clock.now())
        await tools.forge.close_pull_request(home, current, body=closed(current.body, reason))
    return Brought(replace(known, state=OnboardingState.DONE, reason=reason), _SELDOM)


def _stale(proposal: Proposal, trunk: Tip, paths: Sequence[str]) -> str | None:
    """A file that is no longer what the proposal was made from."""
    for path in paths:
        now = trunk.files.get(path)
        if (now.content if now is not None else None) != proposal.read.get(path):
            return path
    return None


async def _as_now(attempt: _Attempt, tools: Tools) -> _Attempt:
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
    if (objection := _objection(later)) is not None:
        raise Failure(Trouble.CONFLICT, objection, where=home.name, advice="the next attempt looks again")
    return later


async def _prepared(
    attempt: _Attempt, proposal: Proposal, tools: Tools
) -> tuple[_Attempt, BranchChange, str | None]:
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
        change = BranchChange(BRANCH, before, trunk.sha, trunk.tree, files, message)
        check_recent(home.name, attempt.looked_at, tools.clock.now())
        return attempt, change, await tools.forge.prepare(home, change)
    prepared = None
    for commit in proposal.commits:
        files = tuple(FileChange(path, text) for path, text in commit.files.items())
        onto = prepared or trunk.sha
        change = BranchChange(BRANCH, before, onto, trunk.tree, files, commit_message(commit), is_aside=True)
        attempt = await _as_now(attempt, tools)
        prepared = await tools.forge.prepare(home, change)
    return attempt, change, prepared


def _request_change(attempt: _Attempt, proposal: Proposal, tools: Tools) -> RequestChange:
    look, current = attempt.look, attempt.current
    assert look.trunk is not None
    assert look.standing.default_branch is not None
    told = title(proposal)
    text = body(proposal, look.standing.identity.name, tools.options.web, look.trunk.sha, BRANCH)
    section = written(text, (proposal.mark,), told)
    if current is None:
        return RequestChange(BRANCH, look.standing.default_branch, None, told, section)
    return rewritten(current, BRANCH, look.standing.default_branch, told, section)


def _wishes(attempt: _Attempt, tools: Tools) -> Wishes:
    """Labels and reviewers as the repository names them."""
    config = config_of(attempt.look.standing, attempt.looked_at)
    labels = tuple(sorted({tools.options.label, *config.labels}))
    return Wishes(labels, config.reviewers, config.team_reviewers)


async def _wish(attempt: _Attempt, request: PullRequest, wishes: Wishes, tools: Tools) -> None:
    """What the forge refuses of that, the pull request can do without."""
    try:
        await tools.forge.grant(attempt.look.standing.identity, request, wishes, attempt.look)
    except Failure as failure:
        if failure.trouble not in _NICE_TO_HAVE:
            raise


def _is_open(request: PullRequest) -> str:
    return f"pull request #{request.number} is open"


def _closed_by_us(request: PullRequest) -> bool:
    return section_in(request.body).is_closed_by_us


def _with(known: Onboarding, state: OnboardingState, reason: str, request: PullRequest) -> Onboarding:
    return replace(known, state=state, reason=reason, number=request.number, url=request.url)


def _set_aside(known: Onboarding, reason: str) -> Brought:
    """Nothing can be brought at present; what is open stays open."""
    is_open = known.state is OnboardingState.OPEN
    return Brought(
        replace(known, state=known.state if is_open else OnboardingState.SET_ASIDE, reason=reason), _SELDOM
    )


def _stays(known: Onboarding, reason: str, rest: timedelta) -> Brought:
    return Brought(replace(known, reason=reason), rest)
