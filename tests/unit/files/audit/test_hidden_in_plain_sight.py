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
        ("PAYMENT_CREDENTIAL", True),
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
