"""Dockerfiles: users, secrets, pins and versions."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.formats.practices import tells_of_practices
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcome, outcomes, workflow

HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
ASPNET = "mcr.microsoft.com/dotnet/aspnet"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"FROM {ASPNET}:8.0\n", FAILS),
        (f"FROM {ASPNET}:8.0\nUSER $APP_UID\n", HOLDS),
        (f"FROM {ASPNET}:8.0\nUSER app\n", HOLDS),
        (f"FROM {ASPNET}:8.0\nUSER app\nUSER root\n", FAILS),
        (f"FROM {ASPNET}:8.0\nUSER 0:0\n", FAILS),
        (f"FROM {ASPNET}:8.0-noble-chiseled\n", HOLDS),
        (f"FROM {ASPNET}:10.0-azurelinux3.0-distroless\n", HOLDS),
        (f"FROM {ASPNET}:8.0-noble-chiseled\nUSER root\n", FAILS),
        (f"FROM {ASPNET}:8.0 AS base\nUSER $APP_UID\nFROM base\nCOPY . .\n", HOLDS),
        (f"FROM {ASPNET}:8.0 AS base\nUSER $APP_UID\nFROM {ASPNET}:8.0\nCOPY --from=base / /\n", FAILS),
        (f"FROM {ASPNET}:6.0\nUSER $APP_UID\n", UNKNOWN),
        ("FROM debian:13\nARG UID=1000\nUSER $UID\n", HOLDS),
        ("FROM debian:13\nARG UID\nUSER $UID\n", UNKNOWN),
        ("FROM contoso/base:1\n", UNKNOWN),
        ("FROM arm64v8/debian:13\n", FAILS),
        ("FROM mcr.microsoft.com/dotnet/aspire-dashboard:latest\n", HOLDS),
        ("FROM arm64v8/postgres:18\n", UNKNOWN),
        ("FROM mcr.microsoft.com/azurelinux/base/core:3.0\n", FAILS),
        ("FROM contoso/base:1\nUSER 1000\n", HOLDS),
        ('FROM alpine:3\nENTRYPOINT ["gosu", "app", "/app"]\n', UNKNOWN),
        ('FROM debian:13\nRUN apt-get install -y \\\n  gosu\nENTRYPOINT ["/start.py"]\n', UNKNOWN),
        ('FROM alpine:3\nRUN apk add gosub\nENTRYPOINT ["/start.py"]\n', FAILS),
        ("FROM alpine:3\nENTRYPOINT exec setpriv --reuid=1000 /app\n", UNKNOWN),
        ('FROM scratch\nCOPY app /\nENTRYPOINT ["/app"]\n', FAILS),
        ("FROM scratch\nCOPY out /\n", NOT_APPLICABLE),
        ("FROM gcr.io/distroless/static:nonroot\n", HOLDS),
        ("FROM gcr.io/distroless/static\n", FAILS),
        (f"FROM gcr.io/distroless/static@sha256:{'a' * 64}\n", UNKNOWN),
        ("FROM mcr.microsoft.com/dotnet/aspnet:8.0-nanoserver-ltsc2022\n", NOT_APPLICABLE),
        ("FROM --platform=windows/amd64 contoso/base:1\n", NOT_APPLICABLE),
    ],
)
def test_the_user_of_an_image(text: str, expected: Outcome) -> None:
    assert outcome("image-user", {"Dockerfile": text}) is expected


def test_an_entrypoint_script_that_drops_rights_is_unknown() -> None:
    files = {
        "Dockerfile": 'FROM alpine:3\nCOPY entrypoint.sh /\nENTRYPOINT ["/entrypoint.sh"]\n',
        "entrypoint.sh": 'exec su-exec app "$@"\n',
    }
    assert outcome("image-user", files) is UNKNOWN


def test_the_stage_that_is_built_counts() -> None:
    files = {
        "Dockerfile": f"FROM {ASPNET}:8.0 AS final\nUSER $APP_UID\nFROM {ASPNET}:8.0 AS debug\n",
        "compose.yaml": "services: {api: {build: {context: ., target: final}}}",
    }
    assert outcome("run-as-non-root", files) is HOLDS


@pytest.mark.parametrize(
    "path", ["tests/Dockerfile", ".devcontainer/Dockerfile", "Dockerfile.dev", "samples/a/Dockerfile"]
)
def test_dockerfiles_for_developers_and_tests_are_not_asked(path: str) -> None:
    assert outcomes("image-user", {path: f"FROM {ASPNET}:8.0\n"}) == []


PROJECT = """
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFramework>{framework}</TargetFramework>
    <EnableSdkContainerSupport>true</EnableSdkContainerSupport>
    <ContainerRepository>api</ContainerRepository>
    {more}
  </PropertyGroup>
</Project>
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM debian:13\nENV DB_PASSWORD=hunter2\n", FAILS),
        ("FROM debian:13\nENV DB_PASSWORD=\n", HOLDS),
        ("FROM debian:13\nENV AZP_TOKEN=set_me_at_runtime\n", HOLDS),
        ("FROM debian:13\nENV AZP_TOKEN='change me, please'\n", HOLDS),
        ("FROM debian:13\nENV AZP_TOKEN=setmeup7\n", FAILS),
        ("FROM debian:13\nENV RABBITMQ_DEFAULT_PASS=hunter2\n", FAILS),
        ("FROM debian:13\nENV COMPASS=hunter2 PASS_THROUGH=hunter2 BY_PASS_COUNT=7\n", HOLDS),
        ("FROM debian:13\nENV DB_PASSWORD_FILE=/run/secrets/db\n", HOLDS),
        ("FROM debian:13\nARG NUGET_TOKEN\nRUN restore --token $NUGET_TOKEN\n", FAILS),
        ("FROM debian:13\nARG NUGET_TOKEN\nRUN restore\n", HOLDS),
        ("FROM debian:13 AS a\nARG NUGET_TOKEN\nFROM debian:13\nRUN restore $NUGET_TOKEN\n", HOLDS),
        ("FROM debian:13 AS a\nARG NUGET_TOKEN\nFROM a\nRUN restore $NUGET_TOKEN\n", FAILS),
        ("FROM debian:13\nARG NUGET_TOKEN\nENV NUGET_TOKEN=$NUGET_TOKEN\n", FAILS),
        ("FROM debian:13\nARG NEW_RELIC_LICENSE_KEY\nENV NEW_RELIC_LICENSE_KEY=$NEW_RELIC_LICENSE_KEY\n", FAILS),
        ("FROM debian:13\nENV NUGET_TOKEN=${NUGET_TOKEN}\n", HOLDS),
        ("ARG NUGET_TOKEN\nFROM debian:13\nENV NUGET_TOKEN=${NUGET_TOKEN}\n", HOLDS),
        ("FROM debian:13 AS a\nARG NUGET_TOKEN\nFROM debian:13\nENV NUGET_TOKEN $NUGET_TOKEN\n", HOLDS),
        ("FROM debian:13 AS a\nARG NUGET_TOKEN\nFROM a\nENV NUGET_TOKEN $NUGET_TOKEN\n", FAILS),
        ("FROM debian:13\nENV TOKEN_OF=x\nENV NUGET_TOKEN $TOKEN_OF\nARG TOKEN_OF\n", FAILS),
        ("FROM debian:13\nENV NUGET_TOKEN $LATER\nARG LATER\n", HOLDS),
        ("FROM debian:13\nENV NUGET_TOKEN=${NUGET_TOKEN:-hunter2}\n", FAILS),
        ("FROM debian:13\nENV ConnectionStrings__Shop='Server=db;Password=hunter2'\n", FAILS),
        ("FROM debian:13\nENV ConnectionStrings__Shop='Server=db;Integrated Security=true'\n", HOLDS),
        ("FROM debian:13\nRUN --mount=type=secret,id=nuget,env=NUGET_TOKEN restore\n", HOLDS),
        ("FROM debian:13\nCOPY NuGet.Config .\n", FAILS),
        ("FROM debian:13\nRUN <<EOF\nx\nEOF\n", HOLDS),
    ],
)
def test_secrets_in_an_image(text: str, expected: Outcome) -> None:
    config = '<packageSourceCredentials><add key="ClearTextPassword" value="hunter2" /></packageSourceCredentials>'
    assert outcomes("image-secrets", {"Dockerfile": text, "NuGet.Config": config})[0] is expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("nuget sources add -Name a -Source https://n -Password hunter2x", FAILS),
        ("dotnet nuget add source https://n -u a -p hunter2x --store-password-in-clear-text", FAILS),
        ("apt-get update \\\n && dotnet nuget add source https://n \\\n --password=hunter2x", FAILS),
        ('["dotnet", "nuget", "add", "source", "https://n", "--password", "hunter2x"]', FAILS),
        ("<<EOF\nnuget add --password hunter2x\nEOF", FAILS),
        ('sh -c "nuget add --password hunter2x"', FAILS),
        ("mkdir x; docker login -u a -p hunter2x r.example", FAILS),
        ("curl -u a:hunter2x https://n", FAILS),
        ("curl --user=a:hunter2x https://n", FAILS),
        ("curl -H 'Authorization: Bearer hunter2x' https://n", FAILS),
        ("git clone https://a:hunter2x@github.com/contoso/shop", FAILS),
        ("npm config set //r.example/:_authToken=hunter2x", FAILS),
        ("export NPM_TOKEN=hunter2x && npm ci", FAILS),
        ("SA_PASSWORD=hunter2x /opt/mssql/bin/sqlservr", FAILS),
        ("sqlcmd -S db -U sa -P hunter2x", FAILS),
        ("dotnet nuget add source https://n --password $FEED", FAILS),
        ("--mount=type=secret,id=t,env=FEED nuget add --password $FEED", HOLDS),
        ("nuget add --password $(cat /run/secrets/t)", HOLDS),
        ("NPM_TOKEN=$(cat /run/secrets/t) npm ci", HOLDS),
        ("adduser --disabled-password --gecos '' app && useradd -u 1000:1000 web", HOLDS),
        ("cat /run/secrets/t | docker login -u a --password-stdin r.example", HOLDS),
        ("dotnet nuget add source https://n --store-password-in-clear-text feed", HOLDS),
        ("sed -i 's/PASSWORD=.*/PASSWORD=$X/' f", HOLDS),
        ("mkdir -p /app && cp -p a b", HOLDS),
    ],
)
def test_a_secret_that_a_command_of_run_is_told(command: str, expected: Outcome) -> None:
    found = findings("image-secrets", {"Dockerfile": f"FROM debian:13\nARG FEED\nRUN {command}\n"})
    assert [each.outcome for each in found] == [expected]
    assert "hunter2x" not in repr(found)


def test_a_password_from_the_environment_in_a_nuget_config_is_none() -> None:
    config = '<add key="ClearTextPassword" value="%FEED_PASSWORD%" />'
    files = {"Dockerfile": "FROM debian:13\nCOPY nuget.config .\n", "nuget.config": config}
    assert outcome("image-secrets", files) is HOLDS


def test_a_password_that_is_put_into_a_connection_is_given_by_an_argument() -> None:
    text = 'FROM debian:13\nARG DB_KEY\nENV DB_CONNECTION_STRING "Server=db;Password=${DB_KEY}"\n'
    (found,) = findings("image-secrets", {"Dockerfile": text})
    assert found.message == "ENV DB_CONNECTION_STRING is given by a build argument"


def test_no_value_of_a_secret_is_shown() -> None:
    found = findings("image-secrets", {"Dockerfile": "FROM debian:13\nENV API_KEY=hunter2-hunter2\n"})
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (f"{ASPNET}:8.0", HOLDS),
        (f"{ASPNET}:8.0-noble-chiseled", HOLDS),
        (f"{ASPNET}:8.0.11", FAILS),
        (f"{ASPNET}:8.0.11-noble", FAILS),
        (f"{ASPNET}:8.0.11@sha256:{'a' * 64}", FAILS),
        (f"{ASPNET}:10.0.0@sha256:{'a' * 64}", FAILS),
        (f"{ASPNET}:10.0@sha256:{'a' * 64}", HOLDS),
        (f"{ASPNET}:latest@sha256:{'a' * 64}", HOLDS),
        (f"node:22.4.1-alpine@sha256:{'a' * 64}", FAILS),
        (f"node:22-alpine@sha256:{'a' * 64}", HOLDS),
        (f"{ASPNET}@sha256:{'a' * 64}", UNKNOWN),
        (f"{ASPNET}:latest", FAILS),
        (f"{ASPNET}:8", FAILS),
        ("debian", FAILS),
        ("node:lts-alpine", FAILS),
        ("debian:trixie-slim", HOLDS),
        ("debian:13", HOLDS),
        ("debian:trixie-20260623", FAILS),
        ("node:22.4.1-alpine", FAILS),
        ("node:22-alpine", HOLDS),
        ("contoso/golden:1.4.2", UNKNOWN),
        ("contoso/golden:1.4.2@sha256:" + "a" * 64, UNKNOWN),
        ("contoso/golden:1.4@sha256:" + "a" * 64, HOLDS),
        ("contoso/golden:9.8-1779374378", FAILS),
        ("contoso/golden:9.4-1181.1724035907", FAILS),
        ("contoso/golden:9.8-1779374378@sha256:" + "a" * 64, FAILS),
        ("contoso/golden:9.8-177", HOLDS),
        ("contoso/golden:latest-shop-latest", FAILS),
        ("contoso/golden:shop-latest", FAILS),
        ("contoso/golden:shop-1.96-latest", HOLDS),
        ("contoso/golden:release", HOLDS),
        ("contoso/golden:dev", FAILS),
        ("contoso/golden:ci", FAILS),
        ("node:alpine", FAILS),
        ("python:slim", FAILS),
        ("php:fpm-alpine", FAILS),
        ("rabbitmq:management", FAILS),
        ("contoso/builder:wine", FAILS),
        ("contoso/builder:20-wine", HOLDS),
        ("debian:stable-slim", FAILS),
        ("oven/bun:debian", FAILS),
        ("mcr.microsoft.com/powershell:nanoserver", FAILS),
        ("mcr.microsoft.com/windows/nanoserver:ltsc2022", HOLDS),
        ("mcr.microsoft.com/mssql/server:2025-CU5-ubuntu-22.04", FAILS),
        ("mcr.microsoft.com/mssql/server:2022-latest", HOLDS),
        ("mirror.example/ubuntu:noble", HOLDS),
        ("buildpack-deps:trixie", HOLDS),
        ("${BASE}", UNKNOWN),
    ],
)
def test_the_reference_of_a_base_tells_whether_it_is_pinned_well_enough(image: str, expected: Outcome) -> None:
    assert outcome("base-pinned", {"Dockerfile": f"ARG BASE\nFROM {image}\n"}) is expected


@pytest.mark.parametrize(
    ("image", "framework", "pin", "expected"),
    [
        (f"{ASPNET}:8.0", "net8.0", "", [HOLDS]),
        (f"{ASPNET}:9.0", "net8.0", "", [FAILS]),
        (f"{ASPNET}:9.0-preview", "net9.0", "", [FAILS]),
        ("mcr.microsoft.com/dotnet/nightly/aspnet:9.0", "net9.0", "", [FAILS]),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "net8.0", "8.0.404", [HOLDS]),
        ("mcr.microsoft.com/dotnet/sdk:9.0", "net8.0", "8.0.404", [FAILS]),
        ("mcr.microsoft.com/dotnet/sdk:9.0", "net8.0", "", []),
    ],
)
def test_image_framework_and_sdk_must_be_of_one_version(
    image: str, framework: str, pin: str, expected: list[Outcome]
) -> None:
    files = {
        "Dockerfile": f'FROM {image}\nCOPY . .\nENTRYPOINT ["dotnet", "Api.dll"]\n',
        "src/Api.csproj": PROJECT.format(framework=framework, more=""),
    }
    if pin:
        files["global.json"] = f'{{"sdk": {{"version": "{pin}"}}}}'
    assert outcomes("dotnet-versions", files) == expected


@pytest.mark.parametrize(
    ("start", "framework", "expected"),
    [
        ('["dotnet", "./Shop.Api.dll"]', "net8", HOLDS),
        ('["./Shop.Api"]', "net8.0", HOLDS),
        ('["/app/Shop.Api", "--urls", "http://+:8080"]', "net9.0", FAILS),
        ('["./Shop.Api"]', "net48", UNKNOWN),
        ('["./start.sh"]', "net8.0", UNKNOWN),
    ],
)
def test_the_program_that_is_started_tells_which_project_runs(
    start: str, framework: str, expected: Outcome
) -> None:
    files = {
        "Dockerfile": f"FROM {ASPNET}:8.0\nCOPY out .\nENTRYPOINT {start}\n",
        "src/Shop.Api/Shop.Api.csproj": PROJECT.format(framework=framework, more=""),
        "src/Tool/Tool.csproj": PROJECT.format(framework="net6.0", more=""),
    }
    assert outcome("dotnet-versions", files) is expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("COPY . .\nRUN dotnet publish src/Shop.Api -c Release -o /out", HOLDS),
        ("WORKDIR /src\nCOPY . .\nRUN dotnet publish -o /out ./src/Shop.Api --self-contained false", HOLDS),
        ("COPY . /src\nWORKDIR /src/src/Shop.Api\nRUN dotnet publish -c Release", HOLDS),
        ("WORKDIR /build\nWORKDIR Shop.Api\nRUN dotnet restore && dotnet publish /p:UseAppHost=false", HOLDS),
        ("WORKDIR /src\nRUN cd src/Shop.Api && dotnet publish -c Release", HOLDS),
        ("WORKDIR /src\nRUN cd $NAME && dotnet publish -c Release", UNKNOWN),
        ("COPY . .\nRUN dotnet publish src/Tool -c Release -o /out", FAILS),
        ("COPY . .\nRUN dotnet publish src/Both -c Release -o /out", UNKNOWN),
        ("COPY . .\nRUN dotnet publish Shop.sln -c Release -o /out", UNKNOWN),
        ("ARG NAME\nRUN dotnet publish src/$NAME", UNKNOWN),
        ("RUN dotnet publish Shop.sln -f net8.0", HOLDS),
        ("RUN dotnet publish --framework net9.0", FAILS),
        ("COPY . .\nRUN dotnet publish src/Shop.Api && dotnet publish $OTHER", UNKNOWN),
    ],
)
def test_the_folder_or_the_framework_that_is_published_tells_which_project_runs(
    lines: str, expected: Outcome
) -> None:
    files = {
        "Dockerfile": f"FROM contoso/sdk:8.0 AS build\n{lines}\nFROM {ASPNET}:8.0\nCOPY --from=build /out .\n",
        "src/Shop.Api/Shop.Api.csproj": PROJECT.format(framework="net8.0", more=""),
        "src/Tool/Tool.csproj": PROJECT.format(framework="net6.0", more=""),
        "src/Both/A.csproj": PROJECT.format(framework="net8.0", more=""),
        "src/Both/B.csproj": PROJECT.format(framework="net6.0", more=""),
    }
    assert outcome("dotnet-versions", files) is expected


def test_a_framework_that_counts_where_nothing_else_is_set_is_told() -> None:
    condition = "Condition=\"'$(Other)' == ''\""
    text = (
        f"<Project><PropertyGroup><TargetFramework {condition}>net8.0</TargetFramework></PropertyGroup></Project>"
    )
    files = {
        "Dockerfile": f'FROM {ASPNET}:9.0\nCOPY a.csproj .\nENTRYPOINT ["dotnet", "a.dll"]\n',
        "a.csproj": text,
    }
    assert outcomes("dotnet-versions", files) == [FAILS]


@pytest.mark.parametrize(
    ("name", "expected"), [("DefaultFramework", [FAILS]), ("NotSet", [UNKNOWN]), ("Twice", [UNKNOWN])]
)
def test_a_framework_that_a_property_names_is_what_stands_in_that(name: str, expected: list[Outcome]) -> None:
    files = {
        "src/a/Dockerfile": f'FROM {ASPNET}:9.0\nCOPY a.csproj .\nENTRYPOINT ["dotnet", "a.dll"]\n',
        "src/a/a.csproj": PROJECT.format(framework=f"$({name})", more=""),
        "src/Directory.Build.props": "<Project><PropertyGroup><DefaultFramework>net8.0</DefaultFramework>"
        "<Twice>net8.0</Twice><Twice>net9.0</Twice></PropertyGroup></Project>",
    }
    assert outcomes("dotnet-versions", files) == expected


def test_a_project_whose_framework_is_not_told_is_named() -> None:
    files = {
        "Dockerfile": f'FROM {ASPNET}:8.0\nENTRYPOINT ["dotnet", "Api.dll"]\n',
        "src/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />',
    }
    (found,) = findings("dotnet-versions", files)
    assert (
        found.message == "which .NET src/Api.csproj targets is not told by it or a Directory.Build.props above it"
    )


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("azure-pipelines.yml", "steps:\n- script: docker build --build-arg=BASE_IMAGE=shop-base:7 .\n", UNKNOWN),
        (BUILD, workflow("- run: docker build --build-arg BASE_IMAGE=$BASE ."), UNKNOWN),
        ("compose.yaml", "services: {a: {build: {context: ., args: {BASE_IMAGE: 'shop-base:7'}}}}", UNKNOWN),
        (BUILD, workflow("- run: docker build --build-arg BASE=$BASE ."), FAILS),
    ],
)
def test_a_base_that_a_build_hands_over_is_not_what_the_argument_has_by_default(
    path: str, text: str, expected: Outcome
) -> None:
    files = {"Dockerfile": "ARG BASE_IMAGE=base\nFROM ${BASE_IMAGE}\n", path: text}
    assert outcome("base-pinned", files) is expected


@pytest.mark.parametrize(
    ("image", "advice"),
    [
        ("golang:1.26.2-bookworm", "write 1.26-bookworm instead"),
        ("python:3.12.1-slim-bookworm", "write 3.12-slim-bookworm instead"),
        ("node:20.18.0-alpine3.20", "write 20.18-alpine3.20 instead"),
        ("node:20.18.0", "write 20.18 instead"),
    ],
)
def test_the_tag_of_the_minor_version_is_of_the_same_variant(image: str, advice: str) -> None:
    (found,) = findings("base-pinned", {"Dockerfile": f"FROM {image}\n"})
    assert found.fix is not None
    assert found.fix.advice == advice


GIVEN = """
- uses: docker/build-push-action@v6
  with:
    push: true
    build-args: |
      COLOUR=red
      VERSION={}
"""


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (GIVEN.format("8.0"), HOLDS),
        (GIVEN.format("8.0.11"), FAILS),
        (GIVEN.format("${{ inputs.version }}"), UNKNOWN),
        (GIVEN.format("8.0.11").replace("push: true", "push: true\n    file: web/Dockerfile"), HOLDS),
        ("- run: docker build --push --build-arg VERSION=8.0.11 -t ghcr.io/contoso/api .\n", FAILS),
    ],
)
def test_the_version_that_a_build_gives_is_the_one_of_the_base(steps: str, expected: Outcome) -> None:
    files = {BUILD: workflow(steps), "Dockerfile": f"ARG VERSION=8.0\nFROM {ASPNET}:${{VERSION}}-noble\n"}
    assert outcome("base-pinned", files) is expected


def test_a_version_in_the_name_of_a_base_is_none_of_its_tag() -> None:
    files = {BUILD: workflow(GIVEN.format("22")), "Dockerfile": "ARG VERSION=20\nFROM r.example/node-${VERSION}\n"}
    (found,) = findings("base-pinned", files)
    assert found.message == "no tag is written, which means latest"


def test_the_tag_that_follows_single_updates_is_of_the_same_year() -> None:
    (found,) = findings("base-pinned", {"Dockerfile": "FROM mcr.microsoft.com/mssql/server:2019-CU2-ubuntu\n"})
    assert found.fix is not None
    assert found.fix.advice == "write the tag that follows them, such as 2019-latest"


def test_a_service_of_an_image_that_is_built_here_runs_as_its_dockerfile_says() -> None:
    push = "- run: docker build -f src/Dockerfile -t ghcr.io/contoso/shop:7 . && docker push ghcr.io/contoso/shop:7"
    files = {
        BUILD: workflow(push),
        "src/Dockerfile": f"FROM {ASPNET}:8.0\n",
        "compose.yaml": "services: {shop: {image: ghcr.io/contoso/shop}}",
    }
    (found,) = findings("run-as-non-root", files)
    assert (found.outcome, found.message) == (
        FAILS,
        f"no user is set, and {ASPNET}:8.0 runs as root, and no USER is written (src/Dockerfile)",
    )


def test_an_image_that_the_sdk_builds_is_not_root() -> None:
    assert outcome("image-user", {"Api.csproj": PROJECT.format(framework="net8.0", more="")}) is HOLDS
    user = "<ContainerUser>root</ContainerUser>"
    assert outcome("image-user", {"Api.csproj": PROJECT.format(framework="net8.0", more=user)}) is FAILS
    assert outcome("image-user", {"Api.csproj": PROJECT.format(framework="net6.0", more="")}) is FAILS


def test_an_entrypoint_is_found_under_the_name_that_it_is_copied_to() -> None:
    files = {
        "Dockerfile": 'FROM alpine:3\nCOPY ./docker/entry.sh $HOME/run.sh\nENTRYPOINT ["/app/run.sh"]\n',
        "docker/entry.sh": "exec setpriv --reuid=1000 /app/serve\n",
    }
    assert outcome("image-user", files) is UNKNOWN


def test_an_image_on_a_stock_one_is_told_what_fits_that() -> None:
    (found,) = findings("image-user", {"Dockerfile": "FROM nginx:1.29-alpine\nCOPY site /usr/share/nginx/html\n"})
    assert found.fix is not None
    assert "nginx-unprivileged" in found.fix.advice
    assert "RUN" not in found.fix.advice


@pytest.mark.parametrize(
    "text",
    [
        "FROM nginx:1.29-alpine\nRUN apk add --no-cache openssl\nCOPY site /usr/share/nginx/html\n",
        "FROM nginx:1.29 AS base\nRUN rm -R /usr/share/nginx/html\nFROM base\nCOPY site /srv\n",
    ],
)
def test_what_a_build_runs_on_a_stock_image_stays_roots_where_that_has_a_user(text: str) -> None:
    (found,) = findings("image-user", {"Dockerfile": text})
    assert found.fix is not None
    assert found.fix.advice.endswith("; with USER root before the first RUN, and USER 101 behind the last")


def test_a_base_that_is_known_only_in_a_build_is_told_as_it_is_written() -> None:
    text = "ARG VERSION\nFROM --platform=linux/amd64 ghcr.io/contoso/base:${VERSION} AS final\n"
    (found,) = findings("image-user", {"Dockerfile": text})
    assert "'ghcr.io/contoso/base:${VERSION}'" in found.message


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("ARG FEED_TOKEN\nRUN dotnet restore\n", FAILS),
        ("ARG FEED_TOKEN\nRUN echo restored\n", HOLDS),
        ("ARG OTHER_TOKEN\nRUN dotnet restore\n", HOLDS),
    ],
)
def test_an_argument_that_a_configuration_takes_from_the_environment_is_used(lines: str, expected: Outcome) -> None:
    files = {
        "Dockerfile": f"FROM debian:13\n{lines}",
        "NuGet.config": '<configuration><add key="ClearTextPassword" value="%FEED_TOKEN%" /></configuration>',
    }
    assert outcome("image-secrets", files) is expected


STAGES = f"""
FROM {ASPNET}:8.0 AS api
FROM {ASPNET}:8.0 AS job
FROM {ASPNET}:8.0 AS tests
FROM {ASPNET}:8.0-noble-chiseled AS all
"""


@pytest.mark.parametrize(
    ("script", "stages"),
    [
        ("docker buildx build . --target api --tag ghcr.io/contoso/api:8 --push", ["stage api"]),
        ("docker build --target job -t ghcr.io/c/job:8 .\ndocker push ghcr.io/c/job:8", ["stage job"]),
        ("docker build --target tests -t t .\ndocker build -t ghcr.io/c/a:8 .\ndocker push ghcr.io/c/a:8", []),
        ("docker build --target tests -t t .\ndocker push ghcr.io/c/$NAME", []),
        ("cd src\ndocker buildx build . --target api --tag ghcr.io/contoso/api:8 --push", []),
        ("docker buildx build . --target api --tag api:8 --load", []),
    ],
)
def test_a_stage_that_a_command_pushes_is_judged(script: str, stages: list[str]) -> None:
    run = "- run: |\n" + "".join(f"    {line}\n" for line in script.splitlines())
    found = findings("image-user", {"Dockerfile": STAGES, BUILD: workflow(run)})
    assert [each.subject for each in found if each.outcome is FAILS] == stages


def test_a_stage_that_is_pushed_is_judged_beside_the_last_one_that_compose_builds() -> None:
    files = {
        "Dockerfile": STAGES,
        BUILD: workflow(PUSH + "    target: api\n"),
        "compose.yaml": "services: {all: {build: .}}",
    }
    assert {each.subject for each in findings("image-user", files)} == {"stage all", "stage api"}


WORKER = """
<Project Sdk="Microsoft.NET.Sdk.Worker">
  <PropertyGroup>
    {framework}
    <EnableSdkContainerSupport>true</EnableSdkContainerSupport>
    <ContainerRepository>worker</ContainerRepository>
  </PropertyGroup>
  <ItemGroup><ProjectReference Include="..\\Shared\\Shared.csproj" /></ItemGroup>
</Project>
"""
SHARED = '<Project Sdk="Microsoft.NET.Sdk" />'


def of_worker(framework: str, **others: str) -> list[tuple[Outcome, str]]:
    files = {"src/Worker/Worker.csproj": WORKER.format(framework=framework), **others}
    return [(each.outcome, each.message) for each in findings("image-user", files)]


def test_a_project_is_told_once_though_its_base_is_left_open() -> None:
    ((found, message),) = of_worker("<TargetFramework>net7.0</TargetFramework>")
    assert found is FAILS
    assert "aspnet:7.0" in message
    assert "runtime:7.0" in message
    ((found, message),) = of_worker("<TargetFrameworks>net6.0;net8.0</TargetFrameworks>")
    assert found is UNKNOWN


def test_what_a_project_references_tells_its_base() -> None:
    files = {"src/Shared/Shared.csproj": SHARED}
    ((found, message),) = of_worker("<TargetFramework>net7.0</TargetFramework>", **files)
    assert (found, "aspnet" in message) == (FAILS, False)


def test_a_framework_that_a_shared_file_sets_tells_who_an_image_of_the_sdk_runs_as() -> None:
    for framework, expected in (("net7.0", FAILS), ("net8.0", HOLDS)):
        shared = f"<Project><PropertyGroup><TargetFramework>{framework}</TargetFramework></PropertyGroup></Project>"
        ((found, _),) = of_worker("", **{"src/Directory.Build.props": shared})
        assert found is expected


def test_a_base_for_builds_is_told_that_a_user_may_break_them() -> None:
    (found,) = findings(
        "image-user", {"sdk-base.Dockerfile": "FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY a.props .\n"}
    )
    assert found.fix is not None
    assert "where only other builds stand on it" in found.fix.advice


ON_ITS_BASE = f'FROM contoso/sdk AS build\nRUN dotnet publish\nFROM {ASPNET}:8.0\nUSER app\nENTRYPOINT ["./a"]\n'


@pytest.mark.parametrize(
    ("base", "service", "expected"),
    [
        ("RUN apt-get install -y nodejs", "image: contoso/sdk", UNKNOWN),
        ("RUN apt-get install -y nodejs\nENV PATH=/root/.dotnet/tools", "image: 'contoso/sdk:latest'", UNKNOWN),
        ("RUN apt-get install -y nodejs", "image: contoso/other", FAILS),
        ("RUN apt-get install -y nodejs", "image: contoso/sdk, command: dotnet watch", FAILS),
    ],
)
def test_what_compose_builds_for_others_here_to_stand_on_is_a_base(
    base: str, service: str, expected: Outcome
) -> None:
    files = {
        "Dockerfile.sdk": f"FROM mcr.microsoft.com/dotnet/sdk:8.0\n{base}\n",
        "app/Dockerfile": ON_ITS_BASE,
        "compose.yaml": f"services: {{sdk: {{{service}, build: {{context: ., dockerfile: Dockerfile.sdk}}}}}}\n",
    }
    assert outcomes("image-user", files) == [expected, HOLDS]


def test_a_base_for_builds_that_uses_roots_home_is_told_both() -> None:
    text = "FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY a.props .\nENV PATH=/root/.dotnet/tools\n"
    (found,) = findings("image-user", {"sdk-base.Dockerfile": text})
    assert found.fix is not None
    assert "line 3 uses /root" in found.fix.advice
    assert "where only other builds stand on it" in found.fix.advice


@pytest.mark.parametrize(
    ("folder", "runs", "expected"),
    [
        ("", "{using: docker, image: Dockerfile}", Outcome.NOT_APPLICABLE),
        ("", "{using: Docker, image: ./Dockerfile}", Outcome.NOT_APPLICABLE),
        ("tool/", "{using: docker, image: Dockerfile}", Outcome.NOT_APPLICABLE),
        ("", "{using: docker, image: other/Dockerfile}", Outcome.FAILS),
        ("", "{using: docker, image: 'docker://contoso/api'}", Outcome.FAILS),
        ("", "{using: node20, main: a.js}", Outcome.FAILS),
    ],
)
def test_an_action_that_runs_its_dockerfile_is_asked_for_no_user(folder: str, runs: str, expected: Outcome) -> None:
    text = 'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY . .\nENTRYPOINT ["dotnet", "a.dll"]\n'
    files = {f"{folder}action.yml": f"name: A\nruns: {runs}\n", f"{folder}Dockerfile": text}
    assert outcome("image-user", files) is expected


ACTION = "name: A\nruns: {using: docker, image: 'docker://ghcr.io/contoso/filter:latest'}\n"
PUBLISHED = "- run: dotnet publish /t:PublishContainer -p ContainerRegistry=ghcr.io"


@pytest.mark.parametrize(
    ("more", "steps", "expected"),
    [
        ("", f"{PUBLISHED} -p ContainerRepository=contoso/filter\n", Outcome.NOT_APPLICABLE),
        ("", f"{PUBLISHED} -p:ContainerRepository=contoso/filter src/A\n", Outcome.NOT_APPLICABLE),
        (
            "",
            f"{PUBLISHED} -p ContainerRepository=contoso/filter\n  working-directory: ./src/A\n",
            Outcome.NOT_APPLICABLE,
        ),
        ("<ContainerRepository>contoso/filter</ContainerRepository>", f"{PUBLISHED}\n", Outcome.NOT_APPLICABLE),
        ("", f"{PUBLISHED} -p ContainerRepository=contoso/filter src/B\n", FAILS),
        ("", f"{PUBLISHED} -p ContainerRepository=contoso/api\n", FAILS),
        ("", f"{PUBLISHED}\n", FAILS),
    ],
)
def test_a_project_that_is_published_for_an_action_is_asked_for_no_user(
    more: str, steps: str, expected: Outcome
) -> None:
    project = PROJECT.replace(
        "<ContainerRepository>api</ContainerRepository>", "<ContainerUser>root</ContainerUser>"
    )
    text = project.format(framework="net10.0", more=more)
    files = {"src/A/A.csproj": text, "action.yml": ACTION, BUILD: workflow(steps)}
    assert outcome("image-user", files) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("filter", Outcome.NOT_APPLICABLE), ("api", FAILS), ("other-filter", FAILS)]
)
def test_a_dockerfile_that_is_pushed_for_an_action_is_asked_for_no_user(name: str, expected: Outcome) -> None:
    push = f"- uses: docker/build-push-action@v6\n  with: {{push: true, tags: 'ghcr.io/contoso/{name}:8'}}\n"
    text = f'FROM {ASPNET}:8.0\nCOPY . .\nENTRYPOINT ["dotnet", "a.dll"]\n'
    files = {"Dockerfile": text, "action.yml": ACTION, BUILD: workflow(push)}
    assert outcome("image-user", files) is expected


def test_an_image_that_compose_builds_to_run_tests_in_is_asked_for_no_user() -> None:
    files = {
        "Dockerfile": 'FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY . .\nENTRYPOINT ["dotnet", "test"]\n',
        "compose.yaml": "services: {e2e: {build: .}}\n",
    }
    assert outcomes("image-user", files) == [Outcome.NOT_APPLICABLE]


@pytest.mark.parametrize(("user", "expected"), [("shop", UNKNOWN), ("root", FAILS)])
@pytest.mark.parametrize("start", ["CMD supervisord -n", 'COPY docker/start.sh /\nENTRYPOINT ["/start.sh"]'])
def test_what_supervisord_runs_as_another_user_starts_as_root(user: str, expected: Outcome, start: str) -> None:
    files = {
        "Dockerfile": f"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n{start}\n",
        "docker/start.sh": "useradd shop\nexec supervisord -c /etc/supervisord.conf\n",
        "docker/supervisord.conf": f"[supervisord]\nuser=root\n[program:shop]\nuser={user}\n",
    }
    assert outcome("image-user", files) is expected
    assert tells_of_practices("docker/supervisord.conf")


@pytest.mark.parametrize(
    ("tag", "followed"),
    [
        ("6.0.400-1-alpine3.16-amd64", "6.0-alpine3.16-amd64"),
        ("3.1.416-1", "3.1"),
        ("8.0.11-jammy-chiseled", "8.0-jammy-chiseled"),
        ("8.0.11-nanoserver-1809", "8.0-nanoserver-1809"),
    ],
)
def test_the_number_of_a_patchs_rebuild_goes_with_the_patch(tag: str, followed: str) -> None:
    (found,) = findings("base-pinned", {"Dockerfile": f"FROM mcr.microsoft.com/dotnet/sdk:{tag}\n"})
    assert found.fix is not None
    assert found.fix.advice == f"write {followed}"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [UNKNOWN]),
        ({"README.md": "dotnet publish /t:PublishContainer\n"}, [FAILS]),
        (
            {"src/Properties/PublishProfiles/Prod.pubxml": "<PublishProfile>DefaultContainer</PublishProfile>"},
            [FAILS],
        ),
    ],
)
def test_a_project_beside_a_dockerfile_is_published_by_the_sdk_where_something_asks_for_it(
    more: dict[str, str], expected: list[Outcome]
) -> None:
    project = PROJECT.replace("<EnableSdkContainerSupport>true</EnableSdkContainerSupport>", "")
    files = {
        "src/Api.csproj": project.format(framework="net7.0", more=""),
        "src/Dockerfile": f"FROM {ASPNET}:8.0\nUSER 1654\n",
        **more,
    }
    assert [
        each.outcome for each in findings("image-user", files) if each.place.path == "src/Api.csproj"
    ] == expected


def test_a_project_that_asks_for_a_container_itself_is_published_beside_a_dockerfile_too() -> None:
    project = PROJECT.format(framework="net7.0", more="")
    files = {"src/Api.csproj": project, "src/Dockerfile": f"FROM {ASPNET}:8.0\nUSER 1654\n"}
    assert outcomes("image-user", files) == [FAILS, HOLDS]


@pytest.mark.parametrize(
    ("base", "user", "expected"),
    [
        ("FROM ubi9\nENV APP_UID=1001\n", "$APP_UID", HOLDS),
        (f"FROM {ASPNET}:8.0\n", "$APP_UID", HOLDS),
        ("FROM ubi9\nENV APP_UID=0\n", "${APP_UID}", FAILS),
        ("FROM ubi9\nARG APP_UID=1001\n", "$APP_UID", UNKNOWN),
        ("FROM ubi9\nARG ID=1001\nENV APP_UID=$ID\n", "$APP_UID", HOLDS),
        (f"FROM {ASPNET}:6.0\n", "$APP_UID", UNKNOWN),
    ],
)
def test_a_variable_of_user_may_be_one_of_the_base_that_is_built_here(
    base: str, user: str, expected: Outcome
) -> None:
    files = {
        "base/Dockerfile": base,
        "build.sh": "docker build -t contoso/base base\n",
        "src/Dockerfile": f'FROM contoso/base\nUSER {user}\nENTRYPOINT ["dotnet", "a.dll"]\n',
    }
    (found,) = [each for each in findings("image-user", files) if each.place.path == "src/Dockerfile"]
    assert found.outcome is expected


def test_a_user_that_no_arg_names_is_settled_by_its_base() -> None:
    (found,) = findings("image-user", {"Dockerfile": "FROM contoso/base:8\nUSER $APP_UID\n"})
    assert (found.outcome, found.settled_by) == (UNKNOWN, "what its base sets that to, or a number")


BY_PLAIN_NAME = "build:\n\tdocker build --tag contoso/base base\n"
BY_VARIABLES = "SERVICES := base web\nbuild:\n\t@$(foreach S, $(SERVICES), docker build --tag $(REPO)/$(S) $(S);)\n"


@pytest.mark.parametrize(
    ("makefile", "expected"),
    [(BY_PLAIN_NAME, UNKNOWN), (BY_VARIABLES, UNKNOWN), (BY_VARIABLES.replace("base web", "web"), FAILS)],
)
def test_a_base_that_a_makefile_builds_need_not_come_from_a_registry(makefile: str, expected: Outcome) -> None:
    files = {
        "Makefile": makefile,
        "base/Dockerfile": "FROM debian:bookworm-slim\n",
        "web/Dockerfile": "FROM contoso/base:latest\n",
    }
    (found,) = [each for each in findings("base-pinned", files) if each.place.path == "web/Dockerfile"]
    assert found.outcome is expected


def test_a_package_alone_beside_a_dockerfile_tells_of_no_image_of_the_sdk() -> None:
    project = (
        '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net6.0</TargetFramework>'
        "<ContainerImageName>shop</ContainerImageName></PropertyGroup><ItemGroup>"
        '<PackageReference Include="Microsoft.NET.Build.Containers" Version="7.0.400" /></ItemGroup></Project>'
    )
    files = {"src/Shop.csproj": project, "src/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:10.0\nUSER app\n"}
    (found,) = (each for each in findings("image-user", files) if each.place.path == "src/Shop.csproj")
    assert (found.outcome, found.settled_by) == (Outcome.UNKNOWN, "what builds the image")


@pytest.mark.parametrize(
    ("image", "day"),
    [
        ("mcr.microsoft.com/dotnet/aspnet:6.0", "2024-11-12"),
        ("mcr.microsoft.com/dotnet/core/sdk:3.1", "2022-12-13"),
        ("mcr.microsoft.com/dotnet/runtime:7.0-alpine", "2024-05-14"),
        ("mcr.microsoft.com/dotnet/aspnet:10.0", ""),
        ("mcr.microsoft.com/dotnet/monitor:6.0", ""),
    ],
)
def test_a_version_without_fixes_is_told_with_its_end(image: str, day: str) -> None:
    (found,) = findings("base-pinned", {"Dockerfile": f"FROM {image}\n"})
    assert found.outcome is HOLDS
    assert found.message.endswith(f", with fixes until {day}" if day else image.rpartition(":")[2])


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("prepare() {\n  su -s /bin/bash -c 'wineboot -u' wine\n}\nprepare\nexec dotnet Shop.dll\n", FAILS),
        ('if [ "$(id -u)" = 0 ]; then\n  exec gosu app "$0" "$@"\nfi\nexec dotnet Shop.dll\n', UNKNOWN),
        ('gosu app "$0" "$@"\nexec dotnet Shop.dll\n', UNKNOWN),
        ("exec su app -c 'dotnet Shop.dll'\n", UNKNOWN),
        ('su app -c prepare\nexec "$@"\n', UNKNOWN),
    ],
)
def test_a_script_drops_rights_where_it_starts_its_program_as_another_user(script: str, expected: Outcome) -> None:
    files = {"Dockerfile": 'FROM debian:13\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n', "start.sh": script}
    assert outcome("image-user", files) is expected


@pytest.mark.parametrize(("ports", "is_asked"), [("2015 2016/tcp", False), ("80 2015", True), ("", True)])
def test_a_server_whose_own_configuration_has_high_ports_is_not_asked_for_these(
    ports: str, *, is_asked: bool
) -> None:
    expose = f"EXPOSE {ports}\n" if ports else ""
    files = {"Dockerfile": f"FROM caddy:2\nCOPY Caddyfile /etc/caddy/Caddyfile\n{expose}"}
    (found,) = findings("image-user", files)
    assert found.fix is not None
    assert ("ports from 1024 on" in found.fix.advice) is is_asked
    assert "name a UID above 0" in found.fix.advice
