"""One tick of discovery, and what goes wrong in one."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity, Repository
from bot.files.formats.memory import Memory
from bot.fleet.discover import contents
from bot.fleet.discover.ports import DiscoverOptions
from bot.fleet.discover.selection import Selection
from bot.fleet.discover.tick import DiscoverTally, tick
from bot.reconcile.loop import Loop
from tests.fakes.stores.discover import FakeDiscoverStore
from tests.fakes.trees import FakeTrees

CONFIG = ".github/freshness.yaml"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
FROM = b"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n"
OPTIONS = DiscoverOptions(Selection(include=("contoso/*",)))


@dataclass(slots=True)
class Fleet:
    host: FakeTrees = field(default_factory=FakeTrees)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    store: FakeDiscoverStore = field(init=False)
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self.store = FakeDiscoverStore(self.clock)

    async def tick(self, options: DiscoverOptions = OPTIONS) -> DiscoverTally:
        return await tick(self.store, cast(Any, self.host), self.memory, options, Loop(self.clock))

    def told(self, repository: str) -> list[tuple[str, str]]:
        return [(problem.path, problem.message) for problem in self.store.readings[repository].problems]

    def paths(self, repository: str) -> list[str]:
        return [usage.path for usage, _ in self.store.readings[repository].usages]


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def given_back(fleet: Fleet) -> Counter[datetime]:
    """When those are due that were put off without an attempt."""
    rows = fleet.store.repositories.rows.values()
    return Counter(row.due_at for row in rows if row.error is None and row.due_at > fleet.clock.now())


async def test_what_a_repository_names_is_saved_with_the_base_to_watch(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM, "README.md": b"hello"}
    tally = await fleet.tick()
    [(usage, base)] = fleet.store.readings["contoso/shop"].usages
    assert (usage.path, str(base)) == ("Dockerfile", "mcr.microsoft.com/dotnet/aspnet:10.0")
    assert (tally.listed, tally.read, tally.problems) == (1, 1, [])
    assert fleet.host.owners == ("contoso",)


@pytest.mark.parametrize("said", [b"Enabled: false\n", "enabled: false\n".encode("utf-16"), b"x" * 2_000_000])
async def test_a_word_that_cannot_be_read_may_be_a_no_and_is_told(fleet: Fleet, said: bytes) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM, CONFIG: said}
    await fleet.tick()
    config = fleet.store.readings["contoso/shop"].config
    assert (config.enabled, bool(config.unread)) == (False, True)
    assert {path for path, _ in fleet.told("contoso/shop")} == {CONFIG}


@pytest.mark.parametrize(("broken", "are_one_trouble"), [(10, False), (11, True)])
async def test_many_words_that_cannot_be_read_any_more_are_one_trouble(
    fleet: Fleet, broken: int, are_one_trouble: bool
) -> None:
    for number in range(broken):
        fleet.host.files[f"contoso/shop-{number:02}"] = {"Dockerfile": FROM, CONFIG: b"enabled: ["}
    await fleet.tick()
    [told] = fleet.store.unread
    assert (told is not None) is are_one_trouble
    assert told is None or told.startswith(f"{CONFIG} of {broken} repositories cannot be understood any more")
    fleet.clock.advance(timedelta(hours=1))
    await fleet.tick()
    assert fleet.store.unread[1:] == [None]


async def test_csharp_counts_where_its_project_is_an_app_host_whatever_the_folder_is_called(fleet: Fleet) -> None:
    code = b'b.AddContainer("c", "mcr.microsoft.com/dotnet/aspnet", "10.0");'
    fleet.host.files["contoso/shop"] = {
        "eng/Run.csproj": b'<Project Sdk="Aspire.AppHost.Sdk/13.0.0" />',
        "eng/Program.cs": code,
        "eng/parts/Web.cs": code,
        "eng/tool/Tool.csproj": b'<Project Sdk="Microsoft.NET.Sdk" />',
        "eng/tool/Program.cs": code,
        "eng/obj/Made.cs": code,
        "src/Program.cs": code,
    }
    await fleet.tick()
    assert fleet.paths("contoso/shop") == ["eng/Program.cs", "eng/parts/Web.cs"]
    assert len(fleet.store.readings["contoso/shop"].blobs) == 4


async def test_builds_of_all_services_come_with_the_other_files_in_one_go(fleet: Fleet) -> None:
    image = b"mcr.microsoft.com/dotnet/sdk:10.0"
    builds = {
        ".gitlab-ci.yml": b"a:\n  image: " + image,
        ".circleci/config.yml": b"jobs: {a: {docker: [{image: '" + image + b"'}]}}",
        "Makefile": b"a:\n\tdocker run " + image,
        "justfile": b"a:\n    docker pull -q " + image,
        "build.sh": b"docker run --rm " + image,
        "Jenkinsfile": b"docker.image('" + image + b"')",
        "build/Build.cs": b'var image = "' + image + b'";',
        "task-definition.json": b'{"image": "' + image + b'"}',
    }
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM, **builds}
    await fleet.tick()
    assert fleet.host.asked["blobs"] == 1
    assert fleet.paths("contoso/shop") == sorted(["Dockerfile", *[*builds][:5]])
    assert [path for path, _ in fleet.told("contoso/shop")] == sorted([*builds][5:])


async def test_csharp_is_not_read_where_no_project_is_an_app_host(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {
        "src/Shop.csproj": b'<Project Sdk="Microsoft.NET.Sdk.Web" />',
        "src/Program.cs": b"var app = 1;",
    }
    await fleet.tick()
    assert len(fleet.store.readings["contoso/shop"].blobs) == 1


RUN = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {spec: {containers: [{name: shop, image: "ghcr.io/contoso/shop:1"}, {name: side, image: redis}]}}}
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/shop.yaml", RUN),
        ("compose.yaml", b"services: {shop: {image: 'ghcr.io/contoso/shop:1'}, cache: {image: 'redis:7'}}\n"),
        ("charts/shop/values.yaml", b"image:\n  repository: ghcr.io/contoso/shop\n  tag: '1'\n"),
        (
            "apps/kustomization.yaml",
            b"kind: Kustomization\nimages:\n- name: shop\n  newName: ghcr.io/contoso/shop\n  newTag: '1'\n",
        ),
    ],
)
async def test_where_an_image_is_run_is_known_though_no_base_is_named_there(
    fleet: Fleet, path: str, text: bytes
) -> None:
    fleet.host.files["contoso/gitops"] = {path: text}
    await fleet.tick()
    [place] = fleet.store.readings["contoso/gitops"].deployed
    assert (place.path, place.reference.name, place.reference.tag) == (path, "ghcr.io/contoso/shop", "1")


async def test_the_tag_of_a_bake_target_is_what_the_workflow_that_builds_it_sets_and_weak_without_one(
    fleet: Fleet,
) -> None:
    bake = b'variable "TAG" { default = "latest" }\ntarget "shop" { tags = ["ghcr.io/contoso/shop:${TAG}"] }\n'
    workflow = (
        b"on: workflow_dispatch\nenv: {TAG: '${{ github.sha }}'}\njobs: {build: {steps: "
        b"[{uses: docker/bake-action@v6, with: {push: true, targets: shop}}]}}\n"
    )
    files = {"Dockerfile": FROM, "docker-bake.hcl": bake}
    fleet.host.files["contoso/shop"] = {**files, ".github/workflows/build.yml": workflow}
    fleet.host.files["contoso/till"] = files
    await fleet.tick()
    found = {name: reading.images for name, reading in fleet.store.readings.items()}
    assert [(each.tag.text, each.weakness) for each in found["contoso/shop"]] == [("{sha}", "")]
    assert [(each.tag.text, each.weakness) for each in found["contoso/till"]] == [
        (
            "latest",
            "its name or tag is the default of TAG in docker-bake.hcl, and nothing is found here that builds it",
        )
    ]
    assert fleet.host.asked["blob"] == 3


async def test_an_image_is_built_from_the_file_that_names_its_base_wherever_the_text_of_that_stands(
    fleet: Fleet,
) -> None:
    workflow = (
        b"on: workflow_dispatch\njobs: {build: {steps: [{uses: docker/build-push-action@v6, with: {push: true, "
        b"context: ., tags: 'ghcr.io/contoso/shop:latest', build-args: 'BASE=mcr.microsoft.com/dotnet/aspnet:10.0'"
        b"}}]}}\n"
    )
    dockerfile = b"ARG BASE\nFROM $BASE\n"
    fleet.host.files["contoso/shop"] = {"Dockerfile": dockerfile, ".github/workflows/build.yml": workflow}
    await fleet.tick()
    reading = fleet.store.readings["contoso/shop"]
    assert [usage.path for usage, _ in reading.usages] == [".github/workflows/build.yml"]
    assert [claim.built_from for claim in reading.images] == ["Dockerfile"]


async def test_a_tree_that_was_read_before_is_not_read_again(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM}
    await fleet.tick()
    fleet.store.row("contoso/shop").due_at = fleet.clock.now()
    assert (await fleet.tick()).unchanged == 1
    assert fleet.host.asked["blob"] == 1


async def test_a_tree_is_read_again_when_other_bases_are_watched(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": b"FROM registry.contoso.com/base/api:1\n"}
    await fleet.tick()
    assert fleet.store.readings["contoso/shop"].usages == ()
    fleet.store.row("contoso/shop").due_at = fleet.clock.now()
    wider = Selection(include=("contoso/*",), bases=("registry.contoso.com/base/*",))
    assert (await fleet.tick(DiscoverOptions(wider))).read == 1
    assert fleet.paths("contoso/shop") == ["Dockerfile"]
    assert fleet.host.asked["blob"] == 1


async def test_a_repository_without_commits_has_no_usages(fleet: Fleet) -> None:
    fleet.host.files["contoso/new"] = None
    tally = await fleet.tick()
    assert (fleet.store.readings["contoso/new"].tree, tally.problems) == (None, [])


async def test_the_same_file_in_many_repositories_is_fetched_once(fleet: Fleet) -> None:
    for number in range(30):
        fleet.host.files[f"contoso/r{number}"] = {"Dockerfile": FROM}
    assert (await fleet.tick()).read == 30
    assert fleet.host.asked["blob"] == 1


async def test_a_repository_that_denies_a_file_keeps_no_other_from_it(fleet: Fleet) -> None:
    for number in range(4):
        fleet.host.files[f"contoso/r{number}"] = {"Dockerfile": FROM}
    fleet.host.blob_failures["contoso/r0"] = Failure(Trouble.DENIED, "HTTP 403", status=403)
    assert (await fleet.tick()).read == 3
    assert list(fleet.store.errors) == ["contoso/r0"]
    assert fleet.host.asked["blob"] == 2


async def test_what_was_fetched_before_a_failure_is_kept(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {f"{number}/Dockerfile": FROM + b"#%d\n" % number for number in range(80)}

    class Tired(FakeTrees):
        async def blob(self, repository: Identity, sha: str) -> bytes:
            if self.asked["blob"] == 60:
                raise Failure(Trouble.UNREACHABLE, "no answer")
            return await super().blob(repository, sha)

    await tick(fleet.store, cast(Any, Tired(fleet.host.files)), Memory(), OPTIONS, Loop(fleet.clock))
    assert len(fleet.store.blobs) == 50


@pytest.mark.parametrize("trouble", [Trouble.MISSING, Trouble.DENIED])
async def test_what_is_gone_or_denied_is_told_once_and_rests_until_the_next_listing(
    fleet: Fleet, trouble: Trouble
) -> None:
    fleet.host.files = {"contoso/gone": Failure(trouble, "HTTP 4xx"), "contoso/shop": {"Dockerfile": FROM}}
    first = await fleet.tick()
    assert (first.problems, first.read) == (["contoso/gone: HTTP 4xx"], 1)
    assert fleet.store.row("contoso/gone").due_at == NOON + OPTIONS.every
    fleet.store.row("contoso/gone").due_at = fleet.clock.now()
    assert (await fleet.tick()).problems == []


async def test_an_unreachable_host_is_tried_again_soon(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = Failure(Trouble.UNREACHABLE, "HTTP 502", status=502)
    await fleet.tick()
    assert fleet.store.row("contoso/shop").due_at == NOON + timedelta(seconds=30)


async def test_a_rate_limit_stops_the_reading_without_blaming_repositories(fleet: Fleet) -> None:
    limit = Failure(Trouble.THROTTLED, "the rate limit is reached", retry_after=timedelta(minutes=20))
    for number in range(100):
        fleet.host.files[f"contoso/r{number:02}"] = limit
    tally = await fleet.tick()
    assert fleet.host.asked["tree"] <= 4
    assert fleet.store.errors == {}
    assert given_back(fleet) == {NOON + timedelta(minutes=20): 40}
    assert tally.problems == ["the rate limit is reached"]


async def test_a_host_that_answers_nothing_is_left_alone(fleet: Fleet) -> None:
    for number in range(100):
        fleet.host.files[f"contoso/r{number:02}"] = Failure(Trouble.UNREACHABLE, "no answer")
    await fleet.tick()
    assert 5 <= fleet.host.asked["tree"] <= 8
    assert len(fleet.store.errors) + given_back(fleet).total() == 40


async def test_a_few_repositories_without_an_answer_stop_no_other(fleet: Fleet) -> None:
    for number in range(20):
        broken = number % 2 == 0
        failure = Failure(Trouble.UNREACHABLE, "HTTP 502", status=502)
        fleet.host.files[f"contoso/r{number:02}"] = failure if broken else {"Dockerfile": FROM}
    assert (await fleet.tick()).read == 10


async def test_a_lease_that_is_lost_is_left_to_its_new_holder(fleet: Fleet) -> None:
    fleet.host.files = {"contoso/a": {"Dockerfile": FROM}, "contoso/b": {"Dockerfile": FROM}}
    fleet.store.lost = {"contoso/a"}
    tally = await fleet.tick()
    assert (tally.read, tally.problems) == (1, [])


async def test_a_truncated_tree_is_walked_folder_by_folder(fleet: Fleet) -> None:
    fleet.host.files["contoso/mono"] = {"Dockerfile": FROM, "src/api/Dockerfile": FROM, "src/x.cs": b""}
    fleet.host.truncated = {"contoso/mono"}
    await fleet.tick()
    assert fleet.paths("contoso/mono") == ["Dockerfile", "src/api/Dockerfile"]
    assert fleet.host.asked["subtree"] == 3


async def test_a_tree_with_too_many_folders_is_read_from_the_top_and_reported(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MOST_FOLDERS", 3)
    fleet.host.files["contoso/mono"] = {"Dockerfile": FROM} | {f"{letter}/Dockerfile": FROM for letter in "abcde"}
    fleet.host.truncated = {"contoso/mono"}
    await fleet.tick()
    assert fleet.paths("contoso/mono") == ["Dockerfile", "a/Dockerfile", "b/Dockerfile"]
    assert fleet.told("contoso/mono") == [
        ("c/", "the repository has too many folders; this and 2 more were not looked at on their own")
    ]


async def test_binary_content_is_reported(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM.decode().encode("utf-16")}
    await fleet.tick()
    assert "NUL" in fleet.told("contoso/shop")[0][1]


async def test_problems_of_files_about_other_images_are_not_ours(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {
        "Dockerfile": b"FROM $BASE\n",
        "a/Dockerfile": b"# dotnet\nFROM $BASE\n",
    }
    await fleet.tick()
    assert [path for path, _ in fleet.told("contoso/shop")] == ["a/Dockerfile"]


async def test_scripts_that_are_called_too_often_to_be_followed_are_told(fleet: Fleet) -> None:
    step = "    - {{run: ./build.sh, env: {{TAG: '{}'}}}}\n"
    steps = "".join(step.format(number) for number in range(51))
    fleet.host.files["contoso/shop"] = {
        "docker-bake.hcl": b'target "default" { tags = ["ghcr.io/contoso/shop:8.0"] }\n',
        "build.sh": b"docker buildx bake --push\n",
        ".github/workflows/build.yml": f"on: push\njobs:\n  a:\n    steps:\n{steps}".encode(),
    }
    await fleet.tick()
    [(path, message)] = fleet.told("contoso/shop")
    assert (path, message.partition(",")[0]) == (
        ".github/workflows/build.yml",
        "scripts and actions are called with more than 50 sets of variables",
    )


async def test_the_repositorys_own_configuration_is_read_with_it(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {".github/freshness.yaml": b"enabled: false\nacton: notify\n"}
    await fleet.tick()
    assert not fleet.store.readings["contoso/shop"].config.enabled
    [(path, message)] = fleet.told("contoso/shop")
    assert path == ".github/freshness.yaml"
    assert "did you mean action" in message


async def test_a_listing_that_fails_leaves_the_fleet_as_it_was(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM}
    await fleet.tick()
    fleet.clock.advance(OPTIONS.every)
    fleet.host.listing = Failure(Trouble.UNREACHABLE, "HTTP 502", status=502)
    tally = await fleet.tick()
    assert tally.problems == ["listing repositories: HTTP 502"]
    assert list(fleet.store.known) == ["contoso/shop"]
    assert fleet.store.listings().rows[1].due_at == fleet.clock.now() + timedelta(seconds=30)
    assert fleet.store.listing_trouble is None


@pytest.mark.parametrize(
    ("trouble", "attempts"), [(Trouble.DENIED, 1), (Trouble.MALFORMED, 1), (Trouble.UNREACHABLE, 2)]
)
async def test_a_listing_that_keeps_failing_is_an_incident(fleet: Fleet, trouble: Trouble, attempts: int) -> None:
    fleet.host.listing = Failure(trouble, "no list")
    await fleet.store.expect_listing()
    fleet.store.listings().rows[1].attempts = attempts - 1
    await fleet.tick()
    assert fleet.store.listing_trouble == "no list"


async def test_a_fleet_that_vanishes_from_the_listing_is_kept_and_told(fleet: Fleet) -> None:
    for number in range(10):
        fleet.host.files[f"contoso/r{number}"] = {"Dockerfile": FROM}
    await fleet.tick()
    fleet.clock.advance(OPTIONS.every)
    fleet.host.listing = [Repository("contoso/r0", "main")]
    tally = await fleet.tick()
    assert len(fleet.store.known) == 10
    assert "no longer shows 9 of 10" in tally.problems[0]
    assert fleet.store.listing_trouble == tally.problems[0]
    fleet.clock.advance(timedelta(days=1))
    await fleet.tick()
    assert list(fleet.store.known) == ["contoso/r0"]


async def test_settings_that_take_nothing_are_a_problem(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM}
    tally = await fleet.tick(DiscoverOptions(replace(OPTIONS.selection, topics=("dotnet",))))
    assert "none of the 1 repositories" in tally.problems[0]


async def test_a_listing_tells_what_the_bot_may_do_where(fleet: Fleet) -> None:
    fleet.host.files["contoso/shop"] = {"Dockerfile": FROM}
    fleet.host.granted = {"contoso": {"contents": "write"}}
    await fleet.tick()
    assert fleet.store.grants == {"contoso": {"contents": "write"}}
