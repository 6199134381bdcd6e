"""What `doctor` has looked at: what it found, and the way out where something is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Health(StrEnum):
    """How one thing is; `note` is for what works, but not as well as it could."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that was looked at. `area` is what it belongs to, `way_out` what to do, empty where nothing is."""

    area: str
    subject: str
    verdict: Health
    found: str
    way_out: str = ""


def exit_code(checks: Sequence[HealthCheck]) -> int:
    """0 where all is well, 1 where something is wrong, 3 where something could not be told and nothing is wrong."""
    verdicts = {check.verdict for check in checks}
    if Health.WRONG in verdicts:
        return 1
    return 3 if Health.UNKNOWN in verdicts else 0


def as_json(checks: Sequence[HealthCheck]) -> dict[str, Any]:
    """Gives the findings as plain JSON values."""
    return {
        "checks": [
            {
                "area": check.area,
                "subject": check.subject,
                "verdict": check.verdict,
                "found": check.found,
                "way_out": check.way_out or None,
            }
            for check in checks
        ],
        "exit_code": exit_code(checks),
    }
