"""A run that others have started is followed in place of a dispatch where it builds all that is wanted."""

from dataclasses import replace
from datetime import datetime

from bot.domain.forge.runs import Run
from bot.domain.rollouts.rebuild import Joined, Rebuild, RebuildState


def join(rebuild: Rebuild, run: Run, *, now: datetime) -> Rebuild:
    """The rebuild as it follows a run of others: it began when that did."""
    joined = replace(
        rebuild,
        joined=Joined.FOLLOWED,
        attempted_at=run.created_at,
        run=run.id,
        run_number=run.number,
        node_id=run.node_id,
        url=run.url or rebuild.url,
    )
    return joined.moved(RebuildState.DISPATCHED, f"{_name_of_run(joined)} builds it already", at=now)


def not_ended(rebuild: Rebuild, state_text: str) -> str:
    """What is said of a run that has not ended, which `is under way` or `waits for its turn`."""
    if not rebuild.follows_others:
        return f"the run {state_text}"
    return f"{_name_of_run(rebuild)} builds it already, and {state_text}"


def leave_run(rebuild: Rebuild, outcome_text: str, end: Joined, *, now: datetime) -> Rebuild:
    """The rebuild once a run of others has not brought what was wanted: another takes its place, which dispatches
    where there is no such run any more."""
    next_one = "it is dispatched" if end is Joined.IN_VAIN else "it is begun anew"
    reason = f"{_name_of_run(rebuild)} did not bring it: {outcome_text}; {next_one}"
    return replace(rebuild, joined=end).moved(RebuildState.SUPERSEDED, reason, at=now)


def _name_of_run(rebuild: Rebuild) -> str:
    began = "" if rebuild.attempted_at is None else f" of {rebuild.attempted_at:%H:%M}"
    return f"run {rebuild.run_number or rebuild.run}{began}"
