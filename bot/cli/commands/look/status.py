"""`status`: how things stand, from the store alone."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import Hyperlink, Layout, print_json, print_line, print_page, print_sentence, print_table
from bot.cli.screen.text import NOTHING_READ, lag, moment
from bot.cli.screen.watching import Watch, watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.views.fleet.status import BaseStatus, Status
    from bot.views.rollouts.rollout import RolloutInShort


_MOST_ROLLOUTS = 2
"""So many are shown without `--all`, the newest first."""


def status(
    show_all: Annotated[bool, typer.Option("--all", help="Every base, notice, rebuild and trouble.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
    again: Watch = False,
) -> None:
    """Shows what needs you, what is under way, and what comes next.

    The first line is the answer. What only a person can move follows, grouped by reason with the way out, the
    oldest first; then the rollouts that have not ended, in the words done, under way, waiting and needs you, and
    what waits for what. It fits a screen whatever the fleet; --all has every base, notice, rebuild and trouble,
    and so has --format json. Reads the store alone and can run beside the service. Exit codes: 0 shown, 2
    settings or store cannot be read.

    Example: freshness-bot status --watch
    """
    import asyncio

    from bot.cli.asking import waited_for
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
        show_status(waited_for(read_status(settings, clock)), output, clock.now(), show_all=show_all)
        print_page(settings, FLEET, output)


def show_status(status: "Status", output: Format, now: datetime, *, show_all: bool = False) -> None:
    """Writes what needs a person, what is under way and what comes next; with `show_all` all that is known."""
    from bot.cli.screen.needs import show_needs
    from bot.views.fleet.status import as_json
    from bot.views.fleet.troubles import as_json as troubles_as_json
    from bot.views.fleet.troubles import troubles_of

    if output is Format.JSON:
        print_json(as_json(status, now) | {"troubles": troubles_as_json(troubles_of(status))})
        return
    if status.no_room is not None:
        print_sentence(f"The bot stands still, or soon will: {status.no_room}")
    if (since := status.left_since(now)) is not None:
        print_sentence(
            f"No bot has looked at any base since {moment(since)} UTC, and what follows is as old: see whether it "
            "runs (`freshness-bot health`, its log)"
        )
    print_sentence(verdict(status, now))
    if not status.repositories:
        print_sentence(NOTHING_READ)
    show_needs(status.needs, now, show_all=show_all)
    if show_all:
        _show_everything(status, now)
        return
    _show_under_way(status, now)
    for line in what_comes_next(status, now):
        print_sentence(line)
    _show_troubles_in_short(status)


def verdict(status: "Status", now: datetime) -> str:
    """Words the whole in one sentence: what needs a person, how much is under way, how fresh the fleet is."""
    from bot.domain.wording.words import counted
    from bot.views.fleet.fleet import Standing, followed
    from bot.views.four_words import FourWords, in_number, word_of

    words = Counter(word_of(rebuild.state) for rebuild in status.rebuilds if not rebuild.state.has_ended)
    parts = [status.needs.headline(now)]
    parts += [in_number(words[word], word) for word in (FourWords.UNDER_WAY, FourWords.WAITING) if words[word]]
    number = followed(status.standings)
    fleet = f"{counted(number or status.repositories, 'repository')} on {counted(len(status.bases), 'base')}"
    if number:
        fleet = f"{status.standings.get(Standing.CURRENT, 0):,} of {fleet} current"
    return f"{'; '.join(parts)}; {fleet}"


def _show_under_way(status: "Status", now: datetime) -> None:
    """Writes a line for the newest rollout and each other that has not ended, the newest first."""
    from bot.views.four_words import in_number
    from bot.views.rollouts.rollout import in_short

    rollouts = in_short(status.rebuilds, now, status.tried_again)[::-1]
    for rollout in rollouts[:_MOST_ROLLOUTS]:
        words = ", ".join(in_number(number, word) for word, number in rollout.words.items())
        print_sentence(f"Rollout {rollout.id}: {words}")
    if (more := len(rollouts) - _MOST_ROLLOUTS) > 0:
        print_line(f"and {more:,} more; `freshness-bot rollout list` has them")


def what_comes_next(status: "Status", now: datetime) -> "Iterator[str]":
    """Words what the bot begins next, and what the most of the rest wait for."""
    from bot.domain.wording.words import counted

    ahead = [rebuild for rebuild in status.ahead if rebuild.id not in status.waits]
    if ahead:
        first = ahead[0]
        when = "now" if first.due_at <= now else moment(first.due_at)
        rest = f" and {len(ahead) - 1:,} more" if len(ahead) > 1 else ""
        yield f"Next: {first.repository}{rest}, {when}"
    reasons = Counter((hold.reason, hold.until) for hold in status.waits.values())
    for (reason, until), number in reasons.most_common(1):
        verb = "begins" if number == 1 else "begin"
        at_the_latest = f", and {verb} by {moment(until)} UTC at the latest" if until is not None else ""
        others = f"; {more:,} for something else" if (more := len(status.waits) - number) else ""
        is_held = reason.startswith("held ")
        waiting = (
            counted(number, "rebuild is", "rebuilds are")
            if is_held
            else f"{counted(number, 'rebuild waits', 'rebuilds wait')} for"
        )
        yield f"{waiting} {reason}{at_the_latest}{others}"


def _show_troubles_in_short(status: "Status") -> None:
    """Writes what is in trouble with what to do about each; counted alone where the screen is full of what needs a
    person."""
    from bot.cli.screen.needs import MOST_GROUPS
    from bot.views.fleet.troubles import troubles_of

    everything, troubles = "`freshness-bot status --all` lists everything", troubles_of(status)
    if troubles and len(status.needs.groups) > MOST_GROUPS:
        print_sentence(f"In trouble: {', '.join(group.counted for group in troubles)}; {everything}")
        return
    for group in troubles:
        print_sentence(f"In trouble: {group.sentence}")
    print_sentence(everything)


def _show_everything(status: "Status", now: datetime) -> None:
    """Writes bases, notices, rebuilds and whatever is in trouble, every one of them."""
    from bot.domain.repositories.onboarding import counts_in_words

    for pause in status.pauses:
        subject = "Everything" if pause.rollout is None else f"Rollout {pause.rollout}"
        print_sentence(f"{subject} is paused by {pause.who} since {moment(pause.since)}: {pause.reason}")
    _show_table(status.bases, now)
    _show_ages(status)
    if status.notices:
        print_table(
            ("notice", "since", "what upstream does not say"),
            [(n.topic, moment(n.since), n.text) for n in status.notices],
            Layout(below=("what upstream does not say",)),
        )
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
    _show_troubles(status)


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


def _show_troubles(status: "Status") -> None:
    """Writes incidents, what cannot be read, and what dumps leave out, after what to do about each."""
    from bot.views.fleet.troubles import troubles_of

    for group in troubles_of(status):
        print_sentence(f"In trouble: {group.sentence}")
    for incident in status.incidents:
        print_sentence(f"incident since {moment(incident.opened_at)}: {incident.detail}")
    for name, error in status.unreadable:
        print_sentence(f"{name}: {error}")
    for url, error in status.feed_errors:
        print_sentence(feed_error_in_words(url, error))
    for dump in status.dumps:
        if dump.error:
            print_sentence(f"{dump.place}: {dump.error}")
        for line in dump.unread:
            print_sentence(line)


def feed_error_in_words(url: str, error: str) -> str:
    """Names the document of a feed once."""
    from bot.views.bases.upstream import shown_address

    place = shown_address(url).partition("://")[2]
    return error if place in error else f"{place}: {error}"


def _show_ages(status: "Status") -> None:
    """Writes how old the last successful builds are, and whom nothing rebuilds in time."""
    from bot.views.fleet.ages import guarantee, rows

    ages = status.ages
    if not ages.total:
        return
    print_table(("last successful build", "workflows"), rows(ages))
    print_line(guarantee(ages))
    for trouble in ages.troubles:
        print_sentence(f"{trouble.repository}: {trouble.text}")
