"""A pod mounts no folders of its node.

What: no `hostPath` volumes; in Compose no mounts of the system's own folders (`/`, `/etc`, `/proc`, `/root`, …).

Example that fails::

    volumes: [{name: logs, hostPath: {path: /var/log}}]

Fix: a persistent volume claim, a ConfigMap or a projected volume.

Exceptions: agents of the node: waive the check, with the reason.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.judging import judge_pods, place_of
from bot.files.audit.workloads.kubernetes import Pod
from bot.files.audit.workloads.mounts import (
    host_paths,
    instead_of,
    is_engine_socket,
    is_of_system,
    keeps_data,
    mounted_host_paths,
    pod_keeps_data,
)


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_pod(pod: Pod) -> Iterator[Verdict]:
        mounts = [(node, path) for node, path in host_paths(pod) if not is_engine_socket(path)]
        for node, path in mounts:
            place = place_of(repository, node, pod.place)
            folder = "a folder that a template names" if HIDDEN_VALUE in path else path
            yield fails(
                place,
                pod.subject,
                f"it mounts {folder} of its node",
                instead_of(
                    path,
                    "use a persistent volume claim",
                    keeps_data=pod_keeps_data(pod, node),
                    is_agent=pod.kind == "DaemonSet",
                ),
            )
        if not mounts:
            yield holds(pod.place, pod.subject, "it mounts nothing of its node")

    def of_service(service: Service) -> Iterator[Verdict]:
        mounts = [
            (node, path)
            for node, path in mounted_host_paths(service)
            if is_of_system(path) and not is_engine_socket(path)
        ]
        for node, path in mounts:
            place = place_of(repository, node, service.place)
            advice = instead_of(path, "use a named volume", keeps_data=keeps_data(node))
            yield fails(place, service.subject, f"it mounts {path} of its host", advice)
        if not mounts:
            yield holds(service.place, service.subject, "it mounts no folder of the system")

    yield from judge_pods(repository, of_pod, of_service)


RULE = Rule(
    "no-host-paths",
    "Pods mount nothing of their node",
    "Files of the node are a way out of the container.",
    FindingSeverity.HIGH,
    judge,
)
