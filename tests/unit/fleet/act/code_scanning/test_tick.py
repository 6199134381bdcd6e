"""Findings are uploaded where they differ from what code scanning has, and it is asked what became of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import TakenIn
from bot.domain.repositories.finding import Finding, FindingSeverity, Outcome, Place
from bot.domain.repositories.repository import blob_name
from bot.fleet.act.code_scanning.tick import DueScan, ScanLogs, ScanTally, UploadedFindings, tick
from bot.fleet.act.ports import ActOptions
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.hooks import ToldRows
from tests.fakes.queue import FakeQueue
from tests.fakes.repository import CONFIG, SHA1, FakeRepository
from tests.unit.fleet.act.world import NOON, SHOP

TEXT = b"FROM a"
FAILS = Finding("pinned", Outcome.FAILS, Place("Dockerfile", 1, 1), "FROM a", "floats", FindingSeverity.LOW)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LATER = timedelta(days=30)


class World:
    """A repository in which one check fails, and which was audited as it is now."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.forge = FakeForge(self.clock)
        self.shop: FakeRepository = self.forge.add(SHOP, {"Dockerfile": TEXT})
        self.shop.has_code_scanning = True
        self.scans: FakeQueue[DueScan] = FakeQueue()
        files = {"Dockerfile": blob_name(TEXT, SHA1)}
        self.scans.add(DueScan(1, self.shop.identity, "main", files, (FAILS,)), NOON)
        self.refused: list[str] = []
        self.forgotten: list[str] = []
        self.is_patchable = True

    async def settle_scan(self, item: DueScan, scanned: UploadedFindings, due_at: datetime) -> None:
        self.scans.settle(1, due_at, replace(item, uploaded=scanned.uploaded, upload=scanned.upload))

    async def refuse_scan(self, item: DueScan, why: str, due_at: datetime) -> None:
        self.refused.append(why)
        self.scans.settle(1, due_at)

    async def forget_upload(self, item: DueScan, why: str, due_at: datetime) -> None:
        self.forgotten.append(why)
        self.scans.settle(1, due_at, replace(item, uploaded=None, upload=None))

    async def patched(self, item: DueScan) -> Mapping[str, Any] | None:
        return {"patched": len(item.findings)} if self.is_patchable else None

    def finds(self, *findings: Finding) -> None:
        self.scans[1] = replace(self.scans[1], findings=findings)

    async def tick(self) -> ScanTally:
        return await tick(self, self.forge, ScanLogs(_plain, self.patched), ActOptions(), Loop(self.clock))

    async def when_due(self) -> ScanTally:
        self.clock.move_to(self.scans.rows[1].due_at)
        return await self.tick()

    @property
    def rest(self) -> timedelta:
        return self.scans.rows[1].due_at - self.clock.now()

    @property
    def asked(self) -> list[str]:
        return [call for call, _ in self.forge.asked]


def _plain(findings: Sequence[Finding]) -> Mapping[str, Any]:
    return {"outcomes": [each.outcome for each in findings]}


@pytest.fixture
def world() -> World:
    return World()


async def test_what_fails_is_uploaded_for_the_commit_that_it_is_of(world: World) -> None:
    assert await world.tick() == ScanTally(done=1)
    assert world.shop.uploads == [(world.shop.branches["main"], "main", json.dumps({"patched": 1}).encode())]
    assert (world.scans[1].upload, world.rest) == ("upload-1", 2 * MINUTE)


async def test_once_it_is_taken_in_it_rests_for_a_month_and_is_not_uploaded_again(world: World) -> None:
    await world.tick()
    await world.when_due()
    assert (world.scans[1].upload, world.rest) == (None, LATER)
    await world.when_due()
    assert (len(world.shop.uploads), world.asked.count("taken_in"), world.rest) == (1, 1, LATER)


async def test_while_it_is_worked_on_it_is_asked_again_soon(world: World) -> None:
    world.shop.taken_in = TakenIn(is_pending=True)
    await world.tick()
    await world.when_due()
    assert (world.scans[1].upload, world.rest) == ("upload-1", 2 * MINUTE)


async def test_what_is_not_taken_in_is_told_and_uploaded_again_in_a_week(world: World) -> None:
    world.shop.taken_in = TakenIn(errors=("too big", "x" * 400))
    await world.tick()
    (told,) = (await world.when_due()).problems
    (why,) = world.forgotten
    assert why.startswith("code scanning could not take the findings in (too big; xxx")
    assert why.count("x") == 300 - len("too big; ")
    assert why.endswith("x); they are uploaded again in a week, or when they change")
    assert told.startswith(f"{SHOP}: code scanning could not take the findings in")
    assert world.rest == 7 * DAY
    await world.when_due()
    assert len(world.shop.uploads) == 2


async def test_an_upload_that_the_forge_knows_no_more_is_asked_about_no_more(world: World) -> None:
    await world.tick()
    world.forge.failing["taken_in"] = Failure(Trouble.MISSING, "no such upload")
    assert (await world.when_due()).problems == ()
    assert (world.scans[1].upload, world.rest) == (None, LATER)


async def test_where_nothing_answers_it_is_asked_about_again(world: World) -> None:
    await world.tick()
    world.forge.failing["taken_in"] = Failure(Trouble.CONFLICT, "not now")
    (told,) = (await world.when_due()).problems
    assert told.startswith(f"{SHOP}: not now")
    assert world.scans[1].upload == "upload-1"
    assert world.refused == []


@pytest.mark.parametrize("outcome", [Outcome.HOLDS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE])
async def test_where_nothing_was_ever_found_nothing_is_asked(world: World, outcome: Outcome) -> None:
    world.finds(replace(FAILS, outcome=outcome))
    await world.tick()
    assert (world.asked, world.rest) == ([], LATER)


async def test_what_is_waived_is_uploaded_too(world: World) -> None:
    world.finds(replace(FAILS, outcome=Outcome.WAIVED))
    await world.tick()
    assert len(world.shop.uploads) == 1


async def test_what_holds_by_now_is_uploaded_where_something_was_before(world: World) -> None:
    await world.tick()
    await world.when_due()
    world.finds(replace(FAILS, outcome=Outcome.HOLDS))
    await world.when_due()
    assert len(world.shop.uploads) == 2


async def test_a_change_is_uploaded_although_the_last_upload_was_not_asked_about(world: World) -> None:
    await world.tick()
    world.finds(FAILS, FAILS)
    await world.when_due()
    assert (len(world.shop.uploads), world.asked.count("taken_in")) == (2, 0)


async def test_findings_of_files_that_have_changed_wait_until_these_are_read(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": b"FROM b"})
    await world.tick()
    assert (world.shop.uploads, world.rest) == ([], 10 * MINUTE)


async def test_a_change_of_another_file_keeps_nothing_back(world: World) -> None:
    world.shop.commit_to("main", {"README.md": b"new"})
    world.finds(FAILS, replace(FAILS, place=Place("elsewhere", 1, 1)))
    await world.tick()
    assert len(world.shop.uploads) == 1


async def test_what_can_not_be_patched_yet_waits(world: World) -> None:
    world.is_patchable = False
    await world.tick()
    assert (world.shop.uploads, world.rest) == ([], 10 * MINUTE)


async def test_a_repository_that_is_read_only_is_looked_at_again_tomorrow(world: World) -> None:
    world.shop.is_archived = True
    await world.tick()
    assert (world.shop.uploads, world.rest) == ([], DAY)


async def test_a_repository_that_has_opted_out_since_is_looked_at_again_tomorrow(world: World) -> None:
    world.shop.commit_to("main", {CONFIG: b"enabled: false"})
    await world.tick()
    assert (world.shop.uploads, world.rest) == ([], DAY)


async def test_credentials_that_are_not_taken_at_present_refuse_nothing(world: World) -> None:
    world.forge.failing["upload_findings"] = Failure(Trouble.DENIED, "Bad credentials", status=401)
    assert len((await world.tick()).problems) == 1
    assert (world.refused, world.rest < DAY) == ([], True)


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.MISSING])
async def test_where_it_is_not_licensed_that_is_kept_and_asked_again_in_a_week(
    world: World, trouble: Trouble
) -> None:
    world.forge.failing["upload_findings"] = Failure(trouble, "must be enabled")
    assert (await world.tick()).problems == ()
    assert (world.refused, world.rest) == (["must be enabled"], 7 * DAY)


async def test_metrics_have_it_under_its_name(world: World) -> None:
    told = ToldRows()
    await tick(world, world.forge, ScanLogs(_plain, world.patched), ActOptions(), Loop(world.clock, told))
    assert told.stages == ["code scanning"]


async def test_what_stands_for_an_upload_fits_its_column(world: World) -> None:
    await world.tick()
    assert len(world.scans[1].uploaded or "") == 32


async def test_the_same_findings_in_another_order_of_words_are_not_uploaded_again(world: World) -> None:
    def told(*names: str) -> ScanLogs:
        return ScanLogs(lambda findings: dict.fromkeys(names, "told"), world.patched)

    await tick(world, world.forge, told("runs", "version"), ActOptions(), Loop(world.clock))
    world.clock.move_to(world.scans.rows[1].due_at)
    await tick(world, world.forge, told("version", "runs"), ActOptions(), Loop(world.clock))
    assert len(world.shop.uploads) == 1


async def test_under_a_name_that_is_not_included_nothing_is_tried_and_it_is_looked_at_again_tomorrow(
    world: World,
) -> None:
    loop = Loop(world.clock, covers=lambda name: False)
    tally = await tick(world, world.forge, ScanLogs(_plain, world.patched), ActOptions(), loop)
    assert (tally.problems, world.shop.uploads, world.rest) == ((), [], DAY)
