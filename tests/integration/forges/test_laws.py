"""What the laws ask of every forge: nothing gone that is hidden, nothing written over, and what is refused told."""

from dataclasses import replace

import pytest

from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.pull_requests import NO_MERGE, MergeRequirements, Wishes, most_body
from bot.domain.forge.refusals import BranchMoved
from bot.domain.rollouts.terms import MergeMethod
from tests.integration.forges.changes import BRANCH, NEWER, OLD, PATH, bring, change_for, look_at, request_for
from tests.integration.forges.conftest import AZURE_REPOS
from tests.integration.forges.stands import NOBODY, Stand

CONFIG = ".github/freshness.yaml"
WITH_WORK_ITEMS = pytest.mark.parametrize("where_it_lives", ["fake", AZURE_REPOS], indirect=True)

# What is not shown


async def test_an_owner_that_is_not_there_hides_no_other(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    listed = await stand.forge.repositories(["contoso", NOBODY])
    assert repository.node_id in {each.node_id for each in listed}
    assert "contoso" not in await stand.forge.silent(["contoso", NOBODY])


async def test_whoever_sees_nothing_calls_nothing_gone(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await stand.show_nothing(repository)
    with pytest.raises(Failure) as failed:
        await look_at(stand, repository)
    assert failed.value.trouble is Trouble.MISSING
    assert not await stand.forge.sees_others(repository)


async def test_what_a_repository_does_not_have_is_missing(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    with pytest.raises(Failure) as no_request:
        await stand.forge.pull_request(repository, 9_999)
    with pytest.raises(Failure) as no_content:
        await stand.forge.blob(repository, "1" * 40)
    assert (no_request.value.trouble, no_content.value.trouble) == (Trouble.MISSING, Trouble.MISSING)


# What people say


async def test_a_word_counts_in_the_next_look_after_it_was_pushed(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    for word in (b"enabled: false\n", b"enabled: true\n"):
        await stand.push(repository, "main", {CONFIG: word})
        standing = (await stand.forge.standings([repository]))[repository]
        assert (standing.config, (await look_at(stand, repository)).standing.config) == (word, word)


async def test_a_word_that_is_no_text_is_never_told_as_none(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD, CONFIG: b"enabled: false\0"})
    standing = (await stand.forge.standings([repository]))[repository]
    for each in (standing, (await look_at(stand, repository)).standing):
        assert each.config is not None or each.is_config_unread


async def test_a_pull_request_that_a_person_opened_from_the_bots_branch_is_theirs(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    own = await bring(stand, repository)
    await stand.close(repository, own.number)
    theirs = await stand.open_from(repository, BRANCH)
    look = await look_at(stand, repository)
    assert [(each.number, each.is_own) for each in look.pull_requests] == [(theirs, False), (own.number, True)]
    assert (look.open_own(own.number), await stand.forge.own_requests([repository])) == (None, {repository: ()})
    other = look.open_of_others(own.number)
    assert other is not None
    assert other.number == theirs


async def test_one_that_people_pointed_at_another_branch_is_told_with_it(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    node = request.node_id or ""
    await stand.push(repository, "release/1", {"README.md": b"new\n"})
    await stand.retarget(repository, request.number, "release/1")
    [shown] = (await look_at(stand, repository)).pull_requests
    state = (await stand.forge.follow_requests([node])).states[node]
    [own] = (await stand.forge.own_requests([repository]))[repository]
    assert (shown.base, state.base, state.onto, own.is_to_default) == ("release/1", "release/1", "main", False)
    assert shown.elsewhere("main") == state.elsewhere
    assert state.elsewhere is not None


# What is written


async def test_where_a_branch_has_moved_no_text_is_written(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    look = await look_at(stand, repository)
    change = change_for(look, NEWER)
    prepared = await stand.forge.prepare(repository, change)
    await stand.push(repository, BRANCH, {"fix.md": b"by hand"})
    with pytest.raises(BranchMoved):
        await stand.forge.carry_out(repository, change, prepared, request_for(look, "Refresh b", "other"))
    [shown] = (await look_at(stand, repository)).pull_requests
    assert (shown.number, shown.title, shown.body) == (request.number, "Refresh a", "why")


async def test_a_branch_goes_only_from_where_it_was_seen(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    seen = (await bring(stand, repository)).head
    pushed = await stand.push(repository, BRANCH, {"fix.md": b"by hand"})
    with pytest.raises(BranchMoved):
        await stand.forge.delete_branch(repository, BRANCH, seen)
    assert (await stand.branches(repository))[BRANCH] == pushed
    await stand.forge.delete_branch(repository, BRANCH, pushed)
    assert BRANCH not in await stand.branches(repository)


async def test_what_a_rule_refuses_leaves_nothing_behind(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await stand.refuse_branches(repository)
    with pytest.raises(Failure) as failed:
        await bring(stand, repository)
    assert (failed.value.meaning, bool(failed.value.advice)) == (Meaning.REFUSED, True)
    assert set(await stand.branches(repository)) == {"main"}
    assert (await look_at(stand, repository)).pull_requests == ()


async def test_the_longest_body_is_kept_whole(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await look_at(stand, repository)
    body = "why " * (most_body(repository.forge) // 4 - 1) + "end"
    change = change_for(look)
    await stand.forge.carry_out(repository, change, None, request_for(look, body=body))
    [shown] = (await look_at(stand, repository)).pull_requests
    [own] = (await stand.forge.own_requests([repository]))[repository]
    assert (shown.body, own.body) == (body, body)


async def test_one_may_begin_as_a_draft(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await look_at(stand, repository)
    made = replace(request_for(look), is_draft=True)
    await stand.forge.carry_out(repository, change_for(look), None, made)
    [shown] = (await look_at(stand, repository)).pull_requests
    assert (shown.is_draft, shown.is_open) == (True, True)


# What a pull request can do without


async def test_labels_go_that_are_wished_away_and_others_stay(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    wishes = Wishes(("freshness", "deps"))
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    await stand.forge.grant(repository, request, wishes, look)
    [labelled] = (await look_at(stand, repository)).pull_requests
    wishes = Wishes(unlabel=("deps", "never there"))
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    await stand.forge.grant(repository, labelled, wishes, look)
    [shown] = (await look_at(stand, repository)).pull_requests
    assert shown.labels == ("freshness",)


async def test_who_is_nobody_there_is_told_and_keeps_no_other_from_being_asked_once(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    wishes = Wishes(people=(NOBODY, stand.person))
    for _ in range(2):
        look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
        granted = await stand.forge.grant(repository, request, wishes, look)
        assert [each.wish for each in granted.refused] == [f"no review asked of {NOBODY}"]
        assert await stand.asked_for_review(repository, request.number) == [stand.person]


async def test_a_team_is_asked_beside_people_and_one_that_is_not_there_is_told(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    team = await stand.team()
    wishes = Wishes(people=(stand.person,), teams=(NOBODY, team))
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    granted = await stand.forge.grant(repository, request, wishes, look)
    assert [each.wish for each in granted.refused] == [f"no review asked of {NOBODY}"]
    assert await stand.asked_for_review(repository, request.number) == [stand.person, team]


async def test_who_cannot_be_assigned_is_told_with_why(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    wishes = Wishes(assignees=(NOBODY,))
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    [refused] = (await stand.forge.grant(repository, request, wishes, look)).refused
    assert (refused.wish, bool(refused.reason)) == (f"not assigned to {NOBODY}", True)
    [shown] = (await look_at(stand, repository)).pull_requests
    assert (shown.assignees, shown.is_open) == ((), True)


@WITH_WORK_ITEMS
async def test_a_work_item_that_a_policy_asks_for_is_told_until_one_is_linked(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await stand.ask_work_item(repository)
    wishes = Wishes(merge=MergeMethod.SQUASH)
    request = await bring(stand, repository)
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    assert look.requirements == MergeRequirements(can_wait=True, asks_work_item=True)
    [refused] = (await stand.forge.grant(repository, request, wishes, look)).refused
    stand.link_work_item(42)
    [still_refused] = (await stand.forge.grant(repository, request, wishes, look)).refused
    assert (refused.wish, still_refused.wish) == ("no work item linked", "no work item linked")
    assert (await stand.forge.grant(repository, request, NO_MERGE, look)).refused == ()
    await stand.close(repository, request.number)
    linked = await bring(stand, repository, NEWER)
    assert (await stand.forge.grant(repository, linked, wishes, look)).refused == ()
