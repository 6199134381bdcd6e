"""Requests to GitHub when something is wrong, counted where they arrive."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.clients.forges.github import AppCredentials, GitHub, GitHubAccess, TokenCredentials
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import RepositoryArchived, RepositoryMoved
from sandbox.world import World

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ISSUES = "/repos/contoso/read/issues"
"""Of a repository in which nobody writes one."""
WRITTEN = "/repos/contoso/written/issues"
PAGE = "<html><body>502 Bad Gateway</body></html>"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def transport(shared_world: World, clock: ManualClock) -> AsyncIterator[Transport]:
    shared_world.faults.clear()
    for name in ("read", "written"):
        if not await shared_world.github.holds(name):
            await shared_world.github.create_repository(name, {"a": "1"})
    shared_world.traffic.forget()
    made = Transport(access(shared_world), clock)
    yield made
    await made.close()
    shared_world.faults.clear()


def access(world: World, credentials: TokenCredentials | AppCredentials | None = None, **more: Any) -> GitHubAccess:
    credentials = credentials or TokenCredentials(world.github.token)
    return GitHubAccess(world.github.url, credentials, seconds_between_writes=0, timeout=5, **more)


async def refused(transport: Transport, path: str = ISSUES) -> Failure:
    with pytest.raises(Failure) as failed:
        await transport.read(path)
    return failed.value


async def test_a_read_that_meets_a_502_is_tried_again(shared_world: World, transport: Transport) -> None:
    shared_world.faults.add("GET", "/issues$", status=502, body=PAGE, times=2)
    assert await transport.read(ISSUES) == []
    assert [entry.status for entry in shared_world.traffic.requests("github")] == [502, 502, 200]


async def test_a_read_whose_connection_is_lost_is_tried_again(shared_world: World, transport: Transport) -> None:
    shared_world.faults.add("GET", "/issues$", drop=True, times=2)
    assert await transport.read(ISSUES) == []
    assert [entry.status for entry in shared_world.traffic.requests("github")] == [None, None, 200]


async def test_a_host_that_stays_down_is_asked_three_times(shared_world: World, transport: Transport) -> None:
    shared_world.faults.add("GET", "/issues$", status=503, times=9)
    failure = await refused(transport)
    assert (failure.trouble, failure.status) == (Trouble.UNREACHABLE, 503)
    assert len(shared_world.traffic.requests("github")) == 3


@pytest.mark.parametrize("applied", [False, True], ids=["before it was done", "after it was done"])
@pytest.mark.parametrize("fault", [{"status": 502}, {"drop": True}], ids=["502", "lost"])
async def test_a_write_is_never_repeated(
    shared_world: World, transport: Transport, fault: dict[str, Any], applied: bool
) -> None:
    shared_world.faults.add("POST", "/issues$", applied=applied, **fault)
    with pytest.raises(Failure) as failed:
        await transport.write("POST", WRITTEN, {"title": f"once {fault} {applied}"})
    assert failed.value.trouble is Trouble.UNREACHABLE
    assert len(shared_world.traffic.writes()) == 1


@pytest.mark.parametrize("status", [403, 410])
async def test_that_a_repository_is_archived_is_told_apart_from_missing_rights(
    shared_world: World, transport: Transport, status: int
) -> None:
    body = '{"message": "Repository was archived so is read-only."}'
    shared_world.faults.add("GET", "/issues$", status=status, body=body)
    failure = await refused(transport)
    assert isinstance(failure, RepositoryArchived)
    assert failure.told == "the repository is archived"


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_what_would_fail_again_is_not_asked_again(
    shared_world: World, transport: Transport, status: int
) -> None:
    shared_world.faults.add("GET", "/issues$", status=status, body='{"message": "no"}')
    await refused(transport)
    assert len(shared_world.traffic.requests("github")) == 1


@pytest.mark.parametrize(
    ("status", "trouble", "words"),
    [
        (401, Trouble.DENIED, "github.token_file"),
        (403, Trouble.DENIED, "grant contents"),
        (404, Trouble.MISSING, "credentials may see it"),
        (409, Trouble.CONFLICT, "no"),
        (410, Trouble.MISSING, "no"),
        (422, Trouble.CONFLICT, "title: too long"),
        (451, Trouble.DENIED, "blocked"),
        (307, Trouble.MALFORMED, "github.api_url"),
    ],
)
async def test_every_refusal_says_what_where_and_what_to_do(
    shared_world: World, transport: Transport, status: int, trouble: Trouble, words: str
) -> None:
    body = '{"message": "no", "errors": [{"message": "title: too long"}]}'
    shared_world.faults.add("GET", "/issues$", status=status, body=body)
    failure = await refused(transport)
    assert (failure.trouble, failure.status) == (trouble, status)
    assert words in str(failure)
    assert str(failure).startswith(f"GET {shared_world.github.url.removeprefix('http://')}{ISSUES}: HTTP {status}")
    assert "\n" not in str(failure)


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {"retry-after": "7"}, "You have exceeded a secondary rate limit.", 7),
        (429, {"retry-after": "30"}, "", 30),
        (429, {"retry-after": "9" * 40}, "", 86400),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 40}, "", 86400),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON.timestamp()) + 90)}, "limit", 90),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON.timestamp()) - 5)}, "limit", 1),
        (403, {}, "You have exceeded a secondary rate limit. Please wait a few minutes.", 60),
        (429, {}, "", 60),
    ],
)
async def test_a_rate_limit_says_when_to_come_back_and_nothing_is_asked_before(
    shared_world: World,
    transport: Transport,
    clock: ManualClock,
    status: int,
    headers: dict[str, str],
    message: str,
    seconds: int,
) -> None:
    shared_world.faults.add("GET", "/issues$", status=status, headers=headers, body=f'{{"message": "{message}"}}')
    failure = await refused(transport)
    assert (failure.trouble, failure.retry_after) == (Trouble.THROTTLED, timedelta(seconds=seconds))
    clock.advance(timedelta(seconds=seconds) - timedelta(milliseconds=500))
    assert (await refused(transport, "/user")).retry_after == timedelta(milliseconds=500)
    assert len(shared_world.traffic.requests("github")) == 1
    clock.advance(timedelta(milliseconds=500))
    assert await transport.read(ISSUES) is not None


async def test_the_hourly_limit_of_the_sandbox_is_understood(world: World) -> None:
    world.github.edge.limits.rest = 1
    transport = Transport(access(world), ManualClock(datetime.now(UTC)))
    await transport.read("/user")
    failure = await refused(transport, "/user")
    await transport.close()
    assert failure.trouble is Trouble.THROTTLED
    assert failure.retry_after is not None
    assert timedelta(0) < failure.retry_after <= timedelta(hours=1)


async def test_a_forbidden_read_is_no_rate_limit(shared_world: World, transport: Transport) -> None:
    body = '{"message": "Resource not accessible by integration"}'
    shared_world.faults.add("GET", "/issues$", status=403, headers={"x-ratelimit-remaining": "4999"}, body=body)
    assert (await refused(transport)).trouble is Trouble.DENIED
    assert await transport.read(ISSUES) is not None


@pytest.mark.parametrize("body", [PAGE, "oops", '{"a": '])
async def test_an_answer_that_is_no_json_is_none_and_asked_for_again(
    shared_world: World, transport: Transport, body: str
) -> None:
    """A proxy's page comes with 200 while what is behind it is away."""
    shared_world.faults.add("GET", "/issues$", status=200, body=body, times=3)
    failure = await refused(transport)
    assert failure.trouble is Trouble.UNREACHABLE
    assert "no JSON" in str(failure)
    assert await transport.read(ISSUES) is not None


@pytest.mark.parametrize("status", [403, 404])
async def test_a_proxys_page_is_judged_by_its_status(
    shared_world: World, transport: Transport, status: int
) -> None:
    shared_world.faults.add("GET", "/issues$", status=status, body=PAGE)
    failure = await refused(transport)
    assert failure.status == status
    assert "html" not in str(failure)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_of_a_renamed_repository_is_told_and_never_followed(
    shared_world: World, transport: Transport, status: int
) -> None:
    target = {"location": f"{shared_world.github.url}{ISSUES}"}
    shared_world.faults.add(None, "/repos/contoso/old/", status=status, headers=target, times=2)
    with pytest.raises(RepositoryMoved):
        await transport.read("/repos/contoso/old/issues")
    with pytest.raises(RepositoryMoved):
        await transport.write("POST", "/repos/contoso/old/issues", {"title": "x"})
    assert len(shared_world.traffic.requests("github")) == 2


@pytest.mark.parametrize("target", ["http://elsewhere.invalid/issues", "https://localhost/issues"])
async def test_a_redirect_to_elsewhere_is_not_followed(
    shared_world: World, transport: Transport, target: str
) -> None:
    shared_world.faults.add("GET", "/issues$", status=301, headers={"location": target})
    failure = await refused(transport)
    assert failure.trouble is Trouble.MALFORMED
    assert "github.api_url" in str(failure)


async def test_a_query_is_no_write_and_needs_no_distance_to_another(
    shared_world: World, clock: ManualClock
) -> None:
    spaced = replace(access(shared_world), seconds_between_writes=60)
    transport = Transport(spaced, clock)
    async with asyncio.timeout(50):
        for _ in range(3):
            assert (await transport.query("query who { viewer { login } }", {})).errors == ()
    await transport.close()


async def test_writes_are_as_far_apart_as_the_operator_says(shared_world: World, clock: ManualClock) -> None:
    transport = Transport(replace(access(shared_world), seconds_between_writes=0.2), clock)
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(transport.write("POST", WRITTEN, {"title": "x"}) for _ in range(3)))
    assert asyncio.get_running_loop().time() - started >= 0.4
    await transport.close()


LIMITS = pytest.mark.parametrize(
    "error",
    [
        {"type": "RATE_LIMITED", "message": "API rate limit exceeded"},
        {"message": "You have exceeded a secondary rate limit."},
        {"type": "UNPROCESSABLE", "path": ["createPullRequest"], "message": "was submitted too quickly"},
    ],
    ids=["primary", "secondary", "content"],
)


@LIMITS
async def test_a_limit_that_graphql_tells_a_query_with_200_makes_a_pause(
    shared_world: World, transport: Transport, error: dict[str, Any]
) -> None:
    body = json.dumps({"data": None, "errors": [error]})
    shared_world.faults.add("POST", "/graphql", status=200, body=body)
    with pytest.raises(Failure) as failed:
        await transport.query("query who { viewer { login } }", {})
    assert failed.value.trouble is Trouble.THROTTLED
    assert (await refused(transport)).trouble is Trouble.THROTTLED
    assert len(shared_world.traffic.requests("github")) == 1


@LIMITS
async def test_a_write_refused_for_a_limit_says_for_how_long_and_reading_goes_on(
    shared_world: World, transport: Transport, error: dict[str, Any]
) -> None:
    body = json.dumps({"data": None, "errors": [error]})
    shared_world.faults.add("POST", "/graphql", status=200, body=body)
    with pytest.raises(Failure) as failed:
        await transport.mutate("mutation change { a: x }", {})
    assert (failed.value.trouble, failed.value.retry_after) == (Trouble.THROTTLED, timedelta(minutes=1))
    assert await transport.read("/user")


async def test_an_hours_limit_of_one_kind_leaves_the_other_kind(shared_world: World, transport: Transport) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON.timestamp()) + 90)}
    shared_world.faults.add("GET", "/issues$", status=403, headers=headers, body='{"message": "limit"}')
    await refused(transport)
    assert (await refused(transport, "/user")).trouble is Trouble.THROTTLED
    assert (await transport.query("query who { viewer { login } }", {})).errors == ()


async def test_the_reserve_of_the_hours_limit_is_left_to_others(world: World) -> None:
    world.github.edge.limits.rest = 10
    transport = Transport(access(world, read_reserve=0.3), ManualClock(datetime.now(UTC)))
    for _ in range(7):
        await transport.read("/user")
    assert (await refused(transport, "/user")).trouble is Trouble.THROTTLED
    assert (await transport.query("query who { viewer { login } }", {})).errors == ()
    await transport.close()


@pytest.mark.parametrize("status", [502, 504])
async def test_a_query_that_github_gave_up_on_is_not_asked_again(
    shared_world: World, transport: Transport, status: int
) -> None:
    """Each costs more of the next hour's points."""
    shared_world.faults.add("POST", "/graphql", status=status, times=9)
    with pytest.raises(Failure):
        await transport.query("query who { viewer { login } }", {})
    assert len(shared_world.traffic.requests("github")) == 1


async def test_pages_lead_on_until_there_are_no_more(shared_world: World, transport: Transport) -> None:
    total = sum([len(page) async for page in transport.pages("/orgs/contoso/repos", {"type": "all"})])
    pages = [page async for page in transport.pages("/orgs/contoso/repos", {"per_page": 1, "type": "all"})]
    assert [len(page) for page in pages] == [1] * total
    queries = [entry.query for entry in shared_world.traffic.requests("github")]
    assert all("type=all" in query for query in queries)


async def test_pages_have_an_end_even_where_the_host_names_none(shared_world: World, transport: Transport) -> None:
    again = {"link": f'<{shared_world.github.url}{ISSUES}?page=2>; rel="next"'}
    shared_world.faults.add("GET", "/issues$", status=200, body="[]", headers=again, times=100)
    assert len([page async for page in transport.pages(ISSUES, most=5)]) == 5


async def test_requests_at_once_each_get_their_own_answer(shared_world: World, transport: Transport) -> None:
    numbers = range(60)
    bodies = await asyncio.gather(
        *(transport.read(f"/repos/contoso/read/labels/nothing-{n}") for n in numbers), return_exceptions=True
    )
    assert all(
        isinstance(body, Failure) and f"nothing-{n}:" in str(body) for n, body in zip(numbers, bodies, strict=True)
    )
    for n in numbers:
        shared_world.faults.add("GET", f"/answer-{n}$", status=200, body=f'{{"n": {n}}}', delay=0.002 * (n % 3))
    answers = await asyncio.gather(*(transport.read(f"/answer-{n}") for n in numbers))
    assert [answer["n"] for answer in answers] == list(numbers)


async def test_an_address_where_nobody_listens_is_unreachable(clock: ManualClock) -> None:
    nobody = GitHubAccess("http://localhost:9", TokenCredentials("t"), timeout=1, attempts=1)
    transport = Transport(nobody, clock)
    failure = await refused(transport, "/user")
    await transport.close()
    assert failure.trouble is Trouble.UNREACHABLE


# A GitHub App


def as_app(world: World, **values: Any) -> AppCredentials:
    return AppCredentials(**{"id": world.github.app_id, "private_key": world.github.private_key, **values})


async def test_the_token_of_an_installation_is_taken_once(
    shared_world: World, clock: ManualClock, transport: Transport
) -> None:
    credentials = as_app(shared_world, installation=shared_world.github.installation_id)
    app = Transport(access(shared_world, credentials), clock)
    for _ in range(3):
        await asyncio.gather(*(app.read("/installation/repositories") for _ in range(4)))
    await app.close()
    assert len(shared_world.traffic.requests("github", "POST", "/access_tokens$")) == 1


async def test_an_installation_token_that_was_revoked_is_replaced(
    shared_world: World, clock: ManualClock, transport: Transport
) -> None:
    credentials = as_app(shared_world, installation=shared_world.github.installation_id)
    app = Transport(access(shared_world, credentials), clock)
    await app.read("/installation/repositories")
    shared_world.github.expire_installation_tokens()
    assert (await refused(app, "/installation/repositories")).trouble is Trouble.DENIED
    assert (await app.read("/installation/repositories"))["total_count"] > 0
    await app.close()


@pytest.mark.parametrize(
    "key", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"]
)
async def test_a_key_that_is_none_is_told_plainly(
    shared_world: World, clock: ManualClock, transport: Transport, key: str
) -> None:
    app = Transport(access(shared_world, as_app(shared_world, private_key=key)), clock)
    failure = await refused(app, "/installation/repositories")
    await app.close()
    assert "private_key_file" in str(failure)
    assert shared_world.traffic.requests("github") == []


async def test_no_credential_is_ever_shown(shared_world: World) -> None:
    shown = repr([access(shared_world), access(shared_world, as_app(shared_world))])
    assert shared_world.github.token not in shown
    assert "PRIVATE KEY" not in shown


# Whose repositories


async def test_a_users_own_repositories_are_listed_with_the_private_ones(
    shared_world: World, transport: Transport
) -> None:
    own = '{"data": {"viewer": {"login": "octocat"}}}'
    row = '{"full_name": "octocat/dotfiles", "default_branch": "main", "private": true}'
    shared_world.faults.add("POST", "query login", status=200, body=own)
    shared_world.faults.add("GET", "^/user/repos$", status=200, body=f"[{row}]")
    github = GitHub(access(shared_world), ManualClock(NOON))
    found = await github.repositories(["Octocat"])
    await github.close()
    assert [repository.name for repository in found] == ["octocat/dotfiles"]


async def test_another_users_repositories_are_the_public_ones(shared_world: World, transport: Transport) -> None:
    github = GitHub(access(shared_world), ManualClock(NOON))
    assert await github.repositories(["operator"]) == []
    await github.close()
    asked = [(entry.path, entry.status) for entry in shared_world.traffic.requests("github")]
    assert asked == [("/orgs/operator/repos", 404), ("/graphql", 200), ("/users/operator/repos", 200)]


async def test_it_asks_for_githubs_own_media_type(shared_world: World, transport: Transport) -> None:
    await transport.read(ISSUES)
    await transport.query("query { viewer { login } }", {})
    assert {asked.accept for asked in shared_world.traffic.requests("github")} == {"application/vnd.github+json"}
