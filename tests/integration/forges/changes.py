"""The change of one file, and the pull request for it."""

from bot.domain.forge.branches import BranchChange, FileChange
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import PullRequest, RequestChange, Wishes
from bot.domain.repositories.repository import Identity
from tests.integration.forges.stands import Stand

BRANCH = "freshness/aspnet-10.0"
PATH = "src/Dockerfile"
OLD, NEW, NEWER = b"FROM a:1\n", b"FROM a:2\n", b"FROM a:3\n"
MESSAGE = "Refresh a\n\nIt moved.\n\nFreshness-Base: a@2\n"


def change_for(look: BranchLook, content: bytes = NEW, *, mode: str = "100644") -> BranchChange:
    assert look.trunk is not None
    before = None if look.branch is None else look.branch.sha
    file = FileChange(PATH, content, mode)
    return BranchChange(BRANCH, before, look.trunk.sha, look.trunk.tree, (file,), MESSAGE)


def request_for(look: BranchLook, title: str | None = "Refresh a", body: str | None = "why") -> RequestChange:
    current = next((item for item in look.pull_requests if item.is_open), None)
    return RequestChange(BRANCH, look.standing.default_branch or "", current, title, body)


async def look_at(stand: Stand, repository: Identity) -> BranchLook:
    return await stand.forge.look(repository, BRANCH, [PATH], Wishes())


async def bring(stand: Stand, repository: Identity, content: bytes = NEW) -> PullRequest:
    look = await look_at(stand, repository)
    change = change_for(look, content)
    prepared = await stand.forge.prepare(repository, change)
    return await stand.forge.carry_out(repository, change, prepared, request_for(look))
