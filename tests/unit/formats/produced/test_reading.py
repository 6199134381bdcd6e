import pytest

from bot.formats.produced.reading import named_in

WORKFLOW = ".github/workflows/build.yml"


def named(path: str, text: str) -> list[str]:
    return [f"{each.name}:{each.tag}" for each in named_in(path, text.encode())]


def workflow(*steps: str) -> str:
    return "jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + "".join(steps)


def build(**inputs: str) -> str:
    given = "".join(f"          {name}: {value}\n" for name, value in inputs.items())
    return f"      - uses: docker/build-push-action@v6\n        with:\n{given}"


def test_build_push_action_names_what_it_pushes() -> None:
    text = workflow(build(push="true", tags="ghcr.io/contoso/shop:latest"))
    [found] = named_in(WORKFLOW, text.encode())
    assert (found.name, found.tag, found.path, found.line) == ("ghcr.io/contoso/shop", "latest", WORKFLOW, 5)


@pytest.mark.parametrize("push", ["false", "'false'"])
def test_what_is_only_built_is_no_image(push: str) -> None:
    assert named(WORKFLOW, workflow(build(push=push, tags="ghcr.io/contoso/shop:latest"))) == []


def test_expressions_become_the_parts_of_templates() -> None:
    name = "ghcr.io/${{ github.repository }}"
    tags = f"{name}:${{{{ github.sha }}}},{name}:r${{{{ github.run_number }}}}"
    assert named(WORKFLOW, workflow(build(push="${{ github.event_name != 'pull_request' }}", tags=tags))) == [
        "ghcr.io/{owner}/{name}:{sha}",
        "ghcr.io/{owner}/{name}:r{run_number}",
    ]


def test_variables_of_the_workflow_are_put_in() -> None:
    text = "env:\n  REGISTRY: ghcr.io\n  IMAGE: ${{ github.repository }}\n" + workflow(
        build(push="true", tags="${{ env.REGISTRY }}/${{ env.IMAGE }}:${{ steps.version.outputs.tag }}")
    )
    assert named(WORKFLOW, text) == ["ghcr.io/{owner}/{name}:*"]


def test_metadata_action_names_images_and_its_rules_their_tags() -> None:
    metadata = """\
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ghcr.io/contoso/shop
          tags: |
            type=sha
            type=sha,prefix=,format=long
            type=ref,event=branch
            type=ref,event=pr
            type=semver,pattern={{version}}
            type=schedule,pattern={{date 'YYYYMMDD'}}
            type=raw,value=stable
"""
    assert named(WORKFLOW, workflow(metadata, build(push="true", tags="${{ steps.meta.outputs.tags }}"))) == [
        "ghcr.io/contoso/shop:sha-{short_sha}",
        "ghcr.io/contoso/shop:{sha}",
        "ghcr.io/contoso/shop:{branch}",
        "ghcr.io/contoso/shop:{date:%Y%m%d}",
        "ghcr.io/contoso/shop:stable",
    ]


def test_the_name_ends_where_the_tag_begins_though_a_date_has_a_colon_too() -> None:
    text = workflow(build(push="true", tags="ghcr.io:443/contoso/shop:${{ steps.day.outputs.day }}"))
    [open_tag] = named_in(WORKFLOW, text.encode())
    assert (open_tag.name, open_tag.tag) == ("ghcr.io:443/contoso/shop", "*")
    metadata = """\
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ghcr.io/contoso/shop
          tags: type=raw,value={{date 'YYYYMMDD'}}
"""
    [dated] = named_in(
        WORKFLOW, workflow(metadata, build(push="true", tags="${{ steps.meta.outputs.tags }}")).encode()
    )
    assert (dated.name, dated.tag) == ("ghcr.io/contoso/shop", "{date:%Y%m%d}")


@pytest.mark.parametrize(
    ("on", "is_named"),
    [
        ("pull_request", False),
        ("[pull_request, merge_group]", False),
        ("{pull_request: {branches: [main]}}", False),
        ("[push, pull_request]", True),
        ("{workflow_dispatch: , pull_request: }", True),
        ("workflow_call", True),
        ("{pull_request: {types: [closed]}}", True),
    ],
)
def test_what_only_pull_requests_build_is_no_image_of_the_repository(on: str, is_named: bool) -> None:
    """No rebuild makes it anew."""
    text = f"on: {on}\n" + workflow(build(push="true", tags="ghcr.io/contoso/preview:1"))
    assert bool(named(WORKFLOW, text)) is is_named


def test_metadata_action_puts_its_flavor_around_each_tag_that_has_none_of_its_own() -> None:
    metadata = """\
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: |
            name=ghcr.io/contoso/shop,enable=true
          flavor: |
            latest=false
            prefix=net10-
            suffix=-alpine,onlatest=true
          tags: |
            type=sha
            type=sha,prefix=,suffix=
            type=raw,value=stable
"""
    assert named(WORKFLOW, workflow(metadata, build(push="true", tags="${{ steps.meta.outputs.tags }}"))) == [
        "ghcr.io/contoso/shop:sha-{short_sha}-alpine",
        "ghcr.io/contoso/shop:{short_sha}",
        "ghcr.io/contoso/shop:net10-stable-alpine",
    ]


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("{{branch}}-{{sha}}", "{branch}-{short_sha}"),
        ("v{{date 'YYYYMMDD-HHmmss'}}", "v{date:%Y%m%d-%H%M%S}"),
        ("{{date 'X'}}", "*"),
        ("{{date 'YYYY[w]ww'}}", "*"),
        ("1.{{commit_date 'YYYYMMDD'}}", "1.*"),
    ],
)
def test_metadata_action_s_own_expressions_are_read_and_those_that_no_name_is_known_for_are_open(
    value: str, tag: str
) -> None:
    metadata = f"""\
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ghcr.io/contoso/shop
          tags: type=raw,value={value}
"""
    text = workflow(metadata, build(push="true", tags="${{ steps.meta.outputs.tags }}"))
    assert named(WORKFLOW, text) == [f"ghcr.io/contoso/shop:{tag}"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker build -t ghcr.io/contoso/shop:1 --push .", ["ghcr.io/contoso/shop:1"]),
        ("docker buildx build --tag=ghcr.io/contoso/shop:$GITHUB_SHA --push .", ["ghcr.io/contoso/shop:{sha}"]),
        ("docker build -t ghcr.io/contoso/shop:1 .", []),
        ("docker push ghcr.io/contoso/shop:${GITHUB_SHA::7}", ["ghcr.io/contoso/shop:{short_sha}"]),
        ("docker build -t shop --push .", []),
        ("docker push ghcr.io/$ORG/shop:1", []),
        ("docker push ghcr.io/contoso/shop:$(date +%Y%m%d)", ["ghcr.io/contoso/shop:*"]),
        ("az acr build -r contoso -t shop:1 .", ["contoso.azurecr.io/shop:1"]),
        (
            "dotnet publish /t:PublishContainer -p:ContainerRegistry=ghcr.io -p:ContainerRepository=contoso/shop",
            ["ghcr.io/contoso/shop:latest"],
        ),
    ],
)
def test_command_lines_count_where_they_push(command: str, expected: list[str]) -> None:
    assert named(WORKFLOW, workflow(f"      - run: {command}\n")) == expected
    assert named("build.sh", command) == expected


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (
            "docker build -t ghcr.io/contoso/shop:1 -t ghcr.io/contoso/shop:1.2 -t ghcr.io/contoso/cart:3 .",
            ["1", "1.2"],
        ),
        ("docker tag local ghcr.io/contoso/shop:1", ["*"]),
    ],
)
@pytest.mark.parametrize("option", ["--all-tags", "-a"])
def test_a_push_of_all_tags_pushes_those_that_were_built_and_no_latest(
    option: str, before: str, found: list[str]
) -> None:
    text = workflow(f"      - run: |\n          {before}\n          docker push {option} ghcr.io/contoso/shop\n")
    assert named(WORKFLOW, text) == [f"ghcr.io/contoso/shop:{tag}" for tag in found]


def test_bake_targets_name_what_they_build() -> None:
    text = """\
variable "TAG" { default = "latest" }
target "base" { tags = ["ghcr.io/contoso/base:1"] }
target "shop" {
  inherits = ["base"]
  matrix = { flavour = ["web", "worker"] }
  name = "shop-${flavour}"
  tags = ["ghcr.io/contoso/${flavour}:${TAG}", "ghcr.io/contoso/${flavour}:${formatdate("YYYYMMDD", timestamp())}"]
}
"""
    assert named("docker-bake.hcl", text) == [
        "ghcr.io/contoso/base:1",
        "ghcr.io/contoso/web:latest",
        "ghcr.io/contoso/web:*",
        "ghcr.io/contoso/worker:latest",
        "ghcr.io/contoso/worker:*",
    ]


def test_compose_services_with_a_build_name_their_image() -> None:
    text = "services:\n  shop:\n    build: .\n    image: ghcr.io/contoso/shop:2\n  db:\n    image: postgres:17\n"
    assert named("compose.yaml", text) == ["ghcr.io/contoso/shop:2"]


def test_a_project_names_registry_and_repository() -> None:
    text = (
        "<Project><PropertyGroup><ContainerRegistry>ghcr.io</ContainerRegistry>"
        "<ContainerRepository>contoso/shop</ContainerRepository>"
        "<ContainerImageTags>1.2;latest</ContainerImageTags></PropertyGroup></Project>"
    )
    assert named("shop.csproj", text) == ["ghcr.io/contoso/shop:1.2", "ghcr.io/contoso/shop:latest"]


def test_docker_task_counts_where_its_connection_is_called_by_the_host() -> None:
    text = """\
steps:
  - task: Docker@2
    inputs:
      command: buildAndPush
      containerRegistry: contoso.azurecr.io
      repository: shop
      tags: |
        $(Build.SourceVersion)
        $(Build.BuildId)
"""
    assert named("azure-pipelines.yml", text) == ["contoso.azurecr.io/shop:{sha}", "contoso.azurecr.io/shop:*"]
    assert named("azure-pipelines.yml", text.replace("contoso.azurecr.io", "production")) == []


@pytest.mark.parametrize("path", [WORKFLOW, "docker-bake.hcl", "compose.yaml", "a.csproj", "azure-pipelines.yml"])
def test_broken_files_name_nothing(path: str) -> None:
    assert named(path, "push build services target tags ContainerRegistry Docker@ {{{ [ <") == []


def files(path: str, text: str) -> list[tuple[str, ...]]:
    return [each.built_from for each in named_in(path, text.encode())]


def test_a_build_action_builds_from_its_file_or_from_the_dockerfile_of_its_context() -> None:
    text = workflow(
        build(push="true", tags="ghcr.io/contoso/shop:latest"),
        build(push="true", tags="ghcr.io/contoso/sdk:latest", context="sdk"),
        build(push="true", tags="ghcr.io/contoso/api:latest", context="sdk", file="images/api.Dockerfile"),
        build(push="true", tags="ghcr.io/contoso/web:latest", file="${{ inputs.file }}"),
    )
    assert files(WORKFLOW, text) == [("Dockerfile",), ("sdk/Dockerfile",), ("images/api.Dockerfile",), ()]


def test_a_command_builds_from_the_dockerfile_where_it_runs() -> None:
    step = "      - run: |\n          cd images\n          docker build --push -t ghcr.io/o/s -f sdk.Dockerfile .\n"
    assert files(WORKFLOW, workflow(step)) == [("images/sdk.Dockerfile",)]


def test_targets_of_bake_and_services_of_compose_build_from_their_dockerfiles() -> None:
    bake = 'target "sdk" {\n  context = "sdk"\n  tags = ["ghcr.io/contoso/sdk:latest"]\n}\n'
    assert files("docker-bake.hcl", bake) == [("sdk/Dockerfile",)]
    compose = "services:\n  sdk:\n    image: ghcr.io/contoso/sdk\n    build: ./sdk\n"
    assert files("deploy/compose.yaml", compose) == [("deploy/sdk/Dockerfile",)]
