"""A pod mounts no folders of its node.

What: no `hostPath` volumes, nor claims bound to one; in Compose no mounts of the system's own folders (`/`, `/etc`,
`/proc`, `/root`, …).

Example that fails::

    volumes: [{name: logs, hostPath: {path: /var/log}}]

Fix: a persistent volume claim, a ConfigMap or a projected volume.

Exceptions: agents of the node: waive the check, with the reason.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.claims import folders_of_claims
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.judging import judge_pods, place_of
from bot.files.audit.workloads.kubernetes import Pod
from bot.files.audit.workloads.mounts import (
    host_paths,
    instead_of,
    is_engine_socket,
    is_of_node,
    is_of_system,
    mounted_host_paths,
    use_by_pod,
    use_by_service,
)

_OF_CLASS = "give the claim a storage class of the cluster, which makes a volume for it"


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
                    use_by_pod(pod, node),
                    is_agent=is_of_node(pod),
                ),
            )
        claims = list(_of_claims(repository, pod))
        yield from claims
        if not (mounts or claims):
            sockets = " and ".join(path for _, path in host_paths(pod))
            but = f" but {sockets}, which no-engine-socket tells of" if sockets else ""
            yield holds(pod.place, pod.subject, f"it mounts nothing of its node{but}")

    def of_service(service: Service) -> Iterator[Verdict]:
        mounts = [
            (node, path)
            for node, path in mounted_host_paths(service)
            if is_of_system(path) and not is_engine_socket(path)
        ]
        for node, path in mounts:
            place = place_of(repository, node, service.place)
            advice = instead_of(path, "use a named volume", use_by_service(node))
            yield fails(place, service.subject, f"it mounts {path} of its host", advice)
        if not mounts:
            yield holds(service.place, service.subject, "it mounts no folder of the system")

    yield from judge_pods(repository, of_pod, of_service)


def _of_claims(repository: RepositoryTexts, pod: Pod) -> Iterator[Verdict]:
    """Of the folders of its node that stand behind a pod's claims, or may."""
    for each in folders_of_claims(repository, pod):
        place = place_of(repository, each.node, pod.place)
        behind = f"the volume {each.volume}, which is {each.path} of a node"
        if each.is_sure:
            yield fails(place, pod.subject, f"its claim {each.claim} is bound to {behind}", _OF_CLASS)
        else:
            why = f"its claim {each.claim} may be bound to {behind}"
            yield unknown(place, pod.subject, why, "which volume the cluster binds it to")


RULE = Rule(
    "no-host-paths",
    "Pods mount nothing of their node",
    "Files of the node are a way out of the container.",
    FindingSeverity.HIGH,
    judge,
)
