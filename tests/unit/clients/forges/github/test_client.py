"""GitHub's answers as our values, and answers of another shape as failures."""

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.clients.forges.github import AppCredentials, GitHub, GitHubAccess, TokenCredentials
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge import FileChange
from bot.domain.repository import Repository

SHA = "a" * 40
API = "https://api.github.com"


class Answers:
    """In the place of the transport: a body for each path, the pages of a listing as a list of bodies."""

    def __init__(self, bodies: Mapping[str, Any]) -> None:
        self._bodies = bodies
        self.written: list[tuple[str, Any]] = []

    async def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        body = self._bodies[path]
        if isinstance(body, Failure):
            raise body
        return body

    async def pages(self, path: str, parameters: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
        for page in await self.read(path):
            yield page

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        self.written.append((path.rpartition("/")[2], body))
        return await self.read(path)


def github(answers: Mapping[str, Any], *, app: bool = False) -> GitHub:
    credentials = AppCredentials(1, "key") if app else TokenCredentials("token")
    made = GitHub(GitHubAccess(API, credentials), ManualClock(datetime(2026, 3, 10, tzinfo=UTC)))
    made._transport = Answers(answers)  # type: ignore[assignment]
    return made


def missing() -> Failure:
    return Failure(Trouble.MISSING, "HTTP 404 Not Found", status=404)


ROW = {
    "full_name": "contoso/shop",
    "default_branch": "trunk",
    "pushed_at": "2026-03-09T11:22:33Z",
    "archived": True,
    "topics": ["dotnet"],
}
SHOP = Repository(
    "contoso/shop", "trunk", datetime(2026, 3, 9, 11, 22, 33, tzinfo=UTC), archived=True, topics=("dotnet",)
)


async def test_an_organisations_repositories_come_from_all_pages() -> None:
    host = github({"/orgs/contoso/repos": [[ROW], [{**ROW, "full_name": "contoso/desk"}]]})
    found = await host.repositories(["contoso"])
    assert [repository.name for repository in found] == ["contoso/shop", "contoso/desk"]
    assert found[0] == SHOP


async def test_an_app_lists_its_installation_whoever_owns_it() -> None:
    host = github({"/installation/repositories": [{"repositories": [ROW]}]}, app=True)
    assert await host.repositories(None) == [SHOP]


async def test_a_token_without_an_owner_is_told_what_to_write() -> None:
    with pytest.raises(Failure, match=r'write "OWNER/\*"'):
        await github({}).repositories(None)


async def test_an_owner_that_is_neither_organisation_nor_user_is_named() -> None:
    answers = {"/orgs/x/repos": missing(), "/user": {"login": "bot"}, "/users/x/repos": missing()}
    with pytest.raises(Failure, match="no organisation or user 'x'") as failed:
        await github(answers).repositories(["x"])
    assert failed.value.trouble is Trouble.MISSING


async def test_denied_access_to_an_organisation_is_not_taken_for_a_user() -> None:
    with pytest.raises(Failure, match="SAML"):
        await github({"/orgs/x/repos": Failure(Trouble.DENIED, "SAML", status=403)}).repositories(["x"])


@pytest.mark.parametrize(
    "page", [{"message": "hello"}, None, "text", [{"name": "no full name"}], [{**ROW, "pushed_at": "soon"}]]
)
async def test_a_listing_of_another_shape_is_a_failure(page: Any) -> None:
    with pytest.raises(Failure) as failed:
        await github({"/orgs/contoso/repos": [page]}).repositories(["contoso"])
    assert failed.value.trouble is Trouble.MALFORMED


TREE = f"/repos/contoso/shop/git/trees/{SHA}"


def entry(path: str, kind: str = "blob", mode: str = "100644") -> dict[str, Any]:
    return {"path": path, "type": kind, "mode": mode, "sha": SHA, "size": 3}


async def test_a_tree_tells_files_links_and_submodules_apart() -> None:
    rows = [
        entry("a"),
        entry("run.sh", mode="100755"),
        entry("link", mode="120000"),
        entry("sub", "commit", "160000"),
    ]
    tree = await github({TREE: {"sha": SHA, "tree": rows}}).tree("contoso/shop", SHA)
    assert tree is not None
    assert [each.path for each in tree.entries if each.is_file] == ["a", "run.sh"]


async def test_a_submodules_entry_has_no_size() -> None:
    row = {key: value for key, value in entry("sub", "commit", "160000").items() if key != "size"}
    tree = await github({TREE: {"sha": SHA, "tree": [row]}}).tree("contoso/shop", SHA)
    assert tree is not None
    assert tree.entries[0].size == 0


async def test_an_empty_repository_has_no_tree() -> None:
    empty = Failure(Trouble.CONFLICT, "HTTP 409 Git Repository is empty.", status=409)
    assert await github({TREE: empty}).tree("contoso/shop", SHA) is None


async def test_a_listing_that_shows_folders_but_nothing_in_them_was_cut_short() -> None:
    flat = {"sha": SHA, "tree": [entry("src", "tree", "040000"), entry("README.md")]}
    whole = {"sha": SHA, "tree": [*flat["tree"], entry("src/Dockerfile")]}
    for answer, is_cut in ((flat, True), (whole, False)):
        tree = await github({TREE: answer}).tree("contoso/shop", SHA)
        assert tree is not None
        assert tree.truncated is is_cut


@pytest.mark.parametrize("body", [None, [], {"sha": SHA}, {"tree": []}, {"sha": SHA, "tree": [{"type": "blob"}]}])
async def test_a_tree_of_another_shape_is_a_failure(body: Any) -> None:
    with pytest.raises(Failure) as failed:
        await github({TREE: body}).tree("contoso/shop", SHA)
    assert failed.value.trouble is Trouble.MALFORMED


def blob_path(name: str) -> str:
    return f"/repos/contoso/shop/git/blobs/{name}"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("body", [b"FROM a\n", b"\xff\x00", b""])
async def test_a_content_is_what_its_name_says(algorithm: str, body: bytes) -> None:
    name = hashlib.new(algorithm, b"blob %d\0" % len(body) + body).hexdigest()
    encoded = {"encoding": "base64", "content": base64.encodebytes(body).decode()}
    assert await github({blob_path(name): encoded}).blob("contoso/shop", name) == body


@pytest.mark.parametrize(
    "answer",
    [
        {"encoding": "base64", "content": base64.b64encode(b"FROM evil\n").decode()},
        {"encoding": "base64", "content": "no base 64"},
        {"encoding": "none", "content": ""},
        {},
        None,
    ],
)
async def test_any_other_content_is_refused(answer: Any) -> None:
    with pytest.raises(Failure) as failed:
        await github({blob_path(SHA): answer}).blob("contoso/shop", SHA)
    assert failed.value.trouble is Trouble.MALFORMED


# Changing one repository

REPOSITORY = "/repos/contoso/shop"
COMMIT = f"{REPOSITORY}/git/commits/{SHA}"
BOT = {"name": "freshness-bot", "email": "bot@users.noreply.github.com"}
PERSON = {"name": "Jo", "email": "jo@contoso.com"}
ITSELF = {"name": "GitHub", "email": "noreply@github.com"}


@pytest.mark.parametrize(
    ("committer", "is_amended"), [(BOT, False), (ITSELF, False), (PERSON, True)], ids=["author", "GitHub", "person"]
)
async def test_a_commit_tells_whether_another_has_changed_it(
    committer: Mapping[str, str], is_amended: bool
) -> None:
    answer = {
        "tree": {"sha": "t"},
        "parents": [{"sha": "p"}],
        "message": "m",
        "author": BOT,
        "committer": committer,
    }
    assert await github({COMMIT: answer}).commit("contoso/shop", SHA) == ("t", ("p",), "m", is_amended)


@pytest.mark.parametrize(
    ("content", "writes", "entry"),
    [
        (b"FROM a\r\n", ["trees", "commits"], {"content": "FROM a\r\n"}),
        ("\ufeffFROM é\n".encode(), ["trees", "commits"], {"content": "\ufeffFROM é\n"}),
        (b"# caf\xe9\n", ["blobs", "trees", "commits"], {"sha": "made"}),
        (b"a\0b", ["blobs", "trees", "commits"], {"sha": "made"}),
        (b"x" * (1024 * 1024 + 1), ["blobs", "trees", "commits"], {"sha": "made"}),
    ],
    ids=["text", "byte order mark", "another encoding", "no text", "large"],
)
async def test_text_goes_along_with_the_tree(content: bytes, writes: list[str], entry: dict[str, str]) -> None:
    made = {f"{REPOSITORY}/git/{kind}": {"sha": "made"} for kind in ("blobs", "trees", "commits")}
    host = github(made)
    file = FileChange("run.sh", content, "100755")
    await host.create_commit("contoso/shop", parent="p", tree="t", files=[file], message="m")
    written = host._transport.written  # type: ignore[attr-defined]
    assert [kind for kind, _ in written] == writes
    tree = {"base_tree": "t", "tree": [{"path": "run.sh", "mode": "100755", "type": "blob", **entry}]}
    assert ("trees", tree) in written


@pytest.mark.parametrize(("mergeable", "is_conflicted"), [(True, False), (False, True), (None, False)])
async def test_a_pull_request_tells_whether_it_is_in_conflict(mergeable: bool | None, is_conflicted: bool) -> None:
    row = {"number": 1, "state": "open", "head": {"ref": "b", "sha": SHA}, "mergeable": mergeable}
    found = await github({f"{REPOSITORY}/pulls/1": row}).pull_request("contoso/shop", 1)
    assert found.is_conflicted is is_conflicted


Call = Callable[[GitHub], Awaitable[object]]


@pytest.mark.parametrize("answer", [None, [], {}, {"number": "one"}, {"id": None}, {"object": 1}, [{"number": 1}]])
@pytest.mark.parametrize(
    ("path", "call"),
    [
        (REPOSITORY, lambda host: host.default_branch("contoso/shop")),
        (f"{REPOSITORY}/git/ref/heads/main", lambda host: host.branch_head("contoso/shop", "main")),
        (COMMIT, lambda host: host.commit("contoso/shop", SHA)),
        (f"{REPOSITORY}/pulls/1", lambda host: host.pull_request("contoso/shop", 1)),
        (f"{REPOSITORY}/actions/runs/1", lambda host: host.run("contoso/shop", 1)),
        (
            f"{REPOSITORY}/git/trees",
            lambda host: host.create_commit("contoso/shop", parent=SHA, tree=SHA, files=[], message="m"),
        ),
        (
            f"{REPOSITORY}/pulls",
            lambda host: host.create_pull_request("contoso/shop", branch="b", onto="main", title="t", body=""),
        ),
    ],
    ids=["repository", "branch", "commit", "pull request", "run", "tree", "new pull request"],
)
async def test_an_answer_of_another_shape_is_a_failure(path: str, call: Call, answer: Any) -> None:
    """A proxy may answer anything with 200."""
    with pytest.raises(Failure) as failed:
        await call(github({path: answer}))
    assert failed.value.trouble is Trouble.MALFORMED
