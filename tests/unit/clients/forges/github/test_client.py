"""GitHub's answers as our values, and answers of another shape as failures."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.clients.forges.github import AppCredentials, GitHub, GitHubAccess, TokenCredentials
from bot.clients.forges.github.connection.graphql import GraphAnswer, graphql_answer
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import Identity, Repository

SHA = "a" * 40
SHOPS = Identity("contoso/shop")
API = "https://api.github.com"
NOW = datetime(2026, 3, 10, tzinfo=UTC)


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

    async def dated_pages(
        self, path: str, parameters: Mapping[str, Any] | None = None
    ) -> AsyncIterator[tuple[datetime, Any]]:
        async for page in self.pages(path, parameters):
            yield NOW, page

    async def query(self, document: str, variables: Mapping[str, Any]) -> GraphAnswer:
        return graphql_answer(await self.read("graphql"), "POST github/graphql")

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        self.written.append((path.rpartition("/")[2], body))
        return await self.read(path)


def github(answers: Mapping[str, Any], *, app: bool = False) -> GitHub:
    credentials = AppCredentials(1, "key") if app else TokenCredentials("token")
    made = GitHub(GitHubAccess(API, credentials), ManualClock(NOW))
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


async def test_an_organisation_that_denies_itself_hides_no_other_and_is_told() -> None:
    denied = Failure(Trouble.DENIED, "HTTP 403 SAML", status=403)
    host = github({"/orgs/contoso/repos": [[ROW]], "/orgs/fabrikam/repos": denied})
    assert await host.repositories(["fabrikam", "contoso"]) == [SHOP]
    assert (await host.silent(["contoso"])) == {
        "fabrikam": Silence("fabrikam could not be listed: HTTP 403 SAML", is_passing=True)
    }


async def test_a_token_never_tells_that_something_is_gone() -> None:
    assert not await github({}).sees_others(SHOPS)


@pytest.mark.parametrize(("shown", "sees"), [([ROW], True), ([], False)])
async def test_an_app_tells_that_something_is_gone_while_it_sees_others(shown: list[Any], sees: bool) -> None:
    host = github({"/installation/repositories": {"repositories": shown}}, app=True)
    assert await host.sees_others(SHOPS) is sees


async def test_a_push_within_the_second_of_the_list_is_told_apart() -> None:
    pushed = {"a": "2026-03-09T23:59:57Z", "b": "2026-03-09T23:59:58Z", "c": "2026-03-10T00:00:00Z", "d": None}
    rows = [{**ROW, "full_name": f"contoso/{name}", "pushed_at": at} for name, at in pushed.items()]
    found = await github({"/orgs/contoso/repos": [rows]}).repositories(["contoso"])
    assert [repository.pushed_lately for repository in found] == [False, True, True, False]


async def test_an_app_lists_its_installation_whoever_owns_it() -> None:
    host = github({"/installation/repositories": [{"repositories": [ROW]}]}, app=True)
    assert await host.repositories(None) == [SHOP]


async def test_a_token_without_an_owner_is_told_what_to_write() -> None:
    with pytest.raises(Failure, match=r'write "OWNER/\*"'):
        await github({}).repositories(None)


async def test_an_owner_that_is_neither_organisation_nor_user_is_named() -> None:
    viewer = {"data": {"viewer": {"login": "bot"}}}
    answers = {"/orgs/x/repos": missing(), "graphql": viewer, "/users/x/repos": missing()}
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
    tree = await github({TREE: {"sha": SHA, "tree": rows}}).tree(SHOPS, SHA)
    assert tree is not None
    assert [each.path for each in tree.entries if each.is_file] == ["a", "run.sh"]


async def test_a_submodules_entry_has_no_size() -> None:
    row = {key: value for key, value in entry("sub", "commit", "160000").items() if key != "size"}
    tree = await github({TREE: {"sha": SHA, "tree": [row]}}).tree(SHOPS, SHA)
    assert tree is not None
    assert tree.entries[0].size == 0


async def test_an_empty_repository_has_no_tree() -> None:
    empty = Failure(Trouble.CONFLICT, "HTTP 409 Git Repository is empty.", status=409)
    assert await github({TREE: empty}).tree(SHOPS, SHA) is None


@pytest.mark.parametrize("body", [None, [], {"sha": SHA}, {"tree": []}, {"sha": SHA, "tree": [{"type": "blob"}]}])
async def test_a_tree_of_another_shape_is_a_failure(body: Any) -> None:
    with pytest.raises(Failure) as failed:
        await github({TREE: body}).tree(SHOPS, SHA)
    assert failed.value.trouble is Trouble.MALFORMED


def blob_path(name: str) -> str:
    return f"/repos/contoso/shop/git/blobs/{name}"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("body", [b"FROM a\n", b"\xff\x00", b""])
async def test_a_content_is_what_its_name_says(algorithm: str, body: bytes) -> None:
    name = hashlib.new(algorithm, b"blob %d\0" % len(body) + body).hexdigest()
    encoded = {"encoding": "base64", "content": base64.encodebytes(body).decode()}
    assert await github({blob_path(name): encoded}).blob(SHOPS, name) == body


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
        await github({blob_path(SHA): answer}).blob(SHOPS, SHA)
    assert failed.value.trouble is Trouble.MALFORMED


# Runs


@pytest.mark.parametrize("answer", [None, [], {}, {"id": None}, [{"number": 1}]])
async def test_a_run_of_another_shape_is_a_failure(answer: Any) -> None:
    """A proxy may answer anything with 200."""
    with pytest.raises(Failure) as failed:
        await github({"/repos/contoso/shop/actions/runs/1": answer}).run(SHOPS, 1)
    assert failed.value.trouble is Trouble.MALFORMED


DISPATCHES = "/repos/contoso/shop/actions/workflows/go.yml/dispatches"


class Server(Answers):
    """Up to 3.20 it permits no `return_run_details`; later it tells the run where it is asked to."""

    def __init__(self, refusal: Failure | None) -> None:
        super().__init__({})
        self.refusal = refusal

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        self.written.append((path.rpartition("/")[2], body))
        if "return_run_details" in body:
            if self.refusal is not None:
                raise self.refusal
            return {"workflow_run_id": 30_000_000_001}
        return None


def dispatching(refusal: Failure | None) -> tuple[GitHub, Server]:
    made, server = github({}), Server(refusal)
    made._dispatching.transport = server  # type: ignore[assignment]
    return made, server


async def test_a_dispatch_tells_its_run() -> None:
    host, _ = dispatching(None)
    assert await host.dispatch(SHOPS, "go.yml", ref="main", inputs={"a": "b"}) == 30_000_000_001


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_knows_no_run_details_is_asked_without_them_from_then_on(status: int) -> None:
    said = f'HTTP {status} Invalid request. "return_run_details" is not a permitted key.'
    host, server = dispatching(Failure(Trouble.CONFLICT, said, status=status))
    for _ in range(3):
        assert await host.dispatch(SHOPS, "go.yml", ref="main", inputs={"a": "b"}) is None
    assert ["return_run_details" in body for _, body in server.written] == [True, False, False, False]
    assert server.written[-1] == ("dispatches", {"ref": "main", "inputs": {"a": "b"}})


async def test_another_refusal_of_a_dispatch_is_no_reason_to_ask_again() -> None:
    host, server = dispatching(Failure(Trouble.CONFLICT, "HTTP 422 No ref found for: main", status=422))
    with pytest.raises(Failure, match="No ref found"):
        await host.dispatch(SHOPS, "go.yml", ref="main", inputs={})
    assert len(server.written) == 1
