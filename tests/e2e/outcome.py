"""What a walk of a small fleet came to, for two walks to be compared by."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.clock import SystemClock
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class AzureOutcome:
    """The same of Azure DevOps: pull requests with their labels, builds by their pipelines, and branches by their
    repositories."""

    pull_requests: tuple[tuple[str, str, tuple[str, ...]], ...]
    builds: tuple[tuple[int, str, str], ...]
    branches: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything outside that the bot could have done twice or not at all. `times` are those at which each of the
    `runs` began and ended."""

    pull_requests: tuple[tuple[str, str, str, bool], ...]
    dockerfile: str
    runs: tuple[tuple[str, str, str], ...]
    issues: tuple[tuple[str, str], ...]
    messages: tuple[str, ...]
    rebuilds: tuple[tuple[str, str], ...]
    branches: tuple[str, ...]
    times: tuple[tuple[datetime, datetime], ...] = field(compare=False)
    azure: AzureOutcome | None = None


def comparable(outcome: Outcome) -> Outcome:
    """The registry's port differs from world to world."""
    return replace(outcome, dockerfile=re.sub(r"localhost:\d+", "registry", outcome.dockerfile))


async def outcome_of(world: World, store_url: str, names: Collection[str]) -> Outcome:
    """Of the sample fleet's two, one has pull requests and the other the issue."""
    is_sample = "payments-api" in names
    requests = await world.github.pull_requests("payments-api", state="all") if is_sample else []
    listed = await world.github.ask("GET", "/repos/contoso/catalog-web/issues?state=all") if is_sample else []
    messages = await world.slack.messages()
    database = await open_database(store_url)
    try:
        rollouts = await RolloutViewsStore(database, Worker("reader"), SystemClock()).rollouts(10)
    finally:
        await database.close()
    return Outcome(
        tuple(
            (request["title"], request["state"], request["head"]["ref"], request["merged_at"] is not None)
            for request in requests
        ),
        await world.github.read("payments-api", "Dockerfile") if is_sample else "",
        tuple((run.workflow.repository, run.workflow.path, str(run.conclusion)) for run in world.github.runs()),
        tuple((issue["title"], issue["state"]) for issue in listed if "pull_request" not in issue),
        tuple(_without_place(message["text"]) for message in messages),
        tuple((item.repository, str(item.state)) for rollout in rollouts for item in rollout.rebuilds),
        tuple(sorted(await world.github.branches("payments-api"))) if is_sample else (),
        tuple((run.created_at, run.updated_at) for run in world.github.runs()),
        _at_azure(world),
    )


def _at_azure(world: World) -> AzureOutcome | None:
    service = world.azure_devops.organizations["contoso"]
    if not service.repos.homes:
        return None
    return AzureOutcome(
        tuple(
            (row["title"], row["status"], tuple(label["name"] for label in row.get("labels", ())))
            for row in service.requests.rows.values()
        ),
        tuple((row["definition"]["id"], row["reason"], str(row["result"])) for row in service.builds.values()),
        tuple((home.name, tuple(sorted(home.git.branches))) for home in service.repos.homes.values()),
    )


def _without_place(text: str) -> str:
    return text.split("localhost")[0]
