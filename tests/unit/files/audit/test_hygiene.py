"""Rebuilds, caches, pins of actions, and what is not read."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.rules.hygiene.weekly_rebuild import is_weekly
from bot.files.formats.practices import tells_of_practices
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcome, outcomes, workflow

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("17 3 * * 1", True),
        ("17 3 * * *", True),
        ("0 */6 * * *", True),
        ("0 0 1 * *", False),
        ("0 0 */3 * *", True),
        ("0 0 1,8,15,22 * *", True),
        ("0 0 * 1 1", False),
        ("nonsense", False),
    ],
)
def test_what_comes_every_week(cron: str, expected: bool) -> None:
    assert is_weekly(cron) is expected


SCHEDULED = "push:\nschedule: [{cron: '17 3 * * 1'}]"


@pytest.mark.parametrize(
    ("triggers", "steps", "expected"),
    [
        ("push:", PUSH, FAILS),
        (SCHEDULED, PUSH, HOLDS),
        ("push:\nschedule: [{cron: '0 0 1 * *'}]", PUSH, FAILS),
        (SCHEDULED, PUSH.replace("push: true", "push: ${{ github.event_name == 'push' }}"), FAILS),
        (SCHEDULED, PUSH.replace("push: true", "push: ${{ github.event_name != 'pull_request' }}"), HOLDS),
        (SCHEDULED, PUSH.replace("  id: build", "  if: startsWith(github.ref, 'refs/tags/')"), FAILS),
        (SCHEDULED, PUSH.replace("  id: build", "  if: github.ref_type == 'tag'"), FAILS),
    ],
)
def test_what_pushes_runs_every_week(triggers: str, steps: str, expected: Outcome) -> None:
    assert outcome("weekly-rebuild", {BUILD: workflow(steps, triggers)}) is expected


def test_a_scheduled_workflow_may_dispatch_it() -> None:
    steps = "steps: [{run: gh workflow run build.yml}]"
    weekly = f"on: {{schedule: [{{cron: '17 3 * * 1'}}]}}\njobs: {{go: {{runs-on: x, {steps}}}}}"
    files = {BUILD: workflow(PUSH, "workflow_dispatch:"), ".github/workflows/weekly.yml": weekly}
    assert outcome("weekly-rebuild", files) is HOLDS


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ("push:", FAILS),
        ("workflow_dispatch:", FAILS),
        ("workflow_dispatch: {inputs: {correlation: {type: string}}}", HOLDS),
    ],
)
def test_what_pushes_can_be_dispatched(triggers: str, expected: Outcome) -> None:
    assert outcome("dispatchable", {BUILD: workflow(PUSH, triggers)}) is expected


@pytest.mark.parametrize(
    ("triggers", "who"),
    [
        ("push:", "nobody but a commit starts it"),
        ("push: {tags: ['v*']}", "nothing but a tag starts it"),
        ("push: {branches: [main], tags: ['v*']}", "nothing but a commit or a tag starts it"),
        ("push:\npull_request:", "nothing but pull_request or push starts it"),
        ("issue_comment:", "nothing but issue_comment starts it"),
        ("push:\nrelease:", "nothing but push or release starts it"),
        ("pull_request: {types: [closed]}", "nothing but a closed pull_request starts it"),
    ],
)
def test_what_starts_it_instead_is_named(triggers: str, who: str) -> None:
    (found,) = findings("dispatchable", {BUILD: workflow(PUSH, triggers)})
    assert found.message == f"workflow_dispatch is missing, so {who}"


@pytest.mark.parametrize(
    ("flag", "who"),
    [
        ("${{ github.event_name != 'pull_request' }}", "nobody but a commit starts it"),
        ("${{ !env.ACT }}", "nothing but pull_request or push starts it"),
    ],
)
def test_a_pull_request_counts_where_it_may_push_too(flag: str, who: str) -> None:
    text = workflow(PUSH.replace("push: true", f"push: {flag}"), "push:\npull_request:")
    (found,) = findings("dispatchable", {BUILD: text})
    assert found.message == f"workflow_dispatch is missing, so {who}"


def test_what_only_others_call_besides_pull_requests_is_asked_through_them() -> None:
    called = {BUILD: workflow(PUSH, "pull_request:\nworkflow_call:")}
    assert outcomes("dispatchable", called) == [UNKNOWN]
    caller = "on: {push: {branches: [main]}}\njobs: {a: {uses: ./.github/workflows/build.yml}}\n"
    (found,) = findings("dispatchable", {**called, ".github/workflows/release.yml": caller})
    assert (found.outcome, found.place.path) == (FAILS, ".github/workflows/release.yml")
    of_tests = caller.replace("{push: {branches: [main]}}", "pull_request")
    assert outcomes("dispatchable", {**called, ".github/workflows/test.yml": of_tests}) == [UNKNOWN]


def push(*lines: str) -> str:
    given = "\n".join(f"    {line}" for line in lines)
    return f"- uses: docker/build-push-action@v6\n  with:\n    push: true\n{given}\n"


@pytest.mark.parametrize(
    ("steps", "job", "expected"),
    [
        (push(), "", HOLDS),
        (push("cache-from: type=gha"), "", FAILS),
        (push("cache-from: type=gha", "pull: true"), "", HOLDS),
        (push("cache-from: type=gha", "no-cache: true"), "", HOLDS),
        (push("pull: ${{ inputs.pull }}"), "", UNKNOWN),
        ("- run: docker buildx build --push --cache-from type=gha -t contoso/api .", "", FAILS),
        ("- run: docker buildx build --push --pull -t contoso/api .", "", HOLDS),
    ],
)
def test_a_rebuild_takes_the_current_base(steps: str, job: str, expected: Outcome) -> None:
    assert outcome("fresh-layers", {BUILD: workflow(steps, job=job)}) is expected


def test_a_runner_of_ones_own_keeps_layers() -> None:
    text = workflow(push()).replace("ubuntu-latest", "{runner}")
    assert outcome("fresh-layers", {BUILD: text.replace("{runner}", "self-hosted")}) is FAILS
    assert outcome("fresh-layers", {BUILD: text.replace("{runner}", "big-runners")}) is UNKNOWN


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ("docker/login-action@v3", [FAILS]),
        (f"docker/login-action@{'a' * 40}", [HOLDS]),
        ("aquasecurity/trivy-action@master", [FAILS]),
        ("sigstore/cosign-installer@v4.0.0", [FAILS]),
        ("actions/checkout@v5", []),
        ("NuGet/login@v1", []),
        ("contoso/actions/registry-login@v1", [FAILS]),
        ("docker://ghcr.io/contoso/scan:1", [FAILS]),
        (f"docker://ghcr.io/contoso/scan@sha256:{'a' * 64}", [HOLDS]),
    ],
)
def test_actions_that_touch_images_are_named_by_commit(uses: str, expected: list[Outcome]) -> None:
    assert outcomes("actions-pinned", {BUILD: workflow(f"- uses: {uses}\n- run: docker info\n")}) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("registry_password: '${{ secrets.DEPLOY }}'", [FAILS]),
        ("container-registry-password: '${{ secrets.DEPLOY }}'", [FAILS]),
        ("password: '${{ secrets.DOCKERHUB_TOKEN }}'", [FAILS]),
        ("token: '${{secrets.SHOP_ACR_PASSWORD}}'", [FAILS]),
        ("registry-password: example", []),
        ("token: '${{ secrets.GITHUB_TOKEN }}'", []),
        ("password: '${{ secrets.ACRONYMS_TOKEN }}'", []),
        ("docker-path: '${{ secrets.FOLDER }}'", []),
    ],
)
def test_an_action_that_is_given_a_registrys_password_is_asked_for_its_commit(
    given: str, expected: list[Outcome]
) -> None:
    files = {BUILD: workflow(f"- run: docker info\n- uses: contoso/retag@main\n  with: {{{given}}}\n")}
    assert outcomes("actions-pinned", files) == expected


def test_build_actions_of_a_workflow_that_pushes_nothing_are_not_asked() -> None:
    assert outcomes("actions-pinned", {BUILD: workflow("- uses: docker/setup-buildx-action@v3\n")}) == []
    assert outcomes("actions-pinned", {BUILD: workflow(PUSH)}) == [FAILS, FAILS]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("azure-pipelines.yml", "steps: [{task: Docker@2, inputs: {command: buildAndPush}}]"),
        (".gitlab-ci.yml", "build: {script: [docker push contoso/api]}"),
        ("infra/main.bicep", "resource app 'Microsoft.App/containerApps@2024-03-01' = {}"),
        (".goreleaser.yaml", "dockers: [{image_templates: [contoso/api]}]".replace("dockers: ", "dockers:\n  ")),
        ("infra/old.bicep", "resource app 'Microsoft.Web/containerApps@2021-03-01' = {}"),
        ("infra/main.tf", 'resource "azurerm_container_app" "api" {}'),
        ("infra/azuredeploy.json", '{"resources": [{"type": "Microsoft.App/containerApps"}]}'),
        ("infra/api.yaml", "location: westeurope\ntype: Microsoft.App/containerApps\nproperties: {}\n"),
        (BUILD, "on: push\njobs: {build: {uses: contoso/ci/.github/workflows/docker-build.yml@v1}}"),
        (BUILD, workflow("- uses: contoso/actions/publish-docker-image@v1\n")),
        (BUILD, workflow("- uses: contoso/actions/build-docker-image@v1\n")),
        (BUILD, workflow("- run: docker info\n- run: aspire do push --verbose\n")),
    ],
)
def test_what_is_not_read_is_said(path: str, text: str) -> None:
    (found,) = findings("unread-delivery", {path: text})
    assert found.outcome is UNKNOWN
    assert found.settled_by
    assert tells_of_practices(path)


def test_what_only_a_run_fills_in_is_shown_as_dots() -> None:
    steps = f"{PUSH}- run: $ROOT/scripts/look.sh\n"
    (found,) = findings("image-scanned", {BUILD: workflow(steps), "scripts/look.sh": "trivy image contoso/api\n"})
    assert "`\N{HORIZONTAL ELLIPSIS}/scripts/look.sh`" in found.message


def test_a_workflow_of_others_that_may_build_what_stands_here_is_said_by_name() -> None:
    called = "on: push\njobs: {ci: {uses: contoso/ci/.github/workflows/build.yml@v1}}"
    (found,) = findings(
        "unread-delivery", {BUILD: called, "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"}
    )
    assert found.message.startswith("contoso/ci/.github/workflows/build.yml@v1 may build and push an image")
    assert findings("unread-delivery", {BUILD: called}) == ()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("deploy_env.yml", True),
        ("app-deploy.yml", True),
        ("deploy-docs.yml", False),
        ("deploy_pages.yml", False),
        ("notify.yml", False),
    ],
)
def test_a_workflow_of_others_that_may_deploy_what_stands_here_is_said_by_name(name: str, *, told: bool) -> None:
    remote = f"contoso/ci/.github/workflows/{name}@v2"
    called = f"on: push\njobs: {{prod: {{uses: {remote}, with: {{environment: prod}}}}}}"
    found = findings("unread-delivery", {BUILD: called, "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"})
    assert [each.message.startswith(f"{remote} may deploy an image") for each in found] == [True] * told
    assert findings("unread-delivery", {BUILD: called}) == ()


def test_a_workflow_that_only_other_repositories_call_is_unknown() -> None:
    assert outcomes("dispatchable", {BUILD: workflow(PUSH, "workflow_call:")}) == [UNKNOWN]


PUSHING = "steps:\n- task: Docker@2\n  inputs: {command: buildAndPush}\n"
WITH_TEMPLATE = "trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps:\n- template: templates/push.yml\n"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"build/release.yml": f"trigger: [main]\n{PUSHING}"}, ["build/release.yml"]),
        (
            {"host/4/publish.yml": "pool:\n  vmImage: u\nsteps:\n- bash: docker push contoso/api\n"},
            ["host/4/publish.yml"],
        ),
        ({"build/templates/push.yml": f"parameters:\n- name: tag\n{PUSHING}"}, ["build/templates/push.yml"]),
        (
            {"ci/main.yml": WITH_TEMPLATE, "ci/templates/push.yml": "steps:\n- bash: docker push contoso/api\n"},
            ["ci/templates/push.yml"],
        ),
        ({"ci/templates/push.yml": "steps:\n- bash: docker push contoso/api\n"}, []),
        ({"tests/release.yml": f"trigger: [main]\n{PUSHING}"}, []),
        ({"build/release.yml": "trigger: [main]\npool: {vmImage: u}\nsteps:\n- script: docker build .\n"}, []),
        (
            {"build/nugets.yml": "trigger: [main]\nsteps:\n- task: NuGetCommand@2\n  inputs:\n    command: push\n"},
            [],
        ),
        (
            {"build/image.yml": "trigger: [main]\nsteps:\n- task: Docker@2\n  inputs:\n    command: push\n"},
            ["build/image.yml"],
        ),
        ({".drone.yml": "kind: pipeline\nsteps:\n- name: a\n  commands: [docker push contoso/api]\n"}, []),
        ({".woodpecker.yml": "when: {branch: main}\nsteps:\n- script: docker push contoso/api\n  pool: x\n"}, []),
        ({"cloudbuild.yaml": "steps:\n- name: gcr.io/x/docker\n  script: docker push contoso/api\n"}, []),
        ({"ci/build.yml": "stages: [a]\njob: {trigger: x, script: [docker push contoso/api]}\n"}, []),
        ({"deploy/task.yaml": f"kind: Task\napiVersion: tekton.dev/v1\n{PUSHING}"}, []),
        ({".gitea/workflows/a.yml": "on: push\njobs: {a: {steps: [{run: docker push contoso/api}]}}\n"}, []),
    ],
)
def test_azure_pipelines_are_found_by_what_they_say(files: dict[str, str], told: list[str]) -> None:
    found = findings("unread-delivery", files)
    assert [each.place.path for each in found if each.subject == "Azure Pipelines"] == told


def test_templates_that_put_each_other_in_are_read_once() -> None:
    files = {
        "ci/a.yml": f"trigger: [main]\n{PUSHING}- template: b.yml\n",
        "ci/b.yml": f"{PUSHING}- template: a.yml@self\n",
    }
    assert outcomes("unread-delivery", files) == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("target", "triggers", "makefile", "places"),
    [
        ("publish", "push:", "publish:\n\tdocker push contoso/api\n", [BUILD]),
        ("ko-publish", "push:", "ko-publish:\n\tko build ./cmd\n", [BUILD]),
        ("test", "push:", "publish:\n\tdocker push contoso/api\n", ["Makefile"]),
        ("publish", "pull_request:", "publish:\n\tdocker push contoso/api\n", ["Makefile"]),
        ("publish", "push:", "publish:\n\tnpm publish\n", []),
    ],
    ids=["started", "started with another program", "another target", "by a pull request", "no image"],
)
def test_a_push_that_a_makefile_makes_is_said_where_it_is_started_or_else_where_it_stands(
    target: str, triggers: str, makefile: str, places: list[str]
) -> None:
    files = {BUILD: workflow(f"- run: make {target}\n", triggers), "Makefile": makefile}
    unread = findings("unread-delivery", files)
    assert [finding.place.path for finding in unread] == places
    assert {finding.outcome for finding in unread} <= {UNKNOWN}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- run: dotnet run/docker.dll --target=DockerPublish --registry github\n", [UNKNOWN]),
        ("- run: dotnet run/build.dll --target=Test\n", []),
        ('- run: DOCKERX_OPTS="--push --platform linux/amd64" make\n', [UNKNOWN]),
        ('- run: |\n    TAG=8 \\\n    OPTS="--push" \\\n    make\n', [UNKNOWN]),
        ("- run: make\n", []),
    ],
)
def test_a_push_that_a_program_of_the_repository_makes_is_said_by_name(steps: str, expected: list[Outcome]) -> None:
    files = {BUILD: workflow(steps, "push:"), "Makefile": "all:\n\tdocker buildx build . $(OPTS) $(DOCKERX_OPTS)\n"}
    assert outcomes("unread-delivery", files) == expected


@pytest.mark.parametrize(("length", "told"), [(100, [UNKNOWN]), (300, [])])
def test_an_action_with_a_longer_name_than_there_can_be_is_not_looked_through(
    length: int, told: list[Outcome]
) -> None:
    """What a pattern does with it takes time that grows with the third power of its length."""
    steps = f"- uses: contoso/{'x' * length}-docker-push@v1\n"
    assert outcomes("unread-delivery", {BUILD: workflow(steps, "push:")}) == told


def test_the_runners_of_a_matrix_that_is_written_out_are_known() -> None:
    job = "strategy:\n  matrix:\n    of:\n      - {os: ubuntu-latest}\n      - {os: ubuntu-24.04-arm}"
    text = workflow(PUSH, job=job).replace("runs-on: ubuntu-latest", "runs-on: ${{ matrix.of.os }}")
    assert set(outcomes("fresh-layers", {BUILD: text})) == {HOLDS}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "main.tf",
            'module "hosting" {\n  source = "github.com/contoso/terraform-azurerm-container-apps-hosting"\n}\n',
        ),
        ("azure-pipelines.yml", "steps:\n  - script: taskctl build:container\n"),
        ("main.tf", 'module "api" {\n  source = "contoso/container_app/azurerm"\n}\n'),
        ("main.tf", 'module "api" {\n  source = "git::https://contoso.com/container-app.git?ref=v1"\n}\n'),
        ("main.tf", 'module "web" {\n  source = "./vendor/web"\n  docker_image = var.image\n}\n'),
        ("main.bicep", "module api 'br/public:avm/res/app/container-app:0.1.0' = {\n}\n"),
    ],
)
def test_containers_of_modules_and_of_build_tools_are_told(path: str, text: str) -> None:
    (found,) = findings("unread-delivery", {path: text})
    assert (found.outcome, found.place.path) == (UNKNOWN, path)


@pytest.mark.parametrize(
    "text",
    [
        'output "arn" {\n  value = aws_ecs_task_definition.api.arn\n}\n',
        'resource "azurerm_container_app_environment" "shop" {}\n',
        'module "shop" {\n  source = "../modules/container-app-environment"\n}\n',
        'resource "google_cloud_run_service_iam_member" "all" {}\n',
        'module "env" {\n  source = "../modules/container_app_environment"\n}\n',
        'module "env" {\n  source = "contoso/container-apps-environment/azurerm"\n}\n',
        'module "id" {\n  source = "contoso/container-app-identity/azurerm"\n}\n',
        'variable "docker_image" {\n  default = "a"\n}\nlocals {\n  docker_image = "b"\n}\n',
    ],
)
def test_terraform_that_only_mentions_containers_runs_none(text: str) -> None:
    assert findings("unread-delivery", {"outputs.tf": text}) == ()


def test_a_module_of_the_repository_is_told_where_it_runs_containers_itself() -> None:
    files = {
        "main.tf": 'module "api" {\n  source = "./modules/container_app"\n  docker_image = "a"\n}\n',
        "modules/container_app/main.tf": 'resource "azurerm_container_app" "this" {}\n',
    }
    assert [each.place.path for each in findings("unread-delivery", files)] == ["modules/container_app/main.tf"]


@pytest.mark.parametrize(
    "kind", ["aws_ecs_task_definition", "google_cloud_run_v2_service", "azurerm_container_app_job"]
)
def test_terraform_that_runs_containers_is_told_by_its_kind(kind: str) -> None:
    (found,) = findings("unread-delivery", {"main.tf": f'resource "{kind}" "api" {{}}\n'})
    assert (found.outcome, found.subject) == (UNKNOWN, kind)


@pytest.mark.parametrize(
    ("action", "does"),
    [
        ("contoso/deploy-azure-container-apps-action/.github/actions/build", "push"),
        ("contoso/deploy-azure-container-apps-action/.github/actions/deploy", "deploy"),
        ("contoso/actions/docker/push", "push"),
        ("contoso/ci/tag-docker-images", "push"),
        ("contoso/ci/retag-image", "push"),
        ("contoso/ci/promote-container", "push"),
    ],
)
def test_an_action_that_brings_containers_on_by_its_path_is_told(action: str, does: str) -> None:
    steps = f"- run: docker version\n- uses: {action}@v1\n"
    (found,) = findings("unread-delivery", {BUILD: workflow(steps)})
    assert found.message == f"{action}@v1 may {does} an image, and is not read"


def test_an_action_that_only_speaks_of_stages_of_an_image_is_not_told() -> None:
    assert outcomes("unread-delivery", {BUILD: workflow("- uses: contoso/ci/read-stage-image@v1\n")}) == []


@pytest.mark.parametrize("folder", ["tutorials", "quickstarts", "demo"])
def test_what_teaches_is_not_asked(folder: str) -> None:
    assert outcomes("image-user", {f"{folder}/api/Dockerfile": "FROM debian:13\n"}) == []


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("contoso/ci/sonar-scanner-begin", []),
        ("contoso/ci/image-scanner", [FAILS]),
        ("contoso/ci/publish-docker-image", [FAILS]),
        ("contoso/ci/build-app", []),
    ],
)
def test_what_touches_images_by_its_name_is_asked_for_a_commit(action: str, expected: list[Outcome]) -> None:
    assert outcomes("actions-pinned", {BUILD: workflow(f"- run: docker info\n- uses: {action}@main\n")}) == expected


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("contoso/cdp-build-action/build@main", [UNKNOWN]),
        ("contoso/ci/actions/publish-nuget@v1", []),
        ("contoso/ci/actions/build-hotfix@v1", [UNKNOWN]),
        ("actions/deploy-pages/build@v1", []),
        ("contoso/build@v1", []),
    ],
)
def test_an_action_that_builds_by_its_folder_is_told_where_there_is_a_dockerfile(
    action: str, told: list[Outcome]
) -> None:
    text = workflow(f"- uses: {action}\n")
    assert outcomes("unread-delivery", {BUILD: text, "Dockerfile": "FROM debian:13\n"}) == told
    assert outcomes("unread-delivery", {BUILD: text}) == []


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('args=(--push "$PWD")\ndocker buildx build "${args[@]}"', [UNKNOWN]),
        ('args=(--load "$PWD")\ndocker buildx build "${args[@]}"', []),
        ("docker buildx build --push -t contoso/api .", []),
    ],
)
def test_a_build_that_is_handed_its_options_by_an_array_may_push(script: str, told: list[Outcome]) -> None:
    steps = "- run: |\n" + "".join(f"    {line}\n" for line in script.split("\n"))
    assert outcomes("unread-delivery", {BUILD: workflow(steps)}) == told


@pytest.mark.parametrize(("name", "does"), [("deploy-v4", "deploy"), ("deploy-and-push", "build and push")])
def test_what_a_called_workflow_does_is_said_by_its_own_name(name: str, does: str) -> None:
    text = f"on: push\njobs: {{go: {{uses: contoso/build-pipeline/.github/workflows/{name}.yml@v1}}}}\n"
    (found,) = findings("unread-delivery", {BUILD: text, "Dockerfile": "FROM debian:13\n"})
    assert f" may {does} an image" in found.message


@pytest.mark.parametrize("line", ["docker-compose -f a.yml push", "docker compose push api"])
def test_a_script_that_pushes_by_compose_is_told(line: str) -> None:
    assert outcomes("unread-delivery", {"build.ps1": f"exec {line}\n"}) == [UNKNOWN]


@pytest.mark.parametrize(("more", "told"), [("", []), (" /p:ContainerRegistry=contoso.azurecr.io", [UNKNOWN])])
def test_a_script_that_publishes_a_container_to_the_machine_alone_pushes_nothing(
    more: str, told: list[Outcome]
) -> None:
    line = f"dotnet publish src/Api /t:PublishContainer{more}\n"
    assert outcomes("unread-delivery", {"build.ps1": line}) == told
    found = findings("unread-delivery", {"build.cmd": line, "Dockerfile": "FROM debian:13\n"})
    assert all(("push" in each.message) is bool(told) for each in found)


def test_what_a_template_only_refers_to_runs_no_container() -> None:
    resource = "resource app 'Microsoft.App/containerApps@2024-03-01' existing = { name: 'api' }\n"
    assert outcomes("unread-delivery", {"infra/main.bicep": resource}) == []
    part = "resource login 'Microsoft.App/containerApps/authConfigs@2024-03-01' = { parent: app }\n"
    assert outcomes("unread-delivery", {"infra/main.bicep": resource + part}) == []
    own = resource.replace(" existing", "").replace("app", "web", 1)
    (found,) = findings("unread-delivery", {"infra/main.bicep": resource + own})
    assert found.place.start == 2


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("contoso/import-codesign-certs", []),
        ("contoso/sign-nuget-packages-action", []),
        ("azure/trusted-signing-action", []),
        ("contoso/sign-image", [FAILS]),
    ],
)
def test_what_signs_packages_touches_no_image(action: str, expected: list[Outcome]) -> None:
    steps = f"- run: docker info\n- uses: {action}@v1\n"
    assert outcomes("actions-pinned", {BUILD: workflow(steps)}) == expected


def test_what_a_comment_on_a_pull_request_starts_is_not_to_be_dispatched() -> None:
    condition = "  if: github.event.issue.pull_request && github.event.comment.body == '/image'"
    files = {BUILD: workflow(PUSH.replace("  id: build", condition), "issue_comment:")}
    assert outcome("dispatchable", files) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("build", "runner", "expected"),
    [
        ("docker build -t contoso/api:8 .", "self-hosted", [FAILS]),
        ("docker build --pull -t contoso/api:8 .", "self-hosted", [HOLDS]),
        ("docker build --cache-from contoso/api:7 -t contoso/api:8 .", "ubuntu-latest", [FAILS]),
        ("docker build -t contoso/api:8 .", "ubuntu-latest", [HOLDS]),
        ("docker build -t contoso/web:8 .", "self-hosted", []),
        ("dotnet build -t:Web", "self-hosted", []),
    ],
)
def test_a_build_in_a_step_of_its_own_takes_the_current_base(
    build: str, runner: str, expected: list[Outcome]
) -> None:
    text = workflow(f"- run: {build}\n- run: docker push contoso/api:8\n").replace("ubuntu-latest", runner)
    assert outcomes("fresh-layers", {BUILD: text}) == expected


@pytest.mark.parametrize(
    ("inputs", "runner", "expected"),
    [
        ("load: true, tags: 'contoso/api:8'", "self-hosted", [FAILS]),
        ("load: true, tags: 'contoso/api:8', pull: true", "self-hosted", [HOLDS]),
        ("load: true, tags: 'contoso/api:8', cache-from: type=gha", "ubuntu-latest", [FAILS]),
        ("load: true, tags: 'contoso/api:8'", "ubuntu-latest", [HOLDS]),
        ("outputs: 'type=docker', tags: 'contoso/api:8'", "ubuntu-latest", [HOLDS]),
        ("load: true, tags: 'contoso/web:8'", "self-hosted", []),
        ("tags: 'contoso/api:8'", "self-hosted", []),
    ],
)
def test_a_build_that_is_loaded_and_pushed_then_takes_the_current_base(
    inputs: str, runner: str, expected: list[Outcome]
) -> None:
    build = f"- uses: docker/build-push-action@v6\n  with: {{{inputs}}}\n"
    text = workflow(f"{build}- run: docker push contoso/api:8\n").replace("ubuntu-latest", runner)
    assert outcomes("fresh-layers", {BUILD: text}) == expected


def test_an_image_that_is_pushed_under_two_names_is_built_once() -> None:
    build = "- uses: docker/build-push-action@v6\n  with: {load: true, tags: 'contoso/api:8,contoso/api:9'}\n"
    text = workflow(f"{build}- run: |\n    docker push contoso/api:8\n    docker push contoso/api:9\n")
    assert len(findings("fresh-layers", {BUILD: text})) == 1


@pytest.mark.parametrize(
    ("triggers", "condition", "pushes"),
    [
        ("pull_request: {types: [closed]}", "github.event.pull_request.merged == true", False),
        ("push:", "github.event_name == 'push'", False),
        ("push:", "github.event_name != 'schedule'", True),
        ("push:", "startsWith(github.ref, 'refs/tags/')", True),
    ],
)
def test_no_start_by_hand_is_put_in_that_would_push_nothing(triggers: str, condition: str, pushes: bool) -> None:
    (found,) = findings("dispatchable", {BUILD: workflow(PUSH, triggers, job=f"if: {condition}")})
    assert found.fix is not None
    assert bool(found.fix.edits) is pushes
    assert pushes or "would push nothing" in found.fix.left_alone


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("- uses: contoso/build-action@main\n  with: {push: true}\n", True),
        ("- uses: contoso/release@main\n  with: {dockerfile: src/Dockerfile}\n", True),
        ("- uses: contoso/build-action@main\n  with: {push: false}\n", False),
        ("- uses: contoso/build-action@main\n  with: {configuration: Release}\n", False),
        ("- uses: contoso/build-lint@main\n  with: {dockerfile: src/Dockerfile}\n", False),
        (
            "- uses: contoso/repository-dispatch@v1\n  with: {repository: contoso/clusters, event-type: deploy}\n",
            True,
        ),
        ("- uses: contoso/repository-dispatch@v1\n  with: {repository: contoso/docs, event-type: build}\n", False),
    ],
)
def test_an_action_of_others_that_is_handed_an_image_is_told(step: str, told: bool) -> None:
    files = {BUILD: workflow(step), "Dockerfile": "FROM debian:13\n"}
    assert outcomes("unread-delivery", files) == [UNKNOWN] * told


@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("update_kubernetes_deployment.yml", "deploy"),
        ("helm-upgrade.yml", "deploy"),
        ("build-for-k8s.yml", "build and push"),
        ("deploy-pages.yml", ""),
    ],
)
def test_a_called_workflow_that_deploys_to_a_cluster_is_told(name: str, does: str) -> None:
    text = f"on: {{push: {{branches: [main]}}}}\njobs: {{a: {{uses: contoso/ci/.github/workflows/{name}@main}}}}\n"
    found = findings("unread-delivery", {BUILD: text, "Dockerfile": "FROM debian:13\n"})
    assert [f"may {does} an image" in each.message for each in found] == [True] * bool(does)


@pytest.mark.parametrize("check", ["weekly-rebuild", "dispatchable"])
def test_what_people_start_to_go_back_is_no_rebuild(check: str) -> None:
    by_hand = "workflow_dispatch: {inputs: {ref: {required: true}}}"
    path = ".github/workflows/rollback-prod.yml"
    assert outcomes(check, {path: workflow(PUSH, by_hand)}) == [Outcome.NOT_APPLICABLE]
    assert outcomes(check, {path: workflow(PUSH, "push:")}) == [Outcome.FAILS]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("- run: dotnet nuget push a.nupkg\n", "`dotnet nuget push`"),
        ("- run: az containerapp update -g prod -n a --image b\n", "deploys to production"),
        ("- run: dotnet test\n", ""),
    ],
)
def test_no_start_by_hand_is_put_in_that_would_release_again(more: str, said: str) -> None:
    (found,) = findings("dispatchable", {BUILD: workflow(PUSH + more, "push: {branches: [main]}")})
    assert found.fix is not None
    assert (said in found.fix.left_alone, bool(found.fix.edits)) == (True, not said)


ELGOHR = "- uses: elgohr/Publish-Docker-Github-Action@v5\n  with: {name: contoso/api, password: a}\n"


def test_an_action_that_is_written_in_capitals_is_read() -> None:
    assert outcomes("image-signed", {BUILD: workflow(ELGOHR)}) == [Outcome.FAILS]
    assert outcomes("actions-pinned", {BUILD: workflow(ELGOHR)}) == [Outcome.FAILS]
    assert outcomes("provenance", {BUILD: workflow(ELGOHR)}) == [UNKNOWN]


@pytest.mark.parametrize("told", ["no_push: true", "no_push: 'TRUE'"])
def test_an_action_that_is_told_to_push_nothing_pushes_nothing(told: str) -> None:
    step = ELGOHR.replace("password: a", f"password: a, {told}")
    assert outcomes("image-signed", {BUILD: workflow(step)}) == []


def test_an_action_in_another_checkout_that_pushes_by_its_name_is_told() -> None:
    steps = (
        "- uses: actions/checkout@v4\n  with: {repository: contoso/ci, path: ci}\n- uses: ./ci/build-push-image\n"
    )
    (found,) = findings("unread-delivery", {BUILD: workflow(steps), "Dockerfile": "FROM a:1\n"})
    assert "./ci/build-push-image may push an image" in found.message


ARCHIVED = """
on: {push: {branches: [main]}}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v7
        with: {tags: TAGS, cache-from: 'type=gha', outputs: 'type=docker,dest=/tmp/api.tar'}
  deploy:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: docker load --input /tmp/api.tar
      - run: docker push contoso/api:8
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ARCHIVED.replace("TAGS", "'contoso/api:8'"), [FAILS]),
        (ARCHIVED.replace("TAGS", "'contoso/other:8'"), []),
        (ARCHIVED.replace("TAGS", "'contoso/api:8', pull: true"), [HOLDS]),
        (ARCHIVED.replace("TAGS", "'contoso/api:8'").replace("docker load --input", "ls"), []),
        (ARCHIVED.replace("TAGS", "'contoso/api:8'").replace("    needs: build\n", ""), []),
    ],
)
def test_a_build_whose_archive_another_job_loads_and_pushes_is_asked(text: str, expected: list[Outcome]) -> None:
    assert outcomes("fresh-layers", {BUILD: text}) == expected


OVER_SSH = "- uses: appleboy/ssh-action@v1\n  with: {key: '${{ secrets.KEY }}', script: docker compose up -d}\n"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- uses: azure/webapps-deploy@v3\n  with: {images: 'contoso/api:8'}\n", [FAILS]),
        ("- uses: azure/webapps-deploy@v3\n  with: {package: out}\n", []),
        ("- uses: azure/k8s-deploy@v5\n  with: {manifests: deploy.yaml}\n", [FAILS]),
        (OVER_SSH, [FAILS]),
        (OVER_SSH.replace("@v1", f"@{'a' * 40}"), [HOLDS]),
        (OVER_SSH.replace("docker compose up -d", "systemctl restart shop"), []),
    ],
)
def test_an_action_that_deploys_images_is_asked_for_a_commit(step: str, expected: list[Outcome]) -> None:
    assert outcomes("actions-pinned", {BUILD: workflow(step), "Dockerfile": "FROM node:24\n"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM contoso/sdk:8@sha256:{0} AS b\nFROM contoso/run:8@sha256:{0}\nCOPY --from=b /a /a\n", HOLDS),
        ("FROM contoso/sdk:8@sha256:{0} AS b\nFROM contoso/run:8\nCOPY --from=b /a /a\n", FAILS),
        ("FROM contoso/run:8@sha256:{0}\nCOPY --from=contoso/tool:1 /a /a\n", FAILS),
        ("FROM ${{BASE}}\n", FAILS),
    ],
)
def test_no_layer_is_behind_bases_that_are_named_by_digest(text: str, expected: Outcome) -> None:
    files = {BUILD: workflow(push("context: .", "cache-from: type=gha")), "Dockerfile": text.format("a" * 64)}
    assert outcomes("fresh-layers", files) == [expected]


_PINNED = f"FROM contoso/run:8@sha256:{'a' * 64}\n"
_CHOSEN = f"ARG BASE=contoso/run:8@sha256:{'a' * 64}\nFROM $BASE\n"


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (_PINNED + "RUN --mount=type=bind,from=alpine:latest,target=/a cp /a/b /b\n", "", FAILS),
        (_PINNED + "COPY --from=nginx /a /a\n", "", FAILS),
        (_PINNED + "# COPY --from=contoso/tool:1 /a /a\n", "", HOLDS),
        (_PINNED + "# " + "--from=." * 30_000, "", HOLDS),
        (_PINNED, "build-contexts: a=docker-image://alpine:3", FAILS),
        (_PINNED, "build-args: A=1", HOLDS),
        (_CHOSEN, "", HOLDS),
        (_CHOSEN, "build-args: BASE=contoso/run:8", FAILS),
    ],
)
def test_bases_are_those_that_the_instructions_of_a_build_name(text: str, given: str, expected: Outcome) -> None:
    step = push("context: .", "cache-from: type=gha", *([given] if given else []))
    assert outcomes("fresh-layers", {BUILD: workflow(step), "Dockerfile": text}) == [expected]


_AWS = "- uses: aws-actions/configure-aws-credentials@v4\n"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- uses: actions/attest-build-provenance@v2\n  with: {subject-path: out/shop.vsix}\n", []),
        ("- uses: actions/attest-build-provenance@v2\n  with: {subject-name: contoso/api}\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: az webapp deploy --src-path a.zip\n", []),
        ("- uses: azure/login@v2\n- run: az acr login -n shop\n", [FAILS]),
        (_AWS + "- run: aws ecs update-service --service a --force-new-deployment\n", [FAILS]),
        (_AWS + "- run: aws s3 sync site/images s3://contoso # no container, no docker\n", []),
        ("- uses: azure/login@v2\n- run: oc rollout restart deployment/api\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: kustomize build | oc apply -f -\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: az functionapp config container set --image a -n b\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: az webapp create --deployment-container-image-name a -n b\n", [FAILS]),
        ("- uses: google-github-actions/auth@v2\n- run: gcloud run services update a --image b\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: az storage blob upload-batch --container image -s .\n", []),
        ("- uses: OctopusDeploy/login@v1\n- run: octopus package upload a.zip\n", []),
        ("- uses: OctopusDeploy/login@v1\n- run: kubectl apply -f k8s\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: azd up\n", [FAILS]),
        ("- uses: azure/login@v2\n- run: kubectl get pods # of the image\n", []),
        ("- run: codacy > a.sarif\n- uses: github/codeql-action/upload-sarif@v3\n", []),
        ("- run: docker scout cves a\n- uses: github/codeql-action/upload-sarif@v3\n", [FAILS]),
    ],
)
def test_an_action_that_is_about_no_image_is_not_asked_for_its_commit(step: str, expected: list[Outcome]) -> None:
    more = "- uses: ./pack\n"
    files = {BUILD: workflow(step + more), "pack/action.yml": "runs: {using: composite, steps: []}\n"}
    assert outcomes("actions-pinned", files) == expected
