"""No container gets the socket of the container engine.

What: no volume is the socket of Docker, containerd, CRI-O or Podman, or a folder that holds it.

Example that fails::

    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]

Fix: build with a rootless builder; read metrics from the kubelet.

Exceptions: none. `:ro` does not help.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import judge_pods, place_of
from bot.files.audit.workloads.kubernetes import Pod
from bot.files.audit.workloads.mounts import host_paths, is_engine_socket, mounted_host_paths

_FIX = "remove the mount: what builds takes a rootless builder, what watches a proxy that lets it read alone"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_pod(pod: Pod) -> Iterator[Verdict]:
        sockets = [(node, path) for node, path in host_paths(pod) if is_engine_socket(path)]
        for node, path in sockets:
            yield fails(
                place_of(repository, node, pod.place), pod.subject, f"it gets the engine's socket {path}", _FIX
            )
        if not sockets:
            yield holds(pod.place, pod.subject, "it gets no engine's socket")

    def of_service(service: Service) -> Iterator[Verdict]:
        sockets = [(node, path) for node, path in mounted_host_paths(service) if is_engine_socket(path)]
        for node, path in sockets:
            place = place_of(repository, node, service.place)
            yield fails(place, service.subject, f"it gets the engine's socket {path}", _FIX)
        if not sockets:
            yield holds(service.place, service.subject, "it gets no engine's socket")

    yield from judge_pods(repository, of_pod, of_service)


RULE = Rule(
    "no-engine-socket",
    "No container gets the engine's socket",
    "Who can speak to the engine is root on the node.",
    FindingSeverity.CRITICAL,
    judge,
)
