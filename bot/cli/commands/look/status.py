"""`status`: how things stand, from the store alone."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import Hyperlink, Layout, print_json, print_line, print_page, print_sentence, print_table
from bot.cli.screen.text import NOTHING_READ, lag, moment
from bot.cli.screen.watching import Watch, watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.views.fleet.status import BasesInShort, BaseStatus, Status
    from bot.views.rollouts.rollout import RolloutInShort


_MOST_LINES = 10
"""So many notices, and so many lines of each kind of trouble, are shown without `--all`."""


def status(
    show_all: Annotated[bool, typer.Option("--all", help="Every base, notice and line of trouble.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
    again: Watch = False,
) -> None:
    """Shows how things stand: bases, rollouts, incidents.

    Of the bases it shows those in trouble, then those with rebuilds under way and those that moved within 7 days,
    at most twelve, and counts the rest, as it does of notices and troubles; --all and --format json have all. Of
    each rollout it counts the rebuilds by state, and names those that failed, those that wait for a person, the
    longest under way, and the longest of those that cannot begin; `freshness-bot rollout show ID --all` and
    --format json have all. Reads the store alone and can run beside the service. Exit codes: 0 shown, 2 settings
    or store cannot be read; what needs a person is in the lines below the tables.

    Example: freshness-bot status --watch
    """
    import asyncio

    from bot.commands.look.status import read_status
    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import FLEET
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    if again:
        asyncio.run(
            watch(
                lambda: read_status(settings, clock),
                lambda snapshot: show_status(snapshot, output, clock.now(), show_all=show_all),
            )
        )
    else:
        show_status(asyncio.run(read_status(settings, clock)), output, clock.now(), show_all=show_all)
        print_page(settings, FLEET, output)


def show_status(status: "Status", output: Format, now: datetime, *, show_all: bool = False) -> None:
    """Writes bases, notices, rebuilds and whatever is in trouble; with `show_all` every one of them."""
    from bot.domain.repositories.onboarding import counts_in_words
    from bot.domain.wording.words import counted
    from bot.views.fleet.status import as_json

    if output is Format.JSON:
        print_json(as_json(status))
        return
    if status.no_room is not None:
        print_sentence(f"The bot stands still, or soon will: {status.no_room}")
    print_line(f"{counted(status.repositories, 'repository')}, {counted(len(status.bases), 'base')}")
    if not status.repositories:
        print_sentence(NOTHING_READ)
    for pause in status.pauses:
        subject = "Everything" if pause.rollout is None else f"Rollout {pause.rollout}"
        print_sentence(f"{subject} is paused by {pause.who} since {moment(pause.since)}: {pause.reason}")
    _show_bases(status, now, show_all=show_all)
    if status.notices:
        print_table(
            ("notice", "since", "what upstream does not say"),
            [(n.topic, moment(n.since), n.text) for n in status.notices[: _most(show_all)]],
            Layout(below=("what upstream does not say",)),
        )
        _count_rest(len(status.notices), "notice", show_all=show_all)
    _show_rebuilds(status, now)
    if status.dumps:
        print_table(
            ("vulnerabilities of", "read", "newest", "records", "kept"),
            [
                (d.ecosystem, moment(d.checked_at), moment(d.newest_at) if d.newest_at else "", d.entries, d.kept)
                for d in status.dumps
            ],
        )
    if status.onboardings:
        print_sentence(f"Onboarding: {counts_in_words(status.onboardings)}")
    _show_troubles(status, show_all=show_all)


def _show_bases(status: "Status", now: datetime, *, show_all: bool) -> None:
    """Writes a row for each base that needs somebody, with what is late or in trouble, then how old builds are."""
    from bot.views.fleet.status import bases_in_short

    short = bases_in_short(status, now)
    _show_table(status.bases if show_all else short.shown, now)
    if short.rest and not show_all:
        print_sentence(rest_in_words(short))
    _show_ages(status, show_all=show_all)


def _show_table(bases: "Sequence[BaseStatus]", now: datetime) -> None:
    """Writes a row for each base, then what is late or in trouble about one."""
    from bot.views.names import short_base, short_digest

    if bases:
        print_table(
            ("base", ".NET", "digest", "moved", "used by", "out"),
            [
                (
                    *(short_base(b.base), b.version, short_digest(b.digest) or "not seen yet"),
                    *(moment(b.moved_at), b.repositories, lag(b.release_lag)),
                )
                for b in bases
            ],
            Layout(below=("out",)),
        )
    for base in bases:
        if base.mirror is not None and not base.mirror.is_well:
            print_sentence(f"{short_base(base.base)} {base.mirror.told(now)}")
        if base.shows_two is not None:
            print_sentence(f"{short_base(base.base)}: {base.shows_two.told}")
        if base.error:
            print_sentence(f"{short_base(base.base)}: {base.error}")


def rest_in_words(short: "BasesInShort") -> str:
    """Words how the bases stand that have no row."""
    from bot.domain.wording.words import counted

    number, more = sum(short.rest.values()), "more " if short.shown else ""
    if len(short.rest) == 1:
        [urgency] = short.rest
        urgencies_in_words = f", all {urgency}" if number > 1 else f", {urgency}"
    else:
        urgencies_in_words = ": " + ", ".join(f"{count:,} {urgency}" for urgency, count in short.rest.items())
    return f"{counted(number, f'{more}base')}{urgencies_in_words}; `freshness-bot status --all` lists every base"


def _show_rebuilds(status: "Status", now: datetime) -> None:
    """Writes how each rollout stands, with the rebuilds that need somebody."""
    from bot.domain.wording.words import duration
    from bot.views.rollouts.rebuilds import what
    from bot.views.rollouts.rollout import in_short, stands_for

    for rollout in in_short(status.rebuilds, now, status.tried_again):
        print_sentence(rollout_in_words(rollout))
        if rollout.named:
            print_table(
                ("repository", "what", "state", "for", "why"),
                [
                    (r.repository, Hyperlink(what(r), r.url), r.state, duration(stands_for(r, now)), r.reason)
                    for r in rollout.named
                ],
                Layout(below=("why",)),
            )
        if rollout.more:
            more = f"and {rollout.more:,} more; " if rollout.named else ""
            print_line(f"{more}`freshness-bot rollout show {rollout.id} --all` lists them all")


def rollout_in_words(rollout: "RolloutInShort") -> str:
    """Words how many rebuilds of a rollout are in each state."""
    from bot.domain.wording.words import counted

    states = ", ".join(f"{number:,} {state}" for state, number in rollout.states.items())
    suffix = "" if rollout.is_whole else " not ended"
    return f"Rollout {rollout.id}: {counted(rollout.total, 'rebuild')}{suffix}: {states}"


def _show_troubles(status: "Status", *, show_all: bool) -> None:
    """Writes incidents, what cannot be read, and what dumps leave out."""
    incidents = [f"incident since {moment(each.opened_at)}: {each.detail}" for each in status.incidents]
    _show_some(incidents, "incident", show_all=show_all)
    _show_some(
        [f"{name}: {error}" for name, error in status.unreadable],
        "repository that cannot be read",
        "repositories that cannot be read",
        show_all=show_all,
    )
    for url, error in status.feed_errors:
        print_sentence(feed_error_in_words(url, error))
    for dump in status.dumps:
        if dump.error:
            print_sentence(f"{dump.place}: {dump.error}")
        _show_some(dump.unread, "record that cannot be read", "records that cannot be read", show_all=show_all)


def feed_error_in_words(url: str, error: str) -> str:
    """Names the document of a feed once."""
    from bot.views.bases.upstream import shown_address

    place = shown_address(url).partition("://")[2]
    return error if place in error else f"{place}: {error}"


def _show_ages(status: "Status", *, show_all: bool) -> None:
    """Writes how old the last successful builds are, and whom nothing rebuilds in time."""
    from bot.views.fleet.ages import guarantee, rows

    ages = status.ages
    if not ages.total:
        return
    print_table(("last successful build", "workflows"), rows(ages))
    print_line(guarantee(ages))
    _show_some(
        [f"{trouble.repository}: {trouble.text}" for trouble in ages.troubles],
        "repository that nothing rebuilds in time",
        "repositories that nothing rebuilds in time",
        show_all=show_all,
    )


def _most(show_all: bool) -> int | None:
    return None if show_all else _MOST_LINES


def _show_some(lines: "Sequence[str]", noun: str, plural: str = "", *, show_all: bool) -> None:
    """Writes the first lines, and how many more of these nouns there are."""
    for line in lines[: _most(show_all)]:
        print_sentence(line)
    _count_rest(len(lines), noun, plural, show_all=show_all)


def _count_rest(number: int, noun: str, plural: str = "", *, show_all: bool) -> None:
    from bot.domain.wording.words import counted

    if number > _MOST_LINES and not show_all:
        more_lines = counted(number - _MOST_LINES, f"more {noun}", plural and f"more {plural}")
        print_sentence(f"and {more_lines}; `freshness-bot status --all` lists all")
