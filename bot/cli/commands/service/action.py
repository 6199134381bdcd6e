"""`action`: the bot as a step of a GitHub Actions workflow."""

import typer


def action() -> None:
    """Runs as a step of a GitHub Actions workflow, which action.yml calls.

    It restores its state from a branch, makes passes until nothing moves any more, keeps the state again, and
    writes the job summary. Everything comes from the environment that the runner and action.yml set.

    Exit codes: 0 the passes were made, and what needs attention is in the summary; 2 inputs or settings
    cannot be read, or the state neither read nor kept; 130 the job was cancelled, with the state kept.

    Example: freshness-bot action
    """
    import asyncio
    import os

    from bot.commands.action.inputs import inputs_of, job_of
    from bot.commands.action.run import ActionStep, run_step
    from bot.commands.action.runner import Annotation, AnnotationLevel, annotate, mask, without_commands
    from bot.commands.action.settings import job_settings
    from bot.domain.clock import SystemClock
    from bot.domain.failure import Failure
    from bot.service.logs import set_up
    from bot.settings import BadSettings

    annotations: list[Annotation] = []
    try:
        job, inputs = job_of(os.environ), inputs_of(os.environ)
        mask(inputs.secrets)
        with job_settings(inputs, job) as opened:
            set_up("text")
            with without_commands():
                is_done = asyncio.run(run_step(ActionStep(inputs, job, opened, SystemClock(), annotations)))
        code = 0 if is_done else 2
    except (BadSettings, Failure) as error:
        lines = error.lines if isinstance(error, BadSettings) else [str(error)]
        annotations += [Annotation(AnnotationLevel.ERROR, line) for line in lines]
        code = 2
    except asyncio.CancelledError:
        code = 130
    for annotation in annotations:
        annotate(annotation)
    raise typer.Exit(code)
