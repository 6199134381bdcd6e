"""Whether a repository's pull request is to be brought along now, and where it stands if not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.clock import Clock
from bot.domain.forge.actions import ActionCommit, ActionTag
from bot.domain.forge.branches import Tip
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.domain.rollouts.reopening import followed_on, goes_on
from bot.domain.rollouts.timing.freezes import frozen_by
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions, ProposalSource, Proposer
from bot.fleet.act.onboarding.wording import is_ours
from bot.fleet.act.own_word import WordHeld, config_of
from bot.fleet.act.pull_request.labels import said_by_label
from bot.fleet.act.pull_request.text.section import declined, section_in
from bot.reconcile.guarded import Covers, covers_all

BRANCH = "freshness/onboarding"
SELDOM = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OnboardingTools:
    """`forge` looks at what is `held` before each write; `commits` are those that were asked for already."""

    forge: Forge
    proposer: Proposer
    options: OnboardingOptions
    clock: Clock
    commits: dict[ActionTag, ActionCommit | None]
    held: WordHeld
    covers: Covers = covers_all


@dataclass(frozen=True, slots=True)
class Brought:
    """How it stands now, and when it is looked at again."""

    onboarding: Onboarding
    rest: timedelta


@dataclass(frozen=True, slots=True)
class OnboardingAttempt:
    """One row with the repository's texts, and what its branch and pull requests showed at `looked_at`."""

    due: DueOnboarding
    source: ProposalSource
    look: BranchLook
    looked_at: datetime

    @property
    def own(self) -> tuple[PullRequest, ...]:
        """The bot's pull requests, newest first."""
        return self.look.own(self.due.onboarding.number)

    @property
    def current(self) -> PullRequest | None:
        """The bot's open one."""
        return self.look.open_own(self.due.onboarding.number)

    @property
    def theirs(self) -> PullRequest | None:
        """An open one of somebody else."""
        return self.look.open_of_others(self.due.onboarding.number)

    @property
    def is_left_to_people(self) -> bool:
        """Whether somebody has committed to the branch of the open pull request, or changed what is there.

        What is left of a branch after its merge is nobody's, whoever has brought it up to date before.
        """
        tip = self.look.branch
        if tip is not None and self.current is None and _was_merged(self.look, tip):
            return False
        return tip is not None and not (tip.is_own and is_ours(tip.message))


def opened_again(attempt: OnboardingAttempt) -> OnboardingAttempt | None:
    """The attempt as it goes on where what was declined is open again, or was merged since; None where nothing
    takes the word of whoever has declined back."""
    before = attempt.due.onboarding
    request = attempt.current or next((each for each in attempt.own if each.number == before.number), None)
    if request is None or not goes_on(request):
        return None
    known = with_request(before, OnboardingState.OPEN, followed_on(request.number), request)
    return replace(attempt, due=replace(attempt.due, onboarding=known))


def _was_merged(look: BranchLook, tip: Tip) -> bool:
    return any(request.is_merged and request.head == tip.sha for request in look.pull_requests)


async def not_to_bring(attempt: OnboardingAttempt, tools: OnboardingTools) -> Brought | None:
    """What ends it, or keeps it from being written now; None where it is to be brought along."""
    if not tools.covers(attempt.look.standing.identity.name):
        return set_aside(attempt.due.onboarding, NOT_INCLUDED)
    return await _said_by_people(attempt, tools) or _kept_back(attempt, tools)


async def _said_by_people(attempt: OnboardingAttempt, tools: OnboardingTools) -> Brought | None:
    """What people have said by a label, by closing the pull request or by merging it."""
    known, current, home = attempt.due.onboarding, attempt.current, attempt.look.standing.identity
    latest = next(iter(attempt.own), None)
    if (said := said_by_label(attempt.own)) is not None and not said.holds:
        if current is not None and attempt.look.standing.read_only is None:
            tools.held.hear(home.name, attempt.looked_at)
            await tools.forge.close_pull_request(home, current, body=declined(current.body, said.reason))
        return Brought(replace(known, state=OnboardingState.DECLINED, reason=said.reason), SELDOM)
    if latest is not None and current is None and not latest.is_merged and not _closed_by_us(latest):
        reason = f"pull request #{latest.number} was closed by a maintainer"
        return Brought(with_request(known, OnboardingState.DECLINED, reason, latest), SELDOM)
    if said is not None:
        return stays(known, said.reason, tools.options.follow_every)
    if latest is not None and latest.is_merged and current is None:
        return await _merged(attempt, latest, tools)
    return None


def _kept_back(attempt: OnboardingAttempt, tools: OnboardingTools) -> Brought | None:
    """What stands against writing it now: the repository's own word, people's work, a freeze, others of the bot."""
    due, now, options = attempt.due, attempt.looked_at, tools.options
    known, current = due.onboarding, attempt.current
    if (objection := objection_of(attempt, tools.covers)) is not None:
        return set_aside(known, objection)
    if current is not None:
        if (told := _theirs_by_now(attempt, current)) is not None:
            return Brought(with_request(known, OnboardingState.OPEN, told, current), options.follow_every)
        is_as_proposed = known.made_from == due.made_from(options.checks) and not current.is_conflicted
        return left_open(known, current, options.follow_every) if is_as_proposed else None
    if (theirs := attempt.theirs) is not None:
        told = f"pull request #{theirs.number} is somebody else's, from the bot's branch, so it is left to them"
        return set_aside(known, told)
    if attempt.is_left_to_people:
        return set_aside(known, f"the branch {BRANCH} has commits of somebody else")
    if (freeze := frozen_by(options.freezes, now, None)) is not None:
        return stays(known, f"frozen: {freeze.reason}", freeze.until - now)
    if due.open_elsewhere >= options.open_pull_requests:
        return stays(known, "other pull requests of the bot are still open here", options.follow_every)
    return None


async def _merged(attempt: OnboardingAttempt, request: PullRequest, tools: OnboardingTools) -> Brought | None:
    """What its merge has come to; None where that was taken up before.

    Merged into another branch it has brought nothing yet: it is set aside until that has come to the default one.
    """
    known, onto = attempt.due.onboarding, attempt.look.standing.default_branch
    elsewhere = request.elsewhere(onto)
    is_set_aside = known.state is OnboardingState.SET_ASIDE and known.number == request.number
    if not (known.state is OnboardingState.OPEN or (is_set_aside and elsewhere is not None)):
        return None
    if elsewhere is not None and not await _has_arrived(attempt, request, tools):
        return Brought(with_request(known, OnboardingState.SET_ASIDE, elsewhere, request), SELDOM)
    reason = f"pull request #{request.number} was merged"
    merged = with_request(known, OnboardingState.WAITING, reason, request)
    return Brought(merged.once_merged, tools.options.follow_every)


async def _has_arrived(attempt: OnboardingAttempt, request: PullRequest, tools: OnboardingTools) -> bool:
    word = attempt.look.standing
    if request.merge_commit is None or word.default_branch is None:
        return False
    return await tools.forge.contains(word.identity, word.default_branch, request.merge_commit)


def _theirs_by_now(attempt: OnboardingAttempt, current: PullRequest) -> str | None:
    """What people have done to the open pull request that leaves it to them."""
    if attempt.is_left_to_people:
        return f"somebody has committed to the branch of #{current.number}, so the bot leaves it to them"
    return current.elsewhere(attempt.look.standing.default_branch)


def objection_of(attempt: OnboardingAttempt, covers: Covers) -> str | None:
    """Why the repository takes no pull request of this kind; None where it has no word against it."""
    standing = attempt.look.standing
    if not covers(standing.identity.name):
        return NOT_INCLUDED
    if standing.read_only is not None:
        return f"the repository is {standing.read_only}"
    config = config_of(standing, attempt.looked_at)
    if config.refusal is not None:
        return config.refusal
    if config.asks_for_no_pull_request:
        return "the repository asks for no pull requests in .github/freshness.yaml"
    return "the repository has no commits" if attempt.look.trunk is None else None


def left_open(known: Onboarding, request: PullRequest, rest: timedelta) -> Brought:
    """The pull request waits for people, until it is looked at again after `rest`."""
    reason = f"pull request #{request.number} is open"
    return Brought(with_request(known, OnboardingState.OPEN, reason, request), rest)


def _closed_by_us(request: PullRequest) -> bool:
    return section_in(request.body).is_closed_by_us


def with_request(known: Onboarding, state: OnboardingState, reason: str, request: PullRequest) -> Onboarding:
    """The same onboarding with its state, the reason for that and the pull request."""
    return replace(known, state=state, reason=reason, number=request.number, url=request.url)


def set_aside(known: Onboarding, reason: str) -> Brought:
    """Nothing can be brought at present; what is open stays open."""
    is_open = known.state is OnboardingState.OPEN
    return Brought(
        replace(known, state=known.state if is_open else OnboardingState.SET_ASIDE, reason=reason), SELDOM
    )


def stays(known: Onboarding, reason: str, rest: timedelta) -> Brought:
    """The state stays as it is, for this reason, until it is looked at again after `rest`."""
    return Brought(replace(known, reason=reason), rest)
