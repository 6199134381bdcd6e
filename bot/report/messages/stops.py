"""What maintainers hear of when something stops: a paused rollout, a base on which nothing is built."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.reference import Base
from bot.domain.wording.message import Block, Footnote, Message, Paragraph, Style, TextRun, plain, strong
from bot.domain.wording.words import counted
from bot.report.messages.phrases import LONGEST_DETAIL, capped_list, short, shown_time


@dataclass(frozen=True, slots=True)
class FailedRebuild:
    """A rebuild that failed, where it can be seen, and what it failed with."""

    repository: str
    url: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PauseNews:
    """A rollout (None: all of them) was stopped; `title` says what the rollout is about."""

    rollout: int | None
    title: str
    since: datetime
    who: str
    reason: str
    until: datetime | None
    failures: tuple[FailedRebuild, ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineNews:
    """A digest that nothing is built on; `waiting` counts the rebuilds that it keeps."""

    base: Base
    digest: str
    since: datetime
    who: str
    reason: str
    until: datetime | None
    outcome: str
    waiting: int


def pause_message(news: PauseNews) -> Message:
    """Says once that a rollout stops, with the failures, and how it goes on."""
    what = "Everything is" if news.rollout is None else f"Rollout {news.rollout} is"
    blocks: list[Block] = []
    if news.until is None:
        title = f"{what} paused"
        how = "resume --all" if news.rollout is None else f"rollout resume {news.rollout}"
        command = TextRun(f"freshness-bot {how} --reason …", Style.CODE)
        failed = [
            (TextRun(item.repository, url=item.url), TextRun(f": {short(item.reason)}")) for item in news.failures
        ]
        blocks += [capped_list(failed)] if failed else []
        blocks.append(Paragraph(((TextRun("It goes on with "), command),)))
    else:
        title = f"{what} no longer paused"
    about = f"{news.title}, " if news.title else ""
    footer = Footnote(f"{about}{_when(news.who, news.since, news.until)}")
    reason = plain(short(news.reason, LONGEST_DETAIL))
    said = f"{title}: {short(news.reason)}"
    return Message(said, (Paragraph((strong(title), reason)), *blocks, footer), needs_person=news.until is None)


def quarantine_message(news: QuarantineNews) -> Message:
    """Says once why nothing is built on a digest, and how that ended."""
    if news.until is None:
        title = f"{news.base.short} is quarantined"
        lines = [
            short(news.reason, LONGEST_DETAIL),
            f"No build is started while the tag shows {news.digest}, {counted(news.waiting, 'rebuild')} held back.",
        ]
    else:
        title = f"{news.base.short} is no longer quarantined"
        lines = [short(news.outcome, LONGEST_DETAIL)]
    footer = Footnote(_when(news.who, news.since, news.until))
    blocks = (Paragraph((strong(title), *map(plain, lines))), footer)
    return Message(f"{title}: {lines[0]}", blocks, needs_person=news.until is None)


def _when(who: str, since: datetime, until: datetime | None) -> str:
    over = f", over since {shown_time(until)}" if until else ""
    return f"by {who} since {shown_time(since)}{over}"
