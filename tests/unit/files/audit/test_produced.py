"""What the configuration of a produced image settles, and what it adds by name."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.images.seen_config import SeenConfig, seen_config
from bot.domain.repositories.finding import Finding, Outcome
from bot.files.audit.auditing import judge_repository
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import BY_CHECK
from tests.unit.files.audit.world import NOW, texts

SHOP = "ghcr.io/contoso/shop"
DIGEST = "sha256:" + "a" * 64
UNKNOWN_BASE = {"Dockerfile": "FROM contoso/base:1\n"}


def seen(**config: Any) -> SeenConfig:
    return seen_config(SHOP, DIGEST, json.loads(json.dumps(config)))


def found(check: str, files: dict[str, str], *produced: SeenConfig) -> list[Finding]:
    repository = RepositoryTexts(texts(files), "contoso/shop", produced)
    return list(judge_repository(repository, NOW, rules=[BY_CHECK[check]]).findings)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("1654", Outcome.HOLDS),
        ("app:app", Outcome.HOLDS),
        ("", Outcome.FAILS),
        ("0", Outcome.FAILS),
        ("root", Outcome.FAILS),
    ],
)
def test_the_image_tells_the_user_that_the_files_do_not(user: str, expected: Outcome) -> None:
    [finding] = found("image-user", UNKNOWN_BASE, seen(config={"User": user}))
    assert finding.outcome is expected
    assert SHOP in finding.message


def test_what_the_file_says_counts_more_than_an_image_of_yesterday() -> None:
    [finding] = found("image-user", {"Dockerfile": "FROM debian:13\nUSER 1000\n"}, seen(config={"User": "0"}))
    assert finding.outcome is Outcome.HOLDS


def test_an_entrypoint_that_drops_rights_stays_unknown_where_the_image_starts_as_root() -> None:
    files = {"Dockerfile": 'FROM alpine:3\nENTRYPOINT ["gosu", "app", "/app"]\n'}
    assert found("image-user", files, seen(config={"User": ""}))[0].outcome is Outcome.UNKNOWN
    assert found("image-user", files, seen(config={"User": "1000"}))[0].outcome is Outcome.HOLDS


def test_of_several_images_none_is_taken_for_that_of_a_dockerfile() -> None:
    other = SeenConfig("ghcr.io/contoso/jobs", DIGEST, "1654")
    assert found("image-user", UNKNOWN_BASE, seen(config={"User": "1654"}), other)[0].outcome is Outcome.UNKNOWN


def test_a_service_that_runs_the_produced_image_is_settled_by_its_name() -> None:
    files = {"compose.yaml": f"services:\n  shop:\n    image: {SHOP}:1.0\n"}
    [finding] = found("run-as-non-root", files, seen(config={"User": "1654"}))
    assert finding.outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("tag", "expected"), [("8.0", Outcome.FAILS), ("9.0", Outcome.HOLDS), ("7.0", Outcome.UNKNOWN)]
)
def test_of_tags_with_a_build_each_the_one_that_a_service_names_counts(tag: str, expected: Outcome) -> None:
    built = [replace(seen(config={"User": user}), tag=of) for of, user in (("8.0", "0"), ("9.0", "1654"))]
    files = {"compose.yaml": f"services:\n  shop:\n    image: {SHOP}:{tag}\n"}
    [finding] = found("run-as-non-root", files, *built)
    assert finding.outcome is expected


def test_secrets_in_the_environment_and_the_history_are_found_by_name_alone() -> None:
    produced = seen(
        config={"Env": ["PATH=/bin", "DB_PASSWORD=hunter2"]},
        history=[{"created_by": "|1 NUGET_TOKEN=hunter3 /bin/sh -c dotnet restore"}, {"created_by": "COPY . ."}],
    )
    files = {"Dockerfile": "FROM contoso/base:1\nUSER 1000\n"}
    findings = found("image-secrets", files, produced)
    assert [finding.subject for finding in findings] == ["ARG NUGET_TOKEN", "ENV DB_PASSWORD"]
    assert all(finding.outcome is Outcome.FAILS for finding in findings)
    assert "hunter" not in repr(findings)
    assert "hunter" not in repr(produced)


@pytest.mark.parametrize(
    "document",
    [{}, {"config": None}, {"config": [], "history": "x"}, {"config": {"User": 5, "Env": {}}, "history": [1, {}]}],
)
def test_a_configuration_of_another_shape_tells_nothing(document: dict[str, Any]) -> None:
    assert seen_config(SHOP, DIGEST, document) == SeenConfig(SHOP, DIGEST)


def test_buildkit_writes_run_before_its_arguments() -> None:
    document = {"history": [{"created_by": "RUN |2 A_TOKEN=x B=y /bin/sh -c make # buildkit"}]}
    assert seen_config(SHOP, DIGEST, document).arguments == ("A_TOKEN", "B")
