"""One dispatched workflow run for each rebuild, found again after any crash."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.act.ports import ActOptions, ActStore, Host, Job
from bot.act.pull_request.wording import what_moved
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge import CLOCKS_DIFFER_BY, Run, dispatched_run
from bot.domain.rebuild import Rebuild, State
from bot.domain.repository import Workflow

_NOTHING_STARTED = frozenset({Trouble.DENIED, Trouble.MISSING, Trouble.CONFLICT, Trouble.THROTTLED})
"""The host has refused the request, so no run can come of it; after any other failure one may."""


async def dispatch(job: Job, store: ActStore, host: Host, options: ActOptions, clock: Clock) -> Rebuild:
    """The rebuild in its next state; the POST is sent only once no earlier attempt can have worked."""
    rebuild = job.rebuild
    assert rebuild.workflow is not None
    workflow = job.member.workflow(rebuild.workflow)
    if workflow is None:
        reason = f"{rebuild.workflow} is missing or has no workflow_dispatch trigger"
        return rebuild.moved(State.SKIPPED, reason, at=clock.now())
    if rebuild.attempted_at is None:
        rebuild = replace(rebuild, attempted_at=clock.now(), correlation=f"freshness-{secrets.token_hex(8)}")
        await store.save_progress(rebuild)
    else:
        run = await _earlier(job, store, host)
        if run is not None:
            return _dispatched(job, rebuild, run.id, run.url, options, clock)
        visible_at = rebuild.attempted_at + options.visible_after
        if clock.now() < visible_at:
            waiting = rebuild.moved(State.WAITING, "an earlier dispatch may still appear", at=clock.now())
            return replace(waiting, due_at=visible_at)
        rebuild = replace(rebuild, attempted_at=clock.now())
        await store.save_progress(rebuild)
    try:
        number, branch = await _send(job, workflow, _inputs(job, rebuild, workflow.inputs), host)
    except Failure as failure:
        if failure.trouble in _NOTHING_STARTED:
            await store.save_progress(replace(rebuild, attempted_at=None, correlation=None))
        raise
    run = await _started(rebuild, number, branch, store, host)
    return _dispatched(job, rebuild, run.id if run else number, run.url if run else None, options, clock)


async def _send(job: Job, workflow: Workflow, inputs: Mapping[str, str], host: Host) -> tuple[int | None, str]:
    """The run where the host tells it, and the branch: the default one, which may have got another name."""
    repository, branch = job.rebuild.repository, job.default_branch
    try:
        return await host.dispatch(repository, workflow.file, ref=branch, inputs=inputs), branch
    except Failure as failure:
        if failure.trouble is not Trouble.CONFLICT:
            raise
        named = await host.default_branch(repository)
        if named == branch:
            raise
    return await host.dispatch(repository, workflow.file, ref=named, inputs=inputs), named


async def _started(rebuild: Rebuild, number: int | None, branch: str, store: ActStore, host: Host) -> Run | None:
    """The run as the host shows it so soon; one that it does not show yet is found while it is followed."""
    try:
        if number is not None:
            return await host.run(rebuild.repository, number)
        return await find_run(rebuild, branch, store, host)
    except Failure:
        return None


async def _earlier(job: Job, store: ActStore, host: Host) -> Run | None:
    """The run of an earlier attempt, which may have found the default branch under another name."""
    run = await find_run(job.rebuild, job.default_branch, store, host)
    if run is not None:
        return run
    named = await host.default_branch(job.rebuild.repository)
    return None if named == job.default_branch else await find_run(job.rebuild, named, store, host)


async def find_run(rebuild: Rebuild, branch: str, store: ActStore, host: Host) -> Run | None:
    """The run that an earlier attempt started, where it shows."""
    assert rebuild.attempted_at is not None
    assert rebuild.workflow is not None
    since = rebuild.attempted_at - CLOCKS_DIFFER_BY
    runs = await host.dispatched_runs(rebuild.repository, rebuild.workflow, branch=branch, since=since)
    return dispatched_run(runs, await store.runs_taken(rebuild.repository), rebuild.correlation)


def _inputs(job: Job, rebuild: Rebuild, declared: Sequence[str]) -> dict[str, str]:
    """Only declared inputs: GitHub answers 422 to any other."""
    offered = {
        "correlation": rebuild.correlation or "",
        "reason": rebuild.reason if rebuild.state is State.PLANNED else what_moved(job),
        "bases": " ".join(f"{target.base}@{target.to_digest}" for target in rebuild.targets),
    }
    return {name: value for name, value in offered.items() if name in declared}


def _dispatched(
    job: Job, rebuild: Rebuild, run: int | None, url: str | None, options: ActOptions, clock: Clock
) -> Rebuild:
    is_new = rebuild.state is State.PLANNED
    reason = rebuild.reason if is_new else f"{what_moved(job)}; {rebuild.workflow} was dispatched"
    moved = rebuild.moved(State.DISPATCHED, reason, at=clock.now())
    return replace(moved, run=run, url=url, due_at=clock.now() + options.follow_every)
