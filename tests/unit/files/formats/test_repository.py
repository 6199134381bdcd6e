"""The files of one repository, read together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from bot.domain.repositories.usage import Findings, Kind, Role, Usage
from bot.files.formats import finding
from bot.files.formats.compose.recognizing import is_compose_file
from bot.files.formats.dotnet import solution
from bot.files.formats.finding import find_usages
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import images_of, read_files

FROM = b"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n"
PUBLISHED = b"""<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>
<TargetFramework>net10.0</TargetFramework><EnableSdkContainerSupport>true</EnableSdkContainerSupport>
</PropertyGroup></Project>"""
PLAIN = b"""<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>
<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>"""
SHARED = b"""<Project><PropertyGroup>
<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:10.0-alpine</ContainerBaseImage>
</PropertyGroup></Project>"""


def usages(*files: File, memory: Memory | None = None) -> list[Usage]:
    return list(read_files(files, memory or Memory())[0].usages)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that were parsed, each time one was."""
    seen: list[str] = []
    find = find_usages

    def counted(path: str, data: bytes, kind: Kind | None = None) -> Findings:
        seen.append(path)
        return find(path, data, kind)

    monkeypatch.setattr(finding, "find_usages", counted)
    return seen


def test_the_same_content_is_parsed_once_and_placed_where_it_stands(parsed: list[str]) -> None:
    memory = Memory()
    found = [
        usages(File(path, "1", FROM), memory=memory)[0].path
        for path in ("Dockerfile", "a/Dockerfile", "b/Dockerfile")
    ]
    assert found == ["Dockerfile", "a/Dockerfile", "b/Dockerfile"]
    assert parsed == ["Dockerfile"]


def test_threads_that_read_the_same_content_parse_it_once(parsed: list[str]) -> None:
    memory, together = Memory(), Barrier(4)

    def read(number: int) -> str:
        together.wait()
        return usages(File(f"{number}/Dockerfile", "1", FROM), memory=memory)[0].path

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [f"{number}/Dockerfile" for number in range(4)]
    assert len(parsed) == 1


def test_the_same_content_under_another_kind_of_name_is_another_thing() -> None:
    text = b"image: mcr.microsoft.com/dotnet/aspnet:10.0\n"
    memory = Memory()
    kinds = {
        path: [usage.kind for usage in usages(File(path, "1", text), memory=memory)]
        for path in ("values.yaml", "deploy/a.yaml")
    }
    assert kinds == {"values.yaml": ["helm-values"], "deploy/a.yaml": []}


def test_a_compose_file_is_read_whatever_a_script_or_a_workflow_calls_it() -> None:
    found = usages(
        File(
            "deploy/stack.production.yml", "1", b"services:\n  db: {image: 'postgres:16'}\n  web: {build: ../src}\n"
        ),
        File("deploy/up.sh", "2", b"docker compose -f deploy/stack.production.yml up -d\n"),
    )
    assert [(usage.kind, usage.path, str(usage.reference)) for usage in found] == [
        ("compose", "deploy/stack.production.yml", "postgres:16")
    ]


@pytest.mark.parametrize(
    ("beside", "is_compose"),
    [("kind: Service\n", False), ("- a\n", False), ("text\n", False), ("", True), ("# ours\n", True)],
)
def test_a_file_is_for_compose_where_each_of_its_documents_is(beside: str, is_compose: bool) -> None:
    compose = "services:\n  db: {image: 'postgres:16'}\n"
    for text in (f"{compose}---\n{beside}", f"{beside}---\n{compose}"):
        assert is_compose_file(text) is is_compose


def test_a_compose_file_of_another_name_hands_values_to_the_dockerfile_that_it_builds() -> None:
    [usage] = usages(
        File("eng/stack.yml", "1", b"services:\n  web:\n    build: {context: ../src, args: {TAG: '10.0'}}\n"),
        File("src/Dockerfile", "2", b"ARG TAG\nFROM mcr.microsoft.com/dotnet/aspnet:$TAG\n"),
    )
    assert (str(usage.reference), usage.path) == ("mcr.microsoft.com/dotnet/aspnet:10.0", "eng/stack.yml")


def test_what_azure_pipelines_of_another_name_run_in_and_build_is_found() -> None:
    pipeline = b"""trigger: [main]
pool: {vmImage: ubuntu-latest}
container: mcr.microsoft.com/dotnet/sdk:10.0
steps:
- script: docker build --build-arg TAG=10.0 -f src/Dockerfile .
"""
    found = usages(
        File("build/release.yml", "1", pipeline),
        File("src/Dockerfile", "2", b"ARG TAG\nFROM mcr.microsoft.com/dotnet/aspnet:$TAG\n"),
    )
    assert [(usage.path, usage.kind, str(usage.reference)) for usage in found] == [
        ("build/release.yml", "azure-pipelines", "mcr.microsoft.com/dotnet/sdk:10.0"),
        ("build/release.yml", "azure-pipelines", "mcr.microsoft.com/dotnet/aspnet:10.0"),
    ]


def test_an_image_that_a_compose_file_of_another_name_builds_is_named() -> None:
    text = b"services:\n  web: {image: 'registry.example.com/shop/web:1', build: ../src}\n"
    [[named], _] = images_of([File("deploy/stack.yml", "1", text)], Memory())
    assert (named.name, named.tag, named.built_from) == ("registry.example.com/shop/web", "1", ("src/Dockerfile",))


def test_usages_come_in_the_order_of_paths() -> None:
    found = usages(File("b/Dockerfile", "1", FROM), File("a/Dockerfile", "2", FROM + b"RUN x\n"))
    assert [usage.path for usage in found] == ["a/Dockerfile", "b/Dockerfile"]


def test_a_project_takes_its_base_from_the_properties_above_it() -> None:
    [usage] = [
        usage
        for usage in usages(File("Directory.Build.props", "1", SHARED), File("src/Api.csproj", "2", PUBLISHED))
        if usage.path == "Directory.Build.props"
    ]
    assert (usage.role, usage.reference.tag) == (Role.BASE_IMAGE, "10.0-alpine")


def test_a_change_of_shared_properties_changes_what_an_unchanged_project_tells() -> None:
    memory, project = Memory(), File("src/Api.csproj", "1", PLAIN)
    assert usages(project, memory=memory) == []
    switch = b"<EnableSdkContainerSupport>true</EnableSdkContainerSupport>"
    props = b"<Project><PropertyGroup>%s</PropertyGroup></Project>" % switch
    found = usages(File("Directory.Build.props", "2", props), project, memory=memory)
    assert [(usage.path, usage.role) for usage in found] == [("src/Api.csproj", Role.IMPLICIT_BASE)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Api.csproj", '<Import Project="../eng/containers.props" />'),
        ("Directory.Build.props", '<Import Project="../eng/containers.props" />'),
        ("Directory.Build.targets", '<Import Project="$(MSBuildThisFileDirectory)..\\eng\\containers.props" />'),
    ],
)
def test_a_project_takes_its_base_from_any_file_that_is_imported(path: str, line: str) -> None:
    texts = {
        "eng/containers.props": SHARED,
        "src/Api.csproj": PUBLISHED,
        "src/Directory.Build.props": b"<Project />",
        "src/Directory.Build.targets": b"<Project />",
    }
    texts[f"src/{path}"] = texts[f"src/{path}"].replace(b"<Project />", b"<Project></Project>")
    texts[f"src/{path}"] = texts[f"src/{path}"].replace(b"</Project>", line.encode() + b"</Project>")
    found = usages(*(File(name, name, text) for name, text in texts.items()))
    assert [(usage.path, usage.role) for usage in found] == [("eng/containers.props", Role.BASE_IMAGE)]


def test_a_marker_counts_in_a_project_beside_shared_files_too() -> None:
    digest = "sha256:" + "a" * 64
    text = SHARED.replace(b"<ContainerBase", b"<!-- base-digest: " + digest.encode() + b" -->\n<ContainerBase")
    for other in ([], [File("global.json", "1", b"{}")], [File("Directory.Build.props", "2", b"<Project />")]):
        [usage] = usages(File("src/Api.csproj", "3", text), *other)
        assert usage.marker == digest


def test_a_project_that_breaks_the_reading_is_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Findings:
        raise LookupError("of ours")

    monkeypatch.setattr(solution, "tell", broken)
    files = [
        File("global.json", "1", b"{}"),
        File("A.csproj", "2", PUBLISHED),
        File("Dockerfile", "3", FROM),
    ]
    found, _ = read_files(files, Memory())
    assert [(problem.path, "LookupError" in problem.message) for problem in found.problems] == [("A.csproj", True)]
    assert "Dockerfile" in [usage.path for usage in found.usages]


def test_binary_content_under_the_name_of_a_dockerfile_is_one_problem() -> None:
    found, _ = read_files([File("Dockerfile", "1", FROM + b"\0")], Memory())
    assert found.usages == ()
    assert "NUL" in found.problems[0].message


def test_only_workflows_where_github_looks_for_them_can_be_dispatched() -> None:
    text = b"on: workflow_dispatch\njobs: {}\n"
    paths = [".github/workflows/a.yml", ".github/workflows/old/b.yml", "copy/.github/workflows/c.yml"]
    _, workflows = read_files([File(path, "1", text) for path in paths], Memory())
    assert [workflow.path for workflow in workflows] == [".github/workflows/a.yml"]
