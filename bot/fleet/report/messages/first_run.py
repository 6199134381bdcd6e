"""What maintainers hear on the first day: how stale the fleet is, and what can be done about it."""

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
from bot.domain.wording.words import counted, duration, first_few
from bot.fleet.report.messages.phrases import shown_time
from bot.views.fleet.staleness import Left, Staleness, lacks_in_words
from bot.views.names import short_digest

_MOST_LEFT = 5
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class FirstRunNews:
    """How stale the fleet is as of `as_of`, and the rollout that catches up, where there is one."""

    staleness: Staleness
    as_of: datetime
    rollout: int | None = None


def first_run_message(news: FirstRunNews) -> Message | None:
    """Says what the fleet still stands on, since when, and what that lacks; None where nothing is behind."""
    staleness = news.staleness
    if not staleness.left:
        return None
    behind = len(staleness.repositories)
    is_are = "is" if behind == 1 else "are"
    title = f"{behind:,} of {counted(staleness.followed, 'repository')} {is_are} behind what their bases show"
    blocks: list[Block] = [
        Heading(title),
        Paragraph(tuple(map(plain, _sum_up(news)))),
        Items(tuple(_items(news))),
        Paragraph((strong(_next_step(news)), *map(plain, _unknown_in_words(staleness)))),
        Footnote(f"As of {shown_time(news.as_of)}; freshness-bot catch-up --dry-run lists everything"),
    ]
    return Message(f"{title}: {_next_step(news)}", tuple(blocks))


def _sum_up(news: FirstRunNews) -> Iterator[str]:
    staleness = news.staleness
    age = "" if staleness.oldest is None else f", the oldest {duration(news.as_of - staleness.oldest)} old"
    yield f"{counted(staleness.usages, 'place names', 'places name')} what a base has left behind{age}"
    if staleness.cves:
        rated = f", rated up to {staleness.severity.told}" if staleness.severity else ""
        yield f"Lacking are the fixes of {counted(len(staleness.cves), 'CVE')}{rated}"


def _items(news: FirstRunNews) -> Iterator[Line]:
    entries = news.staleness.left
    for entry in entries[:_MOST_LEFT]:
        yield (TextRun(entry.base.short, Style.CODE), TextRun(f" {_entry_in_words(entry, news.as_of)}"))
    if (more := len(entries) - _MOST_LEFT) > 0:
        yield plain(f"and {counted(more, 'more entry', 'more entries')} like these")


def _entry_in_words(entry: Left, now: datetime) -> str:
    if entry.pinned is None:
        pin_text = "built before it moved"
    else:
        pin_text = f"pinned to {short_digest(entry.pinned) if ':' in entry.pinned else entry.pinned}"
    age = "" if entry.published_at is None else f", {duration(now - entry.published_at)} old"
    users = f"{counted(len(entry.repositories), 'repository')} ({first_few(entry.repositories, _MOST_NAMED)})"
    return f"{pin_text}{age}, {users}: {lacks_in_words(entry)}"


def _next_step(news: FirstRunNews) -> str:
    if news.rollout is not None:
        return f"Rollout {news.rollout} brings them along, wave by wave"
    return "Nothing is done about that until a base moves again; freshness-bot catch-up brings them along"


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
