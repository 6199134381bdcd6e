"""Whether the branch of a pull request must move, and how: only for other content or a conflict."""

from dataclasses import replace

from bot.domain.forge.branches import BranchChange, Tip, scratch_of
from bot.domain.forge.looks import BranchLook
from bot.domain.repositories.repository import blob_name
from bot.files.formats.workflows.pushes import runs_on_push
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.edits import Edits
from bot.fleet.act.pull_request.text.wording import commit_message, trailers_for, trailers_in


def branch_change(job: Job, look: BranchLook, edits: Edits, on_branch: Edits | None) -> BranchChange | None:
    """The commit that the branch needs, pushed as a whole where workflows run on pushes to it or beside it."""
    change = _commit_needed(job, look, edits, on_branch)
    if change is None:
        return None
    runs = any(runs_on_push(look.workflows, branch) for branch in (change.branch, scratch_of(change.branch)))
    return replace(change, is_pushed_whole=runs)


def _commit_needed(job: Job, look: BranchLook, edits: Edits, on_branch: Edits | None) -> BranchChange | None:
    """The commit that the branch needs, None where it stands as wanted.

    `edits` are those of the default branch, `on_branch` those that the branch would still need. People's commits on
    it are kept and built upon; what only the bot has put there is replaced by one commit on the default branch.
    """
    branch = job.rebuild.branch
    assert branch is not None
    assert look.trunk is not None
    trunk, head = look.trunk, look.branch
    if head is None or on_branch is None:
        return BranchChange(branch, None, trunk.sha, trunk.tree, edits.files, commit_message(job))
    if _holds_nothing(head, look):
        return BranchChange(branch, head.sha, trunk.sha, trunk.tree, edits.files, commit_message(job))
    if head.is_own and trailers_in(head.message):
        if not _is_conflicted(look) and _stands(head, job, edits, on_branch):
            return None
        return BranchChange(branch, head.sha, trunk.sha, trunk.tree, edits.files, commit_message(job))
    if not on_branch.files:
        return None
    return BranchChange(
        branch, head.sha, head.sha, head.tree, on_branch.files, commit_message(job, replaceable=False)
    )


def _holds_nothing(head: Tip, look: BranchLook) -> bool:
    """Whether all that is on the branch is on the default branch as well, as after a merge that left it behind."""
    assert look.trunk is not None
    return head.sha == look.trunk.sha or head.sha in {
        request.head for request in look.pull_requests if request.is_merged
    }


def _is_conflicted(look: BranchLook) -> bool:
    return any(request.is_open and request.is_conflicted for request in look.pull_requests)


def _stands(head: Tip, job: Job, edits: Edits, on_branch: Edits) -> bool:
    """Whether the bot's commit is for these digests, and no file of the default branch lacks in it.

    The default branch may have gone on: what it changed elsewhere in the same files, the merge joins.
    """
    if any(file.path not in head.files for file in edits.files):
        return False
    if all(head.files[file.path].sha == blob_name(file.content, head.files[file.path].sha) for file in edits.files):
        return True
    return trailers_in(head.message) == trailers_for(job) and not on_branch.files
