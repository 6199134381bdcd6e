"""Which registries hold copies of which others."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, product
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.domain.bases.mirrors import REST, MirrorRule, Mirrors
from bot.domain.globs import may_meet

_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*(?:/[a-z0-9][a-z0-9._-]*)*(?:/\*)?")
MOST_MIRRORS = 50


def _path(text: str) -> str:
    if "/" not in text or not _PATH.fullmatch(text):
        raise ValueError(
            f"{text[:100]!r} is no place; write registry/repository, or registry/folder/* for a folder"
        )
    return text


MirrorPath = Annotated[str, Field(max_length=255), AfterValidator(_path)]
"""A repository with its registry, or a folder of repositories that ends in `/*`."""


def mirrors_of(mirrors: Mapping[str, str]) -> Mirrors:
    """The rules that these settings stand for."""
    return Mirrors(tuple(MirrorRule(place, upstream) for place, upstream in mirrors.items()))


def check_mirrors(mirrors: Mapping[str, str], bases: Sequence[str], registries: Collection[str]) -> None:
    """Raises ValueError, in one line, where a rule could never do what it says."""
    for place, upstream in mirrors.items():
        if place.endswith(REST) != upstream.endswith(REST):
            raise ValueError(f"{place} and {upstream}: end both in /* for a folder, or none for one repository")
        for side in (place, upstream):
            host = side.partition("/")[0]
            if host not in registries:
                raise ValueError(f"{side!r} is on {host!r}, which is not in registries; add it there")
        if not any(may_meet(upstream, base) for base in bases):
            raise ValueError(f"{place}: nothing under {upstream} is watched; add it to bases")
    for one, other in combinations(mirrors, 2):
        if may_meet(one, other):
            raise ValueError(f"{one} and {other} are about the same names; leave one of them out")
    for (place, upstream), other in product(mirrors.items(), mirrors):
        if may_meet(upstream, other):
            told = "a mirror of itself" if place == other else f"a mirror of the mirror {other}"
            raise ValueError(f"{place} is {told}; name where it is published first, {mirrors[other]}")
