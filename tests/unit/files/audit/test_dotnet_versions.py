"""Which stages of a Dockerfile are asked for their .NET, and what leaves open which .NET is used."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, PUSH, outcomes, workflow

FAILS, UNKNOWN, HOLDS = Outcome.FAILS, Outcome.UNKNOWN, Outcome.HOLDS
DOTNET = "mcr.microsoft.com/dotnet"
PROJECT = (
    '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net10.0</TargetFramework>'
    "</PropertyGroup></Project>"
)
BUILT = f"FROM {DOTNET}/sdk:10.0 AS build\nCOPY . .\nRUN dotnet publish src/Api/Api.csproj -o /out\n"
RUN = 'COPY --from=build /out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'


def versions(dockerfile: str, **more: str) -> list[Outcome]:
    return outcomes("dotnet-versions", {"Dockerfile": dockerfile, "src/Api/Api.csproj": PROJECT, **more})


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (
            f"FROM {DOTNET}/runtime:8.0 AS older\nFROM {DOTNET}/aspnet:10.0\nCOPY --from=older /licences /l\n",
            [HOLDS],
        ),
        (f"FROM {DOTNET}/runtime:8.0 AS tried\nFROM {DOTNET}/aspnet:10.0\n", [HOLDS]),
        (f"FROM {DOTNET}/aspnet:8.0 AS base\nFROM base AS final\n", [FAILS]),
        (f'FROM {DOTNET}/aspnet:8.0 AS tool\nCMD ["dotnet", "a.dll"]\nFROM {DOTNET}/aspnet:10.0\n', [FAILS, HOLDS]),
    ],
)
def test_a_stage_that_nothing_runs_on_is_not_asked_for_its_version(stages: str, expected: list[Outcome]) -> None:
    assert versions(BUILT + stages + RUN) == expected


def test_a_stage_that_a_build_names_is_asked_for_its_version() -> None:
    text = f"{BUILT}FROM {DOTNET}/aspnet:8.0 AS api\n{RUN.splitlines()[0]}\nFROM {DOTNET}/aspnet:10.0\n{RUN}"
    build = workflow(PUSH.replace("push: true", "push: true\n    context: .\n    target: api"))
    assert versions(text, **{BUILD: build}) == [FAILS, HOLDS]


@pytest.mark.parametrize(
    "brought",
    [
        f"COPY --from={DOTNET}/aspnet:10.0 /usr/share/dotnet /usr/share/dotnet\n",
        "RUN ./dotnet-install.sh --channel 10.0 --runtime aspnetcore\n",
        "RUN apk add aspnetcore10-runtime && apt-get install -y aspnetcore-runtime-10.0\n",
    ],
)
def test_another_dotnet_in_the_image_leaves_open_which_one_is_used(brought: str) -> None:
    assert versions(f"{BUILT}FROM {DOTNET}/aspnet:8.0\n{brought}{RUN}") == [UNKNOWN]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--self-contained", UNKNOWN),
        ("-p:PublishAot=true", UNKNOWN),
        ("--self-contained false", FAILS),
        ("--self-contained=false", FAILS),
    ],
)
def test_what_brings_its_own_runtime_may_run_on_any(option: str, expected: Outcome) -> None:
    text = BUILT.replace("dotnet publish", f"dotnet publish {option}")
    assert versions(f"{text}FROM {DOTNET}/aspnet:8.0\n{RUN}") == [expected]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("COPY . .\n", [FAILS]),
        ("COPY global.json src/ ./\n", [FAILS]),
        ('COPY ["*.json", "./"]\n', [FAILS]),
        ("RUN --mount=type=bind,target=. dotnet publish\n", [FAILS]),
        ("COPY src/ src/\n", []),
        ("RUN dotnet tool install -g tool\n", []),
        ("COPY --from=build /out .\n", []),
        ("COPY . .\nRUN ./dotnet-install.sh --version 10.0.100\n", [UNKNOWN]),
    ],
)
def test_a_global_json_counts_where_it_gets_into_the_build(lines: str, expected: list[Outcome]) -> None:
    text = f"FROM scratch AS build\nFROM {DOTNET}/sdk:8.0\n{lines}"
    assert versions(text, **{"global.json": '{"sdk": {"version": "10.0.100"}}'}) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("COPY src/Api/Api.csproj src/Api/\nCOPY . .\n", [FAILS]),
        ("COPY Api.csproj .\nCOPY . .\n", []),
        ("COPY . .\n", [UNKNOWN]),
    ],
)
def test_the_files_that_a_dockerfile_names_tell_which_folder_it_is_built_from(
    line: str, expected: list[Outcome]
) -> None:
    files = {
        "src/Api/Dockerfile": f"FROM {DOTNET}/sdk:8.0\n{line}",
        "src/Api/Api.csproj": PROJECT,
        "global.json": '{"sdk": {"version": "10.0.100"}}',
    }
    assert outcomes("dotnet-versions", files) == expected


@pytest.mark.parametrize(
    ("context", "expected"), [(".", [FAILS]), ("src", []), ("src/Api", []), ("${{ vars.CONTEXT }}", [FAILS])]
)
def test_a_global_json_outside_of_what_is_built_from_is_not_asked(context: str, expected: list[Outcome]) -> None:
    step = f"  with:\n    context: {context}\n    file: src/Api/Dockerfile\n"
    files = {
        "src/Api/Dockerfile": f"FROM {DOTNET}/sdk:8.0\nCOPY src/Api/Api.csproj .\nCOPY . .\n",
        "src/Api/Api.csproj": PROJECT,
        "global.json": '{"sdk": {"version": "10.0.100"}}',
    }
    pushed = {BUILD: workflow(PUSH.replace("  with:\n", step))}
    assert outcomes("dotnet-versions", {**files, **pushed}) == expected


def test_a_global_json_outside_of_the_context_of_compose_is_not_asked() -> None:
    files = {
        "src/Api/Dockerfile": f"FROM {DOTNET}/sdk:8.0\nCOPY . .\n",
        "compose.yaml": "services: {api: {build: src/Api}}\n",
        "global.json": '{"sdk": {"version": "10.0.100"}}',
    }
    assert outcomes("dotnet-versions", files) == []


@pytest.mark.parametrize(("started", "expected"), [("Shop", FAILS), ("Till", HOLDS)])
def test_the_project_that_makes_what_is_started_is_the_one_that_is_meant(started: str, expected: Outcome) -> None:
    older = PROJECT.replace("net10.0", "net8.0")
    projects = {
        "src/Shop.Web/Shop.Web.csproj": older.replace("</Prop", "<AssemblyName>Shop</AssemblyName></Prop"),
        "src/Till.Web/Till.Web.csproj": PROJECT.replace("</Prop", "<AssemblyName>Till</AssemblyName></Prop"),
    }
    dockerfile = f'FROM {DOTNET}/aspnet:10.0\nCOPY out .\nENTRYPOINT ["dotnet", "{started}.dll"]\n'
    assert outcomes("dotnet-versions", {"Dockerfile": dockerfile, **projects}) == [expected]


@pytest.mark.parametrize(("copied", "expected"), [("./src ./src/", []), (". .", [FAILS]), ("$FILES ./", [UNKNOWN])])
def test_what_no_instruction_of_the_root_names_is_not_copied(copied: str, expected: list[Outcome]) -> None:
    files = {
        "Dockerfile": f"FROM mcr.microsoft.com/dotnet/sdk:8.0\nARG FILES\nCOPY {copied}\n",
        "global.json": '{"sdk": {"version": "9.0.100"}}',
        "src/Api.csproj": "<Project />",
    }
    assert outcomes("dotnet-versions", files) == expected
