"""Secrets that patches move from the environment into files."""

import pytest

from bot.files.audit.auditing import audit
from bot.files.audit.patches import patches
from tests.unit.files.audit.patching import ARGUED, TAKEN, TOKEN, known
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, deployment, texts, workflow


def of_others(image: str) -> str:
    """A service of an image that nothing here makes."""
    return TAKEN.replace("    build: .\n", "").replace("contoso/api", image)


def making(image: str) -> str:
    """A script that makes an image of that name."""
    return f"docker build -t {image} .\n"


WRITTEN_OUT = """
env:
  - name: DB_HOST
    value: db
  - name: DB_PASSWORD
    value: hunter2
"""
OF_SERVICE = """
services:
  api:
    build: .
    environment:
      A: b
      DB_PASSWORD: hunter2
    user: '1654'
"""


@pytest.mark.parametrize(
    ("files", "expected", "told"),
    [
        (
            {DEPLOYMENT: deployment(WRITTEN_OUT)},
            ["secretName: api-secrets", "path: DB_PASSWORD"],
            "in the Secret api",
        ),
        ({"compose.yaml": OF_SERVICE}, ["- DB_PASSWORD", "environment: DB_PASSWORD"], "where Compose runs"),
    ],
)
def test_a_secret_that_is_written_out_becomes_a_file_that_must_be_set_first(
    files: dict[str, str], expected: list[str], told: str
) -> None:
    before = texts(files)
    (finding,) = [each for each in audit(before, NOW) if each.check == "runtime-secrets"]
    assert finding.fix is not None
    assert f"set DB_PASSWORD {told}" in finding.fix.advice
    patch = patches(known(before), [finding], audit(before, NOW))[finding]
    added = "\n".join(line[1:] for line in patch.splitlines() if line[0] == "+")
    assert [each for each in expected if each not in added] == []
    assert "hunter2" not in patch
    assert "***" in patch


TWO_CONTAINERS = """
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations: {{kustomize.toolkit.fluxcd.io/force: enabled}}
spec:
  containers:
    - name: api
      image: mcr.microsoft.com/dotnet/samples:a
      env:
        - name: DB_PASSWORD
          value: hunter2
    - name: web
      image: mcr.microsoft.com/dotnet/samples:b
      env:
        - name: DB_PASSWORD
          value: {value}
"""
TWO_SERVICES = """
services:
  a:
    build: a
    environment: {{DB_PASSWORD: hunter2}}
    user: '1'
  b:
    build: b
    environment: {{DB_PASSWORD: {value}}}
    user: '1'
"""


@pytest.mark.parametrize("value", ["hunter2", "hunter3"])
@pytest.mark.parametrize(("path", "text"), [(DEPLOYMENT, TWO_CONTAINERS), ("compose.yaml", TWO_SERVICES)])
def test_two_secrets_of_one_name_are_not_made_one(path: str, text: str, value: str) -> None:
    text = text.format(value=value)
    found = [each for each in audit(texts({path: text}), NOW) if each.check == "runtime-secrets"]
    suggested = [each.fix.suggested for each in found if each.fix is not None]
    assert len(suggested) == 2
    assert all(map(bool, suggested)) is (value == "hunter2")
    assert any(map(bool, suggested)) is (value == "hunter2")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("# syntax=docker/dockerfile:1.4\n" + TOKEN.lstrip(), "1.10 is the first"),
        (TOKEN.replace(" --token $NUGET_TOKEN", ""), "no RUN names NUGET_TOKEN"),
        (TOKEN.replace("USER 1", "EXPOSE 80\n" * 500), "more than 500 instructions"),
        (TOKEN.replace("USER 1", "ENV X=${NUGET_TOKEN-none}"), "used in line 5 by what takes no build secret"),
    ],
)
def test_a_build_that_would_lose_its_token_is_left_to_people(written: str, why: str) -> None:
    files = texts({"Dockerfile": written, BUILD: workflow(ARGUED)})
    (finding,) = [each for each in audit(files, NOW) if each.check == "build-argument-secrets"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert why in finding.fix.left_alone


@pytest.mark.parametrize("line", ["# syntax=docker/dockerfile:1", "# syntax=docker/dockerfile:1.10"])
def test_a_frontend_that_gives_secrets_to_variables_is_taken(line: str) -> None:
    files = texts({"Dockerfile": f"{line}\n{TOKEN.lstrip()}", BUILD: workflow(ARGUED)})
    (finding,) = [each for each in audit(files, NOW) if each.check == "build-argument-secrets"]
    assert finding.fix is not None
    assert "--mount=" in "".join(each.text for each in finding.fix.suggested)


OF_DB = """
env:
  - name: DB_PASSWORD
    valueFrom:
      secretKeyRef:
        name: db
        key: password
"""


@pytest.mark.parametrize(
    ("container", "pod", "why"),
    [
        (
            f'{OF_DB}args: ["--password=$(DB_PASSWORD)"]',
            "",
            "a command or another variable of it names one of them",
        ),
        (f"{OF_DB}  - name: URL\n    value: redis://$(DB_PASSWORD)", "", "a command or another variable"),
        (f"{OF_DB}        optional: true", "", "one of its Secrets is optional"),
        (OF_DB.replace("name: db", "name: my.db"), "", "my.db cannot be the name of a volume"),
        (OF_DB, "volumes:\n  - name: db\n    secret:\n      secretName: db", "the pod has a volume db already"),
        (f"{OF_DB}envFrom:\n  - secretRef: {{name: db}}", "", "which Secret it is stands in no one place"),
    ],
)
def test_secrets_whose_files_a_pod_could_not_have_are_left_to_people(container: str, pod: str, why: str) -> None:
    files = texts({DEPLOYMENT: deployment(container, pod)})
    fixes = [each.fix for each in audit(files, NOW) if each.check == "runtime-secrets"]
    assert [each.suggested for each in fixes if each is not None] == [()] * len(fixes)
    assert all(each is not None and why in each.left_alone for each in fixes)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"compose.yaml": f"{TAKEN}secrets:\n  DB_PASSWORD:\n    environment: OTHER\n"}, "of another source"),
        ({"compose.yaml": of_others("postgres:17")}, "those who make postgres say"),
        ({DEPLOYMENT: deployment(OF_DB, image="docker.io/library/redis:8")}, "those who make redis say"),
        ({"compose.yaml": of_others("grafana/grafana:12")}, "those who make grafana say"),
        (
            {DEPLOYMENT: deployment(OF_DB, image="mcr.microsoft.com/mssql/server:2022-latest")},
            "those who make server say",
        ),
        (
            {"compose.yaml": TAKEN.replace("DB_PASSWORD", "PGADMIN_DEFAULT_PASSWORD")},
            "read PGADMIN_DEFAULT",
        ),
        (
            {
                "compose.yaml": of_others("camunda/web").replace("DB_PASS", "CAMUNDA_PASS"),
                "b.sh": making("camunda/web"),
            },
            "read CAMUNDA_PASSWORD",
        ),
        ({"compose.yaml": TAKEN.replace("DB_PASSWORD", "ORACLE_PWD")}, "read ORACLE_PWD"),
        ({"compose.yaml": TAKEN.replace("DB_PASSWORD", "AWS_SECRET_ACCESS_KEY")}, "read AWS_SECRET_ACCESS_KEY"),
        ({DEPLOYMENT: deployment(OF_DB.replace("DB_PASSWORD", "SA_PASSWORD"))}, "read SA_PASSWORD"),
        ({"compose.yaml": of_others("stranger/dns")}, "what makes dns is not seen here"),
        ({"compose.yaml": of_others("${REGISTRY}${NAME}")}, "which image ${REGISTRY}${NAME} is"),
        ({DEPLOYMENT: deployment(OF_DB, image="${REGISTRY}/${NAME}")}, "which image ${REGISTRY}/${NAME} is"),
    ],
)
def test_a_program_that_would_read_no_file_or_another_keeps_its_environment(
    files: dict[str, str], why: str
) -> None:
    (fix,) = [each.fix for each in audit(texts(files), NOW) if each.check == "runtime-secrets"]
    assert fix is not None
    assert fix.suggested == ()
    assert why in fix.left_alone


def test_a_secret_of_the_same_source_that_the_file_has_is_taken() -> None:
    files = texts({"compose.yaml": f"{TAKEN}secrets:\n  DB_PASSWORD:\n    environment: SA\n"})
    (fix,) = [each.fix for each in audit(files, NOW) if each.check == "runtime-secrets"]
    assert fix is not None
    assert "- DB_PASSWORD" in "".join(each.text for each in fix.suggested)


@pytest.mark.parametrize("files", [{"compose.yaml": TAKEN}, {DEPLOYMENT: deployment(WRITTEN_OUT)}])
def test_a_patch_says_that_the_program_must_read_files_first(files: dict[str, str]) -> None:
    (fix,) = [each.fix for each in audit(texts(files), NOW) if each.check == "runtime-secrets"]
    assert fix is not None
    assert fix.suggested
    assert "have the program read files first (in .NET by AddKeyPerFile)" in fix.advice


def test_one_key_of_a_secret_becomes_a_file_for_each_variable() -> None:
    more = OF_DB.replace("DB_PASSWORD", "OLD_PASSWORD").replace("\nenv:\n", "")
    files = texts({DEPLOYMENT: deployment(f"{OF_DB}{more}  - {{name: A, value: $(A) $$(B)}}")})
    findings = [each for each in audit(files, NOW) if each.check == "runtime-secrets"]
    (shown, _) = patches(known(files), findings, audit(files, NOW)).values()
    assert "path: DB_PASSWORD" in shown
    assert "path: OLD_PASSWORD" in shown


def fixes(files: dict[str, str]) -> list[tuple[bool, str]]:
    found = [each.fix for each in audit(texts(files), NOW) if each.check == "runtime-secrets"]
    return [(bool(fix.suggested), fix.left_alone) for fix in found if fix is not None]


OWN_PROJECT = """
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup><ContainerRepository>shop-web</ContainerRepository></PropertyGroup>
</Project>
"""


@pytest.mark.parametrize(
    "made",
    [
        {"src/Web.csproj": OWN_PROJECT},
        {"compose.yaml": "services: {web: {build: src, image: 'shop-web:1'}}"},
        {BUILD: workflow("- uses: docker/build-push-action@v6\n  with:\n    tags: shop-web\n    load: true\n")},
        {"build.sh": "docker build -t shop-web:dev src\n"},
        {"build.sh": "dotnet publish src /t:PublishContainer -p:ContainerRepository=shop-web\n"},
        {BUILD: workflow("- run: dotnet publish /t:PublishContainer -p:ContainerRepository=shop-web\n")},
        {},
    ],
)
def test_an_image_that_the_repository_makes_needs_no_word_of_its_makers(made: dict[str, str]) -> None:
    ((is_suggested, why),) = fixes({DEPLOYMENT: deployment(OF_DB, image="shop-web:7"), **made})
    assert is_suggested is bool(made)
    assert ("what makes shop-web is not seen here" in why) is not bool(made)


@pytest.mark.parametrize(
    ("script", "is_read"),
    [
        ('sqlcmd -P "$DB_PASSWORD"', True),
        ("sqlcmd -P ${DB_PASSWORD:?}", True),
        ("sqlcmd -P $DB_PASSWORD_OLD", False),
        ("exec dotnet Api.dll", False),
    ],
)
def test_a_variable_that_the_containers_own_script_reads_stays(script: str, is_read: bool) -> None:
    pods = [
        f"{OF_DB}command: [sh, -c, '{script}']",
        f"{OF_DB}livenessProbe:\n  exec:\n    command: [sh, -c, '{script}']",
    ]
    files = [{DEPLOYMENT: deployment(each)} for each in pods]
    files.append({"compose.yaml": f"{TAKEN}    entrypoint: [sh, -c, '{script.replace('$', '$$')}']\n"})
    for each in files:
        ((is_suggested, why),) = fixes(each)
        assert is_suggested is not is_read
        assert ("its own script reads" in why) is is_read


@pytest.mark.parametrize(
    ("name", "is_prefixed"),
    [
        ("Meetings_DbPassword", True),
        ("Shop_Db__Password", True),
        ("Db__Password", False),
        ("DB_PASSWORD", False),
        ("Db__Api_Key", False),
    ],
)
def test_a_variable_that_may_lose_a_prefix_becomes_no_file(name: str, is_prefixed: bool) -> None:
    for files in (
        {DEPLOYMENT: deployment(OF_DB.replace("DB_PASSWORD", name))},
        {"compose.yaml": TAKEN.replace("DB_PASSWORD", name)},
    ):
        ((is_suggested, why),) = fixes(files)
        assert is_suggested is not is_prefixed
        assert ("may take" in why) is is_prefixed


@pytest.mark.parametrize("indent", ["    ", "      "])
def test_a_list_that_stands_level_with_its_key_is_taken_out_whole(indent: str) -> None:
    item = f"{indent}- DB_PASSWORD=${{SA}}"
    text = f"services:\n  api:\n    build: .\n    environment:\n{item}\n    user: '1'\n"
    files = texts({"compose.yaml": text})
    (finding,) = [each for each in audit(files, NOW) if each.check == "runtime-secrets"]
    shown = patches(known(files), [finding], audit(files, NOW))[finding].splitlines()
    removed = [line.strip("- ") for line in shown if line.startswith("-") and not line.startswith("---")]
    assert removed == ["environment:", "DB_PASSWORD=${SA}"]
    assert "     user: '1'" in shown


def test_a_variable_that_begins_as_the_image_is_called_is_its_programs() -> None:
    ((is_suggested, why),) = fixes(
        {
            "compose.yaml": of_others("arangodb/arangodb").replace("DB_PASS", "ARANGO_ROOT_PASS"),
            "b.sh": making("arangodb/arangodb"),
        }
    )
    assert not is_suggested
    assert "a program or library of others may read ARANGO_ROOT_PASSWORD" in why


@pytest.mark.parametrize(
    ("name", "is_of_others"), [("KEYCLOAK_ADMIN_PASSWORD", True), ("KEYCLOAK_CLIENT_SECRET", False)]
)
def test_what_a_server_does_not_document_is_no_name_of_its_own(name: str, is_of_others: bool) -> None:
    ((is_suggested, why),) = fixes({DEPLOYMENT: deployment(OF_DB.replace("DB_PASSWORD", name))})
    assert (is_suggested, "of others may read" in why) == (not is_of_others, is_of_others)


def test_what_an_anchor_brings_is_not_said_to_come_from_several_files() -> None:
    text = """
        x-env: &env
          Shop__ApiKey: ${SHOP_API_KEY}
          LEVEL: debug
        services:
          shop:
            build: .
            environment:
              <<: *env
    """
    ((is_suggested, why),) = fixes({"compose.yaml": text})
    assert (is_suggested, "anchors" in why, "files" in why) == (False, True, False)


def test_a_connection_that_takes_its_password_is_not_left_alone_for_being_written_out() -> None:
    connection = "Server=db;Password=${SHOP_PASSWORD}"
    ((_, why),) = fixes(
        {"compose.yaml": TAKEN.replace("${SA}", connection).replace("DB_PASSWORD", "ShopConnectionString")}
    )
    assert "written out" not in why
    assert "connection" in why


@pytest.mark.parametrize(("name", "is_left"), [("api", True), ("other", False)])
def test_a_service_that_another_file_extends_keeps_its_variables(name: str, *, is_left: bool) -> None:
    extending = f"services:\n  web:\n    extends: {{file: ../compose.yaml, service: {name}}}\n"
    files = texts({"compose.yaml": OF_SERVICE, "sub/more.compose.yaml": extending, "Dockerfile": "FROM x\n"})
    found = [
        each for each in audit(files, NOW) if (each.check, each.place.path) == ("runtime-secrets", "compose.yaml")
    ]
    fixes = [each.fix for each in found if each.fix is not None]
    assert any("another file extends it" in each.left_alone for each in fixes) is is_left
    assert any(each.suggested for each in fixes) is not is_left


@pytest.mark.parametrize(
    ("overlay", "is_left"),
    [
        ("env: [{name: DB_PASSWORD, value: x, valueFrom: null}]", True),
        ("env: [{name: OTHER, value: x}]", True),
        ("imagePullPolicy: Always", False),
    ],
)
def test_what_a_kustomization_gives_another_environment_keeps_its_variables(overlay: str, *, is_left: bool) -> None:
    taken = "env:\n  - name: DB_PASSWORD\n    valueFrom: {secretKeyRef: {name: db, key: password}}"
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n"
    files = {
        "base/api.yaml": deployment(taken),
        "base/kustomization.yaml": "resources: [api.yaml]\n",
        "prod/kustomization.yaml": "resources: [../base]\n",
        "stage/kustomization.yaml": "resources: [../base]\npatches: [{path: api.yaml}]\n",
        "stage/api.yaml": f"{patch}spec: {{template: {{spec: {{containers: [{{name: api, {overlay}}}]}}}}}}\n",
    }
    fixes = [each.fix for each in audit(texts(files), NOW) if each.check == "runtime-secrets" and each.fix]
    told = "stage takes it too, and gives it another environment"
    assert any(told in fix.left_alone for fix in fixes) is is_left
    assert any(fix.suggested for fix in fixes) is not is_left
