"""Secrets in ConfigMaps, Secrets and generators."""

import base64
import json
from textwrap import dedent

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import judge_repository
from bot.files.audit.patches import Texts, patches
from bot.files.audit.repository import RepositoryTexts
from tests.unit.files.audit.world import DEPLOYMENT, NOW, deployment, findings, outcome, outcomes, texts

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
CHECK = "secrets-in-manifests"
VALUE = "hunter2-of-the-shop"


def manifest(kind: str, *lines: str) -> dict[str, str]:
    return {
        "deploy/data.yaml": "\n".join(["apiVersion: v1", f"kind: {kind}", "metadata: {name: shop}", *lines]) + "\n"
    }


def registry_login(username: str, password: str, auth: str) -> str:
    entry = {"username": username, "password": password, "auth": auth}
    return json.dumps({"auths": {"ghcr.io": entry}})


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("Secret", f"stringData: {{password: {VALUE}}}", FAILS),
        ("Secret", f"data: {{password: {base64.b64encode(VALUE.encode()).decode()}}}", FAILS),
        ("Secret", f"data: {{token: {base64.b64encode(b'changeme').decode()}}}", HOLDS),
        ("Secret", "stringData: {db-password: changeit}", FAILS),
        ("Secret", "stringData: {db-password: replace-me}", HOLDS),
        ("Secret", "stringData: {SHOP_AUTHSOURCE: shop, authSource: shop, db-schema: shop}", HOLDS),
        ("Secret", "stringData: {shop: 'Server=db;Password=${DB_PASSWORD};'}", HOLDS),
        ("Secret", "stringData: {shop: 'Server=db;Password=#{DbPassword}#;'}", HOLDS),
        ("Secret", "stringData: {shop: 'Server=db;Password=$(DbPassword)'}", HOLDS),
        ("Secret", "stringData: {shop: 'Server=db;Password=__DB_PASSWORD__'}", HOLDS),
        ("Secret", "stringData: {shop: 'Server=db;Password=<your-password>'}", HOLDS),
        ("Secret", "stringData: {shop: 'amqp://shop:${MQ_PASSWORD}@mq:5672/'}", HOLDS),
        ("Secret", f"stringData: {{shop: 'Server=db;Password=${{P}};Pwd={VALUE}'}}", FAILS),
        ("Secret", 'stringData: {config: \'{"tls": {"insecure": false, "ca": "<CA>"}, "a": [7]}\'}', HOLDS),
        ("Secret", f'stringData: {{config: \'{{"tls": {{"ca": "<CA>", "key": "{VALUE}"}}}}\'}}', FAILS),
        ("Secret", "stringData: {shop.yaml: \"a: {password: '{{ password }}'}\\nuser: shop\\n\"}", HOLDS),
        ("Secret", "stringData: {password: '${DB_PASSWORD}'}", HOLDS),
        ("Secret", "stringData: {password: '<path:vault/shop#password>'}", HOLDS),
        ("Secret", "stringData: {username: shop, host: db.contoso.com}", HOLDS),
        ("Secret", f"stringData: {{appsettings: {VALUE}}}", FAILS),
        ("Secret", f"data: {{password: {VALUE}}}\nsops: {{version: 3.9.0}}", HOLDS),
        ("Secret", "stringData: {password: 'put the password of the database here'}", HOLDS),
        ("Secret", "type: Opaque", HOLDS),
        ("Secret", "stringData: {token: token, apiKey: apiKey, client-key: CLIENT_KEY}", HOLDS),
        ("Secret", "stringData: {token: tokens}", FAILS),
        ("Secret", "stringData: {ORDERS_DEFAULT_USER: shop, ordersUsername: shop, JWT_ISSUER: shop}", HOLDS),
        ("Secret", "stringData: {JWT_EXPIRATION: PT1H, jwt-audience: shop}", HOLDS),
        ("Secret", "stringData: {redis-connection: 'redis:6379', cache: 'redis.shop.svc:6379'}", HOLDS),
        ("Secret", "stringData: {queue: 'amqp://queue.shop.svc:5672/'}", HOLDS),
        ("Secret", "stringData: {auth: 'shop:6379'}", FAILS),
        ("Secret", f"stringData: {{queue: 'amqp://shop:{VALUE}@queue'}}", FAILS),
        ("Secret", "stringData: {sentry-dsn: SUSTITUIR_POR_TU_SENTRY_DSN}", HOLDS),
        ("Secret", "stringData: {password: password}", FAILS),
        ("Secret", f"stringData: {{.dockerconfigjson: '{registry_login('', '', '')}'}}", HOLDS),
        ("Secret", f"stringData: {{.dockerconfigjson: '{registry_login('', '', 'Og==')}'}}", HOLDS),
        ("Secret", f"stringData: {{.dockerconfigjson: '{registry_login('', '', 'c2hvcDpodW50ZXI=')}'}}", FAILS),
        ("Secret", f"stringData: {{.dockerconfigjson: '{registry_login('shop', VALUE, '')}'}}", FAILS),
        ("Secret", "stringData: {shop: 'Server=db;Password={0};'}", HOLDS),
        ("Secret", 'stringData: {shop.json: \'{"Db": "a;Password={0};", "Key": "x9"}\'}', FAILS),
        ("Secret", f"stringData: {{shop: 'Server=db;Password={{0}};Pwd={VALUE}'}}", FAILS),
        ("ConfigMap", f"data: {{DB_PASSWORD: {VALUE}}}", FAILS),
        ("ConfigMap", f"data: {{settings: 'Server=db;Password={VALUE};'}}", FAILS),
        ("ConfigMap", "data: {settings: 'Server=db;Password=${DB_PASSWORD};'}", HOLDS),
        ("ConfigMap", "data: {LOG_LEVEL: debug, PASSWORD_FILE: /run/secrets/db}", HOLDS),
    ],
)
def test_no_manifest_writes_out_a_secret(kind: str, line: str, expected: Outcome) -> None:
    assert outcome(CHECK, manifest(kind, line)) is expected


@pytest.mark.parametrize(
    ("literal", "generator", "expected"),
    [
        (f"DB_PASSWORD={VALUE}", "secretGenerator", FAILS),
        (f"DB_PASSWORD={VALUE}", "configMapGenerator", FAILS),
        ("LEVEL=debug", "configMapGenerator", HOLDS),
    ],
)
def test_no_generator_writes_out_a_secret(literal: str, generator: str, expected: Outcome) -> None:
    text = f"{generator}:\n  - name: shop\n    literals:\n      - {literal}\n"
    assert outcome(CHECK, {"deploy/kustomization.yaml": text}) is expected


CHART = {"chart/Chart.yaml": "name: shop\nversion: 1.0.0\n", "chart/values.yaml": f"password: {VALUE}\n"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["stringData:", f"  password: {VALUE}"], [FAILS]),
        (["stringData:", "  password: {{ .Values.password | quote }}"], [Outcome.NOT_APPLICABLE]),
        (["stringData:", "  password: {{ .Values.password }}", "  level: debug"], [UNKNOWN]),
        (["stringData:", "  user: shop"], [HOLDS]),
    ],
)
def test_a_template_of_a_chart_writes_out_no_secret(lines: list[str], expected: list[Outcome]) -> None:
    head = ["apiVersion: v1", "kind: Secret", 'metadata: {name: {{ include "name" . }}}']
    files = {**CHART, "chart/templates/secret.yaml": "\n".join([*head, *lines]) + "\n"}
    found = [each for each in findings(CHECK, files) if each.place.path != "chart/values.yaml"]
    assert [each.outcome for each in found] == expected
    assert all(each.place.path == "chart/templates/secret.yaml" for each in found)
    assert all(each.place.start > 4 for each in found if each.outcome is FAILS)


def test_what_is_encrypted_for_a_cluster_is_no_secret_manifest() -> None:
    head = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a}\n"
    text = f"{head}spec: {{encryptedData: {{password: AgB}}}}\n"
    assert outcomes(CHECK, {"deploy/sealed.yaml": text}) == []


def test_the_line_of_the_key_is_told_and_never_the_value() -> None:
    (found,) = findings(CHECK, manifest("Secret", "stringData:", "  username: shop", f"  password: {VALUE}"))
    assert found.place.start == 6
    assert VALUE not in f"{found}"


def test_a_patch_beside_a_secret_does_not_show_it() -> None:
    (secret,) = manifest("Secret", f"stringData: {{shop-settings: {VALUE}}}").values()
    files = texts({DEPLOYMENT: f"{secret}---\n{deployment()}"})
    repository = RepositoryTexts(files)
    found = judge_repository(repository, NOW).findings
    shown = patches(Texts(repository, files, NOW), found)
    assert shown
    assert not any(VALUE in patch for patch in shown.values())


@pytest.mark.parametrize(
    ("key", "lines", "expected"),
    [
        ("rabbitmq.conf", f"default_user = shop\ndefault_pass = {VALUE}", FAILS),
        ("db.properties", f"spring.datasource.password={VALUE}", FAILS),
        (".env", f'export API_TOKEN="{VALUE}"', FAILS),
        ("rabbitmq.conf", f"# default_pass = {VALUE}", HOLDS),
        ("rabbitmq.conf", "default_pass = $(RABBITMQ_PASSWORD)", HOLDS),
        ("rabbitmq.conf", "default_pass_file = /run/secrets/pass\nlisteners.tcp.default = 5672", HOLDS),
        ("notes.md", f"default_pass = {VALUE}", HOLDS),
    ],
)
def test_a_file_of_settings_in_a_config_map_writes_no_secret_out(key: str, lines: str, expected: Outcome) -> None:
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    assert outcome(CHECK, manifest("ConfigMap", "data:", f"  {key}: |", body.rstrip("\n"))) is expected


def test_what_a_chart_makes_of_its_values_is_told_not_to_be_looked_at() -> None:
    data = "data:\n{{- range $key, $value := .Values.settings }}\n  {{ $key }}: {{ $value | quote }}\n{{- end }}\n"
    template = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\n{data}"
    values = "settings:\n  SECURITYKEY: hunter2-of-the-shop\n"
    files = {
        "chart/Chart.yaml": "name: shop\nversion: 1.0.0\n",
        "chart/values.yaml": values,
        "chart/templates/a.yaml": template,
    }
    (found,) = findings(CHECK, files)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert "not looked at" in found.message


REALM = '{"clients": [{"clientId": "shop", "secret": "%s"}]}'
GENERATOR = "%s:\n  - name: realm\n    %s: [%s]\n"


@pytest.mark.parametrize(
    ("generator", "key", "name", "text", "expected"),
    [
        ("configMapGenerator", "files", "realm.json", REALM % VALUE, UNKNOWN),
        ("configMapGenerator", "files", "realm.json=data/realm.json", REALM % VALUE, UNKNOWN),
        ("configMapGenerator", "files", "realm.json", REALM % "**********", HOLDS),
        ("configMapGenerator", "files", "realm.json", '{"accessTokenLifespan": 43200, "secret": true}', HOLDS),
        ("configMapGenerator", "envs", "shop.env", f"DB_PASSWORD={VALUE}\nLEVEL=debug\n", FAILS),
        ("configMapGenerator", "envs", "shop.env", "LEVEL=debug\n# DB_PASSWORD=a\n", HOLDS),
        ("secretGenerator", "envs", "shop.env", f"SHOP={VALUE}\n", FAILS),
        ("secretGenerator", "files", "key.pem", f"{VALUE}\n", FAILS),
        ("secretGenerator", "files", "absent.pem", None, HOLDS),
        ("configMapGenerator", "files", "absent.json", None, HOLDS),
    ],
)
def test_files_that_a_generator_takes_are_looked_at(
    generator: str, key: str, name: str, text: str | None, expected: Outcome
) -> None:
    path = f"deploy/{name.rpartition('=')[2]}"
    files = {"deploy/kustomization.yaml": GENERATOR % (generator, key, name)}
    (found,) = findings(CHECK, files if text is None else {**files, path: text})
    assert (found.outcome, found.place.path) == (expected, "deploy/kustomization.yaml")
    assert VALUE not in f"{found}"


def test_a_config_map_of_structured_text_is_looked_at_key_by_key() -> None:
    lines = ("data:", "  realm.json: |", f"    {REALM % VALUE}")
    assert outcome(CHECK, manifest("ConfigMap", *lines)) is UNKNOWN


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('POSTGRES_SSL_MODE: "require"', HOLDS),
        ('Embedding__Provider: "contoso"', HOLDS),
        ('Embedding__Model: "small-v2"', HOLDS),
        ('Embedding__Mode: "hush-hush"', UNKNOWN),
    ],
)
def test_a_setting_among_secrets_gives_nothing_away(line: str, expected: Outcome) -> None:
    files = {"s.yaml": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: shop}}\nstringData:\n  {line}\n"}
    assert outcome(CHECK, files) is expected


CUSTOM = """
apiVersion: VERSION
kind: Broker
metadata: {name: till}
spec:
  auth: {LINE}
"""


@pytest.mark.parametrize(
    ("version", "line", "expected"),
    [
        ("contoso.example/v1", "password: hunter2-of-the-shop", [UNKNOWN]),
        ("contoso.example/v1", "apm.secret_token: hunter2-of-the-shop", [UNKNOWN]),
        ("contoso.example/v1", "adminPassword: hunter2-of-the-shop", [UNKNOWN]),
        ("contoso.example/v1", "password: till-secret", []),
        ("contoso.example/v1", "password: {valueFrom: {name: till}}", []),
        ("contoso.example/v1", "password: ${TILL_PASSWORD}", []),
        ("contoso.example/v1", "password: changeme", [UNKNOWN]),
        ("contoso.example/v1", "passwordSecret: till", []),
        ("external-secrets.io/v1", "password: till", []),
        ("networking.k8s.io/v1", "password: hunter2-of-the-shop", []),
    ],
)
def test_a_password_in_a_custom_resource_may_be_one(version: str, line: str, expected: list[Outcome]) -> None:
    text = CUSTOM.replace("VERSION", version).replace("LINE", line)
    found = findings(CHECK, {"till.yaml": text})
    assert [each.outcome for each in found] == expected
    assert not any("hunter2" in each.message for each in found)


FILLED_IN = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: shop}
    data:
      appsettings.json: |-
        {
          {{- if .Values.debug }}
          "Level": "debug",
          {{- end }}
          "Host": "{{ .Values.host }}",
          LINE
        }
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"Smtp": {"Password": "kT7-of-the-shop-31"}', UNKNOWN),
        ('"Db": "Host={{ .Values.db }};Password=kT7-of-the-shop-31"', FAILS),
        ('"Smtp": {"Password": "{{ .Values.password }}"}', HOLDS),
        ('"Port": 25', HOLDS),
    ],
)
def test_what_a_template_writes_out_beside_what_it_fills_in_is_asked(line: str, expected: Outcome) -> None:
    files = {
        "chart/Chart.yaml": CHART["chart/Chart.yaml"],
        "chart/templates/map.yaml": dedent(FILLED_IN).replace("LINE", line),
    }
    assert outcomes(CHECK, files) == [expected]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("db:\n  password: kT7-of-the-shop-31\n", [UNKNOWN]),
        ("db:\n  password: ''\n", []),
        ("db:\n  password: changeme\n", [UNKNOWN]),
        ("db:\n  existingSecret: shop-db\n", []),
    ],
)
def test_a_password_among_the_values_of_a_chart_is_told(values: str, expected: list[Outcome]) -> None:
    files = {"chart/Chart.yaml": CHART["chart/Chart.yaml"], "chart/values.yaml": values}
    found = findings(CHECK, {**files, "chart/templates/map.yaml": "kind: x\n"})
    assert [each.outcome for each in found] == expected
    assert all(each.place.path == "chart/values.yaml" and each.place.start == 2 for each in found)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE USER shop WITH PASSWORD 'shoppass';", Outcome.FAILS),
        ("CREATE USER 'shop'@'%' IDENTIFIED BY 'x1y2';", Outcome.FAILS),
        ("CREATE LOGIN shop WITH PASSWORD = N'x1y2';", Outcome.FAILS),
        ("CREATE USER shop WITH PASSWORD '$PASSWORD';", Outcome.HOLDS),
        ("CREATE USER shop;", Outcome.HOLDS),
    ],
)
def test_a_password_in_a_statement_of_a_script_is_written_out(statement: str, expected: Outcome) -> None:
    script = f"data:\n  init.sh: |\n    set -e\n    {statement}\n"
    script = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: db}}\n{script}"
    (found,) = findings("secrets-in-manifests", {"k8s/db.yaml": script})
    assert found.outcome is expected
    if expected is Outcome.FAILS:
        assert found.message == "a secret is written out in init.sh"
