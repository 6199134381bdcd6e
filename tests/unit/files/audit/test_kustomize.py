"""Kustomizations: what comes of bases, overlays, components and patches."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import deployment, findings, outcome

HOLDS, FAILS = Outcome.HOLDS, Outcome.FAILS
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


def test_the_kind_and_name_in_a_patch_with_a_target_stand_for_nothing() -> None:
    files = {
        "base/kustomization.yaml": """
            resources: [api.yaml]
            patches: [{path: pod.yaml, target: {kind: Deployment}}]
        """,
        "base/api.yaml": deployment(),
        "base/pod.yaml": """
            apiVersion: any
            kind: any
            metadata: {name: any}
            spec: {template: {spec: {securityContext: {runAsNonRoot: true}}}}
        """,
    }
    (found,) = findings("run-as-non-root", files)
    assert (found.outcome, found.subject) == (HOLDS, "Deployment/api (base) · container api")


REPLACEMENT = """
    - source: {kind: ConfigMap, name: user, fieldPath: data.uid}
      targets:
        - select: {kind: Deployment}
          fieldPaths: [spec.template.spec.securityContext.runAsUser]
          options: {create: true}
    - source: {kind: ConfigMap, name: user}
      targets:
        - select: {kind: Deployment}
          fieldPaths: ["spec.template.spec.containers.0.volumeMounts.[mountPath=/tmp].name"]
          options: {create: true}
"""
USER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: user}\ndata: {uid: '1654'}\n"


@pytest.mark.parametrize("user", [USER, USER.replace("1654", "0"), USER.replace("name: user", "name: other")])
def test_a_replacement_puts_a_value_of_one_object_into_another(user: str) -> None:
    files = {
        "base/kustomization.yaml": "resources: [api.yaml, user.yaml]\nreplacements: [{path: user-of.yaml}]\n",
        "base/api.yaml": deployment(
            container="securityContext: {readOnlyRootFilesystem: true}", pod="volumes: [{name: user, emptyDir: {}}]"
        ),
        "base/user.yaml": user,
        "base/user-of.yaml": REPLACEMENT,
    }
    is_set = user == USER
    assert outcome("run-as-non-root", files) is (HOLDS if is_set else FAILS)
    is_mounted = "name: user" in user
    assert (outcome("read-only-root", files) is FAILS) is not is_mounted


def test_a_replacement_that_leads_nowhere_changes_nothing() -> None:
    odd = (
        "resources: [api.yaml]\nreplacements: [1, {source: 2, targets: [3, {fieldPaths: [a.b, '[']}]}, {path: x}]\n"
    )
    files = {"base/kustomization.yaml": odd, "base/api.yaml": deployment(pod="securityContext: {runAsUser: 5}")}
    assert outcome("run-as-non-root", files) is HOLDS


def test_what_aliases_share_is_looked_at_once() -> None:
    shared = [f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    base = {"base/api.yaml": deployment(pod="\n".join(["x0: &a0 [x]", *shared]))}
    assert outcome("drop-all-capabilities", overlay("", **base)) is FAILS


PART = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
        - name: api
          resources: {limits: {memory: 1Gi}}
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("deploy/memory.yaml", PART),
        ("deploy/api-patch.yaml", PART.replace("resources", "image: contoso/api:2\n          resources")),
        ("deploy/patches/api.yaml", PART.replace("resources", "image: contoso/api:2\n          resources")),
        (
            "deploy/api.yaml",
            PART.replace("name: api\n          r", "image: contoso/api:2\n          $patch: replace\n          r"),
        ),
    ],
)
def test_a_patch_that_no_kustomization_names_is_asked_nothing(path: str, text: str) -> None:
    for check in ("run-as-non-root", "no-host-paths", "seccomp-profile"):
        assert findings(check, {path: text}) == ()


def test_a_whole_workload_in_a_folder_of_patches_is_asked() -> None:
    text = PART.replace("resources", "image: contoso/api:2\n          resources")
    whole = text.replace("spec:\n  template:", "spec:\n  selector: {matchLabels: {app: api}}\n  template:")
    (found,) = findings("run-as-non-root", {"deploy/patches/api.yaml": whole})
    assert found.outcome is Outcome.FAILS


REFUSED = {
    "k/base/kustomization.yaml": "resources: [api.yaml]\n",
    "k/base/api.yaml": deployment(),
}


@pytest.mark.parametrize(
    "overlay",
    [
        "resources: [../base, store.yaml]\n",
        "resources: [../base]\nconfigMapGenerator: [{name: settings, behavior: merge, literals: [a=b]}]\n",
    ],
)
def test_workloads_of_what_kustomize_refuses_are_unknown_once(overlay: str) -> None:
    files = {**REFUSED, "k/dev/kustomization.yaml": overlay}
    for check in ("run-as-non-root", "read-only-root", "runtime-secrets", "service-account-token"):
        assert findings(check, files) == ()
    (found,) = findings("unread-file", files)
    assert (found.outcome, found.place.path) == (Outcome.UNKNOWN, "k/dev/kustomization.yaml")


def test_an_overlay_on_a_base_that_kustomize_refuses_is_refused_too() -> None:
    files = {
        **REFUSED,
        "k/base/kustomization.yaml": "resources: [api.yaml, gone.yaml]\n",
        "k/dev/kustomization.yaml": "resources: [../base]\n",
        "other/kustomization.yaml": "resources: [web.yaml]\n",
        "other/web.yaml": deployment().replace("name: api", "name: web"),
    }
    assert [each.place.path for each in findings("read-only-root", files)] == ["other/web.yaml"]
    assert [each.place.path for each in findings("unread-file", files)] == ["k/base/kustomization.yaml"]
