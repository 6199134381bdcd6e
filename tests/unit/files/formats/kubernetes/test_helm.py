"""Helm values files."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings
from bot.files.formats.kubernetes import helm
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

DIGEST = "sha256:" + "a" * 64


def find(text: str, path: str = "chart/values.yaml") -> Findings:
    findings = helm.find(path, text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, int]]:
    findings = find(text)
    assert findings.problems == ()
    return [(str(usage.reference), usage.line) for usage in findings.usages]


def test_separate_keys_make_one_reference_that_stands_where_its_tag_is() -> None:
    text = """
image:
  registry: mcr.microsoft.com
  repository: "dotnet/aspnet"
  pullPolicy: Always
  tag: 8.0
"""
    (usage,) = find(text).usages
    assert str(usage.reference) == "mcr.microsoft.com/dotnet/aspnet:8.0"
    assert usage.assembled
    assert usage.line == 6
    assert usage.span == usage.tag_span
    assert usage.name_span is None


@pytest.mark.parametrize("tag", ["1.10", "'1.10'", '"1.10"'])
def test_a_tag_that_looks_like_a_number_stays_text(tag: str) -> None:
    assert found(f"image:\n  repository: nginx\n  tag: {tag}\n") == [("nginx:1.10", 3)]


def test_a_registry_is_not_doubled() -> None:
    text = "image: {registry: quay.io, repository: quay.io/contoso/web, tag: v1}\n"
    assert found(text) == [("quay.io/contoso/web:v1", 1)]


def test_digests_are_read_from_every_key_that_may_hold_one() -> None:
    text = f"""
a: {{image: {{repository: nginx, digest: "{DIGEST}"}}}}
b: {{image: {{repository: nginx, tag: "1.0", digest: "{DIGEST}"}}}}
c: {{image: {{repository: nginx, tag: "{DIGEST}"}}}}
d: {{image: {{repository: nginx, version: "{DIGEST}"}}}}
e: {{image: {{repository: nginx, tag: "1.0@{DIGEST}"}}}}
f: {{image: {{repository: nginx, tag: "1.0", digest: ""}}}}
"""
    assert [name for name, _ in found(text)] == [
        f"nginx@{DIGEST}",
        f"nginx:1.0@{DIGEST}",
        f"nginx@{DIGEST}",
        f"nginx@{DIGEST}",
        f"nginx:1.0@{DIGEST}",
        "nginx:1.0",
    ]


def test_a_tag_and_a_digest_in_their_own_keys_are_edited_on_their_own() -> None:
    text = f"image:\n  repository: nginx\n  tag: '1.0'\n  digest: {DIGEST}\n"
    (usage,) = find(text).usages
    assert usage.tag_span is not None
    assert usage.digest_span is not None
    assert usage.digest_span.of(text) == DIGEST
    assert usage.line == 3


def test_whole_references_stand_under_keys_that_end_in_image() -> None:
    text = f"""
image: nginx:1.14.2
initImage: "busybox:1.36"
sidecar_image: quay.io/contoso/log@{DIGEST}
pullImage: true
imageName: nginx:1
list:
- image: redis:7
"""
    assert found(text) == [
        ("nginx:1.14.2", 2),
        ("busybox:1.36", 3),
        (f"quay.io/contoso/log@{DIGEST}", 4),
        ("redis:7", 8),
    ]


def test_a_name_with_a_tag_beside_it_makes_a_reference() -> None:
    text = "a: {image: nginx, tag: 1.2}\nb: {image: nginx, imageTag: 1.3}\nc: {image: {name: x/y, tag: v1}}\n"
    assert [name for name, _ in found(text)] == ["nginx:1.2", "nginx:1.3", "x/y:v1"]


@pytest.mark.parametrize(
    "text",
    [
        "some: {other: {tag: foo}}\n",
        "image: {repository: nginx}\n",
        "image: {repository: nginx, registry: example.com}\n",
        "image: {repository: nginx, tag: ''}\n",
        "image: {repository: nginx, tag: null}\n",
        "image: {repository: nginx, tag: [1.0]}\n",
        "image: {tag: 1.0}\n",
        "image: nginx\n",
        "chart: {repository: stable/nginx, version: 1.2.3}\n",
        "source: {repository: https://github.com/contoso/web.git, tag: v1}\n",
        "source: {repository: github.com/contoso/web.git, tag: v1}\n",
        "user: {name: x, tag: y}\n",
        "- image\n",
    ],
)
def test_what_may_be_something_else_is_not_found(text: str) -> None:
    assert find(text) == Findings()


def test_the_charts_own_dependencies_are_no_images() -> None:
    text = "dependencies:\n- {name: redis, image: redis, tag: 1, repository: contoso/charts, version: 1.0.0}\n"
    assert find(text, "chart/Chart.yaml") == Findings()
    assert find(text, "Chart.lock") == Findings()


def test_a_template_in_a_value_is_a_problem_and_the_other_images_are_read() -> None:
    text = """
a: {image: {repository: nginx, tag: "{{ .Values.global.tag }}"}}
b: {image: "{{ .Values.registry }}/nginx:1"}
c: {image: {repository: nginx, tag: "1.0"}}
"""
    findings = find(text)
    assert [str(usage.reference) for usage in findings.usages] == ["nginx:1.0"]
    assert [problem.line for problem in findings.problems] == [2, 3]


def test_whole_references_are_read_from_a_mapping_or_a_list_of_images() -> None:
    text = """
images:
  registry: localhost:5000
  pullPolicy: Always
  api: mcr.microsoft.com/dotnet/aspnet:10.0
  worker: "mcr.microsoft.com/dotnet/runtime:10.0"
toolImages:
  - mcr.microsoft.com/dotnet/sdk:10.0
  - icons:small
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/aspnet:10.0", 5),
        ("mcr.microsoft.com/dotnet/runtime:10.0", 6),
        ("mcr.microsoft.com/dotnet/sdk:10.0", 8),
    ]


def test_an_unquoted_template_is_one_problem() -> None:
    findings = find("image:\n  repository: nginx\n  tag: {{ tag }}\n")
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [3]


def test_an_aliased_image_counts_once() -> None:
    text = "a: {image: &i {repository: nginx, tag: '1.0'}}\nb: {image: *i}\nc: {image: {<<: *i}}\n"
    assert found(text) == [("nginx:1.0", 1)]


@given(
    any_text(
        "image:\n", "  repository: ", "  tag: ", "  registry: ", "  digest: ", "image: ", "  version: ", "---\n"
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f"image:\n  repository: nginx\n  tag: {text}")


def test_a_registry_may_end_with_a_slash() -> None:
    assert found("image: {registry: r.io/, repository: web, tag: v1}\n") == [("r.io/web:v1", 1)]


def test_a_repository_may_name_the_algorithm_of_the_digest() -> None:
    text = f"image:\n  repository: r.io/web@sha256\n  tag: {'a' * 64}\n"
    assert found(text) == [(f"r.io/web@{DIGEST}", 3)]


def test_a_repository_may_be_the_whole_reference() -> None:
    text = f"""
a: {{image: {{repository: web:1.0, tag: ""}}}}
b: {{image: {{registry: r.io, repository: web@{DIGEST}}}}}
c: {{source: {{repository: web:1.0}}}}
d: {{image: {{repository: web:1.0, tag: "2.0"}}}}
"""
    assert found(text) == [("web:1.0", 2), (f"r.io/web@{DIGEST}", 3)]


@pytest.mark.parametrize("key", ["repository", "name"])
def test_a_whole_reference_under_the_repository_counts_once(key: str) -> None:
    text = f"image:\n  {key}: mcr.microsoft.com/dotnet/aspnet:8.0\n"
    assert found(text) == [("mcr.microsoft.com/dotnet/aspnet:8.0", 2)]


def test_a_whole_reference_behind_a_registry_is_not_read_without_it() -> None:
    text = f"image:\n  registry: r.io\n  repository: dotnet/aspnet@{DIGEST}\n"
    assert found(text) == [(f"r.io/dotnet/aspnet@{DIGEST}", 3)]


def test_a_whole_reference_beside_a_repository_is_another_image() -> None:
    text = "image: {repository: web, tag: v1, fallback: r.io/web:v0, name: r.io/web:v2}\n"
    assert sorted(found(text)) == [("r.io/web:v0", 1), ("r.io/web:v2", 1), ("web:v1", 1)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("imageName: x/web\nimageTag: '8.0'\n", ["x/web:8.0"]),
        ("web: {imageRepository: x/web, imageTag: v8, imageRegistry: r.io}\n", ["r.io/x/web:v8"]),
        ("webImageName: x/web\nwebImageTag: '1'\napiImageName: x/api\napiImageTag: '2'\n", ["x/web:1", "x/api:2"]),
        ("image_name: x/web\nimage_version: '3'\n", ["x/web:3"]),
        (f"imageName: x/web\nimageDigest: {DIGEST}\n", [f"x/web@{DIGEST}"]),
        ("imageName: r.io:5000/web\nimageTag: '4'\n", ["r.io:5000/web:4"]),
        ("imageName: x/web:4\nimageTag: '5'\n", []),
        ("imageName: x/web\ntag: '1'\n", []),
        ("imageName: x/web\nimageTag: ''\n", []),
        ("imageRepository: https://git.example.com/x.git\nimageTag: '1'\n", []),
    ],
)
def test_a_name_and_a_tag_side_by_side_make_one_image(text: str, names: list[str]) -> None:
    assert [name for name, _ in found(text)] == names


def test_many_names_of_images_side_by_side_cost_no_more_than_their_length() -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    keys = [str(number).translate(letters) for number in range(15_000)]
    text = "".join(f"{key}_imageName: contoso/api\n" for key in keys)
    assert found(f"{text}imageName: mcr.microsoft.com/dotnet/aspnet\nImageTag: '8.0'\n") == [
        ("mcr.microsoft.com/dotnet/aspnet:8.0", len(keys) + 2)
    ]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("{repository: contoso/shop, tag: '1'}", "ghcr.io/contoso/shop:1"),
        ("{repository: quay.io/contoso/shop, tag: '1'}", "quay.io/contoso/shop:1"),
        ("{registry: quay.io, repository: contoso/shop, tag: '1'}", "quay.io/contoso/shop:1"),
        ("{repository: ghcr.io/contoso/shop, tag: '1'}", "ghcr.io/contoso/shop:1"),
        ("contoso/shop:1", "contoso/shop:1"),
    ],
)
def test_a_registry_of_all_images_counts_where_keys_spell_one_without(image: str, expected: str) -> None:
    text = f"global:\n  imageRegistry: ghcr.io/\nimage: {image}\n"
    assert [reference for reference, _ in found(text)] == [expected]
