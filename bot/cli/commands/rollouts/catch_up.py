"""`catch-up`: what the fleet has fallen behind by, told or made a rollout of."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.asking import asked
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat, Who, word_of
from bot.cli.screen.output import Layout, print_json, print_line, print_sentence, print_table
from bot.cli.screen.progress import progress_of
from bot.cli.screen.text import moment
from bot.domain.feeds.advisory import Severity

if TYPE_CHECKING:
    from bot.commands.rollouts.catch_up import Caught
    from bot.domain.rollouts.rollout import PlannedRebuild


def catch_up(
    repositories: Annotated[
        str, typer.Option("--repositories", metavar="GLOB", help="Only those whose owner/name matches.")
    ] = "*",
    severity: Annotated[
        Severity | None, typer.Option("--severity", help="Only those that lack a fix at least this severe.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; write nothing.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")] = "asked for by catch-up",
    who: Who = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Brings along what the fleet has fallen behind by, as one rollout.

    Pins of digests and patch versions that their bases have left behind, and builds that are older than what their
    floating tag shows. It goes by the rules, in waves, within budgets and outside of freezes, and leaves alone who
    asks for that; nothing overtakes its wave, since all of it has waited for long. What a rebuild brings already is
    not planned twice. The service, or `freshness-bot once`, carries it out.

    Exit codes: 0 done or shown, 2 settings or store cannot be read, or no repository was read yet.

    Example: freshness-bot catch-up --dry-run --severity high
    """
    from bot.commands.rollouts.catch_up import catch_up as caught_up
    from bot.domain.rollouts.policy import Match

    word = None if dry_run else word_of(who, reason)
    only = Match(repositories=(repositories,), min_severity=severity)
    with progress_of("looking what is behind"):
        outcome = asked(config, lambda settings, clock: caught_up(settings, only, word, clock))
    if output is Format.JSON:
        print_json(_as_json(outcome))
        return
    _show(outcome)
    if outcome.rollout is not None:
        print_sentence(
            f"Rollout {outcome.rollout} was made of it; `freshness-bot rollout show {outcome.rollout}` follows it."
        )
    elif not dry_run:
        print_line("There is nothing to roll out.")


def _show(outcome: "Caught") -> None:
    from bot.cli.tables import MOST_SHOWN, say_how_many_more, show_staleness, some_of

    show_staleness(outcome.staleness)
    if outcome.plan.on_the_way:
        print_sentence(f"On its way already in {some_of(outcome.plan.on_the_way)}.")
    if outcome.plan.rebuilds:
        print_table(
            ("repository", "what", "wave", "from", "why"),
            [
                (r.repository, _name_action(r), r.wave, moment(r.due_at), r.reason)
                for r in outcome.plan.rebuilds[:MOST_SHOWN]
            ],
            Layout(below=("why",)),
        )
        say_how_many_more(len(outcome.plan.rebuilds))


def _name_action(rebuild: "PlannedRebuild") -> str:
    from bot.domain.rollouts.rebuild import Action

    match rebuild.action:
        case Action.PULL_REQUEST:
            return "pull request"
        case Action.DISPATCH:
            return f"run of {rebuild.workflow}"
        case Action.NOTIFY:
            return "telling"


def _as_json(outcome: "Caught") -> dict[str, Any]:
    from bot.views.fleet.staleness import as_json

    return {
        **as_json(outcome.staleness),
        "rollout": outcome.rollout,
        "on_the_way": list(outcome.plan.on_the_way),
        "rebuilds": [
            {
                "repository": rebuild.repository,
                "action": rebuild.action,
                "workflow": rebuild.workflow,
                "branch": rebuild.branch,
                "wave": rebuild.wave,
                "begins_at": rebuild.due_at.isoformat(),
                "severity": rebuild.severity,
                "reason": rebuild.reason,
            }
            for rebuild in outcome.plan.rebuilds
        ],
    }
