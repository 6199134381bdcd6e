"""Charts drawn on the server, as shapes with places: a template writes them out as SVG. Colours are the page's.

Across, places are hundredths of the width, so that a chart fits any screen; down, they are pixels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log10

from bot.domain.bases.notice import PromiseRow
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.wording.words import counted, duration, in_words, percent
from bot.views.bases.promises import PromiseRecord
from bot.views.charts import Bar
from bot.views.fleet.fleet import DayOfFreshness, Standing
from bot.views.fleet.practices import PracticeWeek
from bot.views.rollouts.rollout import WaveProgress
from bot.views.rows import NoticeRow

HEIGHT = 170
_HEIGHT_OF_MOVES = 110
_BOTTOM, _TOP = 24, 12
_GAP = 0.16
"""Of a column's step, left free beside it."""


@dataclass(frozen=True, slots=True)
class BarPart:
    """A share of a bar: from where, how wide, both in hundredths."""

    kind: str
    label: str
    number: int
    start: float
    width: float


def parts(numbers: Mapping[str, int]) -> tuple[BarPart, ...]:
    """Lays out several numbers as the parts of one bar; a part that is there is seen."""
    total = sum(numbers.values())
    bar_parts: list[BarPart] = []
    start = 0.0
    for kind, number in numbers.items():
        if not number:
            continue
        width = 100 * number / total
        bar_parts.append(BarPart(str(kind), in_words(str(kind)), number, round(start, 3), round(width, 3)))
        start += width
    return tuple(bar_parts)


def spark(shares: Sequence[float | None]) -> str:
    """The points of a small line through shares, the oldest first; empty where fewer than two are known."""
    points = [(place, share) for place, share in enumerate(shares) if share is not None]
    if len(points) < 2:
        return ""
    step = 60 / (len(shares) - 1)
    return " ".join(f"{round(place * step, 1)},{round(15 - 14 * share, 1)}" for place, share in points)


_FROM_THE_LEFT = (
    *(
        RebuildState.SUCCEEDED,
        RebuildState.BUILT,
        RebuildState.MERGED,
        RebuildState.FAILED,
        RebuildState.STEPPING,
        RebuildState.PROVING,
        RebuildState.BUILDING,
    ),
    *(RebuildState.RUNNING, RebuildState.DISPATCHED, RebuildState.OPEN, RebuildState.WAITING, RebuildState.PLANNED),
)


def rebuild_parts(states: Mapping[str, int]) -> tuple[BarPart, ...]:
    """Rebuilds by their state: what is through at the left, what waits at the right."""
    order = [state.value for state in _FROM_THE_LEFT]
    others = [state for state in states if state not in order]
    return parts({state: states[state] for state in [*order, *others] if state in states})


def wave_parts(wave: WaveProgress) -> tuple[BarPart, ...]:
    """Lays out one wave as a bar."""
    tally = wave.tally
    return parts(
        {
            "ended": tally.ended - tally.failed,
            "failed": tally.failed,
            "under-way": tally.under_way,
            "waits": tally.waiting,
        }
    )


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A height at which a line is drawn, and what it stands for; `kind` sets one apart from the others."""

    y: float
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A text below a chart; `anchor` is which end of it stands at `x`."""

    x: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`says` is what a reader who does not see it is told.

    Where there are `columns`, whoever points at one is told of all that stands in it, and bars have no title.
    """

    says: str
    bars: tuple[Bar, ...]
    lines: tuple[ChartLine, ...]
    marks: tuple[Mark, ...]
    height: int = HEIGHT
    columns: tuple[Bar, ...] = ()


def outline(bars: Iterable[Bar]) -> str:
    """Bars as one path, over a width of 100: a third of what they are apart."""
    return "".join(f"M{each.x:g} {each.y:g}h{each.width:g}v{each.height:g}h-{each.width:g}z" for each in bars)


_LAG_LINES = ((60, "1 min"), (3600, "1 h"), (86400, "1 day"), (7 * 86400, "1 week"))
_PROMISE_LINES = ((60, "1 min"), (3600, "1 h"), (7 * 86400, "1 week"))
_LONGEST = 60 * 86400
_FEWEST = 24
"""So many columns fill the width; fewer stay as narrow."""


def lag_chart(lags: Sequence[NoticeRow], now: datetime) -> Chart | None:
    """How late each fix came, on a scale by powers of ten; None where nothing was measured."""
    if not lags:
        return None
    step = 100 / max(len(lags), _FEWEST)
    bars = []
    for place, lag in enumerate(lags):
        top = _height(max(lag.seconds(now), 0))
        title = f"{lag.since:%Y-%m-%d}: {lag.text}, {_worded(max(lag.seconds(now), 0))}"
        bars.append(_bar(place * step, step, top, max(HEIGHT - _BOTTOM - top, 2), lag.topic, title))
    worst = max(max(lag.seconds(now), 0) for lag in lags)
    says = f"{counted(len(lags), 'fix')} since {lags[0].since:%Y-%m-%d}, the longest {_worded(worst)}"
    lines = tuple(ChartLine(round(_height(seconds), 1), text) for seconds, text in _LAG_LINES)
    marks = [Mark(0, "start", f"{lags[0].since:%Y-%m-%d}")]
    if len(lags) > _FEWEST // 2:
        marks.append(Mark(round(len(lags) * step, 2), "end", f"{lags[-1].since:%Y-%m-%d}"))
    return Chart(says, tuple(bars), lines, tuple(marks))


_MOST_FAMILIES = 5
"""So many colours there are."""


def promise_chart(record: PromiseRecord) -> Chart:
    """How long each family took in each month, in the middle and at the longest, against what is promised."""
    families = [row.group[0] for row in record.families][:_MOST_FAMILIES]
    months = _months(row.group[0] for row in record.months)
    step = 100 / max(len(months), _FEWEST // 2)
    width = step * (1 - _GAP) / len(families)
    bars: list[Bar] = []
    for row in record.months:
        month, family = row.group
        if family not in families or not row.times:
            continue
        place = families.index(family)
        x = months.index(month) * step + place * width
        bars += _median_and_longest(row, x, width, f"family-{place + 1}")
    lines = [ChartLine(round(_height(seconds), 1), text) for seconds, text in _PROMISE_LINES]
    within = record.within.total_seconds()
    lines.append(ChartLine(round(_height(within), 1), _worded(within), "promised"))
    marks = tuple(Mark(round(place * step, 2), "start", months[place]) for place in range(0, len(months), 3))
    says = f"Promised: {record.says}. Kept {record.kept:,} of {record.times:,} times"
    return Chart(says, tuple(bars), tuple(lines), marks)


def _median_and_longest(row: PromiseRow, x: float, width: float, kind: str) -> Iterator[Bar]:
    month, family = row.group
    title = (
        f"{month} {family}: {row.kept} of {row.times} in time, {_worded(row.median.total_seconds())} in the middle,"
        f" {_worded(row.longest.total_seconds())} at the longest"
    )
    top, above = _height(row.median.total_seconds()), _height(row.longest.total_seconds())
    yield _bar(x, width, top, max(HEIGHT - _BOTTOM - top, 2), kind, title)
    if above < top:
        yield _bar(x, width, above, top - above, f"{kind} longest", title)


def _months(month_names: Iterable[str]) -> list[str]:
    """All months from the first to the last of these, which are written `2026-03`."""
    months = sorted(set(month_names))
    first, last = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (months[0], months[-1]))
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(first, last + 1)]


def _bar(x: float, step: float, top: float, height: float, kind: str, title: str = "") -> Bar:
    gap = step * _GAP
    return Bar(round(x + gap / 2, 2), round(top, 1), round(step - gap, 2), round(height, 1), kind, title)


def _height(seconds: float) -> float:
    """Places a length of time between a minute at the bottom and two months at the top."""
    share = (log10(max(seconds, 60)) - log10(60)) / (log10(_LONGEST) - log10(60))
    return HEIGHT - _BOTTOM - min(share, 1) * (HEIGHT - _BOTTOM - _TOP)


def _worded(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


_COUNTED = (Standing.CURRENT, Standing.UNKNOWN, Standing.BEHIND, Standing.FAILED, Standing.UNREADABLE)


def freshness_chart(days: Sequence[DayOfFreshness], last: int = 90) -> Chart | None:
    """How many repositories stood how on each of the last days; None before the second day."""
    if len(days) < 2:
        return None
    step = 100 / last
    today = days[-1].day
    most = max(sum(day.standings.get(each, 0) for each in _COUNTED) for day in days) or 1
    room = HEIGHT - _BOTTOM - _TOP
    bars, columns = [], []
    for day in days:
        x = (last - 1 - (today - day.day).days) * step
        y = float(HEIGHT - _BOTTOM)
        numbers = {standing: number for standing in _COUNTED if (number := day.standings.get(standing, 0))}
        for standing, number in numbers.items():
            height = room * number / most
            y -= height
            bars.append(_bar(x, step, y, height, standing.value))
        counts = ", ".join(f"{number:,} {standing.value}" for standing, number in numbers.items())
        columns.append(Bar(round(x, 2), _TOP, round(step, 2), round(room, 1), "day", f"{day.day}: {counts}"))
    first, final = _share(days[0]), _share(days[-1])
    says = f"From {days[0].day} to {today} the share of current repositories went from {first} to {final}"
    lines = (
        ChartLine(_TOP, f"{most:,}"),
        ChartLine(_TOP + room / 2, f"{most / 2:,.0f}"),
        ChartLine(HEIGHT - _BOTTOM, "0"),
    )
    begins = (last - 1 - (today - days[0].day).days) * step
    marks = [Mark(100, "end", f"{today}")]
    if begins < 60:
        marks.insert(0, Mark(round(begins, 2), "start", f"{days[0].day}"))
    return Chart(says, tuple(bars), lines, tuple(marks), columns=tuple(columns))


def _share(day: DayOfFreshness) -> str:
    total = sum(day.standings.get(each, 0) for each in _COUNTED)
    return percent(day.standings.get(Standing.CURRENT, 0) / total) if total else "nothing"


def moves_chart(weeks: Sequence[PracticeWeek]) -> Chart | None:
    """How many findings opened and closed in each week, side by side; None where nothing moved in any."""
    most = max((max(each.opened, each.closed) for each in weeks), default=0)
    if not most:
        return None
    step, room = 100 / len(weeks), _HEIGHT_OF_MOVES - _BOTTOM - _TOP
    bars: list[Bar] = []
    for place, week in enumerate(weeks):
        for side, (kind, number) in enumerate((("opened", week.opened), ("closed", week.closed))):
            height = room * number / most
            title = f"week of {week.monday}: {number:,} {kind}"
            top = _HEIGHT_OF_MOVES - _BOTTOM - height
            bars += [_bar(place * step + side * step / 2, step / 2, top, height, kind, title)] if number else []
    opened, closed = sum(each.opened for each in weeks), sum(each.closed for each in weeks)
    says = f"In {len(weeks)} weeks {opened:,} findings opened and {closed:,} closed"
    lines = (ChartLine(_TOP, f"{most:,}"), ChartLine(_HEIGHT_OF_MOVES - _BOTTOM, "0"))
    marks = tuple(Mark(round(place * step, 2), "start", f"{weeks[place].monday}") for place in (0, len(weeks) // 2))
    return Chart(says, tuple(bars), lines, marks, _HEIGHT_OF_MOVES)
