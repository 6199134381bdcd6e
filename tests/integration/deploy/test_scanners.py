"""What scanners find in what is shipped: nothing but what is justified where it stands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.deploy.kustomize import DEPLOY, KINDS, ROOT, Service, built, further_containers, workload

pytestmark = pytest.mark.long

SCANNERS = Path(sys.prefix) / "scanners/bin"
NOT_OF_THE_COMPONENT = {
    "CKV_K8S_8": "whether it lives is for its own probe to say",
    "CKV_K8S_9": "whether it is ready is for its own probe to say",
    "CKV_K8S_10": "how much processor time it asks for is its own",
    "CKV_K8S_11": "and how much it may take",
    "CKV_K8S_12": "how much memory it asks for is its own",
    "CKV_K8S_13": "and how much it may take",
    "CKV_K8S_15": "when its images are pulled is its own",
    "CKV_K8S_21": "its namespace is its own",
    "CKV_K8S_40": "the user of .NET images is 1654, which is not above 10,000",
    "CKV_K8S_43": "the digests of its images are its own",
    "CKV2_K8S_6": "its network policy is its own",
}


def scan(*files: Path, framework: str = "kubernetes") -> set[tuple[str, str]]:
    """What checkov finds failed: each check with what it failed for. Nothing is asked over the network."""
    checkov = SCANNERS / "checkov"
    if not checkov.exists():
        pytest.skip(f"checkov is not installed: pip install -r {ROOT}/tools/scanners.txt")
    named = [word for file in files for word in ("--file", str(file))]
    options = ["--framework", framework, "--skip-download", "--compact", "--quiet", "--output", "json"]
    ended = subprocess.run([checkov, *named, *options], capture_output=True, text=True, timeout=300, check=False)
    report = json.loads(ended.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    return {(each["check_id"], each["resource"]) for each in report["results"]["failed_checks"]}


def test_checkov_finds_nothing_in_the_overlays_that_is_not_justified(tmp_path: Path) -> None:
    paths = []
    for name in ("single", "replicated", "monitoring", "page", "running"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump_all(built(DEPLOY / "overlays" / name).values()))
        paths.append(path)
    assert scan(*paths) == set()


def test_checkov_finds_nothing_in_the_dockerfile_that_is_not_justified() -> None:
    assert scan(ROOT / "Dockerfile", framework="dockerfile") == set()


def test_checkov_finds_nothing_that_the_component_should_have_set_on_a_service_of_others(tmp_path: Path) -> None:
    service = Service(tmp_path)
    (tmp_path / "further.yaml").write_text(further_containers())
    whole = service.built(workload("Deployment"), patches=[{"path": "further.yaml"}])
    path = tmp_path / "built.yaml"
    path.write_text(yaml.safe_dump_all(whole.values()))
    assert {check for check, _ in scan(path)} <= NOT_OF_THE_COMPONENT.keys()


def test_without_the_component_the_same_services_fail(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text(yaml.safe_dump_all(workload(kind) for kind in KINDS))
    failed = scan(path)
    for kind in KINDS:
        found = {check for check, resource in failed if resource.startswith(f"{kind}.")}
        assert {"CKV_K8S_20", "CKV_K8S_22", "CKV_K8S_28", "CKV_K8S_38"} <= found, kind


def test_bandit_finds_nothing_that_is_not_justified() -> None:
    bandit = SCANNERS / "bandit"
    if not bandit.exists():
        pytest.skip(f"bandit is not installed: pip install -r {ROOT}/tools/scanners.txt")
    command = [
        str(bandit),
        "--recursive",
        "--quiet",
        "--configfile",
        str(ROOT / "pyproject.toml"),
        str(ROOT / "bot"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout
