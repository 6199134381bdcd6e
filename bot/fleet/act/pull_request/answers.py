"""What maintainers have answered to pull requests: by closing one, whose digests are left alone, or by a label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.bases.followed_base import base_among
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.journal import HOLD, IGNORE
from bot.domain.rollouts.pinning import moves_sdk_pins
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.text.section import section_in


@dataclass(frozen=True, slots=True)
class Said:
    """`holds` is True where the pull request stays as it is, False where it is to go."""

    holds: bool
    reason: str


def said_by_label(requests: Sequence[PullRequest]) -> Said | None:
    """Returns what labels say on the pull requests from one branch (newest first), None where they say nothing.

    To ignore counts on a closed one too, until the label is taken off: a branch belongs to a base.
    """
    for request in requests:
        if IGNORE in request.labels and not request.is_merged:
            return Said(False, f"pull request #{request.number} is labelled {IGNORE}")
    for request in requests:
        if HOLD in request.labels and request.is_open:
            return Said(True, f"pull request #{request.number} is labelled {HOLD}")
    return None


@dataclass(frozen=True, slots=True)
class Declined:
    """`rest` is the job less what was declined, None where that is all of it; `remarks` says what, and where.

    `request` is the closed pull request, where that was for all of it.
    """

    rest: Job | None
    remarks: tuple[str, ...] = ()
    request: PullRequest | None = None


def less_declined(requests: Sequence[PullRequest], job: Job) -> Declined:
    """Takes from a job what its maintainers have declined.

    A rebuild may have joined others after a pull request for a part of it was closed.
    """
    closed_in: dict[str, PullRequest] = {}
    for request in requests:
        if not request.is_open and not request.is_merged:
            closed_in |= dict.fromkeys(section_in(request.body).digests - closed_in.keys(), request)
    declined_targets = [target for target in job.rebuild.targets if target.to_digest in closed_in]
    if not declined_targets:
        return Declined(job)
    if len(declined_targets) == len(job.rebuild.targets):
        closed = closed_in[declined_targets[0].to_digest]
        reason = f"pull request #{closed.number} for these digests was closed by a maintainer"
        return Declined(None, (reason,), closed)
    remarks = tuple(
        f"{target.base.short} is left alone, since #{closed_in[target.to_digest].number} was closed"
        for target in declined_targets
    )
    kept_targets = tuple(target for target in job.rebuild.targets if target not in declined_targets)
    bases = {target.base for target in kept_targets}
    keeps_sdk = any(base.is_sdk for base in bases)
    replacements = tuple(
        item
        for item in job.rebuild.replacements
        if (keeps_sdk if moves_sdk_pins(item) else base_among(item.old, bases))
    )
    narrowed = replace(job.rebuild, targets=kept_targets, replacements=replacements)
    changes = tuple(change for change in job.changes if change.base in bases)
    told_ways = {base: way for base, way in job.told_ways.items() if base in bases}
    return Declined(replace(job, rebuild=narrowed, changes=changes, told_ways=told_ways), remarks)


def was_closed_by_us(requests: Sequence[PullRequest], rebuild: Rebuild) -> bool:
    """Whether an attempt that got no further has closed the rebuild's own pull request."""
    return any(
        request.number == rebuild.pull_request
        and not request.is_merged
        and section_in(request.body).is_closed_by_us
        for request in requests
    )
