"""What a pull request says of its digests where the store knows less: no text becomes poorer than it is.

A store that is new, or has lost a feed, knows less than the one in which the text was made. What a body says was
written by whoever could edit it: it words that pull request alone, and decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.bases.change import Cause, Change
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.marker import MarkedTarget, read_marker
from bot.domain.rollouts.rebuild import Target
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.text.section import packages_part, section_in

_SAYS_NOTHING = (Cause.AGE, Cause.DOTNET_UNKNOWN)
"""Causes that only say that nobody has told one yet."""


def as_told(job: Job, look: BranchLook) -> Job:
    """The job as its text is to tell it: with what the open pull request says of the same digests and nobody has
    told the store.

    That counts in a request of the bot's own, whose last commit is the bot's and names these digests too.
    """
    for target, marked_target in _marked_of(job, look).items():
        job = _told_of(target, marked_target, job)
    return job


def packages_told(job: Job, look: BranchLook) -> str:
    """What such a request says of packages, where it is for the same digests and the store knows of none."""
    request = look.open_own(job.rebuild.pull_request)
    is_known = any(job.packages.values())
    if request is None or is_known or _marked_of(job, look).keys() != set(job.rebuild.targets):
        return ""
    return packages_part(request.body)


def _marked_of(job: Job, look: BranchLook) -> Mapping[Target, MarkedTarget]:
    """What counts of the open request's marker, by the targets that it is about."""
    request = look.open_own(job.rebuild.pull_request)
    if request is None or look.branch is None or not look.branch.is_own or look.branch.sha != request.head:
        return {}
    commit_lines = look.branch.message.splitlines()
    marked = {(each.base, each.to_digest): each for each in read_marker(request.body, request.marker)}
    marked_targets = {target: marked.get((target.base, target.to_digest)) for target in job.rebuild.targets}
    return {
        target: each for target, each in marked_targets.items() if each is not None and each.trailer in commit_lines
    }


def _told_of(target: Target, marked: MarkedTarget, job: Job) -> Job:
    """Takes what was seen from the marker where nothing is known to have been, and what releases told where they
    tell nothing now. What they tell now adds nothing to a way that was seen from the same version on."""
    seen = [change for change in job.seen_changes if change.base == target.base]
    is_taken = _says_more(marked.changes, seen)
    known_way = job.told_ways.get(target.base)
    is_covered = (
        is_taken and known_way is not None and known_way.change.from_version == marked.changes[0].from_version
    )
    way = marked.way if known_way is None or is_covered else known_way
    if not is_taken and way == known_way:
        return job
    ways = {base: each for base, each in job.told_ways.items() if base != target.base}
    ways |= {} if way is None else {target.base: way}
    others = [change for change in job.seen_changes if change.base != target.base]
    changes = (*(each.change for each in ways.values()), *others, *(marked.changes if is_taken else seen))
    from_digest = target.from_digest or marked.from_digest
    targets = [replace(each, from_digest=from_digest) if each == target else each for each in job.rebuild.targets]
    return replace(job, rebuild=replace(job.rebuild, targets=tuple(targets)), changes=changes, told_ways=ways)


def _says_more(marked: Sequence[Change], known: Sequence[Change]) -> bool:
    """Whether what was told has a cause, and what is known has none, or is the same news without the digest from
    which the base came. Between two causes the store decides: what a source has taken back is no longer said."""
    if not _has_cause(known):
        return _has_cause(marked)
    is_from_nowhere = all(change.from_digest is None for change in known)
    return is_from_nowhere and _news(marked) == _news(known) and marked[0].from_digest is not None


def _news(changes: Sequence[Change]) -> list[object]:
    return [(each.cause, each.from_version, each.to_version, each.cves, each.to_digest) for each in changes]


def _has_cause(changes: Sequence[Change]) -> bool:
    return any(change.cause not in _SAYS_NOTHING for change in changes)


def is_without_facts(job: Job, request: PullRequest) -> bool:
    """Whether nothing is known of what a job brings, and its pull request, which has no marker, is for the same
    digests: an earlier version of the bot wrote its text, which knew at least as much."""
    digests = {target.to_digest for target in job.rebuild.targets}
    is_unmarked = not read_marker(request.body, request.marker) and section_in(request.body).digests == digests
    return is_unmarked and not job.changes and not job.quarantined
