"""`explain`: all that is known of one repository, from the store alone."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import (
    EveryRow,
    Hyperlink,
    Layout,
    count_rest,
    first_rows,
    last_rows,
    print_json,
    print_line,
    print_page,
    print_sentence,
    print_table,
)
from bot.cli.screen.steps import print_steps
from bot.cli.screen.text import held_text, moment

if TYPE_CHECKING:
    from bot.views.repositories.explanation import Explanation


def explain(
    repository: Annotated[str, typer.Argument(metavar="REPOSITORY", help="owner/name")],
    show_all: EveryRow = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows all that is known of a repository, and why.

    The first line says how it stands, in one of the words done, under way, waiting and needs you, and why. Then
    come its usages with the bases that they follow, what it wants left alone, its images, its rebuilds, and each
    transition with its reason. Of each that is eight at most, of transitions and steps the last, and how many
    more there are; --all and --format json have every one.

    Exit codes: 0 shown, 2 nothing of that name is known, or settings or store cannot be read.

    Example: freshness-bot explain contoso/shop
    """
    from bot.commands.look.explanation import read_explanation
    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import repository_path
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    explanation = waited_for(read_explanation(settings, repository, clock))
    show_explanation(explanation, clock.now(), output, show_all=show_all)
    print_page(settings, repository_path(explanation.repository), output)


def show_explanation(explained: "Explanation", now: datetime, output: Format, *, show_all: bool = False) -> None:
    """Writes usages by file, images, rebuilds with their transitions, and problems: a screen of each, or all."""
    from bot.views.repositories.explanation import as_json, unheld_steps
    from bot.views.repositories.verdict import verdict_on

    verdict = verdict_on(explained, now)
    if output is Format.JSON:
        standing = {"word": verdict.word, "sentence": verdict.sentence}
        print_json({"standing": standing, **as_json(explained, now.date())})
        return
    print_sentence(f"{explained.repository}: {verdict}")
    print_line(f"Last read {moment(explained.read_at)}")
    if explained.config.unread:
        print_sentence(f"Nothing new is written to it: {explained.config.refusal}.")
    elif not explained.config.enabled:
        print_sentence("It has opted out in .github/freshness.yaml: nothing is done for it.")
    _show_usages(explained, now, show_all=show_all)
    _show_images(explained, now, show_all=show_all)
    if (unheld := unheld_steps(explained)) is not None:
        print_sentence(unheld)
    _show_rebuilds(explained, show_all=show_all)
    for late in explained.behind:
        print_sentence(late.told(now))
    for build in explained.builds:
        if build.said:
            print_sentence(build.said)
    _show_what_was_said_there(explained)
    for problem in explained.problems:
        print_sentence(f"{problem.path}:{problem.line}: {problem.message}")


def _show_images(explained: "Explanation", now: datetime, *, show_all: bool) -> None:
    """Writes what each stands on, and what the gate says of it."""
    from bot.views.images.images import needy_first, stands_on

    for view in first_rows(needy_first(explained.images), show_all=show_all):
        doubt = f"; does not count: {view.image.doubt}" if view.image.doubt else ""
        print_sentence(f"image {view.image.place} stands on {stands_on(view.image, now)}{doubt}")
        if view.gate is not None:
            print_sentence(f"gate of {view.image.place}: {view.gate.in_words}")
    count_rest(len(explained.images), show_all=show_all, what="more image")


def _show_usages(explained: "Explanation", now: datetime, *, show_all: bool) -> None:
    from bot.views.names import short_base, short_digest, short_reference

    if explained.usages:
        print_table(
            ("file", "line", "reference", "role", "follows", "base is now at", "left alone"),
            [
                (
                    *(usage.path, usage.line, short_reference(usage.reference), usage.role),
                    short_base(base) if base else "nothing",
                    (short_digest(digest) or "not seen yet") if base else "",
                    explained.left_alone(usage, base, now.date()),
                )
                for usage, base, digest in first_rows(explained.usages, show_all=show_all)
            ],
            Layout(group=True, below=("left alone",)),
        )
        count_rest(len(explained.usages), show_all=show_all, what="more usage")


def _show_rebuilds(explained: "Explanation", *, show_all: bool) -> None:
    """Writes how each came to its state, its steps, and what it waits for."""
    from bot.views.rollouts.rebuilds import what

    rebuilds_by_id = {rebuild.id: rebuild for rebuild in explained.rebuilds}
    transitions = sorted(explained.transitions, key=lambda step: step.rebuild)
    if transitions:
        print_table(
            ("rebuild", "at", "from", "to", "why"),
            [
                (
                    Hyperlink(
                        f"rebuild {s.rebuild}, {what(rebuilds_by_id[s.rebuild])}", rebuilds_by_id[s.rebuild].url
                    ),
                    *(moment(s.at), s.before or "", s.after, s.reason),
                )
                for s in last_rows(transitions, show_all=show_all)
            ],
            Layout(group=True, below=("why",)),
        )
        count_rest(len(transitions), show_all=show_all, what="earlier transition")
    steps = [(rebuilds_by_id[number], step) for number, runs in sorted(explained.steps.items()) for step in runs]
    print_steps(last_rows(steps, show_all=show_all))
    count_rest(len(steps), show_all=show_all, what="earlier step")
    for rebuild in explained.rebuilds:
        if not rebuild.state.has_ended and (hold := explained.waits.get(rebuild.id)) is not None:
            print_sentence(f"rebuild {rebuild.id} waits: {held_text(hold)}")


def _show_what_was_said_there(explained: "Explanation") -> None:
    """Writes how far onboarding is, and what the repository's issue says."""
    from bot.domain.wording.words import counted

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
