import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.clients.http.client import ANY_HOST, USER_AGENT, HostRules, Http, Limits, Nobody
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble

NOW = datetime(2025, 11, 11, 18, 0, tzinfo=UTC)
URL = "https://registry.example/v2/"
Given = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers in the given order, the last one for ever; remembers what it was asked."""

    def __init__(self, *answers: Given) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    def http(self, limits: Limits | None = None, **hosts: HostRules) -> Http:
        return Http(ManualClock(NOW), hosts, limits or Limits(), httpx.MockTransport(self))


def answer(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    return httpx.Response(
        status, headers={name.replace("_", "-"): text for name, text in headers.items()}, content=body
    )


async def test_a_4xx_is_an_answer() -> None:
    async with Server(answer(404, b"gone")).http() as http:
        found = await http.request("GET", URL)
    assert (found.status, found.body, found.url) == (404, b"gone", URL)


async def test_headers_are_looked_up_in_any_case() -> None:
    async with Server(answer(200, docker_content_digest="sha256:1")).http() as http:
        assert (await http.request("HEAD", URL)).headers["Docker-Content-Digest"] == "sha256:1"


async def test_the_bot_says_who_it_is() -> None:
    server = Server(answer(200))
    async with server.http() as http:
        await http.request("GET", URL)
    assert server.asked[0].headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize("trouble", [answer(503), answer(429), httpx.ConnectError("no"), httpx.ReadTimeout("slow")])
async def test_a_passing_trouble_is_got_over(trouble: httpx.Response | Exception, waits: list[float]) -> None:
    server = Server(trouble, answer(200))
    async with server.http() as http:
        assert (await http.request("GET", URL)).status == 200
    assert len(server.asked) == 2
    assert len(waits) == 1


async def test_attempts_are_bounded(waits: list[float]) -> None:
    server = Server(answer(502))
    async with server.http(Limits(attempts=3)) as http:
        with pytest.raises(Failure) as caught:
            await http.request("GET", URL)
    assert len(server.asked) == 3
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert caught.value.status == 502
    assert str(caught.value) == "registry.example/v2/: has trouble of its own (502); it is tried again later"


@pytest.mark.parametrize("value", ["7", "Tue, 11 Nov 2025 18:00:07 GMT"])
async def test_retry_after_is_waited_for(value: str, waits: list[float]) -> None:
    async with Server(answer(429, retry_after=value), answer(200)).http() as http:
        await http.request("GET", URL)
    assert waits == [7.0]


async def test_a_long_retry_after_is_handed_to_the_caller(waits: list[float]) -> None:
    server = Server(answer(429, retry_after="3600"))
    async with server.http() as http:
        with pytest.raises(Failure) as caught:
            await http.request("GET", URL)
    assert caught.value.trouble is Trouble.THROTTLED
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 3600
    assert (len(server.asked), waits) == (1, [])


@pytest.mark.parametrize("trouble", [answer(503), httpx.ReadError("cut")])
async def test_a_post_is_never_repeated_unasked(trouble: httpx.Response | Exception) -> None:
    server = Server(trouble)
    async with server.http() as http:
        with pytest.raises(Failure):
            await http.request("POST", URL, content=b"{}")
    assert len(server.asked) == 1


async def test_a_post_that_does_no_harm_twice_may_be_repeated(waits: list[float]) -> None:
    server = Server(answer(503), answer(200))
    async with server.http() as http:
        await http.request("POST", URL, content=b"{}", retry=True)
    assert [request.content for request in server.asked] == [b"{}", b"{}"]


async def test_a_refused_certificate_is_not_tried_again() -> None:
    error = httpx.ConnectError(
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
    )
    server = Server(error)
    async with server.http() as http:
        with pytest.raises(Failure, match="certificate is not trusted") as caught:
            await http.request("GET", URL)
    assert len(server.asked) == 1
    assert caught.value.advice == "set `ca_file` for this host"


async def test_plain_http_needs_permission() -> None:
    async with Server(answer(200)).http() as http:
        with pytest.raises(Failure, match="plain http is not permitted"):
            await http.request("GET", "http://registry.example/v2/")
    async with Server(answer(200)).http(None, **{"registry.example": HostRules(insecure=True)}) as http:
        assert (await http.request("GET", "http://registry.example/v2/")).status == 200


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a/b", "/v2/", "https://user:secret@a/b", "https://", "https://a:port/"),
        *("https://a:99999/", "https://xn--.example/"),
    ],
)
async def test_a_url_that_is_none_is_one_clear_line(url: str) -> None:
    async with Server(answer(200)).http() as http:
        with pytest.raises(Failure) as caught:
            await http.request("GET", url)
    assert caught.value.trouble is Trouble.MALFORMED
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("location", ["https://xn--.example/", "https://cdn.example:99999/"])
async def test_a_redirect_to_a_host_that_cannot_be_asked_is_one_clear_line(location: str) -> None:
    async with Server(answer(307, location=location)).http() as http:
        with pytest.raises(Failure, match="redirects to something that is no URL") as caught:
            await http.request("GET", "https://registry.example/v2/", allow_redirects_to=ANY_HOST)
    assert caught.value.trouble is Trouble.MALFORMED


async def test_credentials_do_not_follow_to_another_host() -> None:
    server = Server(answer(307, location="https://cdn.example/blob"), answer(200, b"x"))
    async with server.http() as http:
        headers = {"Authorization": "Bearer t", "Cookie": "a=b", "X-Token": "t", "Accept": "text/plain"}
        found = await http.request("GET", URL, headers=headers, allow_redirects_to=ANY_HOST)
    followed = server.asked[1]
    assert found.redirected
    assert followed.headers["accept"] == "text/plain"
    assert not {"authorization", "cookie", "x-token"} & set(followed.headers)


async def test_credentials_stay_within_the_host() -> None:
    server = Server(answer(307, location="/other"), answer(200))
    async with server.http() as http:
        found = await http.request("GET", URL, headers={"Authorization": "Bearer t"})
    assert server.asked[1].headers["authorization"] == "Bearer t"
    assert not found.redirected


async def test_credentials_do_not_come_back_with_a_second_redirect() -> None:
    server = Server(answer(307, location="https://cdn.example/"), answer(307, location=URL), answer(200))
    async with server.http() as http:
        await http.request("GET", URL, headers={"Authorization": "Bearer t"}, allow_redirects_to=ANY_HOST)
    assert "authorization" not in server.asked[2].headers


async def test_redirects_are_bounded() -> None:
    server = Server(answer(302, location="/again"))
    async with server.http(Limits(redirects=4)) as http:
        with pytest.raises(Failure, match="redirects more than 4 times"):
            await http.request("GET", URL)
    assert len(server.asked) == 5


async def test_cookies_are_not_kept() -> None:
    server = Server(answer(200, set_cookie="session=1"))
    async with server.http() as http:
        await http.request("GET", URL)
        await http.request("GET", URL)
    assert "cookie" not in server.asked[1].headers


async def test_failures_never_show_a_query(waits: list[float]) -> None:
    async with Server(httpx.ReadError("cut")).http() as http:
        with pytest.raises(Failure) as caught:
            await http.request("GET", URL + "?token=secret")
    assert "secret" not in str(caught.value)


async def test_failures_call_a_secret_url_by_another_name() -> None:
    async with Server(answer(503)).http() as http:
        with pytest.raises(Failure) as caught:
            await http.request("POST", "https://hooks.example/services/T0/secret", place="the webhook")
    assert str(caught.value) == "the webhook: has trouble of its own (503); it is tried again later"
    assert caught.value.__suppress_context__


async def test_not_more_than_the_permitted_requests_run_at_a_host_at_once() -> None:
    running = most = 0

    class Busy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return httpx.Response(200)

    async with Http(ManualClock(NOW), limits=Limits(per_host=3), transport=Busy()) as http:
        await asyncio.gather(*(http.request("GET", URL) for _ in range(20)))
    assert most == 3


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_json_that_is_none_is_a_failure(body: bytes) -> None:
    async with Server(answer(200, body)).http() as http:
        found = await http.request("GET", URL)
    with pytest.raises(Failure, match="not JSON"):
        found.json()


@pytest.fixture
def no_certificates(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    return path


async def test_an_unusable_ca_file_is_said_at_once(no_certificates: Path) -> None:
    for path in (no_certificates, no_certificates.with_name("missing.pem")):
        with pytest.raises(Failure, match="ca_file") as caught:
            await Http(hosts={"registry.example": HostRules(ca_file=path)}).__aenter__()
        assert isinstance(caught.value.__cause__, OSError | ssl.SSLError)


async def test_a_body_of_the_accepted_size_is_taken_and_one_byte_more_is_not() -> None:
    async with Server(answer(200, b"abcd")).http() as http:
        assert (await http.request("GET", URL, max_bytes=4)).body == b"abcd"
        with pytest.raises(Failure, match="sent more than the 3 bytes"):
            await http.request("GET", URL, max_bytes=3)


class Counting(Nobody):
    """Notes the status of each request that it is told of."""

    def __init__(self) -> None:
        self.told: list[int | None] = []

    def answered(self, host: str, method: str, status: int | None) -> None:
        self.told.append(status)


async def breaking_off() -> AsyncIterator[bytes]:
    yield b"half"
    raise httpx.ReadError("cut")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([answer(200, b"whole")], [200]),
        ([answer(503)], [503]),
        ([answer(200, b"x" * 101)], [200]),
        ([answer(307, b"elsewhere", location="https://content.example/"), answer(200)], [307, 200]),
        ([httpx.ConnectError("refused")], [None]),
        ([lambda _: httpx.Response(200, content=breaking_off())], [None]),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_each_request_is_counted_once_by_its_answer_however_that_is_read(
    given: list[Given], told: list[int | None], is_streamed: bool
) -> None:
    server, observer = Server(*given), Counting()
    http = server.http()
    http.observer = observer
    with contextlib.suppress(Failure):
        async with http:
            if is_streamed:
                async with http.stream(URL, max_bytes=100, allow_redirects_to=ANY_HOST) as found:
                    assert [chunk async for chunk in found.chunks]
            else:
                await http.request("GET", URL, max_bytes=100, allow_redirects_to=ANY_HOST, retry=False)
    assert observer.told == told


async def streamed(server: Server, limits: Limits | None = None, max_bytes: int = 100) -> bytes:
    async with (
        server.http(limits) as http,
        http.stream(URL, max_bytes=max_bytes, allow_redirects_to=ANY_HOST) as found,
    ):
        return b"".join([chunk async for chunk in found.chunks])


async def test_a_long_answer_is_taken_as_it_comes() -> None:
    assert await streamed(Server(answer(200, b"layer"))) == b"layer"


async def test_a_long_answer_is_followed_to_another_host_without_credentials() -> None:
    server = Server(answer(307, location="https://content.example/blob"), answer(200, b"layer"))
    headers = {"Authorization": "Bearer t"}
    async with (
        server.http() as http,
        http.stream(URL, max_bytes=100, headers=headers, allow_redirects_to=ANY_HOST) as found,
    ):
        assert (found.redirected, [chunk async for chunk in found.chunks]) == (True, [b"layer"])
    assert "authorization" not in server.asked[1].headers


@pytest.mark.parametrize(
    ("given", "trouble", "told"),
    [
        (answer(200, b"x" * 101), Trouble.MALFORMED, "sent more than the 100 bytes that are accepted"),
        (answer(200, content_encoding="br"), Trouble.MALFORMED, "sent the unasked encoding 'br'"),
        (answer(503), Trouble.UNREACHABLE, "has trouble of its own (503)"),
        (answer(429, retry_after="7"), Trouble.THROTTLED, "asks for fewer requests (429)"),
        (answer(307, location="https://a.example/"), Trouble.MALFORMED, "redirects more than 5 times"),
        (httpx.ReadError("cut"), Trouble.UNREACHABLE, "broke off the conversation (ReadError)"),
    ],
)
async def test_what_goes_wrong_with_a_long_answer_is_one_clear_line(
    given: httpx.Response | Exception, trouble: Trouble, told: str
) -> None:
    with pytest.raises(Failure) as caught:
        await streamed(Server(given))
    assert (caught.value.trouble, told in str(caught.value)) == (trouble, True)


async def test_a_long_answer_that_does_not_end_is_broken_off() -> None:
    class Endless(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    http = Http(ManualClock(NOW), limits=Limits(streaming=0.01), transport=Endless())
    with pytest.raises(Failure, match=r"gave no complete answer within 0\.01 s"):
        async with http, http.stream(URL, max_bytes=100):
            pass


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_of_a_redirect_without_end_little_is_read(is_streamed: bool) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 2**24:
            sent += 2**14
            yield b"x" * 2**14

    location = {"location": "https://content.example/blob"}
    server = Server(lambda _: httpx.Response(307, headers=location, content=endless()), answer(200, b"layer"))
    if is_streamed:
        assert await streamed(server, max_bytes=2**30) == b"layer"
    else:
        async with server.http() as http:
            assert (await http.request("GET", URL, max_bytes=5, allow_redirects_to=ANY_HOST)).body == b"layer"
    assert sent < 2**18
