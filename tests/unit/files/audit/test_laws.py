"""What holds of the audit whatever the texts are."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.finding import Finding, Outcome, with_fingerprints
from bot.files.audit.auditing import audit
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.rules import RULES
from bot.files.audit.shell import Stops, shell_commands
from bot.files.audit.splicing.keys import with_edits
from bot.files.audit.verdict import Verdict
from bot.files.audit.workflows.expressions import evaluated, filled, truth
from bot.files.formats.source.yaml import read
from tests.growth import LINEAR, growth
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

TRIVY = """
- uses: aquasecurity/trivy-action@v1
  with:
    image-ref: ghcr.io/contoso/api:8
    format: sarif
- uses: github/codeql-action/upload-sarif@v4
"""
WORLD = texts(
    {
        BUILD: workflow(PUSH.replace("tags:", "cache-from: type=gha\n    tags:") + TRIVY),
        DEPLOYMENT: deployment("securityContext:\n  runAsUser: 0"),
        "deploy/web.yaml": deployment(),
        "base/kustomization.yaml": "resources: [api.yaml]",
        "base/api.yaml": deployment(),
        "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]",
        "prod/p.yaml": deployment("securityContext: {privileged: true}"),
        "chart/Chart.yaml": "name: api\n",
        "chart/values.yaml": "securityContext: {privileged: true}\n",
        "chart/templates/a.yaml": "kind: Pod\nspec:\n  containers:\n    - image: {{ .Values.i }}\n",
        "compose.yaml": "services: {api: {build: ., environment: {DB_PASSWORD: x}}}",
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0.11 AS base\nENV TOKEN=abcdefgh\nFROM base\n",
        "global.json": '{"sdk": {"version": "8.0.404"}}',
        ".github/freshness.yaml": "ignore: [{check: read-only-root, reason: x}]",
    }
)


def test_another_order_of_files_gives_the_same_findings() -> None:
    expected = audit(WORLD, NOW)
    assert len({finding.check for finding in expected}) > 20
    for seed in range(5):
        paths = list(WORLD)
        random.Random(seed).shuffle(paths)
        assert audit({path: WORLD[path] for path in paths}, NOW) == expected


def test_no_rule_breaks_on_the_world() -> None:
    assert [finding for finding in audit(WORLD, NOW) if "could not be judged" in finding.message] == []


def test_a_rule_that_breaks_is_an_unknown_of_that_rule() -> None:
    def broken(repository: RepositoryTexts) -> list[Verdict]:
        raise RuntimeError

    rule: Rule = replace(RULES[0], judge=broken)
    (found,) = audit(WORLD, NOW, rules=[rule])
    assert (found.check, found.outcome) == (RULES[0].check, Outcome.UNKNOWN)
    assert "RuntimeError" in found.message


def _damaged(draw: st.DrawFn) -> dict[str, bytes]:
    """The world with pieces of its texts removed, doubled, or replaced by other bytes."""
    files = dict(WORLD)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(sorted(files)))
        data = files[path]
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 60)))
        piece = draw(
            st.sampled_from(
                [b"", data[start:end] * 2, b"{{", b": [", b"&a *a", b"\xff", b"${{ ", b"'", b"\t", b"\0"]
            )
        )
        files[path] = data[:start] + piece + data[end:]
    return files


@given(st.composite(_damaged)())
def test_no_text_breaks_a_rule(files: dict[str, bytes]) -> None:
    assert [finding for finding in audit(files, NOW) if "could not be judged" in finding.message] == []


@given(st.text(max_size=200))
def test_no_expression_raises(text: str) -> None:
    evaluated(text, {"inputs.a": "${{ inputs.a }}"})
    filled(f"${{{{ {text} }}}}", {})
    truth(text, {})


@given(st.text(alphabet="trivy image|&;(){}$\"'\n\\<#!=- x", max_size=120))
def test_no_script_raises(text: str) -> None:
    shell_commands(f"trivy image x {text}", {})


@pytest.mark.parametrize("piece", ["set -e\n", "trivy image a\n", "trivy image a && ", "# x\n"])
def test_what_becomes_of_failures_is_told_in_time_in_proportion(piece: str) -> None:
    def told(size: int) -> None:
        shell_commands(f"trivy image x\nset +e\n{piece * (size // len(piece))}true {size}", {}, Stops.LAST)

    told(8)
    assert growth(told, 4_000) < LINEAR


def fixes() -> list[Finding]:
    found = audit(WORLD, NOW)
    return [finding for finding in found if finding.fix is not None and finding.fix.edits]


def test_there_are_fixes_for_several_checks() -> None:
    assert {finding.check for finding in fixes()} >= {
        "no-privilege-escalation",
        "seccomp-profile",
        "scan-blocks",
        "sbom",
        "fresh-layers",
        "base-pinned",
        "weekly-rebuild",
        "dispatchable",
    }


@pytest.mark.parametrize("finding", fixes(), ids=lambda each: f"{each.check} {each.place.path}")
def test_a_fix_makes_its_check_hold_and_brings_no_new_finding(finding: Finding) -> None:
    assert finding.fix is not None
    after = with_edits(WORLD, finding.fix.edits)
    found = audit(after, NOW)
    names = {name for _, name in with_fingerprints(audit(WORLD, NOW))}
    same = [each for each in found if (each.check, each.place.path) == (finding.check, finding.place.path)]
    assert finding.subject not in [each.subject for each in same if each.outcome is Outcome.FAILS]
    assert any(each.outcome is Outcome.HOLDS for each in same)
    new = [each for each, name in with_fingerprints(found) if name not in names and each.outcome is Outcome.FAILS]
    assert new == []


@pytest.mark.parametrize("finding", fixes(), ids=lambda each: f"{each.check} {each.place.path}")
def test_a_fix_keeps_all_other_bytes(finding: Finding) -> None:
    assert finding.fix is not None
    after = with_edits(WORLD, finding.fix.edits)
    changed = [path for path in WORLD if after[path] != WORLD[path]]
    assert changed == [finding.fix.edits[0].path]
    (path,) = changed
    old, new = WORLD[path].splitlines(True), after[path].splitlines(True)
    kept = [line for line in new if line in old]
    assert len(old) - len([line for line in old if line in new]) <= 1
    assert len(new) - len(kept) <= 6
    if path.endswith((".yml", ".yaml")):
        read(after[path].decode())


@pytest.mark.parametrize(
    "text",
    [
        "# Code generated by a tool. DO NOT EDIT.\n" + deployment(),
        deployment().replace("- name: api", "- &api\n          name: api"),
        deployment().replace("spec:", "spec: # {{- tpl }}", 1),
        deployment().replace("image: ", "image:\t"),
    ],
)
def test_texts_that_say_more_than_they_show_are_left_alone(text: str) -> None:
    found = audit({DEPLOYMENT: text.encode()}, NOW)
    assert [each for each in found if each.fix is not None and each.fix.edits] == []


def test_carriage_returns_are_kept() -> None:
    files = {DEPLOYMENT: deployment().replace("\n", "\r\n").encode()}
    (finding,) = [each for each in audit(files, NOW) if each.check == "no-privilege-escalation"]
    assert finding.fix is not None
    after = with_edits(files, finding.fix.edits)[DEPLOYMENT]
    assert after.count(b"\n") == after.count(b"\r\n")
    assert b"securityContext:\r\n            allowPrivilegeEscalation: false\r\n" in after


def test_a_fingerprint_survives_moved_lines() -> None:
    moved = {path: (b"# a comment\n" + data if path == DEPLOYMENT else data) for path, data in WORLD.items()}
    before = {name for each, name in with_fingerprints(audit(WORLD, NOW)) if each.place.path == DEPLOYMENT}
    after = {name for each, name in with_fingerprints(audit(moved, NOW)) if each.place.path == DEPLOYMENT}
    assert before == after
