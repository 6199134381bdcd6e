"""Waivers: entries of the configuration and comments, until their day."""

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.files.formats.repository_config import PATH, parse
from tests.unit.files.audit.world import DEPLOYMENT, NOW, deployment, findings

CHECK = "drop-all-capabilities"


def judged(config: str = "", text: str = "", unwaivable: tuple[str, ...] = ()) -> Finding:
    files = {DEPLOYMENT: text or deployment()} | ({PATH: config} if config else {})
    (found,) = findings(CHECK, files, unwaivable)
    return found


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (f"check: {CHECK}, reason: it forwards ports", Outcome.WAIVED),
        (f"check: {CHECK}, path: 'deploy/*', reason: x", Outcome.WAIVED),
        (f"check: {CHECK}, path: 'other/*', reason: x", Outcome.FAILS),
        (f"check: {CHECK}, until: 2026-11-25, reason: x", Outcome.WAIVED),
        (f"check: {CHECK}, until: 2026-11-24, reason: x", Outcome.FAILS),
        ("check: seccomp-profile, reason: x", Outcome.FAILS),
        ("path: 'deploy/*', reason: no check is named", Outcome.FAILS),
    ],
)
def test_an_entry_of_the_configuration(entry: str, expected: Outcome) -> None:
    assert judged(f"ignore: [{{{entry}}}]").outcome is expected


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (f"# freshness: ignore[{CHECK}] until=2027-01-31 it forwards ports", Outcome.WAIVED),
        (f"# freshness: ignore[{CHECK}] it forwards ports", Outcome.WAIVED),
        (f"# freshness: ignore[seccomp-profile, {CHECK}] both", Outcome.WAIVED),
        (f"# freshness: ignore[{CHECK}] until=2026-01-31 it forwards ports", Outcome.FAILS),
        (f"# freshness: ignore[{CHECK}] until=soon it forwards ports", Outcome.FAILS),
        ("# freshness: ignore[seccomp-profile] x", Outcome.FAILS),
    ],
)
def test_a_comment_above_or_within(comment: str, expected: Outcome) -> None:
    above = deployment().replace("        - name: api", f"        {comment}\n        - name: api")
    within = deployment(image=f"contoso/api:1.0 {comment}")
    assert judged(text=above).outcome is expected
    assert judged(text=within).outcome is expected


def test_a_comment_elsewhere_waives_nothing() -> None:
    text = f"# freshness: ignore[{CHECK}] too far up\n" + deployment()
    assert judged(text=text).outcome is Outcome.FAILS


def test_the_reason_and_the_end_are_told() -> None:
    found = judged(f"ignore: [{{check: {CHECK}, until: 2027-01-31, reason: it forwards ports}}]")
    assert found.message == "no capabilities are dropped (waived until 2027-01-31: it forwards ports)"


def test_a_waiver_that_ended_says_so() -> None:
    text = deployment().replace("- name: api", f"- name: api # freshness: ignore[{CHECK}] until=2026-01-31 x")
    assert "a waiver ended on 2026-01-31" in judged(text=text).message


def test_the_operator_may_forbid_a_waiver() -> None:
    found = judged(f"ignore: [{{check: {CHECK}, reason: x}}]", unwaivable=(CHECK,))
    assert found.outcome is Outcome.FAILS
    assert "which the operator forbids" in found.message


def test_what_holds_is_never_waived() -> None:
    text = deployment("securityContext: {capabilities: {drop: [ALL]}}")
    assert judged(f"ignore: [{{check: {CHECK}, reason: x}}]", text).outcome is Outcome.HOLDS


def config_of(text: str) -> RepositoryConfig:
    config, problems = parse(text, NOW)
    assert problems == ()
    return config


def test_a_waiver_keeps_no_rebuild_back() -> None:
    config = config_of("ignore: [{check: seccomp-profile, path: '*', reason: x}]")
    assert config.ignored_by("Dockerfile", "mcr.microsoft.com/dotnet/aspnet:8.0", NOW.date()) is None


def test_an_entry_without_a_check_keeps_rebuilds_back_as_before() -> None:
    config = config_of("ignore: [{path: '*', reason: x}]")
    assert config.ignored_by("Dockerfile", "mcr.microsoft.com/dotnet/aspnet:8.0", NOW.date()) is not None
    assert config.waived == ()


def test_annotations_for_other_tools_are_evidence_only() -> None:
    annotations = "  annotations: {ignore-check.kube-linter.io/drop-net-raw-capability: it forwards ports}\n"
    found = judged(text=deployment().replace("  name: api\n", f"  name: api\n{annotations}", 1))
    assert found.outcome is Outcome.FAILS
    assert "1 annotation for kube-linter" in found.message
