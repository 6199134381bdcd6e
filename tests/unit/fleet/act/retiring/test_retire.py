"""Leaving a repository: what is closed, what is deleted, what stays and why."""

from dataclasses import replace

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, FileChange, scratch_of
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import NOT_INCLUDED
from bot.domain.repositories.issue import IssueSection, new_body
from bot.domain.repositories.repository import Identity
from bot.fleet.act.retiring.retire import Retired, TraceOutcome, Traces, retire
from tests.builders import NOON
from tests.fakes.forge import FakeForge
from tests.fakes.repository import BOT, Commit, FakeRepository

BRANCH = "freshness/dotnet-aspnet-10.0"


@pytest.fixture
def forge() -> FakeForge:
    return FakeForge(ManualClock(NOON))


@pytest.fixture
def home(forge: FakeForge) -> FakeRepository:
    return forge.add("contoso/shop", {"Dockerfile": b"FROM a\n"})


async def left(forge: FakeForge, home: FakeRepository, *branches: str, issue: int | None = None) -> list[Retired]:
    return await retire(Traces(home.identity, branches, issue), forge, "it is taken out", dry_run=False)


def outcomes(found: list[Retired]) -> list[tuple[str, TraceOutcome]]:
    return [(each.what, each.outcome) for each in found]


async def test_where_nothing_is_left_nothing_is_named(forge: FakeForge, home: FakeRepository) -> None:
    assert await left(forge, home, BRANCH) == []


async def test_an_issue_is_closed_once_with_what_people_wrote_in_it(forge: FakeForge, home: FakeRepository) -> None:
    body = new_body([IssueSection("failures", "Failed", "it failed", "it failed")]) + "\n\nmine"
    issue = await forge.open_issue(home.identity, "Freshness", body, "freshness")
    assert outcomes(await left(forge, home, issue=issue.number)) == [
        (f"issue #{issue.number}", TraceOutcome.CLOSED)
    ]
    known = await forge.issue(home.identity, issue.number)
    assert known is not None
    assert (known.is_open, "mine" in known.body, "it failed" in known.body) == (False, True, False)
    assert await left(forge, home, issue=issue.number) == []


async def test_the_fleets_issue_is_closed_too(forge: FakeForge, home: FakeRepository) -> None:
    own = await forge.open_issue(home.identity, "Freshness", "text", "freshness")
    fleets = await forge.open_issue(home.identity, "Fleet", "the fleet", "freshness")
    traces = Traces(home.identity, issue=own.number, fleet_issue=fleets.number)
    found = await retire(traces, forge, "it is taken out", dry_run=False)
    assert outcomes(found) == [
        (f"issue #{own.number}", TraceOutcome.CLOSED),
        (f"issue #{fleets.number}", TraceOutcome.CLOSED),
    ]
    assert not any(issue.is_open for issue in home.issues.values())
    assert home.issues[fleets.number].body == "the fleet"


async def test_what_fails_is_named_and_the_rest_is_done(forge: FakeForge, home: FakeRepository) -> None:
    issue = await forge.open_issue(home.identity, "Freshness", "text", "freshness")
    forge.failing["close_pull_request"] = forge.failing["change_issue"] = Failure(Trouble.DENIED, "not for you")
    home.commit_to(BRANCH, {"Dockerfile": b"FROM b\n"})
    found = await left(forge, home, BRANCH, issue=issue.number)
    assert outcomes(found) == [
        (f"branch {BRANCH}", TraceOutcome.KEPT),
        (f"issue #{issue.number}", TraceOutcome.FAILED),
    ]
    assert [each.why for each in found] == ["somebody has committed to it", "not for you"]


async def test_an_archived_repository_keeps_everything(forge: FakeForge, home: FakeRepository) -> None:
    home.commit_to(BRANCH, {"Dockerfile": b"FROM b\n"})
    home.is_archived = True
    [found] = await left(forge, home, BRANCH)
    assert (found.outcome, found.why) == (TraceOutcome.KEPT, "the repository is archived")


async def test_of_one_that_a_blind_grant_does_not_show_it_is_told_that_nothing_could_be_done(
    forge: FakeForge, home: FakeRepository
) -> None:
    home.is_gone, forge.sees_all = True, False
    assert outcomes(await left(forge, home, BRANCH)) == [("all that the bot has opened", TraceOutcome.FAILED)]
    assert outcomes(await left(forge, home, issue=3)) == [("issue #3", TraceOutcome.FAILED)]


async def test_a_branch_from_which_somebody_has_opened_a_pull_request_stays_with_it(
    forge: FakeForge, home: FakeRepository
) -> None:
    """The forge closes what is open from a branch that is deleted."""
    await opened(forge, home)
    home.edit(1, is_own=False)
    [kept] = await left(forge, home, BRANCH)
    assert (kept.what, kept.outcome) == (f"branch {BRANCH}", TraceOutcome.KEPT)
    assert kept.why == "somebody else's pull request #1 is from it"
    assert BRANCH in home.branches


async def test_what_the_store_knows_as_the_bots_is_closed_whoever_the_forge_says_opened_it(
    forge: FakeForge, home: FakeRepository
) -> None:
    """The bot's account may be another by now."""
    await opened(forge, home)
    home.edit(1, is_own=False)
    traces = Traces(home.identity, (BRANCH,), requests=(3, 1))
    found = await retire(traces, forge, "it is taken out", dry_run=False)
    assert outcomes(found) == [
        ("pull request #1", TraceOutcome.CLOSED),
        (f"branch {BRANCH}", TraceOutcome.DELETED),
    ]
    assert not home.requests[1].is_open


async def test_of_a_repository_that_is_gone_nothing_is_named(forge: FakeForge, home: FakeRepository) -> None:
    home.is_gone = True
    assert await left(forge, home, BRANCH, issue=3) == []


async def opened(forge: FakeForge, home: FakeRepository) -> PullRequest:
    """By the bot, as `act` does."""
    look = await forge.look(home.identity, BRANCH, ())
    assert look.trunk is not None
    files = (FileChange("Dockerfile", b"FROM b\n"),)
    message = "Refresh\n\nFreshness-Base: aspnet:10.0@sha256:b\n"
    change = BranchChange(BRANCH, None, look.trunk.sha, look.trunk.tree, files, message)
    request = RequestChange(BRANCH, "main", None, "Refresh", "text")
    return await forge.carry_out(home.identity, change, await forge.prepare(home.identity, change), request)


@pytest.mark.parametrize(
    ("message", "goes"),
    [
        ("Refresh", False),
        ("Refresh\n\nFreshness-Base: aspnet:10.0@sha256:b\n", True),
        ("Pin (base-pinned)\n\nFreshness-Onboarding: base-pinned\n", True),
    ],
    ids=["builds on others' commits", "a rebuild's", "onboarding's"],
)
async def test_only_a_branch_whose_last_commit_says_that_it_holds_the_bots_alone_goes(
    forge: FakeForge, home: FakeRepository, message: str, goes: bool
) -> None:
    """What the bot commits on top of people's commits says nothing."""
    at = home.commit_to(BRANCH, {"NOTES.md": b"mine"})
    home.branches[BRANCH] = home.add(Commit({"Dockerfile": b"FROM b\n"}, (at,), message, BOT, BOT))
    await left(forge, home, BRANCH)
    assert (BRANCH not in home.branches) is goes


async def test_one_that_was_cut_short_is_simply_repeated(forge: FakeForge, home: FakeRepository) -> None:
    await opened(forge, home)
    forge.after["close_pull_request"] = Failure(Trouble.UNREACHABLE, "no answer")
    assert outcomes(await left(forge, home, BRANCH)) == [(f"branch {BRANCH}", TraceOutcome.FAILED)]
    forge.after.clear()
    assert outcomes(await left(forge, home, BRANCH)) == [(f"branch {BRANCH}", TraceOutcome.DELETED)]
    assert await left(forge, home, BRANCH) == []
    assert (home.requests[1].is_open, BRANCH in home.branches) == (False, False)


async def test_a_branch_that_moves_meanwhile_is_kept(forge: FakeForge, home: FakeRepository) -> None:
    await opened(forge, home)
    forge.meanwhile["delete_branch"] = lambda: home.commit_to(BRANCH, {"NOTES.md": b"mine"})
    found = await left(forge, home, BRANCH)
    assert [each.outcome for each in found] == [TraceOutcome.CLOSED, TraceOutcome.FAILED]
    assert home.content(BRANCH, "NOTES.md") == "mine"


@pytest.mark.parametrize("holds_commits", [True, False])
async def test_a_scratch_branch_that_a_crash_has_left_goes_too(
    forge: FakeForge, home: FakeRepository, holds_commits: bool
) -> None:
    await opened(forge, home)
    scratch = scratch_of(BRANCH)
    home.branches[scratch] = home.branches[BRANCH if holds_commits else "main"]
    found = await left(forge, home, BRANCH)
    assert (f"branch {scratch}", TraceOutcome.DELETED) in outcomes(found)
    assert set(home.branches) == {"main"}


async def test_a_branch_of_a_person_with_such_a_name_stays(forge: FakeForge, home: FakeRepository) -> None:
    home.commit_to(scratch_of(BRANCH), {"NOTES.md": b"mine"})
    assert outcomes(await left(forge, home, BRANCH)) == [(f"branch {scratch_of(BRANCH)}", TraceOutcome.KEPT)]


async def test_a_pull_request_of_the_bot_is_closed_with_the_reason_and_named_with_its_address(
    forge: FakeForge, home: FakeRepository
) -> None:
    request = await opened(forge, home)
    found = await left(forge, home, BRANCH)
    assert found[0] == Retired(home.name, "pull request #1", TraceOutcome.CLOSED, request.url)
    assert found[1] == Retired(home.name, f"branch {BRANCH}", TraceOutcome.DELETED)
    assert "it is taken out" in home.requests[1].body


async def test_a_look_says_what_would_be_done_and_does_none_of_it(forge: FakeForge, home: FakeRepository) -> None:
    await opened(forge, home)
    issue = await forge.open_issue(home.identity, "Freshness", "text", "freshness")
    forge.calls.clear()
    traces = Traces(home.identity, (BRANCH,), issue.number)
    looked = await retire(traces, forge, "it is taken out", dry_run=True)
    assert outcomes(looked) == [
        ("pull request #1", TraceOutcome.CLOSED),
        (f"branch {BRANCH}", TraceOutcome.DELETED),
        (f"issue #{issue.number}", TraceOutcome.CLOSED),
    ]
    assert forge.calls == []
    assert await retire(traces, forge, "it is taken out", dry_run=False) == looked


async def test_a_pull_request_that_is_closed_is_not_named(forge: FakeForge, home: FakeRepository) -> None:
    await opened(forge, home)
    home.edit(1, is_open=False)
    assert outcomes(await left(forge, home, BRANCH)) == [(f"branch {BRANCH}", TraceOutcome.DELETED)]
    assert "close_pull_request" not in forge.calls


async def test_an_archived_repository_keeps_its_open_pull_request_and_is_told_where(
    forge: FakeForge, home: FakeRepository
) -> None:
    request = await opened(forge, home)
    home.requests[2] = replace(request, number=2, is_open=False)
    home.is_archived = True
    why = "the repository is archived"
    assert await left(forge, home, BRANCH) == [
        Retired(home.name, "pull request #1", TraceOutcome.KEPT, request.url, why),
        Retired(home.name, f"branch {BRANCH}", TraceOutcome.KEPT, why=why),
    ]


async def test_a_branch_of_a_person_without_a_commit_of_its_own_stays(
    forge: FakeForge, home: FakeRepository
) -> None:
    """Only the scratch branch beside it is nobody's where it is empty."""
    home.branches[BRANCH] = home.branches["main"]
    assert outcomes(await left(forge, home, BRANCH)) == [(f"branch {BRANCH}", TraceOutcome.KEPT)]


async def test_a_branch_that_cannot_be_looked_at_is_named_with_why_and_the_next_is_done(
    forge: FakeForge, home: FakeRepository
) -> None:
    await opened(forge, home)
    forge.failing["look"] = Failure(Trouble.UNREACHABLE, "no answer", advice="try again")
    found = await left(forge, home, BRANCH)
    assert found[0] == Retired(home.name, f"branch {BRANCH}", TraceOutcome.FAILED, why="no answer; try again")
    assert outcomes(found)[1:] == [(f"branch {scratch_of(BRANCH)}", TraceOutcome.FAILED)]


async def test_an_issue_that_is_gone_is_not_named(forge: FakeForge, home: FakeRepository) -> None:
    assert await left(forge, home, issue=3) == []
    forge.failing["issue"] = Failure(Trouble.MISSING, "issues are disabled")
    assert await left(forge, home, issue=3) == []


async def test_an_issue_of_a_repository_is_named_with_its_address(forge: FakeForge, home: FakeRepository) -> None:
    issue = await forge.open_issue(home.identity, "Freshness", "text", "freshness")
    assert await left(forge, home, issue=issue.number) == [
        Retired(home.name, f"issue #{issue.number}", TraceOutcome.CLOSED, issue.url)
    ]


async def test_where_no_issue_is_known_none_is_asked_for(forge: FakeForge, home: FakeRepository) -> None:
    await left(forge, home, BRANCH)
    assert {call for call, _ in forge.asked} == {"look"}


async def test_what_people_have_pointed_elsewhere_stays_and_merges_no_more_by_the_bots_word(
    forge: FakeForge, home: FakeRepository
) -> None:
    await opened(forge, home)
    home.edit(1, base="release", is_to_merge=True, is_to_merge_by_us=True)
    found = await left(forge, home, BRANCH)
    assert [each.outcome for each in found] == [TraceOutcome.KEPT, TraceOutcome.KEPT]
    told = "pull request #1 goes to release and not to main, so it is left to people"
    assert {each.why for each in found} == {told}
    assert (home.requests[1].is_open, home.requests[1].is_to_merge) == (True, False)


async def test_under_a_name_that_is_not_included_everything_is_named_with_why_it_stays(
    forge: FakeForge, home: FakeRepository
) -> None:
    await opened(forge, home)
    issue = await forge.open_issue(home.identity, "Freshness", "text", "freshness")
    traces = Traces(home.identity, (BRANCH,), issue.number)
    found = await retire(traces, forge, "it goes", dry_run=False, covers=lambda name: False)
    assert [(each.what, each.outcome) for each in found] == [
        ("pull request #1", TraceOutcome.KEPT),
        (f"branch {BRANCH}", TraceOutcome.KEPT),
        (f"issue #{issue.number}", TraceOutcome.KEPT),
    ]
    assert {each.why for each in found} == {NOT_INCLUDED}


async def test_the_fleets_issue_is_closed_where_the_settings_name_its_repository_for_that(
    forge: FakeForge, home: FakeRepository
) -> None:
    fleets = await forge.open_issue(home.identity, "Fleet", "the fleet", "freshness")
    traces = Traces(home.identity, fleet_issue=fleets.number)
    await retire(traces, forge, "it goes", dry_run=False, covers=lambda name: False)
    assert not home.issues[fleets.number].is_open
    home.name = "elsewhere/shop"
    again = await forge.open_issue(home.identity, "Fleet", "the fleet", "freshness")
    [found] = await retire(
        replace(traces, fleet_issue=again.number), forge, "it goes", dry_run=False, covers=lambda name: False
    )
    assert (found.outcome, found.why) == (TraceOutcome.KEPT, NOT_INCLUDED)


async def test_a_dry_run_takes_nothing_back_either(forge: FakeForge, home: FakeRepository) -> None:
    await opened(forge, home)
    home.edit(1, is_to_merge=True, is_to_merge_by_us=True)
    traces = Traces(home.identity, (BRANCH,))
    await retire(traces, forge, "it goes", dry_run=True, covers=lambda name: False)
    assert home.requests[1].is_to_merge_by_us


class Silent(FakeForge):
    """A forge that does not answer whether it shows others."""

    async def sees_others(self, repository: Identity) -> bool:
        raise Failure(Trouble.UNREACHABLE, "no answer")


async def test_where_nobody_can_tell_whether_a_repository_is_gone_it_is_told_that_nothing_could_be_done() -> None:
    forge = Silent(ManualClock(NOON))
    home = forge.add("contoso/shop", {"Dockerfile": b"FROM a\n"})
    home.is_gone = True
    [found] = await left(forge, home, BRANCH)
    assert (found.what, found.outcome) == ("all that the bot has opened", TraceOutcome.FAILED)


@pytest.mark.parametrize("how", ["pointed elsewhere", "not to be closed", "archived"])
async def test_what_cannot_be_kept_from_merging_is_named_with_why_and_keeps_its_branch(
    forge: FakeForge, home: FakeRepository, how: str
) -> None:
    await opened(forge, home)
    home.edit(1, is_to_merge=True, is_to_merge_by_us=True, base="release" if how == "pointed elsewhere" else "main")
    forge.goes_on_merging, home.is_archived = True, how == "archived"
    if how == "not to be closed":
        forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you")
    [found] = await left(forge, home, BRANCH)
    assert (found.what, found.outcome) == (f"branch {BRANCH}", TraceOutcome.FAILED)
    said = "the repository is archived" if how == "archived" else "Something went wrong"
    assert found.why.startswith(f"pull request #1 goes on to merge by itself ({said})")
    assert (home.requests[1].is_open, BRANCH in home.branches) == (True, True)
