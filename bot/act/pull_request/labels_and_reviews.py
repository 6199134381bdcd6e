"""What people would like on a pull request and it can do without: labels, and requests for a review."""

from collections.abc import Sequence
from datetime import datetime

from bot.act.ports import ActOptions, Job
from bot.act.tools import Tools
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.forge import BranchLook, PullRequest, Refusal, Wishes

_REFUSALS = frozenset({Trouble.CONFLICT, Trouble.DENIED, Trouble.MISSING})


def wishes_of(job: Job, options: ActOptions, request: PullRequest | None = None) -> Wishes:
    """The labels that are missing, and reviews where the pull request is new."""
    config = job.member.config
    labels = {options.label, *config.labels} - set(request.labels if request is not None else ())
    if request is not None and job.rebuild.pull_request == request.number:
        return Wishes(tuple(sorted(labels)))
    return Wishes(tuple(sorted(labels)), config.reviewers, config.team_reviewers)


async def grant_wishes(
    job: Job, look: BranchLook, request: PullRequest, tools: Tools, looked_at: datetime
) -> Sequence[Refusal]:
    """Adds labels and asks for reviews.

    What the forge refuses of that keeps no pull request from being opened and followed; each refusal is told.
    """
    wishes = wishes_of(job, tools.options, request)
    if not wishes:
        return ()
    tools.before_write(job.rebuild, looked_at)
    try:
        return await tools.forge.grant(job.member.identity, request, wishes, look.wish_ids)
    except Failure as failure:
        if failure.trouble not in _REFUSALS:
            raise
        asked = ", ".join([*wishes.labels, *wishes.people, *wishes.teams])
        return (Refusal(f"no labels or reviewers ({asked})", failure.what),)
