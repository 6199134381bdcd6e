"""Times as operators write them: durations, moments, windows, cron times and zones."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.domain.cron import checked_cron
from bot.domain.rollouts.timing.windows import Window

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST = timedelta(days=3650)
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[ T](?P<time>\d{2}:\d{2})(?::00)?)?(?: (?P<zone>[A-Za-z_/+0-9-]{1,64}))?"
)


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    duration = re.fullmatch(r"\s*([0-9]{1,10})\s*([smhd])\s*", str(value))
    if duration is None:
        raise ValueError("write a number and a unit, for example 90s, 15m, 6h or 7d")
    seconds = int(duration[1]) * _UNITS[duration[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"longer than {_LONGEST.days} days; write a shorter time")
    return timedelta(seconds=seconds)


def _interval(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("write at least 1s; the bot would ask without a pause")
    return value


def _length(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("write at least 1s")
    return value


def _written(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next((name for name in "dhm" if seconds and seconds % _UNITS[name] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def _moment(value: Any) -> datetime:
    """YAML has made a day or a moment of what stands there without quotes; a moment without a zone is in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    expected = ValueError("write for example 2026-12-20 or '2026-12-20 18:00 Europe/Berlin'")
    moment = _MOMENT.fullmatch(str(value).strip().removesuffix("Z"))
    if moment is None:
        raise expected
    try:
        there = datetime.fromisoformat(f"{moment['day']}T{moment['time'] or '00:00'}")
        return there.replace(tzinfo=ZoneInfo(moment["zone"] or "UTC")).astimezone(UTC)
    except (ValueError, KeyError, OSError, OverflowError):
        raise expected from None


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError("no such time zone; write for example Europe/Berlin") from error
    return name


def _window(value: Any) -> Window:
    return value if isinstance(value, Window) else Window.parse(str(value))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,10}\s*[smhd]\s*$", "examples": ["15m", "6h"]}),
]
Interval = Annotated[Duration, AfterValidator(_interval)]
"""A duration between two times of doing something."""
Period = Annotated[Duration, AfterValidator(_length)]
"""A duration that is not nothing."""
WindowText = Annotated[
    Window,
    BeforeValidator(_window),
    WithJsonSchema({"type": "string", "examples": ["always", "mon-fri 08:00-17:00 Europe/Berlin"]}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda at: f"{at:%Y-%m-%d %H:%M} UTC", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-20", "2026-12-20 18:00 Europe/Berlin"]}),
]
"""A moment; where it has no zone, UTC."""
CronTime = Annotated[str, Field(max_length=100), AfterValidator(checked_cron)]
"""Five fields, as in cron."""
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
"""A name of the time zone database, such as `Europe/Berlin`."""
