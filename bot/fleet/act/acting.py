"""One rebuild becomes a pull request, a dispatch or a notice; or it is said why not yet, or not at all."""

from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.fleet.act.dispatch.rebuilds import dispatch
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.proposal import only_left, only_stopped, open_or_update, unmerged
from bot.fleet.act.tools import Tools
from bot.fleet.act.trust import doubt_about
from bot.fleet.act.waiting import not_of_the_fleet, not_published, paused


async def act(job: Job, tools: Tools) -> Rebuild:
    """The rebuild in its next state. Raises `Failure`, and `LeaseLost` where it is not ours any more."""
    now = tools.clock.now()
    match job.rebuild.action:
        case Action.PULL_REQUEST if not job.is_listed:
            return await only_left(job, tools)
        case Action.DISPATCH if not job.is_listed:
            return not_of_the_fleet(job.rebuild, tools.options, now)
        case Action.PULL_REQUEST if job.is_all_paused:
            return await only_stopped(job, tools)
        case Action.PULL_REQUEST | Action.DISPATCH if job.rebuild.state.awaits_action and (
            freeze := job.frozen(now)
        ):
            rebuild = await unmerged(job, tools)
            return paused(rebuild, f"frozen: {freeze.reason}", freeze.until - now, now)
        case Action.PULL_REQUEST | Action.DISPATCH if job.rebuild.state.awaits_action and (
            doubt := await doubt_about(job, tools.trust)
        ):
            return paused(job.rebuild, doubt, tools.options.follow_every, now)
        case Action.PULL_REQUEST:
            missing = await tools.tags.missing(job)
            if missing is not None:
                return not_published(job.rebuild, missing, tools.options, now)
            return await open_or_update(job, tools)
        case Action.DISPATCH:
            return await dispatch(job, tools)
        case Action.NOTIFY:
            return job.rebuild.moved(RebuildState.SUCCEEDED, job.rebuild.reason, at=now)
