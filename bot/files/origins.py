"""Manifests that are no source: what a cluster gave out, and what was rendered of a chart.

Sources: Kubernetes' API conventions (metadata that a server sets alone), and the comments of `helm template`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

_OF_CLUSTER = re.compile(
    r"^[ \t]+(?:resourceVersion:[ \t]*[\"']?\d|managedFields:[ \t]*$|selfLink:[ \t]*[\"']?/api)", re.M
)
"""What a server writes into an object that it gives out, and nobody else."""
_RENDERED = re.compile(
    r"^# Source: (?P<chart>[\w.-]+)(?P<path>(?:/charts/[\w.-]+)*/(?:templates|crds)/[\w./-]+)[ \t]*\r?$", re.M
)


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """What a file that is no source comes from; `source` is the folder of its chart, if the repository has it."""

    message: str
    source: str = ""


def origin_of(text: str, charts: Collection[str], paths: Collection[str]) -> FileOrigin | None:
    """What a manifest comes from that is no source; None for one that is, or does not say."""
    if (rendered := _RENDERED.search(text)) is not None:
        named = (each for each in charts if each.rpartition("/")[2] == rendered["chart"])
        folders = [each for each in named if f"{each}{rendered['path']}" in paths]
        return FileOrigin("it was rendered of a chart", folders[0] if len(folders) == 1 else "")
    if _OF_CLUSTER.search(text) is not None and "apiVersion:" in text:
        return FileOrigin("it is what a cluster gave out")
    return None
