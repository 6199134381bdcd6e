"""The one message of a rollout: why, which bases, how far it has come, what is left."""

from collections.abc import Iterable, Sequence

from bot.domain.bases.advisory import Severity, public_record
from bot.domain.bases.change import Cause, Change
from bot.domain.rollouts.rebuild import Action, Rebuild, State
from bot.domain.rollouts.rollout import Rollout, tally
from bot.domain.wording.message import (
    Block,
    Footnote,
    Heading,
    Items,
    Line,
    Message,
    Paragraph,
    Span,
    Style,
    plain,
    strong,
)
from bot.domain.wording.versions import versions_reached
from bot.domain.wording.words import counted
from bot.report.phrases import listed, short, shown_time

_MOST_BASES = 12
_MOST_CVES = 10


def rollout_message(rollout: Rollout) -> Message:
    """One message for a rollout: why, which bases, how far it has come, what is left."""
    title = headline(rollout.changes)
    progress = progress_line(rollout)
    fixed = _fixed(rollout.changes)
    blocks: list[Block] = [
        Heading(title),
        Items(tuple(_why(rollout.changes))),
        *([Paragraph(tuple(fixed))] if fixed else []),
        Paragraph((strong(progress), *map(plain, _held_up(rollout)))),
        listed(_rebuild_line(rebuild) for rebuild in _sorted(rollout.rebuilds)),
        Footnote(_footer(rollout)),
    ]
    return Message(f"{title}: {progress}", tuple(blocks))


def headline(changes: Sequence[Change]) -> str:
    """What happened upstream, in one line."""
    security = [change for change in changes if change.cause is Cause.DOTNET_SECURITY]
    reached = versions_reached(changes) or "A .NET release"
    if security:
        cves = {cve for change in security for cve in change.cves}
        worst = max((c.severity for c in security if c.severity), key=lambda s: s.rank, default=None)
        if not cves:
            return f"{reached} is a security release whose CVEs are not listed yet"
        return f"{reached} fixes {counted(len(cves), 'CVE')}{_rated(worst)}"
    if any(change.cause in (Cause.DOTNET_RELEASE, Cause.DOTNET_UNKNOWN) for change in changes):
        return f"{reached} is in the base images"
    bases = {change.base for change in changes}
    if any(change.cause is Cause.OS_UPDATE for change in changes):
        return f"Operating system update in {counted(len(bases), 'base image')}"
    return f"{counted(len(bases), 'base image')} moved under the same tag"


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
    return f"{counted(len(names), 'repository')}: {states}"


def _held_up(rollout: Rollout) -> list[str]:
    """That it is paused, and which waves no longer wait for pull requests that nobody merged."""
    lines = []
    if rollout.pause is not None and rollout.ended_at is None:
        lines.append(f"Paused by {rollout.pause.who}: {short(rollout.pause.reason)}")
    for wave, count in sorted(rollout.set_aside.items()):
        lines.append(f"Wave {wave} goes on without {counted(count, 'pull request')} that nobody has merged")
    return lines


def _is_told(rebuild: Rebuild) -> bool:
    """Who has opted out is not told of anything."""
    return rebuild.action is Action.NOTIFY and rebuild.state is not State.SKIPPED


def _why(changes: Sequence[Change]) -> list[Line]:
    lines: list[Line] = []
    for change in sorted(changes, key=lambda change: change.base)[:_MOST_BASES]:
        told = short(change.detail or str(change.cause))
        lines.append((Span(change.base.short, Style.CODE), Span(f" {told}")))
    if len(changes) > _MOST_BASES:
        lines.append(plain(f"and {len(changes) - _MOST_BASES} more bases"))
    return lines


def _fixed(changes: Sequence[Change]) -> list[Line]:
    """The CVEs with links to their publishers; those that concern no image of the rollout apart."""
    links = {cve: address for change in changes for cve, address in change.links}
    concerning = {cve for change in changes for cve in change.cves if cve not in change.not_relevant}
    spared = {cve for change in changes for cve in change.not_relevant} - concerning
    lines: list[Line] = []
    for cves, words in ((concerning, "Fixes"), (spared, "Not relevant to these images:")):
        named = [Span(cve, url=links.get(cve) or public_record(cve)) for cve in sorted(cves)[:_MOST_CVES]]
        more = [Span(f" and {len(cves) - _MOST_CVES} more")] if len(cves) > _MOST_CVES else []
        if named:
            commas = [part for name in named for part in (Span(", "), name)][1:]
            lines.append((Span(f"{words} "), *commas, *more))
    return lines


def _rebuild_line(rebuild: Rebuild) -> Line:
    target = Span(rebuild.repository, url=rebuild.url)
    match rebuild.action:
        case Action.PULL_REQUEST:
            what = f"pull request #{rebuild.pull_request}" if rebuild.pull_request else "pull request"
        case Action.DISPATCH:
            what = f"run of {rebuild.workflow or ''}"
        case Action.NOTIFY:
            return (target, Span(f": {_reason(rebuild)}"))
    shown = rebuild.state not in (State.OPEN, State.DISPATCHED, State.PLANNED, State.SUCCEEDED)
    reason = f": {_reason(rebuild)}" if shown else ""
    return (target, Span(f" {what} {rebuild.state}{reason}"))


def _reason(rebuild: Rebuild) -> str:
    return short(rebuild.reason)


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


def _footer(rollout: Rollout) -> str:
    ended = f", ended {shown_time(rollout.ended_at)}" if rollout.ended_at else ""
    return f"Rollout {rollout.id}, opened {shown_time(rollout.opened_at)}{ended}"


def _rated(severity: Severity | None) -> str:
    return f", rated up to {severity}" if severity else ""
