"""Onboarding over repositories of different shapes: applied, zizmor and our own audit find nothing new."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import audit
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from sandbox.fleets.bare_repository import bare_files
from tests.unit.files.audit.world import NOW, PUSH, deployment, texts, workflow

CI, RELEASE = ".github/workflows/ci.yml", ".github/workflows/release.yml"
SCAN = "- uses: aquasecurity/trivy-action@0.33.1\n  with: {image-ref: 'ghcr.io/contoso/api:8', "
SCAN += "format: sarif, output: t.sarif}\n"
UPLOAD = "- uses: github/codeql-action/upload-sarif@v3\n  with: {sarif_file: t.sarif}\n"
CALLED = workflow(PUSH, "workflow_call: {inputs: {env: {type: string, default: dev}}}")
DEPLOY = """
  production:
    needs: build
    runs-on: ubuntu-latest
    environment: ${{ inputs.env }}
    steps:
      - run: helm upgrade --install shop charts/shop --namespace production
  app:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: az containerapp update --name api-prod --image ghcr.io/contoso/api:8
"""
SEVERAL = {
    f"deploy/{name}.yaml": deployment().replace("name: api", f"name: {name}") for name in ("api", "web", "job")
}
SHAPES: dict[str, Mapping[str, str]] = {
    "one service": {path: text.decode() for path, text in bare_files().items()},
    "a monorepo": {
        **{f".github/workflows/{name}.yml": workflow(PUSH, "push: {branches: [main]}") for name in ("api", "web")},
        "src/api/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0.11\nUSER root\n",
        "src/web/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:9.0.1-alpine\nENV DB_PASSWORD=abcdefgh\n",
        **SEVERAL,
    },
    "releases alone": {RELEASE: workflow(PUSH, "push: {tags: ['v*']}\nworkflow_dispatch:")},
    "a report that is read": {CI: workflow(PUSH + SCAN + UPLOAD), "Dockerfile": "FROM debian:13\n"},
    "short forms": {CI: workflow(PUSH).replace("on:\n  push: {branches: [main]}\n", "on: [push, pull_request]\n")},
    "a called workflow": {
        ".github/workflows/build.yml": CALLED,
        CI: "on: push\njobs:\n  build: {uses: ./.github/workflows/build.yml, with: {env: production}}\n",
    },
    "deployments": {CI: workflow(PUSH).rstrip() + DEPLOY, **SEVERAL},
    "a matrix": {
        CI: workflow(
            PUSH.replace("ghcr.io/contoso/api:8", "ghcr.io/contoso/${{ matrix.image }}:8"),
            job="strategy: {matrix: {image: [api, web]}}",
        )
    },
    "kustomize": {
        "base/kustomization.yaml": "resources: [api.yaml]\n",
        "base/api.yaml": deployment("securityContext: {runAsNonRoot: true}"),
        "overlays/prod/kustomization.yaml": "resources: [../../base]\n",
        "clusters/shop.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\n",
    },
    "a chart": {
        "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "charts/shop/values.yaml": "image: contoso/shop\nsecurityContext: {}\n",
        "charts/shop/templates/shop.yaml": deployment(
            "securityContext: {{- toYaml .Values.securityContext | nindent 12 }}", image="{{ .Values.image }}"
        ),
    },
    "Compose": {
        "compose.yaml": "services:\n  api: {build: ., environment: [DB_PASSWORD=x]}\n  db: {image: postgres}\n"
    },
}
COMMITS = {
    ActionTag("docker/login-action", "v3"): ActionCommit("a" * 40, "v3.6.0"),
    ActionTag("docker/setup-buildx-action", "v3"): ActionCommit("b" * 40, "v3.11.1"),
    ActionTag("docker/build-push-action", "v6"): ActionCommit("c" * 40, "v6.18.0"),
    ActionTag("aquasecurity/trivy-action", "0.33.1"): ActionCommit("d" * 40, "0.33.1"),
}


@cache
def brought(shape: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """A repository before, and once all that onboarding proposes was merged, one pull request after the other."""
    before = after = texts(SHAPES[shape])
    for _ in range(5):
        proposal = propose(after, "contoso/shop", (), WantedProposal(commits=COMMITS), NOW)
        if not proposal.commits:
            break
        after = {**after, **proposal.files}
    return before, after


def bad(files: Mapping[str, bytes]) -> Counter[tuple[str, str]]:
    """How many findings of each check fail or are unknown, by file."""
    found = audit(files, NOW, name="contoso/shop")
    return Counter(
        (each.check, each.place.path) for each in found if each.outcome in {Outcome.FAILS, Outcome.UNKNOWN}
    )


def zizmor(folder: Path, files: Mapping[str, bytes]) -> Counter[tuple[str, str]]:
    """How often zizmor finds what, by file, without asking the network."""
    beside = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    if beside is None:
        pytest.skip("zizmor is missing: `make set-up` brings it")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    words = [beside, "--offline", "--no-exit-codes", "--format", "json", "--persona", "auditor", "."]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return Counter(
        (each["ident"], each["locations"][0]["symbolic"]["key"]["Local"]["verbatim_path"].removeprefix("./"))
        for each in json.loads(done.stdout)
    )


HAS_WORKFLOWS = [shape for shape, files in SHAPES.items() if any(path.startswith(".github/w") for path in files)]


@pytest.mark.parametrize("shape", SHAPES)
def test_our_own_audit_finds_nothing_new_in_what_onboarding_brought(shape: str) -> None:
    before, after = brought(shape)
    assert bad(after) <= bad(before)


@pytest.mark.parametrize("shape", HAS_WORKFLOWS)
def test_zizmor_finds_nothing_new_in_what_onboarding_brought(shape: str, tmp_path: Path) -> None:
    before, after = brought(shape)
    new = zizmor(tmp_path / "after", after) - zizmor(tmp_path / "before", before)
    assert {(check, path) for check, path in new} == set()


@pytest.mark.parametrize("shape", SHAPES)
def test_onboarding_comes_to_an_end(shape: str) -> None:
    _, after = brought(shape)
    assert propose(after, "contoso/shop", (), WantedProposal(commits=COMMITS), NOW).commits == ()


def test_something_is_brought_to_most_shapes() -> None:
    changed = [shape for shape in SHAPES if brought(shape)[0] != brought(shape)[1]]
    assert len(changed) >= len(SHAPES) - 3
