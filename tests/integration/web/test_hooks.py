"""Events by HTTP: forged, repeated, broken and right ones."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import select

from bot.store.events import EventsStore
from bot.store.rows.tables import deliveries
from bot.web.site import Senders, Site
from tests.integration.web.conftest import ACTOR, Asking

SECRET, HEADER, PATH, SERVICE_HOOK = "s" * 32, "h" * 32, "p" * 32, "a" * 32
EVENT = {"id": "03c164c2-8912-4d5e-8009-3707d5f83734", "eventType": "git.push", "resource": {}}
PUSH = {"ref": "refs/heads/main", "repository": {"id": 7, "default_branch": "main"}}


@pytest.fixture
def expecting(site: Site) -> Site:
    return replace(site, senders=Senders(SECRET, HEADER, PATH, azure_devops=SERVICE_HOOK))


def signed(body: bytes, secret: str = SECRET, **headers: str) -> dict[str, str]:
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    told = {"X-Hub-Signature-256": f"sha256={mac}", "X-GitHub-Event": "push", "X-GitHub-Delivery": "0001-0002-0003"}
    return {name: value for name, value in {**told, **headers}.items() if value}


async def sent(client: httpx.AsyncClient, payload: Any = PUSH, **headers: str) -> httpx.Response:
    body = json.dumps(payload).encode()
    return await client.post("/hooks/github", content=body, headers=signed(body, **headers))


async def kept(site: Site) -> list[str]:
    async with site.stores[EventsStore]._database.reading() as connection:
        return list((await connection.execute(select(deliveries.c.source))).scalars())


async def test_a_signed_event_is_taken_once(asking: Asking, expecting: Site) -> None:
    client = asking(of=expecting)
    assert (await sent(client)).status_code == 202
    assert (await sent(client)).status_code == 202
    assert await kept(expecting) == ["github"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha1=" + "0" * 40},
        {"X-Hub-Signature-256": "", "Authorization": f"Bearer {ACTOR}"},
    ],
)
async def test_a_forged_event_is_not(asking: Asking, expecting: Site, headers: dict[str, str]) -> None:
    answer = await sent(asking(of=expecting), **headers)
    assert (answer.status_code, answer.text) == (403, "forged\n")
    assert await kept(expecting) == []


async def test_an_event_signed_by_another_is_forged(asking: Asking, expecting: Site) -> None:
    body = json.dumps(PUSH).encode()
    answer = await asking(of=expecting).post("/hooks/github", content=body, headers=signed(body, "o" * 32))
    assert answer.status_code == 403


@pytest.mark.parametrize("delivery", ["", "x", "a b c d e f", "a" * 65])
async def test_an_event_needs_an_id(asking: Asking, expecting: Site, delivery: str) -> None:
    answer = await sent(asking(of=expecting), **{"X-GitHub-Delivery": delivery})
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000])
async def test_what_is_no_event_is_refused(asking: Asking, expecting: Site, body: bytes) -> None:
    client = asking(of=expecting)
    assert (await client.post("/hooks/github", content=body, headers=signed(body))).status_code == 400
    for place, secret in (("registry", HEADER), ("azure-devops", SERVICE_HOOK)):
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await client.post(f"/hooks/{place}", content=body, headers=headers)).status_code == 400


async def test_an_oversized_event_is_refused_unread(asking: Asking, expecting: Site) -> None:
    body = b" " * 5_000_000
    assert (await asking(of=expecting).post("/hooks/github", content=body)).status_code == 413


@pytest.mark.parametrize(
    "path", ["/hooks/github", "/hooks/azure-devops", "/hooks/registry", f"/hooks/registry/{PATH}"]
)
async def test_nothing_is_taken_where_no_secret_is_set(asking: Asking, path: str) -> None:
    body = b"{}"
    headers = signed(body) | {"Authorization": f"Bearer {HEADER}"}
    assert (await asking().post(path, content=body, headers=headers)).status_code == 404


async def test_a_registry_is_known_by_its_header(asking: Asking, expecting: Site) -> None:
    client = asking(of=expecting)
    for shown, status in ((f"Bearer {HEADER}", 202), (f"Bearer {PATH}", 403), (HEADER, 403), ("", 403)):
        answer = await client.post("/hooks/registry", content=b"{}", headers={"Authorization": shown})
        assert answer.status_code == status


async def test_a_service_hook_is_known_by_its_header_and_each_event_counts_once(
    asking: Asking, expecting: Site
) -> None:
    client, right = asking(of=expecting), f"Bearer {SERVICE_HOOK}"
    for shown, status in ((f"Bearer {HEADER}", 403), (SERVICE_HOOK, 403), ("", 403), (right, 202), (right, 202)):
        answer = await client.post("/hooks/azure-devops", json=EVENT, headers={"Authorization": shown})
        assert answer.status_code == status
    assert await kept(expecting) == ["azure-devops"]


async def test_an_event_of_a_service_hook_needs_an_id(asking: Asking, expecting: Site) -> None:
    headers = {"Authorization": f"Bearer {SERVICE_HOOK}"}
    answer = await asking(of=expecting).post("/hooks/azure-devops", json={**EVENT, "id": "x"}, headers=headers)
    assert answer.status_code == 400


async def test_a_registry_without_headers_is_known_by_its_path_which_no_log_sees(
    asking: Asking, expecting: Site
) -> None:
    client = asking(of=expecting)
    with structlog.testing.capture_logs() as lines:
        assert (await client.post(f"/hooks/registry/{PATH}", content=b"{}")).status_code == 202
        assert (await client.post(f"/hooks/registry/{HEADER}", content=b"{}")).status_code == 403
        metrics = await asking(ACTOR, of=expecting).get("/metrics")
    assert PATH not in str(lines) + metrics.text
    assert 'freshness_hook_deliveries_total{outcome="forged",source="registry"} 1.0' in metrics.text
    assert 'page="hooks-registry-path"' in metrics.text


async def test_nothing_is_said_of_what_is_known(asking: Asking, expecting: Site) -> None:
    client = asking(of=expecting)
    answers = [
        await sent(
            client,
            {**PUSH, "repository": {"id": number, "default_branch": "main"}},
            **{"X-GitHub-Delivery": f"00000000-{number}"},
        )
        for number in (1, 2)
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "ok\n")}
