"""What `doctor` says of repositories in Azure Repos."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.clients.http.client import Http
from bot.commands.service.azure_repository_checks import azure_repository_checks
from bot.commands.service.pipeline_checks import Members
from bot.domain.clock import ManualClock
from bot.domain.reference import Base
from bot.domain.repositories.repository import AZURE_DEVOPS, FleetRepository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.settings import Settings
from bot.views.doctor import Health
from sandbox.azure_devops.repos import READ
from sandbox.azure_devops.service import IDENTITY, LABELS, PROJECT, Service
from tests.builders import NOON
from tests.unit.clients.forges.azure_devops.playing import played

UNSAID = RepositoryConfig()
Found = list[tuple[str, Health, str]]


async def found(
    folder: Path,
    service: Service,
    members: Members,
    *include: str,
    rules: Sequence[object] = (),
    bases: Sequence[Base] = (),
) -> Found:
    (folder / "token").write_text("good")
    azure = {
        "organizations": {"contoso": {"token_file": folder / "token"}},
        "repositories": {"include": list(include)},
        "seconds_between_requests": 0,
    }
    settings = Settings.model_validate({"azure_devops": azure, "policy": list(rules)})
    async with Http(service.clock, transport=played(service)) as http:
        checks = await azure_repository_checks(settings, members, bases, http)
    return [(each.subject, each.verdict, each.found) for each in checks]


def members_of(service: Service, *names: str, config: RepositoryConfig = UNSAID) -> Members:
    homes = [service.repos.create(name, PROJECT) for name in names]
    return [
        (
            FleetRepository(
                *(number, f"contoso/team one/{home.name}", (), config),
                node_id=f"contoso/{PROJECT['id']}/git/{home.id}",
                forge=AZURE_DEVOPS,
            ),
            (),
        )
        for number, home in enumerate(homes)
    ]


async def test_many_repositories_are_asked_about_in_one_request(tmp_path: Path) -> None:
    service = Service(None, ManualClock(NOON))
    members = members_of(service, *(f"app-{number}" for number in range(20)))
    assert await found(tmp_path, service, members, "*") == [
        (
            "contoso: repositories",
            Health.FINE,
            "20 repositories: Read, Contribute, Create branch, Contribute to pull requests, Create tag definition",
        )
    ]
    assert len(service.asked) == 1


async def test_a_right_that_is_missing_at_many_is_one_line_with_some_of_them(tmp_path: Path) -> None:
    service = Service(None, ManualClock(NOON))
    service.lacking.add(READ)
    [(subject, verdict, words)] = await found(tmp_path, service, members_of(service, "a", "b", "c", "d"), "*")
    assert (subject, verdict) == ("contoso: 4 repositories", Health.WRONG)
    assert words == (
        "Read is missing, to read its files (contoso/team one/a, contoso/team one/b, contoso/team one/c and others)"
    )


async def test_nobody_is_asked_where_no_repositories_are_read(tmp_path: Path) -> None:
    service = Service(None, ManualClock(NOON))
    assert await found(tmp_path, service, members_of(service, "a")) == []
    assert service.asked == []


async def test_that_none_is_known_yet_is_told(tmp_path: Path) -> None:
    service = Service(None, ManualClock(NOON))
    [(_, verdict, words)] = await found(tmp_path, service, [], "contoso/*/*")
    assert (verdict, words) == (Health.NOTE, "none is known there yet")


async def test_a_lack_of_new_labels_is_noted_for_the_whole_project(tmp_path: Path) -> None:
    service = Service(None, ManualClock(NOON))
    service.lacking.add(LABELS)
    assert await found(tmp_path, service, members_of(service, "a", "b"), "*") == [
        (
            "contoso: 2 repositories",
            Health.NOTE,
            "Create tag definition is missing, to label pull requests as nobody has there yet "
            "(contoso/team one/a, contoso/team one/b)",
        )
    ]
    asked = [each["token"] for each in service.bodies[0]["evaluations"]]
    assert asked.count(f"/{PROJECT['id']}") == 1


async def test_that_reviewers_are_not_found_is_told_once_where_some_are_named(
    tmp_path: Path,
) -> None:
    service = Service(None, ManualClock(NOON))
    service.lacking.add(IDENTITY)
    named = RepositoryConfig(team_reviewers=("Shop Ops",))
    fine, wrong = await found(tmp_path, service, members_of(service, "a", "b", config=named), "*")
    assert fine[1] is Health.FINE
    assert wrong == (
        *("contoso: reviewers", Health.WRONG),
        "Identity (read) is missing, to ask Shop Ops to review",
    )
    service.asked.clear()
    assert len(await found(tmp_path, service, members_of(service, "c"), "*")) == 1
    assert [path for _, path in service.asked if path.endswith("identities")] == []


@pytest.mark.parametrize("match", [{"causes": ["dotnet-security"]}, {"min_severity": "high"}, {"causes": ["age"]}])
async def test_reviewers_of_a_rule_for_some_causes_alone_are_looked_up_too(
    tmp_path: Path, match: dict[str, object]
) -> None:
    service = Service(None, ManualClock(NOON))
    service.lacking.add(IDENTITY)
    rules = [{"match": match, "reviewers": ["ada@contoso.example"]}]
    bases = [Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")]
    checks = await found(tmp_path, service, members_of(service, "a"), "*", rules=rules, bases=bases)
    assert [subject for subject, _, _ in checks] == ["contoso: repositories", "contoso: reviewers"]
