import time

import pytest

from bot.files.formats.produced.reading import MOST_NAMES
from tests.unit.files.formats.produced.naming import named_in

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


def metadata(tags: str, more: str = "") -> str:
    lines = "".join(f"            {line}\n" for line in tags.splitlines())
    head = "      - id: meta\n        uses: docker/metadata-action@v5\n        with:\n"
    return f"{head}          images: ghcr.io/contoso/shop\n{more}          tags: |\n{lines}"


META = build(push="true", tags="${{ steps.meta.outputs.tags }}")


def test_no_more_images_and_rules_of_metadata_action_are_put_together_than_people_write() -> None:
    tags = "".join(f"type=raw,value=t{number}\n" for number in range(600))
    images = "".join(f"            ghcr.io/contoso/shop{number}\n" for number in range(600))
    text = workflow(metadata(tags).replace(" ghcr.io/contoso/shop\n", f" |\n{images}"), META)
    assert named(WORKFLOW, text) == [f"ghcr.io/contoso/shop0:t{number}" for number in range(100)]


def test_a_rule_of_metadata_action_that_is_longer_than_any_tag_makes_none() -> None:
    rules = f"type=raw,value={{{{{' ' * 20_000}x\ntype=sha"
    assert named(WORKFLOW, workflow(metadata(rules), META)) == ["ghcr.io/contoso/shop:sha-{short_sha}"]


@pytest.mark.parametrize(
    ("flavor", "latest"),
    [
        ("suffix=-noble", "latest"),
        ("suffix=-noble,onlatest=true", "latest-noble"),
        ("suffix=-noble,onlatest=false", "latest"),
        ("prefix=v,onlatest=true", "vlatest"),
    ],
)
def test_the_flavor_stands_around_latest_where_it_says_so(flavor: str, latest: str) -> None:
    more = f"          flavor: |\n            latest=true\n            {flavor}\n"
    assert named(WORKFLOW, workflow(metadata("type=sha", more), META))[-1] == f"ghcr.io/contoso/shop:{latest}"


@pytest.mark.parametrize(
    ("on", "is_named"),
    [("[schedule, workflow_dispatch]", False), ("{schedule: [{cron: '0 4 * * 1'}]}", True), ("push", False)],
)
def test_a_tag_of_scheduled_runs_counts_where_there_are_no_others(on: str, is_named: bool) -> None:
    text = f"on: {on}\n" + workflow(metadata("type=schedule,pattern={{date 'YYYYMMDD'}}"), META)
    assert named(WORKFLOW, text) == (["ghcr.io/contoso/shop:{date:%Y%m%d}"] if is_named else [])


@pytest.mark.parametrize(
    ("form", "tag"),
    [
        ("YYYYMMDD", "{date:%Y%m%d}"),
        ("YY.MM.DD-HH.mm.ss", "{date:%y.%m.%d-%H.%M.%S}"),
        ("GGGG-[w]WW-E", "{date:%G-w%V-%u}"),
        ("DDDD", "{date:%j}"),
        ("MMM", "{date:%b}"),
        ("hhA", "{date:%I%p}"),
        ("YYYYMMDDHmm", "*"),
        ("YYYY-M-D", "*"),
        ("Do", "*"),
        ("Q", "*"),
        ("x", "*"),
        ("YYYY/MM", "*"),
        ("LL", "*"),
    ],
)
def test_dates_of_metadata_action_are_ours_where_every_part_has_a_name(form: str, tag: str) -> None:
    text = workflow(metadata(f"type=raw,value={{{{date '{form}'}}}}"), META)
    assert named(WORKFLOW, text) == [f"ghcr.io/contoso/shop:{tag}"]


def test_a_date_of_another_time_zone_is_open() -> None:
    tags = "type=raw,value={{date 'YYYYMMDD' tz='UTC'}}\ntype=raw,value=d{{date 'YYYYMMDD' tz='Europe/Oslo'}}"
    assert named(WORKFLOW, workflow(metadata(tags), META)) == [
        "ghcr.io/contoso/shop:{date:%Y%m%d}",
        "ghcr.io/contoso/shop:d*",
    ]


def test_rules_of_metadata_action_count_where_they_are_enabled() -> None:
    tags = """\
type=sha,enable=false
type=raw,value=a,enable={{is_default_branch}}
type=raw,value=b,enable={{is_not_default_branch}}
type=raw,value=c,enable=${{ github.event_name == 'pull_request' }}
type=raw,value=d,enable=${{ github.event_name != 'pull_request' }}
type=edge
type=edge,branch=next
value=e
{{tag}}"""
    assert named(WORKFLOW, workflow(metadata(tags), META)) == [
        f"ghcr.io/contoso/shop:{tag}" for tag in ("a", "d", "edge", "e")
    ]


def test_a_flavor_that_asks_for_latest_adds_it() -> None:
    flavor = "          flavor: latest=true\n"
    assert named(WORKFLOW, workflow(metadata("type=sha", flavor), META)) == [
        "ghcr.io/contoso/shop:sha-{short_sha}",
        "ghcr.io/contoso/shop:latest",
    ]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ("type=image,name=ghcr.io/contoso/shop:1,push=true", ["ghcr.io/contoso/shop:1"]),
        ("type=registry,name=ghcr.io/contoso/shop", ["ghcr.io/contoso/shop:latest"]),
        (
            "'type=image,\"name=ghcr.io/contoso/shop:1,ghcr.io/contoso/till:2\",push=true'",
            ["ghcr.io/contoso/shop:1", "ghcr.io/contoso/till:2"],
        ),
        ("type=image,name=ghcr.io/contoso/shop:1", []),
        ("type=local,dest=out", []),
        ("type=image,name=ghcr.io/contoso/shop,push-by-digest=true,name-canonical=true,push=true", []),
    ],
)
def test_an_output_names_what_it_pushes(outputs: str, expected: list[str]) -> None:
    assert named(WORKFLOW, workflow(build(outputs=outputs))) == expected


def test_what_is_pushed_by_digest_is_named_by_the_step_that_joins_it() -> None:
    join = (
        '      - run: docker buildx imagetools create $(jq -cr . <<< "$DOCKER_METADATA_OUTPUT_JSON") x@sha256:1\n'
    )
    by_digest = build(outputs="type=image,name=ghcr.io/contoso/shop,push-by-digest=true,push=true")
    assert named(WORKFLOW, workflow(by_digest, metadata("type=raw,value=edge"), join)) == [
        "ghcr.io/contoso/shop:edge"
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("buildah push shop docker://ghcr.io/contoso/shop:1", ["ghcr.io/contoso/shop:1"]),
        ("buildah push --creds a:b shop docker://ghcr.io/contoso/shop:1", ["ghcr.io/contoso/shop:1"]),
        ("buildah push shop oci:./out", []),
        ("podman push ghcr.io/contoso/shop:1", ["ghcr.io/contoso/shop:1"]),
        ("podman push localhost/shop docker://ghcr.io/contoso/shop:1", ["ghcr.io/contoso/shop:1"]),
        ("skopeo copy oci-archive:shop.tar docker://ghcr.io/contoso/shop:1", ["ghcr.io/contoso/shop:1"]),
        ("skopeo copy --all dir:out docker://ghcr.io/contoso/shop:1", ["ghcr.io/contoso/shop:1"]),
        ("skopeo copy docker://mcr.microsoft.com/dotnet/sdk:10.0 docker://ghcr.io/contoso/sdk:10.0", []),
        ("skopeo inspect docker://ghcr.io/contoso/shop:1", []),
        ("docker push ghcr.io/contoso/shop:$env:GITHUB_SHA", ["ghcr.io/contoso/shop:{sha}"]),
        ('docker push "ghcr.io/contoso/shop:${env:GITHUB_RUN_NUMBER}"', ["ghcr.io/contoso/shop:{run_number}"]),
        ('$env:TAG = "4.2"\ndocker push ghcr.io/contoso/shop:$env:TAG', ["ghcr.io/contoso/shop:4.2"]),
        ("docker push ghcr.io/contoso/shop:$env:TAG", ["ghcr.io/contoso/shop:*"]),
        ("env=prod\ndocker push ghcr.io/contoso/shop-$env:2", ["ghcr.io/contoso/shop-prod:2"]),
    ],
)
def test_other_tools_and_shells_push_as_well(script: str, expected: list[str]) -> None:
    assert named("build.sh", script) == expected


def test_an_image_that_is_tagged_before_it_is_pushed_is_built_where_its_first_name_was() -> None:
    script = "docker build --pull -f src/Dockerfile -t shop .\ndocker tag shop ghcr.io/contoso/shop:1\n"
    push = "docker push ghcr.io/contoso/shop:1\n"
    for text in (
        workflow(f"      - run: |\n          {script.replace(chr(10), chr(10) + ' ' * 10)}{push}"),
        workflow(
            f"      - run: |\n          {script.replace(chr(10), chr(10) + ' ' * 10)}\n", f"      - run: {push}"
        ),
    ):
        [image] = named_in(WORKFLOW, text.encode())
        assert (image.name, image.pulls, image.built_from) == ("ghcr.io/contoso/shop", True, ("src/Dockerfile",))


COPY = "it is a copy of mcr.microsoft.com/dotnet/aspnet:{}, which no build here makes anew"


@pytest.mark.parametrize(
    ("script", "tag", "weakness"),
    [
        ("docker pull {0}:8.0\ndocker tag {0}:8.0 {1}:8.0\ndocker push {1}:8.0", "8.0", COPY.format("8.0")),
        ("podman pull -q {0}:8.0\npodman push {0}:8.0 {1}:8.0", "8.0", COPY.format("8.0")),
        (
            "for t in 8 9; do docker image pull {0}:$t; docker tag {0}:$t {1}:$t; docker push {1}:$t; done",
            "*",
            COPY.format("*"),
        ),
        (
            "docker pull {1}:8.0 || true\ndocker build --cache-from {1}:8.0 -t {1}:8.0 .\ndocker push {1}:8.0",
            "8.0",
            "",
        ),
        ("docker pull {1}:8.0\nmake image\ndocker push {1}:8.0", "8.0", ""),
        ("docker pull {0}:8.0\ndocker build -t app .\ndocker tag app {1}:8.0\ndocker push {1}:8.0", "8.0", ""),
        ("docker build -t app .\ndocker pull app\ndocker tag app {1}:8.0\ndocker push {1}:8.0", "8.0", ""),
    ],
)
def test_what_is_pulled_and_pushed_under_another_name_is_told_as_a_copy(
    script: str, tag: str, weakness: str
) -> None:
    text = script.format("mcr.microsoft.com/dotnet/aspnet", "ghcr.io/contoso/aspnet")
    [image] = named_in("mirror.sh", text.encode())
    assert (f"{image.name}:{image.tag}", image.weakness) == (f"ghcr.io/contoso/aspnet:{tag}", weakness)


def test_an_image_that_one_step_pulls_is_a_copy_in_another() -> None:
    steps = [
        "      - run: docker pull mcr.microsoft.com/dotnet/aspnet:8.0\n",
        "      - run: docker tag mcr.microsoft.com/dotnet/aspnet:8.0 ghcr.io/contoso/aspnet:8.0\n",
        "      - run: docker push ghcr.io/contoso/aspnet:8.0\n",
    ]
    [image] = named_in(WORKFLOW, workflow(*steps).encode())
    assert (image.line, image.weakness) == (7, COPY.format("8.0"))


def test_a_copy_of_what_another_job_of_the_file_builds_is_built_as_that() -> None:
    text = workflow("      - run: docker build -t {0}:{1} . && docker push {0}:{1}\n") + (
        "  promote:\n    needs: build\n    steps:\n"
        "      - run: docker pull {0}:{1} && docker tag {0}:{1} {2}:latest && docker push {2}:latest\n"
    )
    filled = text.format("ghcr.io/contoso/shop", "${{ github.sha }}", "prod.azurecr.io/shop")
    found = [(each.name, each.built_from, each.weakness) for each in named_in(WORKFLOW, filled.encode())]
    assert found == [
        ("ghcr.io/contoso/shop", ("Dockerfile",), ""),
        ("prod.azurecr.io/shop", ("Dockerfile",), ""),
    ]


def test_what_is_only_pulled_is_not_taken_to_be_built_where_all_tags_are_pushed() -> None:
    script = (
        "docker pull {0}:cache || true\ndocker pull {0}:1 || true\n"
        "docker build --cache-from {0}:cache -t {0}:1 .\ndocker push --all-tags {0}"
    )
    assert named("build.sh", script.format("ghcr.io/contoso/shop")) == ["ghcr.io/contoso/shop:1"]


def test_commands_that_push_all_tags_again_and_again_are_followed_to_a_bound() -> None:
    made = "".join(f"          docker build -t ghcr.io/contoso/shop:{tag} .\n" for tag in range(500))
    text = workflow("      - run: |\n" + made + "          docker push -a ghcr.io/contoso/shop\n" * 500)
    begun = time.thread_time()
    assert len(named_in(WORKFLOW, text.encode())) == MOST_NAMES
    assert time.thread_time() - begun < 3


def test_an_image_that_an_action_builds_may_be_pushed_by_a_command() -> None:
    text = workflow(
        build(load="true", tags="ghcr.io/contoso/shop:1", file="src/Dockerfile", pull="true"),
        "      - run: docker push ghcr.io/contoso/shop:1\n",
    )
    [image] = named_in(WORKFLOW, text.encode())
    assert (image.tag, image.pulls, image.built_from) == ("1", True, ("src/Dockerfile",))


PUSHED = "ghcr.io/contoso/shop:1"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("github.event_name == 'pull_request'", []),
        ("startsWith(github.ref, 'refs/tags/')", [True]),
        ("github.ref == 'refs/heads/main'", [False]),
    ],
)
def test_what_a_condition_keeps_out_of_rebuilds_is_none_of_their_images_or_weak_evidence(
    condition: str, expected: list[bool]
) -> None:
    on = "on: [push, pull_request]\n"
    step = build(push="true", tags=PUSHED) + f"        if: {condition}\n"
    by_push = build(push=f"${{{{ {condition} }}}}", tags=PUSHED)
    command = f"      - run: docker push {PUSHED}\n        if: {condition}\n"
    for text in (workflow(step), workflow(by_push), workflow(command)):
        found = named_in(WORKFLOW, (on + text).encode())
        assert [bool(each.weakness) for each in found] == expected


def test_what_only_releases_push_says_so() -> None:
    text = "on: {push: {tags: ['v*']}}\n" + workflow(build(push="true", tags=PUSHED))
    [image] = named_in(WORKFLOW, text.encode())
    assert image.weakness == "only runs for tags or releases push it, and no rebuild is one"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('echo "name=shop" >> "$GITHUB_OUTPUT"', ["ghcr.io/contoso/shop:1"]),
        ("echo name=$(echo ${{ github.repository }} | tr '[:upper:]' '[:lower:]') >> $GITHUB_OUTPUT", []),
        ("echo name=$(jq -r .name x.json) >> $GITHUB_OUTPUT", []),
        ("echo name=shop >> $GITHUB_ENV", []),
    ],
)
def test_what_an_earlier_step_tells_is_put_in(script: str, expected: list[str]) -> None:
    told = f"      - id: told\n        run: |\n          {script}\n"
    text = workflow(told, build(push="true", tags="ghcr.io/contoso/${{ steps.told.outputs.name }}:1"))
    assert [name for name in named(WORKFLOW, text) if "{" not in name] == expected


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("$(echo $GITHUB_SHA | cut -c1-7)", "{short_sha}"),
        ("$(git rev-parse --short HEAD)", "{short_sha}"),
        ("$(git rev-parse HEAD)", "{sha}"),
        ("$(git describe)", "*"),
        ("4.2", "4.2"),
    ],
)
def test_what_an_earlier_step_sets_for_those_behind_it_is_put_in(value: str, tag: str) -> None:
    script = f'      - run: echo "TAG={value}" >> "$GITHUB_ENV"\n'
    text = "env: {TAG: latest}\n" + workflow(
        script,
        build(push="true", tags="ghcr.io/contoso/shop:${{ env.TAG }}"),
        "      - run: docker push ghcr.io/o/s:$TAG\n",
    )
    assert named(WORKFLOW, text) == [f"ghcr.io/contoso/shop:{tag}", f"ghcr.io/o/s:{tag}"]


def test_a_repository_s_name_in_lower_case_is_its_name() -> None:
    lowered = "$(echo '${{ github.repository }}' | tr '[:upper:]' '[:lower:]')"
    script = f'      - run: echo "IMAGE={lowered}" >> $GITHUB_ENV\n'
    text = workflow(script, build(push="true", tags="ghcr.io/${{ env.IMAGE }}:1"))
    assert named(WORKFLOW, text) == ["ghcr.io/{owner}/{name}:1"]


@pytest.mark.parametrize(
    ("on", "tag", "is_weak"),
    [
        ("workflow_call", "${{ inputs.tag }}", True),
        ("workflow_call", "latest", False),
        ("workflow_dispatch", "${{ inputs.tag }}", False),
    ],
)
def test_the_default_of_an_input_is_weak_evidence_where_only_others_call_the_workflow(
    on: str, tag: str, is_weak: bool
) -> None:
    text = f"on: {{{on}: {{inputs: {{tag: {{default: edge}}}}}}}}\n" + workflow(
        build(push="true", tags=f"ghcr.io/contoso/shop:{tag}")
    )
    [image] = named_in(WORKFLOW, text.encode())
    assert bool(image.weakness) is is_weak


def test_a_command_of_no_words_at_all_is_none() -> None:
    assert named("build.sh", 'A=\n$A ""\ndocker push ghcr.io/contoso/shop:1\n') == [PUSHED]


@pytest.mark.parametrize(
    ("on", "branches"),
    [
        ("{push: {branches: [canary, '!release/**']}}", ("canary", "!release/**")),
        ("{push: {branches: canary}, pull_request: }", ("canary",)),
        ("{push: {branches: [canary]}, workflow_dispatch: }", ()),
        ("push", ()),
        ("{push: {branches-ignore: [canary]}}", ()),
    ],
)
def test_the_branches_whose_pushes_alone_build_an_image_are_told(on: str, branches: tuple[str, ...]) -> None:
    [image] = named_in(WORKFLOW, (f"on: {on}\n" + workflow(build(push="true", tags=PUSHED))).encode())
    assert image.branches == branches


def test_each_variant_of_a_matrix_tells_which_image_it_builds() -> None:
    text = """\
jobs:
  build:
    strategy: {matrix: {line: ["8.0", "9.0"], os: [a, b]}}
    steps:
      - uses: docker/build-push-action@v6
        with: {push: true, context: "${{ matrix.line }}", tags: "ghcr.io/contoso/golden:${{ matrix.line }}"}
"""
    found = named_in(WORKFLOW, text.encode())
    assert [(each.tag, each.built_from, each.variant) for each in found] == [
        ("8.0", ("8.0/Dockerfile",), "matrix.line=8.0"),
        ("9.0", ("9.0/Dockerfile",), "matrix.line=9.0"),
    ]
