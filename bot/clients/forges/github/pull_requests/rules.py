"""Rules of a repository that do not let the bot make or move its branch: as GitHub names them, and as it refuses.

Source of the kinds: GitHub's rulesets (`GET /repos/{owner}/{repo}/rules/branches/{branch}`); the texts are those
with which GitHub refuses, also for its older protection of branches.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.connection.shapes import rows, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.clock import Clock, is_fresh
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange
from bot.domain.forge.refusals import BranchQueued, BranchRefused, BranchRule
from bot.domain.repositories.repository import Identity

_PROTECTED = "BRANCH_PROTECTION_RULE_VIOLATION"
"""GraphQL's type for what the older protection of branches refuses, in many words."""
_HOLDS_FOR = timedelta(minutes=10)
"""So long what was asked about rules is not asked again."""
_MOST_RULESETS = 20
_BYPASSES = frozenset({"always", "exempt"})


@dataclass(frozen=True, slots=True)
class _Kind:
    """What GitHub calls a rule, and how it says that it refuses by it.

    `on_new` and `on_move` say whether it can stand in the way of a new branch, and of one that moves; `commits`
    whether it refuses every commit of the bot to a branch that is there, `forced` only those that replace others.
    """

    type: str
    text: re.Pattern[str]
    rule: BranchRule
    on_new: bool = True
    on_move: bool = True
    commits: bool = False
    forced: bool = False


_KINDS = (
    _Kind("creation", re.compile(r"creations? being restricted", re.I), BranchRule.CREATION, on_move=False),
    _Kind("update", re.compile(r"update this protected ref", re.I), BranchRule.UPDATE, on_new=False, commits=True),
    _Kind("non_fast_forward", re.compile(r"force-push", re.I), BranchRule.FORCE_PUSH, on_new=False, forced=True),
    _Kind("required_signatures", re.compile(r"verified signatures", re.I), BranchRule.SIGNATURES),
    _Kind("branch_name_pattern", re.compile(r"branch name must", re.I), BranchRule.BRANCH_NAME),
    _Kind("commit_message_pattern", re.compile(r"commit message must", re.I), BranchRule.COMMIT_MESSAGE),
    _Kind("file_path_restriction", re.compile(r"file path", re.I), BranchRule.FILES),
    _Kind("lock_branch", re.compile(r"branch is locked|lock_branch", re.I), BranchRule.LOCKED, commits=True),
    _Kind("secret_scanning", re.compile(r"secrets? detected", re.I), BranchRule.SECRETS),
    _Kind(
        "required_status_checks",
        re.compile(r"required status checks? .{0,200}(is|are) (expected|failing|pending)", re.I | re.S),
        BranchRule.CHECKS,
        commits=True,
    ),
    _Kind(
        "pull_request",
        re.compile(r"through a pull request|approving reviews? (is|are) required", re.I),
        BranchRule.PULL_REQUEST,
        on_new=False,
        commits=True,
    ),
    _Kind(
        "merge_queue",
        re.compile(r"through the merge queue", re.I),
        BranchRule.PULL_REQUEST,
        on_new=False,
        commits=True,
    ),
    _Kind("push_restriction", re.compile(r"not authorized to push to this branch", re.I), BranchRule.PUSHERS),
)
_QUEUED = re.compile(r"added to a merge queue|queued for merging cannot be updated", re.I)
_ANY = re.compile(r"rule violations? found|GH0(06|13)|protected branch", re.I)


def refusal(branch: str, message: str, place: str, kind: str = "") -> BranchRefused | BranchQueued | None:
    """What GitHub says it is; None where it names no rule. `kind` is GraphQL's type of the error."""
    if _QUEUED.search(message):
        return BranchQueued(branch, place)
    for each in _KINDS:
        if each.text.search(message):
            return BranchRefused(branch, each.rule, place)
    if kind == _PROTECTED or _ANY.search(message):
        return BranchRefused(branch, BranchRule.OTHER, place, " ".join(message.split())[:200])
    return None


async def refusal_by_rules(
    transport: Transport, repository: Identity, change: BranchChange, place: str
) -> BranchRefused | None:
    """Which rule it may have been where GitHub only says that it failed; None where none shows."""
    try:
        types = {str(row.get("type")) for row in await _rules_of(transport, repository, change.branch)}
    except Failure:
        return None
    is_new = change.before is None
    for kind in _KINDS:
        if kind.type in types and (kind.on_new if is_new else kind.on_move):
            return BranchRefused(change.branch, kind.rule, place)
    return None


async def _rules_of(transport: Transport, repository: Identity, branch: str) -> list[dict[str, Any]]:
    """Those that hold for a branch, which need not be there yet, whoever may pass them."""
    path = f"/repos/{repository.name}/rules/branches/{quote(branch, safe='')}"
    return rows(await transport.read(path, {"per_page": 100}), None)


# Before the first write

RULESETS = f"""
fragment rulesets on Repository {{
  rulesets(first: {_MOST_RULESETS}, includeParents: true) {{
    totalCount
    nodes {{ enforcement conditions {{ refName {{ include }} }} rules(first: 50) {{ nodes {{ type }} }} }}
  }}
}}"""
UPDATE_RULE = "refUpdateRule { viewerCanPush }"
OPTIONAL = frozenset({"rulesets", "refUpdateRule", "rules"})
"""What not all credentials may see; the write itself tells then."""
_STANDS_IN_THE_WAY = frozenset(
    kind.type.upper() for kind in _KINDS if kind.commits or kind.forced or kind.type == "creation"
)
_SIGNATURES = frozenset({"REQUIRED_SIGNATURES"})


@dataclass(frozen=True, slots=True)
class _InForce:
    """The kinds of rules that the bot cannot pass, and when GitHub was asked for them."""

    types: frozenset[str]
    asked_at: datetime


@dataclass(slots=True)
class RulesAhead:
    """Knows before the first write that a rule will refuse it, so that no branch is made for nothing.

    A look at a branch, which comes before each write, shows for nothing whether rulesets may concern it. Only
    where they may, GitHub is asked which rules hold, and whether the bot may pass them, once for each repository
    and prefix. Where it does not tell, the write is tried.
    """

    transport: Transport
    clock: Clock
    _may_be_ruled: set[tuple[str, str]] = field(default_factory=set)
    """Repositories and branches of which a look has shown rulesets."""
    _closed: set[tuple[str, str]] = field(default_factory=set)
    """Those to which others alone may push."""
    _signed: set[tuple[str, str]] = field(default_factory=set)
    """Those whose commits must be signed."""
    _in_force: dict[tuple[str, str], _InForce] = field(default_factory=dict)

    def note(self, repository: Identity, branch: str, row: Mapping[str, Any]) -> None:
        """Takes from a look what it shows of rules."""
        place = (repository.name, branch)
        branch_row = row.get("branch") or {}
        shown_rules = row.get("rulesets")
        _put(self._may_be_ruled, place, _may_be_ruled(shown_rules, branch, _STANDS_IN_THE_WAY))
        _put(self._signed, place, _may_be_ruled(shown_rules, branch, _SIGNATURES))
        _put(self._closed, place, (branch_row.get("refUpdateRule") or {}).get("viewerCanPush") is False)

    def signs(self, repository: Identity, change: BranchChange) -> bool:
        """Whether commits to the branch must be signed, as far as a look has shown."""
        return (repository.name, change.branch) in self._signed

    async def check(self, repository: Identity, change: BranchChange) -> None:
        """Raises `BranchRefused` where a rule stands in the way of the change."""
        place = (repository.name, change.branch)
        if place in self._closed:
            raise BranchRefused(change.branch, BranchRule.PUSHERS, repository.name)
        if place not in self._may_be_ruled:
            return
        types = await self._types(repository, change.branch)
        is_forced = change.before not in (None, change.onto)
        for kind in _KINDS:
            is_creation = kind.type == "creation" and change.before is None
            if kind.type in types and (is_creation or kind.commits or (kind.forced and is_forced)):
                raise BranchRefused(change.branch, kind.rule, repository.name)

    async def _types(self, repository: Identity, branch: str) -> frozenset[str]:
        key, now = (repository.name, branch.rpartition("/")[0]), self.clock.now()
        in_force = self._in_force.get(key)
        if in_force is None or not is_fresh(in_force.asked_at, now, _HOLDS_FOR):
            in_force = self._in_force[key] = _InForce(await self._ask_types(repository, branch), now)
        return in_force.types

    async def _ask_types(self, repository: Identity, branch: str) -> frozenset[str]:
        by_ruleset: dict[int, set[str]] = {}
        try:
            for row in await _rules_of(self.transport, repository, branch):
                if str(row.get("type")).upper() in _STANDS_IN_THE_WAY and isinstance(row.get("ruleset_id"), int):
                    by_ruleset.setdefault(row["ruleset_id"], set()).add(str(row["type"]))
            passed = [number for number in by_ruleset if await self._may_pass(repository, number)]
        except Failure as failure:
            if failure.trouble not in (Trouble.DENIED, Trouble.MISSING):
                raise
            return frozenset()
        return frozenset(kind for number, kinds in by_ruleset.items() if number not in passed for kind in kinds)

    async def _may_pass(self, repository: Identity, ruleset: int) -> bool:
        """Whether the bot is among those who may pass a ruleset; who is not told that may try."""
        ruleset_row = await self.transport.read(f"/repos/{repository.name}/rulesets/{ruleset}")
        with shaped("ruleset"):
            word = ruleset_row.get("current_user_can_bypass")
            return word is None or word in _BYPASSES


def _put(places: set[tuple[str, str]], place: tuple[str, str], is_in: bool) -> None:
    (places.add if is_in else places.discard)(place)


def _may_be_ruled(rulesets: Mapping[str, Any] | None, branch: str, kinds: frozenset[str]) -> bool:
    """Whether a ruleset with a rule of these kinds may concern the branch. Patterns are taken as wider than they
    are."""
    if rulesets is None:
        return False
    nodes = [node for node in rulesets["nodes"] or () if node is not None]
    return int(rulesets["totalCount"]) > len(rulesets["nodes"] or ()) or any(
        _concerns(node, branch, kinds) for node in nodes
    )


def _concerns(ruleset: Mapping[str, Any], branch: str, kinds: frozenset[str]) -> bool:
    if ruleset["enforcement"] != "ACTIVE":
        return False
    types = {rule["type"] for rule in (ruleset["rules"] or {}).get("nodes") or () if rule is not None}
    patterns = ((ruleset["conditions"] or {}).get("refName") or {}).get("include") or ()
    ref_name = f"refs/heads/{branch}"
    is_named = any(each == "~ALL" or fnmatchcase(ref_name, str(each).replace("**/", "*")) for each in patterns)
    return is_named and not kinds.isdisjoint(types)
