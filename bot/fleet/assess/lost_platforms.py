"""Which platforms a base has lost: news for who builds for them, and for nobody else.

The record of three years calls an index that lost a platform `index-only`, which it is for most. Where a base is
watched for a fleet it has a cause of its own; whose build that concerns is told repository by repository, see
`bot.fleet.plan.needs`.
"""

from collections.abc import Collection
from dataclasses import replace

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation


def lacked(known: Collection[str], before: Observation, after: Observation) -> tuple[str, ...]:
    """The platforms that a base has had and does not have any more; `known` are those that it lacked before.

    An observation does not lack what it says nothing of: an entry that was not judged, an index not recorded.
    """
    if after.digest is None or not after.platforms:
        return tuple(known)
    there = {*after.by_platform(), *(each.name.partition(" ")[0] for each in after.not_judged)}
    return tuple(each for each in dict.fromkeys((*known, *before.by_platform())) if each not in there)


def with_lost_platforms(change: Change, lacks: tuple[str, ...], before: Observation) -> Change:
    """The change with what the base lacks since, which is its cause where nothing else is news."""
    lost = [each for each in lacks if each in before.by_platform()]
    change = replace(change, lacks=lacks)
    if not lost:
        return change
    if not all(each in change.detail for each in lost):
        change = replace(change, detail=f"{change.detail}; dropped {', '.join(lost)}")
    if change.cause is not Cause.INDEX_ONLY:
        return change
    return replace(change, cause=Cause.PLATFORM_DROPPED, cause_at_detection=Cause.PLATFORM_DROPPED)
