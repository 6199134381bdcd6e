"""Rules of branches: what may be made or moved, and what must hold before a merge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
OF_BRANCH = "/repos/{owner}/{repo}/rules/branches/{branch}"
FOUND = "Repository rule violations found\n\n{}\n\n"
TEXTS = {
    "creation": "Cannot create ref due to creations being restricted.",
    "update": "Cannot update this protected ref.",
    "deletion": "Cannot delete this protected ref.",
    "non_fast_forward": "Cannot force-push to this branch",
    "required_signatures": "Commits must have verified signatures.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`type` and `parameters` are GitHub's; `pattern` says for which branches."""

    pattern: str
    type: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A branch that is to point elsewhere; `before` is None for one that is made, `after` for one that goes."""

    branch: str
    before: str | None
    after: str | None
    message: str = ""
    """Of the commit that it is to point to."""
    is_forward: bool = True


@dataclass(slots=True)
class Rules:
    """The rulesets of repositories, as far as they hold up a merge."""

    edge: GitHubEdge
    by_repository: dict[int, list[Rule]] = field(default_factory=dict)
    checks: dict[tuple[int, str], dict[str, str | None]] = field(default_factory=dict)
    """Repository and commit → name of each check and its conclusion, None while it runs."""

    def __post_init__(self) -> None:
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/rules/branches/{branch:path}", self._of_branch)

    def add(self, repository_id: int, rule: Rule) -> None:
        self.by_repository.setdefault(repository_id, []).append(rule)

    def of(self, repository_id: int, branch: str) -> list[Rule]:
        """Also for a branch that is not there yet."""
        rules = self.by_repository.get(repository_id, ())
        return [rule for rule in rules if fnmatchcase(branch, rule.pattern)]

    def parameters(self, repository_id: int, branch: str, kind: str) -> Mapping[str, Json] | None:
        """Those of the branch's rule of this kind; None where it has none."""
        return next((rule.parameters for rule in self.of(repository_id, branch) if rule.type == kind), None)

    def required_checks(self, repository_id: int, branch: str) -> list[str]:
        found = self.parameters(repository_id, branch, "required_status_checks") or {}
        return [row["context"] for row in found.get("required_status_checks", ())]

    def required_reviews(self, repository_id: int, branch: str) -> int:
        found = self.parameters(repository_id, branch, "pull_request") or {}
        return int(found.get("required_approving_review_count", 0))

    def is_protected(self, repository_id: int, branch: str) -> bool:
        """Whether a merge into the branch has to wait for anything."""
        kinds = {rule.type for rule in self.of(repository_id, branch)}
        return bool(kinds & {"required_status_checks", "pull_request", "merge_queue"})

    def check(self, repository_id: int, move: Move, signed: bool) -> None:
        """Raises `Refused` where a rule forbids it."""
        for rule in self.of(repository_id, move.branch):
            if (text := _violation(rule, move, signed)) is not None:
                raise Refused(422, FOUND.format(text))

    async def _of_branch(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        name = f"{owner}/{repo}"
        source = {"ruleset_source_type": "Repository", "ruleset_source": name, "ruleset_id": 1}
        rules = self.of(self.edge.identities.number_of(name) or 0, unquote(branch))
        rows = [
            {"type": rule.type, **({"parameters": dict(rule.parameters)} if rule.parameters else {}), **source}
            for rule in rules
        ]
        shown, links = self.edge.page(request, rows)
        return self.edge.reply("GET", OF_BRANCH, 200, shown, links)


def _violation(rule: Rule, move: Move, signed: bool) -> str | None:
    broken = {
        "creation": move.before is None,
        "update": move.before is not None and move.after is not None,
        "deletion": move.after is None,
        "non_fast_forward": not move.is_forward,
        "required_signatures": move.after is not None and not signed,
    }
    if broken.get(rule.type):
        return TEXTS[rule.type]
    if rule.type == "branch_name_pattern" and not _fits(rule, move.branch):
        return f"Branch name must match a given {rule.parameters['operator']} pattern: {rule.parameters['pattern']}"
    if rule.type == "commit_message_pattern" and move.after is not None and not _fits(rule, move.message):
        return (
            f"Commit message must match a given {rule.parameters['operator']} pattern: {rule.parameters['pattern']}"
        )
    return None


def _fits(rule: Rule, text: str) -> bool:
    pattern = str(rule.parameters["pattern"])
    fits = {
        "starts_with": text.startswith(pattern),
        "ends_with": text.endswith(pattern),
        "contains": pattern in text,
        "regex": re.search(pattern, text) is not None,
    }[rule.parameters["operator"]]
    return fits is not bool(rule.parameters.get("negate"))


def protection(
    branch: str, checks: tuple[str, ...], reviews: int, *, strict: bool, queue: str | None
) -> list[Rule]:
    """What a branch that people merge into usually has."""
    rules = []
    if checks:
        required = [{"context": name} for name in checks]
        parameters: dict[str, Json] = {
            "strict_required_status_checks_policy": strict,
            "required_status_checks": required,
        }
        rules.append(Rule(branch, "required_status_checks", parameters))
    if reviews:
        settings = ("dismiss_stale_reviews_on_push", "require_code_owner_review", "require_last_push_approval")
        parameters = dict.fromkeys((*settings, "required_review_thread_resolution"), False)
        rules.append(Rule(branch, "pull_request", {**parameters, "required_approving_review_count": reviews}))
    if queue:
        parameters = {
            "check_response_timeout_minutes": 60,
            "grouping_strategy": "ALLGREEN",
            "max_entries_to_build": 5,
            "max_entries_to_merge": 5,
            "merge_method": queue,
            "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 5,
        }
        rules.append(Rule(branch, "merge_queue", parameters))
    return rules
