import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.usage import Kind
from bot.formats.finding import LARGEST_FILE, find_usages, kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Dockerfile", Kind.DOCKERFILE),
        ("src/api/Dockerfile.alpine", Kind.DOCKERFILE),
        ("build/api.Dockerfile", Kind.DOCKERFILE),
        ("api.dockerfile", Kind.DOCKERFILE),
        ("dockerfile", Kind.DOCKERFILE),
        ("Containerfile", Kind.DOCKERFILE),
        ("Containerfile.prod", Kind.DOCKERFILE),
        ("Dockerfile-alpine", Kind.DOCKERFILE),
        ("Dockerfile_dev", Kind.DOCKERFILE),
        ("Dockerfile2", Kind.DOCKERFILE),
        ("Dockerfile.go", Kind.DOCKERFILE),
        ("build/api-Dockerfile", Kind.DOCKERFILE),
        ("DOCKERFILE", Kind.DOCKERFILE),
        ("compose.yaml", Kind.COMPOSE),
        ("deploy/docker-compose.prod.yml", Kind.COMPOSE),
        ("deploy/prod.docker-compose.yml", Kind.COMPOSE),
        ("Docker-Compose.yaml", Kind.COMPOSE),
        ("compose-dev.yaml", Kind.COMPOSE),
        ("deploy/docker-stack.yml", Kind.COMPOSE),
        ("k8s/decompose.yaml", Kind.KUBERNETES),
        (".github/workflows/ci.yml", Kind.WORKFLOW),
        ("actions/build/action.yaml", Kind.WORKFLOW),
        ("docker-bake.hcl", Kind.BAKE),
        ("docker-bake.override.json", Kind.BAKE),
        ("bake.hcl", Kind.BAKE),
        ("build/bake.json", Kind.BAKE),
        ("handbake.json", None),
        (".devcontainer/devcontainer.json", Kind.DEVCONTAINER),
        (".devcontainer/api/devcontainer.json", Kind.DEVCONTAINER),
        (".devcontainer.json", Kind.DEVCONTAINER),
        (".devcontainer/devcontainer.base.json", Kind.DEVCONTAINER),
        ("src/Api/Api.csproj", Kind.PROJECT),
        ("Directory.Build.props", Kind.PROJECT),
        ("eng/Containers.targets", Kind.PROJECT),
        ("src/Api/Properties/PublishProfiles/Container.pubxml", Kind.PROJECT),
        ("global.json", Kind.GLOBAL_JSON),
        ("chart/values.yaml", Kind.HELM_VALUES),
        ("chart/values-prod.yml", Kind.HELM_VALUES),
        ("chart/prod-values.yaml", Kind.HELM_VALUES),
        ("chart/prod.values.yaml", Kind.HELM_VALUES),
        ("chart/values/prod.yaml", Kind.HELM_VALUES),
        ("k8s/deployment.yaml", Kind.KUBERNETES),
        ("README.md", None),
        ("main.tf", None),
        ("variables.hcl", None),
        ("appsettings.json", None),
        (".devcontainer/devcontainer-lock.json", None),
        ("Dockerfile.d/readme/notes.md", None),
        ("docs/Dockerfiles.md", None),
        ("Dockerfile.dockerignore", None),
        ("Dockerfile.md", None),
        ("lint/dockerfile.py", None),
        ("parse_dockerfile.go", None),
        ("dockerfile-lint.sh", None),
        ("DockerfileParser.cs", None),
        ("dockerfiles", None),
        ("dockerfile.yaml", Kind.KUBERNETES),
    ],
)
def test_the_path_tells_the_kind(path: str, kind: Kind | None) -> None:
    assert kind_of(path) is kind


def test_a_file_of_no_kind_tells_nothing() -> None:
    assert find_usages("README.md", b"FROM alpine") == find_usages("x", b"")


def test_the_kind_can_be_told() -> None:
    assert find_usages("image.txt", b"FROM alpine", Kind.DOCKERFILE).usages


def test_a_file_that_is_too_large_is_one_problem() -> None:
    found = find_usages("Dockerfile", b"FROM alpine\n" * (LARGEST_FILE // 10))
    assert found.usages == ()
    assert "larger than 1024 KiB" in found.problems[0].message


def test_a_binary_file_is_one_problem() -> None:
    found = find_usages("Dockerfile", "FROM alpine".encode("utf-16"))
    assert [problem.message for problem in found.problems] == [
        "holds NUL bytes, so it is no text file in UTF-8; convert it"
    ]


@given(st.sampled_from(sorted(Kind)), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_raises(kind: Kind, data: bytes) -> None:
    find_usages("file", data, kind)
