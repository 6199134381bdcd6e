"""What maintainers hear of when something stops: a paused rollout, a base on which nothing is built."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.reference import Base
from bot.domain.wording.message import Block, Footnote, Message, Paragraph, Style, TextRun, plain, strong
from bot.domain.wording.words import counted
from bot.fleet.report.messages.phrases import LONGEST_DETAIL, capped_list, short, shown_time


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
    """A digest that nothing is built on; `waiting` counts the rebuilds that it keeps, `returns` how often the base
    came back to it. `is_lifted` once a person has let it go."""

    base: Base
    digest: str
    since: datetime
    who: str
    reason: str
    until: datetime | None
    outcome: str
    waiting: int
    returns: int = 0
    is_lifted: bool = False

    @property
    def milestone(self) -> str:
        """What a channel without updates is told, once each: not every coming and going."""
        if self.returns and not self.is_lifted:
            return "comes and goes"
        return "quarantined" if self.until is None else "over"


def pause_message(news: PauseNews) -> Message:
    """Says once that a rollout stops, with the failures, and how it goes on."""
    subject = "Everything is" if news.rollout is None else f"Rollout {news.rollout} is"
    blocks: list[Block] = []
    if news.until is None:
        title = f"{subject} paused"
        arguments = "resume --all" if news.rollout is None else f"rollout resume {news.rollout}"
        command = TextRun(f"freshness-bot {arguments} --reason …", Style.CODE)
        failed = [
            (TextRun(item.repository, url=item.url), TextRun(f": {short(item.reason)}")) for item in news.failures
        ]
        blocks += [capped_list(failed)] if failed else []
        blocks.append(Paragraph(((TextRun("It goes on with "), command),)))
    else:
        title = f"{subject} no longer paused"
    about = f"{news.title}, " if news.title else ""
    footer = Footnote(f"{about}{_times_in_words(news.who, news.since, news.until)}")
    reason = plain(short(news.reason, LONGEST_DETAIL))
    text = f"{title}: {short(news.reason)}"
    return Message(text, (Paragraph((strong(title), reason)), *blocks, footer), needs_person=news.until is None)


def quarantine_message(news: QuarantineNews) -> Message:
    """Says once why nothing is built on a digest, and how that ended."""
    if news.until is None:
        title = f"{news.base.short} is quarantined"
        lines = [
            short(news.reason, LONGEST_DETAIL),
            f"No build is started on {news.digest}, {counted(news.waiting, 'rebuild')} held back.",
        ]
    else:
        title = f"{news.base.short} is no longer quarantined"
        lines = [short(news.outcome, LONGEST_DETAIL)]
    if news.returns and not news.is_lifted:
        times = counted(news.returns, "time")
        lines.append(
            f"The tag has come back to this digest {times} so far, and is held each time until it leaves it."
        )
    footer = Footnote(_times_in_words(news.who, news.since, news.until))
    blocks = (Paragraph((strong(title), *map(plain, lines))), footer)
    return Message(f"{title}: {lines[0]}", blocks, needs_person=news.until is None)


def _times_in_words(who: str, since: datetime, until: datetime | None) -> str:
    end_text = f", over since {shown_time(until)}" if until else ""
    return f"by {who} since {shown_time(since)}{end_text}"
