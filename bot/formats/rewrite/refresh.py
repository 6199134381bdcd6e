"""A file brought to what its bases are now, from whatever it says at this moment."""

from collections.abc import Mapping

from bot.domain.followed_base import Unknown, followed_base, moved
from bot.domain.reference import Base
from bot.domain.usage import Problem, Replacement, Usage
from bot.domain.wanted_digest import Refreshed, WantedDigest, WantedDigests
from bot.formats.finding import find_usages
from bot.formats.rewrite.rewrite import rewrite


def refresh(path: str, data: bytes, wanted: WantedDigests) -> Refreshed:
    """Carries out what `wanted` asks of this file; never raises, what cannot be done is in `refused`."""
    by_base = {one.base: one for one in wanted.of_bases}
    replacements: dict[tuple[object, bool], Replacement] = {}
    refused: list[Problem] = []
    for usage in find_usages(path, data).usages:
        item = _replacement(usage, by_base, wanted.sdk)
        if isinstance(item, Problem):
            refused.append(item)
        elif item is not None:
            replacements[(item.old, item.marker)] = item
    result = rewrite(path, data, tuple(replacements.values()))
    return Refreshed(result.data, _met(path, result.data, by_base), (*refused, *result.refused))


def _replacement(
    usage: Usage, wanted: Mapping[Base, WantedDigest], sdk: str | None
) -> Replacement | Problem | None:
    if usage.sdk_pin is not None:
        if sdk is None or not usage.sdk_pin.must_move(sdk, image_is_pinned=True):
            return None
        return Replacement(usage.reference, usage.reference.at(sdk, None))
    base = followed_base(usage.reference)
    one = wanted.get(base) if base is not None else None
    if one is None:
        return None
    target = moved(usage.reference, one.digest, one.version)
    if isinstance(target, Unknown):
        return Problem(usage.path, usage.line, target.reason)
    if target != usage.reference:
        return Replacement(usage.reference, target)
    if one.marks and not usage.is_pinned:
        return Replacement(target, target.at(target.tag, one.digest), marker=True)
    return None


def _met(path: str, data: bytes, wanted: Mapping[Base, WantedDigest]) -> frozenset[Base]:
    """The bases that some usage of the file follows and now stands on, by its reference or by its marker."""
    found = set()
    for usage in find_usages(path, data).usages:
        base = followed_base(usage.reference)
        one = wanted.get(base) if base is not None else None
        if one is None or usage.sdk_pin is not None:
            continue
        stands_on = usage.reference.digest or usage.marker
        target = moved(usage.reference, one.digest, one.version)
        if stands_on == one.digest or (stands_on is None and target == usage.reference and not one.marks):
            found.add(one.base)
    return frozenset(found)
