"""The runs of a workflow, as GitHub lists them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.clients.forges.github.actions.workflows import runs_since
from bot.domain.repositories.repository import Identity
from tests.builders import NOON


class Listing:
    """250 runs, 100 to a page and the newest first."""

    def row(self, number: int) -> dict[str, Any]:
        return {"id": number, "status": "queued", "created_at": NOON.isoformat()}

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        return {"total_count": 250, "workflow_runs": [self.row(number) for number in range(250, 150, -1)]}

    async def pages(self, path: str, parameters: Mapping[str, Any], *, most: int) -> AsyncIterator[Any]:
        for first in (250, 150, 50):
            page = [self.row(number) for number in range(first, max(first - 100, 0), -1)]
            yield {"total_count": 250, "workflow_runs": page}


async def test_the_oldest_run_is_found_behind_any_number_of_newer_ones() -> None:
    """The run that was asked for is the oldest of those that a busy workflow has had since."""
    runs = await runs_since(Listing(), Identity("contoso/shop"), "ci.yml", NOON)  # type: ignore[arg-type]
    assert [run.id for run in runs] == list(range(1, 251))
