"""Pull requests that were closed unmerged, and that people may open again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.forge.pull_requests import PullRequest, PullRequestState
from bot.domain.rollouts.rebuild import WITHOUT_EFFECT, Rebuild, RebuildState

LOOKED_AT_FOR = timedelta(days=30)
"""So long after its end a closed pull request is looked at, together with those that are open."""
NOT_BEFORE = timedelta(minutes=5)
"""So long after its end it is not: a forge may show it as it was before."""


def goes_on(request: PullRequest | PullRequestState) -> bool:
    """Whether a pull request that was closed is open again, or was merged since."""
    return request.is_open or request.is_merged


def after_closing(closed: Rebuild, request: PullRequestState, now: datetime) -> Rebuild:
    """What goes on in the place of a rebuild whose pull request is open again, or was merged since; the rebuild
    itself where it still is closed.

    It is outdated: rules, freezes and what feeds say may be others than when it was closed.
    """
    if not goes_on(request):
        return closed
    return replace(
        closed,
        state=RebuildState.OPEN,
        reason=followed_on(request.number),
        planned_at=now,
        due_at=now,
        ended_at=None,
        merging=None,
        facts_version=closed.facts_version + 1,
    )


def that_goes_on(closed: Rebuild, later: Iterable[Rebuild]) -> Rebuild | None:
    """The later rebuild of the repository that has bases of this one, so that nothing of it is taken up again: what
    it brings is not older. One that came to nothing, or that was for the age of a build alone, has none."""
    bases = {target.base for target in closed.targets}
    for rebuild in later:
        brought = {target.base for target in rebuild.targets if target.changes}
        if rebuild.state not in WITHOUT_EFFECT and brought & bases:
            return rebuild
    return None


def followed_on(number: int) -> str:
    """Why a pull request that was closed is followed again."""
    return f"pull request #{number} was opened again; it is followed on"


def left_to(closed: Rebuild, later: Rebuild) -> str:
    """Why a pull request that is open again is not followed for this rebuild."""
    return f"pull request #{closed.pull_request} was opened again; rebuild {later.id} goes on with its bases"
