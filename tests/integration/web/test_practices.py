"""What the page, the JSON API and the metrics show of practices."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from markupsafe import escape
from sqlalchemy import delete, insert

from bot.domain.repositories.finding import Finding, FindingSeverity, Fix, Outcome, Place
from bot.store.engine.database import Database
from bot.store.rows.repositories.audits import audits, packed, practice_days, practice_weeks
from bot.store.rows.repositories.onboardings import onboardings
from sandbox.stored_fleet import names
from tests.integration.web.conftest import MARK, NOON, READER, SCRAPER, Asking, opened_copy

FAILS = Finding(
    "image-user",
    Outcome.FAILS,
    Place(f"src/{MARK}", 7, 7),
    f"stage {MARK}",
    "it runs as root",
    FindingSeverity.HIGH,
    fix=Fix("add USER"),
)
UNKNOWN = replace(FAILS, check="base-pinned", outcome=Outcome.UNKNOWN, settled_by="a tag", fix=None)
HOLDS = replace(FAILS, check="sbom", outcome=Outcome.HOLDS, message="sbom is asked for")
SHOP = names.repository(2)


@pytest.fixture
async def database(filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """One repository was judged, today and eight weeks ago, and nothing else of the fleet."""
    async with opened_copy(filled_store, tmp_path) as opened:
        async with opened.transaction() as connection:
            for table in (audits, practice_days, practice_weeks):
                await connection.execute(delete(table))
        day = NOON.date()
        row = {"repository_id": 2, "mark": "x", "audited_at": NOON, "due_at": NOON + timedelta(days=1), "files": {}}
        counts = [(day, 30, 10), (day - timedelta(weeks=8), 10, 30)]
        days = [
            {"day": at, "practice": "image-user", "outcome": outcome, "repositories": number}
            for at, holds, fails in counts
            for outcome, number in (("holds", holds), ("fails", fails), ("unknown", 3))
        ]
        async with opened.transaction() as connection:
            await connection.execute(insert(audits), [{**row, "findings": packed([FAILS, UNKNOWN, HOLDS])}])
            await connection.execute(insert(practice_days), days)
            week = {
                "week": day - timedelta(days=day.weekday()),
                "practice": "image-user",
                "opened": 4,
                "closed": 25,
            }
            await connection.execute(insert(practice_weeks), [week])
        yield opened


async def test_the_fleet_has_a_share_for_each_practice_with_its_trend(asking: Asking) -> None:
    text = (await asking(READER).get("/")).text
    assert "Images run as another user than root" in text
    assert ">75%<" in text
    assert 'aria-label="50 points more"' in text
    assert "4 findings opened and 25 closed" in text
    assert 'aria-label="In 12 weeks 4 findings opened and 25 closed"' in text
    assert 'href="/practices"' in text


async def test_all_practices_have_a_page_week_by_week(asking: Asking) -> None:
    text = (await asking(READER).get("/practices")).text
    assert "Images run as another user than root" in text
    assert 'aria-label="In 12 weeks 4 findings opened and 25 closed"' in text
    assert "Week by week" in text
    assert "+4 −25" in text


async def test_a_repository_lists_what_fails_and_what_cannot_be_told(asking: Asking) -> None:
    text = (await asking(READER).get(f"/repositories/{SHOP}")).text
    assert "1 finding fails, 1 cannot be told, 0 are waived, 1 hold" in text
    assert str(escape(MARK)) in text
    assert MARK not in text
    assert "it runs as root" in text
    assert "sbom is asked for" not in text
    assert "#L7" in text


async def test_one_that_was_not_judged_shows_nothing_of_it(asking: Asking) -> None:
    assert "cannot be told" not in (await asking(READER).get(f"/repositories/{names.repository(3)}")).text


async def test_programs_get_the_same(asking: Asking) -> None:
    client = asking(READER)
    [row] = (await client.get("/api/v1/practices")).json()["rows"]
    assert (row["check"], row["counts"], row["opened"]) == (
        "image-user",
        {"holds": 30, "fails": 10, "unknown": 3},
        4,
    )
    assert (row["weeks"][-1]["opened"], row["weeks"][-1]["closed"], row["weeks"][-1]["share"]) == (4, 25, 0.75)
    assert [each["share"] for each in row["weeks"][:-1]].count(0.25) == 1
    assert len(row["weeks"]) == 12
    found = (await client.get(f"/api/v1/repositories/{SHOP}/findings")).json()
    assert [each["check"] for each in found["findings"]] == ["image-user", "base-pinned", "sbom"]
    assert (await client.get("/api/v1/repositories/contoso/none/findings")).status_code == 404


async def test_metrics_have_every_check_and_outcome(asking: Asking) -> None:
    text = (await asking(SCRAPER).get("/metrics")).text
    assert 'freshness_practices{check="image-user",outcome="fails"} 10.0' in text
    assert 'freshness_practices{check="sbom",outcome="waived"} 0.0' in text


async def test_a_page_says_how_far_its_repository_is_brought(asking: Asking, database: Database) -> None:
    row = {"repository_id": 2, "state": "open", "reason": f"#3 waits {MARK}", "number": 3, "url": "https://f/3"}
    async with database.transaction() as connection:
        await connection.execute(insert(onboardings), [{**row, "changed_at": NOON, "due_at": NOON, "left": 4}])
    client = asking(READER)
    page = (await client.get(f"/repositories/{SHOP}")).text
    assert f"Open: #3 waits {escape(MARK)}." in page
    assert "4 findings left to people" in page
    assert "Brought along by pull requests: 1 open." in (await client.get("/")).text
    found = (await client.get(f"/api/v1/repositories/{SHOP}")).json()
    assert (found["onboarding"]["state"], found["onboarding"]["left"]) == ("open", 4)
