"""The job summary: what moved and why, how each repository stands, what waits for people, and what may be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.commands.action.state import Keeping
from bot.domain.bases.change import Change
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted, duration, first_few
from bot.fleet.assess.wording import describe
from bot.fleet.report.messages.phrases import short, shown_time
from bot.views.doctor import Health, HealthCheck
from bot.views.fleet.fleet import IN_WORDS, Fleet, RepositoryRow, Standing
from bot.views.fleet.staleness import Left, Staleness, lacks_in_words
from bot.views.fleet.status import Status
from bot.views.names import short_digest
from bot.views.rollouts.rebuilds import what

_CALM = (Standing.CURRENT, Standing.LEFT_ALONE, Standing.NO_BASE)
"""Of these repositories nothing is to be said one by one."""
_MOST_ROWS = 100
_MOST_LEFT = 10
_MOST_PROBLEMS = 20
_BY_ITSELF = (
    "This run used the workflow's own token. Checks of the pull requests that it opens wait until somebody with "
    "write access approves them, and it sees this repository alone; with a GitHub App neither is so."
)
_DRY = "This was a dry run: nothing was written, neither to a repository nor to the state."
_LOST = (
    "**The state of earlier runs is gone.** Everything was looked at for the first time again: what moved since "
    "then is not told, and pauses, holds and quarantines of people are forgotten."
)


@dataclass(frozen=True, slots=True)
class JobNews:
    """What one run of the workflow tells. It `began` at that moment; `changes` of bases are those that it saw."""

    began: datetime
    now: datetime
    status: Status
    fleet: Fleet
    staleness: Staleness
    changes: Sequence[Change] = ()
    rights: Sequence[HealthCheck] = ()
    problems: Sequence[str] = ()
    keeping: Keeping = Keeping.KEPT
    passes: int = 1
    is_own_token: bool = False
    is_dry: bool = False
    is_lost: bool = False
    last_run: datetime | None = None

    @property
    def moved(self) -> int:
        """How many bases were seen to move in this run."""
        return len({change.base for change in self.changes})

    @property
    def going_on(self) -> tuple[Rebuild, ...]:
        """The rebuilds that have not ended."""
        return tuple(each for each in self.status.rebuilds if not each.state.has_ended)

    @property
    def open_requests(self) -> int:
        return sum(each.state is RebuildState.OPEN for each in self.going_on)

    @property
    def failed(self) -> int:
        return self.fleet.standings.get(Standing.FAILED, 0)


def job_summary(news: JobNews) -> str:
    """Renders it as GitHub's Markdown; everything from outside is escaped."""
    parts = [
        f"## {_title(news)}",
        *([_DRY] if news.is_dry else []),
        *([_LOST] if news.is_lost else []),
        *_section("Needs attention", [f"- {markdown(line)}" for line in _attention(news)]),
        *_section("Moved in this run", [f"- {markdown(describe(change))}" for change in news.changes]),
        *_section("Under way", _rebuild_table(news)),
        *_section("Repositories", _repository_table(news)),
        *_section("Behind what their bases show", _stale(news)),
        *_section("Rights", _rights(news)),
        *([_BY_ITSELF] if news.is_own_token else []),
        f"<sub>{_footer(news)}</sub>",
    ]
    return "\n\n".join(parts) + "\n"


def _title(news: JobNews) -> str:
    if not news.status.repositories:
        return "No repository is read yet"
    current = news.fleet.standings.get(Standing.CURRENT, 0)
    bases = counted(len(news.status.bases), "base")
    return f"{current:,} of {counted(news.fleet.followed, 'repository')} on {bases} stand on what their bases show"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"### {title}", "\n".join(lines)] if lines else []


def _attention(news: JobNews) -> list[str]:
    """What somebody has to do, the worst first, each line once."""
    lines = list(dict.fromkeys(news.problems))
    lines += [f"{name}: {error}" for name, error in news.status.unreadable]
    more = len(lines) - _MOST_PROBLEMS
    return [*map(short, lines[:_MOST_PROBLEMS]), *([f"and {more:,} more, which the log has"] if more > 0 else [])]


def _rebuild_table(news: JobNews) -> list[str]:
    """What has not ended: pull requests to be merged first, then what the bot follows, then what waits."""
    going_on = sorted(
        news.going_on,
        key=lambda each: (each.state is not RebuildState.OPEN, each.state.awaits_action, each.repository),
    )
    rows = []
    for each in going_on[:_MOST_ROWS]:
        why = markdown(short(_why(news, each)))
        rows.append(_cells(markdown(each.repository), _linked(what(each), each.url), each.state, why))
    return _table(("repository", "rebuild", "state", "why"), rows, len(going_on))


def _why(news: JobNews, rebuild: Rebuild) -> str:
    """What it waits for where it has not begun, else its reason."""
    hold = news.status.waits.get(rebuild.id)
    return rebuild.reason if hold is None else hold.reason


def _repository_table(news: JobNews) -> list[str]:
    """Those that do not stand on what their bases show though nothing is under way there, and what their standing
    means; the others are counted in the title."""
    under_way = {each.repository for each in news.going_on}
    rows = [row for row in news.fleet.repositories.items if row.standing not in _CALM and row.name not in under_way]
    meanings = dict.fromkeys(f"- {_in_words(row.standing)}: {IN_WORDS[row.standing]}" for row in rows)
    more = news.fleet.repositories.total - len(news.fleet.repositories.items)
    table = _table(("repository", "stands", "since", "last rebuild"), [_row(row) for row in rows], len(rows) + more)
    return [*table, "", *meanings] if table else []


def _in_words(standing: Standing) -> str:
    return standing.value.replace("-", " ")


def _row(row: RepositoryRow) -> str:
    since = "" if row.behind_since is None else f"{row.behind_since:%Y-%m-%d}"
    rebuild = "" if row.rebuild is None else _linked(row.rebuild, row.url)
    return _cells(markdown(row.name), _in_words(row.standing), since, rebuild)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _table(heads: Sequence[str], rows: Sequence[str], in_all: int) -> list[str]:
    if not rows:
        return []
    more = [f"\nand {in_all - len(rows):,} more"] if in_all > len(rows) else []
    return [_cells(*heads), _cells(*("---" for _ in heads)), *rows, *more]


def _linked(text: str, url: str | None) -> str:
    return markdown(text) if url is None else f"[{markdown(text)}]({''.join(_in_address(sign) for sign in url)})"


def _in_address(sign: str) -> str:
    return f"%{ord(sign):02X}" if sign in "()<>| \n\r\t" else sign


def _stale(news: JobNews) -> list[str]:
    left = news.staleness.left
    more = [f"- and {len(left) - _MOST_LEFT:,} more like these"] if len(left) > _MOST_LEFT else []
    return [*(_left(each, news.now) for each in left[:_MOST_LEFT]), *more]


def _left(left: Left, now: datetime) -> str:
    pinned = "built before it moved" if left.pinned is None else f"pinned to {code(_pin(left.pinned))}"
    age = "" if left.published_at is None else f", {duration(now - left.published_at)} old"
    users = markdown(first_few(left.repositories))
    return f"- {code(left.base.short)} {pinned}{age} in {users}: {markdown(lacks_in_words(left))}"


def _pin(pinned: str) -> str:
    return short_digest(pinned) or pinned if ":" in pinned else pinned


def _rights(news: JobNews) -> list[str]:
    """What lacks, with what to do; what lacks and need not be there in one line; one line where all is there."""
    lines = [
        f"- {markdown(f'{check.subject}: {check.found}')}{_way_out(check)}"
        for check in news.rights
        if check.verdict in (Health.WRONG, Health.UNKNOWN)
    ]
    notes = [check for check in news.rights if check.verdict is Health.NOTE]
    lines += [f"- {markdown(f'{check.subject}: {check.found}')}" for check in notes]
    return lines or ([f"All {len(news.rights)} are there."] if news.rights else [])


def _way_out(check: HealthCheck) -> str:
    return f". {markdown(check.way_out)}" if check.way_out else ""


def _footer(news: JobNews) -> str:
    return " · ".join(_footnotes(news))


def _footnotes(news: JobNews) -> Iterator[str]:
    yield f"{counted(news.passes, 'pass', 'passes')} in {duration(news.now - news.began)}"
    if news.last_run is not None:
        yield f"the run before was {duration(news.began - news.last_run)} earlier"
    yield f"state: {news.keeping}"
    ahead = news.status.ahead
    if ahead:
        begins = max(ahead[0].due_at, news.now)
        yield f"{counted(len(ahead), 'rebuild')} to begin, from {shown_time(begins)} on"
    yield "the schedule of this workflow decides when the next run goes on"
