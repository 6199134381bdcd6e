"""GitLab CI."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.finding import find_usages, kind_in
from bot.files.formats.gitlab_ci import finder as gitlab_ci
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from bot.files.formats.table import kind_of
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

PATH = ".gitlab-ci.yml"
SDK = "mcr.microsoft.com/dotnet/sdk:8.0"


def find(text: str) -> Findings:
    findings = gitlab_ci.find(PATH, text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, Role, int]]:
    return [(str(usage.reference), usage.role, usage.line) for usage in find(text).usages]


@pytest.mark.parametrize(
    "path", [PATH, "ci/build.gitlab-ci.yml", ".gitlab/ci/build.yml", ".gitlab-ci/a.yaml", "gitlab-ci-release.yml"]
)
def test_which_files_are_of_the_kind(path: str) -> None:
    assert kind_of(path) == "gitlab-ci"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f".dotnet:\n  image: {SDK}\n  script: [dotnet build]\n", "gitlab-ci"),
        (f"build:\n  stage: build\n  script:\n    - docker run {SDK}\n", "gitlab-ci"),
        (f"script: [make]\nimage: {SDK}\n", "kubernetes"),
        (f"steps:\n  - script: docker run {SDK}\n    image: x\n", "kubernetes"),
        (f"apiVersion: v1\nspec:\n  script: x\n  image: {SDK}\n", "kubernetes"),
    ],
)
def test_a_file_of_any_name_is_told_by_its_jobs(text: str, kind: str) -> None:
    assert kind_in("templates/dotnet.yml", text.encode()) == kind


def test_images_and_services_of_the_file_of_defaults_and_of_jobs_count() -> None:
    text = f"""
image: {SDK}
default:
  image: {{name: "alpine:3.22", entrypoint: [""]}}
  services:
    - docker:28-dind
build:
  image:
    name: {SDK}
  services:
    - name: postgres:17
      alias: db
  script: [dotnet build]
"""
    assert found(text) == [
        (SDK, Role.CONTAINER, 2),
        ("alpine:3.22", Role.CONTAINER, 4),
        ("docker:28-dind", Role.SERVICE, 6),
        (SDK, Role.CONTAINER, 9),
        ("postgres:17", Role.SERVICE, 11),
    ]


@pytest.mark.parametrize(
    "image", ["$IMAGE", "${IMAGE}", "mcr.microsoft.com/dotnet/sdk:$V", "mcr.microsoft.com/dotnet/sdk:${V:-9.0}"]
)
def test_variables_that_the_file_sets_are_put_in(image: str) -> None:
    text = f'variables:\n  V: "8.0"\n  IMAGE: {{value: "mcr.microsoft.com/dotnet/sdk:$V"}}\nb:\n  image: {image}\n'
    assert [name for name, _, _ in found(text)] == [SDK]


def test_a_whole_image_in_a_variable_is_pinned_there_and_a_part_is_not() -> None:
    whole, part = (
        find(f"variables: {{A: {value}}}\nb: {{image: {image}}}\n").usages[0]
        for value, image in ((SDK, "$A"), ("'8.0'", "mcr.microsoft.com/dotnet/sdk:$A"))
    )
    assert (whole.span is not None, whole.fixed_because) == (True, None)
    assert (part.span, part.fixed_because is not None) == (None, True)


def test_the_variables_of_a_job_and_each_variant_of_its_matrix_count_there() -> None:
    text = """
variables: {V: "6.0"}
a: {variables: {V: "7.0"}, image: "sdk:$V"}
b:
  parallel: {matrix: [{V: ["8.0", "9.0"]}, {V: "10.0"}]}
  image: sdk:$V
"""
    assert sorted(name for name, _, _ in found(text)) == ["sdk:10.0", "sdk:7.0", "sdk:8.0", "sdk:9.0"]


def test_a_dotnet_image_with_a_variable_of_elsewhere_is_told_and_others_are_not() -> None:
    (problem,) = find_usages(PATH, b"b:\n  image: mcr.microsoft.com/dotnet/sdk:$V\n").problems
    assert (problem.line, "mcr.microsoft.com/dotnet/sdk is named" in problem.message) == (2, True)
    assert find_usages(PATH, b"b:\n  image: $CI_REGISTRY_IMAGE/build:1\n").problems == ()


def test_commands_of_a_job_run_images_and_build_with_the_variables_of_the_job() -> None:
    commands = "docker run --rm $A x\n    - docker build --build-arg B=$A ."
    text = f"b:\n  variables: {{A: {SDK}}}\n  script:\n    - {commands}\n"
    files = (File(PATH, "1", text.encode()), File("Dockerfile", "2", b"ARG B\nFROM $B\n"))
    usages = read_files(files, Memory())[0].usages
    assert {(usage.path, str(usage.reference), usage.line) for usage in usages} == {(PATH, SDK, 2)}
    assert {usage.role for usage in usages} == {Role.CONTAINER, Role.FINAL_STAGE}


def test_a_broken_file_is_one_problem() -> None:
    assert len(find("image: [\n").problems) == 1


@given(
    any_text(
        "image: ", "variables:\n  A: ", "$A", "b:\n  image: ", "  script:\n    - docker run ", "services:\n  - "
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f"variables:\n  A: {text}\nb:\n  image: x:$A\n  script:\n    - docker run $A\n")


@pytest.mark.parametrize(
    "piece",
    [
        "b{0}: {{image: a, script: [docker run x]}}\n",
        "  V{0}: $V{0}$V{0}\n",
        "b{0}: {{parallel: {{matrix: [{{A: [1]}}]}}}}\n",
    ],
)
def test_it_takes_time_in_proportion(piece: str) -> None:
    def read(size: int) -> None:
        find("variables:\n  A: b\n" + "".join(map(piece.format, range(size // len(piece)))))

    read(100)
    assert growth(read, 10_000) < LINEAR
