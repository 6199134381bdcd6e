"""Security settings that three or more workloads need are proposed as one component or value."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import audit
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from tests.unit.files.audit.world import NOW, deployment, findings, outcomes, texts

CHECK = "shared-hardening"
HARDENED = "securityContext: {allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}}"
ALL_SAME = "securityContext: {runAsNonRoot: true}"


def workloads(number: int, container: str = HARDENED) -> dict[str, str]:
    return {
        f"deploy/{letter}.yaml": deployment(container).replace("name: api", f"name: {letter}")
        for letter in "abcdef"[:number]
    }


@pytest.mark.parametrize(("number", "expected"), [(1, []), (2, []), (3, [Outcome.FAILS]), (6, [Outcome.FAILS])])
def test_three_workloads_that_say_the_same_are_one_finding(number: int, expected: list[Outcome]) -> None:
    assert outcomes(CHECK, workloads(number)) == expected


def test_it_says_how_many_and_what_and_proposes_words_alone() -> None:
    (finding,) = findings(CHECK, workloads(4))
    assert "4 workloads" in finding.message
    assert "allowPrivilegeEscalation, seccompProfile" in finding.message
    assert finding.fix is not None
    assert "Component" in finding.fix.advice
    assert (finding.fix.edits, finding.fix.suggested) == ((), ())


def kustomized(patches: str, container: str = "") -> dict[str, str]:
    files = {f"base/{path.rpartition('/')[2]}": text for path, text in workloads(3, container).items()}
    return {
        **files,
        "base/kustomization.yaml": "resources: [a.yaml, b.yaml, c.yaml]",
        "prod/kustomization.yaml": f"resources: [../base]\n{patches}",
        "hardening/kustomization.yaml": f"""
            apiVersion: kustomize.config.k8s.io/v1alpha1
            kind: Component
            patches:
              - target: {{kind: Deployment}}
                patch: |
                  - {{op: add, path: /spec/template/spec/containers/0/securityContext, value: {CONTEXT}}}
        """,
    }


CONTEXT = "{allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}}"


@pytest.mark.parametrize("container", ["", HARDENED])
def test_a_component_says_it_for_all(container: str) -> None:
    assert outcomes(CHECK, kustomized("", container)) == [Outcome.FAILS]
    assert outcomes(CHECK, kustomized("components: [../hardening]", container)) == [Outcome.HOLDS]


def test_the_component_is_proposed_where_the_kustomization_is() -> None:
    (finding,) = findings(CHECK, kustomized(""))
    assert finding.fix is not None
    assert "prod/kustomization.yaml" in finding.fix.advice


def test_an_overlay_of_each_stage_counts_a_workload_once() -> None:
    files = {f"base/{path.rpartition('/')[2]}": text for path, text in workloads(2).items()}
    overlays = {f"{stage}/kustomization.yaml": "resources: [../base]" for stage in ("dev-a", "stage-b", "prod")}
    base = {"base/kustomization.yaml": "resources: [a.yaml, b.yaml]"}
    assert outcomes(CHECK, {**files, **overlays, **base}) == []


def test_overlays_that_patch_a_workload_count_it_once() -> None:
    files = {f"base/{path.rpartition('/')[2]}": text for path, text in workloads(2).items()}
    files["base/kustomization.yaml"] = "resources: [a.yaml, b.yaml]"
    for stage in ("dev-a", "stage-b", "prod"):
        files[f"{stage}/kustomization.yaml"] = "resources: [../base]\npatches: [{path: replicas.yaml}]"
        head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
        files[f"{stage}/replicas.yaml"] = f"{head}spec: {{replicas: 2}}\n"
    assert outcomes(CHECK, files) == []


def chart(context: str, values: str = "") -> dict[str, str]:
    template = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: {name}}}
        spec:
          template:
            spec:
              containers:
                - name: {name}
                  image: contoso/api
                  {context}
    """
    files = {
        f"chart/templates/{name}.yaml": template.format(name=name, context=context) for name in ("a", "b", "c")
    }
    return {"chart/Chart.yaml": "name: shop\n", "chart/values.yaml": values, **files}


def test_a_value_of_a_chart_says_it_for_all() -> None:
    values = f"securityContext: {CONTEXT}\n"
    taken = "securityContext: {{- toYaml .Values.securityContext | nindent 20 }}"
    assert outcomes(CHECK, chart(taken, values)) == [Outcome.HOLDS]
    (finding,) = findings(CHECK, chart(HARDENED))
    assert finding.outcome is Outcome.FAILS
    assert finding.fix is not None
    assert "value of the chart" in finding.fix.advice


def test_what_a_template_hides_is_asked_nothing() -> None:
    assert outcomes(CHECK, chart('securityContext: {{- include "shop.context" . | nindent 20 }}')) == []


def test_other_values_are_no_repetition() -> None:
    files = {
        f"deploy/{user}.yaml": deployment(f"{HARDENED[:-1]}, runAsNonRoot: {user}}}") for user in ("true", "false")
    }
    assert outcomes(CHECK, files) == []


def test_three_containers_of_one_pod_are_one_workload() -> None:
    three = deployment(HARDENED, pod="") + "".join(
        f"        - name: {name}\n          image: a\n          {HARDENED}\n" for name in ("b", "c")
    )
    assert outcomes(CHECK, {"deploy/api.yaml": three}) == []


@pytest.mark.parametrize("container", ["", "securityContext: {privileged: false}", HARDENED, ALL_SAME])
def test_onboarding_never_makes_it_fail_anew(container: str) -> None:
    files = texts(workloads(4, container))
    proposal = propose(files, "contoso/shop", (), WantedProposal(), NOW)
    before, after = (
        [each for each in audit(some, NOW) if each.check == CHECK and each.outcome is Outcome.FAILS]
        for some in (files, {**files, **proposal.files})
    )
    assert len(after) <= len(before)
    assert {path for commit in proposal.commits for path in commit.files} <= files.keys()


def chart_of_one(name: str) -> dict[str, str]:
    return {
        f"{name}/Chart.yaml": f"name: {name}\nversion: 1.0.0\n",
        f"{name}/templates/{name}.yaml": deployment(HARDENED),
    }


def test_the_advice_is_for_all_workloads_and_not_for_the_first_alone() -> None:
    mixed = {**chart_of_one("a"), **workloads(3)}
    several = {**chart_of_one("a"), **chart_of_one("b"), **chart_of_one("c")}
    for files, words in ((mixed, ["one value of the chart", "outside of charts"]), (several, ["all 3 charts"])):
        (finding,) = findings(CHECK, files)
        assert finding.fix is not None
        assert [each for each in words if each not in finding.fix.advice] == []


def advice(files: dict[str, str]) -> str:
    (finding,) = findings(CHECK, files)
    assert finding.fix is not None
    return finding.fix.advice


def test_a_kustomization_that_takes_few_of_the_workloads_is_not_named() -> None:
    told = advice({**workloads(6), **_kustomization("few", "a", "b")})
    assert "few/kustomization.yaml" not in told
    assert "each kustomization that is deployed" in told


def test_a_base_beside_overlays_of_its_parts_is_not_named() -> None:
    parts: dict[str, str] = {}
    for name in ("a", "b", "c"):
        (text,) = [text for path, text in workloads(3).items() if path.endswith(f"/{name}.yaml")]
        parts |= {f"base/{name}/{name}.yaml": text, f"base/{name}/kustomization.yaml": f"resources: [{name}.yaml]"}
        parts[f"prod/{name}/kustomization.yaml"] = f"resources: [../../base/{name}]"
    told = advice({**parts, "base/kustomization.yaml": "resources: [a, b, c]"})
    assert "base/kustomization.yaml" not in told


def test_each_overlay_of_all_workloads_is_named() -> None:
    told = advice({**kustomized(""), "stage-b/kustomization.yaml": "resources: [../base]"})
    assert "prod/kustomization.yaml" in told
    assert "stage-b/kustomization.yaml" in told


def _kustomization(folder: str, *names: str) -> dict[str, str]:
    paths = [path for path in workloads(6) if path.rpartition("/")[2].removesuffix(".yaml") in names]
    return {f"{folder}/kustomization.yaml": f"resources: [{', '.join(f'../{path}' for path in paths)}]"}


def test_a_context_that_the_values_switch_off_is_said_in_one_place_already() -> None:
    context = """
{{- if .Values.context.enabled }}
securityContext: {{- include "shop.context" .Values.context | nindent 12 }}
{{- end }}"""
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "chart/values.yaml": "context: {enabled: false, allowPrivilegeEscalation: false}\n",
    }
    for letter in "abc":
        files[f"chart/templates/{letter}.yaml"] = deployment(context).replace("name: api", f"name: {letter}")
    assert outcomes(CHECK, files) == [Outcome.HOLDS]
    (found, *_) = findings("no-privilege-escalation", files)
    assert found.fix is not None
    assert "which the values of the chart leave out" in found.fix.left_alone


def test_charts_of_one_name_in_several_folders_are_several() -> None:
    files = {}
    for folder in "abcd":
        files[f"{folder}/shop/Chart.yaml"] = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
        files[f"{folder}/shop/templates/d.yaml"] = deployment()
    (found,) = findings(CHECK, files)
    assert found.fix is not None
    assert "all 4 charts" in found.fix.advice
