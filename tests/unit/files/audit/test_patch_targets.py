"""Which objects a kustomization's patch is for: what Kustomize itself takes, and nothing else."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import findings

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
OBJECT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {name}s, labels: {{tier: {name}}}, annotations: {{team: {name}-team}}}}
spec:
  template:
    spec:
      containers:
        - {{name: {name}, image: "contoso/{name}:1"}}
"""
TWO = OBJECT.format(name="shop") + OBJECT.format(name="stock")
SET = """
    patch: |
      - {op: add, path: /spec/template/spec/containers/0/securityContext, value: {allowPrivilegeEscalation: false}}
"""
MERGE = """
apiVersion: apps/v1
kind: Deployment
metadata: {META}
spec:
  template:
    spec:
      containers: [{name: shop, securityContext: {allowPrivilegeEscalation: false}}]
"""


def by_name(files: dict[str, str]) -> dict[str, Outcome]:
    found = findings("no-privilege-escalation", files)
    return {each.subject.rpartition(" ")[2]: each.outcome for each in found}


def patched(target: str, above: str = "") -> dict[str, Outcome]:
    root = f"resources: [apps.yaml]\n{above}patches:\n  - target: {target}{SET}"
    return by_name({"base/kustomization.yaml": root, "base/apps.yaml": TWO})


@pytest.mark.parametrize(
    "target",
    [
        "{labelSelector: tier=shop}",
        "{labelSelector: 'tier==shop, !other'}",
        "{labelSelector: 'tier in (shop, till)'}",
        "{labelSelector: 'tier notin (stock),tier'}",
        "{labelSelector: tier!=stock}",
        "{annotationSelector: team=shop-team}",
        "{kind: Deployment, namespace: shops}",
        "{namespace: sh.*}",
        "{group: apps, version: v1, kind: Deploy.*, name: shop}",
        "{name: s.op}",
        "{name: ^shop$}",
        "{name: 'till|shop'}",
        "{name: (till|sh)op}",
        "{name: 'sh[a-o]p'}",
    ],
)
def test_a_target_is_met_by_all_that_it_says(target: str) -> None:
    assert patched(target) == {"shop": HOLDS, "stock": FAILS}


@pytest.mark.parametrize(
    "target",
    ["{group: batch}", "{version: v2}", "{name: sho}", "{name: s}", "{kind: Deploy}", "{namespace: default}"],
)
def test_a_target_that_is_half_met_is_not_met(target: str) -> None:
    assert patched(target) == {"shop": FAILS, "stock": FAILS}


@pytest.mark.parametrize(
    "target", ["{name: '(s+)+hop'}", "{name: '['}", "{labelSelector: 'tier ~ shop'}", "{namespace: '${STAGE}'}"]
)
def test_a_target_that_cannot_be_decided_leaves_the_setting_unknown(target: str) -> None:
    assert patched(target) == {"shop": UNKNOWN, "stock": UNKNOWN}


BASE = {
    "base/kustomization.yaml": "namePrefix: eu-\nnameSuffix: -1\nnamespace: eu\nresources: [apps.yaml]\n"
    "commonLabels: {area: eu}\n",
    "base/apps.yaml": OBJECT.format(name="shop"),
}


@pytest.mark.parametrize(
    "target",
    ["{name: eu-shop-1}", "{name: shop}", "{namespace: eu}", "{namespace: shops}", "{labelSelector: area=eu}"],
)
def test_a_target_knows_an_object_by_its_first_and_its_present_name(target: str) -> None:
    overlay = f"resources: [../base]\npatches:\n  - target: {target}{SET}"
    assert by_name({**BASE, "eu/kustomization.yaml": overlay}) == {"shop": HOLDS}


@pytest.mark.parametrize(
    "meta",
    ["{name: eu-shop-1, namespace: eu}", "{name: shop, namespace: shops}", "{name: shop, namespace: eu}"],
)
def test_a_merge_knows_an_object_by_its_first_and_its_present_name(meta: str) -> None:
    files = {**BASE, "eu/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n"}
    assert by_name({**files, "eu/p.yaml": MERGE.replace("{META}", meta)}) == {"shop": HOLDS}


@pytest.mark.parametrize("meta", ["{name: till}", "{name: shop, namespace: other}"])
def test_a_merge_that_fits_nothing_leaves_the_setting_unknown(meta: str) -> None:
    files = {**BASE, "eu/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n"}
    assert by_name({**files, "eu/p.yaml": MERGE.replace("{META}", meta)}) == {"shop": UNKNOWN}


def test_a_merge_is_for_the_one_of_its_namespace() -> None:
    other = OBJECT.format(name="shop").replace("shops", "outlets").replace("- {name: shop", "- {name: outlet")
    files = {
        "base/kustomization.yaml": "resources: [apps.yaml]\npatches: [{path: p.yaml}]\n",
        "base/apps.yaml": OBJECT.format(name="shop") + other,
        "base/p.yaml": MERGE.replace("{META}", "{name: shop, namespace: shops}"),
    }
    assert by_name(files) == {"shop": HOLDS, "outlet": FAILS}


USER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: user}\ndata: {uid: '1654'}\n"
REPLACED = """
replacements:
  - source: {kind: ConfigMap, name: user, fieldPath: data.uid}
    targets:
      - select: SELECT
        fieldPaths: [spec.template.spec.securityContext.runAsUser]
        options: {create: true}
"""


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("{kind: Deployment, namespace: shops}", (HOLDS, FAILS)),
        ("{kind: Deployment, labelSelector: tier=shop}", (HOLDS, FAILS)),
        ("{kind: Deployment, annotationSelector: team=shop-team}", (HOLDS, FAILS)),
        ("{kind: Deployment, name: shop}", (HOLDS, FAILS)),
        ("{kind: Deployment, name: sh.*}", (FAILS, FAILS)),
        ("{kind: Deployment, group: batch}", (FAILS, FAILS)),
        ("{kind: Deployment, group: apps, version: v1}", (HOLDS, HOLDS)),
    ],
)
def test_a_replacement_is_for_what_its_selector_says(select: str, expected: tuple[Outcome, Outcome]) -> None:
    files = {
        "base/kustomization.yaml": "resources: [apps.yaml, user.yaml]\n" + REPLACED.replace("SELECT", select),
        "base/apps.yaml": TWO,
        "base/user.yaml": USER,
    }
    found = {each.subject.rpartition(" ")[2]: each.outcome for each in findings("run-as-non-root", files)}
    assert (found["shop"], found["stock"]) == expected


def test_a_replacement_knows_an_object_by_its_present_name() -> None:
    select = "{kind: Deployment, name: eu-shop-1, namespace: eu}"
    overlay = "resources: [../base, user.yaml]\n" + REPLACED.replace("SELECT", select)
    (found,) = findings("run-as-non-root", {**BASE, "eu/kustomization.yaml": overlay, "eu/user.yaml": USER})
    assert found.outcome is HOLDS
