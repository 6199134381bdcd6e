"""Azure Pipelines: what jobs run in, and what steps ask to be built."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.azure_pipelines import finder as azure
from bot.files.formats.azure_pipelines.variables import Values
from bot.files.formats.builds import Builds
from bot.files.formats.source.nodes import mappings_under
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim


def find(text: str) -> Findings:
    findings = azure.find("azure-pipelines.yml", text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, Role, int]]:
    findings = find(text)
    assert findings.problems == ()
    return [(str(usage.reference), usage.role, usage.line) for usage in findings.usages]


def asked(text: str) -> Builds:
    return azure.builds("azure-pipelines.yml", text)


def args(text: str) -> list[tuple[str, dict[str, str]]]:
    return [(each.dockerfiles[0], {arg.name: arg.value.text for arg in each.args}) for each in asked(text).docker]


def test_jobs_resources_and_services_name_images() -> None:
    text = """
resources:
  containers:
  - container: linux
    image: mcr.microsoft.com/dotnet/sdk:8.0
jobs:
- job: a
  container: linux
  services: {db: "postgres:16", also: linux}
- job: b
  container: mcr.microsoft.com/dotnet/sdk:9.0
- job: c
  container: {image: "mcr.microsoft.com/dotnet/sdk:10.0", env: {A: b}}
- job: d
  container: declared_in_another_file
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 5),
        ("postgres:16", Role.SERVICE, 9),
        ("mcr.microsoft.com/dotnet/sdk:9.0", Role.CONTAINER, 11),
        ("mcr.microsoft.com/dotnet/sdk:10.0", Role.CONTAINER, 13),
    ]


def test_a_template_takes_containers_by_name() -> None:
    text = """
parameters: [{name: version, type: number, default: 43}]
extends:
  template: v1/1ES.Official.PipelineTemplate.yml@1es
  parameters:
    containers:
      linux: {image: "mcr.microsoft.com/dotnet-buildtools/prereqs:azurelinux-${{ parameters.version }}"}
"""
    [usage] = find(text).usages
    assert str(usage.reference) == "mcr.microsoft.com/dotnet-buildtools/prereqs:azurelinux-43"
    assert usage.role is Role.CONTAINER


def test_values_of_variables_and_defaults_of_parameters_are_put_in() -> None:
    text = """
parameters:
- {name: image, default: "mcr.microsoft.com/dotnet/sdk:9.0"}
variables: {tag: "8.0"}
stages:
- stage: s
  jobs:
  - {job: a, container: "${{ parameters.image }}"}
  - {job: b, container: "x/y:$(tag)"}
  - {job: c, container: "x/z:${{ variables['tag'] }}"}
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/sdk:9.0", Role.CONTAINER, 3),
        ("x/y:8.0", Role.CONTAINER, 4),
        ("x/z:8.0", Role.CONTAINER, 4),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "jobs: [{job: a, container: {image: 'x:$(v)'}}]\n",
        "jobs: [{job: a, container: 'x/${{ parameters.p }}:1'}]\n",
        "variables: [{name: v, value: a}, {name: v, value: b}]\njobs: [{job: a, container: 'x/y:$(v)'}]\n",
    ],
)
def test_an_image_that_the_file_does_not_tell_is_one_problem(text: str) -> None:
    findings = find(text)
    assert findings.usages == ()
    assert len(findings.problems) == 1


def test_steps_ask_for_builds_wherever_they_stand() -> None:
    text = """
variables: {tag: "8.0"}
steps:
- script: docker build --build-arg TAG=$(tag)-alpine -f src/Dockerfile $(Build.SourcesDirectory)
- ${{ if eq(1, 1) }}:
  - task: Docker@2
    inputs:
      command: build
      Dockerfile: $(Build.SourcesDirectory)/src/Api/Dockerfile
      arguments: --build-arg VERSION=10.0 --build-arg OTHER=$(unknown)
- task: Bash@3
  inputs: {script: "docker build --build-arg A=1 .", workingDirectory: src/Web}
- task: Docker@2
  inputs: {command: login}
- task: Docker@2
  inputs: {command: build, Dockerfile: "**/Dockerfile"}
"""
    assert args(text) == [
        ("src/Dockerfile", {"TAG": "8.0-alpine"}),
        ("src/Api/Dockerfile", {"VERSION": "10.0"}),
        ("src/Web/Dockerfile", {"A": "1"}),
    ]


def test_tasks_of_the_dotnet_command_line_publish() -> None:
    text = """
steps:
- task: DotNetCoreCLI@2
  inputs:
    command: publish
    projects: src/Web/Web.csproj
    arguments: -t:PublishContainer -p:ContainerFamily=alpine --arch arm64
"""
    [publish] = asked(text).dotnet
    assert (publish.target, publish.is_container, publish.architecture) == ("src/Web/Web.csproj", True, "arm64")
    assert [(name, value.text) for name, value in publish.properties] == [("ContainerFamily", "alpine")]


def test_a_base_on_a_command_line_is_a_usage() -> None:
    text = "steps:\n- bash: |\n    dotnet publish -p:ContainerBaseImage=mcr.microsoft.com/dotnet/aspnet:9.0\n"
    assert found(text) == [("mcr.microsoft.com/dotnet/aspnet:9.0", Role.BASE_IMAGE, 3)]


@given(
    any_text(
        "resources:\n  containers:\n  - container: a\n",
        "    image: ",
        "jobs:\n- job: a\n",
        "  container: ",
        "  services: ",
        "variables: {v: x}\n",
        "$(v)",
        "${{ parameters.p }}",
        "steps:\n- script: dotnet publish -p:ContainerBaseImage=",
        "docker build --build-arg A=",
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    asked(text)


def test_a_container_of_a_matrix_is_an_image_for_each_value() -> None:
    text = """
jobs:
- job: a
  strategy:
    matrix:
      noble: {image: "mcr.microsoft.com/dotnet/sdk:8.0-noble", tag: "16"}
      alpine: {image: "mcr.microsoft.com/dotnet/sdk:8.0-alpine", tag: "17"}
  container: $[ variables['image'] ]
  services: {db: "postgres:$(tag)"}
"""
    assert found(text) == [
        ("postgres:16", Role.SERVICE, 6),
        ("mcr.microsoft.com/dotnet/sdk:8.0-noble", Role.CONTAINER, 6),
        ("postgres:17", Role.SERVICE, 7),
        ("mcr.microsoft.com/dotnet/sdk:8.0-alpine", Role.CONTAINER, 7),
    ]


@pytest.mark.parametrize(
    "matrix", ["$[ dependencies.a.outputs['x.matrix'] ]", "{a: {other: '1'}}", "{a: null}", "[a]"]
)
def test_an_image_of_a_matrix_that_is_not_written_out_is_told(matrix: str) -> None:
    text = f"jobs: [{{job: a, strategy: {{matrix: {matrix}}}, container: 'x/y:$(tag)'}}]\n".replace(
        "$[ dependencies.a.outputs['x.matrix'] ]", "\"$[ dependencies.a.outputs['x.matrix'] ]\""
    )
    [problem] = find(text).problems
    assert "is known only when the pipeline runs" in problem.message


@pytest.mark.parametrize(("tag", "is_fixed"), [("8.0", True), ("8.0-noble", True), ("8.0.4", False)])
def test_no_digest_is_added_to_a_tag_that_a_variable_shares_with_other_steps(tag: str, is_fixed: bool) -> None:
    text = f"variables: {{v: '{tag}'}}\njobs: [{{job: a, container: 'a.example/sdk:$(v)'}}]\n"
    [usage] = find(text).usages
    assert (usage.fixed_because is not None) is is_fixed
    [whole] = find(f"variables: {{v: 'a.example/sdk:{tag}'}}\njobs: [{{job: a, container: $(v)}}]\n").usages
    assert whole.fixed_because is None


def test_an_image_that_a_template_is_given_stands_where_it_is_given() -> None:
    text = """
jobs:
- template: job.yml
  parameters:
    buildImage: mcr.microsoft.com/dotnet/sdk:8.0
    image: $(elsewhere)
    container: linux
    repository: a.example/app:1
"""
    assert found(text) == [("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 5)]


@pytest.mark.parametrize(
    "variables",
    [
        "{'${{ if eq(1, 1) }}': {image: 'a.example/x:1'}}",
        "[{'${{ if eq(1, 1) }}': [{name: image, value: 'a.example/x:1'}]}]",
    ],
)
def test_a_variable_below_a_condition_counts(variables: str) -> None:
    text = f"variables: {variables}\njobs: [{{job: a, container: $(image)}}]\n"
    assert found(text) == [("a.example/x:1", Role.CONTAINER, 1)]


def test_an_image_of_a_container_that_is_wholly_a_variable_is_told() -> None:
    findings = find("jobs: [{job: a, container: {image: $(image)}}]\n")
    assert findings.usages == ()
    [problem] = findings.problems
    assert "'$(image)' is known only when the pipeline runs" in problem.message
    assert found("jobs: [{job: a, container: '${{ parameters.alias }}'}]\n") == []


def test_a_matrix_that_many_jobs_share_is_read_once() -> None:
    """Each of thousands of jobs anew would take minutes."""
    documents = read(
        "- strategy: {matrix: &m {a: {image: 'a.example/x:1'}, b: {image: 'a.example/y:1'}}}\n"
        "- strategy: {matrix: *m}\n- strategy: {matrix: {}}\n"
    )
    values = Values(documents)
    first, second, third = (mapping for key, mapping in mappings_under(documents[0]) if mapping.get("strategy"))
    assert values.variants(first) is values.variants(second)
    assert values.variants(third) == (values,)
    asked_for = Spanned("$(image)", range(8))
    told = [each.evaluated(asked_for).text for each in values.variants(first)]
    assert told == ["a.example/x:1", "a.example/y:1"]
