"""Times that come again and again, written as in cron, in a time zone of the operator's choice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Cron:
    """`fields` are minute, hour, day, month and weekday; `zone` is a name such as `Europe/Berlin`."""

    fields: str
    zone: str = "UTC"

    def last(self, moment: datetime) -> datetime:
        """The latest of its times that is not after `moment`, in UTC.

        In the hour that comes twice when clocks are set back, backwards alone would find an earlier one.
        """
        minute = moment.replace(second=0, microsecond=0)
        latest = next(self._times(minute + _MINUTE, reverse=True))
        while (later := self.following(latest)) <= moment:
            latest = later
        return latest

    def following(self, moment: datetime) -> datetime:
        """The first of its times after `moment`, in UTC."""
        return next(time for time in self._times(moment, reverse=False) if time > moment)

    def _times(self, moment: datetime, *, reverse: bool) -> Iterator[datetime]:
        there = moment.astimezone(ZoneInfo(self.zone))
        return (time.astimezone(UTC) for time in CronSim(self.fields, there, reverse=reverse))


def checked_cron(text: str) -> str:
    """Returns the text unchanged; raises `ValueError` where it is no cron time, or one that never comes."""
    if len(text.split()) != 5:
        raise ValueError(f"{text[:60]!r} is no cron time of five fields; write for example '0 2 * * 1'")
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"{text[:60]!r} is no cron time ({error}); write for example '0 2 * * 1'") from error
    except StopIteration:
        raise ValueError(f"{text[:60]!r} never comes; write for example '0 2 * * 1'") from None
    return text
