"""The job summary: what moved and why, how each repository stands, what waits for people, and what may be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.commands.action.state import Keeping
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted, duration, first_few
from bot.fleet.report.messages.phrases import short
from bot.views.doctor import Health, HealthCheck
from bot.views.fleet.fleet import Fleet, RepositoryRow, Standing
from bot.views.fleet.staleness import Left, Staleness, lacks_in_words
from bot.views.fleet.status import BaseStatus, Status
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
    "**The state of earlier runs is gone.** Everything was looked at for the first time again: what moved since the "
    "last run is not told, and pauses, holds and quarantines of people are forgotten."
)


@dataclass(frozen=True, slots=True)
class JobNews:
    """What one run of the workflow tells. `began` is when it did, `planned` what a dry run would do."""

    began: datetime
    now: datetime
    status: Status
    fleet: Fleet
    staleness: Staleness
    rights: Sequence[HealthCheck] = ()
    problems: Sequence[str] = ()
    keeping: Keeping = Keeping.KEPT
    passes: int = 1
    is_own_token: bool = False
    is_dry: bool = False
    is_lost: bool = False
    last_run: datetime | None = None

    @property
    def moved(self) -> tuple[BaseStatus, ...]:
        """The bases that were seen to move in this run."""
        return tuple(
            base for base in self.status.bases if base.moved_at is not None and base.moved_at >= self.began
        )

    @property
    def open_requests(self) -> tuple[Rebuild, ...]:
        return tuple(each for each in self.status.rebuilds if each.state is RebuildState.OPEN)

    @property
    def failed(self) -> int:
        return self.fleet.standings.get(Standing.FAILED, 0)

    @property
    def wrong_rights(self) -> tuple[HealthCheck, ...]:
        return tuple(check for check in self.rights if check.verdict is not Health.FINE)


def job_summary(news: JobNews) -> str:
    """Renders it as GitHub's Markdown; everything from outside is escaped."""
    parts = [
        f"## {_title(news)}",
        *([_DRY] if news.is_dry else []),
        *([_LOST] if news.is_lost else []),
        *_section("Needs attention", [f"- {markdown(line)}" for line in _attention(news)]),
        *_section("Moved in this run", [_moved(base) for base in news.moved]),
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


def _moved(base: BaseStatus) -> str:
    version = f", now .NET {markdown(base.version)}" if base.version else ""
    users = counted(base.repositories, "repository")
    return f"- {code(base.base.short)}{version}, {code(short_digest(base.digest) or '?')}, used by {users}"


def _rebuild_table(news: JobNews) -> list[str]:
    """What has not ended: pull requests to be merged first, then what the bot follows, then what waits."""
    going_on = [each for each in news.status.rebuilds if not each.state.has_ended]
    going_on.sort(key=lambda each: (each.state is not RebuildState.OPEN, each.state.awaits_action, each.repository))
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
    """Those that do not stand on what their bases show; the others are counted in the title."""
    uncalm = [row for row in news.fleet.repositories.items if row.standing not in _CALM]
    in_all = sum(count for standing, count in news.fleet.standings.items() if standing not in _CALM)
    return _table(("repository", "stands", "since", "last rebuild"), [_row(row) for row in uncalm], in_all)


def _row(row: RepositoryRow) -> str:
    since = "" if row.behind_since is None else f"{row.behind_since:%Y-%m-%d}"
    rebuild = "" if row.rebuild is None else _linked(row.rebuild, row.url)
    return _cells(markdown(row.name), row.standing.value.replace("-", " "), since, rebuild)


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
    """What lacks or is in doubt, with what to do; one line where all is there."""
    if not news.rights:
        return []
    lines = []
    for check in news.wrong_rights:
        way_out = f". {markdown(check.way_out)}" if check.way_out else ""
        lines.append(f"- {markdown(check.subject)}: {markdown(check.found)}{way_out}")
    return lines or [f"All {len(news.rights)} are there."]


def _footer(news: JobNews) -> str:
    return " · ".join(_footnotes(news))


def _footnotes(news: JobNews) -> Iterator[str]:
    yield f"{counted(news.passes, 'pass', 'passes')} in {duration(news.now - news.began)}"
    if news.last_run is not None:
        yield f"the run before was {duration(news.began - news.last_run)} earlier"
    yield f"state: {news.keeping}"
    ahead = news.status.ahead
    if ahead:
        yield f"{counted(len(ahead), 'rebuild')} to begin, from {max(ahead[0].due_at, news.now):%Y-%m-%d %H:%M} UTC on"
    yield "the schedule of this workflow decides when the next run goes on"
