"""What the transformers of a kustomization make of its objects."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import deployment, findings

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
SAFE = "securityContext: {privileged: false, allowPrivilegeEscalation: false}"
SET = "{op: replace, path: /spec/template/spec/containers/0/securityContext/privileged, value: true}"
PRIVILEGED = (
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: api}, "
    "spec: {template: {spec: {containers: [{name: api, securityContext: {privileged: true}}]}}}}"
)


def made(transformer: str, check: str = "not-privileged", container: str = SAFE, **more: str) -> Outcome:
    files = {
        "k/kustomization.yaml": "resources: [api.yaml]\ntransformers: [change.yaml]\n",
        "k/api.yaml": deployment(container),
        "k/change.yaml": f"apiVersion: builtin\nmetadata: {{name: change}}\n{transformer}\n",
    }
    (found,) = findings(check, files | {f"k/{name}.yaml": text for name, text in more.items()})
    return found.outcome


@pytest.mark.parametrize(
    "transformer",
    [
        f"kind: PatchTransformer\ntarget: {{kind: Deployment}}\npatch: '[{SET}]'",
        f"kind: PatchTransformer\npatch: '{PRIVILEGED}'",
        "kind: PatchTransformer\npath: merge.yaml",
        "kind: PatchStrategicMergeTransformer\npaths: [merge.yaml]",
        f"kind: PatchStrategicMergeTransformer\npatches: '{PRIVILEGED}'",
        f"kind: PatchJson6902Transformer\ntarget: {{kind: Deployment, name: api}}\njsonOp: '[{SET}]'",
        "kind: PatchJson6902Transformer\ntarget: {kind: Deployment, name: api}\npath: operations.yaml",
    ],
)
def test_patches_among_the_transformers_count(transformer: str) -> None:
    assert made(transformer, merge=PRIVILEGED, operations=f"- {SET}\n") is FAILS


def test_a_transformer_may_stand_in_the_kustomization_itself() -> None:
    inline = f"apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: p}}\npatch: '{PRIVILEGED}'"
    root = "resources: [api.yaml]\ntransformers:\n- |-\n" + "".join(f"  {line}\n" for line in inline.splitlines())
    (found,) = findings("not-privileged", {"k/kustomization.yaml": root, "k/api.yaml": deployment(SAFE)})
    assert found.outcome is FAILS


def test_a_folder_of_transformers_is_read() -> None:
    files = {
        "k/kustomization.yaml": "resources: [api.yaml]\ntransformers: [changes]\n",
        "k/api.yaml": deployment(SAFE),
        "k/changes/kustomization.yaml": "resources: [p.yaml]\n",
        "k/changes/p.yaml": (
            f"apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: p}}\npatch: '{PRIVILEGED}'\n"
        ),
    }
    assert [each.outcome for each in findings("not-privileged", files)] == [FAILS]


def test_the_image_that_a_transformer_names_is_deployed() -> None:
    tag = "kind: ImageTagTransformer\nimageTag: {name: mcr.microsoft.com/dotnet/samples, newTag: latest}"
    assert made(tag, "no-latest-deployed") is FAILS


def test_replacements_among_the_transformers_count() -> None:
    replacement = """\
kind: ReplacementTransformer
replacements:
- source: {kind: Deployment, name: api, fieldPath: metadata.annotations.privileged}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ['spec.template.spec.containers.[name=api].securityContext.privileged']
"""
    annotated = deployment(SAFE).replace("name: api\n", "name: api\n  annotations: {privileged: 'true'}\n", 1)
    (found,) = findings(
        "not-privileged",
        {
            "k/kustomization.yaml": "resources: [api.yaml]\ntransformers: [change.yaml]\n",
            "k/api.yaml": annotated,
            "k/change.yaml": f"apiVersion: builtin\nmetadata: {{name: change}}\n{replacement}",
        },
    )
    assert found.outcome is FAILS


@pytest.mark.parametrize(
    ("transformer", "expected"),
    [
        ("kind: LabelTransformer\nlabels: {app: api}\nfieldSpecs: [{path: metadata/labels}]", FAILS),
        ("kind: PrefixTransformer\nprefix: a-", FAILS),
        ("kind: ReplicaCountTransformer\nreplica: {name: api, count: 2}", FAILS),
        ("kind: ValueAddTransformer\nvalue: x", UNKNOWN),
        ("kind: Hardening", UNKNOWN),
        ("kind: PatchTransformer\npath: elsewhere.yaml", UNKNOWN),
    ],
)
def test_what_a_transformer_that_is_not_read_may_set_is_unknown(transformer: str, expected: Outcome) -> None:
    assert made(transformer, "no-privilege-escalation", container="") is expected


def test_transformers_of_elsewhere_may_set_what_is_missing() -> None:
    root = "resources: [api.yaml]\ntransformers: [https://github.com/contoso/hardening]\n"
    (found,) = findings("no-privilege-escalation", {"k/kustomization.yaml": root, "k/api.yaml": deployment()})
    assert found.outcome is UNKNOWN
