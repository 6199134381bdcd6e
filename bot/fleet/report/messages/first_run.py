"""What maintainers hear on the first day: how stale the fleet is, the worst first, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain.wording.message import (
    Block,
    Footnote,
    Heading,
    Items,
    Line,
    Message,
    Paragraph,
    Style,
    TextRun,
    plain,
    strong,
)
from bot.domain.wording.moves import rated_in_words
from bot.domain.wording.words import counted, duration, first_few
from bot.fleet.report.messages.phrases import shown_time
from bot.views.fleet.staleness import Left, ProposedWave, Staleness, lacks_in_words, proposed_waves
from bot.views.names import short_digest

_MOST_LEFT = 5
_MOST_NAMED = 3
_CATCH_UP = "freshness-bot catch-up"


@dataclass(frozen=True, slots=True)
class FirstRunNews:
    """How stale the fleet is as of `as_of`, and the rollout that catches up, where there is one: `brought` are the
    repositories in it."""

    staleness: Staleness
    as_of: datetime
    rollout: int | None = None
    brought: frozenset[str] | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the rollout leaves some behind."""
        return self.brought is not None and not self.brought.issuperset(self.staleness.repositories)


def first_run_message(news: FirstRunNews) -> Message | None:
    """Says what the fleet still stands on and what that lacks, the worst first, and in which order it is best
    brought along; None where nothing is behind."""
    staleness = news.staleness
    if not staleness.left:
        return None
    behind = len(staleness.repositories)
    is_are = "is" if behind == 1 else "are"
    title = f"{behind:,} of {counted(staleness.followed, 'repository')} {is_are} behind what their bases show"
    waves = proposed_waves(staleness)
    blocks: list[Block] = [
        Heading(title),
        Paragraph(tuple(map(plain, _sum_up(news)))),
        Items(tuple(_items(news))),
        Paragraph((strong(_next_step(news, waves)), *map(plain, _unknown_in_words(staleness)))),
    ]
    if news.rollout is None and len(waves) > 1:
        blocks += [Paragraph((plain("The worst first:"),)), Items(tuple(map(_wave_in_words, waves)))]
    blocks.append(Footnote(f"As of {shown_time(news.as_of)}; {_CATCH_UP} --dry-run lists everything"))
    return Message(f"{title}: {_next_step(news, waves)}", tuple(blocks))


def _sum_up(news: FirstRunNews) -> Iterator[str]:
    staleness = news.staleness
    if staleness.cves:
        since = staleness.oldest_fix
        oldest = "" if since is None else f", the oldest of them out for {duration(news.as_of - since)}"
        ratings = rated_in_words(staleness.ratings.values(), staleness.severity, len(staleness.cves))
        yield f"They lack the fixes of {counted(len(staleness.cves), 'CVE')}{ratings}{oldest}"
    age = "" if staleness.oldest is None else f", the oldest {duration(news.as_of - staleness.oldest)} old"
    yield f"{counted(staleness.usages, 'place names', 'places name')} what a base has left behind{age}"


def _items(news: FirstRunNews) -> Iterator[Line]:
    entries = news.staleness.worst_first
    for entry in entries[:_MOST_LEFT]:
        yield (TextRun(entry.base.short, Style.CODE), TextRun(f" {_entry_in_words(entry, news.as_of)}"))
    if (more := len(entries) - _MOST_LEFT) > 0:
        yield plain(f"and {counted(more, 'more entry', 'more entries')} like these")


def _entry_in_words(entry: Left, now: datetime) -> str:
    users = f"in {counted(len(entry.repositories), 'repository')} ({first_few(entry.repositories, _MOST_NAMED)})"
    if entry.pinned is None:
        pin_text = "built before it moved"
    else:
        pin_text = f"pinned to {short_digest(entry.pinned) if ':' in entry.pinned else entry.pinned}"
    age = "" if entry.published_at is None else f", {duration(now - entry.published_at)} old"
    return f"{pin_text}{age}, {users}: {lacks_in_words(entry)}"


def _wave_in_words(wave: ProposedWave) -> Line:
    names = f"{counted(len(wave.repositories), 'repository')} ({first_few(wave.repositories, _MOST_NAMED)})"
    if wave.severity is not None:
        verb = "lacks" if len(wave.repositories) == 1 else "lack"
        command = f"{_CATCH_UP} --severity {wave.severity}"
        return (TextRun(f"{names} {verb} fixes rated {wave.severity.told}: "), TextRun(command, Style.CODE))
    others = f", of which {wave.with_cves:,} with CVEs rated lower or not at all" if wave.with_cves else ""
    return (TextRun(f"then {names}{others}: "), TextRun(_CATCH_UP, Style.CODE))


def _next_step(news: FirstRunNews, waves: tuple[ProposedWave, ...]) -> str:
    if news.rollout is not None and news.is_partial:
        return f"Rollout {news.rollout} brings the worst along, wave by wave; {_CATCH_UP} brings the rest"
    if news.rollout is not None:
        return f"Rollout {news.rollout} brings them along, wave by wave"
    idle = "Nothing is done about that until a base moves again"
    if len(waves) > 1 and waves[0].severity is not None:
        return f"{idle}; {_CATCH_UP} --severity {waves[0].severity} begins with the worst"
    return f"{idle}; {_CATCH_UP} brings them along"


def _unknown_in_words(staleness: Staleness) -> Iterator[str]:
    if staleness.undated:
        pins = counted(len(staleness.undated), "pin is", "pins are")
        yield (
            f"{pins} older than anything that the bot has seen; freshness-bot import --from-git takes in what "
            "Microsoft has published"
        )
    if staleness.untold:
        yield (
            f"{counted(staleness.untold, 'repository names', 'repositories name')} floating tags, and no build "
            "there is known: on what these stand cannot be told"
        )
