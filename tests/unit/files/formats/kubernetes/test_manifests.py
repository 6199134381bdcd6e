"""Kubernetes manifests."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings
from bot.files.formats.kubernetes import manifests as kubernetes
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim


def find(text: str) -> Findings:
    findings = kubernetes.find("deploy/web.yaml", text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, int]]:
    findings = find(text)
    assert findings.problems == ()
    return [(str(usage.reference), usage.line) for usage in findings.usages]


def test_all_lists_of_containers_count() -> None:
    text = """
apiVersion: v1
kind: Pod
spec:
  initContainers:
  - image: init:1
  containers:
  - name: web
    image: "mcr.microsoft.com/dotnet/aspnet:8.0"
  - {name: sidecar, image: sidecar}
  ephemeralContainers:
  - image: 'debug:1'
  volumes:
  - name: data
    image: {reference: quay.io/contoso/data:2, pullPolicy: Always}
"""
    assert found(text) == [
        ("init:1", 6),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", 9),
        ("sidecar", 10),
        ("debug:1", 12),
        ("quay.io/contoso/data:2", 15),
    ]


@pytest.mark.parametrize(
    "nesting",
    [
        ["spec"],
        ["spec", "template", "spec"],
        ["spec", "jobTemplate", "spec", "template", "spec"],
        ["template", "spec"],
        ["spec", "workers", "podTemplate", "spec"],
    ],
)
def test_pod_templates_are_found_wherever_they_are(nesting: list[str]) -> None:
    keys = "".join(f"{' ' * depth}{key}:\n" for depth, key in enumerate(nesting))
    inside = " " * len(nesting)
    text = f"apiVersion: example.com/v1\nkind: Anything\n{keys}{inside}containers:\n{inside}- image: a:1\n"
    assert [name for name, _ in found(text)] == ["a:1"]


def test_lists_and_several_documents_are_read() -> None:
    text = """apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  spec: {containers: [{image: a:1}]}
- apiVersion: v1
  kind: ConfigMap
  data: {image: "b:1"}
---
# nothing
---
apiVersion: v1
kind: Pod
spec: {containers: [{image: c:1}]}
"""
    assert found(text) == [("a:1", 6), ("c:1", 15)]


def test_an_image_of_a_custom_resource_counts_where_it_has_a_tag() -> None:
    text = """
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {annotations: {image: "no:1"}}
spec:
  image: quay.io/prometheus/prometheus:v3.0.0
  machine: {image: ubuntu-2404}
  icon: {image: "https://example.com/icon.png"}
status: {image: "no:2"}
"""
    assert found(text) == [("quay.io/prometheus/prometheus:v3.0.0", 6)]


def test_steps_of_pipelines_count() -> None:
    text = """
apiVersion: tekton.dev/v1
kind: Task
spec:
  steps:
  - image: alpine
  sidecars: [{image: redis}]
"""
    assert found(text) == [("alpine", 6), ("redis", 7)]


def test_an_aliased_container_counts_once() -> None:
    text = """
apiVersion: v1
kind: Pod
spec:
  initContainers: [&c {image: a:1}]
  containers: [*c, {<<: *c, name: x}]
"""
    assert found(text) == [("a:1", 5)]


@pytest.mark.parametrize(
    "text",
    [
        "image: a:1\n",
        "kind: Pod\nspec: {containers: [{image: a:1}]}\n",
        "apiVersion: v1\nspec: {containers: [{image: a:1}]}\n",
        "- apiVersion: v1\n  kind: Pod\n  image: a:1\n",
        "apiVersion: v1\nkind: Secret\nstringData: {image: a:1}\n",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: }, {image: [a]}, image]}\n",
        "",
    ],
)
def test_what_is_no_manifest_names_nothing(text: str) -> None:
    assert find(text) == Findings()


POD = "apiVersion: v1\nkind: Pod\n"
CONTAINERS = "spec:\n  containers:\n  - image: "


@pytest.mark.parametrize(
    "template",
    [
        "{{- if .Values.enabled }}\n" + POD + CONTAINERS + "a:1\n{{- end }}\n",
        POD + "metadata:\n  name: {{ name }}\n" + CONTAINERS + "a:1\n",
        POD + 'metadata:\n  labels: {{- include "x" . | nindent 4 }}\n' + CONTAINERS + "a:1\n",
    ],
)
def test_a_template_is_one_problem_and_never_edited(template: str) -> None:
    findings = find(template)
    assert findings.usages == ()
    assert len(findings.problems) == 1
    assert "template" in findings.problems[0].message


@pytest.mark.parametrize(
    "image",
    ["{{ .Values.image }}", '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"', "a:{{ .Values.t }}"],
)
def test_a_template_whose_images_come_from_values_needs_no_line(image: str) -> None:
    assert find(POD + CONTAINERS + f"{image}\n") == Findings()


def test_a_package_that_ko_builds_is_no_image_and_no_problem() -> None:
    assert find(POD + CONTAINERS + "ko://example.com/cmd/web\n") == Findings()


def test_braces_in_the_texts_of_a_manifest_are_no_template() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {annotations: {alert: "{{ $labels.pod }} is down"}}
spec: {containers: [{image: a:1}]}
"""
    assert found(text) == [("a:1", 5)]


def test_an_image_spelled_in_keys_is_read_where_a_resource_has_one() -> None:
    text = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec:
  chart: {spec: {chart: web, version: 1.2.3, sourceRef: {kind: HelmRepository, name: charts}}}
  values:
    image:
      registry: ghcr.io
      repository: team/web
      tag: "10.0"
    service: {name: web, version: v1}
---
apiVersion: example.com/v1
kind: Database
spec:
  image: {repository: ghcr.io/team/db, version: "16"}
  backup: {repository: bucket, tag: nightly}
  machine: {image: {name: linux, version: 1.2.3}}
"""
    assert found(text) == [("ghcr.io/team/web:10.0", 10), ("ghcr.io/team/db:16", 16)]


def test_the_templates_of_another_program_in_a_config_map_do_not_matter() -> None:
    text = """
apiVersion: v1
kind: ConfigMap
data:
  mail.tmpl: |
    {{ define "subject" }}{{ template "title" . }}{{ end }}
---
apiVersion: v1
kind: Pod
spec: {containers: [{image: a:1}]}
"""
    assert found(text) == [("a:1", 10)]
    assert find(text + '---\napiVersion: v1\nkind: Service\nmetadata: {name: "{{ .Release.Name }}"}\n').usages == ()


def test_a_placeholder_is_a_problem() -> None:
    findings = find("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: <<VAR>>/x:<<TAG>>\n")
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [5]


def test_a_list_that_holds_itself_ends() -> None:
    pod = "{apiVersion: v1, kind: Pod, spec: {containers: [{image: a:1}]}}"
    text = f"&all\napiVersion: v1\nkind: List\nitems: [*all, {pod}]\n"
    assert found(text) == [("a:1", 4)]


def test_the_time_for_a_file_grows_with_its_size() -> None:
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a:1\n    args: [a, b, c]\n---\n"
    assert len(find(pod * 4_000).usages) == 4_000
    assert growth(lambda size: kubernetes.find("deploy/web.yaml", pod * size), 500) < LINEAR


@given(
    any_text(
        "apiVersion: v1\n",
        "kind: Pod\n",
        "spec:\n",
        "containers:\n",
        "- image: ",
        "image: ",
        "reference: ",
        "---\n",
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {text}")


@pytest.mark.parametrize(("kind", "images"), [("PodList", [("web:1", 6)]), ("ConfigMapList", []), ("List", [])])
def test_the_objects_of_a_typed_list_need_not_tell_their_kind(kind: str, images: list[tuple[str, int]]) -> None:
    text = f"apiVersion: v1\nkind: {kind}\nitems:\n- spec:\n    containers:\n    - image: web:1\n"
    assert found(text) == images


def test_openshift_names_images_in_object_references() -> None:
    text = """
apiVersion: build.openshift.io/v1
kind: BuildConfig
spec:
  strategy:
    dockerStrategy:
      from: {kind: DockerImage, name: mcr.microsoft.com/dotnet/sdk:8.0}
    sourceStrategy:
      from: {kind: ImageStreamTag, name: "dotnet:8.0"}
"""
    assert found(text) == [("mcr.microsoft.com/dotnet/sdk:8.0", 7)]


def test_what_an_openshift_build_makes_is_no_base() -> None:
    text = """
apiVersion: build.openshift.io/v1
kind: BuildConfig
spec:
  source:
    images:
    - from: {kind: DockerImage, name: "r.io/assets:1"}
  output:
    to: {kind: DockerImage, name: "r.io/contoso/shop:latest"}
"""
    assert found(text) == [("r.io/assets:1", 7)]


KUSTOMIZATION = f"""
images:
- name: web
  newName: registry.example.com/web
  newTag: "1.2"
- name: api
  digest: sha256:{"a" * 64}
- {{name: both, newTag: 1.3, digest: sha256:{"b" * 64}}}
- name: only-renamed
  newName: registry.example.com/renamed
- newTag: nameless
- {{name: unchanged, newTag: ""}}
- text
"""
REPLACED = [
    ("registry.example.com/web:1.2", 5),
    (f"api@sha256:{'a' * 64}", 7),
    (f"both:1.3@sha256:{'b' * 64}", 8),
]


@pytest.mark.parametrize("kind", ["Kustomization", "Component"])
def test_a_kustomization_names_the_images_that_it_puts_in(kind: str) -> None:
    text = f"{KUSTOMIZATION}kind: {kind}\napiVersion: kustomize.config.k8s.io/v1beta1\n"
    assert found(text) == REPLACED


def test_a_kustomization_need_not_tell_its_kind() -> None:
    assert found(KUSTOMIZATION) == REPLACED


def test_images_of_another_kind_are_no_kustomization() -> None:
    assert found(f"{KUSTOMIZATION}kind: ImagePolicy\napiVersion: example.com/v1\n") == []
    assert found("images:\n- {name: web, digest: sha256:" + "a" * 64 + "}\n") == []


def test_an_application_of_argo_cd_puts_images_in() -> None:
    text = f"""apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    kustomize:
      images:
      - registry.example.com/web:1.2
      - api=registry.example.com/api:2.0
      - old=r.io:5000/new@sha256:{"a" * 64}
      - only=r.io:5000/renamed
      - kept=*:3
      - "templated:{{{{.tag}}}}"
  sources:
  - kustomize: {{images: ["worker:4"]}}
"""
    assert found(text) == [
        ("registry.example.com/web:1.2", 7),
        ("registry.example.com/api:2.0", 8),
        (f"r.io:5000/new@sha256:{'a' * 64}", 9),
        ("worker:4", 14),
    ]


@pytest.mark.parametrize(
    ("api", "indent", "owner"),
    [
        ("kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization", "  ", "spec:"),
        ("helm.toolkit.fluxcd.io/v2\nkind: HelmRelease", "      ", "spec:\n  postRenderers:\n  - kustomize:"),
    ],
)
def test_flux_puts_images_in(api: str, indent: str, owner: str) -> None:
    entries = KUSTOMIZATION.strip().replace("\n", f"\n{indent}")
    text = f"apiVersion: {api}\n{owner}\n{indent}{entries}\n"
    assert [name for name, _ in found(text)] == [name for name, _ in REPLACED]


def test_parameters_of_an_application_spell_images_with_dots_in_their_names() -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    helm:
      parameters:
      - {name: image.repository, value: ghcr.io/contoso/shop}
      - name: image.tag
        value: '1.2'
      - {name: worker.image.name, value: ghcr.io/contoso/worker}
      - {name: worker.image.version, value: "3"}
      - {name: replicas, value: "2"}
      - {name: chart.tag, value: "9"}
"""
    assert found(text) == [("ghcr.io/contoso/shop:1.2", 10), ("ghcr.io/contoso/worker:3", 12)]


VALUES = """\
global: {imageRegistry: ghcr.io/contoso}
image:
  repository: shop
  tag: '1.2'
worker: {imageName: worker, imageTag: "3"}
proxy:
  image: "quay.io/contoso/proxy:4"
replicas: 2
"""
NAMED = ["ghcr.io/contoso/shop:1.2", "ghcr.io/contoso/worker:3", "quay.io/contoso/proxy:4"]


def application(helm: str, source: str = "source:\n    ") -> str:
    return f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  {source}helm:\n{helm}"


def indented(text: str, by: str = "          ") -> str:
    return "".join(f"{by}{line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "helm",
    [
        "      values: |\n" + indented(VALUES),
        "      values: |2-\n" + indented(VALUES, "        "),
        "      valuesObject:\n" + indented(VALUES),
        "      values: 'image: {repository: old/shop, tag: 1}'\n      valuesObject:\n" + indented(VALUES),
    ],
)
def test_values_that_an_application_gives_its_chart_name_images_where_they_are_written(helm: str) -> None:
    text = application(helm)
    found = find(text).usages
    assert [str(usage.reference) for usage in found] == NAMED
    assert [text[usage.tag_span.start : usage.tag_span.end] for usage in found if usage.tag_span] == [
        "1.2",
        "3",
        "4",
    ]
    assert [text.splitlines()[usage.line - 1].strip() for usage in found] == [
        "tag: '1.2'",
        'worker: {imageName: worker, imageTag: "3"}',
        'image: "quay.io/contoso/proxy:4"',
    ]


def test_values_of_one_source_among_several_may_be_a_text_with_escapes() -> None:
    helm = '      values: "image:\\n  repository: ghcr.io/contoso/shop\\n  tag: 1.2"\n'
    assert found(application(helm, "sources:\n  - ")) == [("ghcr.io/contoso/shop:1.2", 6)]


def test_values_that_cannot_be_read_are_a_problem_where_they_stand_and_others_are_none() -> None:
    broken = application("      values: |\n          image: {repository: a\n")
    [problem] = find(broken).problems
    assert (problem.line, problem.message.partition(": ")[0]) == (6, "helm.values cannot be read")
    assert find(application("      values: 'replicas: 2'\n")) == Findings()
    assert find(application("      values: 'image'\n")) == Findings()


@pytest.mark.parametrize(("beside", "is_one"), [("resources: [../base]", True), ("title: x", False)])
def test_a_digest_in_a_kustomization_without_a_kind_counts_where_it_puts_others_together(
    beside: str, is_one: bool
) -> None:
    digest = "sha256:" + "a" * 64
    text = f"{beside}\nimages:\n- name: ghcr.io/contoso/shop\n  digest: {digest}\n"
    assert found(text) == ([(f"ghcr.io/contoso/shop@{digest}", 4)] if is_one else [])
