"""An App in two organisations: each call as the installation of its repository's owner, with what that may do."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.clients.forges.github import AppCredentials, Chosen, GitHubAccess, Installations
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import Identity
from sandbox.world import World

OURS, THEIRS = "contoso/ours", "fabrikam/theirs"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[World]:
    """Two organisations, with a repository in each."""
    async with World(organisations=("contoso", "fabrikam"), validate=True) as world:
        for name in ("ours", "theirs"):
            await world.github.create_repository(name, {"Dockerfile": f"FROM {name}\n"})
        await world.github.transfer("theirs", "fabrikam")
        yield world
        assert world.traffic.violations == []


@pytest.fixture
def clock(pair: World) -> ManualClock:
    pair.traffic.forget()
    pair.github.edge.installations.of("fabrikam").suspended_at = None
    return ManualClock(datetime.now(UTC))


@pytest_asyncio.fixture(loop_scope="session")
async def app(pair: World, clock: ManualClock) -> AsyncIterator[Installations]:
    opened = used(pair, clock)
    yield opened
    await opened.close()


def used(world: World, clock: ManualClock, chosen: Chosen = Chosen()) -> Installations:  # noqa: B008
    credentials = AppCredentials(world.github.app_id, world.github.private_key)
    return Installations(GitHubAccess(world.github.url, credentials, 0), clock, chosen)


async def nodes(app: Installations) -> dict[str, Identity]:
    return {each.name: Identity(each.name, each.node_id) for each in await app.repositories(None)}


async def test_the_repositories_of_all_installations_are_listed(app: Installations) -> None:
    assert set(await nodes(app)) == {OURS, THEIRS}


async def test_only_those_of_the_named_owners_are(pair: World, clock: ManualClock) -> None:
    for chosen in (Chosen(owners=frozenset({"fabrikam"})), Chosen(id=101)):
        app = used(pair, clock, chosen)
        assert set(await nodes(app)) == {THEIRS}
        await app.close()


async def test_each_repository_is_asked_for_with_the_token_of_its_owner(pair: World, app: Installations) -> None:
    known = await nodes(app)
    for identity in known.values():
        found = await app.look(identity, "freshness/x", ["Dockerfile"])
        assert found.trunk is not None
    assert set(await app.standings(list(known.values()))) == set(known.values())
    assert len(pair.traffic.requests("github", "POST", "/access_tokens$")) == 2
    assert len(pair.traffic.requests("github", "GET", "/app/installations$")) == 1


async def test_a_token_has_only_what_the_bot_uses(pair: World, app: Installations) -> None:
    own = pair.github.edge.installations.of("contoso")
    own.permissions = {**own.permissions, "contents": "write", "administration": "write", "members": "read"}
    await app.repositories(None)
    granted = [grant for grant in pair.github.edge.installations.grants.values() if grant.account == "contoso"]
    assert granted[-1].permissions == {
        "actions": "write",
        "checks": "read",
        "contents": "write",
        "issues": "write",
        "members": "read",
        "metadata": "read",
        "pull_requests": "write",
        "workflows": "write",
    }


async def test_what_an_owner_grants_later_counts_with_the_next_listing(
    pair: World, clock: ManualClock, app: Installations
) -> None:
    own = pair.github.edge.installations.of("fabrikam")
    before = dict(own.permissions)
    own.permissions = {name: level for name, level in before.items() if name != "issues"}
    await app.repositories(None)
    assert "issues" not in (await app.grants())["fabrikam"]
    own.permissions = before
    await app.repositories(None)
    assert (await app.grants())["fabrikam"] == before
    granted = [grant for grant in pair.github.edge.installations.grants.values() if grant.account == "fabrikam"]
    assert "issues" not in granted[-2].permissions
    assert "issues" in granted[-1].permissions


async def test_what_a_clock_that_was_ahead_has_listed_is_listed_again(
    pair: World, clock: ManualClock, app: Installations
) -> None:
    clock.advance(timedelta(days=365))
    await app.repositories(None)
    clock.advance(-timedelta(days=365))
    pair.traffic.forget()
    await app.repositories(None)
    assert len(pair.traffic.requests("github", "GET", "/app/installations$")) == 1


async def test_a_suspended_installation_is_told_and_keeps_no_other_from_work(
    pair: World, clock: ManualClock, app: Installations
) -> None:
    known = await nodes(app)
    pair.github.suspend("fabrikam")
    clock.advance(timedelta(minutes=10))
    assert set(await nodes(app)) == {OURS}
    assert set(await app.grants()) == {"contoso"}
    silent = await app.silent({"contoso", "fabrikam"})
    assert silent == {"fabrikam": Silence("the App's installation at fabrikam is suspended")}
    with pytest.raises(Failure, match="is suspended; install the App there again, or end its suspension") as raised:
        await app.look(known[THEIRS], "freshness/x", [])
    assert raised.value.trouble is Trouble.DENIED
    assert await app.standings([known[OURS], known[THEIRS]])
    pair.github.edge.installations.of("fabrikam").suspended_at = None
    clock.advance(timedelta(minutes=2))
    assert await app.look(known[THEIRS], "freshness/x", [])


async def test_where_it_is_not_installed_is_told(pair: World, clock: ManualClock) -> None:
    app = used(pair, clock, Chosen(owners=frozenset({"contoso", "adventure-works"})))
    await app.repositories(None)
    assert await app.silent({"fabrikam"}) == {
        owner: Silence(f"the App is not installed at {owner}, or not used there")
        for owner in ("adventure-works", "fabrikam")
    }
    await app.close()


async def test_an_owner_that_cannot_be_listed_is_told_and_keeps_no_other_from_that(
    pair: World, clock: ManualClock, app: Installations
) -> None:
    await nodes(app)
    body = '{"message": "Although you appear to have the correct authorization credentials, no"}'
    pair.faults.add("GET", "/installation/repositories", status=403, body=body)
    assert len(await nodes(app)) == 1
    (silence,) = (await app.silent(set())).values()
    assert silence.is_passing
    assert "HTTP 403" in silence.reason
    assert set(await nodes(app)) == {OURS, THEIRS}
    assert await app.silent(set()) == {}


async def test_what_an_installation_does_not_show_is_gone_only_while_it_shows_others(
    pair: World, app: Installations
) -> None:
    known = await nodes(app)
    assert await app.sees_others(known[OURS])
    pair.github.suspend("fabrikam")
    with pytest.raises(Failure):
        await app.sees_others(known[THEIRS])
