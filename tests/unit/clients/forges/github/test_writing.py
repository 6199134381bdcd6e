"""What a pull request's writing makes of GitHub's refusals."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.clients.forges.github.pull_requests.commits import prepare
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, FileChange
from bot.domain.forge.refusals import FilesDenied
from bot.domain.repositories.repository import Identity

SHOP = Identity("contoso/shop", "R_1")


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
