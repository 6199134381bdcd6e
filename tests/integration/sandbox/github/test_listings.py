from datetime import UTC, datetime
from typing import Any

import pytest
from github import Auth, Github, GithubIntegration
from github.ContentFile import ContentFile
from github.GithubException import GithubException

from sandbox.world import World

DOCKERFILE = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"


async def test_an_organisations_repositories_come_in_pages_that_lead_on(shared_world: World, bot: Github) -> None:
    names = [await shared_world.github.create_repository(f"page-{number}", {"a": "1"}) for number in range(5)]
    bot.per_page = 2
    listed = [repository.full_name for repository in bot.get_organization("contoso").get_repos()]
    assert set(names) <= set(listed)
    assert len(listed) == len(set(listed))
    assert len(shared_world.traffic.requests("github", "GET", "/orgs/contoso/repos")) == -(-len(listed) // 2)


async def test_the_emulator_is_searched_once_for_all_pages_and_again_after_a_change(
    shared_world: World, bot: Github, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, searched = shared_world.github.edge, 0
    plain = edge.ask

    async def ask(method: str, path: str, **options: Any) -> Any:
        nonlocal searched
        searched += path.startswith("/search/") and path.endswith("&page=1")
        return await plain(method, path, **options)

    monkeypatch.setattr(edge, "ask", ask)
    for number in range(3):
        await shared_world.github.create_repository(f"searched-{number}", {"a": "1"})
    bot.per_page = 1
    organisation = bot.get_organization("contoso")
    assert len(list(organisation.get_repos())) > 2
    assert searched == 1
    name = await shared_world.github.create_repository("searched-later", {"a": "1"})
    assert name in [repository.full_name for repository in organisation.get_repos()]
    edge.overlays[name]["archived"] = True
    assert name in [repository.full_name for repository in organisation.get_repos() if repository.archived]
    assert searched == 3


async def test_a_repository_shows_its_flags(shared_world: World, bot: Github) -> None:
    pushed = datetime(2024, 2, 29, 12, tzinfo=UTC)
    flags = {"topics": ["dotnet"], "fork": True, "pushed_at": "2024-02-29T12:00:00Z", "private": True}
    name = await shared_world.github.create_repository("flags", {"a": "1"}, archived=True, **flags)
    seen = bot.get_repo(name)
    assert (seen.archived, seen.fork, seen.private, seen.topics, seen.pushed_at) == (
        True,
        True,
        True,
        ["dotnet"],
        pushed,
    )


async def test_archived_repositories_refuse_every_write(shared_world: World, bot: Github) -> None:
    repository = bot.get_repo(await shared_world.github.create_repository("attic", {"a": "1"}, archived=True))
    with pytest.raises(GithubException) as refused:
        repository.create_issue("anyone there?")
    assert (refused.value.status, refused.value.data["message"]) == (
        403,
        "Repository was archived so is read-only.",
    )


async def test_a_user_sees_the_repositories_of_its_organisations(shared_world: World, bot: Github) -> None:
    name = await shared_world.github.create_repository("mine", {"a": "1"})
    assert name in [repository.full_name for repository in bot.get_user().get_repos()]


async def test_files_and_trees_can_be_read(shared_world: World, bot: Github) -> None:
    files: dict[str, str | bytes | None] = {"src/shop/Dockerfile": DOCKERFILE, "logo.bin": b"\xff\x00"}
    repository = bot.get_repo(await shared_world.github.create_repository("files", files))
    tree = {entry.path: entry.type for entry in repository.get_git_tree("main", recursive=True).tree}
    assert tree == {"src": "tree", "src/shop": "tree", "src/shop/Dockerfile": "blob", "logo.bin": "blob"}
    logo = repository.get_contents("logo.bin")
    assert isinstance(logo, ContentFile)
    assert logo.decoded_content == b"\xff\x00"
    assert await shared_world.github.read("files", "src/shop/Dockerfile") == DOCKERFILE


async def test_an_app_lists_what_its_installation_sees_and_nothing_outside_its_permissions(
    shared_world: World, bot: Github
) -> None:
    name = await shared_world.github.create_repository("installed", {"a": "1"}, private=True)
    auth = Auth.AppAuth(shared_world.github.app_id, shared_world.github.private_key)
    with GithubIntegration(auth=auth, base_url=shared_world.github.url) as app:
        [installation] = app.get_installations()
        assert name in [repository.full_name for repository in installation.get_repos()]
        token = app.get_access_token(installation.id, permissions={"metadata": "read", "contents": "read"}).token
    with Github(
        auth=Auth.Token(token), base_url=shared_world.github.url, retry=None, seconds_between_requests=0
    ) as narrow:
        file = narrow.get_repo(name).get_contents("a")
        assert isinstance(file, ContentFile)
        assert file.decoded_content == b"1"
        with pytest.raises(GithubException) as refused:
            narrow.get_repo(name).get_workflow_runs()[0]
    assert (refused.value.status, refused.value.data["message"]) == (403, "Resource not accessible by integration")


async def test_a_wrong_token_is_refused(shared_world: World) -> None:
    with (
        Github(
            auth=Auth.Token("stale"), base_url=shared_world.github.url, retry=None, seconds_between_requests=0
        ) as stranger,
        pytest.raises(GithubException) as refused,
    ):
        stranger.get_organization("contoso")
    assert (refused.value.status, refused.value.data["message"]) == (401, "Bad credentials")


async def test_what_did_not_change_is_a_304_that_costs_nothing(shared_world: World, bot: Github) -> None:
    repository = bot.get_repo(await shared_world.github.create_repository("same", {"a": "1"}))
    remaining = bot.rate_limiting[0]
    assert repository.update() is False
    assert bot.rate_limiting[0] == remaining
    await shared_world.github.ask("PATCH", "/repos/contoso/same", {"description": "another"})
    assert repository.update() is True
    [first, unchanged, changed] = shared_world.traffic.requests("github", "GET", "/repos/contoso/same$")
    assert [entry.status for entry in (first, unchanged, changed)] == [200, 304, 200]


async def test_a_push_moves_pushed_at(shared_world: World, bot: Github) -> None:
    name = await shared_world.github.create_repository("moving", {"a": "1"}, pushed_at="2024-01-01T00:00:00Z")
    await shared_world.github.push("moving", {"a": "2"})
    assert bot.get_repo(name).pushed_at.year > 2024


async def test_the_rate_limit_is_told_and_kept(world: World) -> None:
    world.github.edge.limits.rest = 2
    with Github(
        auth=Auth.Token(world.github.token), base_url=world.github.url, retry=None, seconds_between_requests=0
    ) as client:
        client.get_organization("contoso")
        assert client.rate_limiting == (1, 2)
        client.get_organization("contoso")
        with pytest.raises(GithubException) as refused:
            client.get_organization("contoso")
    assert refused.value.headers is not None
    assert refused.value.headers["x-ratelimit-remaining"] == "0"
    assert "API rate limit exceeded" in refused.value.data["message"]


async def test_a_repository_without_commits_is_a_409(shared_world: World, bot: Github) -> None:
    repository = bot.get_organization("contoso").create_repo("without-commits")
    with pytest.raises(GithubException) as refused:
        repository.get_git_tree("main", recursive=True)
    assert (refused.value.status, refused.value.data["message"]) == (409, "Git Repository is empty.")


async def test_names_with_escapes_arrive_as_they_were_sent(shared_world: World, bot: Github) -> None:
    files = {"docker/my image #1/Dockerfile": DOCKERFILE}
    repository = bot.get_repo(await shared_world.github.create_repository("escapes", files))
    file = repository.get_contents("docker/my image #1/Dockerfile")
    assert isinstance(file, ContentFile)
    assert file.decoded_content.decode() == DOCKERFILE


async def test_asking_for_the_rate_limit_is_free(shared_world: World, bot: Github) -> None:
    before = bot.get_rate_limit().rate.used
    assert bot.get_rate_limit().rate.used == before
