"""The summary of a week: a few lines for each question that maintainers have on a Monday morning."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.onboarding import counts_in_words
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.running.promises import PromiseState
from bot.domain.wording.message import (
    Block,
    Footnote,
    Heading,
    Items,
    Line,
    Message,
    Paragraph,
    TextRun,
    plain,
    strong,
    with_code,
)
from bot.domain.wording.words import counted, duration, first_few, percent
from bot.fleet.report.messages.phrases import in_state, listed, short, shown_time
from bot.views.fleet.fleet import Standing
from bot.views.fleet.needs import NeedGroup
from bot.views.fleet.summary import RolledOut, Stuck, Summary
from bot.views.running.report import ExposureReport

_SHOWN = (Standing.CURRENT, Standing.BEHIND, Standing.FAILED, Standing.UNKNOWN, Standing.UNREADABLE)
_MOST_NOTICES = 5
_MOST_OWNERS = 3
_MOST_PRACTICES = 3
_MOST_UNFIXED = 5
_MOST_PACKAGES = 3
_MOST_NEEDS = 3
_MOST_NAMED = 3
"""So many of one reason are named and linked."""
_LONGEST_TITLE = 80
_LONGEST_TEAM = 60


def summary_message(summary: Summary) -> Message:
    """Says what needs a person, how fresh the fleet is, what was done and why, and what lies ahead."""
    blocks: list[Block] = [
        Heading(summary.needs.dated),
        *_item_blocks([_need_line(group) for group in summary.needs.groups]),
        Paragraph((plain(_freshness(summary)), *_trend(summary))),
    ]
    for heading, lines in (
        ("Exposed", list(_exposure_lines(summary.exposure))),
        ("Rebuilt", list(_rollout_lines(summary))),
        ("Waiting for a person", list(_stuck_lines(summary))),
        ("Images that contradict themselves", list(_notice_lines(summary.contradicted))),
        ("Upstream", list(_upstream_lines(summary))),
        ("Not fixed yet", list(_unfixed_lines(summary))),
        ("Practices", list(_practice_lines(summary))),
    ):
        if lines:
            blocks += [Paragraph((strong(heading),)), Items(tuple(lines))]
    return Message(_in_one_line(summary), (*blocks, _footer(summary)))


def brief_summary(summary: Summary) -> Message:
    """The same for a chat, in at most eight lines whatever the fleet; the page and `summary` have the rest."""
    groups = summary.needs.groups
    most_needs = _MOST_NEEDS if summary.exposure is None else _MOST_NEEDS - 1
    shown_groups = groups if len(groups) <= most_needs else groups[: most_needs - 1]
    needs = [_need_line(group) for group in shown_groups]
    if others := groups[len(shown_groups) :]:
        needs.append(plain(f"also {_others_in_words(others)}"))
    rest = (_exposure_in_one_line(summary), _rebuilt_in_one_line(summary), _rest_in_one_line(summary))
    freshness = plain("; ".join([_freshness(summary), *(line[0].text.lower() for line in _trend(summary))]))
    blocks: list[Block] = [
        Heading(summary.needs.dated),
        *_item_blocks(needs),
        Paragraph((freshness, *(plain(line) for line in rest if line))),
        _footer(summary),
    ]
    return Message(_in_one_line(summary), tuple(blocks))


def _item_blocks(lines: Sequence[Line]) -> list[Block]:
    return [Items(tuple(lines))] if lines else []


def _need_line(group: NeedGroup) -> Line:
    """How many wait for one reason, the first of them with where to look, and the way out."""
    first_subjects = group.first[:_MOST_NAMED]
    runs = [TextRun(short(need.subject), url=need.url) for need in first_subjects]
    more = group.number - len(first_subjects)
    rest = f" and {more:,} more; to do: " if more else "; to do: "
    return (TextRun(f"{group.dated}: "), *listed(runs), TextRun(rest), *with_code(group.way_out))


def _others_in_words(groups: Sequence[NeedGroup]) -> str:
    counts = [group.counted for group in groups[:_MOST_NEEDS]]
    more = sum(group.number for group in groups[_MOST_NEEDS:])
    return ", ".join([*counts, *([f"{more:,} more for other reasons"] if more else [])])


def _in_one_line(summary: Summary) -> str:
    return f"{summary.needs.dated}; {_freshness(summary)}"


def _freshness(summary: Summary) -> str:
    return f"{_title(summary)}: {_standings(summary)}"


def _footer(summary: Summary) -> Footnote:
    span = f"{shown_time(summary.since)} to {shown_time(summary.until)}"
    return Footnote(f"{span}; {_plan_in_words(summary)}")


def _exposure_in_one_line(summary: Summary) -> str:
    report = summary.exposure
    if report is None:
        return ""
    unknown = [f"there may be more: {_first_of(report.not_known)}"] if report.not_known else []
    return "; ".join([*_exposed_in_words(report), *unknown])


def _first_of(reasons: Sequence[str]) -> str:
    more = len(reasons) - 1
    return short(reasons[0]) + (f" and {counted(more, 'more reason')}" if more else "")


def _exposed_in_words(report: ExposureReport) -> Iterator[str]:
    """How long places were exposed, against the week before, and which teams missed what is promised."""
    yield report.headline
    if report.week_before:
        yield report.week_before
    if report.missed:
        teams = [f"{short(team, _LONGEST_TEAM)} {number:,}" for team, number in report.missed]
        yield f"promises missed: {first_few(teams, _MOST_OWNERS)}"
    elif report.sums.promises:
        yield "no promise missed"
    if unknown := report.promised(PromiseState.UNKNOWN):
        yield f"{counted(unknown, 'promise')} not known to be kept"


def _exposure_lines(report: ExposureReport | None) -> Iterator[Line]:
    if report is None:
        return
    yield plain("; ".join(_exposed_in_words(report)))
    yield from _notice_lines([f"there may be more: {each}" for each in report.not_known])


def _rebuilt_in_one_line(summary: Summary) -> str:
    """What ended in the span over all rollouts, with what set off the largest."""
    if not summary.rollouts:
        return ""
    counts = (summary.succeeded, summary.failed, summary.unproven, summary.merged)
    whole = RolledOut(0, "", counts[0], counts[1], 0, counts[2], counts[3])
    more = summary.rollouts_in_all - 1
    others = f" and {counted(more, 'more rollout')}" if more else ""
    return f"{short(summary.rollouts[0].title, _LONGEST_TITLE)}{others}: {_outcome(whole)}"


def _rest_in_one_line(summary: Summary) -> str:
    """Counts what the whole summary has in sections of its own."""
    failing = [row for row in summary.practices.rows if row.number(Outcome.FAILS)]
    worst = max(failing, key=lambda row: row.number(Outcome.FAILS), default=None)
    lag = "" if summary.lag is None else next(iter(_upstream_lines(summary)))[0].text
    practice = (
        ""
        if worst is None
        else f"practice missed most, in {counted(worst.number(Outcome.FAILS), 'repository')}: {worst.title}"
    )
    unfixed = counted(len(summary.unfixed), "CVE has", "CVEs have") + " no fix yet" if summary.unfixed else ""
    return "; ".join(filter(None, (lag, practice, unfixed)))


def _title(summary: Summary) -> str:
    share = summary.share
    return "No repository is followed yet" if share is None else f"{percent(share)} of the fleet is current"


def _standings(summary: Summary) -> str:
    states = [f"{summary.standings[each]:,} {each}" for each in _SHOWN if summary.standings.get(each)]
    return f"of {counted(summary.followed, 'repository')} {', '.join(states) or 'none was looked at yet'}"


def _trend(summary: Summary) -> Sequence[Line]:
    now, before = summary.share, summary.share_before
    if now is None or before is None:
        return ()
    span = duration(summary.until - summary.since)
    also = "also" if percent(now) == percent(before) else "it was"
    return (plain(f"{span} before {also} {percent(before)}"),)


def _rollout_lines(summary: Summary) -> Iterator[Line]:
    for rollout in summary.rollouts:
        yield plain(f"{short(rollout.title)}: {_outcome(rollout)}")
    if (more := summary.rollouts_in_all - len(summary.rollouts)) > 0:
        yield plain(f"and {counted(more, 'more rollout')}")


def _outcome(rollout: RolledOut) -> str:
    parts = [f"{rollout.succeeded:,} rebuilt"]
    doubtful = [(rollout.unproven, RebuildState.BUILT), (rollout.merged, RebuildState.MERGED)]
    parts += [in_state(number, state) for number, state in doubtful if number]
    parts += [f"{rollout.failed:,} failed"] if rollout.failed else []
    parts += [f"{rollout.cancelled:,} called off"] if rollout.cancelled else []
    return ", ".join(parts)


def without_people(summary: Summary) -> Summary:
    """The same without what waits for a person, for where that is told in another way."""
    return replace(summary, stuck=(), stuck_in_all=0)


def stuck_line(stuck: Stuck, now: datetime) -> Line:
    """Which repository waits for a person, what for, since when and on whom."""
    target = TextRun(short(stuck.rebuild.repository), url=stuck.rebuild.url)
    return (
        target,
        TextRun(f" {_describe_stuck(stuck, duration(now - stuck.since))}{_owners_in_words(stuck.owners)}"),
    )


def _stuck_lines(summary: Summary) -> Iterator[Line]:
    for stuck in summary.stuck:
        yield stuck_line(stuck, summary.until)
    if (more := summary.stuck_in_all - len(summary.stuck)) > 0:
        yield plain(f"and {counted(more, 'more repository')}")


def _describe_stuck(stuck: Stuck, waits: str) -> str:
    if stuck.rebuild.state is RebuildState.FAILED:
        return f"failed {waits} ago ({short(stuck.rebuild.reason)})"
    if stuck.rebuild.state is RebuildState.OPEN:
        return f"has not been merged for {waits}"
    return f"has been {stuck.rebuild.state} for {waits} ({short(stuck.rebuild.reason)})"


def _owners_in_words(owners: Sequence[str]) -> str:
    if not owners:
        return ""
    return f", on {first_few(map(short, owners), _MOST_OWNERS)}"


def _upstream_lines(summary: Summary) -> Iterator[Line]:
    if summary.lag is not None:
        lag = duration(abs(summary.lag.median))
        direction = "before" if summary.lag.median.total_seconds() < 0 else "after"
        images = counted(summary.lag.images, "base image")
        yield plain(f"{images} got a .NET release, in the median {lag} {direction} its announcement")
    yield from _notice_lines(summary.withdrawn)
    yield from _notice_lines(summary.ends)


def _notice_lines(texts: Sequence[str]) -> Iterable[Line]:
    lines = [plain(short(text)) for text in texts[:_MOST_NOTICES]]
    if len(texts) > _MOST_NOTICES:
        lines.append(plain(f"and {len(texts) - _MOST_NOTICES} more"))
    return lines


def _unfixed_lines(summary: Summary) -> Iterator[Line]:
    """What the gate lets through because nobody has fixed it: shown every time, until it is fixed or accepted."""
    for cve in summary.unfixed[:_MOST_UNFIXED]:
        packages = ", ".join(map(short, cve.packages[:_MOST_PACKAGES]))
        rated = ", ".join(filter(None, (cve.severity, cve.mark.exploited_told)))
        yield plain(f"{short(cve.id)} ({rated}) in {packages}: {counted(cve.images, 'image')}")
    if (more := len(summary.unfixed) - _MOST_UNFIXED) > 0:
        yield plain(f"and {more:,} more")


def _practice_lines(summary: Summary) -> Iterator[Line]:
    """Where most repositories fail, and what has moved in the week; nothing where no repository was judged."""
    practices = summary.practices
    failing = [each for each in practices.rows if each.number(Outcome.FAILS)]
    failing.sort(key=lambda each: (-each.number(Outcome.FAILS), each.check))
    for row in failing[:_MOST_PRACTICES]:
        repositories = f"{row.number(Outcome.FAILS):,} of {counted(row.judged, 'repository')}"
        yield plain(f"{row.title} ({row.check}): fails in {repositories}")
    if (more := len(failing) - _MOST_PRACTICES) > 0:
        yield plain(f"and {counted(more, 'more check fails', 'more checks fail')} somewhere")
    if practices.opened or practices.closed:
        yield plain(f"this week {counted(practices.opened, 'finding')} opened and {practices.closed:,} closed")
    if practices.onboardings:
        yield plain(f"brought along by pull requests: {counts_in_words(practices.onboardings)}")


def _plan_in_words(summary: Summary) -> str:
    if not summary.planned:
        return "nothing is planned"
    return f"{counted(summary.planned, 'rebuild is', 'rebuilds are')} planned, freshness-bot plan --all lists them"
