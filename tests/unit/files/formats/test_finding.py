import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.usage import Kind
from bot.files.formats.finding import LARGEST_FILE, find_usages, kind_in
from bot.files.formats.table import FORMATS, kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Dockerfile", "dockerfile"),
        ("src/api/Dockerfile.alpine", "dockerfile"),
        ("build/api.Dockerfile", "dockerfile"),
        ("api.dockerfile", "dockerfile"),
        ("dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("Containerfile.prod", "dockerfile"),
        ("Dockerfile-alpine", "dockerfile"),
        ("Dockerfile_dev", "dockerfile"),
        ("Dockerfile2", "dockerfile"),
        ("Dockerfile.go", "dockerfile"),
        ("build/api-Dockerfile", "dockerfile"),
        ("Arm64Dockerfile", "dockerfile"),
        ("DockerfileArm64", "dockerfile"),
        ("src/apiDockerfile", "dockerfile"),
        ("docker/ContainerfileWeb", "dockerfile"),
        ("DOCKERFILE", "dockerfile"),
        ("launchtools/StandardDockerfile.docker", "dockerfile"),
        ("src/SimpleDockerfile.Alpine", "dockerfile"),
        ("build/api.docker", "dockerfile"),
        ("compose.yaml", "compose"),
        ("deploy/docker-compose.prod.yml", "compose"),
        ("deploy/prod.docker-compose.yml", "compose"),
        ("Docker-Compose.yaml", "compose"),
        ("compose-dev.yaml", "compose"),
        ("deploy/docker-stack.yml", "compose"),
        ("k8s/decompose.yaml", "kubernetes"),
        (".github/workflows/ci.yml", "gha"),
        ("actions/build/action.yaml", "gha"),
        ("docker-bake.hcl", "bake"),
        ("docker-bake.override.json", "bake"),
        ("bake.hcl", "bake"),
        ("build/bake.json", "bake"),
        ("handbake.json", None),
        (".devcontainer/devcontainer.json", "devcontainer"),
        (".devcontainer/api/devcontainer.json", "devcontainer"),
        (".devcontainer.json", "devcontainer"),
        (".devcontainer/devcontainer.base.json", "devcontainer"),
        ("src/Api/Api.csproj", "csproj"),
        ("Directory.Build.props", "csproj"),
        ("eng/Containers.targets", "csproj"),
        ("src/Api/Properties/PublishProfiles/Container.pubxml", "csproj"),
        ("global.json", "global-json"),
        ("chart/values.yaml", "helm-values"),
        ("chart/values-prod.yml", "helm-values"),
        ("chart/prod-values.yaml", "helm-values"),
        ("chart/prod.values.yaml", "helm-values"),
        ("chart/values/prod.yaml", "helm-values"),
        ("k8s/deployment.yaml", "kubernetes"),
        ("azure-pipelines.yml", "azure-pipelines"),
        ("build/azure-pipelines.release.yml", "azure-pipelines"),
        (".azure-pipelines/templates/image.yaml", "azure-pipelines"),
        ("eng/pipelines/build.yml", "azure-pipelines"),
        (".gitlab-ci.yml", "gitlab-ci"),
        (".circleci/config.yml", "circleci"),
        ("Jenkinsfile", "other-build"),
        ("eng/publish.sh", "shell"),
        ("build.ps1", "shell"),
        ("README.md", None),
        ("main.tf", None),
        ("variables.hcl", None),
        ("appsettings.json", None),
        (".devcontainer/devcontainer-lock.json", None),
        ("Dockerfile.d/readme/notes.md", None),
        ("docs/Dockerfiles.md", None),
        ("docs/Dockerfiles", None),
        ("bin/mydockerfile", None),
        ("a\nb/Dockerfile", None),
        ("Dockerfile.dockerignore", None),
        ("Dockerfile.md", None),
        ("lint/dockerfile.py", None),
        ("parse_dockerfile.go", None),
        ("dockerfile-lint.sh", "shell"),
        ("DockerfileParser.cs", "aspire"),
        ("dockerfiles", None),
        ("dockerfile.yaml", "kubernetes"),
    ],
)
def test_the_path_tells_the_kind(path: str, kind: Kind | None) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("services:\n  web: {image: 'x:1'}\n", "compose"),
        ("name: shop\nx-all: &all {image: 'x:1'}\nservices:\n  web: {<<: *all}\n  db:\n", "compose"),
        ("version: '3'\n'services':\n  web: {build: .}\n", "compose"),
        ("services: {web: {build: {context: .}}}\n", "compose"),
        ("services: {web: {environment: {A: b}}}\n", "kubernetes"),
        ("services: {web: {image: {repository: x, tag: '1'}}}\n", "kubernetes"),
        ("services: {web: {image: 'x:1'}}\nreplicas: 2\n", "kubernetes"),
        ("services: {web: {image: 'x:1'}}\nkind: App\napiVersion: example.com/v1\n", "kubernetes"),
        ("services:\n- image: x:1\n", "kubernetes"),
        ("services:\n- postgres\nimage: x:1\n", "kubernetes"),
        ("services: {web: {build: {steps: 3}}}\n", "kubernetes"),
        ("services: [image\n", "kubernetes"),
        ("trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps:\n- script: make\n", "azure-pipelines"),
        ("jobs:\n- job: a\n  steps:\n  - task: Docker@2\n", "azure-pipelines"),
        ("on: push\njobs:\n  a:\n    steps:\n    - script: x\n      task: A@1\n", "kubernetes"),
    ],
)
def test_where_the_path_tells_no_more_than_yaml_the_text_tells_the_kind(text: str, kind: Kind) -> None:
    assert kind_in("deploy/production.yml", text.encode()) == kind


@pytest.mark.parametrize("path", ["src/SimpleDockerfile.Alpine", "launch/Standard.docker"])
def test_a_name_that_dockerfiles_seldom_have_needs_a_stage(path: str) -> None:
    assert find_usages(path, b"# of ours\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n").usages
    assert kind_in(path, b"FROM a\n") == "dockerfile"
    assert kind_in(path, b"docker run a\n") is None


def test_what_a_path_tells_is_not_overruled_by_the_text() -> None:
    assert kind_in("chart/values.yaml", b"services: {web: {image: 'x:1'}}\n") == "helm-values"


def test_a_file_of_no_kind_tells_nothing() -> None:
    assert find_usages("README.md", b"FROM alpine") == find_usages("x", b"")


def test_the_kind_can_be_told() -> None:
    assert find_usages("image.txt", b"FROM alpine", Kind("dockerfile")).usages


def test_a_file_that_is_too_large_is_one_problem() -> None:
    found = find_usages("Dockerfile", b"FROM alpine\n" * (LARGEST_FILE // 10))
    assert found.usages == ()
    assert "larger than 1024 KiB" in found.problems[0].message


def test_a_binary_file_is_one_problem() -> None:
    found = find_usages("Dockerfile", "FROM alpine".encode("utf-16"))
    assert [problem.message for problem in found.problems] == [
        "holds NUL bytes, so it is no text file in UTF-8; convert it"
    ]


@given(
    st.sampled_from([each.kind for each in FORMATS]),
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
)
def test_nothing_raises(kind: Kind, data: bytes) -> None:
    find_usages("file", data, kind)


def test_a_file_has_one_line_at_most_with_a_count_of_the_others() -> None:
    found = find_usages("Dockerfile", b"FROM a\nCOPY --from=7 / /\nCOPY --from=8 / /\nCOPY --from=9 / /\n")
    assert [(problem.line, problem.message) for problem in found.problems] == [
        (2, "COPY from=7: there is no stage with this number (and 2 more in this file)")
    ]


@pytest.mark.parametrize(
    ("path", "service"), [("Jenkinsfile", "Jenkins"), ("bitbucket-pipelines.yml", "Bitbucket Pipelines")]
)
def test_a_build_that_is_not_read_is_told(path: str, service: str) -> None:
    [problem] = find_usages(path, b"image: mcr.microsoft.com/dotnet/sdk:8.0\n").problems
    assert problem.message.startswith(f"a build is there, not read: images that {service} names")


def test_a_pointer_of_git_lfs_is_told_as_what_it_is() -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 1234\n".encode()
    found = find_usages("Dockerfile", pointer)
    assert found.usages == ()
    [problem] = found.problems
    assert "Git LFS" in problem.message
