"""Pod templates in custom resources, which an operator puts over pods of its own."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import findings, outcomes

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
SEARCH = """
    apiVersion: elasticsearch.k8s.elastic.co/v1
    kind: Elasticsearch
    metadata: {name: search}
    spec:
      nodeSets:
        - name: data
          podTemplate:
            spec:
              initContainers:
                - name: sysctl
                  securityContext: {privileged: true, runAsUser: 0}
                  command: [sh, -c, sysctl -w vm.max_map_count=262144]
              containers:
                - name: elasticsearch
                  env: [{name: ES_JAVA_OPTS, value: -Xms1g}]
"""


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("not-privileged", [FAILS, HOLDS]),
        ("run-as-non-root", [FAILS, UNKNOWN]),
        ("read-only-root", [UNKNOWN, UNKNOWN]),
        ("service-account-token", [UNKNOWN]),
        ("deployed-by-digest", [UNKNOWN, UNKNOWN]),
    ],
)
def test_what_an_operator_is_handed_is_asked_and_what_is_missing_is_its_own(
    check: str, expected: list[Outcome]
) -> None:
    assert outcomes(check, {"search.yaml": SEARCH}) == expected


def test_each_pod_template_has_a_place_of_its_own() -> None:
    again = SEARCH.replace("name: data", "name: masters").partition("nodeSets:\n")[2]
    found = findings("not-privileged", {"search.yaml": SEARCH + again})
    assert [each.outcome for each in found] == [FAILS, HOLDS, FAILS, HOLDS]
    assert "an operator" not in found[0].message
