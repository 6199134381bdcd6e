"""CircleCI."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.circleci import finder as circleci
from bot.files.formats.finding import find_usages
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from bot.files.formats.table import kind_of
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

PATH = ".circleci/config.yml"
SDK = "mcr.microsoft.com/dotnet/sdk:8.0"


def find(text: str) -> Findings:
    findings = circleci.find(PATH, text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, Role, int]]:
    return [(str(usage.reference), usage.role, usage.line) for usage in find(text).usages]


@pytest.mark.parametrize("path", [PATH, ".circleci/continue-config.yaml", "src/.circleci/config.yml"])
def test_which_files_are_of_the_kind(path: str) -> None:
    assert kind_of(path) == "circleci"


def test_images_of_jobs_and_executors_count_and_those_beside_them_are_services() -> None:
    text = f"""
version: 2.1
executors:
  dotnet:
    docker:
      - image: {SDK}
jobs:
  test:
    docker:
      - image: 'cimg/base:2026.01'
      - image: postgres:17
    machine: {{image: "ubuntu-2404:current"}}
    steps: [checkout]
"""
    assert found(text) == [
        (SDK, Role.CONTAINER, 6),
        ("cimg/base:2026.01", Role.CONTAINER, 10),
        ("postgres:17", Role.SERVICE, 11),
    ]


def test_each_value_of_a_parameter_counts() -> None:
    text = """
version: 2.1
parameters:
  tool: {type: string, default: "tool:1"}
executors:
  dotnet:
    parameters: {tag: {type: string, default: "8.0"}}
    docker: [{image: "sdk:<< parameters.tag >>"}]
jobs:
  a: {executor: {name: dotnet, tag: "9.0"}, steps: [checkout]}
  b:
    parameters: {tag: {type: string}}
    docker: [{image: "run:<<parameters.tag>>"}, {image: "<< pipeline.parameters.tool >>"}]
workflows:
  all:
    jobs:
      - a
      - b: {matrix: {parameters: {tag: ["1.0", "2.0"]}}}
      - b: {tag: "3.0"}
"""
    names = [name for name, _, _ in found(text)]
    assert sorted(names) == ["run:1.0", "run:2.0", "run:3.0", "sdk:8.0", "sdk:9.0", "tool:1"]


def test_a_dotnet_image_with_a_parameter_without_a_value_is_told() -> None:
    text = b"jobs: {a: {docker: [{image: 'mcr.microsoft.com/dotnet/sdk:<< parameters.tag >>'}]}}\n"
    (problem,) = find_usages(PATH, text).problems
    assert "mcr.microsoft.com/dotnet/sdk is named" in problem.message


def test_commands_run_images_and_build() -> None:
    text = f"""
jobs:
  a:
    steps:
      - run: docker run --rm {SDK} dotnet test
      - when: {{condition: x, steps: [{{run: {{name: build, command: "docker build --build-arg B={SDK} ."}}}}]}}
"""
    files = (File(PATH, "1", text.encode()), File("Dockerfile", "2", b"ARG B\nFROM $B\n"))
    usages = read_files(files, Memory())[0].usages
    assert [(usage.line, usage.role) for usage in usages] == [(5, Role.CONTAINER), (6, Role.FINAL_STAGE)]


def test_a_broken_file_is_one_problem() -> None:
    assert len(find("image: [\n").problems) == 1


@given(
    any_text(
        "docker: [{image: ",
        "jobs:\n  a:\n    ",
        "<< parameters.a >>",
        "run: docker run ",
        "parameters: {a: {default: ",
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f"jobs: {{a: {{parameters: {{a: {{default: {text}}}}}, docker: [{{image: 'x:<< parameters.a >>'}}]}}}}\n")
