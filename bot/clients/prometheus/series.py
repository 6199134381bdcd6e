"""Series of kube-state-metrics, as a Prometheus answers them, to the containers that samples show.

The place of a container is told by the owners of its pod and of its ReplicaSet, named as a list of pods names it. A
sample without a digest, or of a pod whose owner no series tells, says only that something is not known then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from bot.clients.kubernetes.pods import OF_CRON_JOB, digest_in
from bot.domain.running.backfill import STEP, Key, SampledContainer, SampledWindow
from bot.domain.running.snapshot import RunningPlace

_CONTAINERS, _PODS, _SETS = "kube_pod_container_info", "kube_pod_owner", "kube_replicaset_owner"
_NOBODY = ("", "<none>")
"""The owner of what nothing keeps; earlier versions wrote `<none>`."""
_LONGEST_LABEL, _LONGEST_NAME, _LONGEST_IMAGE = 63, 253, 1_000
_EXPORTED = ("exported_namespace", "exported_pod", "exported_container")
_CLUSTER = "cluster"
_LATEST = 2**36
"""In seconds; what comes later is no date that can be read."""
Owner = tuple[str, str]
Labels = Mapping[str, str]


class NoSeries(ValueError):
    """Raised for what is not as it should be, with a sentence that says what to do about it."""


def question(labels: Labels, namespaces: Sequence[str]) -> str:
    """What is asked: containers of pods that have not ended, with the owners of their pods and ReplicaSets."""
    matchers = [f'{name}="{_quoted(value)}"' for name, value in sorted(labels.items())]
    if namespaces and len(names := "|".join(namespaces)) <= _LONGEST_IMAGE:
        matchers.append(f'namespace=~"{names}"')

    def of(metric: str, *own: str) -> str:
        return f"{metric}{{{','.join([*own, *matchers])}}}"

    ended = of("kube_pod_status_phase", 'phase=~"Succeeded|Failed"')
    in_sets = of(_PODS, 'owner_kind="ReplicaSet"')
    sets = f'label_replace({in_sets}, "replicaset", "$1", "owner_name", "(.+)")'
    containers = of(_CONTAINERS, 'image_id!=""')
    return (
        f"({containers} unless on (namespace, pod, uid) ({ended} == 1)) or {of(_PODS)}"
        f" or ({of(_SETS)} and on (namespace, replicaset) {sets})"
    )


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def window_of(
    answer: Any, since: datetime, until: datetime, namespaces: Sequence[str] = (), exclude: Sequence[str] = ()
) -> SampledWindow:
    """What an answer tells of the moments from `since` to `until`. Raises `NoSeries`."""
    match answer:
        case {"status": "success", "data": {"resultType": "matrix", "result": list() as result}}:
            series = [_series(each) for each in result]
        case _:
            raise NoSeries("answered with no series; check the address")
    containers = [(labels, values) for labels, values in series if labels.get("__name__") == _CONTAINERS]
    _check_labels(labels for labels, _ in containers)
    moments = _Moments(since, until)
    found = _Found(_owners(series))
    for labels, values in containers:
        namespace = labels.get("namespace", "")
        is_wanted = not namespaces or namespace in namespaces
        if is_wanted and not any(fnmatchcase(namespace, glob) for glob in exclude):
            found.add(labels, [moments.at(each) for each in values])
    is_partial = bool(answer.get("warnings"))
    whole = () if is_partial else tuple(sorted(found.told - found.not_told))
    return SampledWindow(since, until, tuple(found.containers()), whole)


@dataclass(slots=True)
class _Moments:
    """The moments of a window by the seconds in which samples give them."""

    since: datetime
    until: datetime
    _read: dict[Any, datetime] = field(default_factory=dict)

    def at(self, sample: Any) -> datetime:
        match sample:
            case [int() | float() as seconds, str()] if seconds in self._read:
                return self._read[seconds]
            case [int() | float() as seconds, str()] if 0 < seconds < _LATEST:
                at = datetime.fromtimestamp(seconds, UTC)
                if self.since <= at <= self.until and not (at - self.since) % STEP:
                    self._read[seconds] = at
                    return at
        raise NoSeries("answered with samples of moments that were not asked for; check what answers there")


@dataclass(slots=True)
class _Found:
    """What the samples show, as they are read; `told` are all moments with one, and `not_told` those at which one
    leaves open what runs."""

    owners: "_Owners"
    told: set[datetime] = field(default_factory=set)
    not_told: set[datetime] = field(default_factory=set)
    _pods: dict[Key, dict[str, set[datetime]]] = field(default_factory=dict)
    """At which moments which pods show it."""
    _images: dict[Key, tuple[datetime, str]] = field(default_factory=dict)

    def add(self, labels: Labels, moments: Sequence[datetime]) -> None:
        if not moments:
            return
        self.told.update(moments)
        place, digest = self.owners.place_of(labels), digest_in(labels.get("image_id"))
        image = labels.get("image_spec") or labels.get("image", "")
        if place is None or digest is None or not image.isprintable():
            self.not_told.update(moments)
            return
        key = place, digest
        self._pods.setdefault(key, {}).setdefault(labels["pod"], set()).update(moments)
        self._images[key] = max(self._images.get(key, (moments[0], "")), (max(moments), image[:_LONGEST_IMAGE]))

    def containers(self) -> Iterator[SampledContainer]:
        for (place, digest), pods in self._pods.items():
            seen = tuple(sorted(set().union(*pods.values())))
            last = sum(seen[-1] in moments for moments in pods.values())
            yield SampledContainer(place, digest, self._images[place, digest][1], seen, last)


@dataclass(frozen=True, slots=True)
class _Owners:
    """Who keeps pods, and ReplicaSets, by namespace and name."""

    of_pods: Mapping[tuple[str, str], Owner]
    of_sets: Mapping[tuple[str, str], Owner]

    def place_of(self, labels: Labels) -> RunningPlace | None:
        """None where it is not told, or by no names of such things."""
        namespace, pod, container = (labels.get(name, "") for name in ("namespace", "pod", "container"))
        owner = self.of_pods.get((namespace, pod))
        if owner is None:
            return None
        kind, workload = owner if owner[0] else ("Pod", pod)
        if kind == "ReplicaSet":
            above = self.of_sets.get((namespace, workload))
            if above is None:
                return None
            kind, workload = above if above[0] else (kind, workload)
        if kind == "Job" and (of_cron_job := OF_CRON_JOB.fullmatch(workload)):
            kind, workload = "CronJob", of_cron_job[1]
        short = all(_is_name(each, _LONGEST_LABEL) for each in (namespace, kind, container))
        return RunningPlace(namespace, kind, workload, container) if short and _is_name(workload) else None


def _owners(series: Iterable[tuple[Labels, list[Any]]]) -> _Owners:
    pods, sets = dict[tuple[str, str], Owner](), dict[tuple[str, str], Owner]()
    for labels, _ in series:
        by_name, kept = {_PODS: ("pod", pods), _SETS: ("replicaset", sets)}.get(
            labels.get("__name__", ""), ("", None)
        )
        kind = labels.get("owner_kind", "")
        is_nobodys = kind in _NOBODY
        if kept is not None and (is_nobodys or labels.get("owner_is_controller") == "true"):
            owner = ("", "") if is_nobodys else (kind, labels.get("owner_name", ""))
            kept[labels.get("namespace", ""), labels.get(by_name, "")] = owner
    return _Owners(pods, sets)


def _series(series: Any) -> tuple[Labels, list[Any]]:
    match series:
        case {"metric": dict() as labels, "values": list() as values} if all(
            isinstance(value, str) for value in labels.values()
        ):
            return labels, values
    raise NoSeries("answered with series that are none; check what answers there")


def _check_labels(containers: Iterable[Labels]) -> None:
    clusters = set[str]()
    for labels in containers:
        if any(name in labels for name in _EXPORTED):
            raise NoSeries(
                "names kube-state-metrics itself in each label; set honor_labels: true where it is scraped"
            )
        clusters.add(labels.get(_CLUSTER, ""))
    if len(clusters) > 1:
        shown = ", ".join(repr(name)[:_LONGEST_LABEL] for name in sorted(clusters)[:3])
        raise NoSeries(f"keeps several clusters ({shown}); name the one of this source under past.labels")


def _is_name(value: str, longest: int = _LONGEST_NAME) -> bool:
    return 0 < len(value) <= longest and value.isprintable()
