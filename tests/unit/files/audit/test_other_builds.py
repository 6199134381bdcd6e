"""Builds that are not read are told, by what they are, with the .NET images that they name."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.formats.finding import find_usages
from bot.files.formats.practices import tells_of_practices
from tests.growth import LINEAR, growth
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcomes, workflow

UNKNOWN = Outcome.UNKNOWN
SDK = "mcr.microsoft.com/dotnet/sdk:8.0"
BY_NAME = [
    (".gitlab-ci.yml", "GitLab CI"),
    (".circleci/config.yml", "CircleCI"),
    (".circleci/continue.yml", "CircleCI"),
    ("ci/build.gitlab-ci.yml", "GitLab CI"),
    (".gitlab/ci/build.yml", "GitLab CI"),
    ("Jenkinsfile", "Jenkins"),
    ("ci/Jenkinsfile.release", "Jenkins"),
    (".woodpecker.yml", "Woodpecker"),
    (".woodpecker/build.yaml", "Woodpecker"),
    (".drone.yml", "Drone"),
    (".drone.jsonnet", "Drone"),
    ("bitbucket-pipelines.yml", "Bitbucket Pipelines"),
    (".forgejo/workflows/build.yml", "Gitea Actions"),
    (".travis.yml", "Travis CI"),
    (".buildkite/pipeline.yml", "Buildkite"),
    ("src/Earthfile", "Earthly"),
    ("cloudbuild.yaml", "Cloud Build"),
    ("ci/cloudbuild-prod.json", "Cloud Build"),
    ("buildspec.yml", "CodeBuild"),
    ("skaffold.yaml", "Skaffold"),
    ("Tiltfile", "Tilt"),
    ("dev/Tiltfile.ci", "Tilt"),
    ("dev/api.tiltfile", "Tilt"),
    (".ko.yaml", "ko"),
    (".nuke/parameters.json", "Nuke"),
    ("ci/build.jenkinsfile", "Jenkins"),
    ("ci/api-buildspec.yml", "CodeBuild"),
    ("build.earth", "Earthly"),
    (".semaphore/semaphore.yml", "Semaphore"),
    ("codefresh.yml", "Codefresh"),
    ("codefresh/deploy.yaml", "Codefresh"),
    (".cirrus.yml", "Cirrus CI"),
    (".harness/build.yaml", "Harness"),
    ("tye.yaml", "Tye"),
]
READ_FOR_THEIR_IMAGES = ("GitLab CI", "CircleCI")
"""Their deliveries are told all the same."""
READ_FOR_IMAGES = [
    ("azure.yaml", "services: {api: {project: src/api, host: containerapp}}\n", "azd"),
    ("ci/task.yaml", f"apiVersion: tekton.dev/v1\nkind: Task\nspec: {{steps: [{{image: {SDK}}}]}}\n", "Tekton"),
    (
        "ci/job.yaml",
        "apiVersion: batch/v1\nkind: Job\nspec: {image: gcr.io/kaniko-project/executor:v1}\n",
        "kaniko",
    ),
]
WHERE_THEY_NAME_ONE = [
    ("vars/build.groovy", "Jenkins"),
    ("appveyor.yml", "AppVeyor"),
    (".teamcity/settings.kts", "TeamCity"),
    ("build.cake", "Cake"),
    ("build.fsx", "FAKE"),
    ("build/Build.Docker.cs", "a build program in C#"),
    ("_build/Tasks/Images.cs", "a build program in C#"),
    ("Taskfile.yml", "Task"),
    ("build.cmd", "a batch file"),
]
MANIFESTS = [
    ("deploy/api/deployment.json", "JSON"),
    ("task-definition.json", "JSON"),
    ("edge/deployment.template.json", "JSON"),
    ("Dockerrun.aws.json", "JSON"),
    ("fly.toml", "Fly.io"),
    ("api.nomad", "Nomad"),
]
WHERE_THEY_PUSH = [
    ("build.cake", 'DockerPush("contoso/api");\n', "Cake"),
    ("build/docker.mk", "push:\n\tdocker push contoso/api\n", "make"),
]


@pytest.mark.parametrize(("path", "service"), BY_NAME)
def test_a_build_of_another_service_is_unknown_with_the_dotnet_images_in_it(path: str, service: str) -> None:
    (found,) = findings("unread-delivery", {path: f"build\nimage: {SDK}\n"})
    assert (found.outcome, found.subject, found.place.start) == (UNKNOWN, service, 2)
    assert found.message == f"a build is there that is not read; it names {SDK}"
    assert found.settled_by
    assert tells_of_practices(path)


@pytest.mark.parametrize(("path", "service"), [each for each in BY_NAME if each[1] not in READ_FOR_THEIR_IMAGES])
def test_a_scan_notes_it_with_these_images(path: str, service: str) -> None:
    (problem,) = find_usages(path, f"image: {SDK}\n".encode()).problems
    assert problem.message.startswith(
        f"a build is there, not read: images that {service} names, {SDK} among them, are not watched"
    )


@pytest.mark.parametrize(("path", "text", "service"), [*READ_FOR_IMAGES, *WHERE_THEY_PUSH])
def test_a_build_that_shows_in_the_text_is_unknown(path: str, text: str, service: str) -> None:
    (found,) = findings("unread-delivery", {path: text})
    assert (found.outcome, found.subject) == (UNKNOWN, service)
    assert tells_of_practices(path)


@pytest.mark.parametrize(("path", "service"), WHERE_THEY_NAME_ONE)
def test_a_build_program_is_told_where_it_names_a_dotnet_image(path: str, service: str) -> None:
    text = f'build();\nrun("{SDK}")\n'
    (found,) = findings("unread-delivery", {path: text})
    assert (found.outcome, found.subject, found.place.start) == (UNKNOWN, service, 2)
    (problem,) = find_usages(path, text.encode()).problems
    assert SDK in problem.message
    assert tells_of_practices(path)
    assert outcomes("unread-delivery", {path: "build();\n", "Dockerfile": "FROM debian:13\n"}) == []


@pytest.mark.parametrize(("path", "service"), MANIFESTS)
def test_a_manifest_that_is_not_read_is_told_where_it_names_a_dotnet_image(path: str, service: str) -> None:
    text = f'{{"image": "{SDK}"}}'
    (found,) = findings("unread-delivery", {path: text})
    assert (found.subject, found.message) == (service, f"a manifest is there that is not read; it names {SDK}")
    (problem,) = find_usages(path, text.encode()).problems
    assert problem.message.startswith("a manifest is there, not read")
    assert find_usages(path, b'{"image": "debian:13"}').problems == ()


def test_a_build_that_has_nothing_to_do_with_images_is_not_noted() -> None:
    assert find_usages("Jenkinsfile", b"sh './gradlew test'\n").problems == ()


@pytest.mark.parametrize("path", ["ci/pipeline.yml", "template.yaml", "build.sh", ".github/workflows/a.yml"])
def test_a_dotnet_image_that_no_reader_takes_for_used_is_told(path: str) -> None:
    (problem,) = find_usages(path, f"# {SDK}\non: push\nbase: {SDK}\n".encode()).problems
    assert (problem.line, problem.message.startswith(f"{SDK} is named, and nothing")) == (3, True)
    assert find_usages(path, f"# {SDK}\non: push\n".encode()).problems == ()


@pytest.mark.parametrize(
    ("path", "text"), [("build.cake", 'DotNetTest("x");\n'), ("rules.mk", "all:\n\tcc -o image x.c\n")]
)
def test_build_programs_that_push_nothing_are_not_told(path: str, text: str) -> None:
    assert outcomes("unread-delivery", {path: text}) == []
    assert find_usages(path, text.encode()).problems == ()


def test_a_build_that_mentions_no_container_is_told_where_there_is_something_to_build() -> None:
    jenkins = {"Jenkinsfile": "sh './release.sh'\n"}
    assert outcomes("unread-delivery", jenkins) == []
    assert outcomes("unread-delivery", {**jenkins, "Dockerfile": "FROM debian:13\n"}) == [UNKNOWN]


@pytest.mark.parametrize(("package", "service"), [("Cake.Frosting", "Cake"), ("Nuke.Common", "Nuke")])
def test_a_build_program_in_csharp_is_told_where_there_is_something_to_build(package: str, service: str) -> None:
    project = f'<Project><PackageReference Include="{package}" /></Project>'
    (found,) = findings("unread-delivery", {"build/Build.csproj": project, "Dockerfile": "FROM debian:13\n"})
    assert (found.outcome, found.subject) == (UNKNOWN, service)


def test_of_many_images_the_first_three_are_named() -> None:
    text = "".join(f"image: mcr.microsoft.com/dotnet/sdk:{number}.0\n" for number in range(1, 6))
    (found,) = findings("unread-delivery", {"Jenkinsfile": text})
    assert found.message.endswith("dotnet/sdk:3.0 and 2 more")


def test_images_are_looked_for_in_time_in_proportion() -> None:
    def told(size: int) -> None:
        find_usages("Jenkinsfile", b"mcr.microsoft.com/dotnet/" * (size // 25))

    told(100)
    assert growth(told, 20_000) < LINEAR


@pytest.mark.parametrize(
    "steps",
    [
        "- run: azd up --no-prompt\n",
        "- run: azd deploy\n",
        "- run: skaffold run\n",
        "- run: earthly --ci --push +image\n",
        "- run: ko build ./cmd\n",
        "- run: /kaniko/executor --destination ghcr.io/contoso/api\n",
        "- uses: docker://gcr.io/kaniko-project/executor:v1\n",
        "- run: dotnet cake --target=DockerPush\n",
        "- run: ./build.sh PushImage\n",
        "- run: npm run docker:push\n",
        "- run: docker run -v $PWD:/w gcr.io/kaniko-project/executor:latest --destination ghcr.io/contoso/api\n",
        "- run: gcloud builds submit --tag gcr.io/contoso/api .\n",
        "- run: gcloud run deploy api --source .\n",
        "- run: az containerapp up -n api --source .\n",
        "- run: az acr run -r contoso .\n",
        "- run: flyctl deploy --remote-only\n",
        "- run: dotnet tye deploy\n",
        "- run: pack build contoso/api --publish --builder b\n",
        "- run: dagger call publish\n",
        "- run: werf converge --repo ghcr.io/contoso/api\n",
        "- run: bundle exec kamal deploy\n",
        "- run: rx create job build-deploy -a api --branch main\n",
    ],
)
def test_a_program_that_pushes_by_its_own_files_is_said_by_name(steps: str) -> None:
    assert outcomes("unread-delivery", {BUILD: workflow(steps, "push:")}) == [UNKNOWN]
    assert outcomes("unread-delivery", {BUILD: workflow(steps, "pull_request:")}) == []


@pytest.mark.parametrize(
    "steps",
    [
        *("- run: azd version\n", "- run: skaffold diagnose\n", "- run: earthly +test\n", "- run: ko version\n"),
        *("- run: dagger call test\n", "- run: npm run test\n", "- run: ./build.sh Test\n"),
        "- run: gcloud run deploy api --image gcr.io/contoso/api\n",
        "- run: fly deploy --image ghcr.io/contoso/api\n",
        "- run: docker run gcr.io/kaniko-project/executor:latest --no-push\n",
    ],
)
def test_the_same_programs_asked_for_something_else_are_not(steps: str) -> None:
    assert outcomes("unread-delivery", {BUILD: workflow(steps, "push:")}) == []


@pytest.mark.parametrize("text", ["docker{}x", "ssh a docker{}x", "docker compose {}x"])
def test_what_a_step_says_is_looked_through_in_time_in_proportion(text: str) -> None:
    def told(size: int) -> None:
        findings("unread-delivery", {BUILD: workflow(f"- run: |\n    {text.format(' ' * size)}\n", "push:")})

    told(100)
    assert growth(told, 5_000) < LINEAR


SSH_ACTION = "- uses: appleboy/ssh-action@v1\n  with:\n    host: a\n    script: |\n      cd /srv\n      "


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (f"{SSH_ACTION}docker compose -p api -f prod.yml up -d\n", "docker compose -p api -f prod.yml up"),
        (f"{SSH_ACTION}gunzip -c a.tar.gz | docker load\n", "docker load"),
        (f"{SSH_ACTION}./deploy-prod\n", "./deploy-prod"),
        (f"{SSH_ACTION}bash web/run.prod.docker.sh\n", "web/run.prod.docker.sh"),
        (f"{SSH_ACTION}# docker load\n", ""),
        (f"{SSH_ACTION}systemctl restart api\n", ""),
        ("- uses: easingthemes/ssh-deploy@v5\n  with: {SCRIPT_AFTER: docker-compose up -d}\n", "docker-compose up"),
        ("- run: ssh deploy@host 'docker pull contoso/api && docker run contoso/api'\n", "docker pull"),
        (
            "- run: |\n    sshpass -p x ssh a@b <<EOF\n    docker stack deploy -c a.yml api\n    EOF\n",
            "docker stack deploy",
        ),
        ("- run: docker compose up -d\n  env: {DOCKER_HOST: 'ssh://a@b'}\n", "docker compose up"),
        ("- run: docker compose up -d\n", ""),
        ("- run: docker run contoso/api && ssh-keyscan host\n", ""),
    ],
)
def test_containers_that_are_started_over_ssh_are_said(steps: str, said: str) -> None:
    files = {BUILD: workflow(steps, "push:"), "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:10.0\n"}
    found = findings("unread-delivery", files)
    assert [each.message.partition("` runs on")[0] for each in found] == [f"`{said}"] * bool(said)
    assert outcomes("unread-delivery", {**files, BUILD: workflow(steps, "pull_request:")}) == []


def test_a_script_of_another_machine_is_said_only_where_there_are_images() -> None:
    assert outcomes("unread-delivery", {BUILD: workflow(f"{SSH_ACTION}./deploy.sh\n", "push:")}) == []


PUBLISHED_SO = """<Project><PublishProfile>DefaultContainer</PublishProfile>
<containerRegistry>ghcr.io</containerRegistry></Project>"""
BY_PROFILE = (
    "<Project><WebPublishMethod>Container</WebPublishMethod><ContainerRegistry>a</ContainerRegistry></Project>"
)
PUBLISH = "- run: dotnet publish src/Api /t:PublishContainer\n"


@pytest.mark.parametrize(
    ("steps", "files"),
    [
        (PUBLISH, {"src/Api/Api.csproj": "<Project><ContainerRegistry>ghcr.io</ContainerRegistry></Project>"}),
        (PUBLISH, {"Directory.Build.props": "<Project><ContainerRegistry>ghcr.io</ContainerRegistry></Project>"}),
        (f"{PUBLISH}  env: {{ContainerRegistry: ghcr.io}}\n", {}),
        ("- run: |\n    export ContainerRegistry=ghcr.io\n    dotnet publish /t:PublishContainer\n", {}),
        ("- run: echo ContainerRegistry=ghcr.io >> $GITHUB_ENV\n" + PUBLISH, {}),
        ("- run: dotnet publish src/Api\n", {"src/Api/Api.csproj": PUBLISHED_SO}),
        ("- run: dotnet publish\n", {"src/Api/Api.csproj": PUBLISHED_SO}),
        ("- run: dotnet publish --os linux -c Release\n", {"src/Api/Api.csproj": PUBLISHED_SO}),
        ("- run: dotnet publish -r linux-x64 src/Api -o out\n", {"src/Api/Api.csproj": PUBLISHED_SO}),
        (
            "- run: dotnet publish -p:PublishProfile=Prod\n",
            {"src/Properties/PublishProfiles/Prod.pubxml": BY_PROFILE},
        ),
    ],
)
def test_a_container_that_dotnet_publishes_to_a_registry_of_the_project_or_environment_is_said(
    steps: str, files: dict[str, str]
) -> None:
    assert outcomes("unread-delivery", {BUILD: workflow(steps, "push:"), **files}) == [UNKNOWN]


@pytest.mark.parametrize(
    "command",
    [
        "dotnet publish src/Tool",
        "dotnet publish -a arm64 src/Tool",
        "dotnet publish -p:PublishProfile=Web",
        "dotnet test",
    ],
)
def test_a_command_that_publishes_another_project_is_not(command: str) -> None:
    files = {"src/Api/Api.csproj": PUBLISHED_SO, "src/Properties/PublishProfiles/Prod.pubxml": BY_PROFILE}
    if "Profile" in command:
        del files["src/Api/Api.csproj"]
    assert outcomes("unread-delivery", {BUILD: workflow(f"- run: {command}\n", "push:"), **files}) == []


@pytest.mark.parametrize(
    ("command", "path", "text"),
    [
        ("just release", "justfile", "release:\n    podman push ghcr.io/contoso/api\n"),
        ("just -v tag=8 release", "justfile", "release:\n    podman push ghcr.io/contoso/api\n"),
        (
            "just tag=8 push=true all",
            "justfile",
            'all:\n    docker build . {{flags}}\nflags := "--push --sbom true"\n',
        ),
        ("just tag=8 ${{ matrix.recipe }}", "justfile", "ship:\n    podman push ghcr.io/contoso/api\n"),
        ("tools/retry.sh -n 3 -- just release", "justfile", "release:\n    podman push ghcr.io/contoso/api\n"),
        ("make -C . VERSION=8 publish", "Makefile", "publish:\n\tdocker push contoso/api\n"),
        ("./push.sh", "push.sh", "az acr build -r contoso -t api:1 .\n"),
    ],
)
def test_a_script_that_pushes_is_said_by_name(command: str, path: str, text: str) -> None:
    (found,) = findings("unread-delivery", {BUILD: workflow(f"- run: {command}\n", "push:"), path: text})
    assert (found.place.path, path in found.message) == (BUILD, True)


def test_a_job_of_nomad_is_told_whatever_its_image_stands_on() -> None:
    job = 'job "api" {\n  task "api" {\n    config {\n      image = "ghcr.io/contoso/api:8"\n    }\n  }\n}\n'
    (found,) = findings("unread-delivery", {"api.nomad.hcl": job})
    assert (found.outcome, found.subject) == (UNKNOWN, "Nomad")
    assert not findings("unread-delivery", {"api.nomad.hcl": 'job "api" {}\n'})


def test_what_a_workflow_hands_to_one_build_file_is_told_once() -> None:
    steps = "- run: just push=true all\n- run: just deploy\n"
    files = {BUILD: workflow(steps, "push:"), "justfile": "ship:\n    podman push ghcr.io/contoso/api\n"}
    (found,) = findings("unread-delivery", files)
    assert "`just push=true`" in found.message


@pytest.mark.parametrize("arguments", ["tag=8 all", "push=false all", "-j $N all", "push-tests"])
def test_a_build_tool_that_is_asked_for_no_delivery_hands_none_over(arguments: str) -> None:
    files = {"justfile": "ship:\n    podman push ghcr.io/contoso/api\n"}
    told = findings("unread-delivery", {BUILD: workflow(f"- run: just {arguments}\n", "push:"), **files})
    assert [each.place.path for each in told] == ["justfile"]


def test_a_push_that_a_script_is_given_to_run_is_one_of_the_workflow() -> None:
    files = {BUILD: workflow("- run: ./retry.sh -n 3 -- docker push contoso/api\n", "push:")}
    assert [each.outcome for each in findings("dispatchable", files)] == [Outcome.FAILS]


def test_a_container_that_dotnet_publishes_to_no_registry_is_not() -> None:
    assert outcomes("unread-delivery", {BUILD: workflow(PUBLISH, "push:")}) == []


def test_what_a_makefile_includes_is_looked_through_as_well() -> None:
    files = {
        BUILD: workflow("- run: make publish\n", "push:"),
        "Makefile": "include build/docker.mk\n",
        "build/docker.mk": "publish:\n\tdocker push contoso/api\n",
    }
    assert [each.place.path for each in findings("unread-delivery", files)] == [BUILD, "build/docker.mk"]


@pytest.mark.parametrize("path", ["src/wwwroot/libs/x/.travis.yml", "lib/.drone.yml", "lib/.cirrus.yml"])
def test_what_its_service_reads_at_the_root_alone_is_no_build_elsewhere(path: str) -> None:
    assert findings("unread-delivery", {path: "script: docker push contoso/x\n", "Dockerfile": "FROM a:1\n"}) == ()


def test_one_build_by_nuke_is_told_once() -> None:
    files = {
        "Dockerfile": "FROM a:1\n",
        ".nuke/parameters.json": "{}",
        "build/_build.csproj": '<Project><PackageReference Include="Nuke.Common" /></Project>',
    }
    assert [each.place.path for each in findings("unread-delivery", files)] == ["build/_build.csproj"]
    del files["build/_build.csproj"]
    assert [each.place.path for each in findings("unread-delivery", files)] == [".nuke/parameters.json"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/build.sh", "#!/bin/sh\ndocker build -t contoso/api .\ndocker push contoso/api\n"),
        ("etc/push-images.ps1", "docker tag a contoso/api:$version\ndocker push contoso/api:$version\n"),
        (".build.ps1", "$p = @('buildx', 'build'\n    '--push'\n)\nexec { docker $p }\n"),
        ("Makefile", "image:\n\tdocker buildx build -t contoso/api --push .\n"),
        ("release.sh", "dotnet publish /t:PublishContainer -p ContainerRegistry=ghcr.io\n"),
    ],
)
def test_a_script_that_pushes_is_told(path: str, text: str) -> None:
    (found,) = findings("unread-delivery", {path: text})
    assert (found.outcome, found.place.path) == (UNKNOWN, path)
    assert found.message == "it pushes an image, and what scripts do is not judged"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("build.sh", "# docker push contoso/api\necho docker push contoso/api\ngit push\n"),
        ("tests/build.sh", "docker push contoso/api\n"),
        ("release.ps1", "$p = @('commit', '--push')\n& git-tool $p\n"),
        ("docs/push.md", "docker push contoso/api\n"),
    ],
)
def test_what_only_speaks_of_a_push_is_no_delivery(path: str, text: str) -> None:
    assert findings("unread-delivery", {path: text}) == ()


def test_a_script_that_a_workflow_hands_its_push_to_is_told_there_alone() -> None:
    files = {"ci/publish.sh": "docker push contoso/api\n", BUILD: workflow("- run: ci/publish.sh")}
    assert [each.place.path for each in findings("unread-delivery", files)] == [BUILD]


def test_a_script_that_another_script_starts_is_told() -> None:
    files = {"all.sh": "./ci/publish.sh\n", "ci/publish.sh": "docker push contoso/api\n"}
    assert [each.place.path for each in findings("unread-delivery", files)] == ["ci/publish.sh"]
    build = {BUILD: workflow("- run: docker info && ./all.sh")}
    assert [each.place.path for each in findings("unread-delivery", {**files, **build})] == ["ci/publish.sh"]


def test_an_azure_pipeline_that_starts_a_script_which_pushes_is_told() -> None:
    files = {
        "azure-pipelines.yml": "steps:\n- task: PowerShell@2\n  inputs: {filePath: ci/push-images.ps1}\n",
        "ci/push-images.ps1": "docker push contoso/api:$version\n",
    }
    (found,) = findings("unread-delivery", files)
    assert found.place.path == "azure-pipelines.yml"
    assert found.message == "it starts push-images.ps1, which pushes an image; such builds are not judged"


@pytest.mark.parametrize(
    "command",
    [
        "docker buildx imagetools create --tag prod.example/api:8 staging.example/api:8",
        "skopeo copy docker://staging.example/api:8 docker://prod.example/api:8",
        "crane copy staging.example/api:8 prod.example/api:8",
        "az acr import --name prod --source staging.example/api:8 --image api:8",
    ],
)
def test_an_image_that_is_copied_to_another_registry_is_told(command: str) -> None:
    (found,) = findings("unread-delivery", {BUILD: workflow(f"- run: {command}")})
    assert found.outcome is UNKNOWN
    assert found.message.endswith("copies an image that another run has built")


@pytest.mark.parametrize(
    "steps",
    [
        f"{PUSH}- run: docker buildx imagetools create -t ghcr.io/contoso/api:8 ghcr.io/contoso/api@$DIGEST\n",
        "- run: docker buildx imagetools inspect ghcr.io/contoso/api:8\n",
        "- run: skopeo copy docker://ghcr.io/contoso/api:8 oci:api\n",
    ],
)
def test_one_that_is_put_together_from_what_the_workflow_pushes_is_not(steps: str) -> None:
    assert findings("unread-delivery", {BUILD: workflow(steps)}) == ()


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ('dotnet_version = "8.0"', []),
        ('node_version = "20-lts"\n      # docker_image_name = "api"', []),
        ("docker_image_name = var.image", [UNKNOWN]),
        ('docker_image = "contoso/api"', [UNKNOWN]),
    ],
)
def test_a_web_app_runs_a_container_where_its_stack_names_one(stack: str, expected: list[Outcome]) -> None:
    app = 'resource "azurerm_linux_web_app" "api" {\n  site_config {\n    application_stack {\n'
    text = f'{app}      {stack}\n    }}\n  }}\n}}\n\nlocals {{\n  docker_image = "elsewhere"\n}}\n'
    assert outcomes("unread-delivery", {"infra/app.tf": text}) == expected


def test_an_image_that_a_workflow_of_elsewhere_builds_in_the_same_run_is_not_said_to_be_of_another_one() -> None:
    joining = workflow(
        "- run: docker buildx imagetools create -t contoso/api:1 contoso/api:1-amd64\n", "push:", job="needs: make"
    )
    made = "  make:\n    uses: contoso/workflows/.github/workflows/docker-build-push.yml@v1\n"
    messages = [each.message for each in findings("unread-delivery", {BUILD: joining + made})]
    assert any("another run, or contoso/workflows" in each for each in messages)
    alone = [
        each.message for each in findings("unread-delivery", {BUILD: joining.replace("    needs: make\n", "")})
    ]
    assert any("that another run has built" in each for each in alone)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("build.py", "os.system(f'docker push {image}')"),
        ("scripts/release_images.py", "subprocess.run(['docker', 'push', name], check=True)"),
        ("tools/publish-docker.mjs", "await $`docker buildx build --push -t ${name} .`"),
        ("tasks.py", "client.images.push(name)"),
        ("Rakefile", 'sh "docker push #{name}"'),
    ],
)
def test_a_program_that_builds_and_pushes_is_told(path: str, line: str) -> None:
    assert tells_of_practices(path)
    (found,) = findings("unread-delivery", {path: f"import os\n{line}\n", "Dockerfile": "FROM scratch\n"})
    assert (found.outcome, found.place.start) == (UNKNOWN, 2)
    assert "seems to push an image" in found.message
    assert not findings("unread-delivery", {path: f"# {line}\n", "Dockerfile": "FROM scratch\n"})


@pytest.mark.parametrize("path", ["src/rebuilder.py", "app/imaging.py", "src/pushing.ts", "src/image.ts"])
def test_a_program_that_is_not_called_after_building_is_not_fetched(path: str) -> None:
    assert not tells_of_practices(path)


@pytest.mark.parametrize(
    "step",
    [
        "- run: bash -c 'docker push contoso/api'\n",
        '- run: eval "docker push $NAME"\n',
        "- run: ssh build@contoso.com docker push contoso/api\n",
        '- shell: pwsh\n  run: |\n    $cmd = "docker push $name"\n    Invoke-Expression $cmd\n',
        "- shell: pwsh\n  run: |\n    $cmd = 'docker buildx imagetools create -t a/b:1 a/b:2'\n    iex $cmd\n",
        "- shell: pwsh\n  run: Start-Process docker -ArgumentList 'push contoso/api' -Wait\n",
        "- shell: python\n  run: |\n    import os\n    os.system('docker push contoso/api')\n",
        "- uses: nick-fields/retry@v3\n  with: {max_attempts: 3, command: docker push contoso/api}\n",
        "- run: buildctl build --frontend f --output type=image,name=a/b,push=true\n",
    ],
)
def test_a_push_that_a_step_hands_on_as_a_text_is_told(step: str) -> None:
    (found,) = findings("unread-delivery", {BUILD: workflow(step, "push:")})
    assert (found.outcome, found.place.start) == (UNKNOWN, 7)


def test_a_push_that_bash_splits_from_a_variable_is_one_of_the_workflow() -> None:
    files = {BUILD: workflow('- run: |\n    push="docker push contoso/api"\n    $push\n', "push:")}
    assert not findings("unread-delivery", files)
    (found,) = findings("dispatchable", files)
    assert found.outcome is Outcome.FAILS


@pytest.mark.parametrize(
    "command",
    [
        "echo 'now docker push contoso/api'",
        "# docker push contoso/api",
        "bash -c 'docker push localhost:5000/api'",
        "docker push localhost:5000/api",
        "docker build -t api . # --pushed",
    ],
)
def test_a_text_that_pushes_nothing_is_not(command: str) -> None:
    assert not findings("unread-delivery", {BUILD: workflow(f"- run: |\n    {command}\n", "push:")})


@pytest.mark.parametrize(
    "command",
    [
        "cat names | xargs -n1 docker push",
        "timeout 10m docker push contoso/api",
        "nice -n 5 docker push contoso/api",
        "docker --config ci push contoso/api",
    ],
)
def test_a_push_behind_what_runs_it_is_read(command: str) -> None:
    assert outcomes("image-signed", {BUILD: workflow(f"- run: {command}\n")}) == [Outcome.FAILS]
    assert not findings("unread-delivery", {BUILD: workflow(f"- run: {command}\n", "push:")})


def test_a_deploy_by_the_command_line_of_radix_is_one() -> None:
    step = "- run: rx create job deploy -a api --environment prod --image-tag-name web=1\n"
    assert outcomes("staged-rollout", {BUILD: workflow(step)}) == [UNKNOWN]
    assert outcomes("verified-before-deploy", {BUILD: workflow(step)}) == [UNKNOWN]


def test_a_build_program_in_csharp_that_pushes_by_the_long_name_is_told() -> None:
    text = 'class Docker {\n    void Push() => Run("docker image push api");\n}\n'
    (found,) = findings("unread-delivery", {"build/Builder/Docker.cs": text})
    assert "seems to push an image" in found.message


@pytest.mark.parametrize(
    ("path", "text", "subject"),
    [
        ("a.tf", 'resource "kubernetes_stateful_set_v1" "api" {\n}\n', "kubernetes_stateful_set_v1"),
        ("a.tf", 'resource "kubernetes_cron_job" "api" {\n}\n', "kubernetes_cron_job"),
        ("a.tf", 'resource "docker_container" "api" {\n}\n', "docker_container"),
        ("a.tf", 'resource "azurerm_container_group" "api" {\n}\n', "azurerm_container_group"),
        ("a.tf", 'resource "aws_apprunner_service" "api" {\n}\n', "aws_apprunner_service"),
        ("a.tf", 'resource "helm_release" "api" {\n}\n', "helm_release"),
        (
            "a.tf",
            'resource "kubectl_manifest" "a" {\n  yaml_body = <<E\nkind: Deployment\nE\n}\n',
            "kubectl_manifest",
        ),
        ("a.tf", 'resource "kubernetes_manifest" "a" {\n  manifest = { kind = "Pod" }\n}\n', "kubernetes_manifest"),
        ("a.tf", 'resource "kubernetes_manifest" "a" {\n  manifest = { kind = "Secret" }\n}\n', None),
        (
            "a.tf",
            'resource "azurerm_app_service" "a" {\n  linux_fx_version = "DOCKER|a"\n}\n',
            "azurerm_app_service",
        ),
        ("a.tf", 'resource "kubernetes_pod_disruption_budget" "api" {\n}\n', None),
        ("a.bicep", "resource a 'apps/Deployment@v1' = {\n}\n", "'apps/Deployment@v1"),
        ("a.bicep", "resource a 'Microsoft.Web/sites@2024-04-01' = {\n x: 'DOCKER|a'\n}\n", "Microsoft.Web/sites"),
        (
            "azuredeploy.json",
            '{"dependsOn": ["[resourceId(\'Microsoft.Web/sites\', 1)]"]},\n'
            '{"type": "Microsoft.Web/sites",\n"x": "DOCKER|a"}\n',
            "Microsoft.Web/sites",
        ),
        ("azuredeploy.json", "\"[resourceId('Microsoft.App/containerApps', 1)]\"\n", None),
        ("a.bicep", "resource a 'Microsoft.Web/sites@2024-04-01' = {\n x: 'DOTNETCORE|9.0'\n}\n", None),
        (
            "a.bicep",
            "resource a 'Microsoft.Web/sites/sitecontainers@2024-04-01' = {\n}\n",
            "Microsoft.Web/sites/sitecontainers",
        ),
        ("a.bicep", "resource a 'Microsoft.Web/sites/sitecontainers@2024-04-01' existing = {\n}\n", None),
    ],
)
def test_whatever_resource_runs_containers_is_told(path: str, text: str, subject: str | None) -> None:
    assert [each.subject for each in findings("unread-delivery", {path: text})] == ([subject] if subject else [])


def test_a_template_is_told_where_its_resource_stands_and_not_where_another_waits_for_it() -> None:
    lines = ["\"[resourceId('Microsoft.Web/sites', 1)]\"", '"type": "Microsoft.Web/sites",', '"x": "DOCKER|a"', ""]
    (found,) = findings("unread-delivery", {"azuredeploy.json": "\n".join(lines)})
    assert found.place.start == 2


@pytest.mark.parametrize(("types", "is_told"), [("[deploy]", False), ("[other]", True)])
def test_an_event_that_a_workflow_here_takes_starts_nothing_unread(types: str, *, is_told: bool) -> None:
    sends = "- uses: peter-evans/repository-dispatch@v3\n  with: {repository: contoso/shop, event-type: deploy}\n"
    files = {
        ".github/workflows/build.yml": workflow(PUSH + sends),
        ".github/workflows/deploy.yml": workflow(
            "- run: kubectl apply -f k8s\n", f"repository_dispatch: {{types: {types}}}"
        ),
        "Dockerfile": "FROM node:24\n",
    }
    told = [each.message for each in findings("unread-delivery", files)]
    assert (told == ["it has contoso/shop deploy, which is not read"]) is is_told


OF_DOTNET_6 = 'FROM mcr.microsoft.com/dotnet/aspnet:6.0\n    ENTRYPOINT ["/a"]\n'


@pytest.mark.parametrize(
    ("script", "written"),
    [
        (f"cat > Dockerfile <<EOF\n    {OF_DOTNET_6}    EOF", "Dockerfile"),
        (f"cat <<'END' > out/api.Dockerfile\n    {OF_DOTNET_6}    END", "out/api.Dockerfile"),
        (f"tee -a ./Dockerfile.ci <<EOF\n    {OF_DOTNET_6}    EOF", "./Dockerfile.ci"),
        ("echo 'FROM mcr.microsoft.com/dotnet/aspnet:6.0' > Dockerfile", "Dockerfile"),
        ("echo 'USER root' >> Dockerfile", "Dockerfile"),
        ("cat Dockerfile >> summary.md", ""),
        ("hadolint Dockerfile > Dockerfile.json", ""),
        ("# cat > Dockerfile\n    docker build . > log", ""),
    ],
)
def test_a_dockerfile_that_a_run_writes_is_told_with_its_place(script: str, written: str) -> None:
    steps = f"- run: |\n    {script}\n    docker build -t c/a .\n- run: docker push c/a\n"
    told = [each for each in findings("unread-delivery", {BUILD: workflow(steps)}) if "writes" in each.message]
    assert [(each.outcome, each.place.start) for each in told] == ([(Outcome.UNKNOWN, 7)] if written else [])
    assert all(f"it writes {written} as it runs" in each.message for each in told)
    if "FROM" in script:
        assert "it names mcr.microsoft.com/dotnet/aspnet:6.0" in told[0].message


def test_a_dockerfile_that_stands_in_a_compose_file_is_told_and_no_other_is_taken_for_it() -> None:
    inline = "dockerfile_inline: |\n        FROM mcr.microsoft.com/dotnet/aspnet:6.0\n        USER root\n"
    files = {
        "compose.yaml": f"services:\n  api:\n    build:\n      context: .\n      {inline}",
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nUSER 1654\n",
    }
    (told,) = findings("unread-delivery", files)
    assert (told.outcome, told.place.path, told.place.start) == (Outcome.UNKNOWN, "compose.yaml", 5)
    assert "it names mcr.microsoft.com/dotnet/aspnet:6.0" in told.message
    (user,) = findings("run-as-non-root", files)
    assert user.outcome is Outcome.UNKNOWN
