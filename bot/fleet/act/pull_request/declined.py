"""What maintainers have decided by closing a pull request: its digests are left alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.bases.followed_base import base_among
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.pinning import moves_sdk_pins
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.text.section import section_in


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
