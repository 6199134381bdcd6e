"""Somebody in front of a browser: the form that a page holds, and a session."""

import re

import httpx

from tests.integration.web.conftest import ACTOR, Asking

HTML = {"Accept": "text/html"}


async def field(client: httpx.AsyncClient, path: str = "/login") -> str:
    """The token that forms of a page hold."""
    page = await client.get(path, headers=HTML)
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def signed_in(asking: Asking, token: str = ACTOR) -> httpx.AsyncClient:
    client = asking()
    form = {"form": await field(client), "token": token, "next": "/"}
    answer = await client.post("/login", data=form, headers={"Origin": "http://page.example"})
    assert answer.status_code == 303
    return client
