"""One dispatched workflow run for each rebuild, found again after any crash."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.act.ports import ActOptions, ActStore, Host, Job
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.host import CLOCKS_DIFFER_BY, Run, dispatched_run
from bot.domain.rebuild import Rebuild, State

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
        run = await find_run(rebuild, job.default_branch, store, host)
        if run is not None:
            return _dispatched(rebuild, run.id, run.url, options, clock)
        visible_at = rebuild.attempted_at + options.visible_after
        if clock.now() < visible_at:
            waiting = rebuild.moved(State.WAITING, "an earlier dispatch may still appear", at=clock.now())
            return replace(waiting, due_at=visible_at)
        rebuild = replace(rebuild, attempted_at=clock.now())
        await store.save_progress(rebuild)
    inputs = _inputs(rebuild, workflow.inputs)
    try:
        number = await host.dispatch(rebuild.repository, workflow.file, ref=job.default_branch, inputs=inputs)
    except Failure as failure:
        if failure.trouble in _NOTHING_STARTED:
            await store.save_progress(replace(rebuild, attempted_at=None, correlation=None))
        raise
    run = await _started(rebuild, number, job.default_branch, store, host)
    return _dispatched(rebuild, run.id if run else number, run.url if run else None, options, clock)


async def _started(rebuild: Rebuild, number: int | None, branch: str, store: ActStore, host: Host) -> Run | None:
    """The run as the host shows it so soon; one that it does not show yet is found while it is followed."""
    try:
        if number is not None:
            return await host.run(rebuild.repository, number)
        return await find_run(rebuild, branch, store, host)
    except Failure:
        return None


async def find_run(rebuild: Rebuild, branch: str, store: ActStore, host: Host) -> Run | None:
    """The run that an earlier attempt started, where it shows."""
    assert rebuild.attempted_at is not None
    assert rebuild.workflow is not None
    since = rebuild.attempted_at - CLOCKS_DIFFER_BY
    runs = await host.dispatched_runs(rebuild.repository, rebuild.workflow, branch=branch, since=since)
    return dispatched_run(runs, await store.runs_taken(rebuild.repository), rebuild.correlation)


def _inputs(rebuild: Rebuild, declared: Sequence[str]) -> dict[str, str]:
    """Only declared inputs: GitHub answers 422 to any other."""
    offered = {
        "correlation": rebuild.correlation or "",
        "reason": rebuild.reason,
        "bases": " ".join(f"{target.base}@{target.to_digest}" for target in rebuild.targets),
    }
    return {name: value for name, value in offered.items() if name in declared}


def _dispatched(rebuild: Rebuild, run: int | None, url: str | None, options: ActOptions, clock: Clock) -> Rebuild:
    moved = rebuild.moved(State.DISPATCHED, rebuild.reason, at=clock.now())
    return replace(moved, run=run, url=url, due_at=clock.now() + options.follow_every)
