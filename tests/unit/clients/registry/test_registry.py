"""What no real registry does; the rest is tested against one in tests/integration/registry."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.bases.image import OCI_INDEX, digest_of
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base

NOW = datetime(2025, 11, 11, 18, 0, tzinfo=UTC)
BASE = Base("registry.example", "dotnet/aspnet", "10.0")
INDEX = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
CHALLENGE = {"www-authenticate": 'Bearer realm="https://auth.example/token",service="s"'}
GOOD = {"docker-content-digest": digest_of(INDEX), "content-type": OCI_INDEX}

Handler = Callable[[httpx.Request], httpx.Response]


class World:
    """A registry and its token service, as one handler of requests."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.asked: list[httpx.Request] = []
        self.clock = ManualClock(NOW)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.handler(request)

    def at(self, host: str) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.host == host]

    def registry(self, *accesses: RegistryAccess) -> tuple[Http, Registry]:
        accesses = accesses or (RegistryAccess("registry.example"),)
        http = Http(self.clock, host_rules(accesses), transport=httpx.MockTransport(self))
        return http, Registry(http, accesses, self.clock)


def with_tokens(lifetime: int = 300) -> Handler:
    """Wants the newest token for everything."""
    issued: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            issued.append(f"token{len(issued)}")
            return httpx.Response(200, json={"token": issued[-1], "expires_in": lifetime})
        if issued and request.headers.get("authorization") == f"Bearer {issued[-1]}":
            return httpx.Response(200, headers=GOOD)
        return httpx.Response(401, headers=CHALLENGE)

    return handle


async def failure_of(world: World, *accesses: RegistryAccess, base: Base = BASE) -> Failure:
    http, registry = world.registry(*accesses)
    async with http:
        with pytest.raises(Failure) as caught:
            await registry.head(base)
    return caught.value


async def test_a_token_is_fetched_once_and_used_until_it_expires() -> None:
    world = World(with_tokens(lifetime=300))
    http, registry = world.registry()
    async with http:
        await registry.head(BASE)
        await registry.head(BASE)
        assert len(world.at("auth.example")) == 1
        world.clock.advance(timedelta(seconds=300))
        await registry.head(BASE)
    assert len(world.at("auth.example")) == 2
    assert len(world.at("registry.example")) == 4


async def test_each_repository_has_a_token_of_its_own() -> None:
    world = World(lambda request: with_tokens()(request) if request.url.host == "auth.example" else _needs(request))
    http, registry = world.registry()
    async with http:
        await registry.head(BASE)
        await registry.head(Base("registry.example", "dotnet/sdk", "10.0"))
    scopes = [request.url.params["scope"] for request in world.at("auth.example")]
    assert scopes == ["repository:dotnet/aspnet:pull", "repository:dotnet/sdk:pull"]


def _needs(request: httpx.Request) -> httpx.Response:
    granted = "authorization" in request.headers
    return httpx.Response(200, headers=GOOD) if granted else httpx.Response(401, headers=CHALLENGE)


async def test_a_token_that_is_refused_is_replaced_once() -> None:
    world = World(with_tokens())
    http, registry = world.registry()
    async with http:
        await registry.head(BASE)
        await http.request("GET", "https://auth.example/token")  # from now on, another token is wanted
        await registry.head(BASE)
    assert len(world.at("auth.example")) == 3


async def test_endless_challenges_end_in_denied() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            return httpx.Response(200, json={"token": "t"})
        return httpx.Response(401, headers=CHALLENGE)

    world = World(refuse)
    failure = await failure_of(world)
    assert failure.trouble is Trouble.DENIED
    assert str(failure) == (
        "registry.example/dotnet/aspnet:10.0: is not shown to us (401); check username and password"
    )
    assert len(world.asked) == 3


async def test_a_password_is_not_shown_to_an_unrelated_token_service() -> None:
    world = World(with_tokens())
    failure = await failure_of(world, RegistryAccess("registry.example", "user", "secret"))
    assert failure.trouble is Trouble.DENIED
    assert "wants its password shown to auth.example; set `token_host`" in str(failure)
    assert world.at("auth.example") == []


async def test_a_password_is_shown_to_the_token_service_that_the_operator_names() -> None:
    world = World(with_tokens())
    http, registry = world.registry(RegistryAccess("registry.example", "u", "p", token_host="auth.example"))
    async with http:
        await registry.head(BASE)
    assert world.at("auth.example")[0].headers["authorization"] == "Basic dTpw"
    assert all("Basic" not in request.headers.get("authorization", "") for request in world.at("registry.example"))


async def test_a_token_service_without_tls_is_refused() -> None:
    header = {"www-authenticate": 'Bearer realm="http://auth.example/token"'}
    world = World(lambda request: httpx.Response(401, headers=header))
    assert "token service without TLS" in str(await failure_of(world))


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(401, Trouble.DENIED), (403, Trouble.DENIED), (404, Trouble.MALFORMED), (400, Trouble.MALFORMED)],
)
async def test_a_refusal_of_the_token_service_names_it_and_never_means_that_the_image_is_gone(
    status: int, trouble: Trouble
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        asks_service = request.url.host == "auth.example"
        return httpx.Response(status) if asks_service else httpx.Response(401, headers=CHALLENGE)

    failure = await failure_of(World(handle))
    assert (failure.trouble, failure.status) == (trouble, status)
    assert str(failure).startswith(f"registry.example/dotnet/aspnet: gets no token from auth.example ({status}); ")


async def test_a_token_service_whose_name_cannot_be_read_is_one_clear_line() -> None:
    header = {"www-authenticate": 'Bearer realm="https://[::1/token"'}
    failure = await failure_of(World(lambda request: httpx.Response(401, headers=header)))
    assert str(failure) == ("registry.example/dotnet/aspnet: asks for a token without saying where to get it")


async def test_basic_credentials_are_sent_where_the_host_asks_for_them() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") == "Basic dTpw":
            return httpx.Response(200, headers=GOOD)
        return httpx.Response(401, headers={"www-authenticate": 'Basic realm="r"'})

    world = World(handle)
    http, registry = world.registry(RegistryAccess("registry.example", "u", "p"))
    async with http:
        await registry.head(BASE)
        await registry.head(BASE)
    assert ["authorization" in request.headers for request in world.asked] == [False, True, True]


async def test_a_challenge_of_a_redirect_target_is_not_answered() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "registry.example":
            return httpx.Response(307, headers={"location": "https://evil.example/x"})
        return httpx.Response(401, headers={"www-authenticate": 'Basic realm="r"'})

    world = World(handle)
    failure = await failure_of(world, RegistryAccess("registry.example", "u", "p"))
    assert failure.trouble is Trouble.DENIED
    assert all("authorization" not in request.headers for request in world.asked)


async def test_only_configured_registries_are_contacted() -> None:
    world = World(lambda request: httpx.Response(200, headers=GOOD))
    failure = await failure_of(world, base=Base("evil.example", "a", "1"))
    assert "is no configured registry; add it to `registries`" in str(failure)
    assert world.asked == []


@pytest.mark.parametrize(
    "base",
    [
        Base("registry.example", "../../v1", "1"),
        Base("registry.example", "a/../b", "1"),
        Base("registry.example", "a?x=", "1"),
        Base("registry.example", "a", "../../catalog"),
        Base("registry.example", "a", "1#"),
        Base("registry.example", "a" * 300, "1"),
    ],
)
async def test_no_name_leads_elsewhere_on_the_host(base: Base) -> None:
    world = World(lambda request: httpx.Response(200, headers=GOOD))
    assert (await failure_of(world, base=base)).trouble is Trouble.MALFORMED
    assert world.asked == []


async def test_docker_hub_is_served_from_another_name() -> None:
    world = World(lambda request: httpx.Response(200, headers=GOOD))
    http, registry = world.registry(RegistryAccess("docker.io"))
    async with http:
        await registry.head(Base("docker.io", "library/alpine", "3"))
    assert str(world.asked[0].url) == "https://registry-1.docker.io/v2/library/alpine/manifests/3"


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.DENIED),
        (403, Trouble.DENIED),
        (404, Trouble.MISSING),
        (429, Trouble.THROTTLED),
        (500, Trouble.UNREACHABLE),
        (503, Trouble.UNREACHABLE),
        (400, Trouble.MALFORMED),
        (204, Trouble.MALFORMED),
    ],
)
async def test_each_status_means_one_trouble(status: int, trouble: Trouble, waits: list[float]) -> None:
    failure = await failure_of(World(lambda request: httpx.Response(status)))
    assert (failure.trouble, failure.status) == (trouble, status)


async def test_a_head_without_digest_is_read_and_counted() -> None:
    world = World(lambda request: httpx.Response(200, headers={"content-type": OCI_INDEX}, content=INDEX))
    http, registry = world.registry()
    async with http:
        head = await registry.head(BASE)
    assert (head.digest, head.media_type) == (digest_of(INDEX), OCI_INDEX)
    assert [request.method for request in world.asked] == ["HEAD", "GET"]


async def test_a_registry_that_knows_no_head_is_read() -> None:
    world = World(
        lambda request: httpx.Response(405) if request.method == "HEAD" else httpx.Response(200, content=INDEX)
    )
    http, registry = world.registry()
    async with http:
        assert (await registry.head(BASE)).digest == digest_of(INDEX)


async def test_a_page_instead_of_a_manifest_is_one_clear_line() -> None:
    page = {"content-type": "text/html; charset=utf-8"}
    failure = await failure_of(
        World(lambda request: httpx.Response(200, headers=page, content=b"<html>Sign in</html>"))
    )
    assert (
        str(failure)
        == "registry.example/dotnet/aspnet:10.0: sent something that is not JSON; nothing of it is used"
    )


@pytest.mark.parametrize(
    "digest", ["", "latest", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:ABC", "sha256:" + "a" * 63]
)
async def test_a_digest_that_is_none_is_refused(digest: str) -> None:
    headers = {**GOOD, "docker-content-digest": digest}
    failure = await failure_of(World(lambda request: httpx.Response(200, headers=headers)))
    assert "which is no sha256 or sha512 digest" in str(failure)


async def test_a_manifest_of_schema_1_is_refused_with_advice() -> None:
    headers = {**GOOD, "content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
    failure = await failure_of(World(lambda request: httpx.Response(200, headers=headers)))
    assert "instead of a manifest; check that this is a registry with images of Docker schema 2 or OCI" in str(
        failure
    )


async def test_content_is_checked_against_its_digest() -> None:
    world = World(lambda request: httpx.Response(200, content=b"something else"))
    http, registry = world.registry()
    async with http:
        for read in (registry.manifest, registry.config):
            with pytest.raises(Failure, match="sent content with digest sha256:"):
                await read("registry.example", "dotnet/aspnet", digest_of(INDEX))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_both_registered_algorithms_are_checked(algorithm: str) -> None:
    world = World(lambda request: httpx.Response(200, content=INDEX))
    http, registry = world.registry()
    async with http:
        assert await registry.manifest("registry.example", "a", digest_of(INDEX, algorithm)) == INDEX


def test_a_password_does_not_show() -> None:
    assert "secret" not in repr(RegistryAccess("registry.example", "user", "secret"))


def pages(*links: str | None, entries: object = None) -> Handler:
    """One page of referrers for each link to the next; the last link is given again and again."""
    answers = iter(links)
    last = links[-1]

    def handle(request: httpx.Request) -> httpx.Response:
        link = next(answers, last)
        listed = [{"artifactType": "a/b", "digest": request.url.query.decode()}] if entries is None else entries
        headers = {"link": link} if link else {}
        return httpx.Response(200, json={"manifests": listed}, headers=headers)

    return handle


SUBJECT = f"sha256:{'1' * 64}"
HERE = f"/v2/dotnet/aspnet/referrers/{SUBJECT}"


async def referrers(world: World) -> object:
    http, registry = world.registry()
    async with http:
        return await registry.referring("registry.example", "dotnet/aspnet", SUBJECT)


@pytest.mark.parametrize(
    "link",
    [
        f'<https://elsewhere.example{HERE}?last=1>; rel="next"',
        '</v2/dotnet/sdk/referrers/x?last=1>; rel="next"',
        '<https://[>; rel="next"',
    ],
)
async def test_a_page_of_referrers_that_leads_elsewhere_is_not_followed(link: str) -> None:
    world = World(pages(link))
    with pytest.raises(Failure, match="leads elsewhere") as caught:
        await referrers(world)
    assert caught.value.trouble is Trouble.MALFORMED
    assert len(world.asked) == 1


async def test_pages_of_referrers_without_end_are_given_up() -> None:
    world = World(pages(f'<{HERE}?last=1>; rel="next"'))
    with pytest.raises(Failure, match="no end"):
        await referrers(world)
    assert len(world.asked) == 10


async def test_another_link_than_to_the_next_page_leads_nowhere() -> None:
    world = World(pages(f'<{HERE}?last=1>; rel="first"'))
    await referrers(world)
    assert [request.url.path.split("/")[-2] for request in world.asked] == ["referrers", "manifests"]


@pytest.mark.parametrize("entries", [{"a": 1}, "x", 7])
async def test_referrers_that_are_no_list_are_malformed(entries: object) -> None:
    with pytest.raises(Failure, match="no list of referrers"):
        await referrers(World(pages(None, entries=entries)))


async def test_a_referrer_that_is_no_descriptor_is_left_out() -> None:
    entries = [7, {"artifactType": "a/b", "digest": SUBJECT}, {"artifactType": "c/d", "digest": "x"}, {}]
    assert await referrers(World(pages(None, entries=entries))) == (SUBJECT,)


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_referrers_that_are_not_shown_are_no_empty_list(status: int) -> None:
    with pytest.raises(Failure):
        await referrers(World(lambda _: httpx.Response(status)))


async def test_an_empty_list_of_referrers_is_not_taken_for_none() -> None:
    """A registry that has the API by now may keep under the fallback tag what was attached before it had."""

    def handle(request: httpx.Request) -> httpx.Response:
        listed = [{"digest": SUBJECT}] if "/manifests/" in request.url.path else []
        return httpx.Response(200, json={"manifests": listed})

    assert await referrers(World(handle)) == (SUBJECT,)


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.in-toto+json",
        "application/vnd.dsse.envelope.v1+json",
        "application/vex+json",
        "application/openvex+json",
        "application/vnd.openvex.v0.2.0+json",
    ],
)
async def test_statements_are_listed_behind_signatures_and_before_all_else(kind: str) -> None:
    """Whoever reads only so many would miss them behind reports, and signatures behind them."""
    kinds = {"1": "application/report", "2": kind, "3": "application/vnd.cncf.notary.signature"}
    entries = [{"artifactType": each, "digest": f"sha256:{key * 64}"} for key, each in kinds.items()]
    http, registry = World(pages(None, entries=entries)).registry()
    async with http:
        found = await registry.referring("registry.example", "dotnet/aspnet", SUBJECT)
    assert [digest[-1] for digest in found] == ["3", "2", "1"]


async def test_a_layer_is_streamed_with_the_token_that_is_asked_for() -> None:
    world = World(with_tokens())
    http, registry = world.registry()
    async with http:
        chunks = [chunk async for chunk in registry.blob("registry.example", "dotnet/aspnet", digest_of(INDEX))]
        assert b"".join(chunks) == b""
    assert len(world.at("auth.example")) == 1
    assert [request.url.path.rpartition("/")[0] for request in world.at("registry.example")] == [
        "/v2/dotnet/aspnet/blobs"
    ] * 2


@pytest.mark.parametrize(
    ("status", "trouble"), [(403, Trouble.DENIED), (404, Trouble.MISSING), (503, Trouble.UNREACHABLE)]
)
async def test_a_layer_that_is_not_given_is_a_failure(status: int, trouble: Trouble) -> None:
    http, registry = World(lambda _: httpx.Response(status)).registry()
    async with http:
        with pytest.raises(Failure) as caught:
            [chunk async for chunk in registry.blob("registry.example", "dotnet/aspnet", digest_of(INDEX))]
    assert caught.value.trouble is trouble


async def test_a_layer_without_a_digest_is_not_asked_for() -> None:
    world = World(lambda _: httpx.Response(200))
    http, registry = world.registry()
    async with http:
        with pytest.raises(Failure, match="is no sha256 or sha512 digest"):
            [chunk async for chunk in registry.blob("registry.example", "dotnet/aspnet", "latest")]
    assert world.asked == []


def tag_pages(count: int, answer: object = None) -> Handler:
    """Pages of two tags each, numbered from 0; `answer` stands for the last."""

    def handle(request: httpx.Request) -> httpx.Response:
        number = int(dict(request.url.params).get("last", 0))
        is_last = number + 1 >= count
        if is_last and answer is not None:
            return httpx.Response(200, json=answer)
        listed = {"tags": [f"1.0.{2 * number}", f"1.0.{2 * number + 1}"]}
        link = {} if is_last else {"link": f'</v2/dotnet/aspnet/tags/list?n=1000&last={number + 1}>; rel="next"'}
        return httpx.Response(200, json=listed, headers=link)

    return handle


async def tags(handle: Handler) -> list[str]:
    http, registry = World(handle).registry()
    async with http:
        return await registry.tags("registry.example", "dotnet/aspnet")


@pytest.mark.parametrize("count", [1, 2, 10, 11, 50])
async def test_a_list_of_tags_is_read_to_its_end(count: int) -> None:
    assert await tags(tag_pages(count)) == [f"1.0.{number}" for number in range(2 * count)]


async def test_a_list_of_tags_that_is_not_read_to_its_end_is_told_and_not_used() -> None:
    with pytest.raises(Failure, match="lists tags on more than 200 pages") as caught:
        await tags(tag_pages(100_000))
    assert caught.value.trouble is Trouble.MALFORMED


@pytest.mark.parametrize("answer", [[], {}, {"tags": 5}, "x"])
async def test_what_is_no_list_of_tags_is_no_end_of_one(answer: object) -> None:
    with pytest.raises(Failure, match="answered with no list of tags"):
        await tags(tag_pages(3, answer))


async def test_a_repository_without_tags_has_none() -> None:
    """As Distribution lists it."""
    assert await tags(tag_pages(1, {"name": "dotnet/aspnet", "tags": None})) == []
