"""What one source told of its running containers at one time.

A source is a cluster, or whatever else the settings name under `running.sources`. The name of an image in a pod can
be another repository's with the same content, so a container is known by its digest; the name is kept for people.
"""

from dataclasses import dataclass
from datetime import datetime

AZURE_KINDS = ("ContainerApp", "WebApp", "ContainerGroup")
"""Workloads of which only the template is told, and no digest where that names a tag."""


@dataclass(frozen=True, slots=True, order=True)
class RunningPlace:
    """One container of one workload, the same over all its pods and restarts."""

    namespace: str
    kind: str
    """Of the workload that keeps the pods: `Deployment`, `CronJob`; `Pod` where nothing does. In Azure one of
    `AZURE_KINDS`, and the namespace is a resource group."""
    workload: str
    container: str


@dataclass(frozen=True, slots=True)
class RunningContainer:
    """One digest in one place. A place that is being rolled out runs several."""

    place: RunningPlace
    image: str
    """As the workload names it."""
    digest: str | None
    """`sha256:…` as the node tells it: of an index, a platform's manifest or a config. None: not pulled yet, or
    named by a tag where nothing else is told."""
    started_at: datetime | None
    """Of the oldest pod that is seen. A restart moves it, so it begins a run only where none is known."""
    restarts: int
    pods: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The running containers of a source; whole unless `not_read` says which parts are missing."""

    taken_at: datetime
    containers: tuple[RunningContainer, ...]
    not_read: tuple[str, ...] = ()
    """One line for each part that could not be read, with why."""

    @property
    def is_whole(self) -> bool:
        """Whether what is not listed does not run. Only then may a run be closed."""
        return not self.not_read
