"""Onboarding as people and scripts read it: what the next pull request of a repository would change."""

from collections.abc import Iterator
from typing import Any

from bot.domain.repositories.onboarding import LeftToPeople, Proposal, ProposedCommit, unified_diff


def as_json(repository: str, proposal: Proposal | None, why: str) -> dict[str, Any]:
    """Gives one repository's preview as plain JSON values, with a patch for each commit."""
    patches = commits_with_patches(proposal) if proposal is not None else ()
    return {
        "repository": repository,
        "why": why or None,
        "commits": [
            {
                "check": commit.check,
                "title": commit.title,
                "places": [
                    {
                        "path": change.place.path,
                        "start_line": change.place.start,
                        "subject": change.subject,
                        "before": change.before,
                        "after": change.after,
                    }
                    for change in commit.mended
                ],
                "patch": patch,
            }
            for commit, patch in patches
        ],
        "left": [_left(each) for each in (proposal.left_to_people if proposal is not None else ())],
        "later": proposal.more if proposal is not None else 0,
    }


def _left(left: LeftToPeople) -> dict[str, Any]:
    return {
        "check": left.check,
        "path": left.place.path,
        "start_line": left.place.start,
        "subject": left.subject,
        "message": left.message,
        "advice": left.advice,
        "why": left.reason,
        "patch": left.patch or None,
    }


def commits_with_patches(proposal: Proposal) -> Iterator[tuple[ProposedCommit, str]]:
    """Each commit with its change as a unified diff."""
    files = dict(proposal.source_texts)
    for commit in proposal.commits:
        yield commit, "".join(unified_diff(path, files.get(path), text) for path, text in commit.files.items())
        files |= commit.files
