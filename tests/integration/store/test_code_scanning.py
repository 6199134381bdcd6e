"""Findings in code scanning on both databases: whose are uploaded, when, and what a refusal leads to."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.forge.port import TakenIn
from bot.domain.repositories.repository import Reading, Repository, blob_name
from bot.domain.rollouts.journal import Word
from bot.fleet.act.code_scanning.tick import ScanTally, tick
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.act.ports import ActOptions
from bot.fleet.audit.tick import AuditOptions
from bot.fleet.audit.tick import tick as audit
from bot.fleet.wiring.auditing import scan_logs
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.repository import SHA1, FakeRepository
from tests.integration.store.filling import HOUR, Stores

SHOP = "contoso/shop"
ROOT = b"FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
APP = ROOT + b"USER $APP_UID\n"
WISHED = AuditOptions(code_scanning=("contoso/*",))


@pytest.fixture
def forge(stores: Stores) -> FakeForge:
    forge = FakeForge(stores.clock)
    forge.add(SHOP, {"Dockerfile": ROOT})
    return forge


@pytest.fixture
def shop(forge: FakeForge) -> FakeRepository:
    return forge.homes[0]


async def read(stores: Stores, shop: FakeRepository, options: AuditOptions = WISHED) -> None:
    """Discovery has read the repository as it is now, and the audit has judged it."""
    stores.clock.advance(HOUR)
    await stores.listing(Repository(shop.name, "main", stores.clock.now(), id=shop.id, node_id=shop.node_id))
    files = shop.commits[shop.branches["main"]].files
    shas = {path: blob_name(text, SHA1) for path, text in files.items()}
    await stores.discover.save_blobs({shas[path]: text for path, text in files.items()})
    await stores.read(Reading(blob_name(str(shas).encode(), SHA1), audited=shas, blobs=tuple(shas.values())))
    await audit(stores.audit, options, Loop(stores.clock))


async def scanned(stores: Stores, forge: FakeForge) -> ScanTally:
    logs = scan_logs(stores.onboardings, (), stores.clock)
    return await tick(stores.code_scanning, forge, logs, ActOptions(), Loop(stores.clock))


async def test_findings_are_uploaded_once_for_the_commit_that_they_are_of(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop)
    assert (await scanned(stores, forge)).done == 1
    ((commit, branch, log),) = shop.uploads
    assert (commit, branch) == (shop.branches["main"], "main")
    assert "image-user" in {each["ruleId"] for each in json.loads(log)["runs"][0]["results"]}
    stores.clock.advance(timedelta(days=31))
    await scanned(stores, forge)
    assert len(shop.uploads) == 1


async def test_what_is_uploaded_carries_what_could_be_done(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    shop.commit_to("main", {"Dockerfile": ROOT + b'ENTRYPOINT ["dotnet", "shop.dll"]\n'})
    await read(stores, shop)
    await scanned(stores, forge)
    log = json.loads(shop.uploads[0][2])
    (result,) = [each for each in log["runs"][0]["results"] if each["ruleId"] == "image-user"]
    ((change,),) = [each["artifactChanges"] for each in result["fixes"]]
    assert change["artifactLocation"] == {"uri": "Dockerfile"}
    assert [each["insertedContent"]["text"] for each in change["replacements"]] == ["USER $APP_UID\n"]


async def test_what_could_be_done_is_waited_for_where_the_texts_are_not_kept(
    stores: Stores, forge: FakeForge, shop: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> dict[str, bytes]:
        return {}

    await read(stores, shop)
    with monkeypatch.context() as patched:
        patched.setattr(OnboardingsStore, "contents", nothing)
        await scanned(stores, forge)
    assert shop.uploads == []
    stores.clock.advance(timedelta(minutes=11))
    await scanned(stores, forge)
    assert len(shop.uploads) == 1


async def test_an_upload_is_asked_about_until_it_was_taken_in(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    shop.taken_in = TakenIn(is_pending=True)
    await read(stores, shop)
    await scanned(stores, forge)
    for is_pending in (True, False):
        shop.taken_in = TakenIn(is_pending=is_pending)
        forge.asked.clear()
        stores.clock.advance(timedelta(minutes=3))
        await scanned(stores, forge)
        assert [name for name, _ in forge.asked] == ["taken_in"]
    forge.asked.clear()
    stores.clock.advance(timedelta(days=1))
    await scanned(stores, forge)
    assert forge.asked == []
    assert len(shop.uploads) == 1


async def test_what_was_not_taken_in_is_told_and_uploaded_again_after_a_week(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop)
    await scanned(stores, forge)
    shop.taken_in = TakenIn(errors=("more runs than allowed",))
    stores.clock.advance(timedelta(minutes=3))
    (problem,) = (await scanned(stores, forge)).problems
    assert problem.startswith(
        "contoso/shop: code scanning could not take the findings in (more runs than allowed); they are uploaded"
    )
    stores.clock.advance(timedelta(days=6))
    assert (await scanned(stores, forge)).done == 0
    shop.taken_in = TakenIn()
    stores.clock.advance(timedelta(days=1))
    await scanned(stores, forge)
    assert len(shop.uploads) == 2


async def test_what_holds_now_closes_its_alert(stores: Stores, forge: FakeForge, shop: FakeRepository) -> None:
    await read(stores, shop)
    await scanned(stores, forge)
    shop.commit_to("main", {"Dockerfile": APP})
    await read(stores, shop)
    await scanned(stores, forge)
    assert [len(json.loads(log)["runs"][0]["results"]) for _, _, log in shop.uploads] == [1, 0]


async def test_where_nothing_was_ever_found_nobody_is_asked(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    shop.commit_to("main", {"Dockerfile": APP})
    await read(stores, shop)
    await scanned(stores, forge)
    assert forge.asked == []


async def test_whoever_is_not_wished_for_is_left_alone(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop, AuditOptions(code_scanning=("contoso/other",)))
    assert (await scanned(stores, forge)).done == 0


async def test_a_wish_that_is_taken_back_counts_at_once(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop)
    await audit(stores.audit, AuditOptions(), Loop(stores.clock))
    assert (await scanned(stores, forge)).done == 0


async def test_files_that_have_moved_on_wait_for_the_next_reading(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop)
    shop.commit_to("main", {"Dockerfile": b"# ours\n" + ROOT})
    await scanned(stores, forge)
    assert shop.uploads == []
    await read(stores, shop)
    await scanned(stores, forge)
    assert [commit for commit, _, _ in shop.uploads] == [shop.branches["main"]]


async def test_a_repository_that_has_opted_out_is_given_nothing(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    shop.commit_to("main", {".github/freshness.yaml": b"enabled: false\n"})
    await read(stores, shop)
    await scanned(stores, forge)
    assert shop.uploads == []


async def test_a_missing_licence_is_told_once_for_each_owner_and_asked_again_after_a_week(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    shop.has_code_scanning = False
    await read(stores, shop)
    assert (await scanned(stores, forge)).problems == ()
    (incident,) = (await stores.fleet_views.status()).incidents
    assert incident.subject == "code-scanning:contoso"
    assert "must be switched on and licensed" in incident.detail
    forge.asked.clear()
    stores.clock.advance(timedelta(days=6))
    await scanned(stores, forge)
    assert forge.asked == []
    shop.has_code_scanning = True
    stores.clock.advance(timedelta(days=1, minutes=1))
    await scanned(stores, forge)
    assert len(shop.uploads) == 1
    assert (await stores.fleet_views.status()).incidents == ()


async def test_what_goes_well_at_one_repository_does_not_end_what_another_lacks(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    shop.has_code_scanning = False
    await read(stores, shop)
    await scanned(stores, forge)
    web = forge.add("contoso/web", {"Dockerfile": APP})
    stores.clock.advance(HOUR)
    at = stores.clock.now()
    await stores.listing(
        *(Repository(each.name, "main", at, id=each.id, node_id=each.node_id) for each in (shop, web))
    )
    for due in await stores.repositories():
        files = {"Dockerfile": blob_name(APP if due.name == web.name else ROOT, SHA1)}
        await stores.discover.save_blobs({files["Dockerfile"]: APP if due.name == web.name else ROOT})
        reading = Reading(f"tree of {due.name}", audited=files, blobs=tuple(files.values()))
        await stores.discover.save_reading(due, reading, at + 24 * HOUR)
    await audit(stores.audit, WISHED, Loop(stores.clock))
    await scanned(stores, forge)
    assert [each.subject for each in (await stores.fleet_views.status()).incidents] == ["code-scanning:contoso"]


async def test_who_has_left_the_fleet_is_waited_for_by_nobody(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop)
    stores.clock.advance(24 * HOUR)
    assert (await stores.figures.figures()).queues["code-scans"].due == 1
    await stores.listing()
    assert (await stores.figures.figures()).queues["code-scans"].due == 0


async def test_nothing_is_uploaded_while_the_bot_is_paused(
    stores: Stores, forge: FakeForge, shop: FakeRepository
) -> None:
    await read(stores, shop)
    await stores.orders.pause(None, Word("ada", "the fair"))
    assert (await scanned(stores, forge)).done == 0


def test_another_wish_is_another_mark() -> None:
    assert replace(WISHED, code_scanning=()).mark != WISHED.mark
