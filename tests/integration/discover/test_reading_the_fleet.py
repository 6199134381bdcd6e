"""Discovery of a real organisation: what is read, what is asked for it, and what is said of the rest."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.rollouts.policy import ActionPreference
from bot.fleet.discover.selection import Selection
from sandbox.fleets.fleet import WEEKLY_REBUILD
from tests.integration.discover.conftest import CONTOSO, Discovery

ASPNET = "mcr.microsoft.com/dotnet/aspnet"
LONG_AGO = "2024-01-01T00:00:00Z"
WHAT_IS_GRANTED = "/app/installations"
"""An App asks for it anew with each listing."""
DOCKERFILE = f"FROM {ASPNET}:10.0\nCOPY . /app\n"
ONE_WAY_IN = pytest.mark.parametrize(
    "discovery", ["token", pytest.param("app", marks=pytest.mark.long)], indirect=True
)
"""For what takes many repositories or files, and is the same whoever lists them."""


async def test_a_first_read_finds_usages_workflows_and_the_repositorys_wishes(discovery: Discovery) -> None:
    files = {
        "src/Dockerfile": DOCKERFILE,
        ".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD,
        ".github/freshness.yaml": "action: dispatch\nworkflow: weekly-rebuild.yml\nowners: [contoso/platform]\n",
    }
    await discovery.world.github.create_repository("shop", files)
    tally = await discovery.tick()
    explained = await discovery.explain("shop")
    assert (tally.listed, tally.read, tally.problems) == (1, 1, [])
    assert [(usage.path, str(base)) for usage, base, _ in explained.usages] == [
        ("src/Dockerfile", f"{ASPNET}:10.0")
    ]
    config = await discovery.config("shop")
    assert (config.action, config.workflow, config.team_reviewers) == (
        ActionPreference.DISPATCH,
        "weekly-rebuild.yml",
        ("platform",),
    )


async def test_nothing_moved_is_one_request_for_100_repositories(discovery: Discovery) -> None:
    repositories = (
        discovery.world.github.create_repository(f"r{n}", {"a": "1"}, pushed_at=LONG_AGO) for n in range(101)
    )
    await asyncio.gather(*repositories)
    await discovery.tick()
    tally = await discovery.tick()
    assert (tally.listed, tally.read, tally.unchanged) == (101, 0, 0)
    listings = {"/orgs/contoso/repos", "/installation/repositories"}
    assert {entry.path for entry in discovery.requests()} - {WHAT_IS_GRANTED} <= listings
    assert len(discovery.requests("repos(itories)?$")) == 2
    assert len(discovery.requests(WHAT_IS_GRANTED)) <= 1


async def test_one_push_is_the_listing_the_tree_and_what_is_new(discovery: Discovery) -> None:
    github = discovery.world.github
    await github.create_repository(
        "shop", {"Dockerfile": DOCKERFILE, "compose.yaml": "services: {}\n"}, pushed_at=LONG_AGO
    )
    await github.create_repository("desk", {"Dockerfile": DOCKERFILE}, pushed_at=LONG_AGO)
    await discovery.tick()
    await github.push("shop", {"api/Dockerfile": f"FROM {ASPNET}:9.0\n", "README.md": "new\n"})
    tally = await discovery.tick()
    assert tally.read == 1
    assert await discovery.paths("shop") == ["Dockerfile", "api/Dockerfile"]
    kinds = ("repos(itories)?$", "/git/trees/", "/graphql", f"^(?!{WHAT_IS_GRANTED})")
    assert [len(discovery.requests(kind)) for kind in kinds] == [1, 1, 1, 3]
    assert len(discovery.requests(WHAT_IS_GRANTED)) <= 1


@ONE_WAY_IN
async def test_the_same_dockerfile_in_thirty_repositories_is_fetched_once(discovery: Discovery) -> None:
    repositories = (
        discovery.world.github.create_repository(f"r{n}", {"Dockerfile": DOCKERFILE}) for n in range(30)
    )
    await asyncio.gather(*repositories)
    assert (await discovery.tick()).read == 30
    assert len(discovery.requests("/graphql")) == 1
    assert await discovery.paths("r29") == ["Dockerfile"]


@ONE_WAY_IN
async def test_answers_to_requests_at_once_are_not_mixed_up(discovery: Discovery) -> None:
    github = discovery.world.github
    tags = [f"{n}.0" for n in range(1, 41)]
    files = {f"{tag}/Dockerfile": f"FROM {ASPNET}:{tag}\n" for tag in tags}
    await github.create_repository("mono", files)
    assert (await discovery.tick()).problems == []
    usages = (await discovery.explain("mono")).usages
    assert sorted((usage.path, usage.reference.tag) for usage, _, _ in usages) == sorted(
        (f"{tag}/Dockerfile", tag) for tag in tags
    )


async def test_what_takes_no_changes_or_is_not_wanted_is_not_read(discovery: Discovery) -> None:
    create, files = discovery.world.github.create_repository, {"Dockerfile": DOCKERFILE}
    await create("shop", files, topics=["dotnet"])
    await create("attic", files, archived=True, topics=["dotnet"])
    await create("frozen", files, disabled=True, topics=["dotnet"])
    await create("copy", files, fork=True, topics=["dotnet"])
    await create("legacy-shop", files, topics=["dotnet"])
    await create("website", files, topics=["php"])
    await discovery.tick(Selection(include=("contoso/*",), exclude=("contoso/legacy-*",), topics=("dotnet",)))
    assert await discovery.names() == {"shop"}
    assert len(discovery.requests("/git/trees/")) == 1


async def test_a_repository_that_is_archived_leaves_the_fleet(discovery: Discovery) -> None:
    await discovery.world.github.create_repository("shop", {"Dockerfile": DOCKERFILE})
    await discovery.tick()
    await discovery.world.github.ask("PATCH", "/repos/contoso/shop", {"archived": True})
    await discovery.tick()
    assert await discovery.names() == set()
    assert await discovery.paths("shop") == []


async def test_a_repository_opts_out_and_ignores_until_a_day(discovery: Discovery) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    create = discovery.world.github.create_repository
    config = ".github/freshness.yaml"
    await create("quiet", {"Dockerfile": DOCKERFILE, config: "enabled: false\n"})
    entry = f"ignore:\n  - path: 'old/*'\n    until: {tomorrow}\n    reason: replaced soon\n"
    await create("partly", {"Dockerfile": DOCKERFILE, config: f"action: notify\n{entry}"})
    await create("careless", {"Dockerfile": DOCKERFILE, config: "enabled: [\n"})
    tally = await discovery.tick()
    configs = {name: await discovery.config(name) for name in ("quiet", "partly", "careless")}
    assert not configs["quiet"].enabled
    assert configs["partly"].action is ActionPreference.NOTIFY
    assert configs["partly"].ignored_by("old/Dockerfile", ASPNET, tomorrow) is not None
    assert configs["partly"].ignored_by("old/Dockerfile", ASPNET, tomorrow + timedelta(days=1)) is None
    assert not configs["careless"].enabled
    [problem] = tally.problems
    assert problem.startswith("contoso/careless/.github/freshness.yaml:")


@pytest.mark.parametrize(("status", "words"), [(404, "check that it exists"), (403, "grant contents")])
async def test_what_vanished_or_denies_access_is_told_once_and_its_usages_stay(
    discovery: Discovery, status: int, words: str
) -> None:
    github, faults = discovery.world.github, discovery.world.faults
    await github.create_repository("shop", {"Dockerfile": DOCKERFILE}, pushed_at=LONG_AGO)
    await github.create_repository("desk", {"Dockerfile": DOCKERFILE}, pushed_at=LONG_AGO)
    await discovery.tick()
    discovery.clock.ahead += timedelta(minutes=1)
    await github.push("shop", {"a": "2"})
    github.edge.overlays["contoso/shop"]["pushed_at"] = "2024-01-02T00:00:00Z"
    faults.add("GET", "/repos/contoso/shop/", status=status, body='{"message": "no"}', times=2)
    first, second = await discovery.tick(), await discovery.tick()
    assert len(first.problems) == 1
    assert words in first.problems[0]
    assert (second.problems, discovery.requests("/shop/")) == ([], [])
    discovery.clock.ahead += timedelta(hours=1, minutes=1)
    assert (await discovery.tick()).problems == []
    explained = await discovery.explain("shop")
    assert explained.error is not None
    assert len(explained.usages) == 1
    discovery.clock.ahead += timedelta(hours=1, minutes=1)
    assert (await discovery.tick()).read == 1
    assert (await discovery.explain("shop")).error is None


async def test_an_empty_repository_is_no_trouble_and_read_after_its_first_push(discovery: Discovery) -> None:
    await discovery.world.github.ask("POST", "/orgs/contoso/repos", {"name": "new"})
    tally = await discovery.tick()
    assert (tally.read, tally.problems) == (1, [])
    assert [entry.status for entry in discovery.requests("/git/trees/")] == [409]


async def test_a_default_branch_that_is_renamed_is_followed(discovery: Discovery) -> None:
    github = discovery.world.github
    await github.create_repository("shop", {"Dockerfile": DOCKERFILE})
    await discovery.tick()
    head = (await github.ask("GET", "/repos/contoso/shop/git/ref/heads/main"))["object"]["sha"]
    await github.ask("POST", "/repos/contoso/shop/git/refs", {"ref": "refs/heads/trunk", "sha": head})
    await github.push("shop", {"b/Dockerfile": f"FROM {ASPNET}:9.0\n"}, branch="trunk")
    await github.ask("PATCH", "/repos/contoso/shop", {"default_branch": "trunk"})
    await discovery.tick()
    assert await discovery.paths("shop") == ["Dockerfile", "b/Dockerfile"]


async def test_a_truncated_tree_is_completed(discovery: Discovery) -> None:
    await discovery.world.github.create_repository("mono", {"src/api/Dockerfile": DOCKERFILE})
    root = await discovery.world.github.ask("GET", "/repos/contoso/mono/git/trees/main")
    short = f'{{"sha": "{root["sha"]}", "tree": [], "truncated": true}}'
    discovery.world.faults.add("GET", "/repos/contoso/mono/git/trees/main", status=200, body=short)
    assert (await discovery.tick()).problems == []
    assert await discovery.paths("mono") == ["src/api/Dockerfile"]


async def test_a_redirected_repository_is_read_in_whole(discovery: Discovery) -> None:
    """After a renaming GitHub answers 301 until the next listing shows the new name."""
    await discovery.world.github.create_repository("shop", {"src/api/Dockerfile": DOCKERFILE})
    target = f"{discovery.world.github.url}/repos/contoso/shop/git/trees/refs%2Fheads%2Fmain?recursive=1"
    discovery.world.faults.add(
        "GET", "/repos/contoso/shop/git/trees/main", status=301, headers={"location": target}
    )
    assert (await discovery.tick()).problems == []
    assert await discovery.paths("shop") == ["src/api/Dockerfile"]


async def test_a_fleet_that_access_was_lost_to_is_kept_for_a_day_and_comes_back(discovery: Discovery) -> None:
    github = discovery.world.github
    for n in range(6):
        await github.create_repository(f"r{n}", {"Dockerfile": DOCKERFILE})
    await discovery.tick()
    listing = "^(/orgs/contoso/repos|/installation/repositories)$"
    nothing = '{"total_count": 0, "repositories": []}' if discovery.requests("^/installation/") else "[]"
    discovery.world.faults.add("GET", listing, status=200, body=nothing)
    lost = await discovery.tick()
    assert "no longer shows 6 of 6 repositories" in lost.problems[0]
    assert len(await discovery.names()) == 6
    assert await discovery.paths("r5") == ["Dockerfile"]
    assert (await discovery.tick()).problems == []
    discovery.world.faults.add("GET", listing, status=200, body=nothing, times=2)
    await discovery.tick()
    discovery.clock.ahead += timedelta(days=1, minutes=1)
    await discovery.tick()
    assert await discovery.names() == set()


async def test_a_rate_limit_is_waited_for_and_then_the_reading_goes_on(discovery: Discovery) -> None:
    for n in range(5):
        await discovery.world.github.create_repository(
            f"r{n}", {"Dockerfile": f"{DOCKERFILE}# {n}\n"}, pushed_at=LONG_AGO
        )
    discovery.world.faults.add_secondary_limit("POST", "/graphql", retry_after=300, times=50)
    tally = await discovery.tick()
    assert [problem for problem in tally.problems if "rate limit" in problem] == tally.problems != []
    asked = len(discovery.requests())
    assert (await discovery.tick()).read == 0
    assert asked < 20
    assert {entry.path for entry in discovery.requests()} <= {WHAT_IS_GRANTED}
    discovery.world.faults.clear()
    discovery.clock.ahead += timedelta(seconds=301)
    assert (await discovery.tick()).read == 5


async def test_settings_that_leave_the_owner_open_work_for_an_app_and_are_told_to_a_token(
    discovery: Discovery,
) -> None:
    await discovery.world.github.create_repository("shop", {"Dockerfile": DOCKERFILE})
    tally = await discovery.tick(Selection())
    if discovery.requests("^/installation/"):
        assert (tally.read, tally.problems) == (1, [])
    else:
        assert 'write "OWNER/*"' in tally.problems[0]


async def test_an_owner_that_is_nobody_is_named(discovery: Discovery) -> None:
    await discovery.world.github.create_repository("shop", {"Dockerfile": DOCKERFILE})
    tally = await discovery.tick(Selection(include=("contosso/*",)))
    assert any(words in tally.problems[0] for words in ("organisation or user 'contosso'", "none of the 1"))


async def test_a_token_that_is_refused_is_an_incident_that_ends(discovery: Discovery) -> None:
    await discovery.world.github.create_repository("shop", {"Dockerfile": DOCKERFILE})
    listing = "^(/orgs/contoso/repos|/installation/repositories)$"
    discovery.world.faults.add("GET", listing, status=401, body='{"message": "Bad credentials"}')
    tally = await discovery.tick()
    assert "Bad credentials" in tally.problems[0]
    discovery.clock.ahead += timedelta(minutes=1)
    assert (await discovery.tick(CONTOSO)).read == 1


async def test_a_push_in_the_second_of_the_listing_is_not_missed(discovery: Discovery) -> None:
    """GitHub tells pushes by the second, so a later one may bear the same time, whoever's clock is ahead."""
    github = discovery.world.github
    discovery.clock.ahead += timedelta(hours=1)
    await github.create_repository("shop", {"Dockerfile": DOCKERFILE})
    pushed = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    github.edge.overlays["contoso/shop"]["pushed_at"] = pushed
    await discovery.tick()
    await github.push("shop", {"b/Dockerfile": f"FROM {ASPNET}:9.0\n"})
    github.edge.overlays["contoso/shop"]["pushed_at"] = pushed
    discovery.clock.ahead += timedelta(minutes=1)
    await discovery.tick()
    assert await discovery.paths("shop") == ["Dockerfile", "b/Dockerfile"]
    github.edge.overlays["contoso/shop"]["pushed_at"] = LONG_AGO
    assert [(await discovery.tick()).unchanged for _ in range(2)] == [1, 0]
