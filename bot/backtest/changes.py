"""The changes of a replay as JSON Lines."""

import json
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Any

from bot.domain.bases.change import Cause, Change
from bot.domain.failure import Failure, Trouble
from bot.upstream.history.log import MCR


def change_row(change: Change) -> dict[str, Any]:
    """Writes a change as a row: `cause` and `cves` as they ended, `cause_at_detection` as it was known first.

    A withdrawal has no digests; `registry` is written where it is not mcr.microsoft.com.
    """
    gone = change.cause is Cause.WITHDRAWN
    row: dict[str, Any] = {"at": change.at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    if change.base.registry != MCR:
        row["registry"] = change.base.registry
    return row | {
        "repository": change.base.repository,
        "tag": change.base.tag,
        "from": None if gone else change.from_digest,
        "to": None if gone else change.to_digest,
        "cause": change.cause.value,
        "cause_at_detection": change.cause_at_detection.value,
        "cves": list(change.cves),
        "severity": change.severity.value if change.severity else None,
    }


def write_changes(changes: Iterable[Change], path: Path) -> int:
    """Writes all rows to `path` and returns their number; raises `Failure` where it cannot be written."""
    rows = [json.dumps(change_row(change), separators=(",", ":")) + "\n" for change in changes]
    try:
        path.write_text("".join(rows), encoding="utf-8")
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise Failure(Trouble.DENIED, what, where=str(path), advice="check folder and permissions") from None
    return len(rows)
