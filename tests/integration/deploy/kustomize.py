"""What `kubectl kustomize` makes of a folder: no cluster is asked."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
Resource = dict[str, Any]


def built(folder: Path) -> dict[str, Resource]:
    """The resources by their kind; each kind is there once."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: apt-get install kubernetes-client")
    ended = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    resources = list(yaml.safe_load_all(ended.stdout))
    kinds = [resource["kind"] for resource in resources]
    assert len(kinds) == len(set(kinds))
    return dict(zip(kinds, resources, strict=True))


def pod_of(workload: Mapping[str, Any]) -> dict[str, Any]:
    """The pod's spec of a Deployment, StatefulSet, Job or CronJob."""
    spec = workload["spec"]
    found: dict[str, Any] = spec.get("jobTemplate", {}).get("spec", spec)["template"]["spec"]
    return found
