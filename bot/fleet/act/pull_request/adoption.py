"""Another bot's open pull request that brings the same: it is followed, and no second one is opened beside it."""

from dataclasses import replace
from datetime import datetime

from bot.domain.backoff import look_together
from bot.domain.forge.branches import MOST_TIPS
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import OtherRequest
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.edits import refreshed_files
from bot.fleet.act.tools import Tools


async def adopted(job: Job, look: BranchLook, tools: Tools, now: datetime) -> Rebuild | None:
    """The rebuild with the other's pull request as its own; None where none brings all that is wanted.

    Whether it does is read from its files: after its merge nothing must be left to edit.
    """
    onto = look.standing.default_branch
    candidates = [each for each in look.others if each.bot is not None and each.goes_to(onto)][:MOST_TIPS]
    if not candidates:
        return None
    assert look.trunk is not None
    heads = list(dict.fromkeys(request.head for request in candidates))
    tips = await tools.forge.tips(job.member.identity, heads, tuple(look.trunk.files))
    for request in candidates:
        tip = tips.get(request.head)
        if tip is None:
            continue
        remaining_edits = await refreshed_files(job, tip, tools.refresh, now.date())
        if not (remaining_edits.files or remaining_edits.refused or remaining_edits.unmet):
            return _follow_request(job.rebuild, request, tools, now)
    return None


def _follow_request(rebuild: Rebuild, request: OtherRequest, tools: Tools, now: datetime) -> Rebuild:
    reason = (
        f"{request.bot}'s pull request #{request.number} brings the same; it is followed instead of a second one"
    )
    return replace(
        rebuild.moved(RebuildState.OPEN, reason, at=now),
        pull_request=request.number,
        node_id=request.node_id,
        url=request.url,
        text_version=rebuild.facts_version,
        due_at=look_together(now + tools.options.follow_every, tools.options.follow_every),
    )
