"""What a forge is told of the places where its repositories' images run: a record for each place.

Source: GitHub's description of deployment records. A record goes by cluster, environment and a name that is unique
there; written again, it is changed. There is no history of it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.running.snapshot import RunningPlace

MOST_AT_ONCE = 1000
"""Records that one request takes."""
_LONGEST = 256
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A build that a place runs: `name` is the place's in its cluster, `image` and `digest` name the artifact, and
    `repository`, without its owner, has built it. It is gone where nothing runs there any more."""

    name: str
    image: str
    digest: str
    repository: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class BuiltRun:
    """A build of a repository that runs in a place, since that time."""

    place: RunningPlace
    image: str
    digest: str
    repository: str
    since: datetime


def records_of(runs: Iterable[BuiltRun]) -> dict[str, DeploymentRecord]:
    """The record of each place, by its name: of several builds in one place the one that began last."""
    newest: dict[RunningPlace, BuiltRun] = {}
    for run in sorted(runs, key=lambda run: (run.since, run.digest)):
        newest[run.place] = run
    names = record_names(newest)
    return {
        names[place]: DeploymentRecord(names[place], run.image[:_LONGEST], run.digest, run.repository)
        for place, run in newest.items()
    }


def record_names(places: Iterable[RunningPlace]) -> dict[RunningPlace, str]:
    """The names of places in their cluster, as GitHub advises: namespace, workload and container. Those that would
    be the same, or too long, end with a part of their hash."""
    plain = {place: f"{place.namespace}-{place.workload}-{place.container}" for place in places}
    times = Counter(plain.values())
    return {
        place: name if times[name] == 1 and len(name) <= _LONGEST else _with_hash(name, place)
        for place, name in plain.items()
    }


def _with_hash(name: str, place: RunningPlace) -> str:
    whole = "/".join((place.namespace, place.kind, place.workload, place.container))
    return f"{name[: _LONGEST - _DIGITS - 1]}-{hashlib.sha256(whole.encode()).hexdigest()[:_DIGITS]}"


def records_due(
    recorded: Mapping[str, DeploymentRecord], running: Mapping[str, DeploymentRecord]
) -> tuple[DeploymentRecord, ...]:
    """What has to be written so that the forge knows what is running: what is new, differs, or is gone."""
    changed = (record for name, record in running.items() if recorded.get(name) != record)
    gone = (
        DeploymentRecord(name, record.image, record.digest, record.repository, is_gone=True)
        for name, record in recorded.items()
        if name not in running
    )
    return tuple(sorted((*changed, *gone), key=lambda record: record.name))
