"""devcontainer.json."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.devcontainer import finder as devcontainer
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim


def find(text: str) -> Findings:
    findings = devcontainer.find(".devcontainer/devcontainer.json", text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str) -> list[tuple[str, Role, int]]:
    findings = find(text)
    assert findings.problems == ()
    return [(str(usage.reference), usage.role, usage.line) for usage in findings.usages]


def test_the_image_and_the_features_of_registries_count() -> None:
    text = """// our container
{
    "image": "mcr.microsoft.com/devcontainers/dotnet:9.0", // "image": "other:1"
    "features": {
        "ghcr.io/devcontainers/features/git:1": {},
        "ghcr.io/devcontainers/features/node": {"version": "22"},
        "./local": {},
        "https://example.com/feature.tgz": {},
        "contoso/features/old": {},
    },
}
"""
    assert found(text) == [
        ("mcr.microsoft.com/devcontainers/dotnet:9.0", Role.IMAGE, 3),
        ("ghcr.io/devcontainers/features/git:1", Role.FEATURE, 5),
        ("ghcr.io/devcontainers/features/node", Role.FEATURE, 6),
    ]


def test_build_arguments_count_where_they_are_plainly_images() -> None:
    text = """{"build": {"dockerfile": "Dockerfile", "args": {
        "BASE": "mcr.microsoft.com/dotnet/sdk:9.0", "VARIANT": "16-bullseye", "N": 1}}}"""
    assert found(text) == [("mcr.microsoft.com/dotnet/sdk:9.0", Role.BUILD_ARGUMENT, 2)]


def test_a_compose_file_is_read_where_it_stands() -> None:
    assert found('{"dockerComposeFile": "compose.yml", "service": "app", "features": {}}') == []


def test_a_local_variables_default_is_used() -> None:
    text = '{"image": "mcr.microsoft.com/devcontainers/dotnet:${localEnv:TAG:9.0}"}'
    (usage,) = find(text).usages
    assert str(usage.reference) == "mcr.microsoft.com/devcontainers/dotnet:9.0"
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == "9.0"


def test_a_default_ends_at_the_next_colon() -> None:
    assert found('{"image": "${localEnv:IMAGE:ubuntu:22.04}"}') == [("ubuntu", Role.IMAGE, 1)]


def test_a_digest_goes_behind_a_variable() -> None:
    text = '{"image": "ubuntu:${localEnv:TAG:22.04}"}'
    (usage,) = find(text).usages
    assert usage.pieces[-1].span.start == text.index('"}')


@pytest.mark.parametrize("image", ["a:${localEnv:TAG}", "Not An Image", "a:b:c"])
def test_an_image_that_cannot_be_known_is_a_problem(image: str) -> None:
    findings = find(f'{{\n  "image": "{image}"\n}}')
    assert findings.usages == ()
    assert [problem.line for problem in findings.problems] == [2]


def test_an_escaped_reference_is_found_but_not_edited_as_one() -> None:
    text = '{"image": "mcr.microsoft.com\\/dotnet\\/sdk:9.0"}'
    (usage,) = find(text).usages
    assert str(usage.reference) == "mcr.microsoft.com/dotnet/sdk:9.0"
    assert usage.name_span is None
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == "9.0"


@pytest.mark.parametrize("text", ["", "[]", '["image"]', '{"image": 1}', '{"image": null}', '{"image": ["a:1"]}'])
def test_other_shapes_name_nothing(text: str) -> None:
    assert find(text) == Findings()


def test_a_broken_file_is_one_problem() -> None:
    findings = find('{\n"image": "a:1",\n')
    assert findings.usages == ()
    assert len(findings.problems) == 1


@given(any_text('"image": ', '"a:1"', '"features": {', '"build": {', '"args": {', "// c\n", '"${localEnv:A:', "}"))
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(f'{{"image": {text}}}')
    find(f'{{"image": "{text}"}}')
