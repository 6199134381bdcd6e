"""Leaving: what the bot has opened in a repository is closed, its branches go, and what stays is named."""

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.branches import Tip, scratch_of
from bot.domain.forge.looks import BranchLook, OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import most_body
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.repositories.issue import with_sections
from bot.domain.repositories.repository import Identity
from bot.domain.sight import told_gone
from bot.fleet.act.onboarding.wording import is_ours
from bot.fleet.act.pull_request.text.section import closed
from bot.fleet.act.pull_request.text.wording import trailers_in
from bot.fleet.act.pull_request.wishes import close, merge_no_more
from bot.reconcile.forge_writing import guarded
from bot.reconcile.guarded import Covers, WriteBounds, covers_all


class TraceOutcome(StrEnum):
    """What became of one thing: it is gone, it stays for a reason, or the forge would not do it."""

    CLOSED = "closed"
    DELETED = "deleted"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Traces:
    """What the bot may have left in a repository: branches that it has used, its issue, and the fleet's; `requests`
    are the numbers of the pull requests that it has known there, whoever the forge says opened them."""

    repository: Identity
    branches: tuple[str, ...] = ()
    issue: int | None = None
    fleet_issue: int | None = None
    requests: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Retired:
    """One thing with what became of it, or would become of it; `why` where it stays."""

    repository: str
    what: str
    outcome: TraceOutcome
    url: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """How one repository is left: `forge` writes under a name that is `covered` alone; a dry run only looks.
    `requests` are the bot's by their numbers."""

    forge: Forge
    reason: str
    is_dry: bool
    covers: Covers
    requests: Collection[int]

    def reason_to_stay(self, word: OwnWord) -> str | None:
        """Returns why the bot leaves everything there; None where it takes it away."""
        if not self.covers(word.identity):
            return NOT_INCLUDED
        return None if word.read_only is None else f"the repository is {word.read_only}"


async def retire(
    traces: Traces, forge: Forge, reason: str, *, dry_run: bool, covers: Covers = covers_all
) -> list[Retired]:
    """Closes open pull requests, with `reason`, and issues; deletes branches that hold the bot's commits alone.

    What is gone already is not named, so a second call has nothing left to do, and one that was cut short is just
    repeated. What fails is named too, and keeps nothing else from being done. With `dry_run` it only looks.

    Under a name that the operator does not include everything stays but a merge by the bot's word; for the fleet's
    issue the operator has named the repository. What people have pointed at another branch is theirs.
    """

    def leaving_where(covers: Covers) -> _Leaving:
        return _Leaving(
            guarded(forge, _Unleased(), WriteBounds(covers=covers)), reason, dry_run, covers, traces.requests
        )

    leaving, traces_left = leaving_where(covers), list[Retired]()
    leaving_fleets = leaving_where(lambda home: covers(home) or home.name.lower() == traces.repository.name.lower())
    for branch in [each for used in traces.branches for each in (used, scratch_of(used))]:
        try:
            async for trace in _branch(traces.repository, branch, leaving):
                traces_left.append(trace)
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                is_gone = await _is_gone(failure, traces.repository, forge)
                return traces_left if is_gone else [*traces_left, _not_shown(traces.repository, failure)]
            traces_left.append(_failed_trace(traces.repository, f"branch {branch}", failure))
    for number, issue_leaving, has_sections in (
        (traces.issue, leaving, True),
        (traces.fleet_issue, leaving_fleets, False),
    ):
        if number is None:
            continue
        try:
            traces_left += await _issue(traces.repository, number, issue_leaving, has_sections=has_sections)
        except Failure as failure:
            if not await _is_gone(failure, traces.repository, forge):
                traces_left.append(_failed_trace(traces.repository, f"issue #{number}", failure))
    return traces_left


async def _is_gone(failure: Failure, repository: Identity, forge: Forge) -> bool:
    """Whether a repository that is not shown is gone, and all with it; who is blind tells nothing of it."""
    return (await told_gone(failure, repository, forge)).meaning is Meaning.GONE


async def _branch(home: Identity, branch: str, leaving: _Leaving) -> AsyncIterator[Retired]:
    """One after the other, so that what is done is named though the next fails."""
    look = await leaving.forge.look(home, branch, ())
    name, own_requests = look.standing.identity, [each for each in look.own(*leaving.requests) if each.is_open]
    reason = leaving.reason_to_stay(look.standing)
    elsewhere = next(
        (place for each in own_requests if (place := each.elsewhere(look.standing.default_branch))), None
    )
    if reason is not None or elsewhere is not None:
        if not leaving.is_dry:
            await merge_no_more(look, own_requests, leaving.forge)
        for trace in _kept_traces(look, branch, reason or elsewhere or ""):
            yield trace
        return
    for request in own_requests:
        if not leaving.is_dry:
            await close(
                look,
                request,
                closed(request.body, leaving.reason, most_body(look.standing.identity.forge)),
                leaving.forge,
            )
        yield Retired(name.name, f"pull request #{request.number}", TraceOutcome.CLOSED, request.url)
    if look.branch is None:
        return
    is_empty_scratch = branch.endswith(scratch_of("")) and look.has_no_commits
    if (theirs := look.open_of_others(*leaving.requests)) is not None:
        reason = f"somebody else's pull request #{theirs.number} is from it"
        yield Retired(name.name, f"branch {branch}", TraceOutcome.KEPT, why=reason)
        return
    if not _is_bots_alone(look.branch) and not is_empty_scratch:
        yield Retired(name.name, f"branch {branch}", TraceOutcome.KEPT, why="somebody has committed to it")
        return
    if not leaving.is_dry:
        await leaving.forge.delete_branch(name, branch, look.branch.sha)
    yield Retired(name.name, f"branch {branch}", TraceOutcome.DELETED)


def _is_bots_alone(tip: Tip) -> bool:
    """Whether a branch holds commits of the bot alone, which its last one says; on top of people's it does not."""
    return tip.is_own and (bool(trailers_in(tip.message)) or is_ours(tip.message))


def _kept_traces(look: BranchLook, branch: str, reason: str) -> Iterator[Retired]:
    name = look.standing.identity.name
    for request in look.pull_requests:
        if request.is_open:
            yield Retired(name, f"pull request #{request.number}", TraceOutcome.KEPT, request.url, reason)
    if look.branch is not None:
        yield Retired(name, f"branch {branch}", TraceOutcome.KEPT, why=reason)


async def _issue(home: Identity, number: int, leaving: _Leaving, *, has_sections: bool) -> list[Retired]:
    """The one of a repository loses its sections; the fleet's keeps its last words."""
    word = (await leaving.forge.standings([home])).get(home)
    if word is None:
        raise Failure(Trouble.MISSING, "the repository is not shown", where=home.name)
    issue = await leaving.forge.issue(word.identity, number)
    if issue is None or not issue.is_open:
        return []
    subject, name = f"issue #{number}", word.identity
    if (reason := leaving.reason_to_stay(word)) is not None:
        return [Retired(name.name, subject, TraceOutcome.KEPT, issue.url, reason)]
    if not leaving.is_dry:
        body = with_sections(issue.body, ()) if has_sections else issue.body
        await leaving.forge.change_issue(name, number, body, is_open=False)
    return [Retired(name.name, subject, TraceOutcome.CLOSED, issue.url)]


class _Unleased:
    """A command holds no row: a person has called it."""

    async def check(self) -> None:
        return None


def _not_shown(home: Identity, failure: Failure) -> Retired:
    return _failed_trace(home, "all that the bot has opened", failure)


def _failed_trace(home: Identity, subject: str, failure: Failure) -> Retired:
    return Retired(home.name, subject, TraceOutcome.FAILED, why=failure.told)
