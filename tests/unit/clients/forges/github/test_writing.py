"""What a pull request's writing makes of GitHub's refusals."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.clients.forges.github.pull_requests.commits import prepare
from bot.clients.forges.github.pull_requests.writing import carry_out
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, FileChange
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.refusals import FilesDenied
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


class Denying:
    """REST that refuses every tree."""

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        raise Failure(Trouble.DENIED, "HTTP 403 Resource not accessible by integration", where=f"{method} {path}")


@pytest.mark.parametrize(("path", "raised"), [(".github/workflows/ci.yml", FilesDenied), ("build.sh", Failure)])
async def test_a_tree_that_is_refused_names_the_right_where_it_holds_workflows(
    path: str, raised: type[Failure]
) -> None:
    """A file with a mode of its own comes by a tree."""
    change = BranchChange("b", None, "0", "1", (FileChange(path, b"x", "100755"),), "m")
    with pytest.raises(Failure) as refused:
        await prepare(Denying(), SHOP, change)  # type: ignore[arg-type]
    assert type(refused.value) is raised
