"""What a person has the bot do from the page lands in the journal under the name that signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.store.engine.database import Database
from bot.store.orders.orders import OrdersStore
from bot.store.rows.rollouts.tables import pauses, rebuilds
from bot.web.site import Site
from sandbox.stored_fleet import names
from sandbox.stored_fleet.fleet import QUARANTINED
from tests.integration.web.conftest import ACTOR, Asking, opened_copy
from tests.integration.web.visitors import field, signed_in

FAILED, WAITING = names.repository(38), names.repository(25)
"""Repositories by how their latest rebuild stands."""


@pytest.fixture
async def database(filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_copy(filled_store, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("order", "subject", "what"),
    [
        ("pause", "13", "pause"),
        ("resume", "13", "resume"),
        ("pause", "everything", "pause"),
        ("retry", FAILED, "retry"),
        ("hold", WAITING, "hold"),
        ("quarantine", "mcr.microsoft.com/dotnet/aspnet:10.0", "quarantine add"),
        ("lift", str(QUARANTINED), "quarantine lift"),
    ],
)
async def test_each_order_is_kept_with_who_and_why(
    asking: Asking, site: Site, order: str, subject: str, what: str
) -> None:
    client = await signed_in(asking)
    form = {
        "form": await field(client, "/"),
        "subject": subject,
        "reason": " black \n friday ",
        "page": "/rollouts",
    }
    answer = await client.post(f"/orders/{order}", data=form, headers={"Origin": "http://page.example"})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/rollouts"
    entry = (await site.stores[OrdersStore].entries(1))[0]
    assert (entry.word.who, entry.word.reason, entry.word.is_claimed, entry.what) == (
        "alice",
        "black friday",
        False,
        what,
    )


async def test_a_rollout_is_paused_and_held_rebuilds_are_shown(
    asking: Asking, site: Site, database: Database
) -> None:
    client = asking(ACTOR)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    await client.post("/orders/pause", content="subject=13&reason=look+first", headers=headers)
    await client.post("/orders/hold", content=f"subject={WAITING}&reason=audit", headers=headers)
    async with database.reading() as connection:
        assert (await connection.execute(select(pauses.c.rollout_id))).scalars().all() == [13]
        kept = await connection.execute(select(rebuilds.c.held_because).where(rebuilds.c.held_because.is_not(None)))
        assert kept.scalars().all()[-1:] == ["held by alice: audit"]
    page = (await client.get("/rollouts/13")).text
    assert "look first" in page
    assert "held by alice: audit" in page


@pytest.mark.parametrize(
    ("order", "body", "status", "says"),
    [
        ("pause", "subject=&reason=x", 409, "There is no rollout"),
        ("pause", "subject=-1&reason=x", 409, "There is no rollout"),
        ("pause", "subject=999&reason=x", 409, "There is no rollout 999"),
        ("hold", "subject=contoso/none&reason=x", 409, "No repository"),
        ("quarantine", "subject=none:1&reason=x", 409, "No base"),
        ("pause", "subject=13&reason=+", 400, "Say why"),
        ("destroy", "subject=13&reason=x", 404, "no such"),
        ("pause", "subject=13&subject=12&reason=x", 403, "twice"),
        ("pause", "subject=%ff&reason=x", 403, "cannot be read"),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    asking: Asking, site: Site, order: str, body: str, status: int, says: str
) -> None:
    before = await site.stores[OrdersStore].entries(1)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    answer = await asking(ACTOR).post(f"/orders/{order}", content=body, headers=headers)
    assert answer.status_code == status
    assert says.lower() in answer.text.lower()
    assert await site.stores[OrdersStore].entries(1) == before
