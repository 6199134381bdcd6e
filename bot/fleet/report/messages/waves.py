"""What is answered below a rollout's message: a wave that is through, or the failures in it."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.wording.message import Block, Footnote, Line, Message, Paragraph, Style, TextRun, plain, strong
from bot.domain.wording.words import counted, duration
from bot.fleet.report.messages.phrases import capped_list, in_state, short, shown_time
from bot.fleet.report.messages.stops import FailedRebuild


@dataclass(frozen=True, slots=True)
class WaveNews:
    """One of the `waves` of a rollout; `failures` are the latest of the `failed`. Of what is `unproven` nothing
    shows what their image stands on; what is `merged` was not seen to build."""

    rollout: int
    title: str
    wave: str
    waves: int
    total: int
    succeeded: int
    failed: int
    failures: tuple[FailedRebuild, ...] = ()
    began_at: datetime | None = None
    done_since: datetime | None = None
    unproven: int = 0
    merged: int = 0
    is_waited_for: bool = False
    """It is the first wave, and others wait for it."""


def wave_message(news: WaveNews) -> Message | None:
    """Says that rebuilds of the wave failed, or that it is through; None where there is nothing to say.

    The end of a rollout's only wave is told by the rollout's own message.
    """
    place = f" in wave {news.wave}" if news.waves > 1 else ""
    if news.failed:
        title = f"{news.failed:,} of {counted(news.total, 'rebuild')}{place} failed"
        lines: list[Line] = [
            (TextRun(failure.repository, url=failure.url), TextRun(f": {short(failure.reason)}"))
            for failure in news.failures
        ]
        if (more := news.failed - len(news.failures)) > 0:
            command = TextRun(f"freshness-bot rollout show {news.rollout} --all", Style.CODE)
            lines.append((TextRun(f"and {more:,} more; "), command, TextRun(" lists them all")))
        blocks: tuple[Block, ...] = (
            Paragraph((strong(title),)),
            capped_list(lines),
            *_how_it_goes_on(news),
            _footer(news),
        )
        return Message(f"{title}: {news.title}", blocks, needs_person=True)
    if news.done_since is None or news.waves == 1:
        return None
    took = f" in {duration(news.done_since - news.began_at)}" if news.began_at else ""
    title = f"Wave {news.wave} is through"
    doubtful = [(news.unproven, RebuildState.BUILT), (news.merged, RebuildState.MERGED)]
    apart = [in_state(number, state) for number, state in doubtful if number]
    outcome = ", ".join([f"{news.succeeded:,} of {news.total:,} rebuilt{took}", *apart])
    return Message(f"{title}: {outcome}", (Paragraph((strong(title), plain(outcome))), _footer(news)))


def _how_it_goes_on(news: WaveNews) -> tuple[Paragraph, ...]:
    if not news.is_waited_for:
        return ()
    command = TextRun(f"freshness-bot rollout resume {news.rollout} --reason …", Style.CODE)
    return (Paragraph(((TextRun("The next wave begins once a retry succeeds, or with "), command),)),)


def _footer(news: WaveNews) -> Footnote:
    since = f", through since {shown_time(news.done_since)}" if news.done_since else ""
    return Footnote(f"Rollout {news.rollout}{since}")
