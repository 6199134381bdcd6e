"""What `kubectl kustomize` makes of our folders, and of a service of others beside them: no cluster is asked."""

import os
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
KINDS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1"}


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


def workload(kind: str, **pod: Any) -> Resource:
    """A workload with two containers and an init container; `pod` adds to its pod's spec."""
    labels = {"app": "shop"}
    containers = [
        {"name": name, "image": f"registry.example.com/{name}:1"} for name in ("shop", "proxy", "migrate")
    ]
    spec = {"containers": containers[:2], "initContainers": containers[2:], **pod}
    if kind.endswith("Job"):
        spec["restartPolicy"] = "Never"
    template: Resource = {"template": {"metadata": {"labels": labels}, "spec": spec}}
    if kind == "CronJob":
        template = {"schedule": "0 2 * * 1", "jobTemplate": {"spec": template}}
    elif kind != "Job":
        template["selector"] = {"matchLabels": labels}
    return {"apiVersion": KINDS[kind], "kind": kind, "metadata": {"name": "shop"}, "spec": template}


class Service:
    """A service's own kustomization beside the components."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def built(self, resource: Resource, component: str = "hardened", **more: Any) -> dict[str, Resource]:
        path = os.path.relpath(DEPLOY / "components" / component, self.folder.resolve())
        (self.folder / "shop.yaml").write_text(yaml.safe_dump(resource))
        kustomization = {"resources": ["shop.yaml"], "components": [path], **more}
        (self.folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return built(self.folder)


def further_containers() -> str:
    """The patch that the page for operators gives for containers after the first."""
    page = (ROOT / "docs/operate/cluster.md").read_text()
    [patch] = [block for block in page.split("```yaml\n")[1:] if block.startswith("# further-containers.yaml")]
    return patch.partition("```")[0]
