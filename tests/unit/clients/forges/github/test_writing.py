"""What a pull request's writing makes of GitHub's refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bot.clients.forges.github.pull_requests.commits import prepare
from bot.clients.forges.github.pull_requests.writing import carry_out
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, FileChange
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import AccessDenied, Denial, FilesDenied, RepositoryArchived
from bot.domain.repositories.repository import Identity
from tests.unit.clients.forges.github.conftest import Graphs

SHOP = Identity("contoso/shop", "R_1")


async def test_where_the_branch_has_moved_since_no_text_is_written_either(graphs: Callable[..., Graphs]) -> None:
    """It is a successor's pull request by then."""
    current = PullRequest(
        7, "https://forge/7", "b", "1" * 40, "old", "old", is_open=True, is_merged=False, node_id="P_7"
    )
    moved = {"data": {"refs": None}, "errors": [{"path": ["refs"], "type": "STALE_DATA", "message": "it was at 2"}]}
    stale = graphs(moved)
    change = BranchChange("b", "1" * 40, "0" * 40, "1", (FileChange("Dockerfile", b"x"),), "m")
    with pytest.raises(Failure):
        await carry_out(stale, SHOP, change, "3" * 40, RequestChange("b", "main", current, "new", "new"))  # type: ignore[arg-type]
    assert [("updateRefs" in document, "updatePullRequest" in document) for document, _ in stale.asked] == [
        (True, False)
    ]


@dataclass(frozen=True, slots=True)
class Denying:
    """REST that refuses every tree."""

    failure: Failure = Failure(Trouble.DENIED, "HTTP 403 Resource not accessible by integration")  # noqa: RUF009

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        raise self.failure


@pytest.mark.parametrize(("path", "raised"), [(".github/workflows/ci.yml", FilesDenied), ("build.sh", Failure)])
async def test_a_tree_that_is_refused_names_the_right_where_it_holds_workflows(
    path: str, raised: type[Failure]
) -> None:
    """A file with a mode of its own comes by a tree."""
    change = BranchChange("b", None, "0", "1", (FileChange(path, b"x", "100755"),), "m")
    with pytest.raises(Failure) as refused:
        await prepare(Denying(), SHOP, change)  # type: ignore[arg-type]
    assert type(refused.value) is raised


WORKFLOW = (FileChange(".github/workflows/ci.yml", b"x"),)
NO_RIGHTS_AT_ALL = (
    "Although you appear to have the correct authorization credentials, the `contoso` organization has an IP allow "
    "list enabled"
)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Trouble.DENIED, "HTTP 401 Bad credentials", status=401),
        AccessDenied(Denial.IP_ALLOW_LIST, "HTTP 403"),
        RepositoryArchived("contoso/shop"),
    ],
    ids=["credentials", "addresses", "archived"],
)
async def test_a_tree_that_is_refused_for_something_else_names_no_right(failure: Failure) -> None:
    change = BranchChange("b", None, "0", "1", (FileChange(WORKFLOW[0].path, b"x", "100755"),), "m")
    with pytest.raises(Failure) as refused:
        await prepare(Denying(failure), SHOP, change)  # type: ignore[arg-type]
    assert refused.value is failure


@pytest.mark.parametrize("said", [NO_RIGHTS_AT_ALL, "Repository was archived so is read-only."])
async def test_a_commit_that_is_refused_for_something_else_names_no_right(
    graphs: Callable[..., Graphs], said: str
) -> None:
    answer = {"data": {"commit": None}, "errors": [{"path": ["commit"], "type": "FORBIDDEN", "message": said}]}
    change = BranchChange("b", "0", "0", "1", WORKFLOW, "m")
    with pytest.raises(Failure) as refused:
        await carry_out(graphs(answer), SHOP, change, None, RequestChange("b", "main", None, "new", "new"))  # type: ignore[arg-type]
    assert isinstance(refused.value, (AccessDenied, RepositoryArchived))
