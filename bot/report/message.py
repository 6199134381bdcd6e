"""The words and blocks that maintainers read in Slack."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from slack_sdk.models.blocks import ContextBlock, HeaderBlock, MarkdownTextObject, PlainTextObject, SectionBlock

from bot.domain.advisory import Severity, public_record
from bot.domain.change import Cause, Change
from bot.domain.escaping import slack
from bot.domain.notice import Topic
from bot.domain.rebuild import Action, Rebuild, State
from bot.domain.reference import Base
from bot.domain.rollout import Rollout, tally
from bot.domain.versions import versions_reached

_LONGEST_SECTION = 2900
"""Slack takes 3,000 characters to a section."""
_LONGEST_REASON = 120
_LONGEST_DETAIL = 400
"""Even if each of its characters must be escaped, it fits into a section with a title."""
_ASKED = re.compile(r"^[A-Z]+ \S+: ")
"""Which request failed: for the log, where the line does not name the repository already."""
_OF_URLS = "/:?=&#%"
_MOST_LISTED = 30
_MOST_BASES = 12
_MOST_CVES = 10
_MOST_USERS = 10
_LABELS = {
    Topic.WITHDRAWN: "Withdrawn base",
    Topic.WAITING_FOR_BASE: "Waiting for base",
    Topic.END_OF_LIFE: "End of life",
    Topic.MOVED_UNDERNEATH: "Changed underneath",
    Topic.RELEASE_LAG: "Behind the release",
    Topic.SIBLING_LAG: "Behind its sibling",
}


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is what notifications and screen readers show, escaped; `blocks` are Block Kit as JSON."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]

    @property
    def fingerprint(self) -> str:
        """The same words have the same fingerprint, so that nothing is sent twice."""
        canonical = json.dumps([self.text, self.blocks], sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class IncidentNews:
    """An incident as maintainers hear of it."""

    place: str
    opened_at: datetime
    cleared_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class NoticeNews:
    """A notice about a base as maintainers hear of it; `outcome` is how it ended, `repositories` use the base."""

    topic: Topic
    base: Base
    since: datetime
    text: str
    cleared_at: datetime | None
    outcome: str
    repositories: tuple[str, ...]


def rollout_message(rollout: Rollout) -> Message:
    """One message for a rollout: why, which bases, how far it has come, what is left."""
    title = headline(rollout.changes)
    progress = progress_line(rollout)
    blocks = [
        HeaderBlock(text=PlainTextObject(text=title[:150])).to_dict(),
        *(_section(text) for text in _packed([*_why(rollout.changes), *_fixed(rollout.changes)])),
        _section(f"*{slack(progress)}*"),
        *(_section(text) for text in _chunked(_rebuild_line(rebuild) for rebuild in _sorted(rollout.rebuilds))),
        ContextBlock(elements=[MarkdownTextObject(text=_footer(rollout))]).to_dict(),
    ]
    return Message(slack(f"{title}: {progress}"), tuple(blocks))


def incident_message(news: IncidentNews) -> Message:
    if news.cleared_at is None:
        title, text = f"{_short(news.place)} is in trouble", _short(news.detail, _LONGEST_DETAIL)
    else:
        minutes = int((news.cleared_at - news.opened_at).total_seconds() // 60)
        title, text = f"{_short(news.place)} answers again", f"The incident lasted {minutes} min."
    return Message(
        slack(title), (_section(f"*{slack(title)}*\n{slack(text)}"), _context(f"since {_time(news.opened_at)}"))
    )


def notice_message(news: Sequence[NoticeNews]) -> Message:
    """One notice, or a summary of all that were found at once."""
    return _one_notice(news[0]) if len(news) == 1 else _several_notices(news)


def _one_notice(news: NoticeNews) -> Message:
    label, sentence = _LABELS[news.topic], _short(_sentence(news), _LONGEST_DETAIL)
    if news.cleared_at is not None:
        label += ", over"
    users = "" if news.cleared_at else f"\nUsed by {slack(_users(news.repositories))}."
    began = "end of support" if news.topic is Topic.END_OF_LIFE else "since"
    until = f", over since {_time(news.cleared_at)}" if news.cleared_at else ""
    return Message(
        slack(f"{label}: {sentence}"),
        (_section(f"*{label}*\n{slack(sentence)}{users}"), _context(f"{began} {_time(news.since)}{until}")),
    )


def _several_notices(news: Sequence[NoticeNews]) -> Message:
    """Those that still hold come first, by topic."""
    topics = list(_LABELS)
    ordered = sorted(news, key=lambda item: (item.cleared_at is not None, topics.index(item.topic), item.base))
    open_bases = {item.base for item in news if item.cleared_at is None}
    if open_bases:
        title = f"{_count(len(open_bases), 'base image needs', 'base images need')} attention"
    else:
        title = f"All {len(news)} notices about base images are over"
    return Message(
        title, (_section(f"*{title}*"), *(_section(text) for text in _chunked(map(_notice_line, ordered))))
    )


def _notice_line(news: NoticeNews) -> str:
    label, sentence = _LABELS[news.topic], slack(_sentence(news))
    if news.cleared_at is not None:
        return f"• {label}, over: {sentence}"
    return f"• {label}: {sentence}. Used by {slack(_users(news.repositories))}."


def _sentence(news: NoticeNews) -> str:
    return news.text if news.cleared_at is None else f"{news.base.short}: {news.outcome}"


def _users(repositories: Sequence[str]) -> str:
    if not repositories:
        return "no repository any more"
    named = list(repositories[:_MOST_USERS])
    if len(repositories) > _MOST_USERS:
        return f"{', '.join(named)} and {len(repositories) - _MOST_USERS} more"
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def headline(changes: Sequence[Change]) -> str:
    """What happened upstream, in one line."""
    security = [change for change in changes if change.cause is Cause.DOTNET_SECURITY]
    reached = versions_reached(changes) or "A .NET release"
    if security:
        cves = {cve for change in security for cve in change.cves}
        worst = max((c.severity for c in security if c.severity), key=lambda s: s.rank, default=None)
        if not cves:
            return f"{reached} is a security release whose CVEs are not listed yet"
        return f"{reached} fixes {_count(len(cves), 'CVE')}{_rated(worst)}"
    if any(change.cause in (Cause.DOTNET_RELEASE, Cause.DOTNET_UNKNOWN) for change in changes):
        return f"{reached} is in the base images"
    bases = {change.base for change in changes}
    if any(change.cause is Cause.OS_UPDATE for change in changes):
        return f"Operating system update in {_count(len(bases), 'base image')}"
    return f"{_count(len(bases), 'base image')} moved under the same tag"


def progress_line(rollout: Rollout) -> str:
    """`5 repositories: 3 open, 1 running, 1 succeeded`."""
    names = {rebuild.repository for rebuild in rollout.rebuilds if rebuild.state is not State.SUPERSEDED}
    current = [rebuild for rebuild in rollout.rebuilds if rebuild.state is not State.SUPERSEDED]
    if not current:
        return "a later rollout goes on with it"
    counts = tally(rebuild for rebuild in current if not _is_told(rebuild))
    told = sum(map(_is_told, current))
    states = ", ".join(
        [*(f"{count} {state}" for state, count in counts.items()), *([f"{told} told"] if told else [])]
    )
    return f"{_count(len(names), 'repository', 'repositories')}: {states}"


def _is_told(rebuild: Rebuild) -> bool:
    """Who has opted out is not told of anything."""
    return rebuild.action is Action.NOTIFY and rebuild.state is not State.SKIPPED


def _why(changes: Sequence[Change]) -> list[str]:
    lines = []
    for change in sorted(changes, key=lambda change: change.base)[:_MOST_BASES]:
        told = slack(_short(change.detail or str(change.cause)))
        lines.append(f"• `{slack(change.base.short)}` {told}")
    if len(changes) > _MOST_BASES:
        lines.append(f"• and {len(changes) - _MOST_BASES} more bases")
    return lines


def _fixed(changes: Sequence[Change]) -> list[str]:
    """The CVEs with links to their publishers; those that concern no image of the rollout apart."""
    links = {cve: address for change in changes for cve, address in change.links}
    concerning = {cve for change in changes for cve in change.cves if cve not in change.not_relevant}
    spared = {cve for change in changes for cve in change.not_relevant} - concerning
    lines = []
    for cves, words in ((concerning, "Fixes"), (spared, "Not relevant to these images:")):
        named = [_link(links.get(cve) or public_record(cve), cve) for cve in sorted(cves)[:_MOST_CVES]]
        more = f" and {len(cves) - _MOST_CVES} more" if len(cves) > _MOST_CVES else ""
        lines += [f"{words} {', '.join(named)}{more}"] if named else []
    return lines


def _link(address: str, text: str) -> str:
    return f"<{slack(quote(address, safe=_OF_URLS))}|{slack(text)}>"


def _rebuild_line(rebuild: Rebuild) -> str:
    name = slack(rebuild.repository)
    target = _link(rebuild.url, rebuild.repository) if rebuild.url else name
    match rebuild.action:
        case Action.PULL_REQUEST:
            what = f"pull request #{rebuild.pull_request}" if rebuild.pull_request else "pull request"
        case Action.DISPATCH:
            what = f"run of {slack(rebuild.workflow or '')}"
        case Action.NOTIFY:
            return f"• {target}: {_reason(rebuild)}"
    shown = rebuild.state not in (State.OPEN, State.DISPATCHED, State.PLANNED, State.SUCCEEDED)
    reason = f": {_reason(rebuild)}" if shown else ""
    return f"• {target} {what} {rebuild.state}{reason}"


def _reason(rebuild: Rebuild) -> str:
    return slack(_short(_ASKED.sub("", rebuild.reason)))


def _sorted(rebuilds: Iterable[Rebuild]) -> list[Rebuild]:
    """What needs a person comes first; superseded ones are told by those that follow them."""
    order = (State.FAILED, State.OPEN, State.RUNNING, State.DISPATCHED, State.WAITING, State.PLANNED)
    shown = [rebuild for rebuild in rebuilds if rebuild.state is not State.SUPERSEDED]
    return sorted(
        shown,
        key=lambda rebuild: (
            order.index(rebuild.state) if rebuild.state in order else len(order),
            rebuild.repository,
        ),
    )


def _chunked(lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    shown = listed[:_MOST_LISTED]
    if len(listed) > _MOST_LISTED:
        shown.append(f"• and {len(listed) - _MOST_LISTED} more; `freshness-bot status` lists them all")
    return _packed(shown)


def _packed(lines: Iterable[str]) -> list[str]:
    """As few sections as their length allows."""
    chunks: list[str] = []
    for line in lines:
        if chunks and len(chunks[-1]) + len(line) + 1 <= _LONGEST_SECTION:
            chunks[-1] += f"\n{line}"
        else:
            chunks.append(line[:_LONGEST_SECTION])
    return chunks


def _short(text: str, longest: int = _LONGEST_REASON) -> str:
    """Cut before it is escaped, so that no escape is torn."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _footer(rollout: Rollout) -> str:
    ended = f", ended {_time(rollout.ended_at)}" if rollout.ended_at else ""
    return f"Rollout {rollout.id}, opened {_time(rollout.opened_at)}{ended}"


def _section(text: str) -> dict[str, Any]:
    return SectionBlock(text=MarkdownTextObject(text=text or " ")).to_dict()


def _context(text: str) -> dict[str, Any]:
    return ContextBlock(elements=[MarkdownTextObject(text=text)]).to_dict()


def _rated(severity: Severity | None) -> str:
    return f", rated up to {severity}" if severity else ""


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
