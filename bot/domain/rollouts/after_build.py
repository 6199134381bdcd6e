"""What follows a green build: the one place that decides it."""

from dataclasses import replace
from datetime import datetime

from bot.domain.rollouts.rebuild import Rebuild, State


def after_green_build(rebuild: Rebuild, told: str, *, at: datetime) -> Rebuild:
    """The rebuild in its next state; `told` says which build was green."""
    built = replace(rebuild, built_at=at)
    return built.moved(State.SUCCEEDED, told, at=at)
