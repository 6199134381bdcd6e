"""The one message of a rollout: why, which bases, how far it has come, what is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bases.change import Change
from bot.domain.bases.dotnet import is_microsofts
from bot.domain.feeds.advisory import public_record
from bot.domain.packages.cves.moves import StillOpen
from bot.domain.packages.cves.wording import still_open_in_words
from bot.domain.rollouts.marker import key_of
from bot.domain.rollouts.rebuild import NEED_A_PERSON, Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Occasion, Pause
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
from bot.domain.wording.moves import _release, headline
from bot.domain.wording.words import counted, rounded_up
from bot.fleet.report.messages.phrases import LONGEST_DETAIL, in_state, listed, short, shown_time
from bot.views.four_words import FourWords, in_number, word_of

MOST_NAMED = 10
"""So many rebuilds are named in one message; of a larger rollout those that need a person."""
SHOWN_FIRST = (
    *NEED_A_PERSON,
    *(
        RebuildState.MERGED,
        RebuildState.BUILT,
        RebuildState.PROVING,
        RebuildState.BUILDING,
        RebuildState.RUNNING,
        RebuildState.DISPATCHED,
        RebuildState.WAITING,
        RebuildState.PLANNED,
    ),
)


@dataclass(frozen=True, slots=True)
class RolloutNews:
    """What was superseded is left out everywhere, since those that follow it tell of it.

    `bases` counts those that the rebuilds bring up to date, `states` the rebuilds but those of which people are
    only told, which are `told_count`. `named_rebuilds` are at most `MOST_NAMED` of all, what needs a person first.
    `set_aside` tells for each wave how many unmerged pull requests the next ones no longer wait for, `opened_by`
    when the last of what waits will probably have begun, None where nothing waits or nobody can tell. `still_open`
    are the CVEs that its bases have after their changes, None where nobody asked.
    """

    id: int
    opened_at: datetime
    changes: tuple[Change, ...]
    repositories: int
    bases: int
    states: Mapping[RebuildState, int]
    named_rebuilds: tuple[Rebuild, ...]
    told_count: int = 0
    ended_at: datetime | None = None
    pause: Pause | None = None
    set_aside: Mapping[str, int] = field(default_factory=dict)
    opened_by: datetime | None = None
    occasion: Occasion = Occasion.CHANGE
    still_open: StillOpen | None = None

    @property
    def total(self) -> int:
        return sum(self.states.values()) + self.told_count

    @property
    def names_all(self) -> bool:
        """Whether every rebuild is named."""
        return self.total == len(self.named_rebuilds)


_MOST_LINES = 8
_MOST_BASES = 2
_WITHOUT_EFFECT = (RebuildState.SKIPPED, RebuildState.CANCELLED)
_MOST_OF_A_REASON = 3
_LONGEST_NAME = 140
_MOST_CVES = 10
_LONGEST = 2_800
"""Characters of a message, so that with a link to the page it stays below 3,000."""
_SIGNS = 5
_MOST_ABOUT = 40


def rollout_message(news: RolloutNews) -> Message:
    """One message of at most eight lines for a rollout of any size: why, on which bases, how far it has come, who
    is needed. Each rebuild has a line of its own where that leaves room for all."""
    title = _title(news)
    progress = progress_line(news)
    waits = "; ".join(_waiting_lines(news))
    standing: Line = (*strong(progress), *([TextRun(f" ({waits})")] if waits else []))
    fix_lines = [*_cve_lines(news.changes), *_open_cve_lines(news)]
    reasons = tuple(_reason_lines(news.changes))
    room = _MOST_LINES - len((title, *reasons, *fix_lines, standing, _footer(news)))
    names_each = news.names_all and len(news.named_rebuilds) <= room
    footer = Footnote(_footer(news, names_each=names_each))
    length = sum(map(_length, (*reasons, *fix_lines, standing, plain(title), plain(footer.text))))
    blocks: list[Block] = [
        Heading(title),
        *([Items(reasons)] if news.changes else []),
        *([Paragraph(tuple(fix_lines))] if fix_lines else []),
        Paragraph((standing, *([] if names_each else _person_line(news, _LONGEST - length)))),
        *([Items(tuple(map(_rebuild_line, news.named_rebuilds)))] if news.named_rebuilds and names_each else []),
        footer,
    ]
    about = [key_of(change.base, change.to_digest) for change in news.changes if change.to_digest is not None]
    return Message(f"{title}: {progress}", tuple(blocks), about=tuple(sorted(about)[:_MOST_ABOUT]))


def _title(news: RolloutNews) -> str:
    """The headline, then how many repositories that concerns, and on how many bases unless it says so itself."""
    text = headline(news.changes, news.occasion)
    if not news.total:
        return text
    reach = counted(news.repositories, "repository")
    if news.bases and not (news.occasion is Occasion.CHANGE and _release(news.changes) is None):
        reach += f" on {counted(news.bases, 'base')}"
    return f"{text}; {reach}"


def progress_line(news: RolloutNews) -> str:
    """How many rebuilds stand how: `1 needs you (failed), 3 under way, 1 done`. What ended without an effect has
    its own word: it is not done."""
    if not news.total:
        return "a later rollout goes on with it"
    words = Counter[FourWords]()
    for state, number in news.states.items():
        if state not in _WITHOUT_EFFECT:
            words[word_of(state)] += number
    parts = [_counted_word(news, words[word], word) for word in FourWords if words[word]]
    parts += [in_state(news.states[state], state) for state in _WITHOUT_EFFECT if news.states.get(state)]
    parts += [f"{news.told_count} told"] if news.told_count else []
    return ", ".join(parts)


def _counted_word(news: RolloutNews, number: int, word: FourWords) -> str:
    """What needs a person says why in brackets: `3 need you (1 failed, 2 built but not proven)`."""
    if word is not FourWords.NEEDS_YOU:
        return in_number(number, word)
    needy = {state: news.states[state] for state in news.states if word_of(state) is word and news.states[state]}
    in_order = sorted(needy.items(), key=lambda pair: SHOWN_FIRST.index(pair[0]))
    reasons = [in_state(count, state) for state, count in in_order]
    why = reasons[0].partition(" ")[2] if len(reasons) == 1 else ", ".join(reasons)
    return f"{in_number(number, word)} ({why})"


def _waiting_lines(news: RolloutNews) -> list[str]:
    """That it is paused, which waves no longer wait for pull requests that nobody merged, and when the last of it
    will have begun."""
    lines = []
    if news.pause is not None and news.ended_at is None:
        lines.append(f"paused by {news.pause.who}: {short(news.pause.reason)}")
    waves = [
        f"wave {wave} goes on without {counted(count, 'rebuild')} waiting for a person"
        for wave, count in sorted(news.set_aside.items())
    ]
    if waves:
        lines.append(", ".join(waves))
    if news.opened_by is not None and news.pause is None:
        lines.append(f"the last of them will probably begin by {shown_time(rounded_up(news.opened_by))}")
    return lines


def _person_line(news: RolloutNews, room: int) -> list[Line]:
    """Where not each has a line: who is needed, in one line; the worst are named, three of each
    reason, and the others counted. `room` is how many characters the names may take with their addresses."""
    runs: list[TextRun] = []
    for state, words in ((RebuildState.FAILED, "Failed: "), (RebuildState.OPEN, "To be merged: ")):
        targets: list[TextRun] = []
        of_state = [_target(rebuild) for rebuild in news.named_rebuilds if rebuild.state is state]
        for target in of_state[:_MOST_OF_A_REASON]:
            room -= _length((target,))
            if room < 0:
                break
            targets.append(target)
        more = news.states.get(state, 0) - len(targets)
        lead = f"; {words[:1].lower()}{words[1:]}" if runs else words
        if targets:
            runs += [TextRun(lead), *listed(targets), *([TextRun(f" and {more} more")] if more else [])]
        elif more:
            runs.append(TextRun(f"{lead}{counted(more, 'repository')}"))
    return [tuple(runs)] if runs else []


def _length(line: Line) -> int:
    """How much of a message a line takes, with addresses and the signs between and around its words."""
    return sum(len(span.text) + (len(span.url) if span.url else 0) + _SIGNS for span in line)


def _target(rebuild: Rebuild) -> TextRun:
    return TextRun(short(rebuild.repository, _LONGEST_NAME), url=rebuild.url)


def _reason_lines(changes: Sequence[Change]) -> list[Line]:
    """A line for each base; of more than three, two and how many more."""
    lines: list[Line] = []
    ordered_changes = sorted(changes, key=lambda change: change.base)
    for change in ordered_changes if len(ordered_changes) <= _MOST_BASES else ordered_changes[: _MOST_BASES - 1]:
        text = short(change.detail or str(change.cause))
        lines.append((TextRun(change.base.short, Style.CODE), TextRun(f" {text}")))
    if len(changes) > len(lines):
        lines.append(plain(f"and {counted(len(changes) - len(lines), 'more base')}"))
    return lines


def _cve_lines(changes: Sequence[Change]) -> list[Line]:
    """The CVEs with links to their publishers, in one line; those that concern no image of the rollout apart."""
    links = {cve: address for change in changes for cve, address in change.links}
    concerning = {cve for change in changes for cve in change.cves if cve not in change.not_relevant}
    spared_cves = {cve for change in changes for cve in change.not_relevant} - concerning
    runs: list[TextRun] = []
    for cves, words in ((concerning, "Fixes"), (spared_cves, "Not relevant to these images:")):
        linked_cves = [TextRun(cve, url=links.get(cve) or public_record(cve)) for cve in sorted(cves)[:_MOST_CVES]]
        more = [TextRun(f" and {len(cves) - _MOST_CVES} more")] if len(cves) > _MOST_CVES else []
        if linked_cves:
            runs += [
                TextRun(f"; {words[:1].lower()}{words[1:]} " if runs else f"{words} "),
                *listed(linked_cves),
                *more,
            ]
    return [tuple(runs)] if runs else []


def _open_cve_lines(news: RolloutNews) -> list[Line]:
    """What the bases still have, by reason and severity; nothing where nobody asked."""
    if news.still_open is None:
        return []
    only_microsofts = all(is_microsofts(change.base.registry) for change in news.changes)
    text = still_open_in_words(news.still_open, *(["Microsoft has not rebuilt"] if only_microsofts else []))
    return [plain(short(text, LONGEST_DETAIL))]


def _rebuild_line(rebuild: Rebuild) -> Line:
    target = _target(rebuild)
    match rebuild.action:
        case Action.PULL_REQUEST:
            means = f"pull request #{rebuild.pull_request}" if rebuild.pull_request else "pull request"
        case Action.DISPATCH:
            means = f"run of {rebuild.workflow or ''}"
        case Action.NOTIFY:
            return (target, TextRun(f": {_reason(rebuild)}"))
    says_reason = rebuild.state not in (RebuildState.OPEN, RebuildState.DISPATCHED, RebuildState.PLANNED)
    if rebuild.state is RebuildState.BUILT:
        return (target, TextRun(f" {means} {_reason(rebuild)}"))
    reason = f": {_reason(rebuild)}" if says_reason else ""
    return (target, TextRun(f" {means} {rebuild.state}{reason}"))


def _reason(rebuild: Rebuild) -> str:
    return short(rebuild.reason)


def _footer(news: RolloutNews, *, names_each: bool = False) -> str:
    end_text = f", ended {shown_time(news.ended_at)}" if news.ended_at else ""
    more = "" if names_each else f"; freshness-bot rollout show {news.id} --all lists every repository"
    return f"Rollout {news.id}, opened {shown_time(news.opened_at)}{end_text}{more}"
