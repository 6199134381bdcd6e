"""Pods as an API server lists them, to what runs in them.

Of a pod only names, images and times are kept: what its environment says is never looked at. A pod that is not as
the interface describes is counted, since it is not known what it runs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from bot.domain.running.snapshot import RunningContainer, RunningPlace

_LISTS = (
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)
_ENDED = ("Succeeded", "Failed")
_UNTIL_DONE = "until done"
_DIGEST = re.compile(r"(?:.*[@/])?(?:sha256:)?([0-9a-f]{64})", re.DOTALL)
OF_CRON_JOB = re.compile(r"(.+)-[0-9]{8,10}")
"""A CronJob puts the minute that a job is of behind its own name; earlier versions the second."""
_HASHES = (("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout"))
_LONGEST_IMAGE = 1_000
_LONGEST_LABEL, _LONGEST_NAME = 63, 253


class NoPod(ValueError):
    """Raised for what is not as the interface describes a pod."""


@dataclass(slots=True)
class RunningNow:
    """What the pods of a list run, summed up by place and digest as they come."""

    exclude: Sequence[str] = ()
    unread: int = 0
    """Pods of which it is not known what they run."""
    _found: dict[tuple[RunningPlace, str | None], RunningContainer] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        self._found.clear()
        self.unread = 0

    def add(self, pods: Sequence[Any]) -> None:
        for pod in pods:
            try:
                found = list(containers_of(pod, self.exclude))
            except NoPod:
                self.unread += 1
                continue
            for container in found:
                key = container.place, container.digest
                known = self._found.get(key)
                self._found[key] = container if known is None else _joined(known, container)

    def containers(self) -> tuple[RunningContainer, ...]:
        return tuple(self._found.values())


def _joined(known: RunningContainer, other: RunningContainer) -> RunningContainer:
    """One digest in one place, in several pods."""
    starts = [at for at in (known.started_at, other.started_at) if at is not None]
    return replace(
        known,
        started_at=min(starts, default=None),
        restarts=max(known.restarts, other.restarts),
        pods=known.pods + other.pods,
    )


def containers_of(pod: Any, exclude: Sequence[str] = ()) -> Iterator[RunningContainer]:
    """What a pod runs, is about to run, or will start again; nothing of one that has ended. Raises `NoPod`."""
    metadata, spec, status = _mapping(pod, "metadata"), _mapping(pod, "spec"), _mapping(pod, "status")
    namespace = _name(metadata, "namespace")
    if status.get("phase") in _ENDED or any(fnmatchcase(namespace, glob) for glob in exclude):
        return
    if not _entries(spec, "containers"):
        raise NoPod
    kind, workload = _workload(metadata)
    for listed, told in _LISTS:
        statuses = {each["name"]: each for each in _entries(status, told) if isinstance(each.get("name"), str)}
        for container in _entries(spec, listed):
            name = _name(container, "name")
            state = _state(statuses.get(name, {}), _restarts(listed, container, spec))
            if state is not None:
                place = RunningPlace(namespace, kind, workload, name)
                yield RunningContainer(place, _image(container.get("image")), *state, pods=1)


def _restarts(listed: str, container: Mapping[str, Any], spec: Mapping[str, Any]) -> object:
    """When a container is started again. One of `initContainers` runs until it is done, unless it says Always: then
    it is a sidecar."""
    match listed:
        case "ephemeralContainers":
            return "Never"
        case "initContainers":
            return container.get("restartPolicy", _UNTIL_DONE)
        case _:
            return container.get("restartPolicy", spec.get("restartPolicy", "Always"))


def digest_in(image_id: object) -> str | None:
    """The digest that a node tells: `REPOSITORY@sha256:…` of an index or manifest, or the id of a config, with or
    without `docker-pullable://`, `docker://` or `sha256:`. None where it tells none."""
    found = _DIGEST.fullmatch(image_id) if isinstance(image_id, str) else None
    return f"sha256:{found[1]}" if found else None


State = tuple[str | None, datetime | None, int]
"""Digest, when it started, and how often it was started again."""


def _state(status: Mapping[str, Any], policy: object) -> State | None:
    """None of a container that has ended and is not started again. Before it runs there is no digest: what a node
    tells then may be of the image before."""
    restarts = status.get("restartCount")
    restarts = restarts if isinstance(restarts, int) and restarts > 0 else 0
    match status.get("state"):
        case {"running": started}:
            return digest_in(status.get("imageID")), _started_at(started), restarts
        case {"terminated": ended}:
            code = ended.get("exitCode") if isinstance(ended, dict) else None
            if policy == "Never" or (policy in ("OnFailure", _UNTIL_DONE) and code == 0):
                return None
            return digest_in(status.get("imageID")), _started_at(ended), restarts
        case {"waiting": {"reason": "CrashLoopBackOff"}}:
            return digest_in(status.get("imageID")), None, restarts
        case _:
            return None if policy == _UNTIL_DONE else (None, None, restarts)


def _workload(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of what keeps the pod: that of a ReplicaSet by the hash behind its name, that of a Job by the
    time behind it, so that nothing else has to be asked."""
    owner = next((each for each in _entries(metadata, "ownerReferences") if each.get("controller") is True), None)
    if owner is None:
        return "Pod", _name(metadata, "name", _LONGEST_NAME)
    kind, name = _name(owner, "kind"), _name(owner, "name", _LONGEST_NAME)
    labels = metadata.get("labels")
    if kind == "ReplicaSet" and isinstance(labels, dict):
        for label, above in _HASHES:
            ending = f"-{labels.get(label)}"
            if labels.get(label) and name.endswith(ending) and name != ending:
                return above, name.removesuffix(ending)
    if kind == "Job" and (of_cron_job := OF_CRON_JOB.fullmatch(name)):
        return "CronJob", of_cron_job[1]
    return kind, name


def _mapping(of: Any, key: str) -> Mapping[str, Any]:
    value = of.get(key) if isinstance(of, dict) else None
    if not isinstance(value, dict):
        raise NoPod
    return value


def _entries(of: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = of.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise NoPod
    return value


def _name(of: Mapping[str, Any], key: str, longest: int = _LONGEST_LABEL) -> str:
    value = of.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise NoPod
    return value


def _image(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise NoPod
    return value[:_LONGEST_IMAGE]


def _started_at(state: object) -> datetime | None:
    value = state.get("startedAt") if isinstance(state, dict) else None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
