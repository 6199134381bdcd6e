"""`status`, `plan`, `explain` and `history`: what the store knows, shown; nobody else is asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.output import Layout, Link, print_json, print_line, print_sentence, print_table
from bot.cli.pages import print_page
from bot.cli.steps import print_steps
from bot.cli.text import held_text, lag, moment
from bot.cli.watching import Watch, watch

if TYPE_CHECKING:
    from bot.domain.rollouts.rebuild import Rebuild
    from bot.domain.rollouts.timing.waves import Hold
    from bot.views.bases.history import History
    from bot.views.fleet.status import Status
    from bot.views.repositories.explanation import Explanation


def status(config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE, again: Watch = False) -> None:
    """Shows how things stand: bases, rollouts, incidents.

    Reads the store alone and can run beside the service. Exit code 0; what needs a person is in the lines below
    the tables.
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import FLEET
    from bot.service.commands.look.views import read_status
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    if again:
        asyncio.run(
            watch(lambda: read_status(settings, clock), lambda found: show_status(found, output, clock.now()))
        )
    else:
        show_status(asyncio.run(read_status(settings, clock)), output, clock.now())
        print_page(settings, FLEET, output)


def plan(config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """Shows what the bot will do next, when and why."""
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.commands.look.views import read_status
    from bot.settings import load

    clock = SystemClock()
    found = asyncio.run(read_status(load(config), clock))
    ahead = [rebuild for rebuild in found.rebuilds if rebuild.state.awaits_action]
    show_rebuilds(ahead, output, found.waits)
    if output is Format.TABLE:
        show_behind(found, clock.now())


def explain(
    repository: Annotated[str, typer.Argument(help="owner/name")],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows all that is known of a repository, and why.

    Its usages with the bases that they follow, what it wants left alone, its rebuilds, and each transition with
    its reason.
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import repository_path
    from bot.service.commands.look.views import read_explanation
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    found = asyncio.run(read_explanation(settings, repository, clock))
    show_explanation(found, clock.now(), output)
    print_page(settings, repository_path(found.repository), output)


def history(
    base: Annotated[str, typer.Argument(help="A base such as aspnet:10.0 or mcr.microsoft.com/dotnet/aspnet:10.0")],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows when a base moved and why, and how late upstream was."""
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import base_path
    from bot.service.commands.look.views import read_history
    from bot.settings import load

    settings = load(config)
    found = asyncio.run(read_history(settings, base, SystemClock()))
    show_history(found, output)
    for moved in dict.fromkeys(change.base for change in found.changes):
        print_page(settings, base_path(moved), output)


def show_rebuilds(rebuilds: "Sequence[Rebuild]", output: Format, waits: "Mapping[int, Hold] | None" = None) -> None:
    """Writes what is ahead, a row for each rebuild; `waits` says by id what some wait for."""
    waits = waits or {}
    from bot.views.rollouts.rebuilds import as_json

    if output is Format.JSON:
        print_json([as_json(rebuild, waits.get(rebuild.id)) for rebuild in rebuilds])
    elif not rebuilds:
        print_line("Nothing is planned.")
    else:
        from bot.views.rollouts.rebuilds import what

        print_table(
            ("repository", "what", "state", "due", "why", "waits for"),
            [
                (
                    *(r.repository, Link(what(r), r.url), r.state, moment(r.due_at), r.reason),
                    held_text(waits.get(r.id)),
                )
                for r in rebuilds
            ],
            Layout(below=("why", "waits for")),
        )


def show_behind(status: "Status", now: datetime) -> None:
    """Writes what nothing is planned for yet, since a mirror does not show it."""
    from bot.domain.wording.words import counted

    for base in status.bases:
        if base.mirror is not None and base.mirror.behind is not None:
            repositories = counted(base.repositories, "repository")
            wait = "waits" if base.repositories == 1 else "wait"
            print_sentence(f"{base.mirror.told(now)}; {repositories} {wait} for it")


def show_status(status: "Status", output: Format, now: datetime) -> None:
    """Writes bases, notices, rebuilds and whatever is in trouble."""
    from bot.domain.repositories.onboarding import in_words
    from bot.domain.wording.words import counted
    from bot.views.fleet.status import as_json
    from bot.views.names import short_base, short_digest
    from bot.views.rollouts.rebuilds import what

    if output is Format.JSON:
        print_json(as_json(status))
        return
    print_line(f"{counted(status.repositories, 'repository')}, {counted(len(status.bases), 'base')}")
    for pause in status.pauses:
        subject = "Everything" if pause.rollout is None else f"Rollout {pause.rollout}"
        print_sentence(f"{subject} is paused by {pause.who} since {moment(pause.since)}: {pause.reason}")
    if status.bases:
        print_table(
            ("base", ".NET", "digest", "moved", "used by", "after the release"),
            [
                (
                    *(short_base(b.base), b.version, short_digest(b.digest) or "not seen yet"),
                    *(moment(b.moved_at), b.repositories, lag(b.release_lag)),
                )
                for b in status.bases
            ],
            Layout(below=("after the release",)),
        )
    for base in status.bases:
        if base.mirror is not None and not base.mirror.is_well:
            print_sentence(f"{short_base(base.base)} {base.mirror.told(now)}")
    _show_ages(status)
    for base in status.bases:
        if base.error:
            print_sentence(f"{short_base(base.base)}: {base.error}")
    if status.notices:
        print_table(
            ("notice", "since", "what upstream does not say"),
            [(n.topic, moment(n.since), n.text) for n in status.notices],
            Layout(below=("what upstream does not say",)),
        )
    if status.rebuilds:
        print_table(
            ("rollout", "repository", "what", "state", "why"),
            [
                (f"rollout {r.rollout}", r.repository, Link(what(r), r.url), r.state, r.reason)
                for r in status.rebuilds
            ],
            Layout(group=True, below=("why",)),
        )
    if status.dumps:
        print_table(
            ("vulnerabilities of", "read", "records", "kept"),
            [(d.ecosystem, moment(d.checked_at), d.entries, d.kept) for d in status.dumps],
        )
    if status.onboardings:
        print_sentence(f"Onboarding: {in_words(status.onboardings)}")
    for incident in status.incidents:
        print_sentence(f"incident since {moment(incident.opened_at)}: {incident.detail}")
    for name, error in (*status.unreadable, *status.feed_errors):
        print_sentence(f"{name}: {error}")
    for dump in status.dumps:
        for line in (*((f"{dump.place}: {dump.error}",) if dump.error else ()), *dump.unread):
            print_sentence(line)


def _show_ages(status: "Status") -> None:
    """Writes how old the last successful builds are, and whom nothing rebuilds in time."""
    from bot.views.fleet.ages import guarantee, rows

    ages = status.ages
    if not ages.total:
        return
    print_table(("last successful build", "workflows"), rows(ages))
    print_line(guarantee(ages))
    for trouble in ages.troubles:
        print_sentence(f"{trouble.repository}: {trouble.said}")


def show_explanation(explained: "Explanation", now: datetime, output: Format) -> None:
    """Writes usages by file, images, rebuilds with their transitions, and problems."""
    from bot.domain.wording.words import counted
    from bot.views.bases.images import stands_on
    from bot.views.names import short_base, short_digest, short_reference
    from bot.views.repositories.explanation import as_json
    from bot.views.rollouts.rebuilds import what

    today = now.date()
    if output is Format.JSON:
        print_json(as_json(explained, today))
        return
    print_line(f"{explained.repository}, last read {moment(explained.read_at)}")
    if explained.error:
        print_sentence(explained.error)
    if not explained.config.enabled:
        print_sentence("It has opted out in .github/freshness.yaml: nothing is done for it.")
    if explained.usages:
        print_table(
            ("file", "line", "reference", "role", "follows", "base is now at", "left alone"),
            [
                (
                    *(usage.path, usage.line, short_reference(usage.reference), usage.role),
                    short_base(base) if base else "nothing",
                    (short_digest(digest) or "not seen yet") if base else "",
                    explained.left_alone(usage, base, today),
                )
                for usage, base, digest in explained.usages
            ],
            Layout(group=True, below=("left alone",)),
        )
    for view in explained.images:
        doubt = f"; does not count: {view.image.doubt}" if view.image.doubt else ""
        print_sentence(f"image {view.image.place} stands on {stands_on(view.image, now)}{doubt}")
    known = {rebuild.id: rebuild for rebuild in explained.rebuilds}
    if explained.transitions:
        print_table(
            ("rebuild", "at", "from", "to", "why"),
            [
                (
                    Link(f"rebuild {s.rebuild}, {what(known[s.rebuild])}", known[s.rebuild].url),
                    *(moment(s.at), s.before or "", s.after, s.reason),
                )
                for s in sorted(explained.transitions, key=lambda step: step.rebuild)
            ],
            Layout(group=True, below=("why",)),
        )
    print_steps((known[number], step) for number, some in explained.steps.items() for step in some)
    for rebuild in explained.rebuilds:
        if not rebuild.state.has_ended and (held := explained.waits.get(rebuild.id)) is not None:
            print_sentence(f"rebuild {rebuild.id} waits: {held_text(held)}")
    for late in explained.behind:
        print_sentence(late.told(now))
    for build in explained.builds:
        if build.said:
            print_sentence(build.said)
    if (brought := explained.onboarding) is not None:
        url = f" ({brought.url})" if brought.url else ""
        left = f"; {counted(brought.left, 'finding')} left to people" if brought.left else ""
        print_sentence(f"Onboarding is {brought.state}: {brought.reason}{url}{left}")
    if explained.issue is not None:
        for section in explained.issue.sections:
            print_sentence(f"{section.title}: {section.told}")
        if explained.issue.url is not None:
            print_sentence(f"That stands in {explained.issue.url}")
        elif explained.issue.refused is not None:
            print_sentence(f"No issue says so there: {explained.issue.refused}")
    for problem in explained.problems:
        print_sentence(f"{problem.path}:{problem.line}: {problem.message}")


def show_history(history: "History", output: Format) -> None:
    """Writes the changes of a base, and how late upstream was."""
    from bot.domain.packages.moves import told
    from bot.views.bases.history import as_json
    from bot.views.names import short_base, short_digest

    if output is Format.JSON:
        print_json(as_json(history))
        return
    if not history.changes:
        print_line("No change of this base has been seen yet.")
    else:
        print_table(
            ("base", "at", "cause", "severity", "to digest", "what moved", "packages"),
            [
                (
                    *(short_base(c.base), moment(c.at), c.cause, c.severity, short_digest(c.to_digest), c.detail),
                    told(packages),
                )
                for c, packages in zip(history.changes, history.packages, strict=True)
            ],
            Layout(group=True, below=("what moved", "packages")),
        )
    if history.upstream:
        print_table(
            ("upstream", "since", "until", "what upstream did"),
            [(n.topic, moment(n.since), moment(n.until) if n.until else "", n.text) for n in history.upstream],
            Layout(below=("what upstream did",)),
        )
