"""What follows a green build, also of a run that others have started: the one place that decides it."""

from dataclasses import replace
from datetime import datetime

from bot.domain.builder.runs import Run
from bot.domain.evidence import ImageVerdict
from bot.domain.packages.gate import Gated, GateOutcome
from bot.domain.rollouts.rebuild import Joined, Rebuild, RebuildState
from bot.domain.wording.words import counted


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


def after_green_build(rebuild: Rebuild, build_text: str, *, now: datetime) -> Rebuild:
    """The rebuild in its next state; `build_text` says which build was green. A green build is no fresh image, so
    what it has pushed is looked at."""
    built = replace(rebuild, built_at=now)
    return built.moved(RebuildState.PROVING, f"{build_text}; its image is looked at", at=now)


def after_proof(
    rebuild: Rebuild, verdict: ImageVerdict, proof_text: str, gated: Gated | None = None, *, now: datetime
) -> Rebuild:
    """The rebuild once its image was looked at, or could not be; `proof_text` says what was seen.

    `gated` is what the gate says of what is inside, None where no rule asks. An image that it holds back goes no
    further: it has failed where something blocks, and is built where that cannot be told. What a run of others has
    not brought, another rebuild does.
    """
    judged = replace(rebuild, proof=verdict)
    if verdict.fails and rebuild.follows_others:
        return leave_run(judged, proof_text, Joined.IN_VAIN, now=now)
    if verdict.fails:
        return judged.moved(RebuildState.FAILED, proof_text, at=now)
    if gated is not None and gated.holds:
        return _hold_back(judged, proof_text, gated, now)
    reason = (
        proof_text
        if gated is None or gated.outcome is GateOutcome.PASSED
        else f"{proof_text}; {gate_in_words(gated)}"
    )
    if verdict is ImageVerdict.UNKNOWN:
        return _end_build(judged, RebuildState.BUILT, f"built, not proven: {reason}", now)
    return _end_build(judged, RebuildState.SUCCEEDED, reason, now)


def gate_in_words(gated: Gated) -> str:
    """What the gate says, as part of a reason."""
    match gated.outcome:
        case GateOutcome.BLOCKED:
            return f"the gate {'holds it back' if gated.holds else 'would hold it back'}: {gated.told}"
        case GateOutcome.UNKNOWN:
            return f"the gate cannot tell: {gated.told}"
        case _:
            return f"the gate found {gated.told}"


def _hold_back(rebuild: Rebuild, proof_text: str, gated: Gated, now: datetime) -> Rebuild:
    if gated.outcome is GateOutcome.BLOCKED:
        return rebuild.moved(RebuildState.FAILED, f"built, but {gate_in_words(gated)}", at=now)
    return rebuild.moved(RebuildState.BUILT, f"built, but {gate_in_words(gated)}; {proof_text}", at=now)


def _end_build(rebuild: Rebuild, end: RebuildState, reason: str, now: datetime) -> Rebuild:
    """Moves a rebuild whose build is done to its first step, or to its end where it has none."""
    if rebuild.steps:
        return rebuild.moved(RebuildState.STEPPING, f"{reason}; {counted(rebuild.steps, 'step')} to go", at=now)
    return rebuild.moved(end, reason, at=now)
