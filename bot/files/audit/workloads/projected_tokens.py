"""Tokens that a pod asks for itself, by projected volumes: these it gets whether it mounts its account's or not.

Source: Kubernetes' page on ServiceAccounts for pods (projected volumes, and what admission adds).
"""

from collections.abc import Iterator

from bot.files.audit.workloads.kubernetes import CONTAINER_LISTS, Pod
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

USUAL_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where clients look for a token; a cluster mounts none there over what the pod mounts itself."""
_OF_CLUSTER = "kube-api-access-"
"""How the volumes are called that a cluster adds to the pods that it gives out."""


def projected_tokens(pod: Pod) -> dict[str, bool]:
    """The volumes of a pod that bring a token, and whether each container mounts it where clients look for one."""
    names = list(_volumes(pod))
    containers = [
        each for key, _ in CONTAINER_LISTS for each in pod.spec.sequence(key) if isinstance(each, Mapping)
    ]
    return {name: bool(containers) and all(_is_at_usual_place(each, name) for each in containers) for name in names}


def _volumes(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.sequence("volumes"):
        name = word(volume.get("name")) or "" if isinstance(volume, Mapping) else ""
        sources = volume.mapping("projected").sequence("sources") if isinstance(volume, Mapping) else ()
        is_token = any(
            isinstance(each, Mapping) and each.get("serviceAccountToken") is not None for each in sources
        )
        if name and is_token and not name.startswith(_OF_CLUSTER):
            yield name


def _is_at_usual_place(container: Mapping, volume: str) -> bool:
    return any(
        isinstance(mount, Mapping)
        and word(mount.get("name")) == volume
        and (word(mount.get("mountPath")) or "").rstrip("/") == USUAL_FOLDER
        for mount in container.sequence("volumeMounts")
    )
