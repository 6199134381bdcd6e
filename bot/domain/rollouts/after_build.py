"""What follows a green build: the one place that decides it."""

from dataclasses import replace
from datetime import datetime

from bot.domain.images.verdict import Verdict
from bot.domain.rollouts.rebuild import Rebuild, State
from bot.domain.wording.words import counted


def after_green_build(rebuild: Rebuild, told: str, *, at: datetime) -> Rebuild:
    """The rebuild in its next state; `told` says which build was green. A green build is not a fresh image, so what
    it has pushed is looked at."""
    built = replace(rebuild, built_at=at)
    return built.moved(State.PROVING, f"{told}; its image is looked at", at=at)


def after_proof(rebuild: Rebuild, verdict: Verdict, told: str, *, at: datetime) -> Rebuild:
    """The rebuild once its image was looked at, or could not be; `told` says what was seen."""
    judged = replace(rebuild, proof=verdict)
    if verdict.fails:
        return judged.moved(State.FAILED, told, at=at)
    if verdict is Verdict.UNKNOWN:
        return _built(judged, State.BUILT, f"built, not proven: {told}", at)
    return _built(judged, State.SUCCEEDED, told, at)


def _built(rebuild: Rebuild, end: State, told: str, at: datetime) -> Rebuild:
    """Moves a rebuild whose build is done to its first step, or to its end where it has none."""
    if rebuild.steps:
        return rebuild.moved(State.STEPPING, f"{told}; {counted(rebuild.steps, 'step')} to go", at=at)
    return rebuild.moved(end, told, at=at)
