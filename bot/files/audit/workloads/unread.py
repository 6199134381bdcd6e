"""What a chart runs of which its own templates show nothing: each place is one unknown for each question.

A library's workload, a pod or containers that a helper puts in, a container in a branch that only a rendering
decides, a template that cannot be rendered here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.repositories.finding import Place
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads import helm
from bot.files.audit.workloads.helm import HelmChart, may_hold
from bot.files.audit.workloads.helm_rendering import HIDDEN
from bot.files.audit.workloads.kubernetes import (
    CONTAINER_LISTS,
    branch_containers,
    is_hidden,
    shown_kind,
    way_to_spec,
)
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

_NAME = re.compile(r"\b(?:include|template)\s+[\"`](?P<name>[^\"`]+)[\"`]")
_RUNS = re.compile(
    r"deployment|workload|stateful|daemon|cron|job|pod(?!disruption|monitor)|controller", re.IGNORECASE
)
_RUNS_NOTHING = re.compile(
    r"service|ingress|config-?map|secret|hpa|autoscal|pdb|disruption|monitor|role|binding|rbac|pvc|persistent|volume"
    r"|storage|network-?policy|net-?pol|notes|crd|namespace|route|gateway|certificate|issuer|labels|rule|quota|limit",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UnreadWorkload:
    """A place of a template behind which containers may be. `is_pod`: nothing of their pod is seen either."""

    place: Place
    subject: str
    message: str
    is_pod: bool


def unread_workloads(repository: RepositoryTexts) -> list[UnreadWorkload]:
    """Returns all such places, in the order of the charts. Never raises."""
    return repository.kept(_unread_workloads)


def _unread_workloads(repository: RepositoryTexts) -> list[UnreadWorkload]:
    places: dict[tuple[str, int], UnreadWorkload] = {}
    for chart in helm.charts(repository):
        for each in _of_chart(repository, chart):
            places.setdefault((each.place.path, each.place.start), each)
    return list(places.values())


def _of_chart(repository: RepositoryTexts, chart: HelmChart) -> Iterator[UnreadWorkload]:
    subject = f"chart {chart.name}"
    seen = {(each.place.path, each.place.start) for each in branch_containers(repository)}
    for path in chart.unread:
        text = repository.text(path)
        names = (match["name"] for match in _NAME.finditer(text))
        if "containers:" in text or any(map(_RUNS.search, names)):
            yield UnreadWorkload(Place(path, 1, 1), subject, "the template cannot be rendered here", is_pod=True)
    for path in chart.unread_branches:
        if not any(path == in_branch for in_branch, _ in seen):
            why = "the branches that the chart's own values do not take cannot be rendered here"
            yield UnreadWorkload(Place(path, 1, 1), subject, why, is_pod=False)
    for path, mark in chart.without_kind:
        place = repository.place(mark, path)
        name = _name_at(repository, place)
        if _may_run(name, path):
            yield UnreadWorkload(place, subject, f"what {name or 'a helper'} puts here is not read", is_pod=True)
    for path, manifest in chart.objects:
        name_of_object = word(manifest.mapping("metadata").get("name")) or "?"
        kind = shown_kind(manifest)
        label = "" if is_hidden(manifest.mapping("metadata").get("name")) else f"/{name_of_object}"
        for node, is_pod in _hidden_in(manifest):
            place = repository.place(node, path)
            name = _name_at(repository, place)
            if not name and any(path == in_branch and place.start <= line for in_branch, line in seen):
                continue
            what = f"what {name} puts here" if name else "what stands in a branch of the template"
            yield UnreadWorkload(place, f"{kind}{label} ({subject})", f"{what} is not read", is_pod)


def _name_at(repository: RepositoryTexts, place: Place) -> str:
    """The helper that a line of a template calls; empty where it calls none."""
    match = _NAME.search(repository.lines(place.path).of(place.start)) if place.path in repository else None
    return match["name"] if match is not None else ""


def _may_run(name: str, path: str) -> bool:
    """Whether a helper that makes a whole object may make one that runs containers, as far as names tell."""
    if _RUNS.search(name):
        return True
    return not _RUNS_NOTHING.search(name) and not _RUNS_NOTHING.search(path.rpartition("/")[2])


def _hidden_in(manifest: Mapping) -> Iterator[tuple[Node, bool]]:
    """The marks behind which an object's pod or containers are, and whether it is the pod."""
    way = way_to_spec(manifest)
    if way is None:
        return
    spec = manifest
    for key in way:
        below = spec.get(key)
        if not isinstance(below, Mapping):
            mark = below if below is not None and is_hidden(below) else _mark(spec, key)
            if mark is not None:
                yield mark, True
            return
        spec = below
    is_seen = isinstance(spec.get("containers"), Sequence)
    if not is_seen and (mark := _mark(spec, "containers")) is not None:
        yield mark, True
    for key, _ in CONTAINER_LISTS:
        listed = spec.get(key)
        if isinstance(listed, Mapping) and (mark := _mark(listed)) is not None:
            yield mark, key == "containers"
        elif isinstance(listed, Sequence):
            yield from ((item, False) for item in listed.items if _is_mark(item))


def _is_mark(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value.startswith(HIDDEN)


def _mark(mapping: Mapping, *keys: str) -> Scalar | None:
    """The first mark in a mapping behind which one of these keys may be; any where none is named."""
    return next(
        (
            key
            for key, _ in mapping.own.values()
            if key.value.startswith(HIDDEN) and may_hold(Mapping(0, {key.value: (key, key)}), *keys)
        ),
        None,
    )
