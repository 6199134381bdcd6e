"""Kustomizations: what comes of bases, overlays, components and patches."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.audit.world import deployment, findings, outcome

BASE = {"base/kustomization.yaml": "resources: [api.yaml]", "base/api.yaml": deployment()}


def overlay(text: str, **more: str) -> dict[str, str]:
    return {**BASE, "prod/kustomization.yaml": f"resources: [../base]\n{text}", **more}


@pytest.mark.parametrize(
    "text",
    [
        """
patches:
  - path: harden.yaml
""",
        """
patchesStrategicMerge: [harden.yaml]
""",
        """
patches:
  - target: {kind: Deployment}
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/securityContext
        value: {allowPrivilegeEscalation: false}
""",
        """
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: api}
      spec: {template: {spec: {containers: [{name: api, securityContext: {allowPrivilegeEscalation: false}}]}}}
""",
        """
components: [../hardened]
""",
    ],
)
def test_a_setting_of_an_overlay_counts_for_the_base(text: str) -> None:
    patch = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec: {template: {spec: {containers: [{name: api, securityContext: {allowPrivilegeEscalation: false}}]}}}
    """
    files = overlay(text)
    files["prod/harden.yaml"] = patch
    files["hardened/kustomization.yaml"] = "kind: Component\npatches: [{path: harden.yaml}]"
    files["hardened/harden.yaml"] = patch
    assert outcome("no-privilege-escalation", files) is Outcome.HOLDS


def test_the_base_of_an_overlay_is_not_asked_by_itself() -> None:
    (found,) = findings("no-privilege-escalation", overlay(""))
    assert found.subject == "Deployment/api (prod) · container api"
    assert found.place.path == "base/api.yaml"


def test_a_patch_can_take_a_setting_away() -> None:
    files = overlay("patches: [{path: patch.yaml}]")
    files["base/api.yaml"] = deployment("securityContext: {privileged: true}")
    files["prod/patch.yaml"] = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec: {template: {spec: {containers: [{name: api, securityContext: {privileged: null}}]}}}
    """
    assert outcome("not-privileged", files) is Outcome.HOLDS


def test_what_a_base_elsewhere_may_set_is_unknown() -> None:
    files = overlay("patches: [{path: missing.yaml}]")
    assert outcome("no-privilege-escalation", files) is Outcome.UNKNOWN


def test_overlays_are_asked_one_by_one() -> None:
    files = overlay("")
    files["canary/kustomization.yaml"] = "resources: [../base]"
    files["stage/kustomization.yaml"] = "resources: [../base]"
    assert len(findings("not-privileged", files)) == 3
