"""What every forge must do, whichever it is."""

from dataclasses import replace

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import TakenIn
from bot.domain.forge.pull_requests import Granted, MergeRequirements, Wishes
from bot.domain.forge.refusals import BranchMoved, RepositoryArchived, RepositoryMoved
from bot.domain.repositories.issue import MARK, TITLE
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.marker import SECTION
from bot.domain.rollouts.terms import MergeMethod
from tests.integration.forges.changes import BRANCH, NEW, NEWER, OLD, PATH, bring, change_for, look_at, request_for
from tests.integration.forges.conftest import AZURE_REPOS, GITHUBS
from tests.integration.forges.stands import Stand

WITH_ISSUES = pytest.mark.parametrize("where_it_lives", GITHUBS, indirect=True)
"""What is said of forges that have issues and code scanning as well."""


def gone_beside(repository: Identity) -> Identity:
    """One that is not there, where that one is."""
    return replace(repository, name=f"{repository.name}-gone", node_id=f"{repository.node_id}gone")


# Looking


async def test_a_repository_is_listed_with_ids_that_stay(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    listed = {item.node_id: item for item in await stand.forge.repositories(["contoso"])}
    assert listed[repository.node_id].name == repository.name
    number = listed[repository.node_id].id
    name = await stand.rename(repository)
    listed = {item.node_id: item for item in await stand.forge.repositories(["contoso"])}
    assert (listed[repository.node_id].name, listed[repository.node_id].id) == (name, number)


async def test_a_look_shows_the_files_asked_for_and_nothing_of_a_branch_that_is_not_there(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD, "other": b"x"}, executable=("run.sh",))
    look = await stand.forge.look(repository, BRANCH, [PATH, "missing"])
    assert (look.branch, look.pull_requests, look.standing.default_branch) == (None, (), "main")
    assert look.trunk is not None
    assert {path: (file.content, file.mode) for path, file in look.trunk.files.items()} == {PATH: (OLD, "100644")}
    assert not look.trunk.is_own


async def test_a_look_tells_the_mode_of_a_file(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD}, executable=(PATH,))
    look = await look_at(stand, repository)
    assert look.trunk is not None
    assert look.trunk.files[PATH].mode == "100755"


async def test_many_files_are_looked_at(stand: Stand) -> None:
    files = {f"{number}/Dockerfile": b"FROM a:%d\n" % number for number in range(90)}
    repository = await stand.repository(files)
    look = await stand.forge.look(repository, BRANCH, list(files))
    assert look.trunk is not None
    assert {path: file.content for path, file in look.trunk.files.items()} == files


async def test_a_renamed_repository_is_looked_at_under_its_new_name(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    name = await stand.rename(repository)
    assert (await look_at(stand, repository)).standing.identity == replace(repository, name=name)
    tree = await stand.forge.tree(repository, "main")
    assert tree is not None
    assert PATH in {entry.path for entry in tree.entries}


async def test_what_is_gone_is_missing(stand: Stand) -> None:
    gone = gone_beside(await stand.repository({PATH: OLD}))
    with pytest.raises(Failure) as failed:
        await stand.forge.look(gone, BRANCH, [PATH])
    assert failed.value.trouble is Trouble.MISSING


async def test_many_repositories_say_what_they_want(stand: Stand) -> None:
    plain = await stand.repository({PATH: OLD})
    asking = await stand.repository({".github/freshness.yaml": b"enabled: false\n"})
    archived = await stand.repository({PATH: OLD})
    await stand.archive(archived)
    gone = gone_beside(plain)
    found = await stand.forge.standings([plain, asking, archived, gone])
    assert found.keys() == {plain, asking, archived}
    assert (found[plain].config, found[plain].read_only) == (None, None)
    assert found[asking].config == b"enabled: false\n"
    assert found[archived].read_only in ("archived", "disabled")
    assert (found[archived].is_archived, found[plain].is_archived) == (True, False)
    assert found[plain].head == (await stand.branches(plain))["main"]
    assert (found[plain].identity, found[plain].default_branch) == (plain, "main")


async def test_a_repository_is_read_under_its_new_name(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    name = await stand.rename(repository)
    tree = await stand.forge.tree(repository, "main")
    assert tree is not None
    assert PATH in {entry.path for entry in tree.entries if entry.is_file}
    standing = (await stand.forge.standings([repository]))[repository]
    assert standing.identity == replace(repository, name=name)


async def test_a_tree_tells_modes_and_is_the_same_while_nothing_is_pushed(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD}, executable=(PATH,))
    tree = await stand.forge.tree(repository, "main")
    assert tree is not None
    assert {entry.path: entry.mode for entry in tree.entries if entry.is_file} == {
        "README.md": "100644",
        PATH: "100755",
    }
    known = await stand.forge.tree(repository, "main", tree.sha)
    assert known is not None
    assert known.sha == tree.sha
    await stand.push(repository, "main", {PATH: NEW})
    moved = await stand.forge.tree(repository, "main", tree.sha)
    assert moved is not None
    assert (moved.sha == tree.sha, PATH in {entry.path for entry in moved.entries}) == (False, True)


async def test_contents_come_by_their_names(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD, "b": NEW, "big": b"# " + b"x" * 600_000 + b"\n"})
    tree = await stand.forge.tree(repository, "main")
    assert tree is not None
    shas = {entry.path: entry.sha for entry in tree.entries if entry.is_file}
    found = await stand.forge.blobs(repository, [shas[PATH], shas["b"], shas["big"]])
    assert (found[shas[PATH]], found[shas["b"]], len(found[shas["big"]])) == (OLD, NEW, 600_003)


async def test_open_ones_of_others_are_seen_with_their_files(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await look_at(stand, repository)
    head = await stand.push(repository, "renovate/aspnet", {PATH: NEW})
    theirs = replace(request_for(look), branch="renovate/aspnet")
    opened = await stand.forge.carry_out(repository, None, None, theirs)
    (other,) = (await look_at(stand, repository)).others
    assert other.base == "main"
    assert (other.number, other.head, other.branch, other.bot) == (
        opened.number,
        head,
        "renovate/aspnet",
        "Renovate",
    )
    tips = await stand.forge.tips(repository, [head, "1" * 40], [PATH, "missing"])
    assert tips.keys() == {head}
    assert {path: file.content for path, file in tips[head].files.items()} == {PATH: NEW}


# A pull request


async def test_a_new_pull_request_has_its_branch_and_text(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD, "README.md": b"shop\n"})
    request = await bring(stand, repository)
    look = await look_at(stand, repository)
    assert look.branch is not None
    assert (look.branch.is_own, look.branch.files[PATH].content) == (True, NEW)
    assert look.branch.message.startswith("Refresh a\n")
    assert "Freshness-Base: a@2" in look.branch.message.splitlines()
    (shown,) = look.pull_requests
    assert (shown.number, shown.title, shown.body, shown.is_open) == (request.number, "Refresh a", "why", True)
    assert (shown.base, shown.is_own) == ("main", True)
    assert await stand.content(repository, "main", PATH) == OLD
    assert await stand.content(repository, BRANCH, "README.md") == b"shop\n"


async def test_the_bots_own_open_requests_are_told_for_many_repositories_with_their_last_commit(
    stand: Stand,
) -> None:
    first, second, none = [await stand.repository({PATH: OLD}) for _ in range(3)]
    made = await bring(stand, first)
    closed = await bring(stand, second)
    await stand.forge.close_pull_request(second, closed, body="closed")
    gone = gone_beside(none)

    told = await stand.forge.own_requests([first, second, none, gone])

    assert told.keys() == {first, second, none}
    assert (told[second], told[none]) == ((), ())
    [own] = told[first]
    assert (own.number, own.node_id, own.url, own.branch) == (made.number, made.node_id, made.url, BRANCH)
    assert (own.is_to_default, own.body) == (True, made.body)
    assert own.commit is not None
    look = await look_at(stand, first)
    assert look.branch is not None
    assert own.commit.strip() == look.branch.message.strip()

    await stand.push(first, BRANCH, {PATH: NEWER})
    [peoples] = (await stand.forge.own_requests([first]))[first]
    assert peoples.commit is None


async def test_those_that_were_merged_are_told_too_with_their_last_commit(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    made = await bring(stand, repository)
    [opened] = (await stand.forge.own_requests([repository]))[repository]
    await stand.merge(repository, made.number)
    [own] = (await stand.forge.own_requests([repository]))[repository]
    assert (own.number, own.node_id, own.is_merged, own.body) == (made.number, made.node_id, True, made.body)
    assert (opened.is_merged, own.commit) == (False, opened.commit)
    assert own.commit is not None


async def test_a_branch_moves_to_other_content_with_its_text_and_leaves_nothing_behind(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    first = await bring(stand, repository)
    await stand.push(repository, "main", {"README.md": b"new\n"})
    look = await look_at(stand, repository)
    change = change_for(look, NEWER)
    prepared = await stand.forge.prepare(repository, change)
    changed = await stand.forge.carry_out(repository, change, prepared, request_for(look, "Refresh b", None))
    assert (changed.number, changed.title, changed.body) == (first.number, "Refresh b", "why")
    assert await stand.content(repository, BRANCH, PATH) == NEWER
    assert await stand.content(repository, BRANCH, "README.md") == b"new\n"
    assert (await stand.branches(repository)).keys() == {"main", BRANCH}
    assert (await look_at(stand, repository)).pull_requests[0].is_open


async def test_peoples_commits_are_built_upon(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await bring(stand, repository)
    await stand.push(repository, BRANCH, {"fix.md": b"by hand"})
    look = await look_at(stand, repository)
    assert look.branch is not None
    assert not look.branch.is_own
    change = replace(change_for(look, NEWER), onto=look.branch.sha, onto_tree=look.branch.tree)
    prepared = await stand.forge.prepare(repository, change)
    await stand.forge.carry_out(repository, change, prepared, request_for(look, None, None))
    assert await stand.content(repository, BRANCH, PATH) == NEWER
    assert await stand.content(repository, BRANCH, "fix.md") == b"by hand"


@pytest.mark.parametrize("when", ["before the commit is prepared", "after"])
async def test_a_push_since_the_look_is_never_written_over(stand: Stand, when: str) -> None:
    repository = await stand.repository({PATH: OLD})
    await bring(stand, repository)
    look = await look_at(stand, repository)
    change = change_for(look, NEWER)
    prepared = await stand.forge.prepare(repository, change) if when == "after" else None
    pushed = await stand.push(repository, BRANCH, {"fix.md": b"by hand"})
    prepared = prepared or await stand.forge.prepare(repository, change)
    with pytest.raises(BranchMoved):
        await stand.forge.carry_out(repository, change, prepared, request_for(look, None, None))
    assert (await stand.branches(repository))[BRANCH] == pushed


async def test_a_branch_that_somebody_made_since_the_look_is_left(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await look_at(stand, repository)
    pushed = await stand.push(repository, BRANCH, {"fix.md": b"by hand"})
    with pytest.raises(BranchMoved):
        await stand.forge.carry_out(repository, change_for(look), None, request_for(look))
    assert (await stand.branches(repository))[BRANCH] == pushed


async def test_an_executable_file_stays_one(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD}, executable=(PATH,))
    look = await look_at(stand, repository)
    change = change_for(look, mode="100755")
    prepared = await stand.forge.prepare(repository, change)
    assert prepared is not None
    await stand.forge.carry_out(repository, change, prepared, request_for(look))
    look = await look_at(stand, repository)
    assert look.branch is not None
    assert (look.branch.files[PATH].mode, look.branch.files[PATH].content) == ("100755", NEW)
    assert look.branch.is_own


async def test_text_alone_changes_without_a_commit(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await bring(stand, repository)
    before = await stand.branches(repository)
    look = await look_at(stand, repository)
    changed = await stand.forge.carry_out(repository, None, None, request_for(look, None, "more"))
    assert (changed.title, changed.body) == ("Refresh a", "more")
    assert await stand.branches(repository) == before


@pytest.mark.parametrize("where_it_lives", ["fake", AZURE_REPOS], indirect=True)
async def test_what_a_body_has_no_room_for_is_told_beside_it(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await bring(stand, repository)
    marker = '<!-- freshness-bot facts {"v":1,"targets":[]} -->'
    body = f"{SECTION}sha256:a -->"
    look = await look_at(stand, repository)
    await stand.forge.carry_out(repository, None, None, replace(request_for(look, None, body), marker=marker))
    [shown] = (await look_at(stand, repository)).pull_requests
    [own] = (await stand.forge.own_requests([repository]))[repository]
    assert (shown.marker, own.marker, shown.body, own.body) == (marker, marker, body, body)


async def test_a_closed_pull_request_keeps_its_last_words(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    await stand.forge.close_pull_request(repository, request, body="closed, since")
    (shown,) = (await look_at(stand, repository)).pull_requests
    assert (shown.is_open, shown.is_merged, shown.body) == (False, False, "closed, since")


@WITH_ISSUES
async def test_writing_under_an_old_name_is_told_or_lands_in_the_same_repository(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await stand.rename(repository)
    with pytest.raises(RepositoryMoved):
        await stand.forge.open_issue(repository, TITLE, MARK, "freshness")


async def test_a_write_to_an_archived_repository_says_so(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    await stand.archive(repository)
    with pytest.raises(RepositoryArchived):
        await stand.forge.close_pull_request(repository, request, body="closed, since")


async def test_labels_are_added_to_those_that_are_there(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    request = await bring(stand, repository)
    for labels in (("freshness",), ("deps", "freshness")):
        wishes = Wishes(labels)
        look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
        assert await stand.forge.grant(repository, request, wishes, look) == Granted()
    (shown,) = (await look_at(stand, repository)).pull_requests
    assert sorted(shown.labels) == ["deps", "freshness"]


async def test_it_is_set_to_merge_once_its_checks_are_green_and_unset_again(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await stand.require_check(repository)
    request = await bring(stand, repository)
    wishes = Wishes(merge=MergeMethod.SQUASH)
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    assert look.requirements == MergeRequirements(requires_checks=True, can_wait=True)
    granted = await stand.forge.grant(repository, request, wishes, look)
    assert granted == Granted(is_to_merge=True)
    (shown,) = (await look_at(stand, repository)).pull_requests
    assert (shown.is_to_merge, shown.is_to_merge_by_us, shown.is_open) == (True, True, True)
    state = (await stand.forge.follow_requests([request.node_id or ""])).states[request.node_id or ""]
    assert (state.is_to_merge, state.is_ready) == (True, False)
    await stand.forge.grant(repository, request, Wishes(no_merge=True), look)
    (shown,) = (await look_at(stand, repository)).pull_requests
    assert not shown.is_to_merge


async def test_what_is_green_already_is_merged_at_once(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await stand.require_check(repository)
    request = await bring(stand, repository)
    await stand.pass_check(repository, request.head)
    wishes = Wishes(merge=MergeMethod.MERGE)
    look = await stand.forge.look(repository, BRANCH, [PATH], wishes)
    granted = await stand.forge.grant(repository, request, wishes, look)
    assert granted == Granted(is_to_merge=True)
    (shown,) = (await look_at(stand, repository)).pull_requests
    assert shown.is_merged


async def test_where_nothing_is_required_the_gate_is_open(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await stand.forge.look(repository, BRANCH, [PATH], Wishes(merge=MergeMethod.MERGE))
    assert not look.requirements.requires_checks


# Following


async def test_pull_requests_are_followed_together(stand: Stand) -> None:
    requests = {}
    for name in ("open", "merged", "closed"):
        repository = await stand.repository({PATH: OLD})
        requests[name] = await bring(stand, repository)
        if name == "merged":
            await stand.merge(repository, requests[name].number)
        if name == "closed":
            await stand.close(repository, requests[name].number)
    nodes = {name: request.node_id or "" for name, request in requests.items()}
    shown = (await stand.forge.follow_requests([*nodes.values(), "PR_gone"])).states
    assert shown.keys() == set(nodes.values())
    states = {name: (shown[node].is_open, shown[node].is_merged) for name, node in nodes.items()}
    assert states == {"open": (True, False), "merged": (False, True), "closed": (False, False)}
    assert {(shown[node].base, shown[node].onto) for node in nodes.values()} == {("main", "main")}


async def test_a_commit_contains_itself_and_what_it_comes_after(stand: Stand) -> None:
    repository = await stand.repository({"README.md": b"shop"})
    first = (await stand.branches(repository))["main"]
    later = await stand.push(repository, "main", {"NEWS.md": b"more"})
    contains = stand.forge.contains
    assert [await contains(repository, commit, first) for commit in (first, later)] == [True, True]
    assert not await contains(repository, first, later)
    assert not await contains(repository, "0" * 40, first)
    assert await contains(repository, "main", first)
    assert not await contains(repository, "release/1", first)


# The issue


@WITH_ISSUES
async def test_the_issue_is_found_by_its_mark_edited_and_closed(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    assert await stand.forge.find_issue(repository, "freshness") is None
    made = await stand.forge.open_issue(repository, TITLE, f"{MARK}\nfirst", "freshness")
    assert await stand.forge.find_issue(repository, "freshness") == made
    assert await stand.forge.find_issue(repository, "freshness", "<!-- another -->") is None
    await stand.forge.change_issue(repository, made.number, f"{MARK}\nsecond", is_open=True)
    assert await stand.forge.issue(repository, made.number) == replace(made, body=f"{MARK}\nsecond")
    await stand.forge.change_issue(repository, made.number, f"{MARK}\nover", is_open=False)
    assert await stand.forge.find_issue(repository, "freshness") is None
    assert await stand.forge.issue(repository, made.number + 100) is None


# Several commits


async def test_several_commits_become_one_move(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await look_at(stand, repository)
    first = replace(change_for(look, NEW), is_aside=True, message="First\n")
    one = await stand.forge.prepare(repository, first)
    assert one is not None
    assert BRANCH not in await stand.branches(repository)
    second = replace(change_for(look, NEWER), onto=one, is_aside=True, message="Second\n")
    two = await stand.forge.prepare(repository, second)
    request = await stand.forge.carry_out(repository, second, two, request_for(look))
    tips = await stand.forge.tips(repository, [one], [PATH])
    assert tips[one].files[PATH].content == NEW
    look = await look_at(stand, repository)
    assert look.branch is not None
    assert (look.branch.sha, look.branch.is_own, look.branch.message.strip()) == (two, True, "Second")
    assert look.branch.files[PATH].content == NEWER
    assert (request.is_open, request.head) == (True, two)
    assert await stand.branches(repository) == {BRANCH: two, "main": look.trunk.sha if look.trunk else ""}


async def test_several_commits_take_the_place_of_what_was_there(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    await bring(stand, repository)
    look = await look_at(stand, repository)
    change = replace(change_for(look, NEWER), is_aside=True)
    one = await stand.forge.prepare(repository, change)
    assert one is not None
    last = replace(change, onto=one, files=(), message="Nothing more\n")
    two = await stand.forge.prepare(repository, last)
    request = await stand.forge.carry_out(repository, last, two, request_for(look))
    assert request.is_open
    assert await stand.content(repository, BRANCH, PATH) == NEWER


# Code scanning


@WITH_ISSUES
async def test_findings_are_taken_for_a_commit_where_code_scanning_is_on(stand: Stand) -> None:
    repository = await stand.repository({PATH: OLD})
    look = await look_at(stand, repository)
    assert look.trunk is not None
    log = b'{"version": "2.1.0", "runs": []}'
    await stand.let_scan(repository, on=True)
    upload = await stand.forge.upload_findings(repository, look.trunk.sha, "main", log)
    assert await stand.scans(repository) == [look.trunk.sha]
    assert await stand.forge.taken_in(repository, upload) == TakenIn()
    await stand.reject_scans(repository)
    assert (await stand.forge.taken_in(repository, upload)).errors
    with pytest.raises(Failure) as unheard_of:
        await stand.forge.taken_in(repository, "no-such-upload")
    assert unheard_of.value.trouble is Trouble.MISSING
    await stand.let_scan(repository, on=False)
    with pytest.raises(Failure) as refused:
        await stand.forge.upload_findings(repository, look.trunk.sha, "main", log)
    assert refused.value.trouble is Trouble.DENIED
