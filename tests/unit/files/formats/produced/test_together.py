"""What Bake and Compose files name hangs on who builds them."""

from typing import Any

import pytest

from bot.domain.images.claims import NamedImage
from bot.files.formats import bake
from bot.files.formats.memory import File, Memory
from bot.files.formats.produced.file_builds import file_builds
from bot.files.formats.produced.together import MOST_CALLS
from bot.files.formats.repository import images_of

WORKFLOW = ".github/workflows/build.yml"
BAKE = """\
variable "REGISTRY" { default = "ghcr.io/contoso" }
variable "TAG" { default = "latest" }
group "default" { targets = ["shop"] }
target "shop" {
  context = "src"
  tags = ["${REGISTRY}/shop:${TAG}"]
}
"""
PROJECT = """\
<Project><PropertyGroup>
  <ContainerRegistry>ghcr.io</ContainerRegistry>
  <ContainerRepository>contoso/shop</ContainerRepository>
</PropertyGroup></Project>
"""
COMPOSE = "services:\n  shop:\n    build: .\n    image: ghcr.io/contoso/shop:${TAG:-latest}\n"


def named(**files: str) -> list[NamedImage]:
    return list(images_of([File(path, text, text.encode()) for path, text in files.items()], Memory())[0])


def told(files: dict[str, str]) -> list[tuple[str, bool]]:
    """Each image with its tag, and whether the evidence for it is weak."""
    return [(f"{each.name}:{each.tag}", bool(each.weakness)) for each in named(**files)]


def workflow(*steps: str, env: str = "", on: str = "push") -> str:
    head = f"on: {on}\n" + (f"env:\n  {env}\n" if env else "")
    return f"{head}jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + "".join(steps)


def run(script: str, env: str = "") -> str:
    given = f"        env:\n          {env}\n" if env else ""
    lines = "".join(f"          {line}\n" for line in script.splitlines())
    return f"      - run: |\n{lines}{given}"


def bake_action(**given: str) -> str:
    inputs = "".join(f"          {name}: {value}\n" for name, value in given.items())
    return f"      - uses: docker/bake-action@v6\n        with:\n          push: true\n{inputs}"


WEAK = [("ghcr.io/contoso/shop:latest", True)]
FIXED = [("ghcr.io/contoso/shop:latest", False)]
BY_COMMIT = [("ghcr.io/contoso/shop:{sha}", False)]
OPEN = [("ghcr.io/contoso/shop:*", False)]


@pytest.mark.parametrize(("path", "text"), [("docker-bake.hcl", BAKE), ("compose.yaml", COMPOSE)])
def test_a_default_is_weak_evidence_where_nothing_builds_the_file(path: str, text: str) -> None:
    [image] = named(**{path: text})
    assert image.weakness.startswith("its name or tag is the default of")
    assert f"TAG in {path}, and nothing is found here that builds it" in image.weakness


def test_a_name_without_variables_hangs_on_no_build() -> None:
    assert told({"docker-bake.hcl": 'target "shop" { tags = ["ghcr.io/contoso/shop:latest"] }'}) == FIXED
    assert told({"compose.yaml": COMPOSE.replace("${TAG:-latest}", "latest")}) == FIXED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("compose.yaml", COMPOSE.replace("${TAG:-latest}", "dev")),
        ("shop.csproj", PROJECT),
        ("docker-bake.hcl", 'target "shop" { tags = ["ghcr.io/contoso/shop:dev"] }'),
    ],
)
def test_a_file_that_no_build_is_found_for_only_names_its_images(path: str, text: str) -> None:
    push = run("docker build -t ghcr.io/contoso/shop:latest --push .")
    found = named(**{path: text, WORKFLOW: workflow(push)})
    assert {each.path: each.is_pushed for each in found} == {path: False, WORKFLOW: True}


def test_a_bake_file_that_a_build_pushes_pushes_its_images() -> None:
    for command, is_pushed in (("docker buildx bake --push", True), ("docker buildx bake", False)):
        [image] = named(**{"docker-bake.hcl": BAKE, WORKFLOW: workflow(run(command))})
        assert image.is_pushed is is_pushed


def test_each_file_tells_all_tags_that_it_pushes() -> None:
    latest, both = (f"docker push ghcr.io/contoso/shop:{tag}\n" for tag in ("latest", "$GITHUB_SHA"))
    files = {WORKFLOW: workflow(run(latest)), ".github/workflows/release.yml": workflow(run(latest + both))}
    assert told(files) == [*FIXED, *FIXED, *BY_COMMIT]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (workflow(bake_action()), FIXED),
        (workflow(run("docker buildx bake --push")), FIXED),
        (workflow(bake_action(), env="TAG: ${{ github.sha }}"), BY_COMMIT),
        (workflow(bake_action(), env="TAG: ${{ steps.version.outputs.tag }}"), OPEN),
        (workflow(bake_action(vars="TAG=${{ github.sha }}")), BY_COMMIT),
        (workflow(bake_action(set="'*.tags=ghcr.io/contoso/shop:${{ github.sha }}'")), BY_COMMIT),
        (workflow(bake_action(set="cart.tags=ghcr.io/contoso/cart:1")), FIXED),
        (workflow(bake_action(files="docker-bake.hcl", targets="shop")), FIXED),
        (workflow(bake_action(files="other.hcl")), WEAK),
        (workflow(bake_action(targets="cart")), WEAK),
        (workflow(run("TAG=$GITHUB_SHA docker buildx bake --push")), BY_COMMIT),
        (workflow(run("export TAG=$GITHUB_SHA\ndocker buildx bake --push")), BY_COMMIT),
        (workflow(run("TAG=$GITHUB_SHA\ndocker buildx bake --push")), FIXED),
        (workflow(run("docker buildx bake --push", env="TAG: ${{ github.sha }}")), BY_COMMIT),
        (workflow(run("docker buildx bake --push --set '*.tags=ghcr.io/contoso/shop:$GITHUB_SHA'")), BY_COMMIT),
        (workflow(run("docker buildx bake --push --var TAG=$GITHUB_SHA")), BY_COMMIT),
        (workflow(run('echo "TAG=$GITHUB_SHA" >> "$GITHUB_ENV"'), bake_action()), BY_COMMIT),
        (workflow(run('echo "TAG=$(date +%F)" >> $GITHUB_ENV'), bake_action()), OPEN),
        (workflow(run('echo "TAG=$(date +%F)" >> $GITHUB_OUTPUT'), bake_action()), FIXED),
        (workflow(run('"TAG=$(Get-Date -f yyyy)" >> $env:GITHUB_ENV'), bake_action()), OPEN),
        (workflow(run('$env:TAG = "$env:GITHUB_SHA"\ndocker buildx bake --push')), BY_COMMIT),
        (workflow(bake_action(), on="pull_request"), WEAK),
    ],
)
def test_the_tag_of_a_bake_target_is_what_its_build_makes_of_it(
    text: str, expected: list[tuple[str, bool]]
) -> None:
    assert told({"docker-bake.hcl": BAKE, WORKFLOW: text}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (workflow(run("docker compose build\ndocker compose push")), FIXED),
        (workflow(run("TAG=$GITHUB_SHA docker compose build\ndocker compose push")), FIXED),
        (workflow(run("export TAG=$GITHUB_SHA\ndocker compose build\ndocker compose push")), BY_COMMIT),
        (workflow(run("TAG=$GITHUB_SHA docker-compose -f compose.yaml build --push shop")), BY_COMMIT),
        (workflow(run("docker compose build --push cart")), WEAK),
        (workflow(run("docker compose --env-file prod.env build --push")), WEAK),
        (workflow(run('echo "TAG=$GITHUB_SHA" > .env\ndocker compose build --push')), FIXED),
        (workflow(run('echo "TAG=$GITHUB_SHA" > .env'), run("docker compose build --push")), BY_COMMIT),
        (workflow(run("docker compose up -d")), WEAK),
    ],
)
def test_the_tag_of_a_compose_service_is_what_its_build_makes_of_it(
    text: str, expected: list[tuple[str, bool]]
) -> None:
    assert told({"compose.yaml": COMPOSE, WORKFLOW: text}) == expected


def test_files_of_variables_count_in_compose_below_what_the_build_sets() -> None:
    build = run("docker compose build --push")
    files = {"compose.yaml": COMPOSE, ".env": "TAG=2.1\n", WORKFLOW: workflow(build)}
    assert told(files) == [("ghcr.io/contoso/shop:2.1", False)]
    assert told({**files, WORKFLOW: workflow(build, env="TAG: ${{ github.sha }}")}) == BY_COMMIT
    other = workflow(run("docker compose --env-file deploy/prod.env build --push"))
    assert told({**files, "deploy/prod.env": "TAG=3.0\n", WORKFLOW: other}) == [("ghcr.io/contoso/shop:3.0", False)]
    del files[WORKFLOW]
    assert told(files) == [("ghcr.io/contoso/shop:latest", True)]


def test_a_variable_that_some_builds_set_is_weak_in_the_others() -> None:
    release = workflow(bake_action(), env="TAG: ${{ github.sha }}")
    nightly = workflow(bake_action())
    found = named(**{"docker-bake.hcl": BAKE, WORKFLOW: nightly, ".github/workflows/release.yml": release})
    assert {each.tag: each.weakness for each in found} == {
        "latest": "its name or tag is the default of REGISTRY and TAG in docker-bake.hcl, and "
        ".github/workflows/release.yml:8 sets it",
        "{sha}": "",
    }


def test_builds_that_push_count_before_those_that_only_build() -> None:
    test = workflow(run("docker buildx bake"))
    release = workflow(run("TAG=$GITHUB_SHA docker buildx bake --push"))
    assert told({"docker-bake.hcl": BAKE, WORKFLOW: test, ".github/workflows/release.yml": release}) == BY_COMMIT


def test_a_script_builds_with_the_variables_of_the_step_that_runs_it() -> None:
    files = {"docker-bake.hcl": BAKE, "eng/build.sh": "docker buildx bake --push\n"}
    assert told(files) == WEAK
    assert told({**files, WORKFLOW: workflow(run("./eng/build.sh"))}) == FIXED
    assert told({**files, WORKFLOW: workflow(run("TAG=$GITHUB_SHA bash eng/build.sh"))}) == BY_COMMIT
    assert told({**files, WORKFLOW: workflow(run("eng/build.sh", env="TAG: ${{ github.sha }}"))}) == BY_COMMIT


def test_an_action_of_the_repository_builds_with_the_variables_of_the_step_that_uses_it() -> None:
    action = "runs:\n  using: composite\n  steps:\n    - uses: docker/bake-action@v6\n      with: {push: true}\n"
    files = {"docker-bake.hcl": BAKE, ".github/actions/bake/action.yml": action}
    step = "      - uses: ./.github/actions/bake\n"
    assert told(files) == WEAK
    assert told({**files, WORKFLOW: workflow(step)}) == FIXED
    assert told({**files, WORKFLOW: workflow(step, env="TAG: ${{ github.sha }}")}) == BY_COMMIT


def test_every_workflow_is_read_however_often_others_call_scripts() -> None:
    called = "".join(run("./eng/test.sh", env=f"NUMBER: '{number}'") for number in range(60))
    files = {"docker-bake.hcl": BAKE, "eng/test.sh": "docker buildx ls # bake\n", WORKFLOW: workflow(called)}
    for name in ("a", "z"):
        build = workflow(bake_action(), env="TAG: ${{ github.sha }}")
        assert told({**files, f".github/workflows/{name}.yml": build}) == BY_COMMIT


def test_azure_pipelines_hand_their_variables_to_what_they_build() -> None:
    pipeline = "variables:\n  TAG: $(Build.SourceVersion)\nsteps:\n- script: docker buildx bake --push\n"
    assert told({"docker-bake.hcl": BAKE, "azure-pipelines.yml": pipeline}) == BY_COMMIT
    task = "steps:\n- task: DockerCompose@1\n  inputs: {action: Push services, dockerComposeFile: compose.yaml}\n"
    assert told({"compose.yaml": COMPOSE, "azure-pipelines.yml": task}) == FIXED


def test_later_bake_files_say_what_the_variables_of_earlier_ones_are() -> None:
    build = workflow(run("docker buildx bake -f docker-bake.hcl -f versions-bake.hcl --push"))
    files = {"docker-bake.hcl": BAKE, "versions-bake.hcl": 'TAG = "2.4"\n', WORKFLOW: build}
    assert told(files) == [("ghcr.io/contoso/shop:2.4", False)]


def test_the_names_that_metadata_action_writes_count_in_the_place_of_the_file_s() -> None:
    bake = """\
variable "TAG" { default = "local" }
target "docker-metadata-action" { tags = ["ghcr.io/contoso/shop:${TAG}"] }
target "shop" { inherits = ["docker-metadata-action"] }
"""
    metadata = """\
      - uses: docker/metadata-action@v5
        id: meta
        with: {images: ghcr.io/contoso/shop, tags: type=sha}
"""
    files = "|\n            docker-bake.hcl\n            cwd://${{ steps.meta.outputs.bake-file }}"
    text = workflow(metadata, bake_action(files=files, targets="shop"))
    assert told({"docker-bake.hcl": bake, WORKFLOW: text}) == [("ghcr.io/contoso/shop:sha-{short_sha}", False)]


def test_a_file_is_read_once_for_all_builds_that_set_the_same_of_its_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[object] = []
    read = bake.names

    def noted(*given: Any) -> Any:
        reads.append(given)
        return read(*given)

    monkeypatch.setattr(bake, "names", noted)
    steps = (run("docker buildx bake --push", env=f"OTHER: '{number}'") for number in range(30))
    assert told({"docker-bake.hcl": BAKE, WORKFLOW: workflow(*steps)}) == FIXED
    assert len(reads) == 2


def test_no_more_builds_of_one_file_are_kept_than_people_write() -> None:
    script = "docker buildx bake --push\n./eng/test.sh\n"
    lines = "".join(script.replace("docker", f"TAG={number} docker") for number in range(500))
    found = file_builds("build.sh", f"set -a\n{lines}".encode())
    assert (len(found.builds), len(found.calls)) == (200, 1)


def test_the_variables_of_a_file_are_read_once_for_all_that_it_is_put_together_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[str] = []
    read = bake.values

    def noted(path: str, text: str) -> Any:
        reads.append(path)
        return read(path, text)

    monkeypatch.setattr(bake, "values", noted)
    paths = [f"{number}-bake.hcl" for number in range(4)]
    build = workflow(run("docker buildx bake --push" + "".join(f" -f {path}" for path in paths)))
    files = {path: BAKE.replace("shop", f"shop{path[0]}") for path in paths}
    assert told({**files, WORKFLOW: build}) == [(f"ghcr.io/contoso/shop{path[0]}:latest", False) for path in paths]
    assert sorted(reads) == paths[1:]


@pytest.mark.parametrize("calls", [MOST_CALLS, MOST_CALLS + 1])
def test_calls_of_scripts_that_are_too_many_to_follow_are_told(calls: int) -> None:
    script = "docker buildx bake --push\n"
    steps = (run("./eng/build.sh", env=f"TAG: '{number}'") for number in range(calls))
    files = {"docker-bake.hcl": BAKE, WORKFLOW: workflow(*steps), "eng/build.sh": script}
    _, problems = images_of([File(path, text, text.encode()) for path, text in files.items()], Memory())
    assert [(each.path, each.line) for each in problems] == [(WORKFLOW, 1)] * (calls - MOST_CALLS)
    assert all("more than 50 sets of variables" in each.message for each in problems)
