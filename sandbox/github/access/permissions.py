"""Which permission of an App each request needs.

Sources: GitHub's list of permissions required for GitHub Apps; for checks and code scanning the names in its
OpenAPI description. What is public needs the permission as well: a bot's fleet is private.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.github.access.installations import RANKS, Grant
from sandbox.github.openapi import Operation
from sandbox.github.refusals import Refused

NOT_ACCESSIBLE = "Resource not accessible by integration"
NOT_FOR_TOKENS = "Resource not accessible by personal access token"
ACCEPTED = "x-accepted-github-permissions"
WORKFLOWS_FOLDER = ".github/workflows/"

REPOSITORY = r"/repos/{owner}/{repo}"
NEEDS = tuple(
    (re.compile(REPOSITORY + pattern), alternatives)
    for pattern, alternatives in (
        (r"/pulls/{pull_number}/(merge|merge-async|update-branch)\b.*", ("contents",)),
        (r"/commits/{commit_sha}/pulls", ("pull_requests",)),
        (r"/(commits/{ref}/status(es)?|statuses/.*)", ("statuses",)),
        (r"/(commits/{ref}/check-.*|check-(runs|suites)\b.*)", ("checks",)),
        (r"/pulls\b.*", ("pull_requests",)),
        (
            r"/issues/(comments\b.*|{issue_number}/(labels|comments|assignees|lock)\b.*)",
            ("issues", "pull_requests"),
        ),
        (r"/(labels|milestones)\b.*", ("issues", "pull_requests")),
        (r"/issues\b.*", ("issues",)),
        (r"/(actions|environments)\b.*", ("actions",)),
        (r"/branches/{branch}/protection\b.*", ("administration",)),
        (
            r"/(contents|git|commits|branches|compare|readme|tarball|zipball|merges|releases|dispatches)\b.*",
            ("contents",),
        ),
        (r"/code-scanning\b.*", ("security_events",)),
        (r"/attestations\b.*", ("attestations",)),
        (r"/(hooks)\b.*", ("repository_hooks",)),
    )
)
MEMBERS = re.compile(r"/orgs/{org}/(teams|members|memberships)\b.*")
ARTIFACTS = re.compile(r"/orgs/{org}/artifacts\b.*")
READS: Mapping[tuple[str, str], Sequence[str]] = {
    ("Organization", "team"): ("members",),
    ("Organization", "teams"): ("members",),
    ("Repository", "pullRequest"): ("pull_requests",),
    ("Repository", "pullRequests"): ("pull_requests",),
    ("Ref", "associatedPullRequests"): ("pull_requests",),
    ("Commit", "associatedPullRequests"): ("pull_requests",),
    ("Repository", "issue"): ("issues",),
    ("Repository", "issues"): ("issues",),
    ("Repository", "object"): ("contents",),
    ("Repository", "ref"): ("contents",),
    ("Repository", "refs"): ("contents",),
    ("Commit", "checkSuites"): ("checks",),
    ("Commit", "statusCheckRollup"): ("checks", "statuses"),
    ("PullRequest", "statusCheckRollup"): ("checks", "statuses"),
    ("WorkflowRun", "checkSuite"): ("checks",),
    ("Workflow", "runs"): ("actions",),
}
"""Fields of GraphQL that need a permission to be read, any of those named; what REST needs for the same."""
NODES: Mapping[str, Sequence[str]] = {
    "PullRequest": ("pull_requests",),
    "Issue": ("issues",),
    "CheckSuite": ("checks",),
    "WorkflowRun": ("actions",),
    "Workflow": ("actions",),
    "Team": ("members",),
}
"""The same for what is asked for by its node id."""


@dataclass(frozen=True, slots=True)
class FineGrained:
    """What a fine-grained token of a user may do. There is no such permission as `checks` for one."""

    permissions: Mapping[str, str]

    def may(self, permission: str, level: str) -> bool:
        return permission == "metadata" or RANKS.get(self.permissions.get(permission, ""), 0) >= RANKS[level]


Rights = Grant | FineGrained


def check(operation: Operation, rights: Rights | None) -> None:
    """Raises `Refused` where an installation or a fine-grained token may not do this."""
    if rights is None:
        return
    if isinstance(rights, Grant) and not operation.is_for_apps:
        raise Refused(403, NOT_ACCESSIBLE)
    level = "read" if operation.method == "GET" else "write"
    require(rights, _needed(operation.template), level)


def _needed(template: str) -> Sequence[str]:
    """Any of them will do."""
    if MEMBERS.fullmatch(template):
        return ("members",)
    if ARTIFACTS.fullmatch(template):
        return ("artifact_metadata",)
    return next((names for pattern, names in NEEDS if pattern.fullmatch(template)), ("metadata",))


def require(rights: Rights | None, alternatives: Sequence[str], level: str) -> None:
    """Raises `Refused` where these rights have none of the permissions."""
    if rights is None or any(rights.may(name, level) for name in alternatives):
        return
    accepted = "; ".join(f"{name}={level}" for name in alternatives)
    told = NOT_ACCESSIBLE if isinstance(rights, Grant) else NOT_FOR_TOKENS
    raise Refused(403, told, headers={ACCEPTED: accepted})


def require_for_workflows(grant: Rights | None, paths: Iterable[str]) -> None:
    """Raises `Refused` where one of the paths is a workflow, which needs a permission of its own."""
    found = next((path for path in paths if path.startswith(WORKFLOWS_FOLDER)), None)
    if found is None or grant is None or grant.may("workflows", "write"):
        return
    text = f"refusing to allow a GitHub App to create or update workflow `{found}` without `workflows` permission"
    raise Refused(403, text, headers={ACCEPTED: "contents=write,workflows=write"})
