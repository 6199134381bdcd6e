"""What it takes to list a cluster of 5,000 pods, in a process of its own as `running push` is."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.kubernetes.cluster import Cluster, kubeconfig, serve
from sandbox.kubernetes.pods import Container, Workload, image_id
from tests.bench.measured import Measured

PODS, REPLICAS = 5_000, 3
AIM_SECONDS, AIM_MEMORY = 4.0, 150_000_000

_LIST = """
import asyncio, sys, time
from pathlib import Path
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.clients.kubernetes.reader import ClusterReader
from bot.domain.clock import SystemClock
from bot.domain.running.written import written
from tests.own_memory import most_memory
began = time.process_time()
reader = ClusterReader(lambda: by_kubeconfig(Path(sys.argv[1]), None), SystemClock())
snapshot = asyncio.run(reader.snapshot())
document = written(snapshot)
assert snapshot.is_whole
print(time.process_time() - began, most_memory(), sum(each.pods for each in snapshot.containers), len(document))
"""


def run() -> list[Measured]:
    cluster = Cluster()
    image = "ghcr.io/contoso/api:1.4"
    for number in range(PODS // REPLICAS + 1):
        container = Container("api", image, image_id(image, f"build-{number}"))
        replicas = min(REPLICAS, PODS - number * REPLICAS)
        cluster.run(Workload(f"team-{number % 50}", "Deployment", f"api-{number}", [container], replicas))
    size = sum(len(json.dumps(pod)) for pod in cluster.pods()) / PODS
    server = serve(cluster)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        path.write_text(kubeconfig(server.url))
        asked = [sys.executable, "-c", _LIST, str(path)]
        answer = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    server.stop()
    seconds, memory, pods, written = float(answer[0]), int(answer[1]), int(answer[2]), int(answer[3])
    if pods != PODS:
        raise RuntimeError(f"{pods} pods were read of {PODS}")
    what = f"listing {pods:,} pods of {size / 1000:.1f} kB, told in {written // 1000} kB"
    return [
        Measured(
            f"{what}, processor time", f"{seconds:.2f} s", f"at most {AIM_SECONDS:g} s", seconds <= AIM_SECONDS
        ),
        Measured(
            f"{what}, memory at its peak",
            f"{memory // 1_000_000} MB",
            f"at most {AIM_MEMORY // 1_000_000} MB",
            memory <= AIM_MEMORY,
        ),
    ]
