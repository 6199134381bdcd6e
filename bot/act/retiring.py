"""Leaving: what the bot has opened in a repository is closed, its branches go, and what stays is named."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.act.pull_request.text.section import closed
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import scratch_of
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.port import Forge
from bot.domain.repositories.issue import with_sections
from bot.domain.repositories.repository import Identity


class TraceOutcome(StrEnum):
    """What became of one thing: it is gone, it stays for a reason, or the forge would not do it."""

    CLOSED = "closed"
    DELETED = "deleted"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Traces:
    """What the bot may have left in a repository: branches that it has used, its issue, and the fleet's."""

    repository: Identity
    branches: tuple[str, ...] = ()
    issue: int | None = None
    fleet_issue: int | None = None


@dataclass(frozen=True, slots=True)
class Retired:
    """One thing with what became of it, or would become of it; `why` where it stays."""

    repository: str
    what: str
    outcome: TraceOutcome
    url: str | None = None
    why: str = ""


async def retire(traces: Traces, forge: Forge, reason: str, *, dry_run: bool) -> list[Retired]:
    """Closes open pull requests, with `reason`, and issues; deletes branches that hold the bot's commits alone.

    What is gone already is not named, so a second call has nothing left to do, and one that was cut short is just
    repeated. What fails is named too, and keeps nothing else from being done. With `dry_run` it only looks.
    """
    found: list[Retired] = []
    for branch in [each for used in traces.branches for each in (used, scratch_of(used))]:
        try:
            async for each in _branch(traces.repository, branch, forge, reason, dry_run=dry_run):
                found.append(each)  # noqa: PERF401 - what is done stays named where the next fails
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                is_gone = await _is_gone(traces.repository, forge)
                return found if is_gone else [*found, _not_shown(traces.repository, failure)]
            found.append(_failed(traces.repository, f"branch {branch}", failure))
    for number, has_sections in ((traces.issue, True), (traces.fleet_issue, False)):
        if number is None:
            continue
        try:
            found += await _issue(traces.repository, number, forge, has_sections=has_sections, dry_run=dry_run)
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING or not await _is_gone(traces.repository, forge):
                found.append(_failed(traces.repository, f"issue #{number}", failure))
    return found


async def _is_gone(repository: Identity, forge: Forge) -> bool:
    """Whether a repository that is not shown is gone, and all with it; who is blind tells nothing of it."""
    try:
        return await forge.sees_others(repository)
    except Failure:
        return False


async def _branch(
    home: Identity, branch: str, forge: Forge, reason: str, *, dry_run: bool
) -> AsyncIterator[Retired]:
    """One after the other, so that what is done is named though the next fails."""
    look = await forge.look(home, branch, ())
    name = look.standing.identity
    if look.standing.read_only is not None:
        for kept in _kept(look, branch, f"the repository is {look.standing.read_only}"):
            yield kept
        return
    for request in look.pull_requests:
        if request.is_open and request.is_own:
            if not dry_run:
                await forge.close_pull_request(name, request, body=closed(request.body, reason))
            yield Retired(name.name, f"pull request #{request.number}", TraceOutcome.CLOSED, request.url)
    if look.branch is None:
        return
    is_empty_scratch = branch.endswith(scratch_of("")) and look.has_no_commits
    theirs = next((each for each in look.pull_requests if each.is_open and not each.is_own), None)
    if theirs is not None:
        why = f"somebody else's pull request #{theirs.number} is from it"
        yield Retired(name.name, f"branch {branch}", TraceOutcome.KEPT, why=why)
        return
    if not look.branch.is_own and not is_empty_scratch:
        yield Retired(name.name, f"branch {branch}", TraceOutcome.KEPT, why="somebody has committed to it")
        return
    if not dry_run:
        await forge.delete_branch(name, branch, look.branch.sha)
    yield Retired(name.name, f"branch {branch}", TraceOutcome.DELETED)


def _kept(look: BranchLook, branch: str, why: str) -> Iterator[Retired]:
    name = look.standing.identity.name
    for request in look.pull_requests:
        if request.is_open:
            yield Retired(name, f"pull request #{request.number}", TraceOutcome.KEPT, request.url, why)
    if look.branch is not None:
        yield Retired(name, f"branch {branch}", TraceOutcome.KEPT, why=why)


async def _issue(home: Identity, number: int, forge: Forge, *, has_sections: bool, dry_run: bool) -> list[Retired]:
    """The one of a repository loses its sections; the fleet's keeps its last words."""
    known = await forge.issue(home, number)
    if known is None or not known.is_open:
        return []
    if not dry_run:
        body = with_sections(known.body, ()) if has_sections else known.body
        await forge.change_issue(home, number, body, is_open=False)
    return [Retired(home.name, f"issue #{number}", TraceOutcome.CLOSED, known.url)]


def _not_shown(home: Identity, failure: Failure) -> Retired:
    return _failed(home, "all that the bot has opened", failure)


def _failed(home: Identity, what: str, failure: Failure) -> Retired:
    return Retired(home.name, what, TraceOutcome.FAILED, why=failure.told)
