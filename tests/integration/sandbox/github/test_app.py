from collections.abc import Iterator

import pytest
from github import Auth, Github, GithubIntegration
from github.ContentFile import ContentFile
from github.GithubException import GithubException

from sandbox.world import World

REBUILD = "on: workflow_dispatch\n"


@pytest.fixture
def app(shared_world: World) -> Iterator[Github]:
    """GitHub as an installation of the bot's App sees it."""
    auth = Auth.AppAuth(shared_world.github.app_id, shared_world.github.private_key)
    installed = auth.get_installation_auth(shared_world.github.installation_id)
    url = shared_world.github.url
    with Github(
        auth=installed, base_url=url, retry=None, seconds_between_requests=0, seconds_between_writes=0
    ) as client:
        yield client


async def test_its_bot_opens_pull_requests(shared_world: World, app: Github) -> None:
    repository = app.get_repo(await shared_world.github.create_repository("by-app", {"Dockerfile": "FROM a\n"}))
    repository.create_git_ref("refs/heads/freshness/a", repository.get_git_ref("heads/main").object.sha)
    file = repository.get_contents("Dockerfile")
    assert isinstance(file, ContentFile)
    repository.update_file("Dockerfile", "Take b", "FROM b\n", file.sha, branch="freshness/a")
    pull = repository.create_pull(base="main", head="freshness/a", title="Take b", body="")
    assert (pull.user.login, pull.user.type) == ("freshness-bot[bot]", "Bot")


async def test_its_bot_starts_workflows(shared_world: World, app: Github) -> None:
    files = {".github/workflows/rebuild.yml": REBUILD}
    repository = app.get_repo(await shared_world.github.create_repository("app-run", files))
    run = repository.get_workflow("rebuild.yml").create_dispatch("main", throw=True, return_run_details=True)
    assert repository.get_workflow_run(run.id).actor.login == "freshness-bot[bot]"


async def test_a_narrower_token_may_not_start_workflows(shared_world: World) -> None:
    name = await shared_world.github.create_repository("narrow", {".github/workflows/rebuild.yml": REBUILD})
    auth = Auth.AppAuth(shared_world.github.app_id, shared_world.github.private_key)
    with GithubIntegration(auth=auth, base_url=shared_world.github.url) as integration:
        permissions = {"metadata": "read", "actions": "read"}
        token = integration.get_access_token(shared_world.github.installation_id, permissions=permissions).token
    with Github(
        auth=Auth.Token(token), base_url=shared_world.github.url, retry=None, seconds_between_requests=0
    ) as narrow:
        workflow = narrow.get_repo(name).get_workflow("rebuild.yml")
        with pytest.raises(GithubException) as refused:
            workflow.create_dispatch("main", throw=True)
    assert (refused.value.status, refused.value.data["message"]) == (403, "Resource not accessible by integration")


async def test_a_token_that_ran_out_is_refused(shared_world: World, app: Github) -> None:
    name = await shared_world.github.create_repository("ran-out", {"a": "1"})
    app.get_repo(name)
    shared_world.github.expire_installation_tokens()
    with pytest.raises(GithubException) as refused:
        app.get_repo(name)
    assert refused.value.status == 401
