"""What people say by a label on a pull request: to hold it, or to ask for nothing more in its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.journal import HOLD, IGNORE


@dataclass(frozen=True, slots=True)
class Said:
    """`holds` is True where the pull request stays as it is, False where it is to go."""

    holds: bool
    reason: str


def said_by_label(requests: Sequence[PullRequest]) -> Said | None:
    """Returns what labels say on the pull requests from one branch (newest first), None where they say nothing.

    To ignore counts on a closed one too, until the label is taken off: a branch belongs to a base.
    """
    for request in requests:
        if IGNORE in request.labels and not request.is_merged:
            return Said(False, f"pull request #{request.number} is labelled {IGNORE}")
    for request in requests:
        if HOLD in request.labels and request.is_open:
            return Said(True, f"pull request #{request.number} is labelled {HOLD}")
    return None
