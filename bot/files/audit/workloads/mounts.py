"""What pods and services mount from the machine that they run on."""

import re
from collections.abc import Iterator
from enum import StrEnum

from bot.files.audit.workloads.compose import Service, filled_in
from bot.files.audit.workloads.kubernetes import CONTAINER_LISTS, Pod
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping, Node, Scalar

_SOCKET = re.compile(r"(?:docker|containerd|crio|podman|cri-dockerd|buildkitd)(?:\.sock|/\w[\w.-]*\.sock)$")
_FOLDERS_OF_SOCKETS = frozenset(
    {"/var/run", "/run", "/run/containerd", "/var/run/containerd", "/var/run/crio", "/run/crio"}
)
_OF_SYSTEM = re.compile(r"^/(?:$|(?:etc|proc|sys|dev|root|boot|usr|bin|sbin|lib|run|var|home)(?:/|$))")
_OF_HOST = ("/", ".", "~", "$")
_HARMLESS = re.compile(
    r"^/etc/(?:localtime|timezone)$|^/dev/(?:shm|dri|net/tun)"
    r"|^/(?:home|var/lib)/(?!(?:docker|containerd|kubelet)/)[^/]+/"
)


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


def source_of_host(volume: Node) -> str:
    """The folder or file of the host that a volume of a service is, also one beside its file; empty for none."""
    if isinstance(volume, Mapping):
        source = word(volume.get("source")) or ""
        return source if word(volume.get("type")) == "bind" or source.startswith(_OF_HOST) else ""
    text = filled_in(volume) if isinstance(volume, Scalar) else ""
    return text.split(":")[0] if ":" in text and text.startswith(_OF_HOST) else ""


def is_engine_socket(path: str) -> bool:
    return _SOCKET.search(path.rstrip("/")) is not None or path.rstrip("/") in _FOLDERS_OF_SOCKETS


class MountUse(StrEnum):
    """What a program does with a folder of the machine, as far as its mounts tell."""

    KEEPS_DATA = "keeps data"
    CONFIGURES = "is configured by it"
    ONLY_READS = "only reads it"


def use_by_service(volume: Node) -> MountUse:
    """What a service does with what it mounts: where programs look for their configuration it keeps no data."""
    if isinstance(volume, Mapping):
        is_read_only = word(volume.get("read_only")) == "true"
    else:
        options = filled_in(volume).split(":")[2:] if isinstance(volume, Scalar) else []
        is_read_only = any("ro" in each.split(",") for each in options)
    return _use(target_of(volume), is_read_only=is_read_only)


def target_of(volume: Node) -> str:
    """The folder of the container that a volume of a service is mounted at."""
    if isinstance(volume, Mapping):
        return word(volume.get("target")) or ""
    return [*filled_in(volume).split(":"), ""][1] if isinstance(volume, Scalar) else ""


def _use(target: str, *, is_read_only: bool) -> MountUse:
    if is_read_only:
        return MountUse.ONLY_READS
    return MountUse.KEEPS_DATA if _OF_CONFIGURATION.match(target) is None else MountUse.CONFIGURES


def use_by_pod(pod: Pod, volume: Node) -> MountUse:
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
    uses = {
        _use(word(each.get("mountPath")) or "", is_read_only=word(each.get("readOnly")) == "true")
        for each in mounts
    }
    return next((use for use in MountUse if use in uses), MountUse.KEEPS_DATA)


def instead_of(path: str, volume: str, use: MountUse, *, is_agent: bool = False) -> str:
    """What to do instead of mounting a path of the machine: `volume` where it may hold the program's own data.

    `is_agent`: it runs once on each node, mostly for the sake of that one.
    """
    is_of_logs = _OF_LOGS.match(path) is not None
    if not is_agent and is_of_logs and use is MountUse.KEEPS_DATA:
        return "log to standard output, and remove the mount"
    if is_agent or is_of_logs or path.endswith(".sock") or _OF_KERNEL.match(path):
        return f"remove the mount; {WAIVED}"
    if _OF_PROGRAM.match(path) and use is MountUse.KEEPS_DATA:
        return f"{volume}, and copy there what the folder holds; bring single files in as configuration"
    if _OF_CONFIGURATION.match(path):
        return "remove the mount; bring single files in as configuration"
    return _READ_ALONE if use is MountUse.ONLY_READS else volume


_READ_ALONE = "remove the mount, and have the image or a volume hold what is read there"


WAIVED = "where the container is there to watch or manage its node, waive the check for it"


def is_of_node(pod: Pod) -> bool:
    """Whether a pod is there for its node's sake, as far as it shows: one runs on each, or it is privileged."""
    return pod.kind == "DaemonSet" or any(
        word(container.mapping("securityContext").get("privileged")) == "true"
        for key, _ in CONTAINER_LISTS
        for container in pod.spec.sequence(key)
        if isinstance(container, Mapping)
    )


def is_service_of_node(service: Service) -> bool:
    """The same of a service: it is privileged, or mounts what the kernel or the engine gives."""
    return service.is_on("privileged") or any(
        _OF_KERNEL.match(path) is not None for _, path in mounted_host_paths(service)
    )


_OF_LOGS = re.compile(r"/var/(?:log|lib/(?:docker|containerd|kubelet))(?:/|$)")
_OF_CONFIGURATION = re.compile(r"/etc(?:/|$)")
_OF_PROGRAM = re.compile(r"/etc/[^/]+/+[^/]")
_OF_KERNEL = re.compile(r"/(?:$|(?:sys|proc|dev|boot|run|var/run)(?:/|$))")


def is_of_system(path: str) -> bool:
    """Whether a path is one of the operating system's own, which no project keeps its data in."""
    return _OF_SYSTEM.match(path) is not None and _HARMLESS.match(path) is None
