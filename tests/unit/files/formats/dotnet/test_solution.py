"""Projects of a repository read together: AppHosts, azd, and ASP.NET through project references."""

from collections.abc import Mapping

import pytest

from bot.domain.repositories.usage import Findings, Role, Usage
from bot.files.formats.dotnet import aspnet
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files

FRAMEWORK_8 = "<PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup>"
WEB = f'<Project Sdk="Microsoft.NET.Sdk.Web">{FRAMEWORK_8}</Project>'


def library(items: str = "", properties: str = "") -> str:
    group = f"<PropertyGroup><TargetFramework>net8.0</TargetFramework>{properties}</PropertyGroup>"
    return f'<Project Sdk="Microsoft.NET.Sdk">{group}<ItemGroup>{items}</ItemGroup></Project>'


def console(items: str = "", properties: str = "") -> str:
    return library(items, f"<OutputType>Exe</OutputType><ContainerRepository>app</ContainerRepository>{properties}")


def to(path: str, more: str = "") -> str:
    return f'<ProjectReference Include="{path}" {more}/>'


def read(files: Mapping[str, str]) -> Findings:
    return read_files([File(path, path, text.encode()) for path, text in files.items()], Memory())[0]


def implied(findings: Findings) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for usage in findings.usages:
        if usage.role is Role.IMPLICIT_BASE:
            found.setdefault(usage.path, []).append(usage.reference.base.short)
    return found


def host(*references: str, sdk: str = "Aspire.AppHost.Sdk/13.0.0", properties: str = "") -> str:
    items = "".join(references)
    group = f"<PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net8.0</TargetFramework>{properties}"
    return f'<Project Sdk="{sdk}">{group}</PropertyGroup><ItemGroup>{items}</ItemGroup></Project>'


API = to(r"..\Api\Api.csproj")
FILES = {"Host/Host.csproj": host(API), "Api/Api.csproj": WEB}


# AppHosts


@pytest.mark.parametrize(
    "call",
    [
        'AddProject("api", "../Api/Api.csproj")',
        r'AddProject("api", @"..\Api\Api.csproj")',
        'AddProject(name: "api", projectPath: "../Api/Api.csproj")',
        'AddCSharpApp("api", "../Api")',
    ],
)
def test_an_app_host_publishes_what_its_code_adds_by_a_path(call: str) -> None:
    files = {**FILES, "Host/Host.csproj": host(), "Host/Resources/Api.cs": f"builder.{call};\n"}
    found = read(files)
    assert (implied(found), found.problems) == ({"Api/Api.csproj": ["aspnet:8.0"]}, ())
    alone = {"apphost/apphost.cs": f"#:sdk Aspire.AppHost.Sdk@13.0.0\nbuilder.{call};\n", "Api/Api.csproj": WEB}
    assert implied(read(alone)) == {"Api/Api.csproj": ["aspnet:8.0"]}


def test_a_project_that_code_adds_and_nobody_has_is_told() -> None:
    added = 'builder.AddProject("api", "../../elsewhere/Api.csproj");\n'
    [problem] = read({"Host/Host.csproj": host(), "Host/AppHost.cs": added}).problems
    assert "Api.csproj is not in this repository" in problem.message


@pytest.mark.parametrize(
    "call",
    ['AddProject<Projects.Api>("api", "https")', 'AddCSharpApp("api", "../Api/api.cs")', 'AddProject("api", path)'],
)
def test_a_launch_profile_a_c_sharp_file_and_a_variable_add_no_project(call: str) -> None:
    found = read({**FILES, "Host/Host.csproj": host(), "Host/AppHost.cs": f'builder.{call}; // "x.csproj"\n'})
    assert implied(found) == {}


@pytest.mark.parametrize(
    "app_host",
    [
        host(API),
        host(API, sdk="Microsoft.NET.Sdk", properties="<IsAspireHost>true</IsAspireHost>"),
        host(API, sdk="Microsoft.NET.Sdk").replace("<ItemGroup>", '<Sdk Name="Aspire.AppHost.Sdk" /><ItemGroup>'),
        host(API, '<PackageReference Include="Aspire.AppHost.Sdk" Version="9.0.0" />', sdk="Microsoft.NET.Sdk"),
        host(to("../**/*.csproj")),
        host(to("$(Services)/Api.csproj"), properties="<Services>../Api</Services>"),
    ],
)
def test_a_project_that_an_app_host_references_is_a_container(app_host: str) -> None:
    found = read({**FILES, "Host/Host.csproj": app_host})
    assert implied(found) == {"Api/Api.csproj": ["aspnet:8.0"]}
    [usage] = found.usages
    assert usage.fixed_because == (
        "dotnet publish chooses this base for Host/Host.csproj; a rebuild takes the current one"
    )
    assert found.problems == ()


@pytest.mark.parametrize(
    "reference",
    [
        to(r"..\Api\Api.csproj", 'IsAspireProjectResource="false"'),
        to(r"..\Api\Api.csproj", 'IsAspireProjectResource="False"'),
        '<ProjectReference Include="../Api/Api.csproj"><IsAspireProjectResource>false</IsAspireProjectResource>'
        "</ProjectReference>",
        to("../Api/Api.csproj") + '<ProjectReference Remove="../Api/Api.csproj" />',
        to("../Api/Api.csproj") + '<ProjectReference Update="../Api/Api.csproj" IsAspireProjectResource="false" />',
    ],
)
def test_a_reference_that_is_no_resource_is_none_and_the_app_host_is_told(reference: str) -> None:
    found = read({**FILES, "Host/Host.csproj": host(reference)})
    assert found.usages == ()
    assert [(problem.path, problem.message) for problem in found.problems] == [
        ("Host/Host.csproj", "an Aspire AppHost that references no project which it publishes as a container")
    ]


@pytest.mark.parametrize(
    ("project", "why"),
    [
        (library(), "Api.csproj is no executable"),
        (
            WEB.replace("</PropertyGroup>", "<IsPublishable>false</IsPublishable></PropertyGroup>"),
            "Api.csproj says itself that it is not published",
        ),
        (
            WEB.replace("net8.0", "net8.0-windows"),
            "Api.csproj is built for net8.0-windows, which runs in no Linux container",
        ),
        (
            console('<PackageReference Include="Microsoft.Azure.Functions.Worker.Sdk" />').replace(
                "<ContainerRepository>app</ContainerRepository>", ""
            ),
            "Api.csproj stands on a base that the Azure Functions SDK chooses, which is not followed",
        ),
        ("<Project", "Api.csproj cannot be read as a project that is published"),
    ],
)
def test_a_resource_that_gives_no_container_is_told(project: str, why: str) -> None:
    found = read({**FILES, "Api/Api.csproj": project})
    assert implied(found) == {}
    assert f"an Aspire AppHost, of whose projects 1 not followed: {why}" in [
        each.message for each in found.problems
    ]


def test_a_resource_outside_the_repository_is_told() -> None:
    found = read({"Host/Host.csproj": host(to("../../Other/Other.csproj"))})
    assert found.problems[0].message.endswith("1 not followed: Other.csproj is not in this repository")


def test_an_app_host_of_tests_publishes_nothing_and_is_told() -> None:
    text = host(API, properties="<IsTestProject>true</IsTestProject>")
    found = read({**FILES, "Host/Host.csproj": text})
    assert implied(found) == {}
    assert [problem.message for problem in found.problems] == [
        "1 Aspire AppHost in Host left out, a test project: what it references is not taken for published"
    ]


SAMPLES = {f"samples/{path}": text for path, text in FILES.items()} | {"samples/Two/Two.csproj": host(API)}


def test_app_hosts_of_samples_that_nothing_delivers_publish_nothing_and_are_counted_once() -> None:
    found = read(SAMPLES)
    assert implied(found) == {}
    assert [(problem.path, problem.message) for problem in found.problems] == [
        (
            "samples/Host/Host.csproj",
            "2 Aspire AppHosts in samples left out, by its name, and nothing delivers from there: "
            "what they reference is not taken for published",
        )
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "azure.yaml",
            "name: shop\nservices:\n  app:\n    project: samples/Host\n    language: dotnet\n    host: aca\n",
        ),
        (".github/workflows/deploy.yml", "jobs: {a: {steps: [{run: aspire deploy --project samples/Host}]}}\n"),
    ],
)
def test_an_app_host_of_samples_that_something_deploys_is_followed(path: str, text: str) -> None:
    assert implied(read({**SAMPLES, path: text})) == {"samples/Api/Api.csproj": ["aspnet:8.0"]}


def test_an_app_host_in_a_folder_that_only_sounds_like_samples_is_followed() -> None:
    files = {f"samples-shop/{path}": text for path, text in FILES.items()}
    assert implied(read(files)) == {"samples-shop/Api/Api.csproj": ["aspnet:8.0"]}


def test_an_app_host_that_cannot_be_read_is_told() -> None:
    [problem] = read({**FILES, "Host/Host.csproj": host(API) + "<"}).problems
    assert problem.message.startswith("an Aspire AppHost that is not read: the file is not valid XML")


def test_an_app_host_may_be_one_file_of_csharp() -> None:
    text = "#:sdk Aspire.AppHost.Sdk@13.0.0\n#:project ../Api/Api.csproj\nvar b = 1;\n"
    assert implied(read({"Host/apphost.cs": text, "Api/Api.csproj": WEB})) == {"Api/Api.csproj": ["aspnet:8.0"]}


def test_the_csharp_beside_an_app_host_names_images_and_other_csharp_does_not() -> None:
    code = 'b.AddContainer("c", "x/y", "1");'
    found = read(
        {**FILES, "Shop.AppHost/Shop.csproj": host(), "Shop.AppHost/a/P.cs": code, "AppHost.Tests/P.cs": code}
    )
    assert [(usage.path, str(usage.reference)) for usage in found.usages if usage.role is Role.IMAGE] == [
        ("Shop.AppHost/a/P.cs", "x/y:1")
    ]


def test_a_resource_that_names_its_base_has_no_implicit_one() -> None:
    named = WEB.replace("</PropertyGroup>", "<ContainerBaseImage>x/y:1</ContainerBaseImage></PropertyGroup>")
    found = read({**FILES, "Api/Api.csproj": named})
    assert [str(usage.reference) for usage in found.usages] == ["x/y:1"]


# azd

AZURE = "services:\n  api:\n    project: ./Api\n    language: dotnet\n    host: containerapp\n"


def test_a_service_of_azd_is_a_container() -> None:
    found = read({"azure.yaml": AZURE, "Api/Api.csproj": WEB})
    assert implied(found) == {"Api/Api.csproj": ["aspnet:8.0"]}


def test_a_service_of_azd_with_a_dockerfile_is_built_from_that() -> None:
    found = read({"azure.yaml": AZURE, "Api/Api.csproj": WEB, "Api/Dockerfile": "FROM x/y:1\n"})
    assert implied(found) == {}


def test_a_service_of_azd_that_is_an_app_host_is_none_itself() -> None:
    found = read({**FILES, "azure.yaml": AZURE.replace("./Api", "./Host")})
    assert implied(found) == {"Api/Api.csproj": ["aspnet:8.0"]}


def test_a_service_of_azd_without_a_project_is_told() -> None:
    [problem] = read({"azure.yaml": AZURE}).problems
    assert (problem.path, problem.line, problem.message) == ("azure.yaml", 3, "there is no .NET project at Api")


# ASP.NET through references: what flows by the .NET SDK's and NuGet's documented rules

FRAMEWORK = '<FrameworkReference Include="Microsoft.AspNetCore.App" {more}/>'
ASPNET = library(FRAMEWORK.format(more=""))


@pytest.mark.parametrize(
    ("files", "bases"),
    [
        # https://learn.microsoft.com/aspnet/core/fundamentals/target-aspnetcore: libraries use the shared framework
        ({"A.csproj": console(to("B.csproj")), "B.csproj": ASPNET}, ["aspnet:8.0"]),
        ({"A.csproj": console(to("B.csproj")), "B.csproj": WEB}, ["aspnet:8.0"]),
        ({"A.csproj": console(to("B.csproj")), "B.csproj": library()}, ["runtime:8.0"]),
        (
            {"A.csproj": console(to("B.csproj")), "B.csproj": library(to("C.csproj")), "C.csproj": ASPNET},
            ["aspnet:8.0"],
        ),
        (
            {"A.csproj": console(to("B.csproj")), "B.csproj": library(to("A.csproj"))},
            ["runtime:8.0"],
        ),
        # https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files: PrivateAssets
        (
            {
                "A.csproj": console(to("B.csproj")),
                "B.csproj": library(FRAMEWORK.format(more='PrivateAssets="all"')),
            },
            ["runtime:8.0"],
        ),
        (
            {
                "A.csproj": console(to("B.csproj")),
                "B.csproj": library(to("C.csproj", 'PrivateAssets="all"')),
                "C.csproj": ASPNET,
            },
            ["runtime:8.0"],
        ),
        ({"A.csproj": console(to("B.csproj", 'PrivateAssets="all"')), "B.csproj": ASPNET}, ["aspnet:8.0"]),
        # https://learn.microsoft.com/visualstudio/msbuild/common-msbuild-project-items: ReferenceOutputAssembly
        (
            {"A.csproj": console(to("B.csproj", 'ReferenceOutputAssembly="false"')), "B.csproj": ASPNET},
            ["runtime:8.0"],
        ),
        # ResolvePackageAssets in dotnet/sdk
        (
            {
                "A.csproj": console(
                    to("B.csproj"),
                    "<DisableTransitiveFrameworkReferences>true</DisableTransitiveFrameworkReferences>",
                ),
                "B.csproj": ASPNET,
            },
            ["runtime:8.0"],
        ),
        ({"A.csproj": console(to("B.esproj"))}, ["runtime:8.0"]),
        # an answer that needs none of the references
        (
            {"A.csproj": console(to("../Other/B.csproj"), "<SelfContained>true</SelfContained>")},
            ["runtime-deps:8.0"],
        ),
        ({"A.csproj": console(to("../Other/B.csproj") + FRAMEWORK.format(more=""))}, ["aspnet:8.0"]),
        ({"A.csproj": console(to("../Other/B.csproj") + to("B.csproj")), "B.csproj": ASPNET}, ["aspnet:8.0"]),
    ],
)
def test_aspnet_comes_through_references(files: dict[str, str], bases: list[str]) -> None:
    found = read(files)
    assert implied(found)["A.csproj"] == bases
    assert found.problems == ()


CONDITION = "Condition=\"'$(OS)' == 'Unix'\""


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"A.csproj": console(to("../Other/B.csproj"))}, "B.csproj is not in this repository"),
        (
            {"A.csproj": console(to("$(Other)/B.csproj"))},
            "$(Other)/B.csproj has a property in it that is not known here",
        ),
        (
            {"A.csproj": console(to("B.csproj", CONDITION)), "B.csproj": ASPNET},
            "whether B.csproj brings ASP.NET Core depends on a condition",
        ),
        (
            {"A.csproj": console(to("B.csproj")), "B.csproj": library(FRAMEWORK.format(more=CONDITION))},
            "whether B.csproj brings ASP.NET Core depends on a condition",
        ),
        ({"A.csproj": console(to("B.csproj")), "B.csproj": "<Project"}, "B.csproj cannot be read"),
        (
            {"A.csproj": console(FRAMEWORK.format(more=CONDITION))},
            "the reference to Microsoft.AspNetCore.App has a condition",
        ),
    ],
)
def test_an_open_question_leaves_both_candidates_and_is_told(files: dict[str, str], why: str) -> None:
    found = read(files)
    assert implied(found)["A.csproj"] == ["aspnet:8.0", "runtime:8.0"]
    messages = [problem.message for problem in found.problems if problem.path == "A.csproj"]
    assert messages == [
        f"the base that dotnet publish chooses is undecided: {why}; "
        "aspnet:8.0 and runtime:8.0 are followed, set ContainerBaseImage to name it"
    ]
    assert all(why in (usage.fixed_because or "") for usage in found.usages)


def test_the_build_for_the_same_framework_decides() -> None:
    several = (
        '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFrameworks>net8.0;net9.0</TargetFrameworks>'
        "</PropertyGroup><ItemGroup Condition=\"'$(TargetFramework)' == 'net9.0'\">"
        f"{FRAMEWORK.format(more='')}</ItemGroup></Project>"
    )
    assert implied(read({"A.csproj": console(to("B.csproj")), "B.csproj": several}))["A.csproj"] == ["runtime:8.0"]


# Bases whose parts stand in several files


def placed(findings: Findings) -> list[tuple[str, str, str]]:
    def named(usage: Usage) -> str:
        return str(usage.named_at)

    return [(usage.path, str(usage.reference), named(usage)) for usage in findings.usages]


NAMING = WEB.replace("</PropertyGroup>", "\n<ContainerBaseImage>x/y:$(V)</ContainerBaseImage></PropertyGroup>")
SETTING = "<Project><PropertyGroup><V>1</V></PropertyGroup></Project>"


def test_every_project_that_takes_the_property_is_a_usage_of_its_own() -> None:
    found = read({"Directory.Build.props": SETTING, "a/A.csproj": NAMING, "b/B.csproj": NAMING})
    assert placed(found) == [
        ("Directory.Build.props", "x/y:1", "a/A.csproj:2"),
        ("Directory.Build.props", "x/y:1", "b/B.csproj:2"),
    ]


def test_a_shared_file_that_names_a_base_takes_what_another_shared_file_sets() -> None:
    base = "<Project><PropertyGroup><ContainerBaseImage>x/y:$(V)</ContainerBaseImage></PropertyGroup></Project>"
    found = read(
        {"Directory.Build.targets": base, "Directory.Build.props": SETTING, "a/A.csproj": WEB, "b/B.csproj": WEB}
    )
    assert placed(found) == [("Directory.Build.props", "x/y:1", "Directory.Build.targets:1")]
    assert found.problems == ()


def test_a_marker_stands_above_the_property_in_its_file() -> None:
    digest = "sha256:" + "a" * 64
    marked = f"<Project><PropertyGroup>\n<!-- base-digest: {digest} -->\n<V>1</V></PropertyGroup></Project>"
    found = read({"Directory.Build.props": marked, "a/A.csproj": NAMING})
    assert [usage.marker for usage in found.usages] == [digest]


def test_projects_that_all_reference_each_other_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aspnet, "MOST_REFERENCES", 2_000)
    everybody = "".join(to(f"{number}.csproj") for number in range(50))
    files = {f"{number}.csproj": console(everybody) for number in range(50)}
    found = read(files)
    assert {base for bases in implied(found).values() for base in bases} == {"aspnet:8.0", "runtime:8.0"}
    assert "too many references to follow" in found.problems[0].message
