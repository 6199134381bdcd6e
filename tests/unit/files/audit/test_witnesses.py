"""zizmor and hadolint judge some of the same, and agree; kubernetes-validate takes spliced manifests."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.domain.repositories.finding import Outcome
from bot.files.audit.auditing import audit
from bot.files.audit.onboarding import weekly_workflow
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.audit.splicing.keys import with_edits
from sandbox.fleets.bare_repository import bare_files
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, outcomes, texts, workflow

BIN = Path(sys.executable).parent


def program(name: str) -> str:
    found = shutil.which(name, path=str(BIN)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing: `make set-up` brings it")
    return found


def zizmor(folder: Path, files: dict[str, str]) -> set[str]:
    """The names of what zizmor finds, without asking the network."""
    for path, text in texts(files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    words = [program("zizmor"), "--offline", "--no-exit-codes", "--format", "json", "--persona", "pedantic", "."]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return {finding["ident"] for finding in json.loads(done.stdout)}


def hadolint(text: str) -> set[str]:
    """The codes of what hadolint finds."""
    words = [program("hadolint"), "--no-fail", "--format", "json", "-"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
    return {finding["code"] for finding in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ("docker/login-action@v3", True),
        ("docker/login-action@main", True),
        (f"docker/login-action@{'a' * 40}", False),
    ],
)
def test_zizmor_agrees_on_pins_of_actions(tmp_path: Path, uses: str, expected: bool) -> None:
    files = {BUILD: workflow(f"- uses: {uses}\n- run: docker info\n")}
    assert ("unpinned-uses" in zizmor(tmp_path, files)) is expected
    assert (outcomes("actions-pinned", files) == [Outcome.FAILS]) is expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [("debian", True), ("debian:latest", True), ("debian:13", False), (f"debian:13@sha256:{'a' * 64}", False)],
)
def test_hadolint_agrees_on_pins_of_bases(image: str, expected: bool) -> None:
    text = f"FROM {image}\n"
    assert bool(hadolint(text) & {"DL3006", "DL3007"}) is expected
    assert (outcomes("base-pinned", {"Dockerfile": text}) == [Outcome.FAILS]) is expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [("USER root\n", True), ("USER 1654\nUSER root\n", True), ("USER root\nUSER 1654\n", False)],
)
def test_hadolint_agrees_on_the_last_user(user: str, expected: bool) -> None:
    text = f"FROM debian:13\n{user}"
    assert ("DL3002" in hadolint(text)) is expected
    assert (outcomes("image-user", {"Dockerfile": text}) == [Outcome.FAILS]) is expected


def test_zizmor_finds_nothing_new_after_our_fixes(tmp_path: Path) -> None:
    steps = "- uses: aquasecurity/trivy-action@v1\n  with:\n    image-ref: ghcr.io/contoso/api:8\n"
    files = texts({BUILD: workflow(PUSH + steps)})
    before = zizmor(tmp_path / "before", {path: text.decode() for path, text in files.items()})
    for check in ("sbom", "scan-blocks", "weekly-rebuild", "dispatchable"):
        (finding,) = [each for each in audit(files, NOW) if each.check == check]
        assert finding.fix is not None
        assert finding.fix.edits
        files = with_edits(files, finding.fix.edits)
    after = zizmor(tmp_path / "after", {path: text.decode() for path, text in files.items()})
    assert after <= before


def test_spliced_manifests_are_valid(tmp_path: Path) -> None:
    files = texts(
        {DEPLOYMENT: deployment().replace("spec:\n", "spec:\n  selector: {matchLabels: {app: api}}\n", 1)}
    )
    for check in ("no-privilege-escalation", "seccomp-profile"):
        (finding,) = [each for each in audit(files, NOW) if each.check == check]
        assert finding.fix is not None
        files = with_edits(files, finding.fix.edits)
    path = tmp_path / "api.yaml"
    path.write_bytes(files[DEPLOYMENT])
    done = subprocess.run(
        [program("kubernetes-validate"), "--strict", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing_new_in_what_onboarding_proposes(tmp_path: Path) -> None:
    files = bare_files()
    other = ".github/workflows/worker.yml"
    dispatchable = files[BUILD].replace(
        b"on:\n", b"on:\n  workflow_dispatch: {inputs: {correlation: {type: string}}}\n"
    )
    for texts_before in (files, {**files, BUILD: dispatchable, other: dispatchable}):
        after = {**texts_before, **propose(texts_before, "contoso/shop", (), WantedProposal(), NOW).files}
        folder = tmp_path / str(len(texts_before))
        before = zizmor(folder / "before", {path: text.decode() for path, text in texts_before.items()})
        assert zizmor(folder / "after", {path: text.decode() for path, text in after.items()}) <= before
    assert weekly_workflow.PATH in after


def test_zizmor_finds_nothing_new_in_the_workflow_that_builds_the_newest_release_anew(tmp_path: Path) -> None:
    path = ".github/workflows/release.yml"
    for triggers in ("push: {tags: ['v*']}", "release: {types: [published]}"):
        before = {path: workflow(PUSH, f"{triggers}\nworkflow_dispatch:")}
        added = propose(texts(before), "contoso/shop", (), WantedProposal(["weekly-rebuild"]), NOW).files
        after = {**before, **{name: text.decode() for name, text in added.items()}}
        assert len(after) == 2
        folder = tmp_path / triggers[:4]
        assert zizmor(folder / "after", after) <= zizmor(folder / "before", before)


@pytest.mark.parametrize(
    ("pattern", "newest"),
    [
        ("v*", "v2.10.0"),
        ("v[0-9]+.[0-9]+.[0-9]+", "v2.10.0"),
        ("v1.*", "v1.12.0"),
        ("[0-9]+.[0-9]+.[0-9]+", "7.0.0"),
    ],
)
def test_bash_starts_the_newest_release_of_the_tags_that_the_workflow_is_for(
    tmp_path: Path, pattern: str, newest: str
) -> None:
    tags = ["v1.9.0", "v1.12.0", "v2", "v2.9.1", "v2.10.0", "v3.0.0-rc.1", "old-v9.0.0", "7.0.0"]
    forge = tmp_path / "gh"
    lines = "\n".join(f"refs/tags/{each}" for each in tags)
    forge.write_text(f"#!{shutil.which('bash')}\nif [ $1 = api ]; then echo '{lines}'; else echo \"$@\"; fi\n")
    forge.chmod(0o755)
    release = workflow(PUSH, f"push: {{tags: ['{pattern}']}}\nworkflow_dispatch:")
    files = {".github/workflows/release.yml": release}
    (added,) = propose(texts(files), "contoso/shop", (), WantedProposal(["weekly-rebuild"]), NOW).files.values()
    script = yaml.safe_load(added)["jobs"]["dispatch"]["steps"][0]["run"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GH_REPO": "contoso/shop"}
    words = [program("bash"), "-eo", "pipefail", "-c", script]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"workflow run release.yml --ref {newest}\n"


def test_zizmor_finds_nothing_new_in_a_gate_behind_the_readers_of_a_report(tmp_path: Path) -> None:
    scan = "- uses: aquasecurity/trivy-action@v1\n"
    scan += "  with: {image-ref: ghcr.io/contoso/api:8, format: sarif, output: a.sarif}\n"
    upload = "- uses: github/codeql-action/upload-sarif@v4\n  with: {sarif_file: a.sarif}\n"
    before = {BUILD: workflow(PUSH + scan + upload)}
    added = propose(texts(before), "contoso/shop", (), WantedProposal(["scan-blocks"]), NOW).files
    after = {path: text.decode() for path, text in added.items()}
    assert "exit-code: '1'" in after[BUILD]
    assert zizmor(tmp_path / "after", after) <= zizmor(tmp_path / "before", before)


def test_manifests_that_onboarding_proposes_are_valid(tmp_path: Path) -> None:
    manifest = deployment().replace("spec:\n", "spec:\n  selector: {matchLabels: {app: api}}\n", 1)
    proposal = propose(texts({DEPLOYMENT: manifest}), "contoso/shop", (), WantedProposal(), NOW)
    path = tmp_path / "api.yaml"
    path.write_bytes(proposal.files[DEPLOYMENT])
    done = subprocess.run(
        [program("kubernetes-validate"), "--strict", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_reads_what_was_put_between_braces_and_finds_nothing_new(tmp_path: Path) -> None:
    given = "- uses: docker/build-push-action@v6\n  with: {push: true, tags: 'c/a', cache-from: type=gha}\n"
    before = workflow(f"- uses: docker/setup-buildx-action@v3\n{given}")
    before = before.replace("on:\n  push: {branches: [main]}\n", "on: {push: {branches: [main]}}\n")
    checks = ("dispatchable", "weekly-rebuild", "sbom", "fresh-layers")
    after = propose(texts({BUILD: before}), "contoso/shop", (), WantedProposal(checks), NOW).files[BUILD].decode()
    assert "cache-from: type=gha, pull: true, sbom: true}" in after
    assert zizmor(tmp_path / "after", {BUILD: after}) <= zizmor(tmp_path / "before", {BUILD: before})
