"""Images that command lines run or fetch: `docker run`, `pull` and `create`."""

import pytest

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.finding import find_usages
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import spans_cover_what_they_claim

SDK = "mcr.microsoft.com/dotnet/sdk:8.0"


def find(text: str, path: str = "build.sh") -> Findings:
    findings = find_usages(path, text.encode())
    spans_cover_what_they_claim(text, findings)
    return findings


def images(text: str, path: str = "build.sh") -> list[str]:
    return [str(usage.reference) for usage in find(text, path).usages]


@pytest.mark.parametrize(
    "command",
    [
        f"docker run --rm -v $PWD:/src -w /src {SDK} dotnet test",
        f"docker run -it {SDK}",
        f"docker run -dit --name x {SDK}",
        f"docker run -p8080:80 -e A=b {SDK}",
        f"docker run --env-file=.env --pull always {SDK}",
        f"docker run -u $(id -u):$(id -g) {SDK} dotnet build",
        f"docker run $OPTIONS {SDK} dotnet build",
        f"docker container run --rm {SDK}",
        f"docker --context remote run --rm {SDK}",
        f"docker pull {SDK}",
        f"docker pull -q --platform linux/arm64 {SDK}",
        f"docker image pull {SDK}",
        f"docker create --name x {SDK}",
        f"docker service create --replicas 2 {SDK}",
        f"podman run --rm {SDK} dotnet test",
        f"podman pull docker://{SDK}",
        f"nerdctl run --rm {SDK}",
        f"sudo docker run --rm {SDK}",
        f"id=$(docker create {SDK})",
        f"if ! docker pull {SDK}; then exit 1; fi",
        f"docker run --rm \\\n  -v $PWD:/src \\\n  {SDK} \\\n  dotnet test",
        f'IMAGE="{SDK}"\ndocker run --rm "$IMAGE" dotnet test',
    ],
)
def test_the_image_is_the_first_word_that_is_no_option(command: str) -> None:
    (usage,) = find(f"{command}\n").usages
    assert (str(usage.reference), usage.role) == (SDK, Role.CONTAINER)


@pytest.mark.parametrize(
    "command",
    [
        f"docker network create {SDK}",
        "docker compose run api",
        "docker volume create data",
        "docker buildx create --use",
        "docker run",
        "docker run --rm",
        "docker run --name mcr.microsoft.com/x",
        "docker pull $IMAGE",
        "docker run %IMAGE%",
        f"echo docker run {SDK}",
        "npm run pull docker",
    ],
)
def test_other_commands_run_no_image(command: str) -> None:
    assert images(f"{command}\n") == []


def test_what_the_file_builds_itself_is_no_image_of_elsewhere() -> None:
    text = f"docker build -t contoso/api:1 .\ndocker run --rm contoso/api:1\ndocker run --rm {SDK}\n"
    assert images(text) == [SDK]
    assert images("IMAGE=contoso/api\ndocker build --tag $IMAGE .\ndocker run --rm $IMAGE\n") == []


def test_a_dotnet_image_whose_tag_only_a_run_knows_is_told() -> None:
    (problem,) = find("docker run --rm mcr.microsoft.com/dotnet/sdk:$TAG dotnet test\n").problems
    assert (problem.line, "known only when the command runs" in problem.message) == (1, True)
    assert find("docker run --rm contoso/api:$TAG\n").problems == ()


def test_a_dotnet_image_that_no_command_is_seen_to_run_is_told_once() -> None:
    text = f"# as {SDK}\nfor image in {SDK} mcr.microsoft.com/dotnet/aspnet:8.0; do\n  docker pull $image\ndone\n"
    (problem,) = find(text).problems
    assert problem.line == 2
    assert problem.message.startswith(f"{SDK}, mcr.microsoft.com/dotnet/aspnet:8.0 is named")
    assert find(f"# as {SDK}\ndocker pull {SDK}\n").problems == ()


def test_a_tag_that_a_variable_supplies_is_not_pinned_where_it_stands() -> None:
    (usage,) = find("TAG=8.0\ndocker run mcr.microsoft.com/dotnet/sdk:$TAG\n").usages
    assert (usage.span, usage.fixed_because is not None) == (None, True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".github/workflows/a.yml", "on: push\njobs: {{a: {{steps: [{{run: '{}'}}]}}}}\n"),
        ("action.yml", "runs:\n  using: composite\n  steps:\n    - run: {}\n      shell: bash\n"),
        ("azure-pipelines.yml", "steps:\n  - script: {}\n"),
        ("build.ps1", "{}\n"),
        ("Makefile", "test:\n\t@{}\n"),
        ("justfile", "test:\n    @{}\n"),
    ],
)
def test_wherever_commands_stand_they_are_read(path: str, text: str) -> None:
    assert images(text.format(f"docker run --rm {SDK} dotnet test"), path) == [SDK]


def test_each_variant_of_a_matrix_counts() -> None:
    text = (
        "on: push\njobs:\n  a:\n    strategy: {matrix: {tag: ['8.0', '9.0']}}\n    steps:\n"
        "      - run: docker run --rm mcr.microsoft.com/dotnet/sdk:${{ matrix.tag }} dotnet test\n"
    )
    assert images(text, ".github/workflows/a.yml") == [SDK, SDK.replace("8.0", "9.0")]


def test_a_marker_goes_above_the_lines_that_a_command_goes_on_in() -> None:
    (usage,) = find(f"set -e\ncd src && \\\n  docker run --rm \\\n  {SDK}\n").usages
    assert (usage.line, usage.statement) == (4, 2)


def test_commands_are_read_in_time_in_proportion() -> None:
    def read(size: int) -> None:
        find_usages("a.sh", b"docker run --rm -v a:b \\\n" * (size // 25) + SDK.encode())

    read(100)
    assert growth(read, 20_000) < LINEAR
