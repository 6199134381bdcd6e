"""Every module that plays fields, so that whoever imports this has them all."""

from sandbox.github.graphql import git, people, pull_requests, repositories, roots, runs

__all__ = ["git", "people", "pull_requests", "repositories", "roots", "runs"]
