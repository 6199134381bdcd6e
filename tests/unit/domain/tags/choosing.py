"""Which tag an update tool would propose by our rules: the public cases are about that."""

from collections.abc import Iterable

from bot.domain.tags.choice import GENERIC, TagPolicy, is_compatible, is_newer


def choose_tag(current: str, available: Iterable[str], policy: TagPolicy = GENERIC) -> str:
    """The newest compatible tag of `available`, or `current` where none is newer."""
    best = current
    for candidate in available:
        if is_newer(best, candidate) and is_compatible(current, candidate, policy):
            best = candidate
    return best
