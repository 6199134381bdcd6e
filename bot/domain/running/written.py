"""A snapshot as JSON, which a cluster sends that is not asked.

What is read comes from outside: every text is bounded, and a document that is not wholly as it is written here is
refused with the place that is wrong.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.domain.strict_json import read_strict_json

VERSION = 1
MOST_CONTAINERS = 25_000
_MOST_LINES, _LONGEST_LINE = 1_000, 500
_LONGEST_NAMES = {"namespace": 63, "kind": 63, "workload": 253, "container": 63}
"""As Kubernetes bounds them."""
_LONGEST_IMAGE = 1_000
_MOST = 2**31 - 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class NoSnapshot(ValueError):
    """Raised for a document that is none; the text says what is wrong where, and quotes nothing."""


def written(snapshot: Snapshot) -> bytes:
    """The document. Raises `NoSnapshot` for a snapshot that nobody would take."""
    if len(snapshot.containers) > MOST_CONTAINERS:
        raise NoSnapshot(f"has more than {MOST_CONTAINERS:,} containers; tell of some namespaces as another source")
    document = {
        "version": VERSION,
        "taken_at": snapshot.taken_at.astimezone(UTC).isoformat(),
        "not_read": [_line(line) for line in snapshot.not_read[:_MOST_LINES]],
        "containers": [_written(each) for each in snapshot.containers],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST_LINE]


def _written(container: RunningContainer) -> Mapping[str, Any]:
    started_at = container.started_at
    return {
        **{name: getattr(container.place, name) for name in _LONGEST_NAMES},
        "image": container.image,
        "digest": container.digest,
        "started_at": None if started_at is None else started_at.astimezone(UTC).isoformat(),
        "restarts": container.restarts,
        "pods": container.pods,
    }


def read_snapshot(document: bytes) -> Snapshot:
    """The snapshot in a document. Raises `NoSnapshot`."""
    try:
        values = read_strict_json(document, takes_constants=False)
    except (ValueError, RecursionError):
        raise NoSnapshot("is no JSON, or names a member twice") from None
    _check_members(values, ("version", "taken_at", "not_read", "containers"), "the document")
    if values["version"] != VERSION:
        raise NoSnapshot(f"version is not {VERSION}; run the same version of freshness-bot on both sides")
    taken_at = _moment(values["taken_at"], "taken_at")
    if taken_at is None:
        raise NoSnapshot("taken_at is missing")
    lines = _list(values["not_read"], "not_read", _MOST_LINES)
    not_read = tuple(_text(line, f"not_read.{number}", _LONGEST_LINE) for number, line in enumerate(lines))
    entries = _list(values["containers"], "containers", MOST_CONTAINERS)
    containers = tuple(_container(each, f"containers.{number}") for number, each in enumerate(entries))
    return Snapshot(taken_at, containers, not_read)


def _container(values: Any, place: str) -> RunningContainer:
    _check_members(values, (*_LONGEST_NAMES, "image", "digest", "started_at", "restarts", "pods"), place)
    digest = values["digest"]
    if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise NoSnapshot(f"{place}.digest is not sha256: and 64 digits")
    return RunningContainer(
        RunningPlace(
            *(
                _text(values[name], f"{place}.{name}", longest, is_name=True)
                for name, longest in _LONGEST_NAMES.items()
            )
        ),
        _text(values["image"], f"{place}.image", _LONGEST_IMAGE),
        digest,
        _moment(values["started_at"], f"{place}.started_at"),
        _number(values["restarts"], f"{place}.restarts", 0),
        _number(values["pods"], f"{place}.pods", 1),
    )


def _check_members(values: Any, members: tuple[str, ...], place: str) -> None:
    if not isinstance(values, dict) or values.keys() != set(members):
        raise NoSnapshot(f"{place} has not the members {', '.join(members)}")


def _list(value: Any, place: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise NoSnapshot(f"{place} is no list of at most {most:,}")
    return value


def _text(value: Any, place: str, longest: int, *, is_name: bool = False) -> str:
    if not isinstance(value, str) or len(value) > longest or not value.isprintable() or (is_name and not value):
        raise NoSnapshot(f"{place} is no line of at most {longest} characters")
    return value


def _number(value: Any, place: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise NoSnapshot(f"{place} is no number from {least} to {_MOST}")
    return value


def _moment(value: Any, place: str) -> datetime | None:
    """A moment with its zone, or None where it is null."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise NoSnapshot(f"{place} is no time such as 2026-11-24T09:30:00+00:00")
