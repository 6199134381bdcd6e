"""A base's advice names tags that its publisher has, and nothing where those are not known."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import findings, outcome

FAILS, UNKNOWN, HOLDS = Outcome.FAILS, Outcome.UNKNOWN, Outcome.HOLDS


def advice(image: str) -> str:
    (found,) = findings("base-pinned", {"Dockerfile": f"FROM {image}\n"})
    assert found.outcome is FAILS
    assert found.fix is not None
    return found.fix.advice


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("eclipse-temurin:25.0.1_8-jre-noble", "25-jre-noble"),
        ("eclipse-temurin:8u462-b08-jdk", "8-jdk"),
        ("eclipse-temurin:21.0.9_10-jre@sha256:" + "a" * 64, "21-jre"),
        ("amazoncorretto:21.0.9-al2023", "21-al2023"),
        ("ibm-semeru-runtimes:open-21.0.9_10-jre-noble", "open-21-jre-noble"),
        ("maven:3.9.9-eclipse-temurin-21", "3.9-eclipse-temurin-21"),
        ("docker:29.1.2-dind", "29.1-dind"),
        ("debian:trixie-20261110-slim", "trixie-slim"),
        ("ubuntu:noble-20261110", "noble"),
        ("amazonlinux:2023.9.20261110.0-minimal", "2023-minimal"),
        ("mcr.microsoft.com/azurelinux/base/core:3.0.20261110", "3.0"),
    ],
)
def test_the_tag_that_gets_fixes_is_one_that_there_is(image: str, tag: str) -> None:
    assert advice(image) == f"write {tag} instead"


@pytest.mark.parametrize(
    "image",
    [
        "elasticsearch:9.2.1",
        "open-liberty:25.0.0.12-full-java21-openj9",
        "contoso/golden:1.20.1-erlang-28.4-debian-trixie-20261110-slim",
        "contoso/golden:20261110",
        "alpine:20261110",
    ],
)
def test_a_patch_or_a_day_of_a_publisher_without_a_known_tag_beside_it_is_unknown(image: str) -> None:
    assert outcome("base-pinned", {"Dockerfile": f"FROM {image}\n"}) is UNKNOWN


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("eclipse-temurin:21-jre", HOLDS),
        ("eclipse-temurin:21", HOLDS),
        ("eclipse-temurin:latest", FAILS),
        ("gcr.io/distroless/static-debian13", HOLDS),
        ("gcr.io/distroless/cc-debian13:latest", HOLDS),
        ("gcr.io/distroless/static:nonroot", HOLDS),
        ("gcr.io/distroless/static", FAILS),
        ("registry.access.redhat.com/ubi9/ubi-minimal:latest", HOLDS),
        ("registry.access.redhat.com/rhel", FAILS),
        ("docker.io/redhat/ubi10-micro", HOLDS),
        ("contoso/ubi9", FAILS),
    ],
)
def test_the_name_of_a_repository_may_tell_the_version(image: str, expected: Outcome) -> None:
    assert outcome("base-pinned", {"Dockerfile": f"FROM {image}\n"}) is expected


@pytest.mark.parametrize(
    ("image", "part"),
    [
        ("cgr.dev/chainguard/static:latest", "by digest"),
        ("cgr.dev/chainguard/dotnet-runtime:latest-dev", "by digest"),
        ("gcr.io/distroless/base", "names its Debian"),
        ("debian", "the release"),
        ("node:alpine", "write the minor version before it"),
        ("r.example/shop/builder:alpine", "write a version before it"),
        ("mcr.microsoft.com/dotnet/aspnet:latest", "the minor version that the program targets"),
        ("node:latest", "write its minor version"),
        ("alpine:latest", "write its minor version"),
        ("r.example/shop/base:latest", "where its publisher has a tag for that"),
        ("r.example/shop/base:9.8-1779374378", "where there is such a tag"),
        ("registry.access.redhat.com/ubi9:9.8-1779374378", "leave the build's number out"),
    ],
)
def test_what_to_write_is_said_in_the_publisher_s_terms(image: str, part: str) -> None:
    assert part in advice(image)


@pytest.mark.parametrize("image", ["python:3.11.0rc2-bullseye", "golang:1.26.0-rc1", "php:8.5.0beta2-cli"])
def test_no_tag_of_a_version_is_named_that_may_not_be_released_yet(image: str) -> None:
    assert advice(image) == "write the minor version once it is released, or the last one that is"


@pytest.mark.parametrize(
    ("image", "tag"), [("golang:1.26.1-bookworm", "1.26-bookworm"), ("python:3.13.1-alpine3.22", "3.13-alpine3.22")]
)
def test_a_variant_is_no_preview(image: str, tag: str) -> None:
    assert advice(image) == f"write {tag} instead"


@pytest.mark.parametrize("tag", ["stable-20231120", "stable-20231120-slim", "unstable-20231120@sha256:" + "a" * 64])
def test_a_moving_tag_of_one_day_is_of_that_day(tag: str) -> None:
    (found,) = findings("base-pinned", {"Dockerfile": f"FROM debian:{tag}\n"})
    assert (found.outcome, "is of one day" in found.message) == (FAILS, True)


@pytest.mark.parametrize(
    ("word", "settled_by"),
    [("{VERSION}-alpine", "a name that is written out"), ("$VERSION-$KIND", "defaults for its ARGs")],
)
def test_what_a_program_fills_in_is_settled_by_no_argument(word: str, settled_by: str) -> None:
    files = {"Dockerfile": f"FROM mcr.microsoft.com/dotnet/aspnet:{word}\nRUN true\n"}
    for check in ("base-pinned", "image-user"):
        assert [each.settled_by for each in findings(check, files)] == [settled_by]
