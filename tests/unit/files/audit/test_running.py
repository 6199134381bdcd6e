"""Which stage of a Dockerfile is asked who it runs as."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, findings, outcome, workflow

FAILS, UNKNOWN, HOLDS = Outcome.FAILS, Outcome.UNKNOWN, Outcome.HOLDS
SDK = "mcr.microsoft.com/dotnet/sdk:10.0"
ASPNET = "mcr.microsoft.com/dotnet/aspnet:10.0"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("FROM build AS unit-tests\nCOPY tests .\n", UNKNOWN),
        ("FROM build\nRUN dotnet test tests/Api.Tests\n", UNKNOWN),
        ('FROM build AS a\nENTRYPOINT ["dotnet", "test", "tests/Api.Tests"]\n', UNKNOWN),
        ("FROM build\nRUN dotnet test && dotnet publish -o /out\n", FAILS),
        ('FROM build AS test\nENTRYPOINT ["dotnet", "Api.dll"]\n', FAILS),
        ("FROM build AS latest\nCOPY tests .\n", FAILS),
    ],
)
def test_a_last_stage_that_only_runs_tests_tells_nothing_of_what_is_run(last: str, expected: Outcome) -> None:
    assert outcome("image-user", {"Dockerfile": f"FROM {SDK} AS build\nCOPY . .\n{last}"}) is expected


@pytest.mark.parametrize(("user", "expected"), [("", FAILS), ("USER $APP_UID\n", HOLDS)])
def test_the_stage_before_the_tests_is_asked_where_it_starts_something(user: str, expected: Outcome) -> None:
    text = f'FROM {ASPNET} AS api\n{user}ENTRYPOINT ["dotnet", "Api.dll"]\nFROM {SDK} AS test\nRUN dotnet test\n'
    (found,) = findings("image-user", {"Dockerfile": text})
    assert (found.outcome, found.subject) == (expected, "stage api")


def test_a_dockerfile_that_does_nothing_but_run_tests_is_not_asked() -> None:
    text = f"FROM {SDK}\nCOPY . .\nRUN dotnet restore\nENTRYPOINT dotnet test\n"
    assert outcome("image-user", {"Dockerfile": text}) is Outcome.NOT_APPLICABLE


def test_a_stage_of_tests_that_a_build_pushes_is_asked() -> None:
    push = "- run: docker build --push -t ghcr.io/contoso/tests:8 .\n"
    files = {"Dockerfile": f"FROM {SDK} AS tests\nCOPY . .\n", BUILD: workflow(push)}
    assert outcome("image-user", files) is FAILS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"FROM {ASPNET}\nRUN apt-get install -y libicu-dev\n", UNKNOWN),
        (f"FROM {SDK}\nRUN dotnet workload install wasm-tools\nENV A=1\n", UNKNOWN),
        (f"FROM {ASPNET}\nRUN id\nCOPY out .\n", FAILS),
        (f'FROM {ASPNET}\nRUN id\nCMD ["dotnet", "Api.dll"]\n', FAILS),
        (f"FROM {ASPNET}\nRUN id\nUSER root\n", FAILS),
    ],
)
def test_who_a_base_for_others_runs_as_is_left_to_those(text: str, expected: Outcome) -> None:
    assert outcome("image-user", {"Dockerfile": text}) is expected


def test_a_base_that_a_service_runs_is_asked() -> None:
    compose = "services: {api: {build: ., command: dotnet watch, volumes: ['.:/src']}}\n"
    files = {"Dockerfile": f"FROM {SDK}\nRUN dotnet tool restore\n", "compose.yaml": compose}
    assert outcome("image-user", files) is FAILS
