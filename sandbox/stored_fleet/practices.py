"""How the fleet stood to the practices over the last weeks: better from week to week, with a gap and a set-back."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from bot.files.audit.rules import RULES

WEEKS = 14
_GAP = 5
"""So many weeks ago nobody counted."""
_SET_BACK = 3
"""So many weeks ago new findings came with new repositories."""


def judged_rows(repositories: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Each repository as the audit has left it."""
    due_at = now + timedelta(days=9)
    for number in range(1, repositories + 1):
        yield {"repository_id": number, "mark": "x", "audited_at": now, "due_at": due_at, "files": {}}


def day_rows(repositories: int, today: date) -> Iterator[dict[str, Any]]:
    """How many repositories stood how, day by day."""
    for back in range(WEEKS * 7):
        if back // 7 == _GAP:
            continue
        for check in (rule.check for rule in RULES):
            for outcome, number in _counts(check, back, repositories).items():
                row = {"day": today - timedelta(days=back), "practice": check, "outcome": outcome}
                yield {**row, "repositories": number}


def _counts(check: str, back: int, repositories: int) -> dict[str, int]:
    holds = _holding(check, back, repositories)
    counts = {"holds": holds, "unknown": repositories // 9, "waived": repositories // 40}
    return {**counts, "fails": max(0, repositories - sum(counts.values()))}


def outcome_rows(repositories: int) -> Iterator[dict[str, Any]]:
    """How each repository stands today, by which today's counts come about."""
    for check in (rule.check for rule in RULES):
        counts = _counts(check, 0, repositories)
        outcomes = [outcome for outcome, number in counts.items() for _ in range(number)]
        for place, outcome in enumerate(outcomes):
            repository = (place + sum(map(ord, check))) % repositories + 1
            yield {"repository_id": repository, "practice": check, "outcome": outcome}


def week_rows(repositories: int, today: date) -> Iterator[dict[str, Any]]:
    """What opened and closed in each week."""
    monday = today - timedelta(days=today.weekday())
    for back in range(WEEKS):
        for check in (rule.check for rule in RULES):
            moved = abs(_holding(check, back * 7, repositories) - _holding(check, back * 7 + 7, repositories))
            opened = moved if back == _SET_BACK else moved // 4
            yield {"week": monday - timedelta(weeks=back), "practice": check, "opened": opened, "closed": moved}


def _holding(check: str, back: int, repositories: int) -> int:
    """From two to nine tenths now, and less the further back; each check gets better at a pace of its own."""
    seed = sum(map(ord, check))
    now, pace = 0.3 + (seed % 55) / 100, (seed % 7) / 100
    dip = 0.06 if back // 7 == _SET_BACK else 0.0
    return round(repositories * 0.85 * max(0.05, now - pace * back / 7 - dip))
