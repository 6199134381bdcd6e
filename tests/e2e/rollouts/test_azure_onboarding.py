"""Repositories in Azure Repos are judged with their pipelines, and brought to the practices by pull requests."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.store.pages.fleet.practices import PracticesStore
from sandbox.azure_devops.repos import Home
from sandbox.azure_devops.service import PROJECT, Service
from sandbox.fleets.bare_repository import DEPLOYMENT, bare_files
from sandbox.fleets.pipelines import HOME, AzureFleet, PipelineFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.staging import Stage, settled_with_azure

SHOP, CART = "shop", "cart"
BRANCH = "freshness/onboarding"
PIPELINE = "azure-pipelines.yml"
DOCKERFILE = bare_files()["Dockerfile"]
BUILT_BY = """\
trigger: [main]
variables:
  password: hunter2hunter2
steps:
- task: Docker@2
  inputs: {command: buildAndPush, repository: contoso/shop, containerRegistry: ours, tags: latest}
"""


@dataclass(slots=True)
class BareFleet(AzureFleet):
    """Two repositories that nobody has looked at the practices of, each with a pipeline."""

    async def build(self, version: str = "10.0.0") -> None:
        await PipelineFleet.build(self, version)
        files = {path: text for path, text in bare_files().items() if not path.startswith(".github/")}
        for name in (SHOP, CART):
            home = self.homes[name] = self.service.repos.create(name, PROJECT)
            self.service.repos.push(home, "main", {**files, PIPELINE: BUILT_BY.encode()})


async def _begin(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    fleet = BareFleet(world)
    onboarding = {"repositories": [f"{HOME}/{SHOP}", f"{HOME}/{CART}"], "at_once": 4}
    return await settled_with_azure(world, folder, store_url, exits, fleet, f"{HOME}/*", onboarding=onboarding)


begun = beginning(_begin).fixture()


def home_of(stage: Stage, name: str) -> Home:
    assert isinstance(stage.fleet, BareFleet)
    return stage.fleet.homes[name]


def service_of(stage: Stage) -> Service:
    assert isinstance(stage.fleet, BareFleet)
    return stage.fleet.service


def requests_of(stage: Stage, name: str) -> dict[int, dict[str, Any]]:
    rows, home = service_of(stage).requests.rows, home_of(stage, name)
    return {number: row for number, row in rows.items() if row["repository"]["id"] == home.id}


def text_at(home: Home, branch: str, path: str) -> str | None:
    return home.git.text(home.git.branches[branch], path)


async def standing(stage: Stage, name: str) -> Onboarding:
    due = await stage.bot.stores[OnboardingsStore].source(f"{HOME}/{name}")
    assert due is not None
    return due.onboarding


async def days(stage: Stage, number: int) -> None:
    """As many passes, a day apart: no push is told of here."""
    for _ in range(number):
        stage.clock.ahead += timedelta(days=1)
        await stage.run_pass()


async def test_the_audit_reads_what_a_pipeline_there_does(begun: Stage) -> None:
    audited = await begun.bot.stores[PracticesStore].audited(f"{HOME}/{SHOP}")
    assert audited is not None
    told = {(each.check, each.subject, each.outcome) for each in audited.findings if each.place.path == PIPELINE}
    assert told == {
        ("runtime-secrets", "variable password", Outcome.UNKNOWN),
        ("unread-delivery", "Azure Pipelines", Outcome.UNKNOWN),
    }


async def test_each_practice_comes_as_a_commit_of_one_pull_request(begun: Stage) -> None:
    home = home_of(begun, SHOP)
    [request] = requests_of(begun, SHOP).values()
    assert (request["status"], request["sourceRefName"]) == ("active", f"refs/heads/{BRANCH}")
    assert request["title"] == "Bring 2 practices along: base-pinned, seccomp-profile"
    assert [label["name"] for label in request["labels"]] == ["freshness"]
    assert set(home.git.branches) == {"main", BRANCH}
    commits = [home.git.commits[each].message for each in home.git.history(home.git.branches[BRANCH])]
    assert [message.partition("\n")[0] for message in commits] == [
        "A seccomp profile is in force (seccomp-profile)",
        "Bases follow a minor version (base-pinned)",
        "People's work",
    ]
    assert text_at(home, BRANCH, "Dockerfile") == "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY app /app\n"
    assert text_at(home, BRANCH, PIPELINE) == BUILT_BY
    assert begun.world.traffic.violations == []


async def test_its_text_fits_and_links_to_where_azure_shows_files(begun: Stage) -> None:
    [request] = requests_of(begun, SHOP).values()
    text = request["description"]
    shown_at = "https://dev.azure.com/contoso/team%20one/_git/shop?path=/deploy/shop.yaml&version=GB"
    assert f"{shown_at}freshness%2Fonboarding" in text
    assert "7 findings are left to you" in text
    assert "more: `freshness-bot audit` names them\n\n</details>\n<!-- freshness-bot end -->" in text


async def test_one_that_is_merged_is_done_and_one_that_is_abandoned_has_declined(begun: Stage) -> None:
    requests = service_of(begun).requests
    [merged], [declined] = requests_of(begun, SHOP), requests_of(begun, CART)
    requests.complete(merged)
    requests.abandon(declined)
    await days(begun, 2)
    done, refused = await standing(begun, SHOP), await standing(begun, CART)
    assert (done.state, done.merged) == (OnboardingState.DONE, 1)
    assert (refused.state, list(requests_of(begun, CART))) == (OnboardingState.DECLINED, [declined])
    assert text_at(home_of(begun, SHOP), "main", DEPLOYMENT) == text_at(home_of(begun, SHOP), BRANCH, DEPLOYMENT)
    assert begun.world.traffic.violations == []


async def test_one_whose_trunk_moved_into_its_way_is_made_anew(begun: Stage) -> None:
    home, service = home_of(begun, SHOP), service_of(begun)
    [number] = requests_of(begun, SHOP)
    service.repos.push(home, "main", {"Dockerfile": DOCKERFILE.replace(b"8.0.11", b"8.0.12")})
    service.requests.rows[number]["mergeStatus"] = "conflicts"
    await days(begun, 2)
    assert list(requests_of(begun, SHOP)) == [number]
    assert home.git.is_at_or_before(home.git.branches["main"], home.git.branches[BRANCH])
    assert text_at(home, BRANCH, "Dockerfile") == "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY app /app\n"
    assert set(home.git.branches) == {"main", BRANCH}
    assert begun.world.traffic.violations == []


async def test_one_whose_branch_somebody_has_pushed_to_is_left_to_them(begun: Stage) -> None:
    service_of(begun).repos.push(home_of(begun, SHOP), BRANCH, {"NOTES.md": b"ours\n"})
    await days(begun, 1)
    assert (await standing(begun, SHOP)).reason.startswith("somebody has committed to the branch of #")
