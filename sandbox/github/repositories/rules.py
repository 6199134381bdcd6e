"""Rules of branches: what may be made or moved, and what must hold before a merge."""

import re
from collections.abc import Mapping, Sequence
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
RULESET = "/repos/{owner}/{repo}/rulesets/{ruleset_id}"
FOUND = "Repository rule violations found\n\n{}\n\n"
TEXTS = {
    "creation": "Cannot create ref due to creations being restricted.",
    "update": "Cannot update this protected ref.",
    "deletion": "Cannot delete this protected ref.",
    "non_fast_forward": "Cannot force-push to this branch",
    "required_signatures": "Commits must have verified signatures.",
    "pull_request": "Changes must be made through a pull request.",
}
PROTECTED = "BRANCH_PROTECTION_RULE_VIOLATION"
"""GraphQL's type for what the older protection of branches refuses."""
NOT_AUTHORIZED = (
    "You're not authorized to push to this branch. Visit "
    "https://docs.github.com/articles/about-protected-branches/ for more information."
)
SECRET = "Secret detected in content"


@dataclass(frozen=True, slots=True)
class Rule:
    """`type` and `parameters` are GitHub's; `pattern` says for which branches. Each is a ruleset of its own; the
    bot may pass those that are `bypassed`."""

    pattern: str
    type: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    bypassed: bool = False


@dataclass(frozen=True, slots=True)
class Protection:
    """The older protection of branches: what it asks of whoever pushes to a branch that is there already.

    With `blocks_creations` nobody but its pushers makes one either; without `deletable` nobody deletes one.
    """

    pattern: str
    through_pull_request: bool = False
    reviews: int = 0
    checks: tuple[str, ...] = ()
    signatures: bool = False
    pushers_only: bool = False
    blocks_creations: bool = False
    forceable: bool = False
    deletable: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A branch that is to point elsewhere; `before` is None for one that is made, `after` for one that goes."""

    branch: str
    before: str | None
    after: str | None
    message: str = ""
    """Of the commit that it is to point to."""
    is_forward: bool = True
    is_signed: bool = False
    passed: frozenset[str] = frozenset()
    """The checks that the commit has passed."""


@dataclass(slots=True)
class Rules:
    """The rulesets of repositories, the older protection of their branches, and what push protection finds."""

    edge: GitHubEdge
    by_repository: dict[int, list[Rule]] = field(default_factory=dict)
    checks: dict[tuple[int, str], dict[str, str | None]] = field(default_factory=dict)
    """Repository and commit → name of each check and its conclusion, None while it runs."""
    protections: dict[int, list[Protection]] = field(default_factory=dict)
    secrets: dict[int, list[bytes]] = field(default_factory=dict)
    """Repository → texts that push protection takes for secrets."""

    def __post_init__(self) -> None:
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/rules/branches/{branch:path}", self._of_branch)
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/rulesets/{ruleset}", self._ruleset)

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

    def protection(self, repository_id: int, branch: str) -> Protection | None:
        """The one of the older kind that holds for the branch."""
        known = self.protections.get(repository_id, ())
        return next((each for each in known if fnmatchcase(branch, each.pattern)), None)

    def check(self, repository_id: int, move: Move) -> None:
        """Raises `Refused` where a rule forbids it."""
        for rule in self.of(repository_id, move.branch):
            if not rule.bypassed and (text := _violation(rule, move)) is not None:
                raise Refused(422, FOUND.format(text))
        older = self.protection(repository_id, move.branch)
        if older is not None and (text := _broken(older, move)) is not None:
            raise Refused(422, text, kind=PROTECTED)

    def check_content(self, repository_id: int, content: bytes) -> None:
        """Raises `Refused` where push protection finds a secret."""
        if any(secret in content for secret in self.secrets.get(repository_id, ())):
            raise Refused(422, SECRET, kind="UNPROCESSABLE")

    async def _of_branch(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        name = f"{owner}/{repo}"
        known = self.by_repository.get(self.edge.identities.number_of(name) or 0, [])
        source = {"ruleset_source_type": "Repository", "ruleset_source": name}
        rows = [
            {
                "type": rule.type,
                **({"parameters": dict(rule.parameters)} if rule.parameters else {}),
                **source,
                "ruleset_id": number,
            }
            for number, rule in enumerate(known, 1)
            if fnmatchcase(unquote(branch), rule.pattern)
        ]
        shown, links = self.edge.page(request, rows)
        return self.edge.reply("GET", OF_BRANCH, 200, shown, links)

    async def _ruleset(self, request: Request, owner: str, repo: str, ruleset: str) -> Response:
        """Who asks is told whether it may pass the rules, and nothing of others who may."""
        name = f"{owner}/{repo}"
        known = self.by_repository.get(self.edge.identities.number_of(name) or 0, [])
        if not ruleset.isdecimal() or not 1 <= int(ruleset) <= len(known):
            raise Refused(404, "Not Found")
        rule = known[int(ruleset) - 1]
        shown = {
            "id": int(ruleset),
            "name": f"ruleset {ruleset}",
            "target": "branch",
            "source_type": "Repository",
            "source": name,
            "enforcement": "active",
            "current_user_can_bypass": "always" if rule.bypassed else "never",
        }
        return self.edge.reply("GET", RULESET, 200, shown)


def _violation(rule: Rule, move: Move) -> str | None:
    is_update = move.before is not None and move.after is not None
    broken = {
        "creation": move.before is None,
        "update": is_update,
        "deletion": move.after is None,
        "non_fast_forward": not move.is_forward,
        "required_signatures": move.after is not None and not move.is_signed,
        "pull_request": is_update,
    }
    if broken.get(rule.type):
        return TEXTS[rule.type]
    if rule.type == "required_status_checks" and move.after is not None:
        if move.before is None and rule.parameters.get("do_not_enforce_on_create"):
            return None
        return _expected([row["context"] for row in rule.parameters["required_status_checks"]], move)
    if rule.type == "branch_name_pattern" and not _fits(rule, move.branch):
        return f"Branch name must match a given {rule.parameters['operator']} pattern: {rule.parameters['pattern']}"
    if rule.type == "commit_message_pattern" and move.after is not None and not _fits(rule, move.message):
        return (
            f"Commit message must match a given {rule.parameters['operator']} pattern: {rule.parameters['pattern']}"
        )
    return None


def _expected(checks: Sequence[str], move: Move) -> str | None:
    missing = [check for check in checks if check not in move.passed]
    if not missing:
        return None
    if len(checks) == 1:
        return f'Required status check "{missing[0]}" is expected.'
    return f"{len(missing)} of {len(checks)} required status checks are expected."


def _broken(older: Protection, move: Move) -> str | None:
    if move.after is None:
        return None if older.deletable else "Cannot delete this protected branch"
    if move.before is None:
        return NOT_AUTHORIZED if older.blocks_creations else None
    if older.pushers_only:
        return NOT_AUTHORIZED
    if not (move.is_forward or older.forceable):
        return "Cannot force-push to this protected branch"
    if older.signatures and not move.is_signed:
        return TEXTS["required_signatures"]
    if older.reviews:
        return f"At least {older.reviews} approving review is required by reviewers with write access."
    if older.through_pull_request:
        return TEXTS["pull_request"]
    return _expected(older.checks, move)


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
