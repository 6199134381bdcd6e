"""Deterministic names, so that a crashed attempt's work is found again."""

import hashlib
import re
from functools import lru_cache

from bot.domain.reference import Base

_LONGEST = 150
"""Characters; git takes 255 bytes, of which a repository's name may ask for more than there are."""


@lru_cache(maxsize=1024)
def branch_for(base: Base, prefix: str) -> str:
    """`freshness/dotnet-aspnet-10.0-noble`: the prefix, the last two parts of the repository, and the tag.

    A line of versions is `golden-1.x.x`. Of a name that is too long the end is told by a hash.
    """
    parts = [*base.repository.split("/")[-2:], base.tag.replace("*", "x")]
    name = re.sub(r"\.{2,}", ".", "-".join(parts)).strip(".-")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return prefix + (f"{name}-base" if name.endswith(".lock") else name)
