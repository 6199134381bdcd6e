"""What workflows ask to be built."""

from hypothesis import given

from bot.files.formats.builds import Builds
from bot.files.formats.workflows.builds import builds
from tests.unit.files.formats.laws import any_text

PATH = ".github/workflows/build.yml"


def test_commands_and_the_build_action_hand_values_to_dockerfiles() -> None:
    text = """
env: {VERSION: "9.0"}
defaults: {run: {working-directory: src}}
jobs:
  a:
    steps:
    - run: docker build --build-arg V=$VERSION api
    - {run: "docker build --build-arg V=8.0 .", working-directory: src/web}
    - uses: docker/build-push-action@v6
      with:
        context: src/worker
        build-args: |
          V=10.0
          W=${{ env.VERSION }}-alpine
          X=${{ inputs.x }}
    - uses: docker/build-push-action@v6
      with: {file: build/Dockerfile, tags: "shop/web:1"}
    - uses: docker/build-push-action@v6
      with: {file: "${{ matrix.file }}", build-args: V=1}
"""
    assert [
        (each.dockerfiles[0], {arg.name: arg.value.text for arg in each.args}) for each in builds(PATH, text).docker
    ] == [
        ("src/api/Dockerfile", {"V": "9.0"}),
        ("src/web/Dockerfile", {"V": "8.0"}),
        ("src/worker/Dockerfile", {"V": "10.0", "W": "9.0-alpine"}),
        ("build/Dockerfile", {}),
    ]


def test_values_stand_where_they_are_written() -> None:
    text = "jobs: {a: {env: {V: '9.0'}, steps: [{run: 'docker build --build-arg V=$V .'}]}}\n"
    [build] = builds(PATH, text).docker
    [argument] = build.args
    value = argument.value
    assert [text[place] for place in value.places] == list("9.0")
    assert value.place(0) == text.index("9.0")


def test_what_asks_for_nothing_is_nothing() -> None:
    assert builds(PATH, "jobs: {a: {steps: [{run: make}, {uses: 'actions/checkout@v4'}]}}\n") == Builds()


@given(
    any_text(
        "jobs:\n  a:\n    steps:\n", "    - run: docker build ", "--build-arg A=", "${{ env.A }}", "env: {A: b}\n"
    )
)
def test_no_text_raises(text: str) -> None:
    builds(PATH, text)
    builds(PATH, f"jobs: {{a: {{steps: [{{run: docker build --build-arg {text}")


def test_each_variant_of_a_job_hands_over_its_own_values() -> None:
    text = """
jobs:
  a:
    strategy: {matrix: {os: [linux, windows], of: [{name: api, base: "9.0"}, {name: web, base: "10.0"}]}}
    env: {FOLDER: "src/${{ matrix.of.name }}"}
    steps:
    - run: docker build --build-arg V=${{ matrix.of.base }} .
      working-directory: src/${{ matrix.of.name }}
    - uses: docker/build-push-action@v6
      with: {file: "${{ env.FOLDER }}/Dockerfile", build-args: "W=${{ matrix.of.base }}"}
"""
    found = builds(PATH, text).docker
    assert [(each.dockerfiles[0], {arg.name: arg.value.text for arg in each.args}) for each in found] == [
        ("src/api/Dockerfile", {"V": "9.0"}),
        ("src/api/Dockerfile", {"W": "9.0"}),
        ("src/web/Dockerfile", {"V": "10.0"}),
        ("src/web/Dockerfile", {"W": "10.0"}),
    ]
    assert {text[place] for each in found for arg in each.args for place in arg.value.places} == set("9.01")


def test_the_default_of_an_input_is_handed_over_and_stands_where_it_is_written() -> None:
    text = """
on: {workflow_call: {inputs: {tag: {type: string, default: "9.0"}}}}
env: {TAG: "${{ inputs.tag }}-alpine"}
jobs:
  a:
    steps:
    - run: docker build --build-arg V=$TAG .
    - uses: docker/build-push-action@v6
      with: {build-args: "V=${{ inputs.tag }}"}
"""
    first, second = builds(PATH, text).docker
    assert [each.args[0].value.text for each in (first, second)] == ["9.0-alpine", "9.0"]
    assert second.args[0].value.place(0) == text.index("9.0")
    assert second.args[0].is_shared


def test_buildah_build_names_its_dockerfiles_in_inputs_of_its_own() -> None:
    uses = "uses: redhat-actions/buildah-build@v2"
    text = f"""
jobs:
  a:
    steps:
    - {uses}
      with:
        containerfiles: |
          ./src/Containerfile
        dockerfiles: other/Dockerfile
        build-args: V=8.0
    - {{{uses}, with: {{dockerfiles: web/Dockerfile, build-args: V=9.0}}}}
    - {{{uses}, with: {{base-image: "mcr.microsoft.com/dotnet/aspnet:8.0"}}}}
"""
    assert [each.dockerfiles for each in builds(PATH, text).docker] == [("src/Containerfile",), ("web/Dockerfile",)]
