"""What `doctor` says of Azure DevOps: each missing permission by its name, and where to give it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.clients.http.client import Http
from bot.commands.service.pipeline_checks import pipeline_checks
from bot.domain.clock import ManualClock
from bot.domain.forge.pull_requests import OtherRequest
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository, Identity, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.settings import Settings
from bot.views.doctor import Health, HealthCheck
from sandbox.azure_devops.service import DEFINITION, EDIT_QUEUE, QUEUE, VIEW, Service
from tests.unit.clients.forges.azure_devops.playing import played

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SHOP = FleetRepository(1, "octo/shop", (), RepositoryConfig(workflow="azure-pipelines: contoso/team one/12"))
GRANT = "allow it: Pipelines, the pipeline, ⋮, Manage security"


@pytest.fixture
def service(shared: Path) -> Service:
    service = Service(shared / "azure-devops", ManualClock(NOON))
    service.define(12)
    return service


@pytest.fixture
async def http(service: Service) -> AsyncIterator[Http]:
    async with Http(ManualClock(NOON), transport=played(service)) as http:
        yield http
    assert service.mistakes == []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "token").write_text("good")
    of_contoso = {"token_file": tmp_path / "token"}
    azure = {"organizations": {"contoso": of_contoso}, "seconds_between_requests": 0}
    return Settings.model_validate({"azure_devops": azure})


@dataclass(frozen=True, slots=True)
class Texts:
    """A forge each of whose files has this text."""

    text: bytes

    async def files(
        self, repositories: Sequence[Identity], paths: Sequence[str]
    ) -> Mapping[Identity, Mapping[str, bytes]]:
        return {each: dict.fromkeys(paths, self.text) for each in repositories}

    async def other_requests(self, repositories: Sequence[Identity]) -> Mapping[Identity, Sequence[OtherRequest]]:
        return {}


async def found(
    settings: Settings, http: Http, text: bytes = b"", member: FleetRepository = SHOP
) -> list[HealthCheck]:
    return await pipeline_checks(settings, [(member, (BASE,))], [BASE], http, Texts(text))


async def test_who_may_all_is_fine(settings: Settings, http: Http) -> None:
    assert [(each.subject, each.verdict, each.found) for each in await found(settings, http)] == [
        ("contoso", Health.FINE, "signed in as Freshness Bot"),
        ("contoso/team one/12", Health.FINE, "builds octo/shop, and may be started and followed"),
    ]


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (QUEUE, "Queue builds is missing, to start it, and see what its templates make of it"),
        (VIEW, "View builds is missing, to follow its runs"),
        (DEFINITION, "not shown, or View build pipeline is missing"),
    ],
)
async def test_a_permission_that_is_missing_is_named_with_its_place(
    settings: Settings, service: Service, http: Http, right: str, words: str
) -> None:
    service.lacking.add(right)
    _, check = await found(settings, http)
    assert (check.verdict, check.found, check.way_out) == (Health.WRONG, words, GRANT)


async def test_a_pipeline_that_takes_no_parameters_of_the_bot_is_noted(
    settings: Settings, service: Service, http: Http
) -> None:
    service.lacking.add(EDIT_QUEUE)
    _, check = await found(settings, http)
    assert (check.verdict, check.found, check.way_out) == (
        Health.NOTE,
        "Edit queue build configuration is missing, to hand it parameters, by which its run is told from others",
        GRANT,
    )


async def test_a_token_that_is_not_taken_is_told_once_for_its_organisation(
    settings: Settings, service: Service, http: Http
) -> None:
    service.token = "another"
    first, second = await found(settings, http)
    assert (first.subject, first.verdict, first.found) == (
        *("contoso", Health.WRONG),
        "answered with a page to sign in at",
    )
    assert first.way_out.startswith("renew the token of this organisation")
    assert second.verdict is Health.WRONG


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"queueStatus": "disabled"}, "it is disabled"),
        ({"repository": {"id": "octo/other", "type": "GitHub"}}, "it builds octo/other, not octo/shop"),
    ],
)
async def test_a_pipeline_that_would_rebuild_nothing_is_told(
    settings: Settings, service: Service, http: Http, values: dict[str, Any], words: str
) -> None:
    service.define(12, **values)
    _, check = await found(settings, http)
    assert (check.verdict, check.found) == (Health.WRONG, words)


async def test_a_schedule_that_does_not_notice_a_base_is_told(settings: Settings, http: Http) -> None:
    _, check = await found(settings, http, b"schedules:\n- cron: 0 2 * * 1\n")
    assert (check.verdict, check.found) == (
        Health.NOTE,
        "its schedule 0 2 * * 1 runs only when its source has changed",
    )
    assert check.way_out == "write always: true into azure-pipelines.yml, or let the bot start it"


async def test_what_builds_a_repository_that_nothing_rebuilds_is_found(settings: Settings, http: Http) -> None:
    _, check = await found(settings, http, member=FleetRepository(1, "octo/shop", (), RepositoryConfig()))
    assert (check.subject, check.verdict, check.found) == (
        *("octo/shop", Health.NOTE),
        "a pipeline builds it (azure-pipelines.yml)",
    )
    assert check.way_out == 'write workflow: "azure-pipelines: contoso/team one/12" in a rule for it'


async def test_nothing_is_sought_for_what_a_workflow_rebuilds(
    settings: Settings, service: Service, http: Http
) -> None:
    weekly = Workflow(".github/workflows/weekly-rebuild.yml")
    await found(settings, http, member=FleetRepository(1, "octo/shop", (weekly,), RepositoryConfig()))
    assert [path for _, path in service.asked if "definitions" in path] == []


async def test_without_a_section_nothing_is_asked(service: Service, http: Http) -> None:
    assert await found(Settings(), http) == []
    assert service.asked == []
