"""What workflows hand to others of secrets: other machines, workflows of other repositories, images."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import audit
from bot.files.audit.rules import BY_CHECK
from tests.unit.files.audit.world import BUILD, NOW, PUSH, findings, outcomes, texts, workflow

FAILS, HOLDS, UNKNOWN = Outcome.FAILS, Outcome.HOLDS, Outcome.UNKNOWN
SSH = "- uses: appleboy/ssh-action@v1\n  with:\n    host: h\n    script: |\n      {line}\n"
RUN = "docker run -d --name api {options} contoso/api:8"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-e DB_PASSWORD=${{ secrets.DB_PASSWORD }}", [FAILS]),
        ("-e DB_PASSWORD='${{ secrets.DB_PASSWORD }}' -e API_KEY=${{ secrets.K }}", [FAILS, FAILS]),
        ("--env=DB_PASSWORD=$PASSWORD", [FAILS]),
        ("--env DB_PASSWORD", [FAILS]),
        ('-e "ConnectionStrings__Shop=Server=db;Password=${{ secrets.P }}"', [FAILS]),
        ("-e ConnectionStrings__Shop=${{ secrets.SHOP }}", [UNKNOWN]),
        ("-e DB_PASSWORD_FILE=/run/secrets/db -e ASPNETCORE_URLS=http://+:8080", []),
        ("-l DB_PASSWORD=${{ secrets.DB_PASSWORD }}", []),
    ],
)
def test_a_container_of_another_machine_gets_no_secret_into_its_environment(
    options: str, expected: list[Outcome]
) -> None:
    line = RUN.format(options=options)
    by_shell = f"- run: |\n    ssh root@h << 'EOF'\n    {line}\n    EOF\n"
    in_quotes = "- run: |\n    ssh root@h '{}'\n".format(line.replace("'", '"'))
    for steps in (SSH.format(line=line), by_shell, in_quotes):
        assert outcomes("runtime-secrets", {BUILD: workflow(steps)}) == expected
        assert outcomes("runtime-secrets", {BUILD: workflow(steps, "pull_request:")}) == []


@pytest.mark.parametrize(("stays", "expected"), [("--restart always", [FAILS]), ("--rm", [])])
def test_a_container_that_outlives_its_run_gets_no_secret_either(stays: str, expected: list[Outcome]) -> None:
    steps = f"- run: |\n    docker run {stays} \\\n      -e DB_PASSWORD=${{{{ secrets.P }}}} contoso/api:8\n"
    assert outcomes("runtime-secrets", {BUILD: workflow(steps)}) == expected


def test_a_secret_is_told_by_name_and_not_by_value() -> None:
    line = RUN.format(options="-e DB_PASSWORD=hunter22 -e TOKEN=$TOKEN")
    told = [each.message for each in findings("runtime-secrets", {BUILD: workflow(SSH.format(line=line))})]
    assert told == [
        "DB_PASSWORD is written out of what it starts",
        "TOKEN comes into the environment of what it starts",
    ]


CALL = """
on: {{push: {{branches: [main]}}}}
jobs:
  build:
    uses: {uses}
    secrets: {secrets}
"""
COMMIT = "0123456789012345678901234567890123456789"


@pytest.mark.parametrize(
    ("uses", "secrets", "expected"),
    [
        ("contoso/ci/.github/workflows/docker-publish.yml@main", "inherit", [FAILS]),
        ("contoso/ci/.github/workflows/docker-publish.yml@v2", "inherit", [FAILS]),
        (f"contoso/ci/.github/workflows/docker-publish.yml@{COMMIT}", "inherit", [HOLDS]),
        ("contoso/ci/.github/workflows/docker-publish.yml@main", "{TOKEN: '${{ secrets.TOKEN }}'}", []),
        ("contoso/ci/.github/workflows/lint.yml@main", "inherit", []),
        ("shop/ci/.github/workflows/docker-publish.yml@main", "inherit", []),
    ],
)
def test_a_workflow_of_others_that_gets_all_secrets_is_named_by_commit(
    uses: str, secrets: str, expected: list[Outcome]
) -> None:
    files = texts({BUILD: CALL.format(uses=uses, secrets=secrets), "Dockerfile": "FROM node:24\n"})
    found = audit(files, NOW, rules=[BY_CHECK["actions-pinned"]], name="shop/api")
    assert [each.outcome for each in found] == expected
    tests = {path: text.replace(b"push: {branches: [main]}", b"pull_request: {}") for path, text in files.items()}
    assert audit(tests, NOW, rules=[BY_CHECK["actions-pinned"]], name="shop/api") == ()


def test_a_workflow_that_stands_here_is_the_repositorys_own_whatever_its_full_name_says() -> None:
    uses = "contoso/shop/.github/workflows/publish.yml@main"
    files = {BUILD: CALL.format(uses=uses, secrets="inherit"), "Dockerfile": "FROM node:24\n"}
    assert outcomes("actions-pinned", files) == [FAILS]
    called = "on: workflow_call\njobs: {}\n"
    assert outcomes("actions-pinned", {**files, ".github/workflows/publish.yml": called}) == []


DOCKERFILE = "FROM a AS build\nCOPY src/ src/\nRUN dotnet publish src -o /app\nFROM b:8\nCOPY --from=build /app .\n"
BUILDS = PUSH.replace("  with:\n", "  with:\n    context: .\n    file: Dockerfile\n")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- run: printf '%s' \"$KEY\" > ./src/key.json\n  env: {KEY: '${{ secrets.KEY }}'}\n", UNKNOWN),
        ("- run: echo '${{ secrets.SETTINGS }}' > src/appsettings.Production.json\n", UNKNOWN),
        ("- run: echo \"$KEY\" | base64 -d > src/key.pfx\n  env: {KEY: '${{ secrets.KEY }}'}\n", UNKNOWN),
        ("- run: echo \"$KEY\" | tee src/key.json\n  env: {KEY: '${{ secrets.KEY }}'}\n", UNKNOWN),
        ("- run: echo \"$KEY\" > /tmp/key.json\n  env: {KEY: '${{ secrets.KEY }}'}\n", HOLDS),
        ("- run: echo \"$KEY\" > ~/.docker/config.json\n  env: {KEY: '${{ secrets.KEY }}'}\n", HOLDS),
        ("- run: echo \"$KEY\" >> $GITHUB_ENV\n  env: {KEY: '${{ secrets.KEY }}'}\n", HOLDS),
        ("- run: echo \"$KEY\" > docs/key.json\n  env: {KEY: '${{ secrets.KEY }}'}\n", HOLDS),
        ("- run: echo 1 > src/version.txt\n  env: {KEY: '${{ secrets.KEY }}'}\n", HOLDS),
    ],
)
def test_a_secret_that_a_step_writes_beside_what_is_copied_may_be_in_the_image(
    step: str, expected: Outcome
) -> None:
    files = {BUILD: workflow(step + BUILDS), "Dockerfile": DOCKERFILE}
    assert outcomes("image-secrets", files) == [expected]
    behind = {BUILD: workflow(BUILDS + step), "Dockerfile": DOCKERFILE}
    assert outcomes("image-secrets", behind) == [HOLDS]


PROJECT = '<Project><ItemGroup><None Update="{name}"><{key}>{value}</{key}></None></ItemGroup></Project>'


@pytest.mark.parametrize(
    ("name", "key", "value", "expected"),
    [
        ("gateway.pfx", "CopyToOutputDirectory", "Always", UNKNOWN),
        ("keys\\server.key", "CopyToPublishDirectory", "PreserveNewest", UNKNOWN),
        ("gateway.pfx", "CopyToPublishDirectory", "Never", HOLDS),
        ("appsettings.json", "CopyToOutputDirectory", "Always", HOLDS),
        ("signing.pub.key", "CopyToOutputDirectory", "Always", HOLDS),
    ],
)
def test_a_key_that_a_project_publishes_may_be_in_the_image(
    name: str, key: str, value: str, expected: Outcome
) -> None:
    project = PROJECT.format(name=name, key=key, value=value)
    assert outcomes("image-secrets", {"Dockerfile": DOCKERFILE, "src/Web.csproj": project}) == [expected]
    assert outcomes("image-secrets", {"Dockerfile": DOCKERFILE, "other/Other.csproj": project}) == [HOLDS]
    assert outcomes("image-secrets", {"Dockerfile": "FROM b:8\nCOPY . .\n", "Web.csproj": project}) == [HOLDS]


def test_a_key_is_told_where_its_project_is_published_and_as_what_a_build_may_not_find() -> None:
    text = DOCKERFILE.replace("RUN dotnet", "RUN dotnet build src\nRUN dotnet")
    project = PROJECT.format(name="web.pfx", key="CopyToOutputDirectory", value="Always")
    (found,) = findings("image-secrets", {"Dockerfile": text, "src/Web.csproj": project})
    assert found.place.start == 4
    assert found.message.startswith("where a build finds web.pfx, src/Web.csproj publishes it")


def test_a_key_of_a_project_that_is_only_copied_is_not_published() -> None:
    tests = PROJECT.format(name="web.pfx", key="CopyToOutputDirectory", value="Always")
    text = DOCKERFILE.replace("COPY src/ src/", "COPY src/ src/\nCOPY Tests/Tests.csproj Tests/")
    files = {"Dockerfile": text, "src/Web.csproj": "<Project/>", "Tests/Tests.csproj": tests}
    assert outcomes("image-secrets", files) == [HOLDS]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("export DB_PASSWORD=${{ secrets.P }}; docker compose up -d", [UNKNOWN]),
        ("export DB_PASSWORD='${{ secrets.P }}' && ./deploy.sh", [UNKNOWN]),
        ("export TAG=${{ github.sha }}; docker compose up -d", []),
        ("export DB_PASSWORD=${{ secrets.P }}; ls", []),
        ("kubectl create secret generic a -o yaml | kubectl apply -f -", []),
    ],
)
def test_a_secret_that_is_exported_where_containers_start_is_told(line: str, expected: list[Outcome]) -> None:
    by_shell = f'- run: |\n    ssh root@h "{line}"\n'
    for steps in (SSH.format(line=line), by_shell):
        found = findings("runtime-secrets", {BUILD: workflow(steps)})
        assert [each.outcome for each in found] == expected


GITLAB = "variables:\n  DB_PASSWORD: VALUE\nbuild:\n  script: [docker push a]\n"


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (".gitlab-ci.yml", GITLAB, 2),
        (".gitlab-ci.yml", GITLAB.replace("VALUE", "{value: VALUE, description: d}"), 2),
    ],
)
def test_a_secret_that_a_build_of_another_service_writes_out_is_told(path: str, text: str, line: int) -> None:
    (found,) = findings("runtime-secrets", {path: text.replace("VALUE", "Sup3rS3cretValue9")})
    assert (found.outcome, found.place.path, found.place.start) == (UNKNOWN, path, line)
    assert "Sup3r" not in f"{found.message}{found.subject}{found.settled_by}"
    assert findings("runtime-secrets", {path: text.replace("VALUE", "$(secret)")}) == ()


AZURE = "trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps:\n- script: make\n"


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("azure-pipelines.yml", f"{AZURE}variables:\n  dbPassword: VALUE\n", 6),
        ("azure-pipelines.yml", f"{AZURE}variables:\n- group: shop\n- name: dbPassword\n  value: VALUE\n", 8),
        (".env", "TAG=8\nDB_PASSWORD=VALUE\n", 2),
        ("deploy/shop.env", "DB_PASSWORD='VALUE'\n", 1),
        (".env.production", "DB_PASSWORD=VALUE\n", 1),
    ],
)
def test_a_variable_that_is_written_out_where_builds_or_files_set_them_is_told(
    path: str, text: str, line: int
) -> None:
    (found,) = findings("runtime-secrets", {path: text.replace("VALUE", "Sup3rS3cretValue9")})
    assert (found.outcome, found.place.path, found.place.start) == (UNKNOWN, path, line)
    assert "Sup3r" not in f"{found.message}{found.subject}{found.settled_by}"
    assert findings("runtime-secrets", {path: text.replace("VALUE", "$(secret)")}) == ()


@pytest.mark.parametrize(
    "path",
    [
        *(".env.example", ".env.local", ".env.test", "tests/.env", "example.env", "shop-sample.env"),
        *("template.env", "dev.env", "shop.local.env", "deploy/shop_test.env"),
    ],
)
def test_a_file_of_variables_of_no_deployment_is_asked_nothing(path: str) -> None:
    assert findings("runtime-secrets", {path: "DB_PASSWORD=Sup3rS3cretValue9\n"}) == ()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('bash -c "sleep 9; /opt/mssql-tools/bin/sqlcmd -S db -U sa -P ${PASS} -i a.sql"', FAILS),
        ("bash -c 'mysql -u root -p${PASS} < a.sql'", FAILS),
        ('[bash, -c, "until sqlcmd -U sa -P ${PASS}; do sleep 1; done"]', FAILS),
        ('bash -c "sleep 9; sqlcmd -S db -E -i a.sql"', HOLDS),
    ],
)
def test_what_a_shell_is_given_is_asked_word_by_word(command: str, expected: Outcome) -> None:
    service = f"services:\n  seed:\n    image: contoso/seed:1\n    command: {command}\n"
    assert outcomes("runtime-secrets", {"compose.yaml": service}) == [expected]


ARGUED = "      context: .\n      args:\n        - FEED_TOKEN\n"
HANDED = "file: Dockerfile\n    context: .\n    build-args: FEED_TOKEN=${{ secrets.FEED }}"


@pytest.mark.parametrize(
    ("more", "is_patched"),
    [
        ("", True),
        (f"- uses: docker/build-push-action@v6\n  with:\n    push: false\n    {HANDED}\n", False),
        ("- run: docker build --build-arg FEED_TOKEN=$FEED .\n", False),
    ],
)
def test_a_secret_argument_that_another_build_hands_over_too_is_left_to_people(
    more: str, *, is_patched: bool
) -> None:
    steps = PUSH.replace("push: true", f"push: true\n    {HANDED}") + more
    text = "FROM a\nARG FEED_TOKEN\nRUN restore --token $FEED_TOKEN\n"
    found = findings("build-argument-secrets", {BUILD: workflow(steps), "Dockerfile": text})
    (fix,) = [each.fix for each in found if each.outcome is FAILS and each.fix is not None]
    assert (bool(fix.suggested), "as well" in fix.left_alone) == (is_patched, not is_patched)


@pytest.mark.parametrize(
    ("path", "text", "is_patched"),
    [
        ("docker-bake.hcl", 'target "api" {\n  args = { FEED_TOKEN = "${FEED_TOKEN}" }\n}\n', False),
        ("build.sh", "#!/bin/sh\ndocker build --build-arg FEED_TOKEN .\n", False),
        ("build.sh", "#!/bin/sh\ndocker build --build-arg FEED_TOKENS=a .\n", True),
        ("Makefile", "image:\n\tdocker build --build-arg FEED_TOKEN=$(T) .\n", False),
        ("README.md", "`docker build --build-arg FEED_TOKEN=x .`\n", True),
        ("README.MD", "`docker build --build-arg FEED_TOKEN=x .`\n", True),
        ("docs/build.txt", "docker build --build-arg FEED_TOKEN=x .\n", True),
        ("build.sh", "docker build --build-arg \\\n  FEED_TOKEN=$X .\n", False),
        ("build.sh", "# docker build --build-arg FEED_TOKEN=$X .\n", True),
        ("build.ps1", "$given = '--build-arg', 'FEED_TOKEN=x'\ndocker build @given .\n", False),
        ("build.ps1", "docker build --build-arg `\n  FEED_TOKEN=$X .\n", False),
        ("docker-compose.yml", f"services:\n  api:\n    build:\n{ARGUED}", False),
        ("docker-compose.dev.yml", f"services:\n  api:\n    build:\n{ARGUED}", False),
        (".devcontainer/devcontainer.json", '{"build": {"args": {"FEED_TOKEN": "x"}}}\n', False),
    ],
)
def test_a_secret_argument_that_a_script_or_a_definition_hands_over_too_is_left_to_people(
    path: str, text: str, *, is_patched: bool
) -> None:
    file = "FROM a\nARG FEED_TOKEN\nRUN restore --token $FEED_TOKEN\n"
    steps = PUSH.replace("push: true", f"push: true\n    {HANDED}")
    found = findings("build-argument-secrets", {BUILD: workflow(steps), "Dockerfile": file, path: text})
    fixes = [each.fix for each in found if each.place.path == BUILD and each.fix is not None]
    assert [(bool(fix.suggested), f"{path} hands" in fix.left_alone) for fix in fixes] == [
        (is_patched, not is_patched)
    ]


def test_a_build_of_another_dockerfile_keeps_its_own_argument() -> None:
    file = "FROM a\nARG FEED_TOKEN\nRUN restore --token $FEED_TOKEN\n"
    first = PUSH.replace("push: true", f"push: true\n    {HANDED}")
    other = first.replace("file: Dockerfile", "file: web/Dockerfile").replace("id: build", "id: web")
    files = {BUILD: workflow(first + other), "Dockerfile": file, "web/Dockerfile": file}
    fixes = [each.fix for each in findings("build-argument-secrets", files) if each.fix is not None]
    assert [bool(fix.suggested) for fix in fixes] == [True, True]
