"""Whether a pull request is to merge without a person: what the rule wants, and what stands in the way."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import MergeRequirements, PullRequest, Refusal
from bot.domain.rollouts.rebuild import Merging
from bot.domain.rollouts.terms import MergeMethod
from bot.fleet.act.own_word import objection
from bot.fleet.act.ports import Job


def wanted_merge(job: Job, now: datetime) -> MergeMethod:
    """Returns the merge method that the rule wants; NEVER while a wanted digest is quarantined, and in a freeze."""
    return MergeMethod.NEVER if job.merge_frozen(now) else _wanted_in_the_end(job)


def is_to_be_taken_back(job: Job, now: datetime) -> bool:
    """Whether what a superseded rebuild has set to merge must do so no more, before the next goes on with it.

    That the next one waits for its window or its wave says nothing against what is there already.
    """
    is_refused = not job.is_listed or objection(job, now, job.member.config) is not None
    return job.is_later_kept or is_refused or wanted_merge(job, now) is MergeMethod.NEVER


def merges(job: Job, requirements: MergeRequirements, now: datetime) -> bool:
    """Tells whether the pull request is to merge by itself, as its text says."""
    return (
        wanted_merge(job, now) is not MergeMethod.NEVER
        and _what_is_missing(requirements, job.default_branch) is None
    )


def _wanted_in_the_end(job: Job) -> MergeMethod:
    return MergeMethod.NEVER if job.quarantined else job.terms.auto_merge.method


@dataclass(frozen=True, slots=True)
class MergeSetting:
    """`method` is to be set now, NEVER where nothing is; `refused` says why not, `then` what is remembered."""

    method: MergeMethod
    refused: tuple[Refusal, ...]
    then: Merging | None

    def after(self, is_to_merge: bool) -> Merging | None:
        """Returns what the rebuild remembers of the merge once the forge was asked to set it."""
        if self.method is MergeMethod.NEVER:
            return self.then
        return Merging.SET if is_to_merge else Merging.WANTED


def merge_of(job: Job, look: BranchLook, request: PullRequest, now: datetime, *, is_anew: bool) -> MergeSetting:
    """Decides the merge, set once for what the pull request brings: a person who switches it off has decided about
    that, also where that was before a freeze.

    `is_anew` says that it brings something else since, or that the bot itself has just switched it off.
    """
    method, before = _wanted_in_the_end(job), job.rebuild.merging
    if method is MergeMethod.NEVER:
        return MergeSetting(MergeMethod.NEVER, (), None)
    if job.merge_frozen(now):
        is_decided = before is Merging.SET and not request.is_to_merge and not is_anew
        return MergeSetting(MergeMethod.NEVER, (), Merging.SET if is_decided else Merging.FROZEN)
    if request.is_to_merge:
        return MergeSetting(MergeMethod.NEVER, (), Merging.SET)
    if (lack := _what_is_missing(look.requirements, job.default_branch)) is not None:
        return MergeSetting(MergeMethod.NEVER, (Refusal("not set to merge by itself", lack),), None)
    if request.is_draft:
        return MergeSetting(MergeMethod.NEVER, (), Merging.WANTED)
    if before is Merging.SET and not is_anew:
        return MergeSetting(MergeMethod.NEVER, (), before)
    return MergeSetting(method, (), None)


def is_to_be_stopped(request: PullRequest | None, *, is_wanted: bool, moves: bool = False) -> bool:
    """Whether the bot has set it to merge by itself, which it must not any more; a person's word stands.

    `moves` says that its branch is to move: a merge queue lets nobody do that, and would merge what was before.
    """
    if request is None or not request.is_to_merge_by_us:
        return False
    return not is_wanted or (moves and request.is_queued)


def _what_is_missing(requirements: MergeRequirements, branch: str) -> str | None:
    """What the repository lacks for a merge without a person, and what to do about it."""
    if not requirements.requires_checks:
        return f"no check is required on {branch}; require one in a ruleset"
    if not (requirements.can_wait or requirements.has_queue):
        return "auto-merge is switched off in the repository's settings; allow it there"
    return None
