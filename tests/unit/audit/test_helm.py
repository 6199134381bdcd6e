"""Charts: templates with the chart's own values."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.audit.world import findings, outcome

TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "api.fullname" . }}
  labels:
    {{- include "api.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  template:
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.podSecurityContext | nindent 8 }}
      containers:
        - name: {{ .Chart.Name }}
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
"""
SPARE = (
    "podSecurityContext: {}\nsecurityContext: {}\nautoscaling: {enabled: false}\nimage: {repository: contoso/api}\n"
)


def chart(values: str, template: str = TEMPLATE) -> dict[str, str]:
    return {
        "chart/Chart.yaml": "apiVersion: v2\nname: api\nversion: 1.0.0\n",
        "chart/values.yaml": values,
        "chart/templates/deployment.yaml": template,
    }


def test_values_that_say_nothing_fail() -> None:
    (found,) = findings("run-as-non-root", chart(SPARE))
    assert found.outcome is Outcome.FAILS
    assert found.place.path == "chart/templates/deployment.yaml"
    assert found.place.start == 20


def test_a_setting_of_the_values_is_found_where_it_stands() -> None:
    (found,) = findings("run-as-non-root", chart("podSecurityContext:\n  runAsNonRoot: true\n"))
    assert (found.outcome, found.place.path, found.place.start) == (Outcome.HOLDS, "chart/values.yaml", 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("securityContext: {{- toYaml .Values.securityContext | nindent 12 }}", Outcome.HOLDS),
        ("securityContext: {privileged: {{ .Values.privileged }}}", Outcome.HOLDS),
        ("securityContext: {privileged: {{ .Values.on }}}", Outcome.FAILS),
        ('securityContext: {privileged: {{ include "api.privileged" . }}}', Outcome.UNKNOWN),
    ],
)
def test_values_in_a_line_are_put_in(line: str, expected: Outcome) -> None:
    template = f"""
apiVersion: v1
kind: Pod
metadata: {{name: api}}
spec:
  containers:
    - name: api
      image: contoso/api
      {line}
"""
    values = "privileged: false\non: true\nsecurityContext: {privileged: false}"
    assert outcome("not-privileged", chart(values, template)) is expected


def test_what_a_helper_may_add_is_unknown() -> None:
    template = TEMPLATE.replace(
        "{{- toYaml .Values.securityContext | nindent 12 }}", '{{- include "s" . | nindent 12 }}'
    )
    assert outcome("no-privilege-escalation", chart(SPARE, template)) is Outcome.UNKNOWN


def test_a_template_that_cannot_be_rendered_is_unknown() -> None:
    broken = "kind: Deployment\nspec:\n  containers:\n {{ .Values.a }}\n      - [\n"
    assert outcome("run-as-non-root", chart("", broken)) is Outcome.UNKNOWN
