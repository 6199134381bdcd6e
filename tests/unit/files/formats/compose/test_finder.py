"""Docker Compose files."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.compose import finder as compose
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

DIGEST = "sha256:" + "a" * 64


def find(text: str) -> Findings:
    findings = compose.find("compose.yaml", text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, int]]:
    findings = find(text)
    assert findings.problems == ()
    return [(str(usage.reference), usage.line) for usage in findings.usages]


def test_services_name_images() -> None:
    text = f"""
services:
  web:
    image: mcr.microsoft.com/dotnet/aspnet:8.0
  db: {{image: "postgres"}}
  cache:
    image: 'redis:7@{DIGEST}' # pinned
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/aspnet:8.0", 4),
        ("postgres", 5),
        (f"redis:7@{DIGEST}", 7),
    ]


def test_services_of_version_1_stand_at_the_root() -> None:
    text = "web:\n  build: .\n  image: shop/web:1\ndb:\n  image: postgres:17\n  links: [web]\n"
    assert found(text) == [("postgres:17", 5)]
    assert found("version: '3'\ndb: {image: 'postgres:17'}\n") == []
    assert found("settings: {image: a}\nother: text\n") == []


def test_the_image_of_a_service_that_is_built_is_its_output() -> None:
    text = """
services:
  web: {build: ., image: shop/web:1}
  job: {build: {context: .}, image: shop/job:1}
  api: {build: null, image: "shop/api:1"}
  all: {extends: web, image: "shop/all:1"}
  one: {extends: {service: api}, image: "shop/one:1"}
  two: {extends: {service: web, file: other.yaml}, image: "shop/two:1"}
"""
    assert [name for name, _ in found(text)] == ["shop/api:1", "shop/one:1", "shop/two:1"]


@pytest.mark.parametrize("name", ["shop/web", "shop/web:${V:-latest}", "${R}/web:${V}"])
def test_the_image_that_another_service_builds_is_no_usage(name: str) -> None:
    text = f"services:\n  web: {{build: ., image: {name!r}}}\n  job: {{image: {name!r}}}\n  db: {{image: a:1}}\n"
    assert found(text) == [("a:1", 4)]


def test_what_services_share_counts_once_where_it_stands() -> None:
    text = """
x-name: &name mcr.microsoft.com/dotnet/runtime:8.0
x-base: &base
  image: mcr.microsoft.com/dotnet/aspnet:8.0
x-unused:
  image: unused:1
services:
  a: {<<: *base}
  b: *a-service
  c: {image: *name}
  d: {image: *name}
  e: {<<: [*base], image: "alpine:3.20"}
""".replace("a: {<<: *base}", "a: &a-service {<<: *base}")
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/runtime:8.0", 2),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", 4),
        ("alpine:3.20", 12),
    ]


def test_a_build_in_a_merged_mapping_makes_the_image_an_output() -> None:
    text = "x-b: &b {build: .}\nservices:\n  a:\n    <<: *b\n    image: shop/web:1\n"
    assert found(text) == []


@pytest.mark.parametrize(
    ("written", "reference", "tag"),
    [
        ("${IMAGE:-ubuntu:17.04}", "ubuntu:17.04", "17.04"),
        ("${IMAGE-ubuntu:17.04}", "ubuntu:17.04", "17.04"),
        ("ubuntu:${TAG:-17.04}", "ubuntu:17.04", "17.04"),
        ("${REGISTRY:-}ubuntu:17.04", "ubuntu:17.04", "17.04"),
        ("${A:-${B:-ubuntu}}:${C:-${D-17.04}}", "ubuntu:17.04", "17.04"),
        ("ubuntu:17.04${SUFFIX:+-slim}", "ubuntu:17.04", "17.04"),
        ('"${REGISTRY:-mcr.microsoft.com}/dotnet/sdk:8.0"', "mcr.microsoft.com/dotnet/sdk:8.0", "8.0"),
    ],
)
def test_a_variables_default_is_what_is_used_and_what_is_edited(written: str, reference: str, tag: str) -> None:
    text = f"services:\n  a:\n    image: {written}\n"
    (usage,) = find(text).usages
    assert str(usage.reference) == reference
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == tag


def test_a_tag_from_two_variables_is_told_piece_by_piece() -> None:
    text = "services:\n  a:\n    image: sdk:${MAJOR:-8}.${MINOR:-0}\n"
    (usage,) = find(text).usages
    assert str(usage.reference) == "sdk:8.0"
    assert usage.tag_span is None
    assert [piece.span.of(text) for piece in usage.pieces] == ["sdk:", "8", ".", "0", ""]


@pytest.mark.parametrize(
    "written",
    ["ubuntu:${TAG}", "ubuntu:$TAG", "${IMAGE}", "ubuntu:${TAG:?set it}", "a:${A:-${B}}", "${", "${}:1", "a:${b"],
)
def test_a_variable_without_default_is_a_problem_on_its_line(written: str) -> None:
    findings = find(f"services:\n  a:\n    image: '{written}'\n")
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [3]


def test_what_is_no_reference_is_a_problem() -> None:
    (problem,) = find("services:\n  a:\n    image: 'Not An Image'\n").problems
    assert problem.message == "'Not An Image' is no image reference; correct it"


def test_image_contexts_are_usages_in_both_forms() -> None:
    text = """
services:
  a:
    build:
      additional_contexts:
        base: docker-image://alpine:3.13
        other: service:b
        files: ../files
      x-bake:
        contexts:
          tools: docker-image://alpine:3.14
  b:
    build:
      additional_contexts:
        - base=docker-image://alpine:${TAG:-3.15}
        - files=./x
"""
    assert found(text) == [("alpine:3.13", 6), ("alpine:3.14", 11), ("alpine:3.15", 15)]
    assert {usage.role for usage in find(text).usages} == {Role.CONTEXT}


def test_build_arguments_count_where_they_are_plainly_images() -> None:
    text = f"""
services:
  a:
    build:
      args:
        BASE: mcr.microsoft.com/dotnet/sdk:8.0
        PINNED: alpine:3.20@{DIGEST}
        TAG: 3.20@{DIGEST}
        VERSION: 8.0
        HOST: redis:6379
        URL: https://example.com/x:1
        FROM_ENVIRONMENT:
  b:
    build:
      args: ["BASE=${{BASE:-localhost:5000/sdk:9.0}}", "EMPTY=", ENVIRONMENT]
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/sdk:8.0", 6),
        (f"alpine:3.20@{DIGEST}", 7),
        ("localhost:5000/sdk:9.0", 15),
    ]
    assert {usage.role for usage in find(text).usages} == {Role.BUILD_ARGUMENT}


def test_inline_dockerfiles_are_read_with_places_in_the_file() -> None:
    text = """
services:
  a:
    build:
      dockerfile_inline: |
        FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
        FROM mcr.microsoft.com/dotnet/aspnet:8.0
        COPY --from=build /app /app
  b:
    build:
      dockerfile_inline: "FROM alpine:3.20\\nRUN true"
"""
    assert found(text) == [
        ("mcr.microsoft.com/dotnet/sdk:8.0", 6),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", 7),
        ("alpine:3.20", 11),
    ]
    assert [usage.role for usage in find(text).usages] == [Role.BUILD_STAGE, Role.FINAL_STAGE, Role.FINAL_STAGE]


def test_build_arguments_take_the_place_of_an_inline_dockerfiles_defaults() -> None:
    text = """
services:
  a:
    build:
      args:
        VERSION: "3.21"
      dockerfile_inline: |
        ARG NAME=alpine VERSION=latest
        FROM $${NAME}:$${VERSION}
"""
    assert found(text) == [("alpine:3.21", 6)]


def test_an_arg_without_default_takes_the_builds_value() -> None:
    text = """
services:
  a:
    build:
      args: [BASE=mcr.microsoft.com/dotnet/sdk:8.0]
      dockerfile_inline: |
        ARG BASE
        FROM $$BASE
"""
    assert {reference for reference, _ in found(text)} == {"mcr.microsoft.com/dotnet/sdk:8.0"}


def test_named_contexts_are_no_images_of_an_inline_dockerfile() -> None:
    text = """
services:
  a:
    build:
      additional_contexts: {base: "service:b", "docker.io/library/alpine:latest": "./alpine"}
      dockerfile_inline: |
        FROM base
        FROM alpine
        FROM alpine:3.20
        COPY --from=base / /
"""
    assert found(text) == [("alpine:3.20", 9)]


def test_image_volumes_are_usages() -> None:
    text = """
services:
  a:
    build: .
    volumes:
      - {type: image, source: "contoso/data:1", target: /data}
      - {type: volume, source: "image", target: /x}
      - ./x:/y
"""
    assert found(text) == [("contoso/data:1", 6)]


def test_marks_above_an_inline_instruction_go_above_it() -> None:
    text = """
services:
  a:
    build:
      dockerfile_inline: |
        ARG TAG=3.20
        FROM alpine:$$TAG
"""
    (usage,) = find(text).usages
    assert (usage.line, usage.statement) == (6, 7)


@pytest.mark.parametrize(
    "text",
    ["", "- image: a:1\n", "services: [image]\n", "services: image\n", "services: {a: image, b: {image: []}}\n",
     "services: {a: {image: null}}\n", "image: a:1\n", "services:\n  image:\n"],
)  # fmt: skip
def test_other_shapes_name_nothing(text: str) -> None:
    assert find(text) == Findings()


def test_a_broken_file_is_one_problem() -> None:
    findings = find("services:\n  a:\n    image: [\n")
    assert len(findings.problems) == 1
    assert findings.usages == ()


def hostile(size: int) -> str:
    """Merges that multiply, a long chain of services, and values nested and repeated."""
    laughs = "\n".join(f"  a{n}: &a{n}\n    <<: [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, size * 3))
    chain = "\n".join(f"  c{n}: &c{n} {{<<: *c{n - 1}, extends: c{n - 1}}}" for n in range(1, size * 20))
    head = 'services:\n  a0: &a0 {image: "x:1"}\n  c0: &c0 {image: "x:2"}\n'
    deep = "${A:-" * (size * 200) + "x" + "}" * (size * 200)
    many = "${A}" * (size * 500)
    return f"{head}{laughs}\n{chain}\n  d:\n    image: '{deep}'\n  e:\n    image: '{many}'\n"


def test_hostile_files_end_soon() -> None:
    shared = find(hostile(50))
    assert [str(usage.reference) for usage in shared.usages] == ["x:1", "x:2"]
    assert len(shared.problems) == 2
    assert growth(lambda size: find(hostile(size)), 12) < LINEAR


@given(
    any_text(
        "services:\n",
        "  a:\n",
        "    image: ",
        "    build:\n",
        "      args:\n",
        "      dockerfile_inline: |\n",
        "        FROM ",
        "        ARG A=1\n",
        "      additional_contexts:\n",
        "        x: docker-image://",
        "${A:-",
        "${A}",
        "$$A",
        "x-a: &a\n",
        "*a",
    )
)
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f"services:\n  a:\n    image: {text}")
    find(f"services:\n  a:\n    build:\n      dockerfile_inline: {text}")
