"""The cluster of the sandbox is one: others read of it what the bot reads."""

import json
import shutil
import ssl
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest

from bot.clients.kubernetes.access import ClientCertificate, ClusterAccess
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.clients.kubernetes.pods import RunningNow
from bot.clients.kubernetes.reader import ClusterReader
from bot.domain.clock import SystemClock
from sandbox.kubernetes.cluster import Cluster, kubeconfig
from sandbox.kubernetes.pods import Container, Workload
from tests.integration.kubernetes.conftest import HASTY
from tests.integration.registry.hostile import Hostile, says


@pytest.fixture
def busy(cluster: Cluster) -> Cluster:
    """With a workload of each kind, and containers of each."""
    done = {"terminated": {"exitCode": 0, "startedAt": "2026-11-24T09:00:00Z"}}
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    containers = [
        Container("api", "ghcr.io/contoso/api", "", waiting),
        Container("migrate", "ghcr.io/contoso/migrate", "docker://sha256:" + "a" * 64, done, init=True),
        Container("proxy", "ghcr.io/contoso/proxy", "sha256:" + "b" * 64, init=True, is_sidecar=True),
        Container("shell", "ghcr.io/contoso/shell", "c" * 64, ephemeral=True),
    ]
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod")
    cluster.run(*(Workload("mixed", kind, f"of-{kind.lower()}", containers) for kind in kinds))
    return cluster


@pytest.fixture
def file(busy: Cluster, over_tls: str, certificate: Path, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig(over_tls, certificate))
    return path


def test_pods_are_as_the_interface_describes_them(busy: Cluster) -> None:
    version = kubernetes_validate.latest_version()
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": busy.pods()}
    kubernetes_validate.validate(listed, version, strict=True)
    for pod in busy.pods():
        kubernetes_validate.validate(pod, version, strict=True)


async def test_kubectl_reads_the_same_pods(file: Path) -> None:
    if (kubectl := shutil.which("kubectl")) is None:
        pytest.skip("kubectl is missing: Debian's kubernetes-client has it")
    asked = [kubectl, "--kubeconfig", str(file), "get", "pods", "-A", "-o", "json", "--chunk-size", "3"]
    pods = json.loads(subprocess.run(asked, check=True, capture_output=True, timeout=60).stdout)["items"]
    seen = RunningNow()
    seen.add(pods)
    snapshot = await ClusterReader(lambda: by_kubeconfig(file, None), SystemClock(), limits=HASTY).snapshot()
    assert len(pods) == 14
    assert {(each.place, each.digest) for each in snapshot.containers} == {
        (each.place, each.digest) for each in seen.containers()
    }


async def test_who_asks_may_be_told_by_a_certificate(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    pem = certificate.read_text()
    body = json.dumps({"kind": "PodList", "metadata": {}, "items": []}).encode()
    async with Hostile(
        {"/api/v1/pods?limit=500": says(200, {"content-type": "application/json"}, body)}, tls=context
    ) as there:
        access = ClusterAccess(f"https://{there.host}", None, pem, ClientCertificate(pem, pem))
        snapshot = await ClusterReader(lambda: access, SystemClock(), limits=HASTY).snapshot()
    assert snapshot.is_whole
