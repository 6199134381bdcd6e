"""When work may start: weekly windows in a time zone of the operator's choice, and freezes, in which nothing
begins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.feeds.advisory import Severity

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(
    r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+"
    r"(?P<start>\d{1,2}:\d{2})-(?P<end>\d{1,2}:\d{2})(?:\s+(?P<zone>\S+))?"
)
_EXPECTED = "write 'always' or for example 'mon-fri 08:00-17:00 Europe/Berlin'"


@dataclass(frozen=True, slots=True)
class Window:
    """Days (0 is Monday) and a time of day; `end` after midnight belongs to the day that it began on."""

    days: frozenset[int] = frozenset(range(7))
    start: time = time(0)
    end: time | None = None
    zone: str = "UTC"

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Reads `always` or such as `mon-fri 08:00-17:00 Europe/Berlin`; raises `ValueError` with that form."""
        if text.strip().lower() == "always":
            return ALWAYS
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text[:60]!r} is no window; {_EXPECTED}")
        try:
            first = _DAYS.index(match["first"])
            last = _DAYS.index(match["last"] or match["first"])
            start, end = _time(match["start"]), _time(match["end"])
            zone = match["zone"] or "UTC"
            ZoneInfo(zone)
        except (ValueError, KeyError, OSError) as error:
            raise ValueError(f"{text[:60]!r} is no window: {error}; {_EXPECTED}") from error
        days = frozenset((first + offset) % 7 for offset in range((last - first) % 7 + 1))
        return cls(days, start, end, zone)

    def next_opening(self, moment: datetime) -> datetime:
        """`moment` itself where the window is open then, else the next moment when it opens (UTC)."""
        if self.end is None:
            return moment
        zone = ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        for offset in range(-1, 15):
            day = today + timedelta(days=offset)
            if day.weekday() not in self.days:
                continue
            # In UTC, since moments of one zone compare by their wall time, which repeats when summer ends.
            opens = datetime.combine(day, self.start, zone).astimezone(UTC)
            last = day + timedelta(days=1) if self.end <= self.start else day
            closes = datetime.combine(last, self.end, zone).astimezone(UTC)
            if max(opens, moment) < closes:
                return max(opens, moment.astimezone(UTC))
        raise AssertionError("a window with a day opens within two weeks, even where summer swallows it once")


ALWAYS = Window()


def next_opening(windows: Sequence[Window], moment: datetime) -> datetime:
    """The earliest time from `moment` on when any of the windows is open."""
    return min((window.next_opening(moment) for window in windows), default=moment)


def _time(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(0) if text == "24:00" else time(int(hour), int(minute))


@dataclass(frozen=True, slots=True)
class Freeze:
    """From `since` until before `until` nothing is begun, except what fixes a CVE at least `except_severity`."""

    since: datetime
    until: datetime
    reason: str
    except_severity: Severity | None = None

    def holds(self, moment: datetime, severity: Severity | None) -> bool:
        """Whether work that fixes a CVE of `severity` (None: no CVE) may not begin at that moment."""
        if not self.since <= moment < self.until:
            return False
        is_severe = (
            self.except_severity is not None and severity is not None and severity.rank >= self.except_severity.rank
        )
        return not is_severe


def frozen_by(freezes: Sequence[Freeze], moment: datetime, severity: Severity | None) -> Freeze | None:
    """The freeze that holds work back at a moment; of several, the one that ends last."""
    holding = [freeze for freeze in freezes if freeze.holds(moment, severity)]
    return max(holding, key=lambda freeze: freeze.until, default=None)


def thawed(freezes: Sequence[Freeze], moment: datetime, severity: Severity | None) -> datetime:
    """The first moment from `moment` on in which no freeze holds work of that severity back."""
    while (freeze := frozen_by(freezes, moment, severity)) is not None:
        moment = freeze.until
    return moment
