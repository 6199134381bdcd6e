"""What each write to a forge counts for in its account's budget, and how work that writes there is taken up."""

from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.forge.pull_requests import PullRequest, RequestChange, Wishes
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity
from bot.reconcile.forge_writing import BUILDER_WRITES, FORGE_WRITES, ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease
from tests.builders import NOON
from tests.fakes.forge import FakeForge

SHOP = Identity("contoso/shop", "R_1")
OPEN = PullRequest(1, "https://forge/pull/1", "branch", "sha", "", "", True, False)


@pytest.mark.parametrize(
    ("write", "arguments", "contents"),
    [
        ("carry_out", (None, None, RequestChange("branch", "main", None, "title", "body")), 1),
        ("carry_out", (None, None, RequestChange("branch", "main", OPEN, "title", "body")), 0),
        ("grant", (OPEN, Wishes(("label",), ("ann", "bea"), ("platform",), ("carl",)), None), 3),
        ("grant", (OPEN, Wishes(("label",)), None), 0),
        ("open_issue", ("title", "body", "label"), 1),
        ("change_issue", (1, "body"), 0),
        ("prepare", (None,), 0),
        ("close_pull_request", (OPEN,), 0),
        ("delete_branch", ("branch", "sha"), 0),
        ("dispatch", ("build.yml",), 0),
        ("upload_findings", ("sha", "main", b""), 0),
    ],
)
def test_what_people_are_notified_of_counts_and_nothing_else(
    write: str, arguments: tuple[Any, ...], contents: int
) -> None:
    assert {**FORGE_WRITES, **BUILDER_WRITES}[write].contents(SHOP, *arguments) == contents


class Written(ForgeWriting[str, str]):
    """Work on repositories that are told by their names."""

    stage = "written"

    @property
    def queue(self) -> Any:
        raise NotImplementedError

    def repository(self, item: str) -> Identity:
        return Identity(item)

    async def attempt(self, item: str, lease: Lease) -> str:
        return item

    async def settle(self, item: str, result: str) -> None:
        return None

    async def failed(self, item: str, claimed: Claimed, failure: object, now: object) -> str | None:
        return None


def test_work_that_writes_is_taken_up_a_few_at_a_time_and_done_one_by_one() -> None:
    clock = ManualClock(NOON)
    work = Written(FakeForge(clock), Host(), Loop(clock))
    assert (work.batch, work.at_once) == (3, 1)
    assert (work.home, work.host("contoso/shop")) == (Host().whole, Host().of(Identity("contoso/shop")))
