"""The job summary: what moved and why, how each repository stands, what waits for people, and what may be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.commands.action.folding import cells, items, linked, section, table
from bot.commands.action.state import Keeping
from bot.commands.service.other_bots import OTHER_BOTS
from bot.domain.bases.change import Change
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.rollout import Pause
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
"""Of these repositories nothing is to be said one by one, so that they are folded away."""
_SHOWN, _SHOWN_IN_CALM = 15, 5
"""So many lines of each section stand open: where nothing happened all of it fits on a screen."""
_MOST_PROBLEMS = 20
_BY_ITSELF = (
    "This run used the workflow's own token. Checks of the pull requests that it opens wait until somebody with "
    "write access approves them, and it sees this repository alone; with a GitHub App neither is so."
)
_DRY = "This was a dry run: nothing was written, neither to a repository nor to the state."
_LOST = (
    "**The state of earlier runs is gone.** Open pull requests and runs under way are gone on with, and the "
    "rest was looked at for the first time again; pauses, holds and quarantines of people are forgotten."
)


@dataclass(frozen=True, slots=True)
class JobNews:
    """What one run of the workflow tells. It `began` at that moment; `changes` of bases are those that it saw, and
    `ended` the rebuilds that came to their end in it.

    `checks` are of rights and of other bots, `cve_sources` lines of Markdown; `site` is where the forge shows
    repositories to people.
    """

    began: datetime
    now: datetime
    status: Status
    fleet: Fleet
    staleness: Staleness
    changes: Sequence[Change] = ()
    ended: Sequence[Rebuild] = ()
    checks: Sequence[HealthCheck] = ()
    cve_sources: Sequence[str] = ()
    problems: Sequence[str] = ()
    keeping: Keeping = Keeping.KEPT
    passes: int = 1
    site: str | None = None
    is_own_token: bool = False
    is_dry: bool = False
    is_lost: bool = False
    last_run: datetime | None = None
    next_run: datetime | None = None

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

    @property
    def shown(self) -> int:
        """How many lines of a section stand open."""
        return _SHOWN if self.changes or self.ended else _SHOWN_IN_CALM


def job_summary(news: JobNews) -> str:
    """Renders it as GitHub's Markdown; everything from outside is escaped."""
    moves = [markdown(describe(change)) for change in news.changes]
    others = [check for check in news.checks if check.area == OTHER_BOTS]
    parts = [
        f"## {_title(news)}",
        *([_DRY] if news.is_dry else []),
        *([_LOST] if news.is_lost else []),
        *section("Needs attention", items([markdown(line) for line in _attention(news)], news.shown)),
        *section("Moved in this run", items(moves, news.shown)),
        *section("Ended in this run", _rebuild_table(news, news.ended)),
        *section("Under way", _rebuild_table(news, _by_need(news.going_on))),
        *section("Repositories", _repository_table(news)),
        *section("Behind what their bases show", items(_stale(news), news.shown)),
        *section("Written by another bot too", items(_other_bots(others), news.shown)),
        *section("CVEs of packages", items(news.cve_sources, news.shown)),
        *section("Rights", items(_rights([check for check in news.checks if check not in others]), news.shown)),
        *([_BY_ITSELF] if news.is_own_token else []),
        f"<sub>{_footer(news)}</sub>",
    ]
    return "\n\n".join(parts) + "\n"


def _title(news: JobNews) -> str:
    if not news.status.repositories:
        return "No repository is read yet"
    if not news.fleet.followed:
        return f"{counted(news.status.repositories, 'repository')}, and none names a watched base"
    current = news.fleet.standings.get(Standing.CURRENT, 0)
    bases = counted(len(news.status.bases), "base")
    return f"{current:,} of {counted(news.fleet.followed, 'repository')} on {bases} stand on what their bases show"


def _attention(news: JobNews) -> list[str]:
    """What somebody has to do or has stopped, each line once."""
    lines = [_pause(each) for each in news.status.pauses]
    lines += dict.fromkeys(news.problems)
    lines += [f"{name}: {error}" for name, error in news.status.unreadable]
    more = len(lines) - _MOST_PROBLEMS
    return [*map(short, lines[:_MOST_PROBLEMS]), *([f"and {more:,} more, which the log has"] if more > 0 else [])]


def _pause(pause: Pause) -> str:
    subject = "everything" if pause.rollout is None else f"rollout {pause.rollout}"
    return f"{subject} is paused by {pause.who} since {shown_time(pause.since)}: {pause.reason}"


def _by_need(rebuilds: Sequence[Rebuild]) -> list[Rebuild]:
    """Pull requests to be merged first, then what the bot follows, then what waits."""
    return sorted(
        rebuilds, key=lambda each: (each.state is not RebuildState.OPEN, each.state.awaits_action, each.repository)
    )


def _rebuild_table(news: JobNews, rebuilds: Sequence[Rebuild]) -> list[str]:
    rows = []
    for each in rebuilds:
        why = markdown(short(_why(news, each)))
        rows.append(cells(_place(news, each.repository), linked(what(each), each.url), each.state, why))
    return table(("repository", "rebuild", "state", "why"), rows, news.shown)


def _why(news: JobNews, rebuild: Rebuild) -> str:
    """What it waits for where it has not begun, else its reason."""
    hold = news.status.waits.get(rebuild.id)
    return rebuild.reason if hold is None else hold.reason


def _place(news: JobNews, repository: str) -> str:
    return linked(repository, None if news.site is None else f"{news.site}/{repository}")


def _repository_table(news: JobNews) -> list[str]:
    """All under which nothing is under way: open those that do not stand on what their bases show, with what their
    standing means; the others are folded away."""
    under_way = {each.repository for each in news.going_on}
    rows = [row for row in news.fleet.repositories.items if row.name not in under_way]
    rows.sort(key=lambda row: row.standing in _CALM)
    restless = [row for row in rows if row.standing not in _CALM]
    more = news.fleet.repositories.total - len(news.fleet.repositories.items)
    heads = ("repository", "stands", "since", "last rebuild")
    shown = min(news.shown, len(restless))
    lines = table(heads, [_row(news, row) for row in rows], shown, len(rows) + more)
    meanings = dict.fromkeys(f"- {_in_words(row.standing)}: {IN_WORDS[row.standing]}" for row in restless)
    return [*lines, "", *meanings] if meanings else lines


def _in_words(standing: Standing) -> str:
    return standing.value.replace("-", " ")


def _row(news: JobNews, row: RepositoryRow) -> str:
    since = "" if row.behind_since is None else f"{row.behind_since:%Y-%m-%d}"
    rebuild = "" if row.rebuild is None else linked(row.rebuild, row.url)
    return cells(_place(news, row.name), _in_words(row.standing), since, rebuild)


def _stale(news: JobNews) -> list[str]:
    return [_left(each, news.now) for each in news.staleness.left]


def _left(left: Left, now: datetime) -> str:
    pinned = "built before it moved" if left.pinned is None else f"pinned to {code(_pin(left.pinned))}"
    age = "" if left.published_at is None else f", {duration(now - left.published_at)} old"
    users = markdown(first_few(left.repositories))
    cves = f" ({markdown(first_few(left.cves))})" if left.cves else ""
    return f"{code(left.base.short)} {pinned}{age} in {users}: {markdown(lacks_in_words(left))}{cves}"


def _pin(pinned: str) -> str:
    return short_digest(pinned) or pinned if ":" in pinned else pinned


def _other_bots(checks: Sequence[HealthCheck]) -> list[str]:
    """Where Renovate or Dependabot writes the same lines, and by which rule it would not: each rule once."""
    by_rule: dict[str, list[HealthCheck]] = {}
    for check in checks:
        by_rule.setdefault(check.way_out, []).append(check)
    lines = []
    for rule, same in by_rule.items():
        places = first_few(f"{check.subject}: {check.found}" for check in same)
        lines.append(f"{markdown(places)}. {code(rule)}" if rule else markdown(places))
    return lines


def _rights(checks: Sequence[HealthCheck]) -> list[str]:
    """What lacks, with what to do, then what lacks and need not be there; one line where all is there."""
    wrong = [check for check in checks if check.verdict in (Health.WRONG, Health.UNKNOWN)]
    notes = [check for check in checks if check.verdict is Health.NOTE]
    lines = [f"{markdown(f'{check.subject}: {check.found}')}{_way_out(check)}" for check in wrong]
    lines += [markdown(f"{check.subject}: {check.found}") for check in notes]
    there = len(checks) - len(wrong) - len(notes)
    return [*lines, *([f"{'all' if not lines else 'the other'} {there} are there"] if there else [])]


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
    if news.next_run is not None:
        yield f"next run about {_shown_next(news)}"
    else:
        yield "the schedule of this workflow decides when the next run goes on"


def _shown_next(news: JobNews) -> str:
    """Without the day where that is today or within a day's length."""
    assert news.next_run is not None
    is_near = news.next_run - news.now < timedelta(days=1)
    return f"{news.next_run:%H:%M} UTC" if is_near else shown_time(news.next_run)
