"""Secrets at run time and as build arguments."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import judge_repository
from bot.files.audit.patches import Texts, patches
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.names import is_secret_name
from tests.unit.files.audit.world import (
    BUILD,
    DEPLOYMENT,
    NOW,
    deployment,
    findings,
    outcome,
    outcomes,
    texts,
    workflow,
)

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DB_PASSWORD", True),
        ("PGPASSWORD", True),
        ("ApiKey", True),
        ("Storage__AccountKey", True),
        ("GITHUB_TOKEN", True),
        ("FEED_ACCESSTOKEN", True),
        ("ci_npmtoken", True),
        ("NO_DEPLOYTOKENS", False),
        ("ConnectionStrings__Shop", True),
        ("PASSWORD_FILE", False),
        ("SECRET_STORE", False),
        ("TOKEN_PROVIDER", False),
        ("TOKEN_URL", False),
        ("PATH", False),
        ("TOKENIZER", False),
        ("Jwt__TokenLifetime", False),
        ("MYSQL_ALLOW_EMPTY_PASSWORD", False),
        ("PWD", False),
        ("SECRETS_DIRECTORY", False),
        ("Credential__CipherMode", False),
        ("CREDENTIAL__ISSUERID", False),
        ("Serilog__MinimumLevel__Override__Contoso.CredentialIssuer.Service", False),
        ("Credentials__Password", True),
        ("Secrets__Mail__0", True),
        ("ApiKey__Value", True),
        ("GOOGLE_CREDENTIALS_JSON", True),
        ("DATA_ENCRYPTION_KEY", True),
        ("Jwt__Key", True),
        ("TOKEN_SIGNING_KEY_ID", False),
        ("SHOP_APIKEY_CLAIMS", False),
        ("ALLOWEMPTYPASSWORD", False),
        ("JWT_TOKEN_AUTH_MODULE", False),
    ],
)
def test_a_name_tells_whether_it_is_a_secrets(name: str, expected: bool) -> None:
    assert is_secret_name(name) is expected


@pytest.mark.parametrize(
    ("lines", "pod", "expected"),
    [
        ("env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: p}}}]", "", FAILS),
        ("envFrom: [{secretRef: {name: db}}]", "", FAILS),
        ("envFrom: [{configMapRef: {name: db}}]", "", UNKNOWN),
        ("env: [{name: DB_PASSWORD, value: hunter2}]", "", FAILS),
        ("env: [{name: DB_HOST, value: db}]", "", HOLDS),
        ("env: [{name: DB_PASSWORD, value: empty}]", "", HOLDS),
        ("env: [{name: DB_PASSWORD, value: '{password}'}]", "", HOLDS),
        ("env: [{name: DB_PASSWORD, value: '[your password]'}]", "", HOLDS),
        ('env: [{name: GOOGLE_CREDENTIALS, value: \'{"private_key": "hunter2"}\'}]', "", FAILS),
        ("env: [{name: API_TOKEN, value: '[\"hunter2\"]'}]", "", FAILS),
        ("env: [{name: GOOGLE_API_KEY, value: GOOGLE_API_KEY_VAL}]", "", HOLDS),
        ("env: [{name: Pay__Secret, value: PAYPAL_SECRET}]", "", HOLDS),
        ("env: [{name: DB_PASSWORD_FILE, value: /secrets/db}]", "", HOLDS),
        ("env: [{name: DB, value: 'postgres://u:hunter2@db/shop'}]", "", FAILS),
        ("env: [{name: DB, value: 'postgres://u:{0}@db/shop'}]", "", HOLDS),
        ("env: [{name: DB, value: 'postgres://{0}:hunter2@db/shop'}]", "", FAILS),
        ("env: [{name: Db__Secret, value: 'Server=db;Password={0};Encrypt=true'}]", "", HOLDS),
        ("env: [{name: DB, value: 'Server=db;Password=<the password>;'}]", "", HOLDS),
        ("env: [{name: DB, value: 'Server=db;Pwd=__PASSWORD__'}]", "", FAILS),
        ('env: [{name: SHOP_SECRET, value: \'{"Db": "a;Pwd={0};", "Key": "x9"}\'}]', "", FAILS),
        ("env: [{name: DB, value: 'Server=db;Password={0}hunter2;'}]", "", FAILS),
        ("env: [{name: DB, value: 'Name=a;AccountKey=xxx;Suffix=b'}]", "", HOLDS),
        ("env: [{name: DB, value: 'jdbc:postgresql://db/shop?user=a&password=hunter2'}]", "", FAILS),
        ("env: [{name: DB, value: 'jdbc:postgresql://db/shop?password={0}&ssl=true'}]", "", HOLDS),
        ("env: [{name: Bus, value: 'Key=a;SharedAccessKey=SAS_KEY;UseDevelopmentEmulator=true'}]", "", HOLDS),
        ("env: [{name: Blobs, value: 'AccountName=devstoreaccount1;AccountKey=Eby8vd=='}]", "", HOLDS),
        ("env: [{name: Shop__ClientSecret, value: shop-client-secret}]", "", HOLDS),
        ("env: [{name: DB_PASSWORD, value: db_password}]", "", FAILS),
        ("env: [{name: JWT_SECRET, value: CAMBIAR_POR_TU_JWT_SECRET_DE_32_CARACTERES}]", "", HOLDS),
        ("env: [{name: DB, value: 'Server=db;Password=Your_password123;'}]", "", FAILS),
        ("volumeMounts: [{name: s, mountPath: /secrets}]", "volumes: [{name: s, secret: {secretName: db}}]", HOLDS),
        (
            "volumeMounts: [{name: s, mountPath: /secrets}]",
            "volumes: [{name: s, csi: {driver: secrets-store.csi.k8s.io}}]",
            HOLDS,
        ),
    ],
)
def test_secrets_of_a_container(lines: str, pod: str, expected: Outcome) -> None:
    assert outcome("runtime-secrets", {DEPLOYMENT: deployment(lines, pod)}) is expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("environment: {DB_PASSWORD: hunter2}", FAILS),
        ("environment: ['DB_PASSWORD=${DB_PASSWORD}']", FAILS),
        ("environment: {DB_PASSWORD_FILE: /run/secrets/db}", HOLDS),
        ("environment: {ASPNETCORE_URLS: 'http://+:8080'}", HOLDS),
        ("env_file: [.env]", UNKNOWN),
        ("environment: {ConnectionStrings__Shop: '${SHOP}'}", UNKNOWN),
        ("secrets: [db]", HOLDS),
        ("environment: [SHOP_API_KEY]", FAILS),
        ("environment: {SHOP_API_KEY: }", FAILS),
        ("environment: ['SHOP_API_KEY=']", HOLDS),
        ("environment: {SHOP_API_KEY: ''}", HOLDS),
        ("environment: [ConnectionStrings__Shop]", UNKNOWN),
        ("environment: [SHOP_REGION]", HOLDS),
        ("environment: {POSTGRES_PASSWORD: changeit}", FAILS),
        ("environment: {POSTGRES_PASSWORD: change_me}", FAILS),
        ("environment: {SHOP_API_KEY: changeme}", HOLDS),
    ],
)
def test_secrets_of_a_service(environment: str, expected: Outcome) -> None:
    text = f"services:\n  api:\n    image: contoso/api\n    {environment}\n"
    assert outcome("runtime-secrets", {"compose.yaml": text}) is expected


ARGUMENTS = [
    ('["--user", "shop", "--password", "hunter2"]', "['--user', 'shop', '--password', 'hunter2']", FAILS),
    ('["--api-key=hunter2"]', "server --api-key=hunter2", FAILS),
    ('["sh", "-c", "exec redis-server --requirepass hunter2"]', "redis-server --requirepass hunter2", FAILS),
    ('["--password=$(DB_PASSWORD)"]', "sh -c 'server --password $$DB_PASSWORD'", HOLDS),
    ('["--password-file", "/run/secrets/db"]', "server --password-file /run/secrets/db", HOLDS),
    ('["--password", "--verbose"]', "server --password --verbose", HOLDS),
    ('["--client-secret=hunter2"]', "server --client-secret=hunter2", FAILS),
    ('["--secret", "id=nuget"]', "server --secret id=nuget", HOLDS),
    ('["--password", "changeit"]', "server --password changeit", FAILS),
    ('["--api-token", "changeme"]', "server --api-token changeme", HOLDS),
    ('["--token-ttl", "36000"]', "server --token-ttl 36000", HOLDS),
    ('["pkcs12", "-password", "pass:hunter2"]', "openssl pkcs12 -export -password pass:hunter2", FAILS),
    ('["req", "-passout", "pass:hunter2"]', "openssl req -passin env:PW -passout pass:hunter2", FAILS),
    ('["pkcs12", "-password", "env:PW"]', "openssl pkcs12 -export -password file:/run/secrets/pw", HOLDS),
    ('["pkcs12", "-passout", "pass:$(PW)"]', "sh -c 'openssl pkcs12 -passout pass:$$PW'", HOLDS),
    ('["sqlcmd", "-U", "sa", "-P", "hunter2"]', "/opt/tools/bin/sqlcmd -U sa -P hunter2", FAILS),
    ('["scp", "-P", "2222"]', "sh -c 'sqlcmd -P $$SA_PASSWORD'", HOLDS),
    ('["redis-cli", "-a", "hunter2"]', "redis-cli -a hunter2 ping", FAILS),
    ('["mysqladmin", "ping", "-phunter2"]', "mysqladmin ping -uroot -phunter2", FAILS),
    ('["mysqladmin", "-p$(PW)"]', "sh -c 'mysqladmin ping -p$$PW'", HOLDS),
    ('["dotnet", "dev-certs", "https", "-p", "hunter2"]', "dotnet dev-certs https -p hunter2", FAILS),
    ('["mkdir", "-p", "hunter2"]', "mkdir -p hunter2", HOLDS),
]


@pytest.mark.parametrize(("arguments", "command", "expected"), ARGUMENTS)
def test_no_secret_stands_among_arguments(arguments: str, command: str, expected: Outcome) -> None:
    assert outcome("runtime-secrets", {DEPLOYMENT: deployment(f"args: {arguments}")}) is expected
    compose = f"services:\n  db:\n    image: contoso/db\n    command: {command}\n"
    assert outcome("runtime-secrets", {"compose.yaml": compose}) is expected


def test_compose_puts_variables_into_arguments() -> None:
    compose = "services:\n  db:\n    image: redis:8\n    command: redis-server --requirepass ${REDIS_PASSWORD}\n"
    (found,) = findings("runtime-secrets", {"compose.yaml": compose})
    assert (found.outcome, found.place.start) == (FAILS, 4)
    assert found.message == "the value of --requirepass comes into its arguments"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('["CMD-SHELL", "sqlcmd -U sa -P hunter2 -Q \'SELECT 1\'"]', FAILS),
        ("sqlcmd -U sa -P ${SA_PASSWORD}", FAILS),
        ("sqlcmd -U sa -P $$SA_PASSWORD", HOLDS),
        ('["CMD", "redis-cli", "-a", "hunter2", "ping"]', FAILS),
        ('["CMD", "redis-cli", "ping"]', HOLDS),
    ],
)
def test_a_health_check_is_asked_as_a_command_is(test: str, expected: Outcome) -> None:
    compose = f"services:\n  db:\n    image: contoso/db\n    healthcheck:\n      test: {test}\n"
    (found,) = findings("runtime-secrets", {"compose.yaml": compose})
    assert found.outcome is expected
    assert ("its health check" in found.message) is (expected is FAILS)


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_a_probe_is_asked_as_a_command_is(probe: str) -> None:
    lines = f'{probe}: {{exec: {{command: ["sqlcmd", "-U", "sa", "-P", "hunter2"]}}}}'
    (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(lines)})
    assert (found.outcome, found.message) == (FAILS, "the value of -P is written out in a probe or hook")


def test_what_comes_in_as_an_argument_is_not_said_to_be_written_out() -> None:
    compose = "services: {db: {image: contoso/db, command: 'openssl pkcs12 -password pass:${PW}'}}"
    (found,) = findings("runtime-secrets", {"compose.yaml": compose})
    assert found.message == "the value of -password comes into its arguments"


def test_a_patch_beside_a_secret_among_arguments_does_not_show_it() -> None:
    files = texts({DEPLOYMENT: deployment('args:\n  - "--password"\n  - "hunter2"')})
    repository = RepositoryTexts(files)
    found = judge_repository(repository, NOW).findings
    shown = patches(Texts(repository, files, NOW), found)
    assert shown
    assert not any("hunter2" in patch for patch in shown.values())


def test_a_service_of_windows_is_asked_about_secrets_all_the_same() -> None:
    text = "services: {api: {image: contoso/api, isolation: process, environment: {DB_PASSWORD: hunter2}}}"
    assert outcome("runtime-secrets", {"compose.yaml": text}) is FAILS


def test_a_connection_whose_password_is_a_variable_is_not_said_to_be_written_out() -> None:
    text = "services: {api: {image: contoso/api, environment: {ConnectionStrings__Shop: 'Host=db;Password=${SA}'}}}"
    (found,) = findings("runtime-secrets", {"compose.yaml": text})
    assert (found.outcome, found.message) == (
        FAILS,
        "ConnectionStrings__Shop comes into the environment with a password",
    )
    lines = "env: [{name: ConnectionStrings__Shop, value: 'Host=db;Password=$(SA)'}]"
    (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(lines)})
    assert (found.outcome, found.message) == (
        FAILS,
        "ConnectionStrings__Shop comes into the environment with a password",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("NUGET_TOKEN=${{ secrets.NUGET_TOKEN }}", FAILS),
        ("FEED=${{ secrets.FEED }}", FAILS),
        ("VERSION=${{ github.sha }}", HOLDS),
        ("NUGET_TOKEN=hunter2", FAILS),
    ],
)
def test_secrets_as_build_arguments(arguments: str, expected: Outcome) -> None:
    steps = f"""
    - uses: docker/build-push-action@v6
      with:
        push: true
        build-args: |
          {arguments}
    """
    found = findings("build-argument-secrets", {BUILD: workflow(steps)})
    assert [each.outcome for each in found] == [expected]
    assert "hunter2" not in repr(found)


def test_build_arguments_of_a_command_are_read() -> None:
    steps = "- run: docker buildx build --push --build-arg TOKEN=${{ secrets.TOKEN }} -t contoso/api ."
    assert outcome("build-argument-secrets", {BUILD: workflow(steps)}) is FAILS


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("docker build --build-arg TOKEN=${{ secrets.TOKEN }} -t api .", [FAILS]),
        ("docker build --build-arg TOKEN=${{ secrets.TOKEN }} -t other .", [UNKNOWN]),
        ("docker build --build-arg TOKEN=${{ secrets.TOKEN }} -t $NAME .", [FAILS]),
        ("docker-compose -f a.yml build --build-arg TOKEN=$TOKEN api", [FAILS]),
        ("docker build --build-arg TOKEN -t api .", [FAILS]),
        ("docker build --build-arg VERSION=8 -t api .", [HOLDS]),
    ],
)
def test_arguments_of_a_build_count_whose_image_gets_its_name_and_is_pushed_later(
    build: str, expected: list[Outcome]
) -> None:
    steps = f"""
    - name: Build
      env: {{TOKEN: "${{{{ secrets.TOKEN }}}}"}}
      run: {build}
    - run: |
        docker tag api ghcr.io/contoso/api:8
        docker push ghcr.io/contoso/api:8
    """
    found = findings("build-argument-secrets", {BUILD: workflow(steps)})
    assert [each.outcome for each in found] == expected
    assert ("· Build" in found[0].subject) is (expected == [FAILS])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("replace_me", HOLDS),
        ("change-me", HOLDS),
        ("your-token-here", HOLDS),
        ("{your db token}", HOLDS),
        ("@Microsoft.KeyVault(SecretUri=https://shop.vault.azure.net/secrets/token)", HOLDS),
        ("api-token@azurekeyvault", HOLDS),
        ("hunter2", FAILS),
        ("setmeup9", FAILS),
    ],
)
def test_what_stands_for_a_secret_is_none(value: str, expected: Outcome) -> None:
    lines = f'env:\n  - name: API_TOKEN\n    value: "{value}"'
    assert outcome("runtime-secrets", {DEPLOYMENT: deployment(lines)}) is expected


@pytest.mark.parametrize("value", ["#{Token}#", "__TOKEN__"])
def test_what_a_pipeline_puts_in_comes_into_the_environment(value: str) -> None:
    lines = f'env:\n  - name: API_TOKEN\n    value: "{value}"'
    (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(lines)})
    assert (found.outcome, found.message) == (FAILS, "API_TOKEN comes into the environment")


@pytest.mark.parametrize(("line", "expected"), [("DB_PASSWORD: hunter2", UNKNOWN), ("DB_HOST: db", HOLDS)])
def test_an_override_beside_a_compose_file_may_bring_a_secret(line: str, expected: Outcome) -> None:
    files = {
        "docker-compose.yml": "services: {db: {image: contoso/db}}",
        "docker-compose.override.yml": f"services: {{db: {{environment: {{{line}}}}}}}",
    }
    (found,) = findings("runtime-secrets", files)
    assert found.outcome is expected
    assert ("docker-compose.override.yml" in found.message) is (expected is UNKNOWN)


def test_a_step_with_a_secret_in_one_entry_of_its_matrix_does_not_hold_for_the_others() -> None:
    steps = """
    - uses: docker/build-push-action@v6
      with: {push: true, tags: contoso/api, build-args: "${{ matrix.args }}"}
    """
    matrix = "strategy: {matrix: {include: [{args: A=1}, {args: 'NUGET_TOKEN=${{ secrets.FEED }}'}]}}"
    assert outcomes("build-argument-secrets", {BUILD: workflow(steps, job=matrix)}) == [FAILS]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IDENTITY__ADMINCLIENTSECRET", True),
        ("IDENTITY__GOOGLESECRET", True),
        ("GOOGLEAPIKEY", True),
        ("SECURITYKEY", True),
        ("AUTHKEY", True),
        ("USESECRET", False),
        ("IDENTITY__GOOGLESECRET_FILE", False),
        ("MONKEY", False),
        ("PARTITIONKEY", False),
    ],
)
def test_words_that_are_glued_in_capitals_name_a_secret_too(name: str, expected: bool) -> None:
    assert is_secret_name(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("DB_PASSWORD", FAILS), ("DB_HOST", HOLDS), ("ConnectionStrings__Shop", UNKNOWN)]
)
def test_a_secret_that_a_config_map_gives_is_told(name: str, expected: Outcome) -> None:
    container = f"env:\n  - name: {name}\n    valueFrom: {{configMapKeyRef: {{name: shop, key: a}}}}"
    (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(container)})
    assert found.outcome is expected
    if found.fix is not None:
        assert found.fix.suggested == ()
        assert "must become a Secret first" in found.fix.left_alone


@pytest.mark.parametrize(
    ("value", "source", "told"),
    [
        ("$(MQ_PASSWORD)", "{secretKeyRef: {name: mq, key: p}}", "takes MQ_PASSWORD"),
        ("amqp://shop:$(MQ_PASSWORD)@mq", "{secretKeyRef: {name: mq, key: p}}", "takes MQ_PASSWORD"),
        ("$(MQ_PASSWORD)", "{fieldRef: {fieldPath: metadata.uid}}", ""),
    ],
)
def test_what_the_kubelet_puts_in_is_not_said_to_be_written_out(value: str, source: str, told: str) -> None:
    lines = f"""
        env:
          - {{name: MQ_PASSWORD, valueFrom: {source}}}
          - {{name: Mq__Password, value: "{value}"}}
    """
    found = findings("runtime-secrets", {DEPLOYMENT: deployment(lines)})
    assert not any("written out" in each.message for each in found)
    assert any(told in each.message for each in found if told) is bool(told)


COMPOSE_OF_DB = "services: {db: {image: contoso/db}}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("env_file: [shop.env]", UNKNOWN),
        ("environment: {DbConnectionString: '${SHOP_DB}'}", UNKNOWN),
        ("environment: [SHOP_API_KEY]", UNKNOWN),
        ("environment: {dbconnection: '${SHOP_DB}'}", UNKNOWN),
        ("environment: {MaxConnections: '${MOST}'}", HOLDS),
        ("environment: {LEVEL: debug}", HOLDS),
    ],
)
def test_all_that_an_override_may_bring_is_looked_at(line: str, expected: Outcome) -> None:
    over = f"services: {{db: {{{line}}}}}"
    files = {"docker-compose.yml": COMPOSE_OF_DB, "docker-compose.override.yml": over}
    assert outcome("runtime-secrets", files) is expected


@pytest.mark.parametrize(
    ("path", "over", "is_read"),
    [
        ("compose.yaml", "compose.override.yml", True),
        ("docker-compose.yml", "compose.override.yaml", True),
        ("shop.yml", "shop.override.yml", False),
        ("docker-compose.infra.yml", "docker-compose.infra.override.yml", False),
    ],
)
def test_only_the_override_that_compose_takes_by_itself_is_said_to_be_read(
    path: str, over: str, is_read: bool
) -> None:
    files = {f"ops/{path}": COMPOSE_OF_DB, f"ops/{over}": "services: {db: {environment: {DB_PASSWORD: hunter2}}}"}
    (found,) = findings("runtime-secrets", files)
    assert found.outcome is UNKNOWN
    assert over in found.message
    assert ("which Compose reads too" in found.message) is is_read
    assert ("named beside it" in found.message) is not is_read


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("ENV FEEDS='x' ENDPOINTS=https://${FEED_TOKEN}@feed", FAILS),
        ("ENV ENDPOINTS $FEED_TOKEN", FAILS),
        ("LABEL built.with=$FEED_TOKEN", FAILS),
        ("ADD https://x:${FEED_TOKEN}@contoso.com/a.zip /a.zip", FAILS),
        ("ARG AGAIN=$FEED_TOKEN\nENV SHOWN=$AGAIN", FAILS),
        ("ENV HAS_FEED=${FEED_TOKEN:+yes}", HOLDS),
        ("ENV LITERAL='$FEED_TOKEN'", HOLDS),
        ("LABEL literal='$FEED_TOKEN'", HOLDS),
        ("ENV OTHER=$FEED_TOKEN_FILE", HOLDS),
    ],
)
def test_whatever_takes_an_argument_for_a_secret_builds_it_in(use: str, expected: Outcome) -> None:
    assert outcome("image-secrets", {"Dockerfile": f"FROM a:1\nARG FEED_TOKEN\n{use}\n"}) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("RUN dotnet dev-certs https", Outcome.UNKNOWN),
        ("COPY --from=build /root/.dotnet/corefx/cryptography/x509stores/my /keys", Outcome.UNKNOWN),
        ("RUN dotnet dev-certs https --clean", Outcome.HOLDS),
        ("COPY certs/shop.pfx /https/", Outcome.UNKNOWN),
        ('ADD ["certs/shop.p12", "/https/"]', Outcome.UNKNOWN),
        ("COPY --from=build /https/aspnetapp.pfx /https/", Outcome.UNKNOWN),
        ("COPY --chown=1654 certs/privkey.pem certs/shop.pem ./", Outcome.UNKNOWN),
        ("COPY shop.key .", Outcome.UNKNOWN),
        ("COPY certs/rds-ca.pem certs/fullchain.pem certs/monkey.pem ./", Outcome.HOLDS),
        ("COPY nodesource.gpg.key /etc/apt/keyrings/", Outcome.HOLDS),
        ("COPY shop.txt /https/shop.pfx", Outcome.HOLDS),
    ],
)
def test_a_development_certificate_in_an_image_has_a_key_that_all_have(line: str, expected: Outcome) -> None:
    dockerfile = f"FROM sdk AS build\nRUN dotnet dev-certs https\nFROM aspnet:10.0\n{line}\n"
    assert outcomes("image-secrets", {"Dockerfile": dockerfile}) == [expected]


def test_a_connection_is_told_beside_other_secrets() -> None:
    variables = "{DB_PASSWORD: $P, ConnectionStrings__Shop: $C}"
    service = f"services:\n  api:\n    image: a\n    environment: {variables}\n"
    assert outcomes("runtime-secrets", {"compose.yaml": service}) == [Outcome.UNKNOWN, Outcome.FAILS]
    of_secret = "- {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}"
    of_map = "- {name: ConnectionStrings__Shop, valueFrom: {configMapKeyRef: {name: shop, key: connection}}}"
    container = deployment(f"env:\n  {of_secret}\n  {of_map}\n")
    assert outcomes("runtime-secrets", {DEPLOYMENT: container}) == [Outcome.FAILS, Outcome.UNKNOWN]


APP = "az containerapp update -n api --image contoso/api:8"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f'{APP} --set-env-vars A=1 "DB_PASSWORD=${{{{ secrets.X }}}}" --query id', [FAILS]),
        (f"{APP} --set-env-vars DB_PASSWORD=$PASSWORD", [FAILS]),
        (f"{APP} --set-env-vars ConnectionStrings__Shop=$SHOP", [UNKNOWN]),
        (f"{APP} --set-env-vars DB_PASSWORD=secretref:password", []),
        (f"{APP} --set-env-vars A=$B --tags DB_PASSWORD=$B", []),
        ("az container create -n api --image contoso/api:8 -e DB_PASSWORD=$P", [FAILS]),
        ("az container create -n api --image contoso/api:8 --secure-environment-variables A=$P", []),
        ("gcloud run deploy api --image contoso/api:8 --set-env-vars=A=1,DB_PASSWORD=$P", [FAILS]),
        ("gcloud run deploy api --image contoso/api:8 --set-secrets DB_PASSWORD=db:1", []),
    ],
)
def test_a_deploy_gives_no_secret_to_the_environment(command: str, expected: list[Outcome]) -> None:
    steps = f"- run: |\n    {command}\n"
    assert outcomes("runtime-secrets", {BUILD: workflow(steps)}) == expected
    assert outcomes("runtime-secrets", {BUILD: workflow(steps, "pull_request:")}) == []


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {A: b}\n"
GENERATOR = "configMapGenerator: [{name: db, literals: [A=b]}]\n"


@pytest.mark.parametrize(
    ("path", "text"), [("deploy/db.yaml", CONFIG_MAP), ("deploy/kustomization.yaml", GENERATOR)]
)
def test_a_config_map_that_a_file_here_makes_is_read(path: str, text: str) -> None:
    pods = deployment("envFrom: [{configMapRef: {name: db}}]")
    assert outcome("runtime-secrets", {DEPLOYMENT: pods, path: text}) is HOLDS


def test_one_variable_of_a_service_has_one_verdict() -> None:
    text = "services:\n  api:\n    image: contoso/api\n    environment: ['DbConnection__Password=${DB_PASSWORD}']\n"
    assert outcomes("runtime-secrets", {"compose.yaml": text}) == [FAILS]


@pytest.mark.parametrize("value", ["'${{ secrets.SHOP }}'", "'${SHOP}'", "'#{Shop}#'", "__SHOP__"])
@pytest.mark.parametrize("name", ["ConnectionStrings__Shop", "CONNECTION_STRING"])
def test_a_connection_that_is_filled_in_at_the_deploy_may_hold_a_password(name: str, value: str) -> None:
    (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(f"env: [{{name: {name}, value: {value}}}]")})
    assert (found.outcome, "may hold a password" in found.message) == (UNKNOWN, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Db__Tokens__app_dev_token_change_me", UNKNOWN),
        ("ApiKeys__3f9a8b7c6d5e4f3a2b1c", UNKNOWN),
        ("Db__Tokens__${DB_TOKEN:-change_me}", FAILS),
        ("Jwt__Tokens__Issuer", HOLDS),
        ("Tokens__0", HOLDS),
        ("Tokens__MAX_AGE", HOLDS),
    ],
)
def test_a_key_in_a_section_of_secrets_may_be_the_secret_itself(name: str, expected: Outcome) -> None:
    service = f'services: {{api: {{image: contoso/api, environment: {{"{name}": admin}}}}}}\n'
    assert outcomes("runtime-secrets", {"compose.yaml": service}) == [expected]
    if "$" not in name:
        env = f'env:\n  - {{name: "{name}", value: admin}}'
        (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(env)})
        assert found.outcome is expected
        assert name not in found.message


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DD_API_KEY", "secret api key", HOLDS),
        ("DD_API_KEY", "a1b2c3d4e5f6a7b8", FAILS),
        ("DB_PASSWORD", "correct horse battery", FAILS),
        ("JWT_SECRET", "this is my custom secret key", FAILS),
    ],
)
def test_a_few_words_are_no_key_that_a_server_gives_out(name: str, value: str, expected: Outcome) -> None:
    service = f'services: {{api: {{image: contoso/api, environment: {{{name}: "{value}"}}}}}}\n'
    assert outcomes("runtime-secrets", {"compose.yaml": service}) == [expected]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("ACCESS_SECRET=a1B2c3D4e5F6\n", FAILS),
        ("DB_PASSWORD=\n", UNKNOWN),
        ("MODE=fast\n", HOLDS),
    ],
)
def test_what_a_file_of_variables_that_is_here_brings_is_told(variables: str, expected: Outcome) -> None:
    service = "services: {api: {image: contoso/api, env_file: [shop.env]}}\n"
    told = findings("runtime-secrets", {"src/compose.yaml": service, "src/shop.env": variables})
    (found,) = [each for each in told if each.subject == "service api"]
    assert found.outcome is expected
    assert ("src/shop.env" in found.message) is (expected is not HOLDS)


def test_of_an_image_that_an_unseen_run_builds_no_argument_is_told() -> None:
    loaded = "- run: docker load -i api.tar\n- run: docker push ghcr.io/contoso/api:8\n"
    built = "- run: docker build -t ghcr.io/contoso/api:8 .\n- run: docker push ghcr.io/contoso/api:8\n"
    assert outcomes("build-argument-secrets", {BUILD: workflow(loaded)}) == [UNKNOWN]
    assert outcomes("build-argument-secrets", {BUILD: workflow(built)}) == [HOLDS]


@pytest.mark.parametrize("run", ["RUN dotnet dev-certs https", 'RUN ["dotnet", "dev-certs", "https"]'])
def test_a_development_certificate_is_built_in_however_the_command_is_written(run: str) -> None:
    text = f"FROM mcr.microsoft.com/dotnet/sdk:10.0\n{run}\n"
    assert outcomes("image-secrets", {"Dockerfile": text}) == [UNKNOWN]
