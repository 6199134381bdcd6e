"""One dispatched workflow run for each rebuild, found again after any crash."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.backoff import look_together
from bot.domain.builder.runs import Run, run_under_way
from bot.domain.failure import Failure
from bot.domain.repositories.repository import Workflow
from bot.domain.rollouts.after_build import join
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.fleet.act.dispatch.asking import dispatch_once, find, next_look, waiting_words
from bot.fleet.act.own_word import as_now, hear, objection
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.text.wording import what_moved
from bot.fleet.act.tools import Tools
from bot.fleet.act.waiting import not_of_the_fleet, shut


async def dispatch(job: Job, tools: Tools) -> Rebuild:
    """The rebuild in its next state; the request is sent only once no earlier attempt can have worked, and where no
    run is under way that builds the same."""
    standing = await tools.words.of(job.member.identity)
    looked_at = tools.words.looked_at(job.member.identity)
    claimed, job = job, as_now(job, standing, tools.covers, looked_at)
    if job.rebuild.attempted_at is not None:
        earlier_run = await _find_earlier_run(job, claimed, tools)
        if earlier_run is not None:
            return await _mark_dispatched(job, job.rebuild, earlier_run, tools)
    if not job.is_listed:
        return await not_of_the_fleet(job, tools.store, tools.options, tools.clock.now())
    if standing.read_only is not None:
        return await shut(job, standing, tools.store, tools.options, tools.clock.now())
    now = tools.clock.now()
    if (word := objection(job, now, claimed.member.config)) is not None:
        return await hear(word, replace(claimed, rebuild=job.rebuild), tools.store, now)
    if job.condemned is not None:
        condemned_reason = (
            f"the default branch pins {job.condemned}, which was quarantined: the next digest is built instead"
        )
        return job.rebuild.moved(RebuildState.SKIPPED, condemned_reason, at=now)
    if _workflow(job) is None:
        reason = f"{job.rebuild.workflow} is missing or has no workflow_dispatch trigger"
        for_people = await _leave_to_people(job, reason, tools)
        return for_people or job.rebuild.moved(RebuildState.SKIPPED, reason, at=now)
    if (put_off := _wait_for_earlier_run(job.rebuild, tools)) is not None:
        return put_off
    if (run := await _find_run_under_way(job, standing.head, tools)) is not None:
        return await _join_run(job, run, tools)
    return await _send_request(job, looked_at, tools)


def _workflow(job: Job) -> Workflow | None:
    assert job.rebuild.workflow is not None
    return job.member.workflow(job.rebuild.workflow)


def _wait_for_earlier_run(rebuild: Rebuild, tools: Tools) -> Rebuild | None:
    """The rebuild while an earlier request may still show its run."""
    now = tools.clock.now()
    look = next_look(rebuild, now, tools.options.visible_after)
    if look is None:
        return None
    return replace(rebuild.moved(RebuildState.WAITING, waiting_words(rebuild), at=now), due_at=look)


async def _find_run_under_way(job: Job, head: str | None, tools: Tools) -> Run | None:
    """The run that builds the repository as it is on all that is wanted, whoever started it; None where there is
    none, where a run was asked for before or one of others has built in vain, and where no image is known: a run of
    others that brings nothing would be taken for done."""
    rebuild, wanted_bases = job.rebuild, {target.base for target in job.rebuild.targets}
    if rebuild.attempted_at is not None or rebuild.joined is not None or head is None:
        return None
    if not wanted_bases or not wanted_bases <= job.shown_since.keys() or not job.is_provable:
        return None
    since = max(job.shown_since[base] for base in wanted_bases)
    runs = await tools.builder.started_runs(
        job.build_home, rebuild.workflow or "", branch=job.default_branch, since=since
    )
    return run_under_way(runs, head, since)


async def _join_run(job: Job, run: Run, tools: Tools) -> Rebuild:
    """The rebuild as it follows a run that it does not have to start."""
    now, every = tools.clock.now(), tools.options.follow_every
    await tools.store.outdate_pull_requests(job.rebuild)
    return replace(join(job.rebuild, run, now=now), due_at=look_together(now + every, every))


async def _send_request(job: Job, looked_at: datetime, tools: Tools) -> Rebuild:
    """The request, with its intent stored right before."""
    home = job.member.identity

    async def send(rebuild: Rebuild) -> int | None:
        tools.before_write(rebuild, looked_at)
        workflow, inputs = rebuild.workflow or "", _inputs(job, rebuild)
        return await tools.builder.dispatch(job.build_home, workflow, ref=job.default_branch, inputs=inputs)

    try:
        save, now = tools.store.save_progress, tools.clock.now()
        rebuild, number = await dispatch_once(job.rebuild, send, save, tools.word_held, now)
    except Failure as failure:
        tools.words.forget(home)
        if failure.lacks_a_right and (for_people := await _leave_to_people(job, failure.told, tools)) is not None:
            return for_people
        raise
    return await _mark_dispatched(
        job, rebuild, await _find_started_run(job, rebuild, number, tools) or number, tools
    )


async def _leave_to_people(job: Job, cause: str, tools: Tools) -> Rebuild | None:
    """The rebuild as it follows the build of what was merged, which it was to repeat and may not start: people may
    run it again, or push. None where it is for something else."""
    failed_rebuild = await tools.store.merge_repeated_by(job.rebuild)
    if failed_rebuild is None or failed_rebuild.merge is None:
        return None
    now = tools.clock.now()
    following = replace(
        job.rebuild,
        action=failed_rebuild.action,
        workflow=failed_rebuild.workflow,
        branch=failed_rebuild.branch,
        pull_request=failed_rebuild.pull_request,
        merge=replace(failed_rebuild.merge, at=now),
        attempted_at=failed_rebuild.attempted_at,
        built_by=failed_rebuild.built_by,
        url=failed_rebuild.url,
    )
    reason = (
        f"{job.rebuild.workflow} cannot be started by the bot, so run it again, or push: that is followed; {cause}"
    )
    due = look_together(now + tools.options.follow_every, tools.options.follow_every)
    return replace(following.moved(RebuildState.BUILDING, reason, at=now), due_at=due)


async def _find_started_run(job: Job, rebuild: Rebuild, number: int | None, tools: Tools) -> Run | None:
    """The run as the forge shows it so soon; one that it does not show yet is found while it is followed."""
    try:
        if number is not None:
            return await tools.builder.run(job.build_home, number)
        return await _find_run(job, rebuild, job.default_branch, tools)
    except Failure:
        return None


async def _find_earlier_run(job: Job, claimed: Job, tools: Tools) -> Run | None:
    """The run of an earlier attempt, which may have known the default branch under another name."""
    for branch in dict.fromkeys((job.default_branch, claimed.default_branch)):
        run = await _find_run(job, job.rebuild, branch, tools)
        if run is not None:
            return run
    return None


async def _find_run(job: Job, rebuild: Rebuild, branch: str, tools: Tools) -> Run | None:
    taken_runs = await tools.store.runs_taken(job.build_home)
    return await find(tools.builder, job.build_home, rebuild, branch, taken_runs)


def _inputs(job: Job, rebuild: Rebuild) -> dict[str, str]:
    """Returns the inputs that the workflow declares: GitHub answers 422 to any other."""
    workflow = _workflow(job)
    input_names: Sequence[str] = workflow.inputs if workflow is not None else ()
    offered = {
        "correlation": rebuild.correlation or "",
        "reason": rebuild.reason if rebuild.state is RebuildState.PLANNED else what_moved(job),
        "bases": " ".join(f"{target.base}@{target.to_digest}" for target in rebuild.targets),
    }
    return {name: value for name, value in offered.items() if name in input_names}


async def _mark_dispatched(job: Job, rebuild: Rebuild, run: Run | int | None, tools: Tools) -> Rebuild:
    """Moves the rebuild to `dispatched`, with the run as far as it is known.

    Pull requests that are open for the same bases become due, for `act` to close them.
    """
    await tools.store.outdate_pull_requests(rebuild)
    reason = (
        rebuild.reason
        if rebuild.state is RebuildState.PLANNED
        else f"{what_moved(job)}; {rebuild.workflow} was dispatched"
    )
    dispatched_rebuild = rebuild.moved(RebuildState.DISPATCHED, reason, at=tools.clock.now())
    due = look_together(tools.clock.now() + tools.options.follow_every, tools.options.follow_every)
    if isinstance(run, Run):
        return replace(dispatched_rebuild, run=run.id, url=run.url, node_id=run.node_id, due_at=due)
    return replace(dispatched_rebuild, run=run, due_at=due)
