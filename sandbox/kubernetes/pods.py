"""Pods as an API server shows them, with all that a reader has to leave alone beside what it wants."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]
SECRET = "p4ssw0rd-in-the-environment"  # nosec B105
_FILLING = 12
"""Variables of each container."""


@dataclass(frozen=True, slots=True)
class Container:
    """`image_id` is what the node tells; `state` None stands for running. `init` is one of `initContainers`, a
    sidecar where `is_sidecar`."""

    name: str
    image: str
    image_id: str
    state: Mapping[str, Any] | None = None
    restarts: int = 0
    init: bool = False
    is_sidecar: bool = False
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """`kind` is that which people made: its pods belong to a ReplicaSet or a Job where it makes these."""

    namespace: str
    kind: str
    name: str
    containers: Sequence[Container]
    replicas: int = 1
    started_at: datetime | None = None
    phase: str = "Running"


def pods_of(workload: Workload, now: datetime) -> list[Json]:
    return [_pod(workload, number, workload.started_at or now) for number in range(workload.replicas)]


def image_id(image: str, build: str) -> str:
    """What containerd tells of a build: the repository with the digest of its index."""
    repository = image.partition("@")[0].rpartition(":")[0] or image
    return f"{repository}@{digest_of(build)}"


def digest_of(build: str) -> str:
    return f"sha256:{hashlib.sha256(build.encode()).hexdigest()}"


def _pod(workload: Workload, number: int, started_at: datetime) -> Json:
    owner, labels = _owner(workload, started_at)
    name = f"{owner['name'] if owner else workload.name}-{_suffix(workload.name, number)}"
    if owner is None:
        name = workload.name
    metadata: Json = {
        "name": name,
        "namespace": workload.namespace,
        "uid": hashlib.md5(f"{workload.namespace}/{name}".encode(), usedforsecurity=False).hexdigest(),
        "creationTimestamp": _written(started_at - timedelta(seconds=3)),
        "labels": {"app": workload.name, **labels},
        "annotations": {"prometheus.io/scrape": "true"},
        "managedFields": [_managed(manager, started_at) for manager in ("kube-controller-manager", "kubelet")],
    }
    if owner is not None:
        metadata["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": _spec(workload),
        "status": _status(workload, started_at),
    }


def _owner(workload: Workload, at: datetime) -> tuple[Json | None, Json]:
    """The owner that stands in the pod, and the labels that its controller gives it."""
    uid = hashlib.md5(workload.name.encode(), usedforsecurity=False).hexdigest()
    of = {"apiVersion": "apps/v1", "uid": uid}
    match workload.kind:
        case "Pod":
            return None, {}
        case "Deployment":
            key = "|".join(each.image_id for each in workload.containers)
            template = hashlib.sha256(key.encode()).hexdigest()[:10]
            name = f"{workload.name}-{template}"
            return {**of, "kind": "ReplicaSet", "name": name}, {"pod-template-hash": template}
        case "CronJob":
            name = f"{workload.name}-{int(at.timestamp()) // 60}"
            return {**of, "apiVersion": "batch/v1", "kind": "Job", "name": name}, {
                "batch.kubernetes.io/job-name": name
            }
        case kind:
            api = "batch/v1" if kind == "Job" else "apps/v1"
            return {**of, "apiVersion": api, "kind": kind, "name": workload.name}, {}


def _suffix(name: str, number: int) -> str:
    return hashlib.sha256(f"{name}{number}".encode()).hexdigest()[:5]


def _managed(manager: str, at: datetime) -> Json:
    fields: Json = {f"f:field{number}": {".": {}, "f:name": {}, "f:value": {}} for number in range(25)}
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": _written(at),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": fields}, "f:spec": fields},
    }


def _spec(workload: Workload) -> Json:
    policy = {"CronJob": "OnFailure", "Job": "OnFailure"}.get(workload.kind, "Always")
    spec: Json = {
        "containers": [_specified(each) for each in workload.containers if not (each.init or each.ephemeral)],
        "restartPolicy": policy,
        "nodeName": "node-1",
        "serviceAccountName": "default",
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
    }
    if initial := [_specified(each) for each in workload.containers if each.init]:
        spec["initContainers"] = initial
    if added := [_specified(each) for each in workload.containers if each.ephemeral]:
        spec["ephemeralContainers"] = added
    return spec


def _specified(container: Container) -> Json:
    variables = [{"name": f"SETTING_{number}", "value": f"{SECRET}-{number}"} for number in range(_FILLING)]
    specified: Json = {
        "name": container.name,
        "image": container.image,
        "env": variables,
        "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [{"name": "kube-api-access", "mountPath": "/var/run/secrets", "readOnly": True}],
    }
    return specified | ({"restartPolicy": "Always"} if container.is_sidecar else {})


def _status(workload: Workload, started_at: datetime) -> Json:
    status: Json = {
        "phase": workload.phase,
        "startTime": _written(started_at),
        "podIP": "10.0.0.7",
        "qosClass": "Burstable",
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": _written(started_at)}
            for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
    }
    for key, is_here in (
        ("containerStatuses", lambda each: not (each.init or each.ephemeral)),
        ("initContainerStatuses", lambda each: each.init),
        ("ephemeralContainerStatuses", lambda each: each.ephemeral),
    ):
        if told := [_told(each, started_at) for each in workload.containers if is_here(each)]:
            status[key] = told
    return status


def _told(container: Container, started_at: datetime) -> Json:
    state = container.state if container.state is not None else {"running": {"startedAt": _written(started_at)}}
    return {
        "name": container.name,
        "image": container.image,
        "imageID": container.image_id,
        "state": dict(state),
        "ready": "running" in state,
        "restartCount": container.restarts,
    }


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
