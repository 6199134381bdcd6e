"""The words of the fleet issue: the summary of the last week, and what waits, each line with its boxes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.witness import Witness, witness_line
from bot.domain.wording.escaping import markdown
from bot.domain.wording.message import ON_THE_PAGE, Footnote, Message, TextRun
from bot.domain.wording.words import counted
from bot.fleet.report.markdown import markdown_line, markdown_of
from bot.fleet.report.messages.phrases import short
from bot.fleet.report.messages.summary import stuck_line, summary_message, without_people
from bot.views.fleet.summary import Stuck, Summary

_NUMBER = re.compile(r"<!-- freshness-bot fleet issue (\d{1,9}) -->")
_BOX = re.compile(
    r"^\s*[-*] \[[xX]\] .*<!-- (retry|rebuild|hold) ([A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}) -->\s*$"
)
_MOST = 100
MARK = "<!-- freshness-bot fleet issue "
"""By which the bot knows the issue as its own, whoever has edited it."""


class BoxRequest(StrEnum):
    """What a box asks for."""

    RETRY = "retry"
    REBUILD = "rebuild"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A request for one repository, which a person makes by ticking its box."""

    request: BoxRequest
    repository: str

    def __str__(self) -> str:
        return f"{self.request} {self.repository}"


def opening(number: int) -> str:
    """The first line of the issue's `number`th wording: a box of another wording was ticked before."""
    return f"{MARK}{number} -->"


def box(choice: Box, text: str) -> str:
    """A line with an empty box; `text` is Markdown on one line."""
    return f"- [ ] {text} <!-- {choice} -->"


def wording_of(body: str) -> int:
    """The number of the wording that a body has; 0 where somebody has taken it out."""
    match = _NUMBER.search(body)
    return int(match[1]) if match else 0


def ticked(body: str) -> tuple[Box, ...]:
    """What is ticked in a body, each once, in the order of its lines."""
    return tuple(dict.fromkeys(_find_ticked(body)))[:_MOST]


def _find_ticked(body: str) -> Iterator[Box]:
    for line in body.splitlines():
        match = _BOX.match(line)
        if match is not None:
            yield Box(BoxRequest(match[1]), match[2])


TITLE = "Freshness of the fleet"
_TICKING = "Tick a box, and the bot does it within a few minutes and empties the box again; the journal keeps it."
_READING = "Boxes are not heeded here; `freshness-bot retry` and `freshness-bot hold` are."


@dataclass(frozen=True, slots=True)
class WaitingRebuild:
    """A repository whose rebuild has not begun, and why; `is_held` where a person keeps it."""

    repository: str
    reason: str
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class FleetNews:
    """What the issue tells: of `waiting` only the first, `waiting_in_all` counts them."""

    summary: Summary
    waiting: tuple[WaitingRebuild, ...] = ()
    waiting_in_all: int = 0
    witness: Witness | None = None
    """That the bot is here, and what people have said; None where that of a bot before this store is to stay."""


def body_of(
    news: FleetNews, number: int, *, with_boxes: bool, page: str | None = None, before: Witness | None = None
) -> str:
    """The issue's `number`th wording; `page` is where more is shown, `before` the witness that it has. Moments are
    left out, so that the words change only with the facts, and once a day."""
    witness = news.witness or before
    message = summary_message(without_people(news.summary))
    blocks = tuple(block for block in message.blocks if not isinstance(block, Footnote))
    parts = [
        opening(number) + (f"\n{witness_line(witness)}" if witness is not None else ""),
        markdown_of(Message(message.text, blocks)).strip(),
        *_list_section("Waiting for a person", list(_list_stuck(news, with_boxes)), news.summary.stuck_in_all),
        *_list_section("Waiting to begin", list(_list_waiting(news.waiting, with_boxes)), news.waiting_in_all),
        f"{_TICKING if with_boxes else _READING} What is written into this text is written over, comments stay. "
        "Closing the issue has the bot leave it alone, opening it again takes it up.",
        *([markdown_line((TextRun(ON_THE_PAGE, url=page),))] if page else []),
    ]
    return "\n\n".join(parts) + "\n"


def _list_section(title: str, lines: Sequence[tuple[str, ...]], in_all: int) -> Iterator[str]:
    if lines:
        more = [f"- and {counted(in_all - len(lines), 'more', 'more')}"] if in_all > len(lines) else []
        yield f"### {title}"
        yield "\n".join([*("\n".join(each) for each in lines), *more])


def _list_stuck(news: FleetNews, with_boxes: bool) -> Iterator[tuple[str, ...]]:
    for stuck in news.summary.stuck:
        line = markdown_line(stuck_line(stuck, news.summary.until))
        if with_boxes and _may_be_tried(stuck):
            yield (box(Box(BoxRequest.RETRY, stuck.rebuild.repository), f"**try again** {line}"),)
        else:
            yield (f"- {line}",)


def _may_be_tried(stuck: Stuck) -> bool:
    return stuck.rebuild.state is RebuildState.FAILED


def _list_waiting(waiting: Sequence[WaitingRebuild], with_boxes: bool) -> Iterator[tuple[str, ...]]:
    """A line for each repository, with what may be asked for below it."""
    for rebuild in waiting:
        name = markdown(rebuild.repository)
        line = f"- {name}: {markdown(short(rebuild.reason))}"
        boxes = [f"  {box(Box(BoxRequest.REBUILD, rebuild.repository), f'**rebuild now** {name}')}"]
        if not rebuild.is_held:
            boxes.append(f"  {box(Box(BoxRequest.HOLD, rebuild.repository), f'**hold** {name}')}")
        yield (line, *(boxes if with_boxes else ()))
