import asyncio

import pytest
from github import Github, InputGitTreeElement
from github.GithubException import GithubException
from github.PullRequest import PullRequest
from github.Repository import Repository

from sandbox.world import World

OLD, NEW = "FROM dotnet/aspnet:8.0.21\n", "FROM dotnet/aspnet:8.0.22\n"
BRANCH = "freshness/aspnet-8.0"


def commit(repository: Repository, files: dict[str, str], parent: str) -> str:
    """A commit through Git's data API, as the bot makes them."""
    base = repository.get_git_commit(parent)
    elements = [InputGitTreeElement(path, "100644", "blob", content=text) for path, text in files.items()]
    tree = repository.create_git_tree(elements, base.tree)
    return repository.create_git_commit("Take aspnet 8.0.22", tree, [base]).sha


def main_of(repository: Repository) -> str:
    return repository.get_git_ref("heads/main").object.sha


async def opened(world: World, bot: Github, name: str) -> tuple[Repository, PullRequest]:
    files = {"Dockerfile": OLD, "other.txt": "1\n"}
    repository = bot.get_repo(await world.github.create_repository(name, files))
    sha = commit(repository, {"Dockerfile": NEW}, main_of(repository))
    repository.create_git_ref(f"refs/heads/{BRANCH}", sha)
    return repository, repository.create_pull(base="main", head=BRANCH, title="Take aspnet 8.0.22", body="why")


def refusal(error: pytest.ExceptionInfo[GithubException]) -> tuple[int, str]:
    data = error.value.data
    errors = data.get("errors") or [{}]
    return error.value.status, errors[0].get("message") or data["message"]


async def test_a_merged_pull_request_changes_the_default_branch(shared_world: World, bot: Github) -> None:
    repository, pull = await opened(shared_world, bot, "merged")
    sha = await shared_world.github.merge("merged", pull.number)
    assert main_of(repository) == sha
    assert await shared_world.github.read("merged", "Dockerfile") == NEW
    pull.update()
    assert (pull.merged, pull.state, pull.merge_commit_sha) == (True, "closed", sha)


async def test_a_second_pull_request_for_a_branch_is_a_422(shared_world: World, bot: Github) -> None:
    repository, _ = await opened(shared_world, bot, "twice")
    with pytest.raises(GithubException) as error:
        repository.create_pull(base="main", head=BRANCH, title="again", body="")
    assert refusal(error) == (422, f"A pull request already exists for contoso:{BRANCH}.")


async def test_of_two_pull_requests_at_once_for_a_branch_one_is_opened(shared_world: World, bot: Github) -> None:
    repository = bot.get_repo(await shared_world.github.create_repository("at-once", {"Dockerfile": OLD}))
    sha = commit(repository, {"Dockerfile": NEW}, main_of(repository))
    repository.create_git_ref(f"refs/heads/{BRANCH}", sha)

    def open_one() -> PullRequest:
        return repository.create_pull(base="main", head=BRANCH, title="Take aspnet 8.0.22", body="why")

    ends = await asyncio.gather(*(asyncio.to_thread(open_one) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(end, PullRequest) for end in ends) == 1
    assert [pull.number for pull in repository.get_pulls(state="all")] == [1]


async def test_a_pull_request_is_found_by_its_head(shared_world: World, bot: Github) -> None:
    repository, pull = await opened(shared_world, bot, "by-head")
    found = repository.get_pulls(state="open", head=f"contoso:{BRANCH}")
    assert [row.number for row in found] == [pull.number]
    assert list(repository.get_pulls(state="open", head="contoso:other")) == []


async def test_a_pull_request_without_commits_or_branch_is_a_422(shared_world: World, bot: Github) -> None:
    repository = bot.get_repo(await shared_world.github.create_repository("empty", {"a": "1"}))
    repository.create_git_ref("refs/heads/same", main_of(repository))
    with pytest.raises(GithubException) as error:
        repository.create_pull(base="main", head="same", title="nothing", body="")
    assert refusal(error) == (422, "No commits between main and same")
    with pytest.raises(GithubException) as error:
        repository.create_pull(base="main", head="gone", title="nothing", body="")
    assert error.value.data["errors"] == [{"resource": "PullRequest", "field": "head", "code": "invalid"}]


async def test_a_branch_is_made_once_and_moves_forward_only(shared_world: World, bot: Github) -> None:
    repository, _ = await opened(shared_world, bot, "forward")
    start = main_of(repository)
    with pytest.raises(GithubException) as error:
        repository.create_git_ref(f"refs/heads/{BRANCH}", start)
    assert refusal(error) == (422, "Reference already exists")
    beside = commit(repository, {"Dockerfile": "FROM other\n"}, start)
    with pytest.raises(GithubException) as error:
        repository.get_git_ref(f"heads/{BRANCH}").edit(beside)
    assert refusal(error) == (422, "Update is not a fast-forward")
    repository.get_git_ref(f"heads/{BRANCH}").edit(beside, force=True)
    assert repository.get_git_ref(f"heads/{BRANCH}").object.sha == beside


async def test_a_pull_request_follows_its_branch_and_merges_what_it_is_now(
    shared_world: World, bot: Github
) -> None:
    repository, pull = await opened(shared_world, bot, "follows")
    sha = commit(repository, {"Dockerfile": "FROM dotnet/aspnet:8.0.23\n"}, pull.head.sha)
    repository.get_git_ref(f"heads/{BRANCH}").edit(sha)
    pull.update()
    assert pull.head.sha == sha
    await shared_world.github.push("follows", {"other.txt": "2\n"})
    await shared_world.github.merge("follows", pull.number)
    assert await shared_world.github.read("follows", "Dockerfile") == "FROM dotnet/aspnet:8.0.23\n"
    assert await shared_world.github.read("follows", "other.txt") == "2\n"


async def test_a_conflict_is_told_and_not_merged(shared_world: World, bot: Github) -> None:
    repository, pull = await opened(shared_world, bot, "conflict")
    await shared_world.github.push("conflict", {"Dockerfile": "FROM somebody/elses\n"})
    assert repository.get_pull(pull.number).mergeable is False
    with pytest.raises(GithubException) as error:
        pull.merge()
    assert refusal(error) == (405, "Pull Request is not mergeable")


async def test_a_pull_request_ends_with_its_branch(shared_world: World, bot: Github) -> None:
    _, pull = await opened(shared_world, bot, "branch-gone")
    head = pull.head.sha
    await shared_world.github.delete_branch("branch-gone", BRANCH)
    pull.update()
    assert (pull.state, pull.merged, pull.head.sha) == ("closed", False, head)


async def test_title_body_labels_comments_and_reviewers_are_kept(shared_world: World, bot: Github) -> None:
    repository, pull = await opened(shared_world, bot, "enriched")
    pull.edit(title="Take aspnet 8.0.22: CVE-2025-55315", body="now with the reason")
    repository.create_label("base-image", "ededed")
    pull.add_to_labels("base-image")
    pull.create_issue_comment("superseded soon")
    pull.create_review_request(reviewers=["operator"])
    seen = repository.get_pull(pull.number)
    assert (seen.title, seen.body) == ("Take aspnet 8.0.22: CVE-2025-55315", "now with the reason")
    assert [label.name for label in seen.labels] == ["base-image"]
    assert [user.login for user in seen.requested_reviewers] == ["operator"]
    assert await shared_world.github.comments("enriched", pull.number) == ["superseded soon"]


async def test_every_write_of_the_bot_is_in_the_log(shared_world: World, bot: Github) -> None:
    await opened(shared_world, bot, "logged")
    assert [entry.path.rpartition("/")[2] for entry in shared_world.traffic.writes()] == [
        "trees",
        "commits",
        "refs",
        "pulls",
    ]


async def test_a_closed_pull_request_is_opened_again_only_where_its_branch_is_as_it_was(
    shared_world: World, bot: Github
) -> None:
    repository, pull = await opened(shared_world, bot, "opened-again")
    pull.edit(state="closed")
    pull.edit(state="open")
    assert pull.state == "open"
    pull.edit(state="closed")
    second = repository.create_pull(base="main", head=BRANCH, title="Take aspnet 8.0.22", body="why")
    with pytest.raises(GithubException) as error:
        pull.edit(state="open")
    assert refusal(error)[0] == 422
    second.edit(state="closed")
    sha = commit(repository, {"Dockerfile": NEW, "other.txt": "2\n"}, main_of(repository))
    repository.get_git_ref(f"heads/{BRANCH}").edit(sha, force=True)
    with pytest.raises(GithubException) as error:
        pull.edit(state="open")
    told = f"state cannot be changed. The {BRANCH} branch was force-pushed or recreated."
    assert refusal(error) == (422, told)
