"""Docker Bake files."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.bake import evaluation, hcl
from bot.files.formats.bake import finder as bake
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

DIGEST = "sha256:" + "a" * 64


def find(text: str, path: str = "docker-bake.hcl") -> Findings:
    findings = bake.find(path, text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str, path: str = "docker-bake.hcl") -> list[tuple[str, int]]:
    findings = find(text, path)
    assert findings.problems == ()
    return [(str(usage.reference), usage.line) for usage in findings.usages]


def test_only_image_contexts_are_images() -> None:
    text = f"""
target "app" {{
  context = "."
  contexts = {{
    base = "docker-image://alpine:3.13"
    "pinned" : "docker-image://alpine@{DIGEST}",
    linked = "target:base"
    files = "../shared"
    layout = "oci-layout://layout"
    site = "https://example.com/x.git"
  }}
  tags = ["docker.io/contoso/app:latest"]
  cache-from = ["type=registry,ref=contoso/app:cache"]
  output = ["type=image,name=contoso/app:1"]
}}
"""
    assert found(text) == [("alpine:3.13", 5), (f"alpine@{DIGEST}", 6)]


def test_build_arguments_count_where_they_are_plainly_images() -> None:
    text = """
target "app" {
  args = {
    BASE = "mcr.microsoft.com/dotnet/sdk:8.0"
    VERSION = "8.0"
    HOST = "redis:6379"
    N = 8
  }
}
"""
    (usage,) = find(text).usages
    assert (str(usage.reference), usage.role) == ("mcr.microsoft.com/dotnet/sdk:8.0", Role.BUILD_ARGUMENT)


@pytest.mark.parametrize(
    ("variables", "context", "line"),
    [
        ('variable "TAG" {\n  default = "8.0"\n}\n', "x/aspnet:${TAG}", 2),
        ('TAG = "8.0"\n', "x/aspnet:${ TAG }", 1),
        ('variable "TAG" {\n  default = "${V}"\n}\nvariable "V" { default = "8.0" }\n', "x/aspnet:${TAG}", 4),
        ('variable "TAG" {\n  default = V\n}\nV = "8.0"\n', "x/aspnet:${TAG}", 4),
        ('variable "TAG" { default = 8.0 }\n', "x/aspnet:${TAG}", 1),
        ('variable "IMAGE" {\n  default = "x/aspnet:8.0"\n}\n', "${IMAGE}", 2),
    ],
)
def test_a_variables_default_is_what_is_used_and_what_is_edited(variables: str, context: str, line: int) -> None:
    text = f'{variables}target "app" {{\n  contexts = {{ base = "docker-image://{context}" }}\n}}\n'
    (usage,) = find(text).usages
    assert str(usage.reference) == "x/aspnet:8.0"
    assert usage.line == line
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == "8.0"


def test_a_whole_value_may_be_a_variable() -> None:
    text = 'BASE = "docker-image://alpine:3.13"\ntarget "a" { contexts = { base = BASE } }\n'
    assert found(text) == [("alpine:3.13", 1)]


def test_a_digest_goes_behind_the_string_where_the_tags_variable_may_serve_other_ends() -> None:
    text = (
        'TAG = "8.0"\ntarget "a" {\n  contexts = { b = "docker-image://alpine:${TAG}" }\n  tags = ["a:${TAG}"]\n}\n'
    )
    (usage,) = find(text).usages
    assert usage.pieces[-1].at == len("alpine:8.0")
    assert usage.pieces[-1].span.start == text.index('" }')


@pytest.mark.parametrize(
    "value",
    [
        '"docker-image://alpine:${upper(TAG)}"',
        '"docker-image://alpine:${TAG == "" ? "1" : TAG}"',
        '"docker-image://alpine:${UNKNOWN}"',
        '"docker-image://alpine:${NONE}"',
        '"docker-image://alpine:${LOOP}"',
        '"docker-image://alpine:%{ if TAG }1%{ endif }"',
        'TAG == "" ? "docker-image://a:1" : "docker-image://b:1"',
        'join("", ["docker-image://alpine:", TAG])',
        '"docker-image://Not An Image"',
    ],
)
def test_an_image_that_cannot_be_read_without_running_bake_is_a_problem(value: str) -> None:
    head = 'variable "TAG" { default = "1" }\nvariable "NONE" {}\nvariable "LOOP" { default = "${LOOP}" }\n'
    findings = find(
        f'{head}target "app" {{\n  contexts = {{\n    a = {value}\n    b = "docker-image://ok:1"\n  }}\n}}\n'
    )
    assert [str(usage.reference) for usage in findings.usages] == ["ok:1"]
    assert [problem.line for problem in findings.problems] == [6]


def test_other_expressions_are_no_problem() -> None:
    text = """
function "tag" {
  params = [x]
  result = ["docker.io/contoso/${x}:latest"]
}
target "app" {
  args = { for k, v in ARGS : k => v }
  contexts = merge(target.base.contexts, { x = "target:y" })
  tags = tag("app")
  labels = { a = "%%{x}", b = "$${y}" }
  platforms = [for p in ["amd64"] : "linux/${p}"]
  dockerfile = notequal("", X) ? "a" : "b"
  dockerfile-inline = null
}
"""
    assert found(text) == []


def test_an_inline_dockerfile_that_is_computed_is_a_problem() -> None:
    findings = find('target "a" {\n  dockerfile-inline = join("", ["FROM x:1"])\n}\n')
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [2]


def test_each_combination_of_a_matrix_is_read() -> None:
    text = """
variable "TAGS" {
  default = ["1",
             "2"]
}
target "app" {
  name = "app-${tag}"
  matrix = {
    os = ["alpine", "debian"]
    tag = TAGS
  }
  contexts = {
    base = "docker-image://contoso/${os}:${tag}"
    fixed = "docker-image://fixed:1"
  }
}
"""
    assert found(text) == [
        ("contoso/alpine:1", 3),
        ("contoso/debian:1", 3),
        ("contoso/alpine:2", 4),
        ("contoso/debian:2", 4),
        ("fixed:1", 14),
    ]


def test_the_members_of_a_matrixs_objects_are_read() -> None:
    text = """
target "app" {
  matrix = {
    item = [
      { os = "alpine", version = "3.20" },
      {
        os = "debian"
        version = "12"
      }
    ]
  }
  name = "app-${item.os}"
  contexts = { base = "docker-image://${item.os}:${item.version}" }
  args = { VERSION = item.version }
  dockerfile-inline = <<EOT
ARG VERSION
FROM contoso/app:$${VERSION}
EOT
}
"""
    assert found(text) == [("alpine:3.20", 5), ("contoso/app:3.20", 5), ("debian:12", 8), ("contoso/app:12", 8)]


def test_inline_dockerfiles_are_read_in_every_form_of_string() -> None:
    text = """
target "heredoc" {
  dockerfile-inline = <<EOT
FROM alpine:3.20
EOT
}
target "indented" {
  dockerfile-inline = <<-EOT
    FROM debian:12
    RUN echo "$${HOME}"
  EOT
}
target "quoted" {
  dockerfile-inline = "FROM ubuntu:22.04\\nENTRYPOINT [\\"echo\\", \\"hello\\"]"
}
"""
    assert found(text) == [("alpine:3.20", 4), ("debian:12", 9), ("ubuntu:22.04", 14)]


def test_arguments_own_and_inherited_take_the_place_of_an_inline_dockerfiles_defaults() -> None:
    text = """
target "base" {
  args = {
    NAME = "alpine"
    VERSION = "1"
  }
}
target "app" {
  inherits = ["base", "app"]
  args = {
    VERSION = "3.21"
  }
  dockerfile-inline = <<EOT
ARG NAME=none
ARG VERSION=latest
FROM $${NAME}:$${VERSION}
EOT
}
"""
    assert found(text) == [("alpine:3.21", 11)]


def test_an_argument_with_an_escape_is_edited_only_where_it_stands_as_itself() -> None:
    text = 'target "a" {\n  args = { V = "3\\.21" }\n  dockerfile-inline = "ARG V\\nFROM x:$${V}"\n}\n'
    (usage,) = find(text).usages
    assert str(usage.reference) == "x:3.21"
    assert usage.tag_span is None
    assert usage.line == 2


def test_the_last_parent_wins_with_all_that_it_inherits() -> None:
    text = """
target "old" { args = { VERSION = "1" } }
target "grandparent" { args = { VERSION = "2" } }
target "new" { inherits = ["grandparent"] }
target "app" {
  inherits = ["old", "new"]
  dockerfile-inline = "ARG VERSION\\nFROM alpine:$${VERSION}"
}
"""
    assert found(text) == [("alpine:2", 3)]


def test_named_contexts_own_and_inherited_are_no_images_of_an_inline_dockerfile() -> None:
    text = """
target "parent" {
  contexts = { inherited = "target:x" }
}
target "app" {
  inherits = ["parent"]
  contexts = { base = "target:y" }
  dockerfile-inline = <<EOT
FROM base
FROM inherited:latest
FROM busybox
COPY --from=base / /
EOT
}
"""
    assert found(text) == [("busybox", 11)]


def test_the_json_form_says_the_same() -> None:
    text = f"""{{
  "variable": {{"TAG": {{"default": "8.0"}}, "EMPTY": {{"default": null}}}},
  "group": {{"default": {{"targets": ["app"]}}}},
  "target": {{
    "base": [{{"args": {{"V": "3.20"}}}}],
    "app": {{
      "inherits": ["base"],
      "contexts": {{
        "a": "docker-image://contoso/aspnet:${{TAG}}",
        "b": "docker-image://alpine:3.13@{DIGEST}",
        "c": "target:x"
      }},
      "args": {{"BASE": "mcr.microsoft.com/dotnet/sdk:9.0", "N": null}},
      "dockerfile-inline": "ARG V\\nFROM alpine:$${{V}}\\n",
      "tags": ["contoso/app:latest"]
    }}
  }}
}}"""
    assert found(text, "docker-bake.json") == [
        ("contoso/aspnet:8.0", 2),
        ("alpine:3.20", 5),
        (f"alpine:3.13@{DIGEST}", 10),
        ("mcr.microsoft.com/dotnet/sdk:9.0", 13),
    ]


def test_a_json_image_that_cannot_be_known_is_a_problem() -> None:
    text = '{"target": {"app": {"contexts": {"a": "docker-image://alpine:${TAG}"}}}}'
    findings = find(text, "docker-bake.json")
    assert findings.usages == ()
    assert len(findings.problems) == 1


@pytest.mark.parametrize(
    "text", ["[]", '{"target": []}', '{"target": {"a": 1}}', '{"target": {"a": {"contexts": "x"}}}']
)
def test_other_shapes_of_json_name_nothing(text: str) -> None:
    assert find(f"{text} // args", "docker-bake.json") == Findings()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('target "a" {\n  args = {\n', 3),
        ("target a b c = 1 # args\n", 1),
        ("args = = 1\n", 1),
        ("args = " + "(" * 3000, 1),
    ],
)
def test_what_is_no_hcl_is_one_problem(text: str, line: int) -> None:
    findings = find(text)
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [line]


def test_line_endings_marks_and_a_missing_last_line_end_do_not_matter() -> None:
    text = """\ufefftarget "a" {
  contexts = { b = "docker-image://alpine:3.13" }
  # 😀 é
  args = { B = "x.io/alpine:3.14" }
}"""
    assert [name for name, _ in found(text.replace("\n", "\r\n"))] == [
        "alpine:3.13",
        "x.io/alpine:3.14",
    ]


def hostile(size: int) -> str:
    """Values that double, a matrix of millions of variants, and a long line of heirs."""
    doubling = "".join(f'variable "v{n}" {{ default = "${{v{n + 1}}}${{v{n + 1}}}" }}\n' for n in range(size))
    axes = ",".join(f'a{n} = ["1", "2", "3", "4"]' for n in range(size // 3))
    heirs = "".join(
        f'target "t{n}" {{\n  inherits = ["t{n + 1}"]\n  args = {{ a{n} = "1" }}\n}}\n' for n in range(size * 7)
    )
    context = 'contexts = { a = "docker-image://a:${v0}", b = "docker-image://b:${a0}" }'
    return f'{doubling}{heirs}target "x" {{\n  matrix = {{ {axes} }}\n  {context}\n}}\n'


def test_hostile_files_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "expand to more than 1,048,576 characters" in find(hostile(40)).problems[0].message
    assert len(find("args = 1 #" + "x" * 200_000).problems) == 1
    # Up to the bound everything costs the same, which would hide how the rest grows.
    monkeypatch.setattr(evaluation, "MOST_EVALUATED", 16 * 1024)
    assert growth(lambda size: find(hostile(size)), 20) < LINEAR


FRAGMENTS = (
    *('target "a" {\n', "contexts = {\n", 'x = "docker-image://', '"\n', "args = {\n", 'inherits = ["a"]\n'),
    *("dockerfile-inline = ", "<<EOT\n", "EOT\n", "<<-EOT\n", "FROM a\n"),
    *("${A}", "$${", "%{", 'variable "A" { default = "1" }\n'),
)


@given(any_text(*FRAGMENTS))
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f'target "a" {{\n  contexts = {{ b = "docker-image://{text}" }}\n}}\n')
    find(f'target "a" {{\n  dockerfile-inline = <<EOT\n{text}\nEOT\n}}\n')
    find(f'{{"target": {{"a": {{"contexts": {{"b": "docker-image://{text}"}}}}}}}}', "docker-bake.json")


def test_a_marker_that_strips_space_hides_nothing() -> None:
    text = 'v = "3.20"\ntarget "a" {\n  contexts = { b = "docker-image://alpine:${~ v ~}" }\n}\n'
    assert found(text) == [("alpine:3.20", 1)]


def test_an_inherited_dockerfile_stands_on_what_the_target_passes_to_it() -> None:
    text = """
target "_common" {
  args = { VERSION = "3.19" }
  dockerfile-inline = <<EOT
ARG VERSION
FROM alpine:$VERSION
EOT
}
target "same" {
  inherits = ["_common"]
}
target "newer" {
  inherits = ["_common"]
  args = {
    VERSION = "3.20"
  }
}
target "pinned" {
  inherits = ["same"]
  contexts = { "alpine:3.19" = "docker-image://alpine:3.18" }
}
"""
    assert found(text) == [("alpine:3.19", 3), ("alpine:3.20", 15), ("alpine:3.18", 20)]


def test_an_inherited_dockerfile_is_read_in_the_scope_of_the_parent() -> None:
    text = """
variable "v" { default = "3.19" }
target "parent" {
  dockerfile-inline = "FROM alpine:${v}"
}
target "child" {
  inherits = ["parent"]
  name = "child-${replace(v, ".", "-")}"
  matrix = { v = ["1", "2"] }
  args = { OTHER = v }
}
"""
    assert found(text) == [("alpine:3.19", 2)]


@pytest.mark.parametrize("unit", ["${((v))}", "!", "a,", "[],", "a+"])
def test_a_file_of_more_signs_than_can_be_parsed_soon_is_refused(unit: str) -> None:
    head, tail = 'target "a" { x = [ "docker-image://a" ', "] }"
    text = head + unit * ((hcl.LARGEST_TEXT - len(head) - len(tail)) // len(unit)) + tail
    assert len(text) <= hcl.LARGEST_TEXT
    (problem,) = find(text).problems
    assert "words and signs" in problem.message


def test_an_ordinary_file_of_many_targets_is_read() -> None:
    target = """target "api%d" {
  inherits = ["_common"]
  platforms = ["linux/amd64", "linux/arm64"]
  contexts = { base = "docker-image://debian:13" }
  tags = ["${REGISTRY}/contoso/api:${TAG}"]
}
"""
    assert len(find("".join(target % number for number in range(300))).usages) == 300
