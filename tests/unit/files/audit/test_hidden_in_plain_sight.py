"""Secrets and images of manifests that their shape or another file tells of."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import audit
from bot.files.audit.rules import BY_CHECK
from bot.files.audit.secrets.names import is_secret_name
from tests.unit.files.audit.world import NOW, deployment, findings, outcome

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
NOT_ASKED = Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("VAULT_DEV_ROOT_TOKEN_ID", True),
        ("BAO_DEV_ROOT_TOKEN_ID", True),
        ("TOKEN_ID", False),
        ("CLIENT_ID_PAYMENT_CREDENTIAL", False),
        ("SHOP_CLIENT_ID_CREDENTIALS", False),
        ("CLIENT_ID_SECRET", True),
        ("RABBITMQ_ERLANG_COOKIE", True),
        ("COOKIE_NAME", False),
        ("PAYMENT_CREDENTIAL", True),
        ("dbpass", True),
        ("BYPASS", False),
        ("COMPASS", False),
    ],
)
def test_makers_call_a_secret_an_id_and_an_id_a_credential(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: exporter}
data:
  exporter.yaml: |
    headers:
      Authorization: VALUE
"""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ApiKey c2hvcDp0aGUtb25lLW9mLXVz", UNKNOWN),
        ("Bearer 5f1c22b890ab4e7d", UNKNOWN),
        ("'Basic c2hvcDpzZXNhbWU='", UNKNOWN),
        ("Bearer ${env:TOKEN}", HOLDS),
        ("Bearer <token>", HOLDS),
        ("Bearer $TOKEN", HOLDS),
        ("required", HOLDS),
    ],
)
def test_what_a_program_logs_in_with_may_be_a_secret(value: str, expected: Outcome) -> None:
    assert outcome("secrets-in-manifests", {"c.yaml": CONFIG.replace("VALUE", value)}) is expected


KUSTOMIZED = {"run/kustomization.yaml": "resources: [api.yaml]\n", "run/api.yaml": deployment(image="shop:latest")}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kustomize edit set image shop=ghcr.io/contoso/shop:$TAG", UNKNOWN),
        ("$(KUSTOMIZE) edit set image shop=${IMG}", UNKNOWN),
        ('kustomize edit set image "shop=ghcr.io/contoso/shop:1"', UNKNOWN),
        ("kustomize edit set image shop:$TAG", UNKNOWN),
        ("kustomize edit set image $NAME=$IMG", UNKNOWN),
        ("kustomize edit set image till=ghcr.io/contoso/till:1", FAILS),
        ("kustomize build .", FAILS),
    ],
)
def test_an_image_that_kustomize_sets_when_it_deploys_is_unknown(line: str, expected: Outcome) -> None:
    assert outcome("no-latest-deployed", {**KUSTOMIZED, "Makefile": f"deploy:\n\t{line}\n"}) is expected


def test_what_no_kustomization_takes_is_not_set_by_one() -> None:
    files = {"api.yaml": deployment(image="shop:latest"), "a.sh": "kustomize edit set image shop=contoso/shop:1\n"}
    assert outcome("no-latest-deployed", files) is FAILS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_secret_in_utf_16_is_told(encoding: str) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: till}\nstringData: {password: open-till}\n"
    data = ("\ufeff" if encoding == "utf-16-be" else "").encode(encoding) + text.encode(encoding)
    (found,) = audit({"run/till.yaml": data}, NOW, (), rules=[BY_CHECK["unread-file"]])
    assert found.outcome is UNKNOWN


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "chart/values.yaml": "password: ''\n",
}


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("Open4Till!", FAILS),
        ("{{ .Values.password }}", NOT_ASKED),
        ("$(PASSWORD)", NOT_ASKED),
    ],
)
def test_a_password_beside_a_template_expression_is_written_out(password: str, expected: Outcome) -> None:
    text = f"""
        apiVersion: v1
        kind: Secret
        metadata: {{name: till}}
        stringData:
          connection: "Server={{{{ .Release.Name }}}}-db;Database=till;User Id=sa;Password={password};"
    """
    (found,) = findings("secrets-in-manifests", {**CHART, "chart/templates/s.yaml": text})
    assert found.outcome is expected


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (
            "DATA_SOURCE_NAME",
            "postgresql://${USER}:${PG_PASSWORD}@db/shop",
            "comes into the environment with a password",
        ),
        (
            "DATABASE_URL",
            "postgres://${USER:-shop}:${PW:-hunter2}@db/x",
            "comes into the environment with a password",
        ),
        (
            "ConnectionStrings__Redis",
            "redis:6379,password=${PW},ssl=false",
            "comes into the environment with a password",
        ),
        ("ConnectionStrings__Redis", "redis:6379,password=hunter22,ssl=false", "is written out"),
        ("ConnectionStrings__Redis", "a.example:6380,abortConnect=false,password=hunter22", "is written out"),
        ("REDIS_HOSTS", "local:redis:6379:0:${REDIS_PASSWORD}", "takes REDIS_PASSWORD into the environment"),
        (
            "REDIS_HOSTS",
            "local:redis:6379:0:${REDIS_PASSWORD:-hunter2}",
            "takes REDIS_PASSWORD into the environment",
        ),
        ("SHOP_TOKEN", "#{ShopToken}#", "comes into the environment"),
        ("SHOP_TOKEN", "__ShopToken__", "comes into the environment"),
        ("SHOP_TOKEN", "${SHOP_TOKEN}", "comes into the environment"),
        ("REDIS_HOSTS", "local:redis:6379", ""),
        ("REDIS_HOSTS", "redis:6379,abortConnect=false,ssl=true", ""),
        ("ENDPOINT", "https://${TOKEN_HOST}/${REGION}", ""),
        ("FEATURE", "${USE_TOKEN:-false}", ""),
        ("SHOP_PASSWORD_FILE", "/run/secrets/${NAME}", ""),
        ("TAGS", "a=b,c.d,password-policy=strict", ""),
    ],
)
def test_what_is_put_into_a_value_is_no_less_a_secret(name: str, value: str, says: str) -> None:
    expected = [f"{name} {says}" if says else "no secret stands in its environment"]
    lines = f"env: [{{name: {name}, value: '{value}'}}]"
    assert [each.message for each in findings("runtime-secrets", {"d/api.yaml": deployment(lines)})] == expected
    if "{Shop" not in value and "__Shop" not in value:
        service = f"services: {{api: {{image: contoso/api, environment: {{{name}: '{value}'}}}}}}"
        assert [each.message for each in findings("runtime-secrets", {"compose.yaml": service})] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('value: {{ include "pw" . }}', FAILS),
        ('value: "Server={{ .Values.db }};Password={{ include "pw" . }}"', FAILS),
        (
            "{{- if .Values.password }}\n value: x\n {{- else }}\n"
            " valueFrom: {secretKeyRef: {name: a, key: b}}\n {{- end }}",
            UNKNOWN,
        ),
    ],
)
def test_a_secret_that_a_template_puts_in_is_not_said_to_be_written_out(value: str, expected: Outcome) -> None:
    indented = value.replace("\n", "\n" + " " * 14)
    text = deployment(f"env:\n  - name: DB_PASSWORD\n    {indented}")
    found = findings("runtime-secrets", {**CHART, "chart/templates/d.yaml": text})
    assert [each.outcome for each in found] == [expected]
    assert "written out" not in found[0].message


def test_the_password_of_a_list_in_a_config_map_is_one() -> None:
    text = CONFIG.replace("Authorization: VALUE", "redis: 'redis:6379,password=hunter22,ssl=False'")
    assert outcome("secrets-in-manifests", {"c.yaml": text}) is FAILS


def test_a_call_with_a_password_is_no_list() -> None:
    text = CONFIG.replace("Authorization: VALUE", "init.py: 'connect(host=shop.db, user=u,password=pw)'")
    assert outcome("secrets-in-manifests", {"c.yaml": text}) is HOLDS


SCALED = """
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: agent}
spec:
  jobTargetRef:
    template:
      spec:
        containers: [{name: dind, image: "docker:dind", securityContext: {privileged: true}}]
"""


def test_the_pods_of_a_scaled_job_are_asked() -> None:
    assert outcome("not-privileged", {"job.yaml": SCALED}) is FAILS


@pytest.mark.parametrize("kind", ["Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"])
def test_a_workflow_of_argo_is_told(kind: str) -> None:
    text = f"""
        apiVersion: argoproj.io/v1alpha1
        kind: {kind}
        metadata: {{name: nightly}}
        spec: {{templates: [{{name: run, container: {{image: contoso/run}}}}]}}
    """
    (found,) = findings("unread-delivery", {"run.yaml": text})
    assert (found.outcome, found.subject) == (UNKNOWN, kind)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- Db=Data Source=db:5080/x;Token=kT7ofTheShop31;Timeout=100", FAILS),
        ("- Db=Data Source=db:5080/x;Token=${DB_TOKEN};Timeout=100", FAILS),
        ("- Db__Tokens__${DB_TOKEN:-change_me}=admin", FAILS),
        ("- Db=Data Source=db:5080/x;Timeout=100", HOLDS),
        ("- Db__Tokens__${DB_NAME}=admin", HOLDS),
    ],
)
def test_a_token_stands_in_a_connection_or_in_a_name_too(line: str, expected: Outcome) -> None:
    service = f"services:\n  api:\n    image: contoso/api:8\n    environment:\n      {line}\n"
    assert outcome("runtime-secrets", {"compose.yaml": service}) is expected
