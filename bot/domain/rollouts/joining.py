"""A run that others have started is followed in place of a dispatch where it builds all that is wanted."""

from dataclasses import replace
from datetime import datetime

from bot.domain.forge.runs import Run
from bot.domain.rollouts.rebuild import Joined, Rebuild, RebuildState


def join(rebuild: Rebuild, run: Run, *, at: datetime) -> Rebuild:
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
    return joined.moved(RebuildState.DISPATCHED, f"{_named(joined)} builds it already", at=at)


def not_ended(rebuild: Rebuild, how: str) -> str:
    """What is said of a run that has not ended, which `is under way` or `waits for its turn`."""
    if not rebuild.follows_others:
        return f"the run {how}"
    return f"{_named(rebuild)} builds it already, and {how}"


def left(rebuild: Rebuild, told: str, how: Joined, *, at: datetime) -> Rebuild:
    """The rebuild once a run of others has not brought what was wanted: another takes its place, which dispatches
    where there is no such run any more."""
    next_one = "it is dispatched" if how is Joined.IN_VAIN else "it is begun anew"
    reason = f"{_named(rebuild)} did not bring it: {told}; {next_one}"
    return replace(rebuild, joined=how).moved(RebuildState.SUPERSEDED, reason, at=at)


def _named(rebuild: Rebuild) -> str:
    began = "" if rebuild.attempted_at is None else f" of {rebuild.attempted_at:%H:%M}"
    return f"run {rebuild.run_number or rebuild.run}{began}"
