"""GitHub workflows and actions."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.workflows import finder as workflow
from bot.files.formats.workflows.matrix import MOST_VARIANTS
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim


def find(text: str) -> Findings:
    findings = workflow.find(".github/workflows/build.yml", text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, Role, int]]:
    findings = find(text)
    assert findings.problems == ()
    return [(str(usage.reference), usage.role, usage.line) for usage in findings.usages]


def test_containers_services_and_docker_steps_name_images() -> None:
    text = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: mcr.microsoft.com/dotnet/sdk:8.0
    services:
      db: {image: "postgres:16"}
      none: {env: {A: b}}
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/own
      - uses: docker://ghcr.io/contoso/lint
  b:
    container:
      image: 'docker://node:20'
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 6),
        ("postgres:16", Role.SERVICE, 8),
        ("ghcr.io/contoso/lint", Role.ACTION, 13),
        ("node:20", Role.CONTAINER, 16),
    ]


def test_container_actions_and_steps_of_composite_actions_name_images() -> None:
    assert found("runs: {using: docker, image: 'docker://debian:12'}\n") == [("debian:12", Role.ACTION, 1)]
    assert found("# docker://\nruns: {using: docker, image: Dockerfile}\n") == []
    assert found("runs:\n  using: composite\n  steps:\n  - uses: docker://alpine:3\n") == [
        ("alpine:3", Role.ACTION, 4)
    ]


def test_a_service_may_be_a_string() -> None:
    assert found('jobs: {a: {services: {db: "postgres:16", none: null}}}\n') == [("postgres:16", Role.SERVICE, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "jobs:\n  a:\n    steps:\n    - parallel:\n      - uses: docker://alpine:3\n",
        "jobs:\n  a:\n    steps:\n    - parallel:\n        steps:\n        - uses: docker://alpine:3\n",
        "runs:\n  using: composite\n  steps:\n  - parallel:\n    - parallel: [{uses: 'docker://alpine:3'}]\n",
    ],
)
def test_steps_that_run_at_the_same_time_are_steps(text: str) -> None:
    assert [name for name, _, _ in found(text)] == ["alpine:3"]


def test_a_base_on_a_command_line_is_a_usage() -> None:
    text = """
env: {TAG: 9.0-alpine}
jobs:
  a:
    steps:
    - run: dotnet publish -p:ContainerBaseImage=mcr.microsoft.com/dotnet/aspnet:8.0
    - run: |
        dotnet publish src \\
          "-p:ContainerBaseImage=mcr.microsoft.com/dotnet/aspnet:${{ env.TAG }}"
    - {run: "dotnet publish -p:ContainerBaseImage=$BASE", env: {BASE: "mcr.microsoft.com/dotnet/runtime:8.0"}}
    - {run: "dotnet publish -p:ContainerBaseImage=x/y:1", shell: cmd}
    - run: dotnet publish -p:ContainerBaseImage=${{ inputs.base }}
"""
    findings = find(text)
    assert [(str(usage.reference), usage.role, usage.line) for usage in findings.usages] == [
        ("mcr.microsoft.com/dotnet/aspnet:9.0-alpine", Role.BASE_IMAGE, 2),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", Role.BASE_IMAGE, 6),
        ("mcr.microsoft.com/dotnet/runtime:8.0", Role.BASE_IMAGE, 10),
    ]


@pytest.mark.parametrize(
    "image", ["Dockerfile", "docker/Dockerfile.alpine", "./Dockerfile", "app:1", "contoso/app"]
)
def test_an_action_may_name_a_dockerfile_or_something_that_no_runner_takes(image: str) -> None:
    assert found(f"runs: {{using: docker, image: {image}}}\n") == []


def test_an_action_may_name_an_image_of_a_registry_without_the_scheme() -> None:
    assert found("runs: {using: docker, image: 'ghcr.io/contoso/lint:2'}\n") == [
        ("ghcr.io/contoso/lint:2", Role.ACTION, 1)
    ]


@pytest.mark.parametrize(
    "job",
    [
        "container: ${{ matrix.image }}",
        "container: {image: 'node:${{ matrix.node }}'}",
        "services: {db: {image: 'postgres:${{ matrix.db }}'}}",
        "steps: [{uses: 'docker://alpine:${{ matrix.v }}'}]",
    ],
)
def test_an_image_with_an_expression_is_a_problem(job: str) -> None:
    findings = find(f"jobs:\n  a:\n    {job}\n")
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [3]


@pytest.mark.parametrize(
    "text",
    [
        "jobs: {a: {container: null}, b: {container: ''}, c: {container: {}}, d: {services: }}\n",
        "jobs: {a: {services: \"${{ fromJSON('{}') }}\"}}\n",
        "jobs: {a: {steps: [{run: 'docker://x'}, {}, x]}}\n",
        "jobs: [container]\n",
        "container: a:1\n",
    ],
)
def test_other_shapes_name_nothing(text: str) -> None:
    assert find(text) == Findings()


def test_steps_that_anchors_share_count_once_where_they_stand() -> None:
    text = """
jobs:
  a: &job
    container: &image node:20
    steps: [&step {uses: "docker://alpine:3"}, *step]
  b: *job
  c: {container: {image: *image}}
"""
    assert found(text) == [("node:20", Role.CONTAINER, 4), ("alpine:3", Role.ACTION, 5)]


def test_equal_steps_in_different_places_count_each() -> None:
    text = "jobs:\n  a:\n    steps:\n" + "    - uses: docker://alpine:3\n" * 8
    assert [line for _, _, line in found(text)] == list(range(4, 12))


@given(
    any_text(
        "jobs:\n",
        "  a:\n",
        "    container: ",
        "    services:\n",
        "      image: ",
        "    steps:\n",
        "    - uses: docker://",
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f"jobs:\n  a:\n    container: {text}")


# Variants of a job


def test_a_container_of_a_matrix_is_an_image_for_each_value() -> None:
    text = """
jobs:
  a:
    strategy: {matrix: {os: [a, b], image: ["mcr.microsoft.com/dotnet/sdk:8.0", mcr.microsoft.com/dotnet/sdk:9.0]}}
    container: ${{ matrix.image }}
    services: {db: {image: "postgres:${{ matrix.os }}"}}
"""
    assert found(text) == [
        ("postgres:a", Role.SERVICE, 4),
        ("postgres:b", Role.SERVICE, 4),
        ("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 4),
        ("mcr.microsoft.com/dotnet/sdk:9.0", Role.CONTAINER, 4),
    ]


def test_a_matrix_takes_members_additions_and_exceptions_as_github_does() -> None:
    text = """
jobs:
  a:
    strategy:
      matrix:
        base: [{tag: '8.0', os: noble}, {tag: '9.0', os: noble}]
        arch: [x64, arm64]
        exclude: [{base: {tag: '9.0', os: noble}, arch: x64}]
        include:
        - {arch: arm64, suffix: -arm64v8}
        - {base: {tag: '10.0', os: alpine}, arch: x64, suffix: ''}
    container:
      image: mcr.microsoft.com/dotnet/sdk:${{ matrix.base.tag }}-${{matrix.base.os}}${{ matrix.suffix }}
"""
    assert [reference.rpartition(":")[2] for reference, _, _ in found(text)] == [
        "8.0-noble-arm64v8",
        "9.0-noble-arm64v8",
        "10.0-alpine",
    ]


@pytest.mark.parametrize(
    "matrix", ["${{ fromJson(inputs.m) }}", "{v: [8.0]}", "{v: ['${{ inputs.v }}']}", "{v: []}"]
)
def test_an_image_of_a_matrix_that_is_not_written_out_is_told(matrix: str) -> None:
    text = f"jobs: {{a: {{strategy: {{matrix: {matrix}}}, container: 'dotnet/sdk:${{{{ matrix.v }}}}'}}}}\n"
    if matrix.startswith("$"):
        text = text.replace(matrix, f'"{matrix}"')
    [problem] = find(text).problems
    assert "is known only when the workflow runs" in problem.message


def test_of_two_thousand_variants_only_some_are_read() -> None:
    values = ", ".join(f"'{number}'" for number in range(50))
    text = (
        f"jobs: {{a: {{strategy: {{matrix: {{x: [{values}], y: [{values}]}}}}, "
        "container: 'sdk:${{ matrix.x }}-${{ matrix.y }}'}}\n"
    )
    assert len(find(text).usages) == MOST_VARIANTS


@pytest.mark.parametrize(
    ("tag", "is_fixed"), [("8.0", True), ("8.0-noble", True), ("8.0.4", False), ("8.0.4-noble", False)]
)
def test_no_digest_is_added_to_a_tag_that_a_matrix_shares_with_other_steps(tag: str, is_fixed: bool) -> None:
    text = (
        f"jobs: {{a: {{strategy: {{matrix: {{v: ['{tag}']}}}}, container: 'a.example/sdk:${{{{ matrix.v }}}}'}}}}\n"
    )
    [usage] = find(text).usages
    assert (usage.fixed_because is not None) is is_fixed
    [whole] = find(text.replace(f"'{tag}'", f"'a.example/sdk:{tag}'").replace("a.example/sdk:$", "$")).usages
    assert whole.fixed_because is None


# Inputs


@pytest.mark.parametrize("trigger", ["workflow_dispatch", "workflow_call"])
@pytest.mark.parametrize("named", ["inputs.image", "github.event.inputs.image"])
def test_the_default_of_an_input_is_the_image_where_it_is_written(trigger: str, named: str) -> None:
    text = f"""
on:
  {trigger}:
    inputs:
      image: {{type: string, default: "mcr.microsoft.com/dotnet/sdk:8.0"}}
jobs:
  a:
    container: ${{{{ {named} }}}}
"""
    assert found(text) == [("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 5)]


def test_each_triggers_default_counts_in_each_variant_of_the_matrix() -> None:
    text = """
on:
  workflow_dispatch: {inputs: {tag: {default: "8.0"}}}
  workflow_call: {inputs: {tag: {default: "9.0"}}}
jobs:
  a:
    strategy: {matrix: {os: [noble, alpine]}}
    container: a.example/sdk:${{ inputs.tag }}-${{ matrix.os }}
"""
    assert {reference for reference, _, _ in found(text)} == {
        f"a.example/sdk:{tag}-{os}" for os in ("noble", "alpine") for tag in ("8.0", "9.0")
    }


@pytest.mark.parametrize("about", ["{required: true}", "{default: 8.0}", "{default: '${{ vars.IMAGE }}'}", "null"])
def test_an_image_of_an_input_without_a_default_is_told(about: str) -> None:
    trigger = f"on: {{workflow_call: {{inputs: {{image: {about}}}}}}}\n"
    text = trigger + "jobs: {a: {container: '${{ inputs.image }}'}}\n"
    [problem] = find(text).problems
    assert "is known only when the workflow runs" in problem.message


def test_an_input_that_is_empty_by_default_names_no_image() -> None:
    text = "on: {workflow_call: {inputs: {image: {default: ''}}}}\njobs: {a: {container: '${{ inputs.image }}'}}\n"
    assert found(text) == []


def test_an_image_that_another_workflow_is_given_stands_where_it_is_given() -> None:
    text = """
jobs:
  a:
    uses: ./.github/workflows/build.yml
    with: {image: "mcr.microsoft.com/dotnet/sdk:8.0", container: linux, name: "a.example/app:1"}
"""
    assert found(text) == [("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 5)]


@pytest.mark.parametrize("first", ["inputs.image", "vars.IMAGE", "github.event.inputs.image"])
def test_a_text_behind_what_nobody_gives_is_the_image(first: str) -> None:
    text = f"""
on: {{workflow_dispatch: {{inputs: {{image: {{default: ''}}}}}}}}
jobs:
  a:
    container: ${{{{ {first} || 'mcr.microsoft.com/dotnet/sdk:8.0' }}}}
"""
    assert found(text) == [("mcr.microsoft.com/dotnet/sdk:8.0", Role.CONTAINER, 5)]
    given = text.replace("default: ''", "default: 'a.example/x:1'")
    if "inputs" in first:
        assert found(given) == [("a.example/x:1", Role.CONTAINER, 2)]


def test_buildah_build_names_the_base_that_it_builds_upon_without_a_dockerfile() -> None:
    text = """
env: {BASE: "mcr.microsoft.com/dotnet/aspnet:9.0"}
jobs:
  a:
    steps:
      - uses: redhat-actions/buildah-build@v2
        with: {base-image: "mcr.microsoft.com/dotnet/aspnet:8.0"}
      - uses: redhat-actions/buildah-build@v2
        with: {base-image: "${{ env.BASE }}"}
      - uses: contoso/other@v2
        with: {base-image: "mcr.microsoft.com/dotnet/aspnet:10.0"}
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/aspnet:9.0", Role.BASE_IMAGE, 2),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", Role.BASE_IMAGE, 7),
    ]
    [problem] = find(text.replace("env.BASE", "github.event.inputs.base")).problems
    assert (problem.line, problem.message.partition(" is ")[2]) == (9, "known only when the workflow runs")
