"""Solution files, and command lines that publish one."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Role
from bot.files.formats.dotnet.solution_files import projects_in
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from tests.unit.files.formats.laws import any_text

WEB = """<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>
<TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>"""
LIBRARY = WEB.replace("Microsoft.NET.Sdk.Web", "Microsoft.NET.Sdk")
TESTS = WEB.replace("<PropertyGroup>", "<PropertyGroup><IsTestProject>true</IsTestProject>")
LINES = """Microsoft Visual Studio Solution File, Format Version 12.00
Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "Api", "src\\Api\\Api.csproj", "{1}"
EndProject
Project("{2150E333-8FDC-42A3-9474-1A3956D46DE8}") = "tests", "tests", "{2}"
EndProject
Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "Web", "src\\Web\\Web.csproj", "{3}"
EndProject
"""
XML = """<Solution><Folder Name="/src/"><Project Path="src/Api/Api.csproj" /></Folder>
<Project Path="src\\Web\\Web.csproj"><BuildType Project="Debug" /></Project>
<Project Path="db.sqlproj" /></Solution>"""
FILTER = r'{"solution": {"path": "..\\Shop.sln", "projects": ["src\\Api\\Api.csproj"]}}'
FILES = {
    "Shop.sln": LINES,
    "src/Api/Api.csproj": WEB,
    "src/Web/Web.csproj": WEB,
    "src/Other/Other.csproj": WEB,
}


def images(command: str, files: dict[str, str]) -> dict[str, str]:
    """The implicit bases that a script with `command` leads to, by project."""
    texts = {**files, "build.sh": command}
    found, _ = read_files([File(path, path, text.encode()) for path, text in texts.items()], Memory())
    assert {usage.role for usage in found.usages} <= {Role.IMPLICIT_BASE}
    return {usage.path: str(usage.reference.tag) for usage in found.usages}


@pytest.mark.parametrize(
    ("path", "text", "projects"),
    [
        ("Shop.sln", LINES, ("src/Api/Api.csproj", "src/Web/Web.csproj")),
        ("all/Shop.slnx", XML, ("all/src/Api/Api.csproj", "all/src/Web/Web.csproj")),
        ("build/Api.slnf", FILTER, ("src/Api/Api.csproj",)),
        ("Shop.slnx", "<Solution>", ()),
        ("Shop.slnf", "[]", ()),
        ("Shop.slnf", "{", ()),
        ("Shop.sln", "", ()),
    ],
)
def test_a_solution_names_its_projects_from_the_root_on(path: str, text: str, projects: tuple[str, ...]) -> None:
    assert projects_in(path, text) == projects


@pytest.mark.parametrize("target", ["Shop.sln", "Shop.slnx", ".", ""])
def test_publishing_a_solution_publishes_each_of_its_projects(target: str) -> None:
    files = dict(FILES)
    if target == "Shop.slnx":
        files["Shop.slnx"] = XML
    command = f"dotnet publish {target} -t:PublishContainer -p:ContainerFamily=alpine"
    assert images(command, files) == {"src/Api/Api.csproj": "9.0-alpine", "src/Web/Web.csproj": "9.0-alpine"}


def test_of_a_solution_only_what_runs_in_production_becomes_an_image() -> None:
    files = {**FILES, "src/Api/Api.csproj": LIBRARY, "src/Web/Web.csproj": TESTS}
    assert images("dotnet publish Shop.sln /t:PublishContainer", files) == {}
    assert images("dotnet publish src/Web /t:PublishContainer", files) == {"src/Web/Web.csproj": "9.0"}


@pytest.mark.parametrize(
    ("beside", "projects"),
    [
        ({"Api.sln": LINES.replace("src\\Api\\", ""), "Api.csproj": WEB}, {"Api.csproj": "9.0"}),
        ({"Other.sln": LINES.replace("src\\Api\\", ""), "Api.csproj": WEB}, {}),
        ({"One.sln": LINES.replace("src\\Api\\", ""), "Two.sln": LINES}, {}),
    ],
)
def test_a_folder_with_several_candidates_is_published_where_msbuild_would_choose(
    beside: dict[str, str], projects: dict[str, str]
) -> None:
    assert images("dotnet publish -t:PublishContainer", beside) == projects


@given(
    any_text('Project("{}") = "a", "b.csproj"', '<Solution><Project Path="', '{"solution": {"projects": [', "\n")
)
def test_no_text_raises(text: str) -> None:
    for ending in (".sln", ".slnx", ".slnf"):
        projects_in(f"a{ending}", text)
