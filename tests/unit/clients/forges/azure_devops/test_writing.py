"""What the bot changes in Azure Repos: how refusals are told, and what is asked for a change."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clients.forges.azure_devops.forge import AzureRepos
from bot.clients.forges.azure_devops.transport import identities_at
from bot.clients.http.client import Http
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.branches import BranchChange, FileChange
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import NO_MERGE, Granted, PullRequest, RequestChange, Wishes
from bot.domain.forge.refusals import AccessDenied, BranchMoved, BranchRefused, BranchRule
from bot.domain.repositories.repository import AZURE_DEVOPS, Identity
from bot.domain.rollouts.marker import SECTION
from bot.domain.rollouts.terms import MergeMethod
from sandbox.azure_devops.pull_requests import ADA
from sandbox.azure_devops.repos import CONTRIBUTE, CREATE, FORCE, PULL_REQUESTS, Home
from sandbox.azure_devops.service import IDENTITY, OPS, PROJECT, Service
from tests.builders import NOON
from tests.unit.clients.forges.azure_devops.playing import played, transports_of

BRANCH, PATH = "freshness/aspnet-10.0", "src/Dockerfile"


@dataclass(slots=True)
class Shop:
    """A repository with one file, and the bot that looks after it."""

    service: Service
    forge: AzureRepos
    home: Home
    identity: Identity

    async def look(self) -> BranchLook:
        return await self.forge.look(self.identity, BRANCH, [PATH])

    async def bring(self, content: bytes = b"FROM a:2\n") -> PullRequest:
        look = await self.look()
        assert look.trunk is not None
        before = None if look.branch is None else look.branch.sha
        files = (FileChange(PATH, content),)
        change = BranchChange(BRANCH, before, look.trunk.sha, look.trunk.tree, files, "Refresh a\n")
        request = RequestChange(BRANCH, "main", look.open_own(), "Refresh a", "why")
        prepared = await self.forge.prepare(self.identity, change)
        return await self.forge.carry_out(self.identity, change, prepared, request)

    def asked(self) -> list[str]:
        """What was asked of the repository, and no longer than until now."""
        paths = [
            f"{method} {path.partition(self.home.id + '/')[2].partition('/')[0]}"
            for method, path in self.service.asked
        ]
        self.service.asked.clear()
        return [path for path in paths if not path.endswith(" ")]


@pytest.fixture
async def shop(shared: Path) -> AsyncIterator[Shop]:
    clock = ManualClock(NOON)
    service = Service(shared / "azure-devops", clock)
    home = service.repos.create("shop", PROJECT)
    service.repos.push(home, "main", {PATH: b"FROM a:1\n"})
    identity = Identity("contoso/team one/shop", f"contoso/{PROJECT['id']}/git/{home.id}", AZURE_DEVOPS)
    async with Http(clock, transport=played(service)) as http:
        yield Shop(service, AzureRepos(transports_of(http, clock)), home, identity)
    assert service.mistakes == []


async def test_a_new_pull_request_is_one_push_and_one_request(shop: Shop) -> None:
    await shop.bring()
    writes = [each for each in shop.asked() if each.startswith("POST") and not each.endswith("blobs")]
    assert writes == ["POST pushes", "POST pullrequests"]


async def test_one_that_is_brought_onto_the_default_branch_is_made_aside_and_leaves_nothing(shop: Shop) -> None:
    await shop.bring()
    shop.service.repos.push(shop.home, "main", {"README.md": b"new"})
    shop.asked()
    await shop.bring(b"FROM a:3\n")
    writes = [each for each in shop.asked() if each.startswith(("POST", "PATCH")) and not each.endswith("blobs")]
    assert writes == ["POST pushes", "POST refs", "PATCH pullrequests"]
    assert shop.home.git.branches.keys() == {"main", BRANCH}


async def test_what_a_crash_has_left_aside_goes_first(shop: Shop) -> None:
    await shop.bring()
    left = shop.home.git.commit(shop.home.git.branches["main"], {"x": b""}, "left", "bot", NOON)
    shop.home.git.branches[f"{BRANCH}-next"] = left.sha
    shop.home.bots.add(f"{BRANCH}-next")
    shop.service.repos.push(shop.home, "main", {"README.md": b"new"})
    await shop.bring(b"FROM a:3\n")
    assert shop.home.git.branches.keys() == {"main", BRANCH}


@pytest.mark.parametrize("right", [CONTRIBUTE, CREATE, PULL_REQUESTS])
async def test_a_right_that_is_missing_is_told_as_azure_calls_it(shop: Shop, right: str) -> None:
    shop.service.lacking.add(right)
    with pytest.raises(AccessDenied) as failed:
        await shop.bring()
    assert failed.value.meaning is Meaning.REFUSED
    assert failed.value.advice == f"grant {right} under Project settings, Repositories, the repository, Security"


async def test_a_branch_that_others_made_is_not_forced(shop: Shop) -> None:
    shop.service.lacking.add(FORCE)
    shop.service.repos.push(shop.home, BRANCH, {PATH: b"FROM a:1\n# theirs\n"})
    with pytest.raises(BranchRefused) as failed:
        await shop.bring()
    assert failed.value.rule is BranchRule.FORCE_PUSH


async def test_a_branch_that_takes_pull_requests_alone_says_so(shop: Shop) -> None:
    shop.home.guarded = BRANCH
    with pytest.raises(BranchRefused) as failed:
        await shop.bring()
    assert failed.value.rule is BranchRule.PULL_REQUEST


async def test_who_was_faster_with_the_pull_request_is_met_by_looking_again(shop: Shop) -> None:
    look = await shop.look()
    first = await shop.bring()
    request = RequestChange(BRANCH, "main", None, "Refresh a", "why")
    with pytest.raises(Failure) as failed:
        await shop.forge.carry_out(shop.identity, None, None, request)
    assert (look.open_own(), failed.value.meaning) == (None, Meaning.TRANSIENT)
    found = (await shop.look()).open_own()
    assert found is not None
    assert found.number == first.number


async def test_a_text_that_lists_cut_is_read_to_its_end(shop: Shop) -> None:
    request = await shop.bring()
    text = "a line\n" * 300
    await shop.forge.carry_out(shop.identity, None, None, RequestChange(BRANCH, "main", request, None, text))
    [shown] = (await shop.look()).pull_requests
    assert shown.body == text
    [own] = (await shop.forge.own_requests([shop.identity]))[shop.identity]
    assert own.body == text


async def test_people_and_teams_are_asked_by_their_names_at_once_and_looked_up_once(shop: Shop) -> None:
    request, look = await shop.bring(), await shop.look()
    wishes = Wishes(("freshness",), people=("ADA@contoso.example",), teams=("shop ops",))
    shop.service.asked.clear()
    assert await shop.forge.grant(shop.identity, request, wishes, look) == Granted()
    [row] = shop.service.requests.rows.values()
    assert [each["id"] for each in row["reviewers"]] == [ADA["id"], OPS["id"]]
    assert (await shop.forge.pull_request(shop.identity, request.number)).labels == ("freshness",)
    before = len([path for _, path in shop.service.asked if path.endswith("/identities")])
    await shop.forge.grant(shop.identity, request, wishes, look)
    after = len([path for _, path in shop.service.asked if path.endswith("/identities")])
    assert (before, after) == (2, 2)


async def test_who_is_nobody_there_and_assignees_are_told_with_the_reason(shop: Shop) -> None:
    request, look = await shop.bring(), await shop.look()
    wishes = Wishes(people=("ada", "ada@contoso.example"), teams=("ops",), assignees=("bo",))
    granted = await shop.forge.grant(shop.identity, request, wishes, look)
    nobody = "nobody is called so there; name people by the address that they sign in with"
    assert [str(each) for each in granted.refused] == [
        "not assigned to bo: Azure Repos have no assignees",
        f"no review asked of ada: {nobody}",
        f"no review asked of ops: {nobody}",
    ]
    [row] = shop.service.requests.rows.values()
    assert [each["id"] for each in row["reviewers"]] == [ADA["id"]]


async def test_who_may_not_look_people_up_is_told_what_the_token_needs(shop: Shop) -> None:
    request, look = await shop.bring(), await shop.look()
    shop.service.lacking.add(IDENTITY)
    wishes = Wishes(("freshness",), people=("ada@contoso.example",))
    [refused] = (await shop.forge.grant(shop.identity, request, wishes, look)).refused
    assert refused.wish == "no review asked of ada@contoso.example"
    assert refused.reason.endswith("a token needs Identity (read) to look them up")


async def test_one_reviewer_who_is_not_taken_costs_neither_the_others_nor_the_merge(shop: Shop) -> None:
    shop.service.requests.guard(shop.home)
    request, wishes = await shop.bring(), Wishes(("freshness",), ("ada@contoso.example",), ("shop ops",))
    wishes = replace(wishes, merge=MergeMethod.SQUASH)
    look = await shop.forge.look(shop.identity, BRANCH, [PATH], wishes)
    for status in (400, 403, 404):
        shop.service.requests.no_reviewers = {OPS["id"]: status}
        granted = await shop.forge.grant(shop.identity, request, wishes, look)
        [refused] = granted.refused
        assert (refused.wish, granted.is_to_merge) == ("no review asked of shop ops", True)
        [row] = shop.service.requests.rows.values()
        assert [each["id"] for each in row.pop("reviewers")] == [ADA["id"]]


async def test_a_token_that_has_run_out_delays_a_review_and_loses_none(shop: Shop) -> None:
    request, look = await shop.bring(), await shop.look()
    shop.service.token = "another"
    with pytest.raises(Failure) as failed:
        await shop.forge.grant(shop.identity, request, Wishes(people=("ada@contoso.example",)), look)
    assert failed.value.meaning is Meaning.TRANSIENT


@pytest.mark.parametrize(
    "row",
    [
        {"id": "1", "properties": {"Account": "ada@contoso.example"}},
        {"properties": {"Account": {"$value": "ada@contoso.example"}}},
    ],
)
async def test_identities_of_another_shape_are_told_and_keep_nothing_else_back(
    shop: Shop, row: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    request, look = await shop.bring(), await shop.look()
    monkeypatch.setattr("sandbox.azure_devops.service.PEOPLE", (row,))
    wishes = Wishes(people=("ada@contoso.example",))
    [refused] = (await shop.forge.grant(shop.identity, request, wishes, look)).refused
    assert refused.reason.startswith("the list of identities has another shape")


async def test_a_person_and_a_team_of_one_name_are_both_asked(shop: Shop) -> None:
    request, look = await shop.bring(), await shop.look()
    wishes = Wishes(people=("shop ops",), teams=("shop ops",))
    [refused] = (await shop.forge.grant(shop.identity, request, wishes, look)).refused
    assert refused.reason.startswith("nobody is called so there")
    [row] = shop.service.requests.rows.values()
    assert [each["id"] for each in row["reviewers"]] == [OPS["id"]]


async def test_a_work_item_is_linked_where_one_is_set_and_else_told_where_a_policy_asks_for_it(shop: Shop) -> None:
    shop.service.requests.linking.add(shop.home.id)
    wishes = Wishes(merge=MergeMethod.SQUASH)
    request = await shop.bring()
    look = await shop.forge.look(shop.identity, BRANCH, [PATH], wishes)
    granted = await shop.forge.grant(shop.identity, request, wishes, look)
    way_out = "set azure_devops.organizations.contoso.work_item"
    assert [str(each) for each in granted.refused] == [
        f"no work item linked: a policy of its branch asks for one; {way_out}"
    ]
    shop.service.requests.abandon(request.number)
    shop.forge.work_items = {"contoso": 42}
    request = await shop.bring(b"FROM a:3\n")
    assert shop.service.requests.rows[request.number]["workItemRefs"] == [{"id": "42"}]
    assert (await shop.forge.grant(shop.identity, request, wishes, look)).refused == ()
    state = (await shop.forge.follow_requests([request.node_id or ""])).states[request.node_id or ""]
    assert state.is_ready


async def test_that_a_policy_asks_for_a_work_item_is_told_where_people_merge_too(shop: Shop) -> None:
    shop.service.requests.linking.add(shop.home.id)
    request, wishes = await shop.bring(), Wishes(("freshness",))
    look = await shop.forge.look(shop.identity, BRANCH, [PATH], wishes)
    [refused] = (await shop.forge.grant(shop.identity, request, wishes, look)).refused
    assert refused.wish == "no work item linked"


async def test_what_is_to_merge_no_more_needs_no_work_item(shop: Shop) -> None:
    shop.service.requests.linking.add(shop.home.id)
    request = await shop.bring()
    look = await shop.forge.look(shop.identity, BRANCH, [PATH], Wishes(merge=MergeMethod.SQUASH))
    assert await shop.forge.grant(shop.identity, request, NO_MERGE, look) == Granted()


async def test_a_name_that_nobody_has_is_asked_for_again_after_an_hour_alone(shop: Shop) -> None:
    request, look = await shop.bring(), await shop.look()
    clock, counts = shop.service.clock, []
    assert isinstance(clock, ManualClock)
    for minutes in (0, 59, 2):
        clock.advance(timedelta(minutes=minutes))
        await shop.forge.grant(shop.identity, request, Wishes(people=("bo",)), look)
        counts.append(len([path for _, path in shop.service.asked if path.endswith("/identities")]))
    assert counts == [1, 1, 2]


async def test_a_file_that_is_new_is_added(shop: Shop) -> None:
    look = await shop.look()
    assert look.trunk is not None
    change = BranchChange(
        *(BRANCH, None, look.trunk.sha, look.trunk.tree, (FileChange("new", b"x"),)), "Add a file\n"
    )
    aside = replace(change, is_aside=True)
    first = await shop.forge.prepare(shop.identity, aside)
    assert first is not None
    second = await shop.forge.prepare(shop.identity, replace(aside, onto=first, files=(FileChange("new", b"y"),)))
    request = RequestChange(BRANCH, "main", None, "Add a file", "why")
    await shop.forge.carry_out(shop.identity, aside, second, request)
    assert shop.home.git.text(shop.home.git.branches[BRANCH], "new") == "y"


async def test_what_moved_since_the_look_is_left(shop: Shop) -> None:
    request = await shop.bring()
    pushed = shop.service.repos.push(shop.home, BRANCH, {"fix": b"by hand"})
    with pytest.raises(BranchMoved):
        await shop.forge.delete_branch(shop.identity, BRANCH, request.head)
    assert shop.home.git.branches[BRANCH] == pushed


async def test_issues_and_findings_are_no_part_of_it(shop: Shop) -> None:
    with pytest.raises(Failure) as none:
        await shop.forge.find_issue(shop.identity, "freshness")
    with pytest.raises(Failure) as refused:
        await shop.forge.upload_findings(shop.identity, "c0ffee", "main", b"{}")
    assert (none.value.trouble, refused.value.lacks_a_right) == (Trouble.MISSING, True)


async def test_a_marker_that_a_body_has_no_room_for_stands_in_the_properties(shop: Shop) -> None:
    request = await shop.bring()
    marker = '<!-- freshness-bot facts {"v":1,"targets":[]} -->'
    body = f"{SECTION}sha256:a -->"
    change = RequestChange(BRANCH, "main", request, None, body, marker=marker)
    await shop.forge.carry_out(shop.identity, None, None, change)
    [shown] = (await shop.look()).pull_requests
    [own] = (await shop.forge.own_requests([shop.identity]))[shop.identity]
    assert (shown.marker, own.marker, shown.body) == (marker, marker, body)


async def test_a_request_that_is_for_no_rebuild_is_not_asked_for_a_marker(shop: Shop) -> None:
    await shop.bring()
    shop.service.asked.clear()
    await shop.look()
    await shop.forge.own_requests([shop.identity])
    assert not [path for _, path in shop.service.asked if path.endswith("/properties")]


async def test_one_that_people_abandon_is_closed_and_is_open_again_where_they_reactivate_it(shop: Shop) -> None:
    request = await shop.bring()
    node = request.node_id or ""
    shop.service.requests.abandon(request.number)
    closed = (await shop.forge.follow_requests([node])).states[node]
    shop.service.requests.reactivate(request.number)
    opened = (await shop.forge.follow_requests([node])).states[node]
    assert [(each.is_open, each.is_merged) for each in (closed, opened)] == [(False, False), (True, False)]
    assert (await shop.look()).open_own(request.number) is not None


def test_the_service_says_elsewhere_who_is_who_and_a_server_of_ones_own_does_itself() -> None:
    own = "https://ado.example.com/tfs"
    assert identities_at("https://dev.azure.com") == "https://vssps.dev.azure.com"
    assert identities_at(own) == own
