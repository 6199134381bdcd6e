"""Whether a repository's pull request is to be brought along now, and where it stands if not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.forge.branches import Tip
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequest, most_body
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.domain.rollouts.reopening import followed_on, goes_on
from bot.domain.rollouts.timing.windows import frozen_by
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions, ProposalSource, Proposer
from bot.fleet.act.onboarding.wording import is_ours
from bot.fleet.act.own_word import WordHeld, config_of
from bot.fleet.act.pull_request.answers import said_by_label
from bot.fleet.act.pull_request.text.section import declined, section_in
from bot.reconcile.guarded import Covers, covers_all

BRANCH = "freshness/onboarding"
SELDOM = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OnboardingTools:
    """`forge` looks at what is `word_held` before each write; `commits` are those that were asked for already."""

    forge: Forge
    builder: Builder
    proposer: Proposer
    options: OnboardingOptions
    clock: Clock
    commits: dict[ActionTag, ActionCommit | None]
    word_held: WordHeld
    covers: Covers = covers_all


@dataclass(frozen=True, slots=True)
class Brought:
    """An onboarding as one attempt has left it, and when it is looked at again."""

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
        """The bot's onboarding pull requests in the repository, newest first."""
        return self.look.own(self.due.onboarding.number)

    @property
    def current(self) -> PullRequest | None:
        """The bot's open pull request, None where there is none."""
        return self.look.open_own(self.due.onboarding.number)

    @property
    def theirs(self) -> PullRequest | None:
        """Somebody else's open pull request from the bot's branch, None where there is none."""
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
    onboarding = with_request(before, OnboardingState.OPEN, followed_on(request.number), request)
    return replace(attempt, due=replace(attempt.due, onboarding=onboarding))


def _was_merged(look: BranchLook, tip: Tip) -> bool:
    return any(request.is_merged and request.head == tip.sha for request in look.pull_requests)


async def not_to_bring(attempt: OnboardingAttempt, tools: OnboardingTools) -> Brought | None:
    """What ends it, or keeps it from being written now; None where it is to be brought along."""
    if not tools.covers(attempt.look.standing.identity):
        return set_aside(attempt.due.onboarding, NOT_INCLUDED)
    return await _heed_people(attempt, tools) or _find_hindrance(attempt, tools)


async def _heed_people(attempt: OnboardingAttempt, tools: OnboardingTools) -> Brought | None:
    """What people have said by a label, by closing the pull request or by merging it."""
    onboarding, current, home = attempt.due.onboarding, attempt.current, attempt.look.standing.identity
    latest = next(iter(attempt.own), None)
    if (word := said_by_label(attempt.own)) is not None and not word.holds:
        if current is not None and attempt.look.standing.read_only is None:
            tools.word_held.hear(home.name, attempt.looked_at)
            await tools.forge.close_pull_request(
                home, current, body=declined(current.body, word.reason, most_body(home.forge))
            )
        return Brought(replace(onboarding, state=OnboardingState.DECLINED, reason=word.reason), SELDOM)
    if latest is not None and current is None and not latest.is_merged and not _closed_by_us(latest):
        reason = f"pull request #{latest.number} was closed by a maintainer"
        return Brought(with_request(onboarding, OnboardingState.DECLINED, reason, latest), SELDOM)
    if word is not None:
        return stays(onboarding, word.reason, tools.options.follow_every)
    if latest is not None and latest.is_merged and current is None:
        return await _after_merge(attempt, latest, tools)
    return None


def _find_hindrance(attempt: OnboardingAttempt, tools: OnboardingTools) -> Brought | None:
    """What stands against writing it now: the repository's own word, people's work, a freeze, others of the bot."""
    due, now, options = attempt.due, attempt.looked_at, tools.options
    onboarding, current = due.onboarding, attempt.current
    if (objection := objection_of(attempt, tools.covers)) is not None:
        return set_aside(onboarding, objection)
    if current is not None:
        if (reason := _theirs_by_now(attempt, current)) is not None:
            return Brought(with_request(onboarding, OnboardingState.OPEN, reason, current), options.follow_every)
        is_as_proposed = onboarding.made_from == due.made_from(options.checks) and not current.is_conflicted
        return left_open(onboarding, current, options.follow_every) if is_as_proposed else None
    if (theirs := attempt.theirs) is not None:
        reason = f"pull request #{theirs.number} is somebody else's, from the bot's branch, so it is left to them"
        return set_aside(onboarding, reason)
    if attempt.is_left_to_people:
        return set_aside(onboarding, f"the branch {BRANCH} has commits of somebody else")
    if (freeze := frozen_by(options.freezes, now, None)) is not None:
        return stays(onboarding, f"frozen: {freeze.reason}", freeze.until - now)
    if due.open_elsewhere >= options.open_pull_requests:
        return stays(onboarding, "other pull requests of the bot are still open here", options.follow_every)
    return None


async def _after_merge(attempt: OnboardingAttempt, request: PullRequest, tools: OnboardingTools) -> Brought | None:
    """What its merge has come to; None where that was taken up before.

    Merged into another branch it has brought nothing yet: it is set aside until that has come to the default one.
    """
    onboarding, onto = attempt.due.onboarding, attempt.look.standing.default_branch
    elsewhere = request.elsewhere(onto)
    is_set_aside = onboarding.state is OnboardingState.SET_ASIDE and onboarding.number == request.number
    if not (onboarding.state is OnboardingState.OPEN or (is_set_aside and elsewhere is not None)):
        return None
    if elsewhere is not None and not await _has_arrived(attempt, request, tools):
        return Brought(with_request(onboarding, OnboardingState.SET_ASIDE, elsewhere, request), SELDOM)
    reason = f"pull request #{request.number} was merged"
    merged_onboarding = with_request(onboarding, OnboardingState.WAITING, reason, request)
    return Brought(merged_onboarding.once_merged, tools.options.follow_every)


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
    if not covers(standing.identity):
        return NOT_INCLUDED
    if standing.read_only is not None:
        return f"the repository is {standing.read_only}"
    config = config_of(standing, attempt.looked_at)
    if config.refusal is not None:
        return config.refusal
    if config.asks_for_no_pull_request:
        return "the repository asks for no pull requests in .github/freshness.yaml"
    return "the repository has no commits" if attempt.look.trunk is None else None


def left_open(onboarding: Onboarding, request: PullRequest, rest: timedelta) -> Brought:
    """The pull request waits for people, until it is looked at again after `rest`."""
    reason = f"pull request #{request.number} is open"
    return Brought(with_request(onboarding, OnboardingState.OPEN, reason, request), rest)


def _closed_by_us(request: PullRequest) -> bool:
    return section_in(request.body).is_closed_by_us


def with_request(onboarding: Onboarding, state: OnboardingState, reason: str, request: PullRequest) -> Onboarding:
    """The same onboarding with its state, the reason for that and the pull request."""
    return replace(onboarding, state=state, reason=reason, number=request.number, url=request.url)


def set_aside(onboarding: Onboarding, reason: str) -> Brought:
    """Returns the onboarding as one that brings nothing at present; what is open stays open."""
    is_open = onboarding.state is OnboardingState.OPEN
    return Brought(
        replace(onboarding, state=onboarding.state if is_open else OnboardingState.SET_ASIDE, reason=reason), SELDOM
    )


def stays(onboarding: Onboarding, reason: str, rest: timedelta) -> Brought:
    """The state stays as it is, for this reason, until it is looked at again after `rest`."""
    return Brought(replace(onboarding, reason=reason), rest)
