"""Which branches patterns of a workflow mean: those of GitHub's `on.push.branches`."""

import re
from functools import lru_cache

_GLOB = re.compile(r"(\*\*|\*)")
_OTHER_GLOB = re.compile(r"[?+\[]")
_LONGEST_PATTERNS = 2_000
"""Characters of all patterns of branches of one workflow."""


@lru_cache(maxsize=1_000)
def are_of(branch: str, patterns: tuple[str, ...]) -> bool:
    """Whether a branch fits patterns of GitHub's workflows, of which the last that fits counts: `*` takes no slash,
    and one after a `!` takes branches out. What else patterns may have, and very many, are taken to fit."""
    if sum(map(len, patterns)) > _LONGEST_PATTERNS:
        return True
    fits = False
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        if _OTHER_GLOB.search(bare) or _fits(branch, bare):
            fits = bare == pattern
    return fits


def _fits(branch: str, pattern: str) -> bool:
    """Goes through the pattern once with all places that it may have reached: a regular expression would try each
    way of each star, which takes for ever on what somebody writes to that end."""
    reached = {0}
    for part in filter(None, _GLOB.split(pattern)):
        if part == "**":
            reached = set(range(min(reached), len(branch) + 1)) if reached else reached
        elif part == "*":
            further: set[int] = set()
            for place in sorted(reached):
                if place not in further:
                    slash = branch.find("/", place)
                    further |= set(range(place, (slash if slash >= 0 else len(branch)) + 1))
            reached = further
        else:
            reached = {place + len(part) for place in reached if branch.startswith(part, place)}
    return len(branch) in reached
