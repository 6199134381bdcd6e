"""Charts drawn on the server, as shapes with places: a template writes them out as SVG. Colours are the page's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import log10

from bot.domain.wording.words import duration
from bot.views.fleet.fleet import DayOfFreshness, Standing
from bot.views.rows import NoticeRow

WIDTH, HEIGHT = 720, 160
_LEFT, _BOTTOM, _TOP = 84, 24, 14


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a bar: from where, how wide, both in hundredths."""

    kind: str
    label: str
    number: int
    start: float
    width: float


def parts(numbers: Mapping[str, int], labels: Mapping[str, str] | None = None) -> tuple[Part, ...]:
    """Several numbers as the parts of one bar; a part that is there is seen."""
    total = sum(numbers.values())
    found: list[Part] = []
    at = 0.0
    for kind, number in numbers.items():
        if not number:
            continue
        width = 100 * number / total
        found.append(
            Part(str(kind), (labels or {}).get(str(kind), str(kind)), number, round(at, 3), round(width, 3))
        )
        at += width
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place of a chart."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a chart; `kind` gives its colour, `title` is told to whoever points at it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`says` is what a reader who does not see it is told; `lines` are heights at which a line is drawn."""

    says: str
    columns: tuple[Column, ...]
    lines: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


_LAG_LINES = ((60, "1 min"), (3600, "1 h"), (86400, "1 day"), (7 * 86400, "1 week"))
_LONGEST = 60 * 86400


def lag_chart(lags: Sequence[NoticeRow], now: datetime) -> Chart | None:
    """How late each fix came, on a scale by powers of ten; None where nothing was measured."""
    if not lags:
        return None
    step = (WIDTH - _LEFT) / max(len(lags), 12)
    columns = []
    for place, lag in enumerate(lags):
        seconds = max(lag.seconds(now), 0)
        top = _height(seconds)
        columns.append(
            Column(
                round(_LEFT + place * step + 1, 1),
                round(top, 1),
                round(max(step - 3, 2), 1),
                round(max(HEIGHT - _BOTTOM - top, 2), 1),
                lag.topic,
                f"{lag.since:%Y-%m-%d}: {lag.text}",
            )
        )
    worst = max(max(lag.seconds(now), 0) for lag in lags)
    says = f"{len(lags)} measured lags since {lags[0].since:%Y-%m-%d}, the longest {_worded(worst)}"
    lines = tuple(Mark(_LEFT, round(_height(seconds), 1), text) for seconds, text in _LAG_LINES)
    ends = {lags[0].since.date(): 0, lags[-1].since.date(): len(lags) - 1}
    marks = tuple(
        Mark(round(_LEFT + place * step, 1), HEIGHT - 6, f"{day:%Y-%m-%d}") for day, place in ends.items()
    )
    return Chart(says, tuple(columns), lines, marks)


def _height(seconds: float) -> float:
    """From a minute at the bottom to two months at the top."""
    share = (log10(max(seconds, 60)) - log10(60)) / (log10(_LONGEST) - log10(60))
    return HEIGHT - _BOTTOM - min(share, 1) * (HEIGHT - _BOTTOM - _TOP)


def _worded(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


_COUNTED = (Standing.CURRENT, Standing.UNKNOWN, Standing.BEHIND, Standing.FAILED, Standing.UNREADABLE)


def freshness_chart(days: Sequence[DayOfFreshness], last: int = 90) -> Chart | None:
    """How many repositories stood how on each of the last days; None before the second day."""
    if len(days) < 2:
        return None
    step = (WIDTH - _LEFT) / last
    today = days[-1].day
    most = max(sum(day.standings.get(each, 0) for each in _COUNTED) for day in days) or 1
    room = HEIGHT - _BOTTOM - _TOP
    columns = []
    for day in days:
        x = _LEFT + (last - 1 - (today - day.day).days) * step
        y = float(HEIGHT - _BOTTOM)
        for standing in _COUNTED:
            number = day.standings.get(standing, 0)
            height = room * number / most
            y -= height
            if number:
                title = f"{day.day}: {number} {standing.value}"
                columns.append(
                    Column(round(x, 1), round(y, 1), round(step - 0.8, 1), round(height, 2), standing.value, title)
                )
    first, final = _share(days[0]), _share(days[-1])
    says = f"From {days[0].day} to {today} the share of current repositories went from {first} to {final}"
    lines = (Mark(_LEFT, _TOP, f"{most:,}"), Mark(_LEFT, HEIGHT - _BOTTOM, "0"))
    marks = (_day_mark(days[0].day, today, step, last), Mark(WIDTH - 110, HEIGHT - 6, f"{today}"))
    return Chart(says, tuple(columns), lines, marks)


def _day_mark(day: date, today: date, step: float, last: int) -> Mark:
    x = _LEFT + (last - 1 - (today - day).days) * step
    return Mark(round(min(x, WIDTH - 240), 1), HEIGHT - 6, f"{day}")


def _share(day: DayOfFreshness) -> str:
    total = sum(day.standings.get(each, 0) for each in _COUNTED)
    return f"{day.standings.get(Standing.CURRENT, 0) / total:.0%}" if total else "nothing"
