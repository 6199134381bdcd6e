"""The report for scripts: lengths of time in seconds, moments in RFC 3339."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from bot.backtest.report import ReplayReport
from bot.domain.reference import Base


def render(report: ReplayReport) -> str:
    """One object; the changes themselves are left to `--changes`, their number stands for them."""
    left_out = {"changes"} if report.rollouts is not None else {"changes", "rollouts"}
    body = {
        field.name: _plain(getattr(report, field.name)) for field in fields(report) if field.name not in left_out
    }
    totals = {
        "changes": len(report.changes),
        "pull_requests": report.pull_requests,
        "dispatches": report.dispatches,
        "messages": report.messages,
    }
    return json.dumps(body | totals, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    match value:
        case Base():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Enum():
            return value.value
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
