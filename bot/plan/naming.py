"""Deterministic names, so that a crashed attempt's work is found again."""

import re

from bot.domain.reference import Base

BRANCH_PREFIX = "freshness/"


def branch_for(base: Base) -> str:
    """`freshness/dotnet-aspnet-10.0-noble`: the last two parts of the repository and the tag."""
    parts = [*base.repository.split("/")[-2:], base.tag]
    name = re.sub(r"\.{2,}", ".", "-".join(parts)).strip(".-")
    return BRANCH_PREFIX + (f"{name}-base" if name.endswith(".lock") else name)
