"""What Microsoft attaches to an image that it no longer maintains: a lifecycle artifact with the last day.

Source: "Vulnerability reporting" of dotnet/dotnet-docker. An image with none attached is not marked as at its end.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

LIFECYCLE = "application/vnd.microsoft.artifact.lifecycle"
END_OF_LIFE = "vnd.microsoft.artifact.lifecycle.end-of-life.date"

_CREATED = "org.opencontainers.image.created"
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def end_of_life_day(referrers: Iterable[Mapping[str, Any]]) -> date | None:
    """The day on which an image reached its end, from the manifests of what refers to it; nothing where unmarked.

    Of several artifacts the one created last counts, as a date may be corrected by attaching another.
    """
    marked = [
        (_moment(annotations.get(_CREATED)), ended)
        for referrer in referrers
        if referrer.get("artifactType") == LIFECYCLE
        and isinstance(annotations := referrer.get("annotations"), Mapping)
        and (ended := _day(annotations.get(END_OF_LIFE))) is not None
    ]
    return max(marked)[1] if marked else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else _EARLIEST
    except ValueError:
        return _EARLIEST
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
