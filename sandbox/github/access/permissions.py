"""Which permission of an App each request needs.

Sources: GitHub's list of permissions required for GitHub Apps; for checks and code scanning the names in its
OpenAPI description. What is public needs the permission as well: a bot's fleet is private.
"""

import re
from collections.abc import Iterable, Sequence

from sandbox.github.access.installations import Grant
from sandbox.github.openapi import Operation
from sandbox.github.refusals import Refused

NOT_ACCESSIBLE = "Resource not accessible by integration"
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


def check(operation: Operation, grant: Grant | None) -> None:
    """Raises `Refused` where the installation may not do this."""
    if grant is None:
        return
    if not operation.is_for_apps:
        raise Refused(403, NOT_ACCESSIBLE)
    level = "read" if operation.method == "GET" else "write"
    require(grant, _needed(operation.template), level)


def _needed(template: str) -> Sequence[str]:
    """Any of them will do."""
    if MEMBERS.fullmatch(template):
        return ("members",)
    return next((names for pattern, names in NEEDS if pattern.fullmatch(template)), ("metadata",))


def require(grant: Grant | None, alternatives: Sequence[str], level: str) -> None:
    """Raises `Refused` where the installation has none of the permissions."""
    if grant is None or any(grant.may(name, level) for name in alternatives):
        return
    accepted = "; ".join(f"{name}={level}" for name in alternatives)
    raise Refused(403, NOT_ACCESSIBLE, headers={ACCEPTED: accepted})


def require_for_workflows(grant: Grant | None, paths: Iterable[str]) -> None:
    """Raises `Refused` where one of the paths is a workflow, which needs a permission of its own."""
    found = next((path for path in paths if path.startswith(WORKFLOWS_FOLDER)), None)
    if found is None or grant is None or grant.may("workflows", "write"):
        return
    text = f"refusing to allow a GitHub App to create or update workflow `{found}` without `workflows` permission"
    raise Refused(403, text, headers={ACCEPTED: "contents=write,workflows=write"})
