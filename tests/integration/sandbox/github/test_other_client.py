"""An independent client of GitHub takes the sandbox for GitHub: its models parse what the bot leans on.

They are made from GitHub's description by others, and are newer than the one that the sandbox is held to.
"""

import base64
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from githubkit import AppAuthStrategy, GitHub, TokenAuthStrategy

from sandbox.world import World

VERSION: Literal["2022-11-28"] = "2022-11-28"
FILES = {"Dockerfile": "FROM a\n", ".github/workflows/rebuild.yml": "on: workflow_dispatch\n"}
HERE: dict[str, Any] = {"owner": "contoso", "repo": "independent"}


@pytest.fixture
async def github(world: World) -> AsyncIterator[GitHub[TokenAuthStrategy]]:
    await world.github.create_repository("independent", FILES)
    client = GitHub(
        TokenAuthStrategy(world.github.token), base_url=world.github.url, auto_retry=False, http_cache=False
    )
    async with client:
        yield client


async def changed(github: GitHub[TokenAuthStrategy]) -> None:
    """A branch with another Dockerfile, made from its blob up."""
    git: Any = github.rest(VERSION).git
    head = (await git.async_get_ref(**HERE, ref="heads/main")).parsed_data.object_.sha
    commit = (await git.async_get_commit(**HERE, commit_sha=head)).parsed_data
    blob = (await git.async_create_blob(**HERE, content="FROM b\n")).parsed_data
    entry = {"path": "Dockerfile", "mode": "100644", "type": "blob", "sha": blob.sha}
    tree = (await git.async_create_tree(**HERE, base_tree=commit.tree.sha, tree=[entry])).parsed_data
    made = await git.async_create_commit(**HERE, message="Take b", tree=tree.sha, parents=[head])
    await git.async_create_ref(**HERE, ref="refs/heads/b", sha=made.parsed_data.sha)


async def test_it_reads_repositories_with_their_files_and_rules(
    world: World, github: GitHub[TokenAuthStrategy]
) -> None:
    rest: Any = github.rest(VERSION)
    repository = (await rest.repos.async_get(**HERE)).parsed_data
    listed = (await rest.repos.async_list_for_org("contoso")).parsed_data
    assert repository.id in {each.id for each in listed}
    tree = (await rest.git.async_get_tree(**HERE, tree_sha="main", recursive="1")).parsed_data
    sha = next(entry.sha for entry in tree.tree if entry.path == "Dockerfile")
    blob = (await rest.git.async_get_blob(**HERE, file_sha=sha)).parsed_data
    assert base64.b64decode(blob.content) == b"FROM a\n"
    world.github.forbid("independent", "freshness/*", "creation")
    (rule,) = (await rest.repos.async_get_branch_rules(**HERE, branch="freshness/a")).parsed_data
    ruleset = (await rest.repos.async_get_repo_ruleset(**HERE, ruleset_id=rule.ruleset_id)).parsed_data
    assert (rule.type, ruleset.current_user_can_bypass) == ("creation", "never")
    await rest.rate_limit.async_get()
    await rest.orgs.async_get("contoso")


async def test_it_brings_a_pull_request_from_its_opening_to_its_merge(github: GitHub[TokenAuthStrategy]) -> None:
    await changed(github)
    rest: Any = github.rest(VERSION)
    opened = (await rest.pulls.async_create(**HERE, title="Take b", head="b", base="main", body="why")).parsed_data
    await rest.issues.async_add_labels(**HERE, issue_number=opened.number, labels=["base"])
    await rest.issues.async_create_comment(**HERE, issue_number=opened.number, body="seen")
    await rest.pulls.async_request_reviewers(**HERE, pull_number=opened.number, reviewers=["operator"])
    assert [each.number for each in (await rest.pulls.async_list(**HERE)).parsed_data] == [opened.number]
    assert {each.name for each in (await rest.issues.async_list_labels_for_repo(**HERE)).parsed_data} >= {"base"}
    await rest.pulls.async_merge(**HERE, pull_number=opened.number)
    assert (await rest.pulls.async_get(**HERE, pull_number=opened.number)).parsed_data.merged
    issue = (await rest.issues.async_create(**HERE, title="Bases", body="…", labels=["base"])).parsed_data
    await rest.issues.async_update(**HERE, issue_number=issue.number, state="closed")


async def test_it_starts_a_workflow_and_follows_its_run(github: GitHub[TokenAuthStrategy]) -> None:
    actions: Any = github.rest(VERSION).actions
    (workflow,) = (await actions.async_list_repo_workflows(**HERE)).parsed_data.workflows
    await actions.async_create_workflow_dispatch(**HERE, workflow_id=workflow.id, ref="main")
    (run,) = (await actions.async_list_workflow_runs(**HERE, workflow_id=workflow.id)).parsed_data.workflow_runs
    shown = (await actions.async_get_workflow_run(**HERE, run_id=run.id)).parsed_data
    assert (shown.event, shown.status) == ("workflow_dispatch", "queued")
    await actions.async_list_workflow_run_artifacts(**HERE, run_id=run.id)


async def test_it_signs_in_as_the_app(world: World) -> None:
    signing = AppAuthStrategy(world.github.app_id, world.github.private_key)
    async with GitHub(signing, base_url=world.github.url, auto_retry=False, http_cache=False) as github:
        apps = github.rest(VERSION).apps
        shown = (await apps.async_get_authenticated()).parsed_data
        assert shown is not None
        assert shown.owner.html_url.endswith("/contoso")
        (installation,) = (await apps.async_list_installations()).parsed_data
        token = (await apps.async_create_installation_access_token(installation.id)).parsed_data
        assert token.token
