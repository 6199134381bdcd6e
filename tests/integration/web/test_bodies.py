"""Bodies of senders that nobody knows: how much of each and of all is kept, and when none is read."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.types import Message

from bot.web.access.bounds import LARGEST_BODY, LARGEST_EVENT
from bot.web.app import app_of
from bot.web.serving import bound, serving
from bot.web.site import Bodies, Senders, Site
from sandbox.programs.processes import ANY_PORT

SECRET, HEADER, PATH = "s" * 32, "h" * 32, "p" * 32
FORGED = "sha256=" + "0" * 64
MEBIBYTE = 1024 * 1024


@pytest.fixture
def expecting(site: Site) -> Site:
    return replace(site, senders=Senders(SECRET, HEADER, PATH), bodies=Bodies(most=MEBIBYTE))


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[tuple[str, int]]:
    with bound(ANY_PORT) as listening:
        async with serving(app_of(site), listening):
            yield listening.getsockname()


class Post:
    """A forged event on a connection of its own, sent as far as the test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def begun(cls, address: tuple[str, int], size: int) -> "Post":
        post = cls(*await asyncio.open_connection(*address))
        head = f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {FORGED}\r\nContent-Length: {size}"
        post.writer.write(f"{head}\r\n\r\n".encode())
        return post

    async def send(self, size: int) -> None:
        self.writer.write(b"x" * size)
        await self.writer.drain()

    async def answer(self) -> str:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        return head.decode().lower()

    def end(self) -> None:
        self.writer.transport.abort()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0)


class TestForgedEvents:
    async def test_keep_no_more_in_all_than_is_allowed_and_are_told_when_to_come_again(
        self, expecting: Site
    ) -> None:
        async with served(expecting) as address:
            size = MEBIBYTE // 2 + LARGEST_BODY
            first, second = [await Post.begun(address, size) for _ in range(2)]
            for post in (first, second):
                await post.send(size - 1)
            await until(lambda: expecting.bodies.kept >= MEBIBYTE - 2)
            third = await Post.begun(address, size)
            await third.send(2 * LARGEST_BODY)
            refused = await third.answer()
            assert refused.startswith("http/1.1 503")
            assert "retry-after: " in refused
            assert expecting.bodies.kept <= MEBIBYTE
            await first.send(1)
            assert (await first.answer()).startswith("http/1.1 403")
            await until(lambda: expecting.bodies.kept <= MEBIBYTE // 2)
            for post in (first, second, third):
                post.end()

    async def test_leave_nothing_behind_where_they_break_off(
        self, expecting: Site, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with served(expecting) as address:
            post = await Post.begun(address, MEBIBYTE)
            await post.send(MEBIBYTE // 2)
            await until(lambda: expecting.bodies.kept > 0)
            post.end()
            await until(lambda: expecting.bodies.kept == 0)
        assert [record.getMessage() for record in caplog.records] == []

    async def test_of_usual_size_need_no_room_that_others_take(self, expecting: Site) -> None:
        body = b"{}".ljust(LARGEST_BODY)
        full = replace(expecting, bodies=Bodies(most=0))
        async with served(full) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            headers = {"X-Hub-Signature-256": f"sha256={mac}", "X-GitHub-Delivery": "0001-0002"}
            assert (await client.post("/hooks/github", content=body, headers=headers)).status_code == 202
            assert (await client.post("/hooks/github", content=body + b" ", headers=headers)).status_code == 503

    async def test_are_told_apart_when_they_come_in_many_pieces(self, expecting: Site) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" "
            yield b"{}"

        mac = hmac.new(SECRET.encode(), b" " * 100 + b"{}", hashlib.sha256).hexdigest()
        async with served(expecting) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            for signature, status in ((f"sha256={mac}", 202), (FORGED, 403)):
                headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "0001-0002"}
                assert (await client.post("/hooks/github", content=pieces(), headers=headers)).status_code == status

    async def test_are_no_larger_each_than_is_allowed(self, site: Site) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(LARGEST_EVENT // LARGEST_BODY + 1):
                yield b" " * LARGEST_BODY

        expecting = replace(site, senders=Senders(SECRET))
        async with served(expecting) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            headers = {"X-Hub-Signature-256": FORGED}
            answer = await client.post("/hooks/github", content=pieces(), headers=headers)
            assert answer.status_code == 413
        assert expecting.bodies.kept == 0


class TestNoBodyIsRead:
    """Of senders that are refused by their head alone."""

    @pytest.fixture
    def asked(self, expecting: Site) -> Callable[..., Any]:
        async def sent(
            path: str, headers: dict[str, str], site: Site = expecting, method: str = "POST"
        ) -> tuple[int, bool]:
            was_read, answers = False, list[Message]()

            async def receive() -> Message:
                nonlocal was_read
                was_read = True
                return {"type": "http.request", "body": b"{}", "more_body": False}

            async def send(message: Message) -> None:
                answers.append(message)

            told = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
            scope = {
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": told,
                "client": ("203.0.113.9", 5),
                "http_version": "1.1",
                "scheme": "http",
                "root_path": "",
                "server": ("page.example", 80),
            }
            await app_of(site)(scope, receive, send)
            return answers[0]["status"], was_read

        return sent

    @pytest.mark.parametrize("path", ["/hooks/github", "/hooks/registry", f"/hooks/registry/{PATH}"])
    async def test_where_no_secret_is_set(self, asked: Callable[..., Any], site: Site, path: str) -> None:
        assert await asked(path, {"X-Hub-Signature-256": FORGED}, site) == (404, False)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-Hub-Signature-256": ""},
            {"X-Hub-Signature-256": "0" * 64},
            {"X-Hub-Signature-256": "sha1=" + "0" * 40},
            {"X-Hub-Signature-256": FORGED.upper()},
            {"X-Hub-Signature-256": FORGED + "0"},
            {"X-Hub-Signature-256": "sha256=" + "ä" * 64},
            {"X-Hub-Signature-256": "sha256=" + "g" * 64},
        ],
    )
    async def test_where_the_signature_is_none(self, asked: Callable[..., Any], headers: dict[str, str]) -> None:
        assert await asked("/hooks/github", headers) == (403, False)

    async def test_where_a_registry_shows_another_secret(self, asked: Callable[..., Any]) -> None:
        assert await asked("/hooks/registry", {"Authorization": "Bearer x"}) == (403, False)
        assert await asked("/hooks/registry/x", {}) == (403, False)

    @pytest.mark.parametrize("source", ["production", "nowhere"])
    async def test_where_a_cluster_shows_another_token(
        self, asked: Callable[..., Any], expecting: Site, source: str
    ) -> None:
        site = replace(expecting, senders=Senders(clusters={"production": "t" * 32}))
        told = {"Authorization": f"Bearer {'x' * 32}"}
        assert await asked(f"/api/v1/running/{source}", told, site, "PUT") == (403, False)

    async def test_but_where_the_signature_may_be_one(self, asked: Callable[..., Any]) -> None:
        assert await asked("/hooks/github", {"X-Hub-Signature-256": FORGED}) == (403, True)
