"""What pods and services mount from the machine that they run on."""

import re
from collections.abc import Iterator

from bot.files.audit.workloads.compose import Service, filled_in
from bot.files.audit.workloads.kubernetes import CONTAINER_LISTS, Pod, word
from bot.files.formats.source.nodes import Mapping, Node, Scalar

_SOCKET = re.compile(r"(?:docker|containerd|crio|podman|cri-dockerd|buildkitd)(?:\.sock|/\w[\w.-]*\.sock)$")
_FOLDERS_OF_SOCKETS = frozenset(
    {"/var/run", "/run", "/run/containerd", "/var/run/containerd", "/var/run/crio", "/run/crio"}
)
_OF_SYSTEM = re.compile(r"^/(?:$|(?:etc|proc|sys|dev|root|boot|usr|bin|sbin|lib|run|var|home)(?:/|$))")
_HARMLESS = re.compile(r"^/etc/(?:localtime|timezone)$|^/dev/(?:shm|dri|net/tun)|^/(?:home|var/lib)/[^/]+/")


def host_paths(pod: Pod) -> Iterator[tuple[Node, str]]:
    """The node's paths that volumes of a pod stand for, with the volume."""
    for volume in pod.spec.sequence("volumes"):
        if isinstance(volume, Mapping):
            path = word(volume.mapping("hostPath").get("path"))
            if path is not None:
                yield volume, path


def mounted_host_paths(service: Service) -> Iterator[tuple[Node, str]]:
    """The host's paths that a service mounts, with the entry; names of volumes are none."""
    for volume in service.nodes("volumes"):
        if isinstance(volume, Scalar):
            source = filled_in(volume).split(":")[0]
        elif isinstance(volume, Mapping) and word(volume.get("type")) in {"bind", None}:
            source = word(volume.get("source")) or ""
        else:
            continue
        if source.startswith("/") and ":" in (volume.value if isinstance(volume, Scalar) else ":"):
            yield volume, source


def is_engine_socket(path: str) -> bool:
    return _SOCKET.search(path.rstrip("/")) is not None or path.rstrip("/") in _FOLDERS_OF_SOCKETS


def keeps_data(volume: Node) -> bool:
    """Whether a service may write into what it mounts, where no program looks for its configuration."""
    if isinstance(volume, Mapping):
        target, is_read_only = word(volume.get("target")) or "", word(volume.get("read_only")) == "true"
    else:
        _, target, *options = [*filled_in(volume).split(":"), ""] if isinstance(volume, Scalar) else ["", ""]
        is_read_only = any("ro" in each.split(",") for each in options)
    return not is_read_only and _OF_CONFIGURATION.match(target) is None


def pod_keeps_data(pod: Pod, volume: Node) -> bool:
    """The same of a volume of a pod, by the containers that mount it."""
    name = word(volume.get("name")) if isinstance(volume, Mapping) else None
    mounts = [
        mount
        for key, _ in CONTAINER_LISTS
        for container in pod.spec.sequence(key)
        if isinstance(container, Mapping)
        for mount in container.sequence("volumeMounts")
        if isinstance(mount, Mapping) and word(mount.get("name")) == name
    ]
    return any(
        word(each.get("readOnly")) != "true" and _OF_CONFIGURATION.match(word(each.get("mountPath")) or "") is None
        for each in mounts
    )


def instead_of(path: str, volume: str, *, keeps_data: bool = False, is_agent: bool = False) -> str:
    """What to do instead of mounting a path of the machine: `volume` where it may hold the program's own data.

    `is_agent`: it runs once on each node, mostly for the sake of that one.
    """
    if is_agent or path.endswith(".sock") or _OF_KERNEL.match(path):
        return "remove the mount; where the container is there to watch or manage its node, waive the check for it"
    if _OF_PROGRAM.match(path) and keeps_data:
        return f"{volume}, and copy there what the folder holds; bring single files in as configuration"
    if _OF_CONFIGURATION.match(path):
        return "remove the mount; bring single files in as configuration"
    return volume


_OF_CONFIGURATION = re.compile(r"/etc(?:/|$)")
_OF_PROGRAM = re.compile(r"/etc/[^/]+/+[^/]")
_OF_KERNEL = re.compile(r"/(?:$|(?:sys|proc|dev|boot|run|var/run)(?:/|$))")


def is_of_system(path: str) -> bool:
    """Whether a path is one of the operating system's own, which no project keeps its data in."""
    return _OF_SYSTEM.match(path) is not None and _HARMLESS.match(path) is None
