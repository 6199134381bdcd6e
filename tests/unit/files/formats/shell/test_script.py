"""Command lines: which builds they ask for, and which bases they name."""

from collections.abc import Callable
from time import thread_time
from typing import Any

import pytest
import tree_sitter
from hypothesis import given

from bot.domain.repositories.usage import Findings
from bot.files.formats.builds import Builds, DotnetPublish
from bot.files.formats.shell import finder as shell
from bot.files.formats.shell import syntax
from bot.files.formats.shell.commands import commands
from bot.files.formats.source.spanned import Spanned
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim


def find(text: str) -> Findings:
    findings = shell.find("build.sh", text)
    spans_cover_what_they_claim(text, findings)
    return findings


def asked(text: str) -> Builds:
    return shell.builds("eng/build.sh", text)


def builds(text: str) -> list[tuple[str, dict[str, str]]]:
    return [(each.dockerfiles[0], {arg.name: arg.value.text for arg in each.args}) for each in asked(text).docker]


def publish(text: str) -> DotnetPublish:
    [only] = asked(text).dotnet
    return only


@pytest.mark.parametrize(
    ("line", "dockerfile"),
    [
        ("docker build .", "Dockerfile"),
        ("docker build src/api", "src/api/Dockerfile"),
        ("docker build -f src/api/Dockerfile.alpine .", "src/api/Dockerfile.alpine"),
        ("docker buildx build --push --platform linux/amd64 --file=build/Dockerfile ..", "build/Dockerfile"),
        ("docker --context x image build -t app:1 --pull src", "src/Dockerfile"),
        ("sudo podman build -fContainerfile .", "Containerfile"),
        ("sudo -E -u build docker build -fContainerfile .", "Containerfile"),
        ("env -u TOKEN TAG=1 docker build -fContainerfile .", "Containerfile"),
        ("az acr build --registry r --image app:1 --file src/Dockerfile .", "src/Dockerfile"),
        ('cd "$(dirname "$0")/.." && docker build api', "api/Dockerfile"),
        (
            'ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)\ndocker build -f "$ROOT/Dockerfile" x',
            "eng/Dockerfile",
        ),
        ("docker build $PSScriptRoot/api", "eng/api/Dockerfile"),
        ("cd src && docker build api", "src/api/Dockerfile"),
        ("if true; then docker build -t x .; fi", "Dockerfile"),
        ("for x in a b; do\n  docker build .\ndone", "Dockerfile"),
        ("docker build `\n  -f src\\Dockerfile .", "src/Dockerfile"),
        ("docker build \\\r\n  -f a/Dockerfile .\r\n", "a/Dockerfile"),
    ],
)
def test_a_build_is_of_the_dockerfile_that_docker_would_take(line: str, dockerfile: str) -> None:
    assert [name for name, _ in builds(line)] == [dockerfile]


@pytest.mark.parametrize(
    "line",
    [
        "docker run x build",
        "docker compose build",
        "docker build $FOLDER",
        "docker build https://example.com/x.git",
        "docker build ../../elsewhere",
        "cd $FOLDER && docker build .",
        "docker build /src",
        "echo docker build .",
        "dotnet docker build",
        "docker build",
    ],
)
def test_what_is_no_build_or_of_something_that_cannot_be_told_is_none(line: str) -> None:
    assert builds(line) == []


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("docker build --build-arg V=8.0 .", "8.0"),
        ("docker build --build-arg=V=8.0 .", "8.0"),
        ("docker build --build-arg 'V=8.0' .", "8.0"),
        ('docker build --build-arg "V=8.0" .', "8.0"),
        ('T=8.0\ndocker build --build-arg "V=$T" .', "8.0"),
        ("export T=8.0\ndocker build --build-arg V=${T}-alpine .", "8.0-alpine"),
        ("docker build --build-arg V=${T:-8.0} .", "8.0"),
    ],
)
def test_build_arguments_are_told_where_they_are_written_out(script: str, value: str) -> None:
    [build] = asked(script).docker
    [argument] = build.args
    written = argument.value
    assert (argument.name, written.text) == ("V", value)
    assert all(script[place] == char for place, char in zip(written.places, value, strict=True))


@pytest.mark.parametrize("word", ["V=$T", "V=$(cat version)", "V", "V=$1"])
def test_what_only_a_shell_knows_is_no_value(word: str) -> None:
    assert builds(f"docker build --build-arg {word} .")[-1:] == [("Dockerfile", {})]


def test_a_variable_that_is_set_twice_is_not_known() -> None:
    assert builds("T=1\nT=2\ndocker build --build-arg V=$T .") == [("Dockerfile", {})]


def test_a_publish_tells_its_project_and_properties() -> None:
    text = (
        "dotnet publish src/Api/Api.csproj -c Release /t:PublishContainer -p:ContainerFamily=alpine "
        '--property:A="b" -p:X=1 -p:Z=$Z --os linux -a arm64 -o out\n'
    )
    found = publish(text)
    assert (found.target, found.is_container, found.os, found.architecture) == (
        "src/Api/Api.csproj",
        True,
        "linux",
        "arm64",
    )
    assert {name: value.text for name, value in found.properties} == {
        "Configuration": "Release",
        "ContainerFamily": "alpine",
        "A": "b",
        "X": "1",
    }
    assert found.undecided == ("Z",)


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("dotnet publish -t:PublishContainer", ""),
        ("dotnet publish $PROJECT", None),
        ("cd src/Api; dotnet publish --no-restore", "src/Api"),
        ("msbuild /t:PublishContainer App.sln", "App.sln"),
        ("dotnet publish -p:PublishProfile=DefaultContainer ./src", "src"),
    ],
)
def test_what_is_published_is_found_from_the_folder_on(line: str, target: str | None) -> None:
    assert publish(line).target == target


def test_other_commands_of_dotnet_publish_nothing() -> None:
    assert asked("dotnet test -p:A=b\ndotnet restore\n") == Builds()


def test_a_base_on_a_command_line_is_a_usage() -> None:
    text = "dotnet publish \\\n  -p:ContainerBaseImage='mcr.microsoft.com/dotnet/aspnet:9.0-alpine' # é\n"
    [usage] = find(text).usages
    assert (str(usage.reference), usage.line) == ("mcr.microsoft.com/dotnet/aspnet:9.0-alpine", 2)


@given(
    any_text(
        "docker build ",
        "--build-arg ",
        "dotnet publish ",
        "-p:ContainerBaseImage=",
        "X=",
        "$X",
        "$(x)",
        "<<EOF\n",
        "if ",
        "; then ",
        "cd ",
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    asked(text)
    asked(f"docker build --build-arg {text}")
    find(f"dotnet publish -p:ContainerBaseImage={text}")


@pytest.mark.parametrize("piece", ["$(", "${X:-", '"', "if x; then ", "docker build . && ", "X=$X\n", "<<E\n"])
def test_hostile_texts_cost_no_more_than_their_length(piece: str) -> None:
    # The first call loads the grammar.
    asked("docker build .")
    assert growth(lambda size: asked("docker build " + piece * (size // len(piece))), 8_000) < LINEAR


@pytest.mark.parametrize(
    "setting",
    [
        '$base = "a.example/x:1"',
        "$base='a.example/x:1';",
        '$base = "a.example/x:1"\r',
    ],
)
def test_a_variable_of_powershell_counts_where_it_is_set_once_to_a_text(setting: str) -> None:
    command = "dotnet publish src/Api -t:PublishContainer -p:ContainerBaseImage=$base\n"
    text = f"{setting}\n{command}"
    [usage] = find(text).usages
    assert (str(usage.reference), usage.line) == ("a.example/x:1", 1)
    assert find(f"{text}$base += '2'\n").usages == ()
    assert find(f'$base = "$other"\n{command}').usages == ()


@pytest.mark.parametrize("first", ["", '$base = "a.example/x:1"\r\n'])
def test_a_mark_of_utf8_before_the_first_command_does_not_hide_it(first: str) -> None:
    base = "$base" if first else "a.example/x:1"
    text = f"\ufeff{first}dotnet publish src/Api -t:PublishContainer -p:ContainerBaseImage={base}\r\n"
    [usage] = find(text).usages
    assert (str(usage.reference), usage.line) == ("a.example/x:1", 1)
    assert publish(text).is_container


POWERSHELL = """<# Builds (the image. #>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [ValidateSet("x)", "y")] [string] $Target,
    [string]$BaseTag = "10.0",  # of the base (see below
    [Parameter()][string] $Dockerfile = 'src/Dockerfile',
    [switch]$Push
)
docker build --build-arg TAG=$BaseTag -f $Dockerfile .
"""


def test_a_parameter_of_powershell_has_its_default() -> None:
    assert builds(POWERSHELL) == [("src/Dockerfile", {"TAG": "10.0"})]


def test_parameters_of_a_function_hide_no_command_before_it() -> None:
    text = "docker build a\nfunction Build {\n  param(\n    [string]$Name = 'b'\n  )\n  docker build $Name\n}\n"
    assert [dockerfile for dockerfile, _ in builds(text)] == ["a/Dockerfile", "b/Dockerfile"]


def test_a_parameter_that_is_set_again_is_not_known() -> None:
    assert builds(POWERSHELL.replace("docker build", '$BaseTag = "9.0"\ndocker build')) == [("src/Dockerfile", {})]


def test_the_default_of_a_parameter_is_the_place_to_change() -> None:
    text = "param([string]$Base = 'r.example.com/aspnet:10.0')\ndotnet publish -p:ContainerBaseImage=$Base\n"
    [usage] = find(text).usages
    assert (str(usage.reference), usage.line) == ("r.example.com/aspnet:10.0", 1)


@pytest.mark.parametrize("piece", ["(", '"', "'", "<#", "param(", "$a = ("])
def test_parameters_are_read_in_time_in_proportion(piece: str) -> None:
    text = "param({}\ndocker build $a"
    assert growth(lambda size: asked(text.format(piece * (size // len(piece)))), 8_000) < LINEAR


@pytest.mark.parametrize("piece", ["#", "# ", "<#", "<##>", "[", "[]", "using "])
def test_what_stands_before_parameters_is_read_in_time_in_proportion(piece: str) -> None:
    text = "{}\nx\nparam($a = 'x')\ndocker build $a"
    assert growth(lambda size: asked(text.format(piece * (size // len(piece)))), 8_000) < LINEAR


@pytest.mark.parametrize("unit", [")", "a=(", "${x%"])
def test_a_script_that_takes_far_longer_than_others_of_its_length_is_not_read(unit: str) -> None:
    """Read to the end, each of these takes many seconds."""
    text = f"docker build .\n{unit * (30_000 // len(unit))}\n"
    assert syntax.tree(text) is None
    assert commands(Spanned(text, range(len(text)))) == []


def test_a_long_script_of_the_usual_kind_is_read() -> None:
    text = 'if [ -n "$X" ]; then\n  docker build -t "${IMAGE}:${TAG:-1}" . || exit 1\nfi\n' * 1_000
    assert len(commands(Spanned(text, range(len(text))))) >= 1_000


def test_a_script_is_read_however_slow_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = tree_sitter.Parser(syntax._language())

    class Slow:
        def __init__(self, _: object) -> None:
            pass

        def parse(self, read: Callable[[int, Any], bytes], **callbacks: Any) -> tree_sitter.Tree:
            over_at = thread_time() + 0.2
            while thread_time() < over_at:
                pass
            return parser.parse(read, **callbacks)

    monkeypatch.setattr(tree_sitter, "Parser", Slow)
    assert syntax.tree("docker build .\n" * 100) is not None
