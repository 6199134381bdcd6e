"""What an App may be granted, what each permission is for, and which of them a token is asked with.

Source: GitHub's list of permissions required for GitHub Apps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_RANKS = {"read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Permission:
    """`level` is read or write; without one that is not needed the bot does less and says so. `title` is what
    GitHub's pages call it, where that is not its name."""

    name: str
    level: str
    purpose: str
    is_needed: bool = True
    title: str | None = None

    def is_in(self, granted: Mapping[str, str]) -> bool:
        return _RANKS.get(granted.get(self.name, ""), 0) >= _RANKS[self.level]


PERMISSIONS = (
    Permission("metadata", "read", "list repositories"),
    Permission("contents", "write", "read files, and make the branches and commits of pull requests"),
    Permission("pull_requests", "write", "open, label and follow pull requests, and ask for reviews"),
    Permission("actions", "write", "start rebuild workflows and follow their runs"),
    Permission("checks", "read", "see what became of builds"),
    Permission("workflows", "write", "bring bases in .github/workflows up to date", is_needed=False),
    Permission("issues", "write", "keep the one issue of each repository", is_needed=False),
    Permission(
        "security_events",
        "write",
        "upload findings to code scanning, where that is wished",
        is_needed=False,
        title="Code scanning alerts",
    ),
    Permission("merge_queues", "write", "put pull requests into a merge queue", is_needed=False),
    Permission("members", "read", "ask teams for reviews", is_needed=False),
)
"""All that the bot ever uses."""


def least(granted: Mapping[str, str]) -> dict[str, str]:
    """Of what an installation grants, what the bot uses, at the level that it uses: GitHub refuses a token with
    more than is granted."""
    levels: dict[str, str] = {}
    for each in PERMISSIONS:
        rank = min(_RANKS.get(granted.get(each.name, ""), 0), _RANKS[each.level])
        if rank:
            levels[each.name] = next(level for level, level_rank in _RANKS.items() if level_rank == rank)
    return levels
