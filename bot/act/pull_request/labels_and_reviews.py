"""What people would like on a pull request and it can do without: labels, and requests for a review.

What the host refuses of that is told in a line each, and keeps no pull request from being opened and followed.
"""

from collections.abc import Awaitable

from bot.act.ports import ActOptions, Host, Job
from bot.domain.failure import Failure, Trouble
from bot.domain.forge import PullRequest

_REFUSALS = frozenset({Trouble.CONFLICT, Trouble.DENIED, Trouble.MISSING})
_MOST_ASKED_ALONE = 10


async def add_labels(job: Job, host: Host, options: ActOptions, current: PullRequest) -> list[str]:
    """Those that are missing."""
    labels = sorted({options.label, *job.member.config.labels} - set(current.labels))
    if not labels:
        return []
    adding = host.add_labels(job.rebuild.repository, current.number, labels)
    return await _refusal(f"not labelled {', '.join(labels)}", adding)


async def ask_for_review(job: Job, host: Host, number: int) -> list[str]:
    """GitHub refuses everybody where it does not know one, so then each is asked alone."""
    config = job.member.config
    alone = [
        *(((person,), ()) for person in config.reviewers),
        *(((), (team,)) for team in config.team_reviewers),
    ]
    if not alone:
        return []
    refused = await _asked(job, host, number, config.reviewers, config.team_reviewers)
    if not refused or len(alone) == 1:
        return refused
    return [
        line
        for people, teams in alone[:_MOST_ASKED_ALONE]
        for line in await _asked(job, host, number, people, teams)
    ]


async def _asked(job: Job, host: Host, number: int, people: tuple[str, ...], teams: tuple[str, ...]) -> list[str]:
    asking = host.request_review(job.rebuild.repository, number, people=people, teams=teams)
    return await _refusal(f"no review asked of {', '.join([*people, *teams])}", asking)


async def _refusal(what: str, asked: Awaitable[None]) -> list[str]:
    try:
        await asked
    except Failure as failure:
        if failure.trouble not in _REFUSALS:
            raise
        return [f"{what}: {failure.what}"]
    return []
