"""Every module that plays fields, so that whoever imports this has them all."""

from sandbox.github.graphql import git, people, pull_requests, repositories, roots, runs
from sandbox.github.graphql.mutations import changing_pull_requests, changing_refs, committing, discussing, merging

__all__ = [
    "changing_pull_requests",
    "changing_refs",
    "committing",
    "discussing",
    "git",
    "merging",
    "people",
    "pull_requests",
    "repositories",
    "roots",
    "runs",
]
