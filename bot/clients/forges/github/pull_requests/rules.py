"""Rules of a repository that do not let the bot make or move its branch: which, and what to grant or set instead.

Source of the kinds: GitHub's rulesets (`GET /repos/{owner}/{repo}/rules/branches/{branch}`); the texts are those
with which GitHub refuses.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from bot.clients.forges.github.connection.shapes import rows
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure
from bot.domain.forge.branches import BranchChange
from bot.domain.forge.refusals import BranchRefused
from bot.domain.repositories.repository import Identity

_BYPASS = "let the bot bypass that rule"


@dataclass(frozen=True, slots=True)
class _Kind:
    """`on_new` and `on_move` say whether it can stand in the way of a new branch, and of one that moves."""

    type: str
    text: re.Pattern[str]
    told: str
    advice: str
    on_new: bool = True
    on_move: bool = True


_KINDS = (
    _Kind(
        "creation",
        re.compile(r"creations? being restricted", re.I),
        "new branches are restricted",
        f"{_BYPASS}, or set branch_prefix to a name that it allows",
        on_move=False,
    ),
    _Kind(
        "update", re.compile(r"update this protected ref", re.I), "updates are restricted", _BYPASS, on_new=False
    ),
    _Kind(
        "non_fast_forward",
        re.compile(r"force-push", re.I),
        "force pushes are blocked",
        f"{_BYPASS}, which brings its branch onto the default branch",
        on_new=False,
    ),
    _Kind(
        "required_signatures",
        re.compile(r"verified signatures", re.I),
        "commits must be signed",
        "run the bot as a GitHub App, whose commits GitHub signs",
    ),
    _Kind(
        "branch_name_pattern",
        re.compile(r"branch name must", re.I),
        "the branch's name does not fit a pattern",
        "set branch_prefix to a name that the pattern takes",
    ),
    _Kind(
        "commit_message_pattern",
        re.compile(r"commit message must", re.I),
        "the commit message does not fit a pattern",
        "set commit_message to a line that the pattern takes",
    ),
    _Kind(
        "file_path_restriction",
        re.compile(r"file path", re.I),
        "changes of these files are restricted",
        _BYPASS,
    ),
    _Kind("lock_branch", re.compile(r"branch is locked|lock_branch", re.I), "the branch is locked", _BYPASS),
)
_ANY = re.compile(r"rule violations? found|GH013", re.I)


def refusal(branch: str, message: str, where: str) -> BranchRefused | None:
    """What GitHub says it is; None where it names no rule."""
    for kind in _KINDS:
        if kind.text.search(message):
            return BranchRefused(branch, kind.told, kind.advice, where)
    if _ANY.search(message):
        return BranchRefused(branch, " ".join(message.split())[:200], _BYPASS, where)
    return None


async def refusal_by_rules(
    transport: Transport, repository: Identity, change: BranchChange, where: str
) -> BranchRefused | None:
    """Which rule it may have been where GitHub only says that it failed; None where none shows."""
    path = f"/repos/{repository.name}/rules/branches/{quote(change.branch, safe='')}"
    try:
        found = {str(row.get("type")) for row in rows(await transport.read(path), None)}
    except Failure:
        return None
    is_new = change.before is None
    for kind in _KINDS:
        if kind.type in found and (kind.on_new if is_new else kind.on_move):
            return BranchRefused(change.branch, kind.told, kind.advice, where)
    return None
