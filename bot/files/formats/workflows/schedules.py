"""When a workflow runs by itself.

Source: GitHub's workflow syntax, `on.schedule`: cron times in UTC, or in the `timezone` that stands beside.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.cron import Cron, checked_cron
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows.triggers import triggers_of


def schedule_entries(schedule: Node | None) -> Iterator[tuple[Scalar, Mapping]]:
    """Each cron time of `on.schedule`, with the entry that it stands in."""
    for entry in schedule.items if isinstance(schedule, Sequence) else ():
        if isinstance(entry, Mapping) and (cron := entry.scalar("cron")) is not None:
            yield cron, entry


def schedule_of(text: str) -> tuple[Cron, ...]:
    """The times at which a workflow file has it run; empty where there are none, or where one cannot be read."""
    try:
        roots = read(text)
        schedule = triggers_of(roots[0] if roots else None).get("schedule")
        return tuple(_cron(cron, entry) for cron, entry in schedule_entries(schedule))
    except (Unreadable, ValueError, ZoneInfoNotFoundError):
        return ()


def _cron(cron: Scalar, entry: Mapping) -> Cron:
    zone = entry.scalar("timezone")
    name = "UTC" if zone is None else zone.value
    ZoneInfo(name)
    return Cron(checked_cron(cron.value), name)
