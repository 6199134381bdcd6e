"""Properties of command lines: they win over those of the project."""

import pytest

from bot.domain.repositories.usage import Role
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files

PLAIN = """<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>
<TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>"""
FAMILY = PLAIN.replace("</PropertyGroup>", "<ContainerFamily>jammy</ContainerFamily></PropertyGroup>")
WORKFLOW = "jobs: {{a: {{steps: [{{run: '{}'}}]}}}}\n"


def named(project: str, command: str, path: str = ".github/workflows/a.yml") -> list[tuple[str, str, Role]]:
    text = WORKFLOW.format(command) if path.endswith(".yml") else command
    files = {"src/Api/Api.csproj": project, path: text}
    found, _ = read_files([File(name, name, each.encode()) for name, each in files.items()], Memory())
    return [(usage.path, str(usage.reference), usage.role) for usage in found.usages]


@pytest.mark.parametrize("path", [".github/workflows/a.yml", "eng/publish.sh"])
@pytest.mark.parametrize("target", ["src/Api/Api.csproj", "src/Api", "./src/Api/"])
def test_a_command_line_may_be_all_that_asks_for_an_image(path: str, target: str) -> None:
    assert named(PLAIN, f"dotnet publish {target} -t:PublishContainer", path) == [
        ("src/Api/Api.csproj", "mcr.microsoft.com/dotnet/aspnet:9.0", Role.IMPLICIT_BASE)
    ]


@pytest.mark.parametrize("options", ["", "-o out", "-p:Version=1", "-c Release --os linux"])
def test_a_plain_publish_asks_for_none(options: str) -> None:
    assert named(PLAIN, f"dotnet publish src/Api {options}") == []


def test_a_family_on_the_command_line_wins_over_the_one_of_the_project() -> None:
    command = "dotnet publish src/Api -t:PublishContainer -p:ContainerFamily=alpine"
    [(_, reference, _)] = named(FAMILY, command)
    assert reference == "mcr.microsoft.com/dotnet/aspnet:9.0-alpine"


def test_a_base_on_the_command_line_wins_over_the_one_that_is_implied() -> None:
    command = (
        "dotnet publish src/Api -t:PublishContainer -p:ContainerBaseImage=mcr.microsoft.com/dotnet/aspnet:9.0-noble"
    )
    assert named(PLAIN, command) == [
        (".github/workflows/a.yml", "mcr.microsoft.com/dotnet/aspnet:9.0-noble", Role.BASE_IMAGE)
    ]


def test_several_publishes_count_all() -> None:
    publish = "dotnet publish src/Api -t:PublishContainer"
    command = f"{publish}\n{publish} -p:ContainerFamily=alpine\n"
    assert [reference for _, reference, _ in named(PLAIN, command, "publish.sh")] == [
        "mcr.microsoft.com/dotnet/aspnet:9.0",
        "mcr.microsoft.com/dotnet/aspnet:9.0-alpine",
    ]


def test_system_and_architecture_make_the_runtime() -> None:
    files = {
        "Api.csproj": PLAIN,
        "publish.sh": "dotnet publish -t:PublishContainer --os linux-musl --arch arm64\n",
    }
    found, _ = read_files([File(name, name, each.encode()) for name, each in files.items()], Memory())
    [usage] = found.usages
    assert (str(usage.reference), usage.platforms) == (
        "mcr.microsoft.com/dotnet/aspnet:9.0-alpine",
        ("linux/arm64",),
    )


@pytest.mark.parametrize("name", ["ContainerBaseImage", "ContainerFamily"])
def test_a_value_that_only_a_run_knows_leaves_the_base_undecided_and_that_is_told(name: str) -> None:
    command = f"\n\ndotnet publish src/Api -t:PublishContainer -p:{name}=$VALUE\n"
    files = {"src/Api/Api.csproj": PLAIN, "publish.sh": command}
    found, _ = read_files([File(path, path, text.encode()) for path, text in files.items()], Memory())
    assert found.usages == ()
    [problem] = found.problems
    assert problem.path == "src/Api/Api.csproj"
    assert "line 3 of publish.sh gives it a value that is known only when that runs" in problem.message
